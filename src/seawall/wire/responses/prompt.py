"""The body of a responses request to a Prompt and back."""

from seawall.wire.responses.prompt_from import read_prompt
from seawall.wire.responses.prompt_to import write_prompt

__all__ = ["read_prompt", "write_prompt"]
