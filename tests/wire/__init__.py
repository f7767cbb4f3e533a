"""Bytes in, core types out, and back."""
