# shellcheck shell=bash
# What a display of this site can do, seen from inside a job: a line `doctor: NAME=VALUE` for each thing, an empty value
# where it is not there, none where it cannot be known. It stays until its job is ended.

say() { printf 'doctor: %s=%s\n' "$1" "${2//$'\n'/ }"; }

# Whether the X server offers an extension; python3 and Xlib are there where xpra is.
has_extension() {
  /usr/bin/python3 -IS -c 'import ctypes, sys
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display, number = ctypes.c_void_p(x.XOpenDisplay(None)), ctypes.c_int()
there = x.XQueryExtension(display, sys.argv[1].encode(), *[ctypes.byref(number)] * 3) if display else 0
print("yes" if there else "")' "$1" 2>/dev/null
}

say node "$(uname -n)"
# shellcheck disable=SC1091 # the node's own
say system "$(. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME")"
say user "$(id -u)"
say tmux "$(tmux -V 2>/dev/null)"
say vnc "$(type -P Xtigervnc || type -P Xvnc)"
type -P fc-list >/dev/null && say fonts "$(fc-list : family | sort -u | wc -l)"
glx=$(has_extension GLX) && say glx "$glx"
say modules "$(type -t module)"
type -P nvidia-smi >/dev/null && say gpus "$(nvidia-smi -L 2>/dev/null | grep -c '^GPU')"
say end yes
exec sleep 1800
