# shellcheck shell=bash
# Terminal sessions: a tmux of the session's own, and beside it a companion display on the same rules as any other.
# The terminal is what counts: it also opens where no display can be had, and outlives one that ends.

# The tmux of this session and no other: its socket is in the runtime folder.
qc_tmux() { PATH=$PATH${qc_user_path:+:$qc_user_path} tmux -S "$qc_rt/tmux" "$@"; }

# The program's shell: starts tmux, with the session named by the job's number, and stays until its last session is
# over. A user's own ~/.tmux.conf counts, but for what would end a session that nobody is attached to, or lend it the
# display of whoever attaches. `env` makes two words of any command, which tmux then runs without a shell.
qc_become_terminal() {
  export QCONNECT=tmux
  ((${#qc_client[@]})) && qc_offer_client
  qc_tmux new-session -d -s "$qc_number" env "${qc_command[@]}" \; \
    set-option -g destroy-unattached off \; set-option -s exit-unattached off \; \
    set-option -g update-environment 'KRB5CCNAME SSH_ASKPASS SSH_AUTH_SOCK SSH_AGENT_PID SSH_CONNECTION' || exit
  qc_tmux set-option -s exit-empty on 2>/dev/null # before tmux 2.7 it was always so
  while qc_tmux list-sessions; do
    qc_tmux wait-for "qc-$qc_run" || sleep 1 # comes back when the server ends, without asking over and over
  done >/dev/null 2>&1
  exit 0
} 3>&- 5>&-

# `qconnect` in every shell of the session, wherever the server has it: in PATH, and for bash as a function, because
# the files that a login shell reads may set PATH anew.
qc_offer_client() {
  local command
  printf -v command '%q ' "${qc_client[@]}"
  (umask 077 && mkdir "$qc_rt/bin" && printf '#!/bin/bash\nexec %s"$@"\n' "$command" >"$qc_rt/bin/qconnect") || return
  chmod 700 "$qc_rt/bin/qconnect"
  PATH=$PATH:$qc_rt/bin
  eval "qconnect() { $qc_rt/bin/qconnect \"\$@\"; }"
  export -f qconnect
}

# The supervisor's whole life with a terminal.
qc_serve_terminal() {
  qc_raise_companion
  qc_await_program
  qc_publish_open
  printf '%s\n' "$qc_d" >&4
  printf -v qc_started '%(%s)T' -1
  qc_log "open: a terminal, display ${qc_d:+:}${qc_d:-none}, port ${qc_port:-none}"
  qc_sweep
  while :; do
    qc_next
    case $qc_what in
      xvfb | xpra) qc_lose_companion ;;
      display) qc_add_companion ;; # `qconnect`, run inside the session
    esac
  done
}

# Opens the companion display; without one qc_d is empty.
qc_raise_companion() {
  if (qc_try_display); then
    # shellcheck disable=SC1091 # written by qc_try_display
    . "$qc_rt/opened"
  else
    qc_end_companion
  fi
}

# In a shell of its own (whose children the supervisor inherits), because in it a display that fails ends only itself,
# and what ends the session is handed back to the supervisor.
# shellcheck disable=SC2317 # called by what it calls
qc_try_display() {
  set -m
  qc_finish() {
    qc_log "no display beside the terminal: $1: $2"
    exit 1
  }
  qc_ended() {
    [[ $1 == @(xvfb|xpra) ]] || printf '%s %s\n' "$1" "$2" >&5
    exit 1
  }
  qc_raise_display
  printf 'qc_d=%q qc_port=%q qc_xpra_version=%q qc_fingerprint=%q qc_program_ready=%q\n' "$qc_d" "$qc_port" \
    "$qc_xpra_version" "$qc_fingerprint" "$qc_program_ready" >"$qc_rt/opened"
}

# What is left of a display goes; its number is free again. Late words of its processes are not taken for the next one's.
qc_end_companion() {
  local name pid round kept=()
  for name in xpra xvfb; do
    { read -r pid <"$qc_rt/$name.pid"; } 2>/dev/null || continue
    for ((round = 0; round < 40; round++)); do
      qc_alive "$pid" || break
      kill -KILL "${pid%:*}" 2>/dev/null
      qc_nap 0.05
    done
    rm -f "$qc_rt/$name.pid"
  done
  while qc_take 30; do
    case $qc_what in
      xvfb | xpra) ;;
      ready) qc_program_ready=1 ;;
      *) kept+=("$qc_what $qc_rc") ;;
    esac
  done
  ((${#kept[@]})) && printf '%s\n' "${kept[@]}" >&5
  { read -r qc_d <"$qc_rt/display"; } 2>/dev/null
  qc_clear_display "$qc_d"
  rm -f "$qc_rt/x.sock"
  qc_d='' qc_port='' qc_xpra_ended=''
}

qc_lose_companion() {
  [[ $qc_d ]] || return
  qc_log "the display beside the terminal ended ($qc_what, exit status $qc_rc); the terminal goes on"
  qc_end_companion
  qc_publish_connection
}

# A display for a terminal that has none: the session's own keys, kept or made, are those of the run.
qc_add_companion() {
  [[ $qc_d ]] && return
  qc_raise_companion
  qc_publish_connection
  [[ $qc_d ]] || return
  qc_tmux set-environment -g DISPLAY ":$qc_d" \; set-environment -g XAUTHORITY "$qc_rt/Xauthority"
  qc_log "open: display :$qc_d beside the terminal, port ${qc_port:-none}"
}
