# shellcheck shell=bash
# Probes: the display counts as open only when we get in with the keys, and nobody gets in without them.
# All of them wait for the same busy server, so they run at the same time. A refusal may look like anything
# (xpra answers plain HTTP on a TLS port with a page, status 400): only 200 and 101 mean that somebody was let in.

# Arguments for curl …: the HTTP status of /Status, 000 when there is none.
qc_ask_curl() {
  local code
  code=$(curl -q -sS --noproxy '*' -m 20 -o /dev/null -w '%{http_code}' "$@" 2>/dev/null)
  printf '%s\n' "${code:-000}"
}

# An address, and arguments for openssl s_client …: the same, where curl is missing. Its exit status says nothing.
qc_ask_openssl() {
  local code='' address=$1
  shift
  read -r _ code _ < <(
    printf 'GET /Status HTTP/1.0\r\nHost: qconnect-server\r\n\r\n' |
      timeout 20 openssl s_client -quiet -connect "$address:$qc_port" -servername qconnect-server "$@" 2>/dev/null
  )
  printf '%s\n' "${code:-000}"
}

# At an address with the run's keys, the server pinned to its own certificate.
qc_probe_with_keys() {
  local name=${1//[\[\]]/}
  if [[ $qc_curl ]]; then
    qc_ask_curl --resolve "qconnect-server:$qc_port:$name" --cacert "$qc_s/server.pem" \
      --cert "$qc_s/client.pem" --key "$qc_s/client.key" "https://qconnect-server:$qc_port/Status"
  else
    qc_ask_openssl "$1" -CAfile "$qc_s/server.pem" -verify_return_error -verify_hostname qconnect-server \
      -cert "$qc_s/client.pem" -key "$qc_s/client.key"
  fi
}

qc_probe_without_keys() {
  if [[ $qc_curl ]]; then qc_ask_curl -g -k "https://$1:$qc_port/Status"; else qc_ask_openssl "$1"; fi
}

# Plain HTTP by bash itself: curl would wait half a second for the end of the refusal.
qc_probe_plain() {
  local code='' name=${1//[\[\]]/}
  {
    exec 3<>"/dev/tcp/$name/$qc_port" && printf 'GET /Status HTTP/1.0\r\n\r\n' >&3 && read -r -t 20 _ code _ <&3
  } 2>/dev/null
  printf '%s\n' "${code:-000}"
}

qc_probe_socket() {
  local code
  if [[ $qc_curl ]]; then
    qc_ask_curl --unix-socket "$qc_rt/x.sock" http://localhost/Status
  else
    code=$(perl -MIO::Socket::UNIX -e 'alarm 20; my $s = IO::Socket::UNIX->new(Peer => shift) or exit;
      print $s "GET /Status HTTP/1.0\r\n\r\n"; print((split / /, <$s>)[1])' "$qc_rt/x.sock" 2>/dev/null)
    printf '%s\n' "${code:-000}"
  fi
}

# Ends the session unless exactly the right ones are let in. Fails closed: no answer, no display.
qc_probe() {
  local with=000 strangers='' code
  if [[ $qc_bind == socket ]]; then qc_probe_at_socket; else qc_probe_at_port; fi
  qc_log "probes: with our keys $with, without and plain${strangers:- none}"
  for code in $strangers; do
    [[ $code == @(200|101) ]] || continue
    qc_finish open-without-certificate "The display on node $qc_node could be opened without the session's key, so it \
was closed again. Tell your administrator: $qc_door $qc_xpra_version there ignores the certificates."
  done
  [[ $with == 200 ]] && return
  qc_finish not-ready "The display on node $qc_node does not answer (status $with). Start the session again, or see \
its log."
}

# At each loopback address of the node; the keys must open it at one, and nothing else at any.
qc_probe_at_port() {
  local address number
  local -a asked=()
  for address in "${qc_loopback[@]}"; do
    qc_probe_without_keys "$address" >"$qc_rt/probe${#asked[@]}" & asked+=($!)
    qc_probe_plain "$address" >"$qc_rt/probe${#asked[@]}" & asked+=($!)
  done
  for address in "${qc_loopback[@]}"; do
    with=$(qc_probe_with_keys "$address")
    [[ $with == 200 ]] && break
  done
  for number in "${!asked[@]}"; do
    wait "${asked[number]}"
    strangers+=" $(<"$qc_rt/probe$number")"
  done
}

# xpra makes its socket before it listens on it.
qc_probe_at_socket() {
  local round
  qc_probe_private
  for ((round = 0; round < 600; round++)); do
    with=$(qc_probe_socket)
    [[ $with == 000 ]] || break
    qc_next 5
    [[ $qc_what == "$qc_door" ]] && break
  done
}

# A unix socket has no keys: its mode is what keeps others out, and its folder's.
qc_probe_private() {
  local modes
  modes=$(stat -c %a "$qc_rt" "$qc_rt/x.sock" 2>/dev/null)
  [[ $modes == $'700\n600' ]] && return
  qc_finish open-without-certificate "The display's socket on node $qc_node could be opened by others (modes \
${modes//$'\n'/, }), so it was closed again. Tell your administrator."
}
