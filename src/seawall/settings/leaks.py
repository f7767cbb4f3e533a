"""How a key that strayed into the configuration file is recognised, and how it is kept out of messages."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

KEY_NAMES = frozenset(
    {
        "access_token", "admin_key", "api_key", "api_token", "apikey", "auth_token", "client_secret", "key",
        "password", "secret", "secret_key", "token",
    }
)  # fmt: skip

FILES = frozenset({("tls", "key")})
"""What is named like a key and is the path of a file with one."""

# How keys of providers (and our own) begin; the length keeps model names such as xai-grok-4 out.
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{12,}|AIza[A-Za-z0-9_-]{12,}|gsk_[A-Za-z0-9]{12,}"
    r"|(?:xai-|pplx-|hf_)[A-Za-z0-9]{16,}|swp?-[A-Za-z0-9_-]{16,})"
)
_STARTS = ("sk-", "AIza", "gsk_")


def key_line(text: str) -> int | None:
    """Return the first line that holds a key, comments and broken syntax included."""
    found = _KEY.search(text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def find_keys(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every value that is a key, or is named like one."""
    for name, value in tree.items():
        here = (*path, name)
        if looks_like_key(name):
            yield here
        elif isinstance(value, dict):
            yield from find_keys(value, here)
        elif _is_named_like_one(here) or any(map(looks_like_key, _texts(value))):
            yield here


def looks_like_key(text: str) -> bool:
    """Say whether a text holds a provider's key, or begins like one."""
    if _KEY.search(text) is not None or "-----BEGIN" in text:
        return True
    return text.startswith(_STARTS) and len(text) >= 8


def hide_keys(text: str) -> str:
    """Replace every key in a text."""
    return _KEY.sub("(hidden)", text)


def _is_named_like_one(path: tuple[str, ...]) -> bool:
    return path not in FILES and path[-1].lower().replace("-", "_") in KEY_NAMES


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
