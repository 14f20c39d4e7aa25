"""REST: JSON in, SessionManager, JSON out."""
