#!/bin/bash
# Installs the Debian packages that the tests use (with `demo`: those that the demo uses), if any is missing.
set -euo pipefail
wanted=(xpra python3-pil xterm xvfb xauth x11-utils x11-xserver-utils procps iproute2 curl openssl perl tmux
  fonts-dejavu-core python3-venv r-base-core)
if [[ ${1-} != demo ]]; then
  wanted+=(chromium firefox-esr x11-xkb-utils libxkbcommon0 git python3-gi-cairo slurm-wlm munge openssh-server openssh-client util-linux
    tigervnc-standalone-server tigervnc-viewer tigervnc-common zsh
    nginx-light apache2 # the fronts; nginx is the benchmark's contestant, too
    gcc libc6-dev libssl-dev) # the benchmark's programs
fi
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
# The two systems of modules conflict, and change every login shell: they are not installed but fetched, for nodes of the
# test cluster (tests/cluster/test_module_systems.py).
modules=/var/cache/qconnect-modules unfetched=()
if [[ ${1-} != demo ]]; then
  for package in lmod environment-modules; do
    compgen -G "$modules/$package/${package}_*.deb" >/dev/null || unfetched+=("$package")
  done
fi
((${#missing[@]} + ${#unfetched[@]})) || exit 0
root=()
if ((EUID)); then root=(sudo); fi
echo "Installing ${missing[*]-}, fetching ${unfetched[*]-}"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
# What the packages would start (nginx, sshd, munge, Slurm) stays off: the tests start their own, in places of their own.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
  "${root[@]}" chmod 755 "$policy"
  trap '"${root[@]}" rm -f "$policy"' EXIT
fi
((!${#missing[@]})) || "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
for package in "${unfetched[@]}"; do
  "${root[@]}" mkdir -p "$modules/$package/partial"
  "${root[@]}" apt-get install -y -qq --no-install-recommends --download-only \
    -o Dir::Cache::archives="$modules/$package" "$package" >/dev/null
done
