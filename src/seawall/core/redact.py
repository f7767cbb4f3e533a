"""Takes out of a text what must never reach a caller or a log: keys, accounts, addresses, paths."""

import re

_KEY_PREFIXES = "sk|pk|rk|sw|swp|gsk|xai|hf|key|api|fw|tgp|csk|pplx|r8"
_ACCOUNT_PREFIXES = "org|proj|user|acct|acc|team|account|organization|project"
_DOMAINS = "com|net|org|io|ai|dev|cloud|co|internal|local|xyz|app"


def _rule(pattern: str, replacement: str) -> tuple[re.Pattern[str], str]:
    return re.compile(pattern, re.IGNORECASE), replacement


_RULES = (
    _rule(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>)\]]+", "[address]"),
    _rule(r"\bBearer\s+\S+", "Bearer [key]"),
    _rule(rf"\b(?:{_KEY_PREFIXES})[-_][a-z0-9*_.-]{{5,}}[a-z0-9*]", "[key]"),
    _rule(r"\bAIza[a-z0-9_-]{10,}", "[key]"),
    _rule(r"\beyJ[a-z0-9_-]{8,}\.[a-z0-9_.-]+", "[token]"),
    _rule(rf"\b(?:{_ACCOUNT_PREFIXES})[-_][a-z0-9]{{6,}}", "[account]"),
    _rule(r"\b[\w.+-]+@[\w-]+\.[\w.-]+", "[mail]"),
    _rule(r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "[address]"),
    _rule(r"\[?\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}\]?(?::\d+)?", "[address]"),
    _rule(rf"\b(?:localhost|(?:[a-z0-9-]+\.){{1,6}}(?:{_DOMAINS}))\b(?::\d+)?(?:/[^\s\"']*)?", "[address]"),
    _rule(r"(?<![\w/])/(?:[\w.@~-]+/)+[\w.@~-]*", "[path]"),
    _rule(r"\b[a-z]:\\[^\s\"']+", "[path]"),
    _rule(r"\b[0-9a-f]{32,}\b", "[id]"),
)


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
