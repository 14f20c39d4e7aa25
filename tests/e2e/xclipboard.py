"""Reads or owns the clipboard of the X display in $DISPLAY; runs with Debian's python3, whose GTK xpra brings along."""

from __future__ import annotations

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402  # the versions must be named first

clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
if sys.argv[1] == "read":
    sys.stdout.write(clipboard.wait_for_text() or "")
else:
    clipboard.set_text(sys.argv[2], -1)
    GLib.timeout_add_seconds(20, Gtk.main_quit)
    Gtk.main()
