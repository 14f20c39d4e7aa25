"""The pages that the browser shows, and what they are made of."""

from .handlers import ClientHandler, HomeHandler, PageHandler, StaticHandler, ViewerHandler
from .live import LiveHandler

SESSION = r"([^/]+)"
HANDLERS: list[tuple[str, type[PageHandler]]] = [
    ("", HomeHandler),
    (r"static/([0-9a-f]{32})/(.+)", StaticHandler),
    (r"client/([0-9a-f]{32})/(.+)", ClientHandler),
    (rf"{SESSION}/live", LiveHandler),
    (rf"{SESSION}/?", ViewerHandler),
]
