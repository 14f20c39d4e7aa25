# shellcheck shell=bash
# The VNC desktop: TigerVNC's X server, which listens on a unix socket and nowhere else, and our door in front of it.

# X server, keys and door, proved to let in the right ones only.
qc_raise_vnc() {
  qc_find_vnc
  qc_find_tools
  qc_begin_x $((10#$qc_number % 2147483648))
  qc_begin_keys
  qc_settle_x
  qc_await_keys
  qc_start_server
  qc_probe
  qc_check_vnc
}

# What a node must have beside the rest; Red Hat calls the server Xvnc, as other makers do theirs.
qc_find_vnc() {
  local name
  for name in Xtigervnc Xvnc; do
    qc_find "$name" && qc_vnc=(env "${qc_world[@]}" "$qc_found") && break
  done
  [[ ${#qc_vnc[@]} != 0 && $("${qc_vnc[@]}" -version 2>&1) == *TigerVNC* ]] || qc_finish vnc-missing "TigerVNC's server (Xtigervnc or \
Xvnc) is not installed on node $qc_node. Ask your administrator to install it there (tigervnc-standalone-server or \
tigervnc-server), or choose a desktop that does not need it." '' 127
  qc_find python3 || qc_finish tool-missing "python3, the door to a VNC desktop, \
is not installed on node $qc_node. Ask your administrator to install it there." '' 127
  qc_python=(env "${qc_world[@]}" "$qc_found")
}

# The X server, on display qc_d. No security type of VNC's own: the socket is private, and the door asks for the keys.
# The black list would shut the door itself out, which is everybody's address.
qc_launch_vnc() {
  local geometry=$qc_geometry size=''
  { read -r size <"$qc_s/screen"; } 2>/dev/null
  [[ $size =~ ^[1-9][0-9]{1,3}x[1-9][0-9]{1,3}$ ]] && geometry=$size
  rm -f "$qc_rt/rfb.sock"
  qc_launch vnc "${qc_vnc[@]}" ":$qc_d" -displayfd 9 -auth "$qc_rt/Xauthority" -nolisten tcp -noreset \
    -geometry "$geometry" -depth 24 -dpi 96 -desktop "$qc_job" -rfbport -1 -rfbunixpath "$qc_rt/rfb.sock" \
    -rfbunixmode 0600 -SecurityTypes None -AlwaysShared -AcceptSetDesktopSize -SendPrimary=0 -MaxCutText 1048576 \
    -BlacklistThreshold 1000000000 9>&5
}

qc_launch_door() {
  local -a where=(tls "$qc_port" "$qc_s" "${qc_listen[@]}")
  [[ $qc_bind == socket ]] && where=(socket "$qc_rt/x.sock")
  qc_door_program >"$qc_rt/door.py"
  qc_websocket_program >"$qc_rt/websocket.py"
  qc_keymap_program >"$qc_rt/keymap.py"
  qc_launch door env DISPLAY=":$qc_d" XAUTHORITY="$qc_rt/Xauthority" "${qc_python[@]}" -IS "$qc_rt/door.py" "$qc_rt/rfb.sock" "${where[@]}"
}

qc_door_failed() {
  qc_finish not-ready "The door to the desktop could not be opened on node $qc_node by ${qc_python[${#qc_python[@]} - 1]}, which must be \
version 3.6 or newer. See the session's log, and tell your administrator."
}

# Ends the session unless the VNC server listens on its private socket and nowhere else: there are releases of TigerVNC
# that opened a port in spite of -rfbport -1. What cannot be read counts as open.
qc_check_vnc() {
  local modes file line found=''
  local -a lines
  qc_find_sockets vnc
  [[ $qc_sockets == *socket:* ]] || found='its sockets cannot be seen'
  for file in tcp tcp6 udp udp6; do
    [[ $file == *6 && ! -e /proc/net/$file ]] && continue
    mapfile -t lines <"/proc/net/$file"
    ((${#lines[@]})) || found="/proc/net/$file cannot be read"
    for line in "${lines[@]:1}"; do
      # shellcheck disable=SC2086 # columns of a table
      set -- $line
      [[ $4 == 0[A7] && $qc_sockets == *$'\n'"socket:[${10}]"$'\n'* ]] && found="$file port $((16#${2##*:}))"
    done
  done 2>/dev/null
  modes=$(stat -c %a "$qc_rt" "$qc_rt/rfb.sock" 2>/dev/null)
  [[ $modes == $'700\n600' ]] || found="modes ${modes//$'\n'/, }"
  qc_log "VNC server on $qc_rt/rfb.sock: ${found:-no port}"
  [[ $found ]] || return 0
  qc_finish open-without-certificate "The VNC server on node $qc_node could be reached past its private socket \
($found), so it was ended. Tell your administrator: ${qc_vnc[${#qc_vnc[@]} - 1]} there opens more than it is told to."
}
