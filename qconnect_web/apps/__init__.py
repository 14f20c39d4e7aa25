"""What can be started, and what may be asked for."""
