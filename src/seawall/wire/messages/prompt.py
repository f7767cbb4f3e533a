"""Anthropic's messages and a Prompt: read from one, written as the other."""

from seawall.wire.messages.prompt_from import read_prompt
from seawall.wire.messages.prompt_to import write_prompt

__all__ = ["read_prompt", "write_prompt"]
