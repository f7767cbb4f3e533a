"""Advice as others read it: Markdown for an issue or an assistant, JSON for programs, HTML for colleagues."""
