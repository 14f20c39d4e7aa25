# shellcheck shell=bash
# The session: top shell -> supervisor -> X server, xpra (or the door) and program. The batch system kills the top shell; the
# supervisor, in a session of its own, hears of it at once and takes everything down. Each is the next stage of this
# same script, the stage being its first argument.

# A command …, run with PR_SET_CHILD_SUBREAPER (36), so that whatever is orphaned below it becomes its child, and
# with SIGINT and SIGQUIT as they should be: a shell starts its background commands with both ignored.
qc_as_subreaper() {
  local number
  case ${HOSTTYPE-} in
    x86_64) number=157 ;;
    aarch64 | riscv64) number=167 ;;
    powerpc64le | ppc64le) number=171 ;;
    s390x) number=172 ;;
  esac
  if [[ $number && -x /usr/bin/perl && ! ${PERL5OPT-} ]]; then
    exec /usr/bin/perl -e '@SIG{qw(INT QUIT)} = ("DEFAULT") x 2; syscall(shift() + 0, 36, 1);
      exec { $ARGV[0] } @ARGV' "$number" "$@"
  elif [[ -x /usr/bin/python3 ]]; then
    exec /usr/bin/python3 -IS -c 'import ctypes, os, signal, sys
for name in (signal.SIGINT, signal.SIGQUIT): signal.signal(name, signal.SIG_DFL)
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])' "$@"
  fi
  exec "$@" # degraded: the supervisor says so in the log
}

# Closes what the batch system's daemon left open (TORQUE's mom: two pipes), but for $1 and this script itself. No
# redirection around the loop: bash would keep the old descriptor on one of those that it closes.
qc_close_inherited() {
  local fd
  for fd in "/proc/$$/fd"/*; do
    [[ $fd -ef $qc_script ]] && continue
    fd=${fd##*/}
    ((fd < 3 || fd == ${1:-0})) || eval "exec $fd>&-"
  done
}

# The job itself: opens the folders, starts the supervisor, ends with its status. Our death closes fd 8, the only
# writer of the life line. A supervisor that was killed leaves the runtime folder: then we are the last to clean up.
# Slurm with cgroups kills whatever a job has left as soon as this shell is dead: so SIGTERM only makes it let go of the
# life line, and it dies of it when all is cleaned up.
qc_top() {
  local status supervisor told=''
  qc_now
  qc_began=$qc_time qc_umask=$(umask)
  umask 077
  qc_close_inherited
  qc_read_job
  PATH=$qc_path qc_open_folder
  PATH=$qc_path qc_begin_run
  PATH=$qc_path qc_make_runtime || qc_refuse "The runtime folder could not be made on node $qc_node."
  exec 8<>"$qc_rt/life"
  exec 7<"$qc_rt/life"
  trap 'told=1; exec 8>&-' TERM
  (exec 8>&- && qc_as_subreaper "$qc_setsid" /bin/bash -p "$qc_script" supervisor "$qc_rt") </dev/null >/dev/null 2>&1 &
  supervisor=$!
  exec 7<&-
  until
    wait "$supervisor"
    status=$?
    ((status <= 128)) || ! kill -0 "$supervisor" 2>/dev/null
  do :; done
  [[ -d $qc_rt ]] && qc_after_supervisor
  { read -r qc_text <"$qc_s/ended.json" && printf 'qconnect: %s\n' "$qc_text"; } 2>/dev/null
  [[ -z $told ]] || { trap - TERM && kill -TERM $$; }
  exit "$status"
}

qc_after_supervisor() {
  exec 4<>"$qc_rt/go" >>"$qc_s/job.log" 2>&1
  qc_own_world
  { read -r qc_d <"$qc_rt/display"; } 2>/dev/null
  qc_finish xpra-died "The session's supervisor was killed on node $qc_node, so everything was ended. Start the \
session again."
}

# The parent of everything, deaf to what the batch system sends to all of a job: it ends when all is cleaned up.
qc_supervisor() {
  trap '' TERM HUP INT QUIT USR1 USR2
  umask 077
  qc_close_inherited 7
  set -m
  qc_read_who "$1"
  exec 4<>"$qc_rt/go" 5<>"$qc_rt/events" 6<"$qc_rt" >>"$qc_s/job.log" 2>&1
  (
    exec 4>&- 6>&-
    read -r -t 100000000 _ <&7
    printf 'gone 0\n' >&5
  ) &
  qc_watch=$!
  qc_stat $$ && printf '%s\n' "$$:$qc_start" >"$qc_rt/supervisor.pid"
  qc_launch app /bin/bash "$qc_script" program "$qc_rt"
  [[ $qc_node_setup ]] && qc_launch node /bin/bash "$qc_script" node "$qc_rt"
  qc_own_world
  flock -n 6 || qc_log 'the runtime folder could not be locked'
  cd "$HOME" || cd /
  qc_log "run $qc_run of job $qc_job on node $qc_node, runtime folder $qc_rt"
  [[ -x /usr/bin/perl || -x /usr/bin/python3 ]] || qc_log 'no perl or python3 here: programs that detach themselves may stay behind'
  [[ $qc_key ]] || qc_publish_record
  qc_await_node
  [[ $qc_kind == terminal ]] && qc_serve_terminal
  qc_open_display
  while :; do qc_await_end; done
}

# From nothing to a display that the server may show, with the program on it.
qc_open_display() {
  if [[ $qc_kind == vnc ]]; then qc_raise_vnc; else qc_raise_display; fi
  qc_await_program
  qc_publish_open
  printf '%s\n' "$qc_d" >&4
  printf -v qc_started '%(%s)T' -1
  qc_log "open: display :$qc_d, port ${qc_port:-none}"
  qc_sweep
}

qc_publish_open() {
  qc_publish_connection && return
  qc_check_room qc_finish
  qc_finish not-ready "The session folder $qc_s cannot be written on node $qc_node. Ask your administrator."
}

# X server, keys and xpra, proved to let in the right ones only.
qc_raise_display() {
  local version fit
  qc_find_xpra
  qc_find_xvfb
  qc_find_tools
  qc_begin_x $((10#$qc_number % 2147483648))
  qc_ask_version & version=$!
  qc_begin_keys
  qc_settle_x
  qc_await_keys
  wait "$version"
  qc_read_version
  qc_start_server
  qc_fit_screen & fit=$!
  qc_probe
  wait "$fit"
  qc_correct_version
}

# The keys of a session that has a port are made beside other work.
qc_begin_keys() {
  qc_keys=''
  [[ $qc_bind == socket ]] || { qc_make_keys & qc_keys=$!; }
}

qc_await_keys() {
  [[ -z $qc_keys ]] || { wait "$qc_keys" && qc_read_fingerprint; } || {
    qc_check_room qc_finish
    qc_log "openssl: $(<"$qc_rt/openssl.log")"
    qc_finish tool-missing "openssl could not make the session's keys on node $qc_node. See the session's log, and \
tell your administrator."
  }
}

# The program's preparation may take longer than xpra's start, not for ever.
qc_await_program() {
  local until=$((SECONDS + 300))
  until ((qc_program_ready)); do
    qc_next 100
    ((SECONDS < until)) || qc_finish setup-failed "The commands that prepare this program did not end within 300 s on \
node $qc_node. See the session's log, and ask your administrator."
  done
}

# What ends the session is acted upon in qc_next, but for the two of our own that may also end during the start.
qc_await_end() {
  qc_next
  [[ $qc_what == @(xvfb|xpra|vnc|door) ]] && qc_ended "$qc_what" "$qc_rc"
}

set +eu +o posix
case ${1-} in
  '') qc_as_subreaper /bin/bash -p "$qc_script" top ;;
  top) qc_top ;;
  supervisor) qc_supervisor "$2" ;;
  program) qc_program "$2" ;;
  node) qc_prepare_node "$2" ;;
esac
