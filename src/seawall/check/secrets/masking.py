"""Shows a secret without showing it, and names it by a hash that cannot be turned back in practice."""

import hashlib

_SALT = "seawall-check-1"
"""Fixed, so that a baseline written on one machine holds on another; it keeps general hash tables useless."""
EVIDENCE_CHARS_MAX = 160


def fingerprint(rule: str, path: str, value: str) -> str:
    """Return 16 hex digits that stand for one problem in a baseline.

    Secrets pass "secret" and an empty path, so that one that was moved or renamed, or is only in the history,
    is still the same.
    """
    text = "\0".join((_SALT, rule, path, value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def mask(value: str, *, is_token: bool) -> str:
    """Return a value with its middle hidden: six characters of a token stay, one at most of a password."""
    if is_token and len(value) >= 16:
        return f"{value[:4]}…{value[-2:]}"
    if is_token and len(value) >= 10:
        return f"{value[:2]}…"
    if len(value) >= 10:
        return f"{value[:1]}…"
    return "…"


def evidence(text: str, at: int, hidden: list[tuple[str, str]]) -> str:
    """Return the line of `text` around the offset `at`, with every one of the `hidden` values masked.

    `hidden` are pairs of value and mask. Of a long line only the part around `at` is kept.
    """
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    if end - start > 2000:
        start, end = max(start, at - 60), min(end, at + 2000)
    line = text[start:end]
    for value, masked in sorted(hidden, key=lambda pair: -len(pair[0])):
        for part in value.split("\n"):  # A value of several lines shows one of them here.
            if len(part) >= 3:
                line = line.replace(part, masked)
    line = " ".join(line.split())
    if len(line) <= EVIDENCE_CHARS_MAX:
        return line
    return line[: EVIDENCE_CHARS_MAX - 1] + "…"
