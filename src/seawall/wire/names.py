"""Names in a request that are kept: of models and of end users."""

from typing import Any, TypeGuard

NAME_CHARS_MAX = 256


def is_name(value: Any) -> TypeGuard[str]:
    """Say whether this is a text that every database can keep: one without the character NUL."""
    return isinstance(value, str) and "\x00" not in value


def is_model(value: Any) -> TypeGuard[str]:
    """Say whether this can name a model."""
    return is_name(value) and 0 < len(value) <= NAME_CHARS_MAX
