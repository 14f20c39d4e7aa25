# shellcheck shell=bash
# Endings: what ended the session, in one word and one sentence; then nothing of it is left on the node.

# An event that ends the session. Several may come of one cause (TERM to all of the job, an X server that dies), so a
# bad one is given a moment for the cause itself to be told: the job's end, then the X server, xpra, the program.
qc_ended() {
  local what=$1 rc=$2
  [[ $qc_ending ]] && return
  if [[ $what != gone && $rc != 0 && $what != missing ]]; then
    while qc_take 30; do
      case $qc_what in
        gone) what=gone ;;
        missing) [[ $what == setup ]] && what=missing ;; # handed back by a display that was just being raised
        xvfb | xpra | vnc | door) [[ $what == gone ]] || what=$qc_what rc=$qc_rc ;;
      esac
    done
  fi
  case $what in
    gone) qc_ended_from_outside ;;
    app) qc_ended_by_program "$rc" ;;
    missing) qc_finish app-missing "The program \`$(<"$qc_rt/missing")\` was not found on node $qc_node. Ask your \
administrator to install it there, or choose another queue." '' 127 ;;
    setup) qc_ended_by_setup "$rc" ;;
    *) qc_finish xpra-died "The display server ($what) ended unexpectedly with exit status $rc on node $qc_node, and \
the program with it. Start the session again." ;;
  esac
}

# The program's preparation failed. 127 is what bash says of a command that it does not find.
qc_ended_by_setup() {
  local word='(^|[^A-Za-z0-9_])(module|ml)[[:space:]]'
  if [[ $1 == 127 && -e $qc_rt/no-module && $qc_setup =~ $word ]]; then
    qc_finish setup-failed "There is no \`module\` on node $qc_node, which the preparation of this program needs. Ask \
your administrator which file defines it, and let the app's setup read that file first."
  fi
  qc_finish setup-failed "The commands that prepare this program failed with exit status $1 on node $qc_node. See the \
session's log, and ask your administrator."
}

# The top shell is gone: by the scheduler at the walltime, else by whoever cancelled the job. The scheduler's clock
# began a little before ours (prologue, login shell).
qc_ended_from_outside() {
  local ran
  qc_now
  ran=$((${qc_time%.*} - ${qc_began%.*}))
  if ((ran >= qc_walltime - 5)); then
    qc_finish walltime "The walltime of the job ($(qc_duration "$qc_walltime")) was used up. Ask for a longer one next \
time." '' 143
  fi
  qc_finish cancelled "The job was cancelled after $(qc_duration "$ran")." '' 143
}

qc_ended_by_program() {
  local ran what="ended with exit status $1"
  qc_now
  ran=$((${qc_time%.*} - ${qc_began%.*}))
  (($1 == 0)) && qc_await_others
  [[ $qc_started ]] && ran=$((${qc_time%.*} - qc_started))
  if (($1 == 0)); then qc_finish app-exit 'The program ended.' 0 0; fi
  (($1 > 128)) && what="was ended by signal $(($1 - 128)) (exit status $1)"
  ((ran < 60)) && what=${what/ with/ after $ran s with}
  qc_finish app-exit "The program $what on node $qc_node." "$1" "$1"
}

# A program that forked before it went (many do) goes on as long as it shows a window, and after that for the app's
# grace, counted anew with each window and process that comes or goes: a launcher shows a splash, and the main window
# later. Comings and goings of processes alone, as of a daemon left behind, count for five minutes.
qc_await_others() {
  local shown now seen='' until=0 limit=$((SECONDS + 300))
  [[ $qc_kind == gui ]] && type -P xprop >/dev/null || return 0
  while qc_find_others; do
    shown=$(DISPLAY=":$qc_d" XAUTHORITY="$qc_rt/Xauthority" timeout 5 xprop -root _NET_CLIENT_LIST 2>/dev/null)
    now="$shown ${qc_others[*]}"
    [[ $shown == *0x* ]] && limit=$((SECONDS + 300)) seen=''
    [[ $now == "$seen" ]] || until=$((SECONDS + qc_grace))
    seen=$now
    ((SECONDS < until && SECONDS < limit)) || return 0
    qc_next 100
    [[ $qc_what == xvfb || $qc_what == xpra ]] && qc_ended "$qc_what" "$qc_rc"
  done
}

# What lives and descends from the program, in qc_others: its environment tells it from what is ours.
qc_find_others() {
  local -a files
  qc_find_tree $$
  files=("${qc_tree[@]/#//proc/}")
  mapfile -t qc_others < <(grep -lzx 'QCONNECT=gui' "${files[@]/%//environ}" 2>/dev/null)
  ((${#qc_others[@]}))
}

# Seconds as people say them.
qc_duration() {
  if (($1 < 120)); then printf '%d s' "$1"; elif (($1 < 7200)); then printf '%d min' $(($1 / 60)); else
    printf '%d h %d min' $(($1 / 3600)) $(($1 / 60 % 60))
  fi
}

# Reason, message, the program's exit status or nothing, our own (70 unless given): ends all, writes it down, exits.
# The program gets a moment with its display when it is asked to go; everything else goes at once.
qc_finish() {
  local -a all
  qc_ending=1
  qc_log "ending: $1: $2"
  qc_find_tree $$
  all=("${qc_tree[@]}")
  [[ $qc_watch ]] && kill -KILL "$qc_watch" 2>/dev/null
  [[ $1 == @(cancelled|walltime) ]] && qc_end_program
  qc_end_all
  [[ $qc_d ]] || { read -r qc_d <"$qc_rt/display"; } 2>/dev/null # a terminal's, that had just begun to start
  qc_clear_display "$qc_d"
  qc_clear_tmp "${all[@]}"
  qc_publish_end "$1" "$2" "${3-}"
  qc_remove_runtime "$qc_rt"
  exit "${4:-70}"
}

# Up to 2 s for the program to go by itself.
qc_end_program() {
  local app='' round
  { read -r app <"$qc_rt/app.pid"; } 2>/dev/null
  qc_alive "$app" || return
  qc_find_tree "${app%:*}"
  kill -TERM "${app%:*}" "${qc_tree[@]}"
  kill -CONT "${app%:*}" "${qc_tree[@]}"
  for ((round = 0; round < 40; round++)); do
    qc_alive "$app" || return
    qc_nap 0.05
  done
} 2>/dev/null
