# shellcheck shell=bash
# The display: an X server of our own and xpra on it. The X server is not left to xpra, because xpra passes the X
# cookie in the arguments of xauth, where every user of the node can read it, and because 4.4 to 6.6 wait a whole
# second for an X server that they started themselves.

# The cookie as an Xauthority file: one entry for this host's display, one (family wild) for whatever a client asks.
qc_write_cookie() {
  local i one two hex bytes='' name='\x00\x12MIT-MAGIC-COOKIE-1\x00\x10' number host
  read -r one </proc/sys/kernel/random/uuid
  read -r two </proc/sys/kernel/random/uuid
  hex=${one//-/}${two//-/}
  hex=${hex:0:12}${hex:16:20} # the digits that a uuid has fixed are left out
  for ((i = 0; i < 32; i += 2)); do bytes+="\\x${hex:i:2}"; done
  printf -v number '\\x%02x\\x%02x%s' 0 "${#qc_d}" "$qc_d"
  printf -v host '\\x%02x\\x%02x%s' 0 "${#qc_node}" "$qc_node"
  printf '%b' "\\x01\\x00$host$number$name$bytes" "\\xff\\xff\\x00\\x00$number$name$bytes" >"$qc_rt/Xauthority"
}

# Starts the X server on this display; whether it can, it says itself. Its number is written down first: whoever cleans up
# after a server that was killed while it started must know it.
qc_begin_x() {
  qc_d=$1
  printf '%s\n' "$qc_d" >"$qc_rt/display"
  qc_write_cookie
  if [[ $qc_kind == vnc ]]; then qc_launch_vnc; else qc_launch_xvfb; fi
}

# Waits until X has a display: the job's number, or one at random, which no neighbour can foresee and take as well.
qc_settle_x() {
  local try
  for try in {1..20}; do
    qc_await_x && return
    qc_log "display :$qc_d cannot be used (try $try)"
    qc_begin_x $((1 + RANDOM * 32768 + RANDOM))
  done
  qc_check_room qc_finish
  qc_finish not-ready "No X server could be started on node $qc_node. See the session's log, and ask your administrator."
}

qc_launch_xvfb() {
  local glx=-extension
  ((qc_opengl)) && glx=+extension
  qc_launch xvfb "${qc_xvfb[@]}" ":$qc_d" -displayfd 9 -auth "$qc_rt/Xauthority" -nolisten tcp -noreset \
    "$glx" GLX +extension Composite +extension RANDR -screen 0 3840x2160x24+32 -dpi 96 9>&5
}

# Teaches X the size of the window that the user's page has reported so far: xpra 3.1 sleeps for half a second over each
# size that X does not know yet (x11_server_core.py, do_get_best_screen_size), just when the first picture is due.
qc_fit_screen() {
  local size='' w h
  { read -r size <"$qc_s/screen"; } 2>/dev/null
  [[ $size =~ ^([1-9][0-9]{1,3})x([1-9][0-9]{1,3})$ ]] && type -P xrandr >/dev/null || return 0
  w=${BASH_REMATCH[1]} h=${BASH_REMATCH[2]}
  ((w <= 3840 && h <= 2160)) || return 0
  export DISPLAY=":$qc_d" XAUTHORITY="$qc_rt/Xauthority"
  timeout 5 xrandr --newmode "$size" 60 "$w" "$w" "$w" "$w" "$h" "$h" "$h" "$h" && timeout 5 xrandr --addmode screen "$size"
} 2>/dev/null

# Whether the X server reports its display (a bare number) before it ends or 30 s pass.
qc_await_x() {
  local until=$((SECONDS + 30))
  while ((SECONDS < until)); do
    qc_next 100
    case $qc_what in
      "$qc_d") return 0 ;;
      xvfb | vnc) return 1 ;;
    esac
  done
  qc_finish not-ready "The X server did not start within 30 s on node $qc_node. The node may be overloaded: try again."
}

# The environment of every xpra that we run: no configuration but ours (a personal one may open another port), no file
# outside the runtime folder. Fake Xinerama is for programs that xpra itself starts; "no" would not switch it off (3.1.3).
qc_choose_world() {
  qc_xpra_world=(env "${qc_world[@]}" XPRA_SYSTEM_CONF_DIRS="$qc_rt/conf" XPRA_USER_CONF_DIRS="$qc_rt/conf" XPRA_UINPUT=0
    XDG_RUNTIME_DIR="$qc_rt/xpra" XDG_CONFIG_HOME="$qc_rt/conf" XDG_CACHE_HOME="$qc_rt/tmp"
    XDG_DATA_HOME="$qc_rt/tmp" TMPDIR="$qc_rt/tmp")
  printf 'fake-xinerama = \n' >"$qc_rt/conf/xpra.conf"
}

# The version of xpra as one line `FILE DEVICE INODE SIZE CHANGED|VERSION` in RUNTIME/version; to be run beside other
# work. Asking costs a start of Python (0.1 to 0.3 s), so the answer is kept for as long as the file is the same.
qc_ask_version() {
  local file line='' cache=$HOME/.cache/qconnect/xpra-version
  file=$(stat -L -c '%n %d %i %s %Z' "$qc_xpra")
  { read -r line <"$cache"; } 2>/dev/null
  if [[ $line != "$file|"* ]]; then
    line="$file|"
    [[ $("${qc_xpra_world[@]}" timeout 30 "$qc_xpra" --version 2>/dev/null) =~ xpra\ v([0-9]+\.[0-9.]+) ]] && line+=${BASH_REMATCH[1]}
    if qc_xpra_lacks_pil; then
      line+=$'\nlacks PIL' # not kept: it may be there the next time
    else
      mkdir -p "${cache%/*}" && printf '%s\n' "$line" >"$cache.$$" && mv -f "$cache.$$" "$cache"
    fi
  fi
  printf '%s\n' "$line" >"$qc_rt/version"
}

# Whether xpra's own Python has no PIL, which packages only recommend: 3.1.3 then starts, answers, and turns everybody
# away as soon as there is a window.
qc_xpra_lacks_pil() {
  local shebang=
  { read -r shebang <"$qc_xpra"; } 2>/dev/null
  [[ $shebang == '#!'*python* ]] || return 1
  # shellcheck disable=SC2086 # an interpreter, perhaps with an argument
  ! "${qc_xpra_world[@]}" timeout 30 ${shebang#'#!'} -c 'import PIL.Image' 2>/dev/null
}

# That version in qc_xpra_version and as major * 100 + minor in qc_xpra_number; one that cannot be read is taken as the
# newest known.
qc_read_version() {
  local line lacks=''
  { read -r line && read -r lacks; } <"$qc_rt/version"
  qc_xpra_version=unknown qc_xpra_number=9900
  if [[ ${line##*|} =~ ^(([0-9]+)\.([0-9]+)[0-9.]*)$ ]]; then
    qc_xpra_version=${BASH_REMATCH[1]}
    qc_xpra_number=$((10#${BASH_REMATCH[2]} * 100 + 10#${BASH_REMATCH[3]}))
  fi
  qc_log "xpra $qc_xpra_version ($qc_xpra)${lacks:+, $lacks}"
  [[ $lacks ]] && ((qc_xpra_number < 400)) && qc_finish tool-missing "xpra on node $qc_node lacks the Python library PIL, \
without which it shows no window. Ask your administrator to install it there (package python3-pil)."
}

# The version that the running xpra gives itself goes before the kept one: `xpra` may be a site's wrapper, which stays
# the same when the program behind it changes.
qc_correct_version() {
  qc_xpra_said 'xpra .* version ([0-9]+\.[0-9]+(\.[0-9]+)?)' || return 0
  [[ ${BASH_REMATCH[1]} == "$qc_xpra_version" ]] && return
  qc_log "xpra calls itself ${BASH_REMATCH[1]}"
  qc_xpra_version=${BASH_REMATCH[1]}
  rm -f "$HOME/.cache/qconnect/xpra-version"
}

# The options of this version that do not concern access, in qc_options: an unknown one is fatal to every version.
qc_choose_options() {
  local option name
  local -a wanted=(--daemon=no --use-display=yes --html=on --ssh-upgrade=no --rfb-upgrade=0 --mdns=no
    --start-new-commands=no --systemd-run=no --sharing=yes --dbus-launch= --dbus-control=no --pulseaudio=no
    --speaker=disabled --microphone=disabled --printing=no --webcam=no --open-files=no --notifications=no
    --system-tray=no --bell=no --forward-xdg-open=no --input-devices=xtest --opengl=noprobe)
  ((qc_xpra_number < 600)) && wanted+=(--dbus-proxy=no)
  ((qc_xpra_number >= 401)) && wanted+=(--splash=no)
  ((qc_xpra_number >= 403)) && wanted+=(--http-scripts=Status)
  ((qc_xpra_number >= 600)) && wanted+=(--video=no)
  ((qc_xpra_number >= 602)) && wanted+=(--dbus=no --gstreamer=no)
  qc_options=()
  for option in "${wanted[@]}"; do
    name=${option#--}
    [[ $qc_dropped == *" ${name%%=*} "* ]] || qc_options+=("$option")
  done
}

# The one way in, in qc_access; these options are never dropped. --bind-ssl, because --bind-tcp answers plain HTTP
# even with --ssl=on; narrowing SSL_CERT_FILE (qc_launch_xpra), because xpra trusts every system CA beside ours.
qc_choose_access() {
  local address
  qc_access=()
  if [[ $qc_bind == socket ]]; then
    qc_access=("--bind=$qc_rt/x.sock" --socket-permissions=600)
    return
  fi
  for address in "${qc_listen[@]}"; do qc_access+=("--bind-ssl=$address:$qc_port"); done
  qc_access+=(--bind=none --ssl=on "--ssl-cert=$qc_s/server.pem"
    "--ssl-key=$qc_s/server.key" "--ssl-ca-certs=$qc_s/client.pem" --ssl-client-verify-mode=required)
}

qc_launch_xpra() {
  local mode=start
  [[ $qc_kind == desktop ]] && mode=start-desktop
  qc_choose_options
  qc_choose_access
  qc_launch xpra "${qc_xpra_world[@]}" DISPLAY=":$qc_d" XAUTHORITY="$qc_rt/Xauthority" \
    SSL_CERT_FILE="$qc_s/client.pem" SSL_CERT_DIR=/nonexistent \
    "$qc_xpra" "$mode" ":$qc_d" "${qc_access[@]}" "${qc_options[@]}"
}

# Whether a line of xpra's (or the door's) log matches; it may hold any bytes (it quotes what strangers send).
qc_xpra_said() {
  local line
  while IFS= read -r line; do [[ $line =~ $1 ]] && return; done <"$qc_s/$qc_door.log"
  return 1
} 2>/dev/null

# Starts xpra (or the door) until it listens where we mean it to: another port when somebody has ours, an option less
# when this version does not know one.
qc_start_server() {
  local tries=0 offset=$((10#$qc_number % qc_port_range))
  qc_find_families
  while ((tries < 10)); do
    qc_port=$((qc_port_base + offset))
    if [[ $qc_bind == socket ]] || ! qc_port_taken; then
      if [[ $qc_kind == vnc ]]; then qc_launch_door; else qc_launch_xpra; fi
      qc_await_listener && return
      qc_drop_option && continue
      qc_stop_xpra
    fi
    qc_log "port $qc_port cannot be used"
    offset=$(((offset + 1 + (RANDOM * 32768 + RANDOM) % qc_port_range) % qc_port_range))
    tries=$((tries + 1))
  done
  qc_finish port-unavailable "No free port was found on node $qc_node in 10 tries between $qc_port_base and \
$((qc_port_base + qc_port_range - 1)). Start the session again."
}

# Waits until xpra listens; fails when it cannot (port lost, unknown option).
qc_await_listener() {
  local round
  for ((round = 1; round <= 4500; round++)); do
    qc_next 2
    [[ $qc_what == "$qc_door" ]] && { qc_xpra_ended=$qc_rc && return 1; }
    if [[ $qc_bind == socket ]]; then
      [[ -S $qc_rt/x.sock ]] && return 0
    elif qc_port_taken; then
      qc_listeners_are_ours || return 1
      ((${#qc_inodes[@]} == ${#qc_listen[@]})) && return 0
    fi
    ((round % 25)) || { qc_xpra_said 'Address already in use' && return 1; }
  done
  qc_finish not-ready "The display did not open within 90 s on node $qc_node. The node may be overloaded: try again, \
or see the session's log."
}

# Whether xpra ended over an option that it does not know, which is then left out of the next start.
qc_drop_option() {
  local option
  [[ $qc_xpra_ended ]] || return 1
  qc_nap 0.1 # its last words are on their way to the log
  qc_xpra_said 'Address already in use' && return 1
  [[ $qc_kind == vnc ]] && qc_door_failed
  if qc_xpra_said '(no such option|ambiguous option): --([a-z0-9-]+)'; then
    option=${BASH_REMATCH[2]}
    if [[ $option != bind* && $option != ssl* && $option != socket* && $qc_dropped != *" $option "* ]]; then
      qc_dropped+="$option " qc_xpra_ended=
      qc_log "xpra $qc_xpra_version does not know --$option: left out"
      return 0
    fi
  fi
  qc_finish not-ready "xpra $qc_xpra_version could not be started on node $qc_node. See the session's log, and tell \
your administrator."
}

# Ends an xpra that is of no use, and waits for its end.
qc_stop_xpra() {
  local pid round
  [[ $qc_xpra_ended ]] && qc_xpra_ended= && return
  read -r pid <"$qc_rt/$qc_door.pid"
  kill -KILL "${pid%:*}" 2>/dev/null
  for ((round = 0; round < 50; round++)); do
    qc_next 10
    [[ $qc_what == "$qc_door" ]] && return
  done
}
