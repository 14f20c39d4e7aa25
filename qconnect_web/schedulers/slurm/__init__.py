"""Slurm: what it is told and what it answers."""
