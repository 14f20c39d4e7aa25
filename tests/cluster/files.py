"""The files below /etc that make the nodes one cluster: hosts, accounts, keys, sshd and Slurm settings."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

LOGIN = "qc-login"
COMPUTE = {"qc-node01": "linuxproc", "qc-node02": "cgroup"}
"""The compute nodes and how Slurm follows a job's processes on each: by parentage, or with the kernel's help."""
ADDRESSES = {LOGIN: "10.77.0.1", "qc-node01": "10.77.0.11", "qc-node02": "10.77.0.12"}
USERS = {"alice": 5001, "bob": 5002}
GPU_TYPE, GPUS = "tesla", 2
"""What each compute node has, for Slurm: so many devices at which nothing is (node.sh)."""

SSHD = """Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
Subsystem sftp internal-sftp
AcceptEnv LANG LC_*
MaxStartups 100:30:200
PidFile /run/sshd.pid
"""

SLURM = """ClusterName=qc
SlurmctldHost={login}
AuthType=auth/munge
SlurmUser=slurm
SlurmdUser=root
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/@TRACK@
DebugFlags=NO_CONF_HASH
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=2
PriorityType=priority/basic
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
SlurmdParameters=config_overrides
SlurmdTimeout=30
KillWait=5
MinJobAge={remember}
DefMemPerCPU=100
GroupUpdateTime=0
GresTypes=gpu
NodeName={nodes} CPUs=4 RealMemory=4000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=batch Nodes=ALL Default=YES MaxTime=24:00:00 DefaultTime=01:00:00 State=UP
PartitionName=interactive Nodes=ALL MaxTime=08:00:00 DefaultTime=00:30:00 State=UP
PartitionName=closed Nodes=ALL MaxTime=08:00:00 State=DOWN
"""


def write_etc(etc: Path, remember_s: int) -> None:
    """All of it, new; Slurm forgets a finished job after `remember_s` seconds."""
    etc.mkdir()
    (etc / "munge.key").write_bytes(secrets.token_bytes(1024))
    make_key(etc / "ssh_host_ed25519_key", "host")
    _write_hosts(etc)
    _write_accounts(etc)
    (etc / "sshd_config").write_text(SSHD)
    gpus = f"{GPU_TYPE}:{GPUS}"
    slurm = SLURM.format(login=LOGIN, nodes=",".join(COMPUTE), gpus=gpus, remember=remember_s)
    (etc / "slurm.conf").write_text(slurm)
    (etc / "gres.conf").write_text(f"AutoDetect=off\nName=gpu Type={GPU_TYPE} File=/run/gpu[0-{GPUS - 1}]\n")
    (etc / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupMountpoint=/sys/fs/cgroup\nCgroupAutomount=no\n")
    (etc / "plugstack.conf").write_text("")


def make_key(path: Path, comment: str) -> None:
    """An ed25519 key pair without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True)


def _write_hosts(etc: Path) -> None:
    names = {address: f"{name}.qc.test {name}" for name, address in ADDRESSES.items()}
    (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for a, n in names.items()))
    key = " ".join((etc / "ssh_host_ed25519_key.pub").read_text().split()[:2])
    known = [f"{name}.qc.test,{name},{address} {key}\n" for name, address in ADDRESSES.items()]
    (etc / "ssh_known_hosts").write_text("".join(known))


def _write_accounts(etc: Path) -> None:
    """The host's accounts with the cluster's users in place of any of the same name."""
    mine = {
        "passwd": [f"{name}:x:{uid}:{uid}:{name}:/home/{name}:/bin/bash" for name, uid in USERS.items()],
        "group": [f"{name}:x:{uid}:" for name, uid in USERS.items()],
        "shadow": [f"{name}:*:19000:0:99999:7:::" for name in USERS],
    }
    for name, lines in mine.items():
        theirs = Path("/etc", name).read_text(encoding="utf-8").splitlines()
        kept = [line for line in theirs if line.partition(":")[0] not in USERS]
        (etc / name).write_text("\n".join([*kept, *lines]) + "\n")
    (etc / "shadow").chmod(0o640)


def make_homes(homes: Path) -> None:
    """A home for each user, who may log in to any node from any other."""
    homes.mkdir()
    for name, uid in USERS.items():
        ssh = homes / name / ".ssh"
        ssh.mkdir(parents=True)
        for entry in Path("/etc/skel").iterdir():
            shutil.copy(entry, homes / name)
        make_key(ssh / "id_ed25519", name)
        shutil.copy(ssh / "id_ed25519.pub", ssh / "authorized_keys")
        for path in (homes / name, ssh):
            path.chmod(0o700)
        subprocess.run(["chown", "-R", f"{uid}:{uid}", str(homes / name)], check=True)
