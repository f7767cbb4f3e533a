"""Homes in memory: for one process, and gone with it."""
