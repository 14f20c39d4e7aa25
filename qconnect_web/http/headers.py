"""The headers of every answer, whoever gives it."""

SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
STRICT_CSP = "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; sandbox"
"""The policy of whatever is no page: opened directly, it can do nothing."""
