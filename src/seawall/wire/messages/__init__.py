"""Anthropic's messages, read and written."""
