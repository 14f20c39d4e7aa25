"""The package is built by hatchling (pyproject.toml); this file only says so to those who look for it."""

raise SystemExit("Install with `pip install .`, and build with `python -m build`.")
