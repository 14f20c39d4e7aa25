# shellcheck shell=bash
# The node: its tools, in the system's folders or brought by the site as modules, and a word on what is missing.

# The shell that runs the site's commands (node_setup) in the environment of the job; what they leave for the search
# and for what is found: three lines in RUNTIME/node. Commands that exit by themselves leave none.
qc_prepare_node() {
  qc_rt=$1
  qc_offer_modules
  trap 'exit $?' ERR
  eval "$qc_node_setup"
  trap - ERR
  printf '%s\n' "$PATH" "${LD_LIBRARY_PATH-}" "${PYTHONPATH-}" >"$qc_rt/node"
}

# Waits for that shell and takes over what it left.
qc_await_node() {
  local -a left=()
  local until=$((SECONDS + 120))
  [[ $qc_node_setup ]] || return 0
  qc_what=
  until [[ $qc_what == node ]]; do
    qc_next 100
    ((SECONDS < until)) || { qc_what=node qc_rc='none within 120 s' && break; }
  done
  { mapfile -t left <"$qc_rt/node"; } 2>/dev/null
  [[ $qc_rc == 0 && ${#left[@]} == 3 ]] || {
    qc_log "node_setup: $(tail -c 2000 "$qc_s/node.log")"
    qc_finish setup-failed "The site's own commands for its nodes (node_setup) failed on node $qc_node, exit status \
$qc_rc. See the session's log, and tell your administrator."
  }
  qc_user_path=${left[0]} qc_user_world=("LD_LIBRARY_PATH=${left[1]}" "PYTHONPATH=${left[2]}")
}

# A program in qc_found, and in qc_world the environment that it needs: where the site has commands for its nodes, what
# they left; else the system's folders go before the job's PATH, and only what is found there gets the job's libraries.
qc_find() {
  qc_world=("PATH=$qc_path:$qc_user_path")
  if [[ -z $qc_node_setup ]]; then qc_search "$1" "$qc_path" && return; fi
  qc_search "$1" "$qc_user_path:$qc_path" || {
    qc_log "$1 is neither in $qc_path nor in $qc_user_path"
    return 1
  }
  qc_world=("PATH=$qc_user_path:$qc_path" "${qc_user_world[@]}")
}

qc_find_xpra() {
  qc_find xpra || qc_finish xpra-missing "xpra is not installed on node $qc_node. Ask your administrator to install it \
there, or choose another queue." '' 127
  qc_xpra=$qc_found
  qc_choose_world
}

qc_find_xvfb() {
  qc_find Xvfb || qc_lacks Xvfb
  qc_xvfb=(env "${qc_world[@]}" "$qc_found")
}

# What else a node must have, of its system: conda's openssl would do other things.
qc_find_tools() {
  local tool
  for tool in openssl sha256sum flock timeout; do
    type -P "$tool" >/dev/null || qc_lacks "$tool"
  done
  qc_search curl "$qc_path" && qc_curl=$qc_found
}

qc_lacks() {
  qc_finish tool-missing "The program \`$1\`, which every session needs, was not found on node $qc_node. Ask your \
administrator to install it there." '' 127
}
