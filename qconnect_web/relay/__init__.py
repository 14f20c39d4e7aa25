"""The process that moves sessions' bytes; the standard library only."""
