"""One rule for everything that answers HTTP."""
