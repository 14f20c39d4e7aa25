"""The pages that the browser shows, and what they are made of."""

from ..http.base import ANY_JOB, QConnectHandler
from .echo import EchoHandler
from .handlers import ClientHandler, HomeHandler, NowherePage, StaticHandler, ViewerHandler
from .live import LiveHandler

HANDLERS: list[tuple[str, type[QConnectHandler]]] = [
    ("", HomeHandler),
    (r"static/([0-9a-f]{32})/(.+)", StaticHandler),
    (r"client/([0-9a-f]{32})/(.+)", ClientHandler),
    ("echo", EchoHandler),
    (rf"{ANY_JOB}/live", LiveHandler),
    (rf"{ANY_JOB}/?", ViewerHandler),
    (".+", NowherePage),
]
