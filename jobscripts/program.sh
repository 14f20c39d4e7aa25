# shellcheck shell=bash
# The program's own shell, in the user's environment as the job got it: exported functions (`module`) and BASH_ENV
# count here, and nowhere else. It prepares while xpra starts, says so, and becomes the program when told to.

qc_program() {
  local name
  qc_read_who "$1"
  exec 3<>"$qc_rt/go" 5<>"$qc_rt/events"
  cd "$HOME" || qc_tell setup 1
  umask "$qc_umask"
  [[ -z $qc_setup ]] || qc_offer_modules || : >"$qc_rt/no-module"
  ((${#qc_answers[@]})) && export "${qc_answers[@]}"
  trap 'qc_tell setup $?' ERR
  eval "$qc_setup"
  trap - ERR
  [[ $qc_kind == vnc && -f ~/.vnc/xstartup && -x ~/.vnc/xstartup ]] && qc_command=(~/.vnc/xstartup) qc_requires=()
  for name in "${qc_requires[@]}" "${qc_command[0]}"; do
    type -P -- "$name" >/dev/null && continue
    printf '%s\n' "$name" >"$qc_rt/missing"
    qc_tell missing 127
  done
  qc_become_program
}

# What the supervisor should know before the program's shell ends.
qc_tell() {
  printf '%s %s\n' "$1" "$2" >&5
  exit "$2"
}

# A job of Slurm, or of the local scheduler, comes without a login shell and so without `module`. Sites define it in a
# file of any name: what a login shell reads finds it. PATH stays as the job has it, and gains what was added.
qc_offer_modules() {
  local file path=$PATH
  for file in /etc/profile.d/{lmod,z00_lmod,modules}.sh /etc/profile; do
    type -t module >/dev/null && break
    # shellcheck disable=SC1090 # the site's own
    [[ -r $file ]] && . "$file"
  done
  [[ $PATH == "$path" ]] || PATH=$path:$PATH
  type -t module >/dev/null
}

# Waits for the display; the explicit time-out is there because TMOUT of a login shell would be one. Nothing of another
# desktop's session reaches the program: it would open its windows there.
qc_become_program() {
  local display called=gui
  local -a wrapper=()
  [[ $qc_kind == vnc ]] && called=vnc
  printf 'ready 0\n' >&5
  read -r -t 100000000 display <&3
  qc_choose_tmpdir
  export QCONNECT="$called" TMPDIR XDG_RUNTIME_DIR="$qc_rt/user"
  unset -v DISPLAY XAUTHORITY TMUX TMUX_PANE QCONNECT_SESSION WAYLAND_DISPLAY WAYLAND_SOCKET SESSION_MANAGER \
    DBUS_SESSION_BUS_ADDRESS XDG_SESSION_TYPE
  [[ $display ]] && export DISPLAY=":$display" XAUTHORITY="$qc_rt/Xauthority"
  qc_choose_locale
  [[ $display ]] && ((qc_hold_keys)) && qc_stop_repeat
  [[ $qc_kind == terminal ]] && qc_become_terminal
  [[ $qc_kind == @(desktop|vnc) ]] && qc_choose_bus
  exec "${wrapper[@]}" "${qc_command[@]}" 3>&- 5>&-
}

# Where nobody has chosen a locale, programs would take every letter beyond ASCII for rubbish.
qc_choose_locale() {
  local name known
  [[ ${LC_ALL-}${LC_CTYPE-}${LANG-} ]] && return
  known=$(locale -a 2>/dev/null)
  for name in C en_US; do
    [[ $'\n'$known$'\n' == *$'\n'"$name".@(utf8|UTF-8)$'\n'* ]] && export LANG=$name.UTF-8 && return
  done
}

# The browser says itself what is held, and repeats it: X's own repeat, on top of a slow line, would not end.
qc_stop_repeat() {
  type -P xset >/dev/null && timeout 5 xset r off
}

# Scratch that the batch system made for this job is larger than /tmp, and cleared by it. The folder that ours lies in
# is every job's: there the program gets its own.
qc_choose_tmpdir() {
  [[ ${TMPDIR-} == /* && -d $TMPDIR && -w $TMPDIR && -x $TMPDIR && ! $TMPDIR -ef ${qc_rt%/*} ]] || TMPDIR=$qc_rt/tmp
}

# The desktop's bus in `wrapper`: the system's, with the daemon beside it. Conda brings one that does not work outside
# of its own folders, and its PATH comes first.
qc_choose_bus() {
  local run
  run=$(PATH=$qc_path:$PATH type -P dbus-run-session) || return
  wrapper=("$run")
  [[ -x ${run%/*}/dbus-daemon ]] && wrapper+=("--dbus-daemon=${run%/*}/dbus-daemon")
  wrapper+=(--)
}
