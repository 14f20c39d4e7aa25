"""Sessions: one App in one Job each, started, known, stopped and forgotten."""
