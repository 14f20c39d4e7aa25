"""A batch system made of programs on PATH, for what a real one seldom does: being late, hung, wrong or down."""
