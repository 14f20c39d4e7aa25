"""What Jupyter's `/metrics` tells of displays: how many are open, how they end, what passes, how the relay does."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

WEBSOCKETS = Gauge("qconnect_websockets_open", "Websockets of displays, those that wait included.")
UPGRADES = Counter(
    "qconnect_upgrades",
    "Requests for a display's websocket: opened, or the reason of the refusal.",
    ["outcome"],
)
CLOSED = Counter("qconnect_websockets_closed", "Websockets that ended, and who ended them.", ["by"])
BYTES = Counter("qconnect_bytes", "Bytes of displays: up, from browser to node, and down.", ["direction"])
OPENING = Histogram(
    "qconnect_opening_seconds",
    "Seconds from a ready session to its display's agreement: connection, proof and upgrade.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RELAY_STARTS = Counter("qconnect_relay_starts", "Starts of the relay process; more than one means that it died.")
