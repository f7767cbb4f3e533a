"""Tells what somebody drew at random from what somebody wrote: the difference between a key and a word.

A value is scored by how much more likely it is under "each character drawn from its alphabet" than under
"letters follow one another as they do in words and identifiers". The table behind the second (`letters.txt`)
holds costs in eighths of a nat for pairs of letters, digits and separators, counted over the distinct
identifiers and words of several thousand source files and manuals.
"""

import math
import re
from functools import cache
from importlib.resources import files

_SYMBOLS = "abcdefghijklmnopqrstuvwxyz0-"
_DIGIT_NATS = 2.3
_SEPARATOR_NATS = 1.0
_SIGN_NATS = 3.5
"""`$` and `%` part no words as `-`, `_` and `.` do."""
_RARE_NATS = 4.2
_SCORED_CHARS_MAX = 400

_HEX = frozenset("0123456789abcdef")
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?")

_REFERENCE = re.compile(
    r"""^(?:
      \$[\w{(\[]|\$\$|%[\w(]+%?$|%\(|<[^>]*>?$|\{\{|\{%|\#\{|@@|\$\{|\{[\w.:-]*\}|&[a-zA-Z]|\*[a-zA-Z]\w*$
     |(?:process|import\.meta|Deno|Bun|os|self|this|settings|config|cfg|env|ENV|secrets|vars|var|data|local|params|props
        |options|args|ctx|req|request|res|response|app|module|each|github|steps|inputs|matrix|needs|conf|opts|state
        |context|event|window|document|user|session|root|System|std)[.\[(]
     |(?:ref|arn|sm|ssm|op|vault|secretKeyRef|valueFrom|file|gcp|aws-sm|keyring|env|awssm|secretsmanager)(?::|\+|//)
     |!(?:Ref|Sub|GetAtt|ImportValue|secret|vault|env|include)\b
     |ENC\[|ENC\(|vault:|projects/\S+/secrets/|sops:|enc:|\{cipher\}|AgB[A-Za-z0-9+/]{80}
    )""",
    re.VERBOSE,
)
_TEMPLATE = re.compile(
    r"\$\{|\{\{|#\{|<%|%\}|\$\(|<[A-Za-z_][\w .-]*>|\{[a-z_][\w.]*(?:\(\))?\}|%s|%d|\[\[|\[[A-Z_ ]+\]"
)
_STAND_IN = re.compile(
    r"""(?x)
      (?i:example|sample|placeholder|dummy|change[_-]?(?:me|this|it)|replace|redacted|removed|omitted|masked|hidden
         |obfuscated|\byour|your[_-]|[_-]your|your(?:api|key|token|secret|password)|insert|\bput[_-]|\benter[_-]|fill[_-]
         |goes[_-]?here|[_-]here\b|fixme|[.]{3}|…|•|\*{3}|notneeded|undefined|unittest|lorem|abcdefg|hgfedcb|01234567
         |12345678|23456789|87654321|76543210|98765432|a1b2c3d4|1a2b3c4d|deadbeef|cafebabe|aaaaa+|000000+|1111111)
     |x{4,}|X{4,}|(?<![A-Za-z0-9])[xX]{3}(?![A-Za-z0-9])"""
)
"""What asks to be replaced, wherever it stands."""
_WORDY = re.compile(
    r"""(?ix)
      my[_-]?(?:api|secret|key|token|password|super)|todo|not[_-]?(?:a|set|needed|used|required|real)\b|no[_-]?(?:key|token)
     |n/a|testing|mock|fake|foobar|foo[_-]?bar|ipsum|secret[_-]?key|api[_-]?key|access[_-]?token|password|passphrase|a1b2c3
     |1a2b3c|badc0ffee|asdf|qwerty|zzzz|test[_-]|[_-]test|^test|demo[_-]|^demo|[_-]demo|dev[_-]|[_-]dev$|default|invalid
     |^none|^null|^true$|^false$|some[_-]|^any|aaaa+|xxx"""
)
"""What a short value is written with; in a long random one it may stand by chance."""
_CHANCE_NATS = 40.0
_PARTS = re.compile(r"[.:_-]")
"""Each part of a key may be drawn from an alphabet of its own."""
_CALL = re.compile(r"[A-Za-z_]\w*\s?\(|=>|->|;\s|&&|\|\|")


def is_reference(value: str) -> bool:
    """Say whether a value points to where the secret is (a variable, a template, a vault)."""
    return _REFERENCE.match(value) is not None or _TEMPLATE.search(value) is not None


def is_stand_in(value: str) -> bool:
    """Say whether a value asks to be replaced: placeholders, examples, repeated or counted characters."""
    short = value[:_SCORED_CHARS_MAX]
    if _STAND_IN.search(short) is not None:
        return True
    if _WORDY.search(short) is not None and randomness(short) < _CHANCE_NATS:
        return True
    distinct = len(set(short.lower()))
    if distinct <= 2 or (distinct <= len(short) // 8 and distinct < 8):
        return True
    return _counted_share(short.lower()) > 0.5


def is_code(value: str) -> bool:
    """Say whether a value is a piece of a program or a sentence rather than one word."""
    return _CALL.search(value) is not None


def is_uuid(value: str) -> bool:
    """Say whether a value is a UUID, which names things far more often than it opens them."""
    return _UUID.fullmatch(value) is not None


def randomness(value: str) -> float:
    """Return by how many nats `value` looks drawn at random rather than written; words are below zero."""
    value = value[:_SCORED_CHARS_MAX]
    if not value:
        return 0.0
    whole = _written_nats(value) - _drawn_nats(value)
    parts = _PARTS.split(value)
    if len(parts) == 1:
        return whole
    return max(whole, sum(_written_nats(part) - _drawn_nats(part) for part in parts if len(part) > 3))


def is_noise(value: str) -> bool:
    """Say whether a value is long, random and full of signs, as web frameworks make their keys."""
    if not 30 <= len(value) <= 200 or not value.isascii():
        return False
    signs = {char for char in value if not char.isalnum()}
    return len(signs) >= 4 and len(set(value)) >= 18 and randomness(value) >= 30


def is_random(value: str, least: float, chars_min: int = 8) -> bool:
    """Say whether `value` has `chars_min` characters and `least` nats of randomness, and no words between."""
    if len(value) < chars_min:
        return False
    score = randomness(value)
    return score >= least and score >= 0.42 * min(len(value), _SCORED_CHARS_MAX)


def _drawn_nats(value: str) -> float:
    """Return what the characters cost when each is drawn from the classes that make up the value.

    A class of which there is hardly a character (the `_` of a prefix) is not part of the alphabet.
    """
    lower = value.lower()
    if set(value) <= _HEX or (value.upper() == value and set(lower) <= _HEX):
        return len(value) * math.log(16)
    if set(lower) <= _HEX:
        return len(value) * math.log(22)
    small = sum(char.islower() for char in value)
    large = sum(char.isupper() for char in value)
    digits = sum(char.isdigit() for char in value)
    signs = len(value) - small - large - digits
    size, rare = 0, 0
    for count, letters in ((small, 26), (large, 26), (digits, 10), (signs, 8)):
        if count * 12 >= len(value):
            size += letters
        else:
            rare += count
    return (len(value) - rare) * math.log(max(2, size)) + rare * _RARE_NATS


def _written_nats(value: str) -> float:
    costs = _letter_costs()
    total, before, was_lower = 0.0, "-", False
    for char in value:
        kind = "-"
        if "a" <= char <= "z":
            kind = char
        elif "A" <= char <= "Z":
            kind = char.lower()
            if was_lower:  # A word ends in camel case.
                total += costs[before + "-"]
                before = "-"
        elif "0" <= char <= "9":
            kind = "0"
            total += _DIGIT_NATS
        else:
            total += _SEPARATOR_NATS if char in "-_. " else _SIGN_NATS
        if before != "-" or kind != "-":
            total += costs[before + kind]
        before, was_lower = kind, "a" <= char <= "z"
    return total


@cache
def _letter_costs() -> dict[str, float]:
    rows = files(__package__).joinpath("letters.txt").read_text("ascii").split("\n")
    pairs = ((a, b, rows[i][j]) for i, a in enumerate(_SYMBOLS) for j, b in enumerate(_SYMBOLS))
    return {a + b: (ord(char) - 48) / 8 for a, b, char in pairs}


def _counted_share(lower: str) -> float:
    """Return the share of characters in runs of five or more that count up or down (`abcde`, `98765`)."""
    counted = 0
    start = 0
    step = 0
    for at in range(1, len(lower) + 1):
        moved = ord(lower[at]) - ord(lower[at - 1]) if at < len(lower) else 99
        if moved == step and step in (1, -1):
            continue
        if step in (1, -1) and at - start >= 5:
            counted += at - start
        start, step = at - 1, moved
    return counted / max(1, len(lower))
