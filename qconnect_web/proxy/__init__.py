"""The data path: one authenticated request in, one proved upstream out, bytes between them."""
