"""Checks of this machine: what would keep a call from working, and how to fix it."""
