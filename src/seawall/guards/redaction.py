"""Takes what was found out of a text, and says how much of a stream must wait until it is clear what it is.

Invariants:
- Whoever releases of a stream what is `releasable`, and findings only redacted, never releases a part of a
  secret before it is found. Waiting ends after 4,096 characters of a PEM block or a JWT
  and after LONGEST_SECRET of anything else.
- What stands in place of a finding is not found again.
"""

import re
from collections.abc import Sequence

from seawall.core.findings import Finding
from seawall.guards.checks import IBAN_LENGTHS
from seawall.guards.personal import LATIN, WORD_CHARS, WORDS
from seawall.guards.secrets import LONGEST_SECRET, QUALIFIERS

BLOCK_CHARS = 4_096
"""So long a PEM block or a JWT that has begun is waited for."""
NUMBER_CHARS = 64
SHOWN = 3

_TOKEN = "".join(map(chr, range(33, 127))) + LATIN
_DIGITS = "0123456789 ()./+-"
_JWT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789_-."
_BEGIN = "-----BEGIN "
_HEADER = re.compile(r"-----BEGIN [A-Z0-9 ]{0,44}(?:(-{0,4})\Z|-----)")
_BODY = re.compile(r"[A-Za-z0-9+/=]{30}")
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}")
_LETTERS = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2} (?:[0-9]{2} ){0,3}[0-9]{0,2}[A-Z]?\Z")
_URL = re.compile(r"[a-z+]{0,20}://[^\s/?#\"'<>]{0,200}\Z", re.IGNORECASE)
_NAMING = re.compile("|".join(re.escape(mark) for marks, _ in WORDS.values() for mark in marks))
_SECRET = re.compile(rb"passw|passphrase|pwd|secret|token|key|bearer|authorization")
_REST = re.compile(
    rb"[a-z0-9_]{0,16}(?:[\"'`]\]?|\))?[ \t]{0,3}(?:(?:=>?|:=?|==)[ \t]{0,3}"
    rb"|[ \t]{0,2}(?:i|is|was?|w|ist|est?|e)?[ \t]{0,2}:?)"
    rb"(?:[\"'`]?(?:bearer|basic)[ \t]{0,3})?(?:[^\s\"'`,;]{0,200}|\"[^\"\n]{0,200}(?:\"\S{0,40})?"
    rb"|'[^'\n]{0,200}(?:'\S{0,40})?|`[^`\n]{0,200}(?:`\S{0,40})?)"
)


def redact(text: str, findings: Sequence[Finding]) -> str:
    """Return the text with each finding replaced by its label: `[email]`; overlapping ones by one."""
    pieces: list[str] = []
    at = 0
    for start, end, label in _merged(findings):
        pieces += (text[at:start], "[", label.replace("_", " "), "]")
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _merged(findings: Sequence[Finding]) -> list[tuple[int, int, str]]:
    """Join findings that overlap into one, with the label of the longest."""
    spans: list[tuple[int, int, str]] = []
    longest = 0
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        start, end, label = finding.start, finding.end, finding.label
        if spans and start < spans[-1][1]:
            first, reached, outer = spans[-1]
            if end - start > longest:
                longest, outer = end - start, label
            spans[-1] = first, max(reached, end), outer
        elif end > start:
            spans.append((start, end, label))
            longest = end - start
    return spans


def mask(text: str) -> str:
    """Return what may be shown of a secret: its first characters, at most a quarter of it."""
    return f"{text[: min(SHOWN, len(text) // 4)]}…"


def may_continue(tail: str) -> int:
    """Return how many characters at the end of a text could begin a finding that is not yet complete.

    Zero where it ends in white space after ordinary prose; at most 4,096 for a PEM block or a JWT, else at
    most LONGEST_SECRET.
    """
    window = tail[-LONGEST_SECRET:]
    word = len(window) - len(window.rstrip(_TOKEN))
    if word == LONGEST_SECRET:
        word = max(word, _token(tail[-BLOCK_CHARS:]))
    number = _number(window)
    return max(
        word, number, _word_before(window, max(word, number)), _name(window), _url(window), _block(tail)
    )


def releasable(buffer: str, findings: Sequence[Finding]) -> int:
    """Return how many characters of a stream's buffer may go on, the findings among them redacted.

    A finding that reaches over that place goes on whole where it has ended, and waits where it has not.
    """
    place = len(buffer) - may_continue(buffer)
    for start, end, _ in reversed(_merged(findings)):
        if start < place < end:
            place = end if buffer[end:].strip("\r\n") else start
    return place


def _token(tail: str) -> int:
    """Return the length of a JWT that has begun."""
    run = tail[len(tail.rstrip(_JWT)) :]
    start = run.find("eyJ")
    return len(run) - start if start >= 0 else 0


def _number(window: str) -> int:
    """Return the length of digits with what may stand between them, and of an IBAN that has begun."""
    near = window[-NUMBER_CHARS:]
    before = near.rstrip(_DIGITS)
    chain = near[len(before) :]
    if before[-1:].isalnum() or before[-1:] == "_":
        chain = chain.partition(" ")[2]
    longest = len(chain.lstrip(" ).-/"))
    for match in _ACCOUNT.finditer(near):
        length = IBAN_LENGTHS.get(match[0][:2].upper(), 0)
        written = near[match.start() :].replace(" ", "").replace("-", "")
        if written.isascii() and written.isalnum() and len(written) < length:
            longest = max(longest, len(near) - match.start())
    letters = _LETTERS.search(near)
    return max(longest, len(near) - letters.start()) if letters else longest


def _word_before(window: str, held: int) -> int:
    """Return the length from a word that names a number to the end, where the number may be still to come."""
    number = len(window) - held
    low = window[max(0, number - WORD_CHARS) : number].lower()
    first = _NAMING.search(low)
    return min(len(low) - first.start() + held, len(window)) if first is not None else 0


def _name(window: str) -> int:
    """Return the length from the name of a secret to the end, where the secret may be still to come."""
    low = window.encode("ascii", "replace").lower()
    size = len(low)
    for match in _SECRET.finditer(low):
        if _REST.fullmatch(low, match.end()) is not None:
            head = low[: match.start()]
            start = head.rstrip(_NAME)
            if len(start) == len(head):
                before = head.rstrip(b" ")
                start = before.rstrip(_NAME) if before.endswith(QUALIFIERS) else head
            return size - max(len(start), match.start() - 60)
    for begun in (b"k", b"ke", b""):
        last = low.removesuffix(begun).rstrip(b"-_. ")
        if last.endswith(QUALIFIERS) and len(last) < size - len(begun):
            return size - len(last.rstrip(_NAME))
    return 0


def _url(window: str) -> int:
    match = _URL.search(window) if "://" in window else None
    return len(window) - match.start() if match else 0


def _block(tail: str) -> int:
    """Return the length of a PEM block that has begun and not ended."""
    near = tail[-BLOCK_CHARS:]
    start = near.rfind(_BEGIN)
    header = _HEADER.match(near, start) if start >= 0 else None
    if header is None or (header[1] is None and "PRIVATE KEY" not in header[0]):
        return 0
    body = near[header.end() :]
    end = body.find("-----END ")
    has_ended = end >= 0 and body.find("-----", end + 9) >= 0
    is_prose = len(body) > 200 and _BODY.search(body) is None
    return 0 if has_ended or is_prose else len(near) - start
