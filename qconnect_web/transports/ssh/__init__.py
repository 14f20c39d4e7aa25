"""Nodes that are reached through OpenSSH."""
