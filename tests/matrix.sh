#!/bin/bash
# The versions that the package promises, each tried: for each cell an environment of its own in build/matrix, in which first
# what the cell names is installed, then the wheel of these sources, which must leave JupyterLab as it is. Then
# tests/e2e/test_versions.py looks at its front ends in a browser. Cells are those below, or those that are named; `--list`
# prints them. A Python is looked for on PATH, among pyenv's, and with uv, if it is there. The results: build/matrix/results.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

# Cell, Python, what a site has installed before us.
cells() {
  cat <<'CELLS'
oldest 3.10 jupyterlab==4.5.0 jupyter_server==2.20.0
python3.11 3.11 jupyterlab
python3.12 3.12 jupyterlab
newest 3.13 jupyterlab
notebook 3.12 notebook>=7.5
collaboration 3.12 jupyterlab jupyter-collaboration
rsession 3.12 jupyterlab jupyter-server-proxy jupyter-rsession-proxy
nbclassic 3.12 jupyterlab nbclassic
CELLS
}

# Version: prints a Python of it that runs.
python_of() {
  local found
  for found in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python "$(uv python find "$1" 2>/dev/null)"; do
    if "$found" -c "import sys, venv; assert '%d.%d' % sys.version_info[:2] == '$1'" 2>/dev/null; then
      command -v "$found"
      return
    fi
  done
  return 1
}

# Folder of an environment: its JupyterLab.
lab_of() { "$1/bin/python" -c 'import importlib.metadata as m; print("JupyterLab", m.version("jupyterlab"))'; }

# Cell, Python, packages …: prints one line of results.
try_cell() {
  local name=$1 place="build/matrix/$1" python before after
  python=$(python_of "$2") || { echo "$name: untried, there is no Python $2 here"; return 0; }
  rm -rf "$place"
  "$python" -m venv "$place" || return 1
  "$place/bin/pip" install --quiet "${@:3}" || { echo "$name: FAILED to install ${*:3}"; return 1; }
  before=$(lab_of "$place")
  "$place/bin/pip" install --quiet build/matrix/wheel/*.whl || { echo "$name: FAILED to install the wheel"; return 1; }
  after=$(lab_of "$place")
  [[ $before == "$after" ]] || { echo "$name: FAILED, $before became $after"; return 1; }
  if QCONNECT_CELL="$PWD/$place/bin/python" python -m pytest -q tests/e2e/test_versions.py >"$place.log" 2>&1; then
    echo "$name: passed, Python $2, $after"
  else
    echo "$name: FAILED, $place.log says how"
    return 1
  fi
}

if [[ ${1-} == --list ]]; then
  cells | cut -d' ' -f1
  exit
fi
mkdir -p build/matrix
rm -rf build/matrix/wheel
if ! python -m build --wheel --no-isolation --outdir build/matrix/wheel . >build/matrix/build.log 2>&1; then
  cat build/matrix/build.log
  exit 1
fi
: >build/matrix/results
failed=0
while read -r name version packages; do
  if (($# == 0)) || [[ " $* " == *" $name "* ]]; then
    read -ra wanted <<<"$packages"
    try_cell "$name" "$version" "${wanted[@]}" </dev/null | tee -a build/matrix/results
    ((PIPESTATUS[0])) && failed=1
  fi
done < <(cells)
exit "$failed"
