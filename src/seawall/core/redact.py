"""Takes out of a text what must never reach a caller or a log: keys, accounts, addresses, paths."""

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)\]]+", re.IGNORECASE), "[address]"),
    (re.compile(r"\bBearer\s+\S+", re.IGNORECASE), "Bearer [key]"),
    (re.compile(r"\b(?:sk|pk|rk|sw|swp|gsk|xai|hf|AIza|key|api|fw|tgp|csk|pplx|r8)[-_][A-Za-z0-9*_.-]{6,}"), "[key]"),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{10,}"), "[key]"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+"), "[token]"),
    (re.compile(r"\b(?:org|proj|user|acct|acc|team|account|organization|project)[-_][A-Za-z0-9]{6,}", re.IGNORECASE), "[account]"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+"), "[mail]"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b"), "[address]"),
    (re.compile(r"\[?\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}\]?(?::\d+)?", re.IGNORECASE), "[address]"),
    (re.compile(r"\b(?:localhost|(?:[a-z0-9-]+\.){1,6}(?:com|net|org|io|ai|dev|cloud|co|internal|local|xyz|app))(?::\d+)?(?:/[^\s\"']*)?", re.IGNORECASE), "[address]"),
    (re.compile(r"(?<![\w/])/(?:[\w.@~-]+/)+[\w.@~-]*"), "[path]"),
    (re.compile(r"\b[A-Za-z]:\\[^\s\"']+"), "[path]"),
    (re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE), "[id]"),
)  # fmt: skip


def redact(text: str, hidden: tuple[str, ...] = ()) -> str:
    """Return the text without keys, tokens, account ids, mail and network addresses, and file paths.

    `hidden` are exact texts to take out besides, such as the provider's key and host.
    """
    for secret in hidden:
        if secret:
            text = text.replace(secret, "[hidden]")
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
