"""The data path between browser and node."""

from ..http.base import ANY_JOB
from .handler import DisplayHandler
from .node_files import NodeFile
from .websockets import DisplayWebsocket, TicketWebsocket

VIEWER = r"(?P<viewer>[A-Za-z0-9_-]{8,64})"
TICKET = rf"{ANY_JOB}/t/(?P<ticket>[^/]*)"  # any, so that a mistyped one is kept out of the log as well
HANDLERS: list[tuple[str, type[DisplayHandler]]] = [
    (rf"{ANY_JOB}/ws/{VIEWER}", DisplayWebsocket),
    (rf"{TICKET}/ws/{VIEWER}", TicketWebsocket),
    (rf"{TICKET}(?:/(?P<file>.*))?", NodeFile),
]
