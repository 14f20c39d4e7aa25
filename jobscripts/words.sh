# shellcheck shell=bash
# Words: what the session writes for people and for the server.

qc_log() { printf '%(%Y-%m-%dT%H:%M:%S%z)T %s\n' -1 "$*"; }

# The time in qc_time, epoch seconds; EPOCHREALTIME (bash 5) writes the locale's decimal point.
qc_now() {
  if [[ ${EPOCHREALTIME-} ]]; then qc_time=${EPOCHREALTIME/,/.}; else printf -v qc_time '%(%s)T' -1; fi
}

# A JSON string of the text in qc_text. Bytes above 127 are UTF-8 already, the renderer saw to it.
qc_json() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  qc_text="\"${text//[[:cntrl:]]/ }\""
}

# File name, one line of JSON: written beside and renamed, the line's SHA-256 as the second line. Where there is a reserve,
# it goes into the blocks of that, which are there also when the disk is full.
qc_publish() {
  local sum beside="$qc_s/.$1.$$"
  sum=$(printf '%s' "$2" | sha256sum) || return 1
  [[ -e $qc_s/.$1.reserve ]] && mv -f "$qc_s/.$1.reserve" "$beside"
  printf '%s\n%s\n' "$2" "${sum%% *}" 1<>"$beside" && mv -f "$beside" "$qc_s/$1"
}

# Whether `run` still holds our id: after a requeue the folder belongs to the next generation.
qc_ours() {
  local run=
  { read -r run <"$qc_s/run"; } 2>/dev/null
  [[ $run == "$qc_run" ]]
}

# connection.json, the word that the display is open; everything in it was checked before.
qc_publish_connection() {
  local port=null socket=null terminal=null display xpra node job protocol=''
  [[ $qc_kind == vnc ]] && protocol='"protocol": "rfb", '
  [[ $qc_kind == terminal ]] && qc_json "$qc_rt/tmux" && terminal=$qc_text
  if [[ -z $qc_d ]]; then qc_fingerprint=''; elif [[ $qc_bind == socket ]]; then
    qc_json "$qc_rt/x.sock" && socket=$qc_text
  else
    port=$qc_port
  fi
  qc_json "${qc_d:+:}$qc_d" && display=$qc_text
  qc_json "$qc_xpra_version" && xpra=$qc_text
  qc_json "$qc_node" && node=$qc_text
  qc_json "$qc_job" && job=$qc_text
  qc_now
  qc_publish connection.json "{\"version\": 1, \"run\": \"$qc_run\", \"job\": $job, \"node\": $node, \
\"port\": $port, \"socket\": $socket, \"terminal\": $terminal, \"display\": $display, $protocol\"xpra\": $xpra, \
\"fingerprint\": \"$qc_fingerprint\", \"time\": $qc_time}"
}

# Reason, message, exit status or nothing: ended.json, unless the folder belongs to a later run by now.
qc_publish_end() {
  local message node job
  qc_ours || return 0
  qc_json "$2" && message=$qc_text
  qc_json "$qc_node" && node=$qc_text
  qc_json "$qc_job" && job=$qc_text
  qc_now
  qc_publish ended.json "{\"version\": 1, \"run\": \"$qc_run\", \"job\": $job, \"node\": $node, \
\"reason\": \"$1\", \"message\": $message, \"exit_status\": ${3:-null}, \"time\": $qc_time}"
  rm -f "$qc_s/connection.json" "$qc_s"/{server,client}.{key,pem}
}

# session.json of a script that was submitted by hand: the record that the server would have written.
qc_publish_record() {
  local key job
  [[ -e $qc_s/session.json ]] && return
  qc_json "${qc_s##*/}" && key=$qc_text
  qc_json "$qc_job" && job=$qc_text
  qc_now
  qc_publish session.json "{\"key\": $key, \"job_id\": $job, \"created\": $qc_time, \"submitted\": $qc_time, $qc_record"
}
