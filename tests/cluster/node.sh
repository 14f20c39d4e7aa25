#!/bin/bash
# node.sh: pid 1 of one node of the test cluster, in namespaces of its own (tests/cluster/node.py starts it).
# It gives the node its own file system (an overlay over the host's, nothing of which is written), waits for the
# network, starts the node's daemons, and from then on reaps what is orphaned, as init does.
#
# From the environment: NODE_NAME, NODE_ROLE (login, compute), NODE_BASE (its folder on the host), NODE_ETC (the
# cluster's files), NODE_HOME (the shared /home), NODE_TRACK (linuxproc, cgroup), NODE_SHOW (folders to bind, read only),
# NODE_SPOOL (the batch system's spool, one for all nodes), NODE_OPEN (folders that others must be able to enter), NODE_HIDE (files that
# this node does not have), NODE_GPUS (how many devices a compute node calls GPUs).
set -u
die() { echo "node $NODE_NAME: $*" >&2; exit 1; }

mount_disks() {
  mount --make-rprivate / || die "mounts cannot be made private"
  mount -t tmpfs -o mode=755 qc "$base/mnt" || die "no tmpfs"
  mkdir -p "$base/mnt/upper" "$base/mnt/work" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$base/mnt/upper,workdir=$base/mnt/work" qc-root "$root" || die "no overlay"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount --rbind /dev "$root/dev" && mount --make-rprivate "$root/dev"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
  mount -t tmpfs -o mode=755 run "$root/run"
  mount --bind "$base/tmp" "$root/tmp" # a disk of the node: it outlives a reboot
  mount --bind "$NODE_HOME" "$root/home"
}

mount_cgroups() { # version 1's freezer, seen from the node's own cgroup namespace
  local controller
  mount -t tmpfs -o mode=755 cgroup "$root/sys/fs/cgroup"
  for controller in freezer memory; do
    mkdir -p "$root/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" "$controller" "$root/sys/fs/cgroup/$controller" || die "no cgroup $controller"
  done
}

bind_folders() {
  local path
  for path in $NODE_SHOW; do
    mkdir -p "$root$path" && mount --bind "$path" "$root$path" && mount -o remount,bind,ro "$root$path"
  done
  mkdir -p "$root/var/spool/torque" && mount --bind "$NODE_SPOOL" "$root/var/spool/torque"
  for path in $NODE_OPEN; do chmod o+x "$root$path"; done
  for path in $NODE_HIDE; do rm -rf "${root:?}$path"; done
}

lay_etc() {
  local etc=$root/etc
  cp "$NODE_ETC/hosts" "$etc/hosts"
  echo "$NODE_NAME" >"$etc/hostname"
  : >"$etc/resolv.conf"
  rm -f "$etc/nologin"
  cp -p "$NODE_ETC/passwd" "$NODE_ETC/group" "$NODE_ETC/shadow" "$etc/"
  rm -rf "$etc"/ssh/ssh_host_* "$etc/ssh/sshd_config.d" "$etc/ssh/ssh_config.d"
  install -m 600 "$NODE_ETC/ssh_host_ed25519_key" "$etc/ssh/"
  cp "$NODE_ETC/ssh_host_ed25519_key.pub" "$NODE_ETC/ssh_known_hosts" "$NODE_ETC/sshd_config" "$etc/ssh/"
  mkdir -p "$etc/munge" "$etc/slurm"
  install -o munge -g munge -m 400 "$NODE_ETC/munge.key" "$etc/munge/munge.key"
  sed "s/@TRACK@/$NODE_TRACK/" "$NODE_ETC/slurm.conf" >"$etc/slurm/slurm.conf"
  cp "$NODE_ETC/cgroup.conf" "$NODE_ETC/gres.conf" "$NODE_ETC/plugstack.conf" "$etc/slurm/"
}

lay_var() {
  mkdir -p "$root/run/lock" "$root/run/munge" "$root/run/slurm" "$root/run/sshd" "$root/run/user"
  chmod 1777 "$root/run/lock"
  mkdir -p "$root/var/log/munge" "$root/var/lib/munge" "$root/var/log/slurm" "$root/var/lib/slurm"
  mkdir -p "$root/var/lib/slurm/slurmctld" "$root/var/lib/slurm/slurmd"
  rm -rf "$root"/var/lib/slurm/slurmctld/* "$root"/var/lib/slurm/slurmd/*
  local number
  for ((number = 0; number < NODE_GPUS; number++)); do # Slurm counts devices; these are as empty as /dev/null
    mknod "$root/run/gpu$number" c 1 3 || die "no devices can be made"
  done
  chown munge:munge "$root/run/munge" "$root/var/log/munge" "$root/var/lib/munge"
  chown slurm:slurm "$root/run/slurm" "$root/var/log/slurm" "$root/var/lib/slurm/slurmctld"
  for place in .X11-unix .ICE-unix; do # what systemd-tmpfiles does at boot
    [[ -d $root/tmp/$place ]] || mkdir -m 1777 "$root/tmp/$place"
  done
}

start_daemons() {
  setpriv --reuid munge --regid munge --clear-groups /usr/sbin/munged || die "munged did not start"
  /usr/sbin/sshd -f /etc/ssh/sshd_config || die "sshd did not start"
  if [[ $NODE_ROLE == login ]]; then /usr/sbin/slurmctld; else /usr/sbin/slurmd; fi || die "Slurm did not start"
}

base=$NODE_BASE root=$NODE_BASE/mnt/root
mount_disks
[[ $NODE_TRACK == cgroup ]] && mount_cgroups
bind_folders
lay_etc
lay_var
mkdir -p "$root/.old"
cd "$root" || die "no root"
pivot_root . .old || die "no pivot_root"
cd /
umount -l /.old && rmdir /.old
hostname "$NODE_NAME"
ip link set lo up
: >/run/node.mounted
until [[ -e /run/node.go ]]; do sleep 0.02; done
start_daemons
: >/run/node.ready
trap : TERM INT HUP
while :; do
  sleep 3600 &
  wait $!
done
