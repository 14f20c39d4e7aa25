# shellcheck shell=bash
# The port: in which families of addresses the display listens on it, and whether whoever listens there is ours.

# Where to listen: in all families that this node has, or somebody else could in the one that is left. One socket takes
# both unless the system says otherwise; and the loopback addresses, at which the probes ask.
qc_find_families() {
  local file='' only=0
  qc_listen=(0.0.0.0) qc_loopback=(127.0.0.1)
  { read -r -d '' file </proc/net/if_inet6; } 2>/dev/null
  [[ $file ]] || return
  { read -r only </proc/sys/net/ipv6/bindv6only; } 2>/dev/null
  if [[ $only == 1 ]]; then qc_listen+=('[::]'); else qc_listen=('[::]'); fi
  [[ $file == *00000000000000000000000000000001* ]] && qc_loopback+=('[::1]')
}

# Whether anybody listens on qc_port; the inodes of the listening sockets in qc_inodes.
qc_port_taken() {
  local port line
  local -a lines=() lines6=()
  printf -v port '%04X' "$qc_port"
  qc_inodes=()
  mapfile -t lines </proc/net/tcp
  [[ -r /proc/net/tcp6 ]] && mapfile -t lines6 </proc/net/tcp6
  for line in "${lines[@]}" "${lines6[@]}"; do
    [[ $line == *":$port "*:0000\ 0A\ * ]] || continue
    # shellcheck disable=SC2086 # columns of a table
    set -- $line
    [[ $2 == *":$port" ]] && qc_inodes+=("${10}")
  done
  ((${#qc_inodes[@]}))
}

# Whether all listeners are xpra's own: a taken port does not make xpra end, it says "ready" and listens nowhere.
qc_listeners_are_ours() {
  local inode
  qc_find_sockets "$qc_door"
  for inode in "${qc_inodes[@]}"; do
    [[ $qc_sockets == *$'\n'"socket:[$inode]"$'\n'* ]] || return
  done
}

# What a process that we started has open, in qc_sockets, a line each: a socket is `socket:[inode]`.
qc_find_sockets() {
  local pid=''
  read -r pid <"$qc_rt/$1.pid"
  qc_sockets=$'\n'$(readlink "/proc/${pid%:*}/fd"/* 2>/dev/null)$'\n'
}
