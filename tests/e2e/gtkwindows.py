#!/usr/bin/python3
"""GTK's windows, as programs have them; tells where their buttons are, and which was clicked, in files of this folder.

Arguments: the folder, then which: `chooser` (of files, larger than small stages), `fixed` (one that no user can make
smaller), `main` (a main window that wants to be small, with a dialog).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402  # the version is asked for first

FOLDER = Path(sys.argv[1])


def watch(button: Gtk.Button, name: str) -> None:
    """Tells where this button is, in pixels of its window, and that it was clicked."""

    def placed(*_: object) -> None:
        x, y = button.translate_coordinates(button.get_toplevel(), 0, 0)
        box = button.get_allocation()
        part = FOLDER / f"{name}.part"
        part.write_text(json.dumps([x + box.width // 2, y + box.height // 2]))
        part.rename(FOLDER / f"{name}.json")

    button.connect("size-allocate", placed)
    button.connect("clicked", lambda *_: (FOLDER / f"{name}.clicked").touch())


def dialog_buttons(dialog: Gtk.Dialog, **named: tuple[str, Gtk.ResponseType]) -> None:
    for name, (words, response) in named.items():
        watch(dialog.add_button(words, response), name)


def chooser() -> None:
    dialog = Gtk.FileChooserDialog(title="Open a file")
    dialog_buttons(dialog, cancel=("Cancel", Gtk.ResponseType.CANCEL), help=("Help", Gtk.ResponseType.HELP))
    dialog.set_default_size(1096, 822)
    dialog.connect("response", lambda *_: None)
    dialog.show_all()


def fixed() -> None:
    window = Gtk.Window(title="As large as it is")
    window.set_resizable(False)
    column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
    column.set_size_request(900, 1000)
    button = Gtk.Button(label="Apply")
    watch(button, "apply")
    column.pack_end(button, False, False, 0)
    window.add(column)
    window.show_all()


def main() -> None:
    window = Gtk.Window(title="The program")
    window.set_default_size(500, 300)
    window.add(Gtk.Label(label="All of the tab is mine."))
    window.show_all()
    dialog = Gtk.Dialog(title="A question", transient_for=window, modal=True)
    dialog.get_content_area().add(Gtk.Label(label="Is it in the middle?"))
    dialog_buttons(dialog, yes=("Yes", Gtk.ResponseType.YES))
    dialog.connect("response", lambda *_: GLib.idle_add(dialog.destroy))  # after what else hears of it
    dialog.show_all()


{"chooser": chooser, "fixed": fixed, "main": main}[sys.argv[2]]()
Gtk.main()
