# shellcheck shell=bash
# Processes: starting them so that their end is heard, and finding every one of them again.

# Process id: its qc_ppid and qc_start (clock ticks); fails when it is gone or a zombie.
# A zombie whose other threads run on counts as alive. The name in the second field may hold anything.
qc_stat() {
  local line=
  { IFS= read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null
  [[ $line ]] || return 1
  # shellcheck disable=SC2086 # the fields behind the name are words and numbers
  set -- ${line##*) }
  qc_ppid=$2 qc_start=${20}
  [[ $1 != [ZX] || ${18} -gt 1 ]]
}

# Whether `pid:start time` names a process that still lives.
qc_alive() { [[ $1 == *:* ]] && qc_stat "${1%:*}" && [[ $qc_start == "${1#*:}" ]]; }

# All living descendants of the given processes in qc_tree. As a subreaper this shell is an ancestor of everything
# that was ever started below it, whatever forked twice, called setsid or emptied its environment. The kernel's lists of
# children are quick, but may skip one while another ends, and old kernels have none: "nobody" is believed only after a
# look at all processes of the node (proc(5), /proc/pid/task/tid/children).
qc_find_tree() {
  local file pid queue=("$@")
  local -a children
  qc_tree=()
  while ((${#queue[@]})); do
    for file in "/proc/${queue[0]}/task"/*/children; do
      children=()
      { read -r -a children <"$file"; } 2>/dev/null
      queue+=("${children[@]}")
      for pid in "${children[@]}"; do qc_stat "$pid" && qc_tree+=("$pid"); done
    done
    queue=("${queue[@]:1}")
  done
  ((${#qc_tree[@]})) || qc_search_tree "$@"
}

qc_search_tree() {
  local stat pid grew=1
  local -A parent=() inside=()
  qc_tree=()
  for pid; do inside[$pid]=1; done
  for stat in /proc/[0-9]*/stat; do
    pid=${stat#/proc/} pid=${pid%/stat}
    qc_stat "$pid" && parent[$pid]=$qc_ppid
  done
  for pid in "${!parent[@]}"; do # whose parent ended before it was looked at has another one since
    [[ ${parent[${parent[$pid]}]-} ]] || { qc_stat "$pid" && parent[$pid]=$qc_ppid; }
  done
  while ((grew)); do
    grew=0
    for pid in "${!parent[@]}"; do
      [[ ${inside[$pid]-} || ! ${inside[${parent[$pid]}]-} ]] && continue
      inside[$pid]=1 grew=1
      qc_tree+=("$pid")
    done
  done
}

# Seconds: a nap without a process of its own.
qc_nap() { read -r -t "$1" _ <&4; }

# Name, PATH: the path of a program in qc_found. As `type -P`, whose answer would take a process.
qc_search() {
  local PATH=$2
  hash "$1" 2>/dev/null && qc_found=${BASH_CMDS[$1]}
}

# Name, command …: my child in a session of its own, its output in `name.log`, its pid:start in the runtime folder;
# its end is the event `name status`. Job control (set -m) keeps SIGINT alive in it; setsid keeps it from hitting us
# when it signals its own group. The outer shell stays deaf to TERM, so that the status is told in any case.
qc_launch() {
  local name=$1
  shift
  exec 3> >(qc_keep_log "$qc_s/$name.log")
  (
    (
      trap - TERM HUP INT QUIT USR1 USR2
      qc_stat "$BASHPID" && printf '%s\n' "$BASHPID:$qc_start" >"$qc_rt/$name.pid"
      exec "$qc_setsid" "$@" 5>&-
    )
    printf '%s %s\n' "$name" "$?" >&5
  ) </dev/null >&3 2>&3 3>&- 4>&- 6>&- 7>&- &
  exec 3>&-
}

# File: keeps what comes, as it comes, in the file and, once that holds 2 MiB, the part before in `file.1`. The size
# is the kernel's own limit on cat; what is read after a failure (full disk) is dropped, so that the writer lives.
qc_keep_log() {
  local PATH=$qc_path
  trap '' TERM HUP INT QUIT XFSZ
  exec 3>&- 4>&- 5>&- 6>&- 7>&- 9>&- 2>/dev/null
  until (ulimit -c 0 -f 2048 && exec cat >"$1"); do
    [[ $(stat -c %s "$1") == 2097152 ]] || break
    mv -f "$1" "$1.1" || break
  done
  exec cat >/dev/null
}

# Hundredths of a second, or nothing for as long as it takes: the next event in qc_what and qc_rc. A `read` that times
# out just when a line comes loses a character of it (bash 5.2: one line of a thousand), so only naps are timed, and a
# line is read when it is there; it is written at once, so it is there as a whole.
qc_take() {
  local line nap=0
  qc_what=
  while [[ ${1-} ]] && ! read -r -t 0 <&5; do
    ((nap++ < $1)) || return 1
    qc_nap 0.01
  done
  IFS= read -r -t 100000000 line <&5 || return 1 # TMOUT would be a time-out, too
  qc_what=${line%% *} qc_rc=${line#*"$qc_what"}
  qc_rc=${qc_rc# }
}

# Hundredths of a second, or nothing: the next event; what ends the session in any phase is dealt with here.
qc_next() {
  qc_take "$@" || return 1
  case $qc_what in
    app) if ((qc_program_ready)); then qc_ended app "$qc_rc"; else qc_ended setup "$qc_rc"; fi ;;
    gone | missing | setup) qc_ended "$qc_what" "$qc_rc" ;;
    ready) qc_program_ready=1 ;;
  esac
}

# TERM to all that is ours, half a second, then KILL until nobody is left.
qc_end_all() {
  local round limit=10
  qc_find_tree $$
  ((${#qc_tree[@]})) && kill -TERM "${qc_tree[@]}" && kill -CONT "${qc_tree[@]}"
  for ((round = 0; round < limit + 100; round++)); do
    qc_find_tree $$
    ((${#qc_tree[@]})) || return 0
    ((round < limit)) || kill -KILL "${qc_tree[@]}"
    qc_nap 0.05
  done
  qc_log "could not end the processes ${qc_tree[*]}"
} 2>/dev/null
