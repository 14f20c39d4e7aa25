# shellcheck shell=bash
# The two folders of a run: the session's, which the server reads, and the runtime folder on the node's own disk.

# The job's id, its number, and what is derived from the environment that the batch system gave.
qc_read_job() {
  local pattern='^[0-9]{1,10}(\[[0-9]*\])?(\.[A-Za-z0-9][A-Za-z0-9_.-]*)?$'
  qc_job=${PBS_JOBID:-${SLURM_JOB_ID:-$$.local}}
  [[ $qc_job =~ $pattern ]] || qc_refuse "The job id ${qc_job//[[:cntrl:]]/?} is not one that a scheduler gives."
  qc_number=${qc_job%%[!0-9]*}
  [[ ${PBS_WALLTIME-} =~ ^[1-9][0-9]{0,8}$ ]] && qc_walltime=$PBS_WALLTIME
  qc_search setsid "$qc_path" || qc_refuse "The program setsid (util-linux) is not installed on node $HOSTNAME."
  qc_setsid=$qc_found
  { read -r qc_node </proc/sys/kernel/hostname; } 2>/dev/null || qc_node=$HOSTNAME
}

# Before there is a session folder, the job's output is the only place for a word.
qc_refuse() {
  printf 'qconnect: %s\n' "$1" >&2
  exit 70
}

# Once there is one, the server hears of it, too: reason, message.
qc_refuse_run() {
  [[ $qc_key ]] || qc_publish_record
  qc_publish_end "$1" "$2"
  [[ -d $qc_rt ]] && qc_remove_runtime "$qc_rt"
  qc_refuse "$2"
}

# The session folder in qc_s. The key in the script counts only with the tag that the server submitted it with; any
# other start of it is one by hand, with a folder of its own, and never writes into somebody else's.
qc_open_folder() {
  local mode sessions=${qc_sessions:-$HOME/.local/share/qconnect/sessions}
  [[ $HOME == /* ]] || qc_refuse "HOME is not set on node $qc_node. Ask your administrator for a home folder there."
  if [[ $qc_key && ${QCONNECT_SESSION-} == "$qc_key" ]]; then
    qc_s=$sessions/$qc_key
    [[ -d $qc_s ]] || qc_refuse "The session folder $qc_s is not there on node $qc_node. \
It must be on a file system that the login node and the compute nodes share: ask your administrator."
  else
    qc_key='' qc_s=$sessions/job-${qc_job//[!A-Za-z0-9.]/_}
    mkdir -p "$sessions" "$qc_s" || qc_refuse "The session folder $qc_s could not be made on node $qc_node."
  fi
  mode=$(stat -c %a "$qc_s")
  [[ -O $qc_s && ! -L $qc_s && $mode == *00 ]] || qc_refuse "The session folder $qc_s (mode $mode) is not yours \
alone. Remove it, or make it private with chmod 700, and start again."
  [[ -w $qc_s ]] || qc_refuse "The session folder $qc_s cannot be written on node $qc_node."
}

# The first act of a run: the previous generation's files go, then our id says whose the folder is. The reserve is what
# the end is written into (qc_publish), should the disk be full by then: its lines are empty, which readers strip.
qc_begin_run() {
  local file old=() reserve=$'\n'
  while ((${#reserve} < 4096)); do reserve+=$reserve; done
  read -r qc_run </proc/sys/kernel/random/uuid
  for file in "$qc_s"/{connection,ended}.json "$qc_s"/{server,client}.{key,pem} "$qc_s"/.*.json.* "$qc_s"/*.log{,.1}; do
    [[ -e $file || -L $file ]] && old+=("$file")
  done
  [[ ${#old[@]} == 0 ]] || rm -f "${old[@]}"
  { printf '%s\n' "$qc_run" >"$qc_s/.run.$$" && mv -f "$qc_s/.run.$$" "$qc_s/run" &&
    printf '%s' "$reserve" >"$qc_s/.ended.json.reserve"; } || qc_refuse_run disk-full "The session folder $qc_s \
cannot be written on node $qc_node: the disk may be full. Make room there, and start the session again."
}

# Gives the word on a full disk to `$@` …, reason and message, if that is what is wrong: 256 KiB do not go into one of both
# folders; all that a session needs there is less. NFS may say so when a file is closed, which bash itself does not hear.
qc_check_room() {
  local home=room node=room
  {
    head -c 262144 /dev/zero >"$qc_s/.room" || home=''
    printf '%262144s' '' >"$qc_rt/.room" || node=''
    rm -f "$qc_s/.room" "$qc_rt/.room"
  } 2>/dev/null
  [[ $home ]] || "$@" disk-full "There is no room left for the session in $qc_s on node $qc_node: the disk or \
your quota is full. Remove what you no longer need, and start the session again."
  [[ $node ]] || "$@" disk-full "There is no room left in ${qc_rt%/*} on node $qc_node. Tell your administrator, \
and start the session again: another node may have room."
  return 0
}

# A private folder on the node's own disk; /tmp first, because the path of a unix socket has 107 bytes. `mkdir` fails
# where anything is already, so the folder is ours alone.
qc_make_runtime() {
  local base name
  for base in /tmp /var/tmp /dev/shm; do
    read -r name </proc/sys/kernel/random/uuid
    qc_rt=$base/qc-$UID.${name:0:8}
    mkdir "$qc_rt" "$qc_rt"/{ca,conf,xpra,user,tmp} 2>/dev/null && break
    rmdir "$qc_rt"/* "$qc_rt" 2>/dev/null
    qc_rt=
  done
  [[ $qc_rt ]] || qc_refuse_run disk-full "No private folder could be made in /tmp on node $qc_node: the disk may be \
full. Tell your administrator."
  qc_check_room qc_refuse_run
  qc_stat $$
  printf '%s\n' "$$:$qc_start" "$qc_job" "$qc_run" "$qc_s" "$qc_node" "$qc_number" "$qc_walltime" "$qc_umask" \
    "$qc_began" "$qc_key" "$qc_setsid" >"$qc_rt/who"
  mkfifo "$qc_rt/life" "$qc_rt/events" "$qc_rt/go"
}

# What the top shell found out, for the supervisor and the program's shell: $1 is the runtime folder.
qc_read_who() {
  local -a who
  qc_rt=$1
  mapfile -t who <"$qc_rt/who"
  qc_job=${who[1]} qc_run=${who[2]} qc_s=${who[3]} qc_node=${who[4]} qc_number=${who[5]}
  qc_walltime=${who[6]} qc_umask=${who[7]} qc_began=${who[8]} qc_key=${who[9]} qc_setsid=${who[10]}
}

# From here on nothing of the user's environment reaches our own commands: no preloaded library, no proxy, no
# PYTHONHOME, no TMOUT that ends a read. The program was given the whole of it before.
qc_own_world() {
  local name keep=" HOME USER LOGNAME "
  qc_user_path=$PATH qc_user_world=("LD_LIBRARY_PATH=${LD_LIBRARY_PATH-}" "PYTHONPATH=${PYTHONPATH-}")
  for name in $(compgen -e); do
    [[ $keep == *" $name "* ]] || unset -v "$name"
  done 2>/dev/null
  export PATH=$qc_path LC_ALL=C
  IFS=$' \t\n'
}

# What a dead X server left of a display: lock and socket, when they are ours and nobody listens there any more; one that
# was just killed may still be seen to for a moment. With -displayfd Xvfb 21.1 makes no lock; its abstract socket is what
# keeps two servers from one number.
qc_clear_display() {
  local lock=/tmp/.X$1-lock socket=/tmp/.X11-unix/X$1 owner='' round
  [[ $1 ]] || return 0
  # xpra and libdbus leave a file per display in the shared home (xpra 3.1.3, 5.1.6, 6.5.3)
  read -r owner </etc/machine-id
  cmp -s "$HOME/.:$1-fakexinerama" "$HOME/.fakexinerama" && rm -f "$HOME/.fakexinerama"
  rm -f "$HOME/.:$1-fakexinerama" "$HOME/.dbus/session-bus/${owner:-none}-$1"
  for round in {1..10}; do
    qc_listens "$socket" || break
    ((round < 10)) || return
    qc_nap 0.05
  done
  [[ -O $socket ]] && rm -f "$socket"
  [[ -f $lock && -O $lock && ! -L $lock ]] && read -r owner <"$lock" && ! qc_stat "$owner" && rm -f "$lock"
} 2>/dev/null

# Whether the kernel has a socket of that name, be it a file or abstract.
qc_listens() {
  local line
  local -a lines=()
  mapfile -t lines </proc/net/unix
  for line in "${lines[@]}"; do [[ $line == *[[:space:]@]"$1" ]] && return; done
  return 1
}

# What killed programs leave in /tmp, wherever TMPDIR points: the sockets of session managers, named by pid (libICE), and
# folders of pulseaudio that nothing was ever put in. The arguments are dead processes of ours.
qc_clear_tmp() {
  local pid folder
  for pid; do [[ -S /tmp/.ICE-unix/$pid && -O /tmp/.ICE-unix/$pid ]] && rm -f "/tmp/.ICE-unix/$pid"; done
  for folder in /tmp/pulse-*; do
    [[ -d $folder && ! -L $folder && -O $folder && $folder -nt $qc_rt/who ]] && rmdir "$folder"
  done
} 2>/dev/null

# A runtime folder with all that may be mounted in it (gvfs, document portal).
qc_remove_runtime() {
  local mount
  cd /
  for mount in "$1/user/gvfs" "$1/user/doc"; do [[ -e $mount ]] && fusermount -uz "$mount"; done 2>/dev/null
  rm -rf --one-file-system "$1"
}

# Removes what runs of ours left behind that were killed together with their supervisor: only when nobody holds the
# folder's lock and both its shells are dead. Their processes are known by pid and start time, and by the runtime
# folder in their arguments or environment: one that emptied its environment and left its parents is not found.
qc_sweep() {
  local dir
  for dir in {/tmp,/var/tmp,/dev/shm}/"qc-$UID".*; do
    [[ $dir != "$qc_rt" && -d $dir && ! -L $dir && -O $dir && -r $dir/who ]] || continue
    (exec 8<"$dir" && flock -n 8 && qc_sweep_one "$dir" 5>&- 6>&- 7>&-)
  done
}

# Up to a second until processes that were killed are gone.
qc_await_death() {
  local pid round
  for ((round = 0; round < 20; round++)); do
    for pid; do
      qc_stat "$pid" || continue
      qc_nap 0.05
      continue 2
    done
    return
  done
}

qc_sweep_one() {
  local file name pid pids=() owner display=
  read -r owner <"$1/who"
  qc_alive "$owner" && return
  for name in supervisor xvfb xpra vnc door node app; do
    owner=
    { read -r owner <"$1/$name.pid"; } 2>/dev/null
    qc_alive "$owner" || continue
    [[ $name == supervisor ]] && return
    pids+=("${owner%:*}")
  done
  while IFS=/ read -r _ _ pid _; do pids+=("$pid"); done < <(
    grep -lzxE "((XDG_RUNTIME_DIR|XAUTHORITY)=)?$1(/xpra|/user|/Xauthority)?" /proc/[0-9]*/{environ,cmdline} 2>/dev/null
  )
  qc_find_tree "${pids[@]}"
  kill -KILL "${pids[@]}" "${qc_tree[@]}" 2>/dev/null
  { read -r display <"$1/display"; } 2>/dev/null
  qc_await_death "${pids[@]}"
  qc_clear_display "$display"
  qc_clear_tmp "${pids[@]}" "${qc_tree[@]}"
  qc_remove_runtime "$1"
  qc_log "removed what was left of a dead run: $1, display :${display:-none}, ${#pids[@]} processes"
}
