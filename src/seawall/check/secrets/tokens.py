"""Finds what its form shows to be a secret: tokens, private keys, web tokens, passwords in addresses."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import cache

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation
from msgspec import Struct

from seawall.check.secrets.kinds import Kind, catalog
from seawall.check.secrets.values import is_random, is_reference, is_stand_in, randomness

_CHUNK_CHARS = 1 << 17
_BACK_CHARS = 130
_AHEAD_CHARS = 260
_HITS_MAX = 8_000
_SEARCHES_MAX = 1_500
"""Bounds for a stretch of text and for a text that was made to keep the search busy."""
_WORD_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

_MARKS = (
    "-----BEGIN ",
    "PuTTY-User-Key-File-",
    "eyJ",
    "://",
    "earer ",
    "asic ",
    "kty",
    "$2",
    "$6$",
    "$5$",
    "$apr1$",
    "$1$",
    "$argon2",
)
_COSTLY = frozenset(_MARKS.index(mark) for mark in ("-----BEGIN ", "PuTTY-User-Key-File-", "eyJ", "kty"))
_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d: \S")
_PUTTY_LINES = re.compile(r"Private-Lines: \d+\s{1,9}[A-Za-z0-9+/]{28,}")
_PEM_RUN = re.compile(r"[A-Za-z0-9+/]{28,}")
_JWK_PRIVATE = re.compile(r"""["'\s,{\\](?:d|k)["'\\]{0,3}\s{0,3}:\s{0,3}\\{0,3}["']([\w-]{20,1400})["'\\]""")
_JWT = re.compile(r"eyJ[\w-]{8,2000}\.(eyJ[\w-]{2,4000})\.([\w-]{10,1400})")
_ADDRESS = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]{1,40})://([^\s:/?#@\"'`<>\\]{0,120}):([^\s/?#@\"'`<>\\]{1,200}|[^\s@\"'`<>\\]{1,80})@"
    r"(\[[0-9a-fA-F:]+\]|[^\s/:?#\"'`<>\\,]{1,200})"
)
_HASH = re.compile(
    r"\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|(?:5|6)\$(?:rounds=\d+\$)?[^\s$:]{1,24}\$[./A-Za-z0-9]{43,86}"
    r"|(?:apr1|1)\$[^\s$:]{1,16}\$[./A-Za-z0-9]{22}|argon2id?\$v=\d+\$[\w=,]{5,40}\$[A-Za-z0-9+/]{8,64}\$[A-Za-z0-9+/]{20,128})"
)
_BEARER = re.compile(r"earer ([A-Za-z0-9_\-.~+/]{20,1000}={0,2})(?![A-Za-z0-9_\-.~+/{$<])")
_BLOB_CHARS = 30
_BLOB = re.compile(r"[A-Za-z0-9+/=]+")
_PARTS = re.compile(r"[-:.]")
_BASIC = re.compile(r"asic ([A-Za-z0-9+/]{12,400}={0,2})(?![A-Za-z0-9+/{$<])")


class Token(Struct, frozen=True):
    """A secret found by its form: `form` is "kind", "pem", "jwt", "address", "bearer" or "basic".

    `kind` is set for the first only; `detail` is the role in a Supabase token, or the host of an address.
    """

    form: str
    value: str
    start: int
    end: int
    kind: Kind | None = None
    detail: str = ""


def find_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text`, in no order; the same place may be found as two kinds."""
    kinds = catalog()
    known = len(_MARKS)
    searches = 0
    for offset in range(0, len(text), _CHUNK_CHARS):
        chunk = text[offset : offset + _CHUNK_CHARS + 64]
        for index, start, end in _automaton().find_matches_as_indexes(chunk, overlapping=True)[:_HITS_MAX]:
            if start >= _CHUNK_CHARS:
                continue
            at = offset + start
            if index < known:
                searches += index in _COSTLY
                if searches > _SEARCHES_MAX and index in _COSTLY:
                    continue
                found = _marked(text, index, at)
                if found is not None:
                    yield found
                continue
            before = chunk[start - 1] if start else text[at - 1 : at]
            for kind in kinds.by_start[index - known]:
                if before in _WORD_CHARS and not kind.starts_inside and before not in "nrtDF0":
                    continue
                searches += kind.starts_inside
                if kind.starts_inside and searches > _SEARCHES_MAX:
                    continue
                found = _token(text, at, end - start, kind)
                if found is not None:
                    yield found


@cache
def _automaton() -> AhoCorasick:
    return AhoCorasick([*_MARKS, *catalog().starts], implementation=Implementation.DFA)


def _token(text: str, at: int, start_chars: int, kind: Kind) -> Token | None:
    if not kind.starts_inside:
        match = kind.token.match(text, at)
    else:
        match = kind.token.search(text, max(0, at - _BACK_CHARS), at + _AHEAD_CHARS)
        if match is not None and match.start() > at + start_chars:
            return None
    if match is None:
        return None
    value = match[0]
    if _is_in_blob(text, match.start(), match.end()):
        return None
    body = value.replace(text[at : at + start_chars], "", 1)
    if not _is_drawn(body):
        return None
    return Token(form="kind", value=value, start=match.start(), end=match.end(), kind=kind)


def _is_in_blob(text: str, start: int, end: int) -> bool:
    """Say whether a match is a stretch of something longer in base64, such as an image."""
    before, after = text[max(0, start - _BLOB_CHARS) : start], text[end : end + _BLOB_CHARS]
    return len(before) == _BLOB_CHARS == len(after) and _BLOB.fullmatch(before + after) is not None


def _is_drawn(body: str) -> bool:
    """Say whether what follows a token's prefix was drawn at random; numbers say nothing about it."""
    if len(set(body)) < min(6, len(body)) or is_stand_in(body):
        return False
    rest = "-".join(part for part in _PARTS.split(body) if not part.isdigit())
    return not rest or randomness(rest) >= max(min(5.0, len(rest) / 2), 0.35 * min(len(rest), 120))


def _marked(text: str, index: int, at: int) -> Token | None:
    mark = _MARKS[index]
    if mark == "-----BEGIN ":
        return _pem(text, at)
    if mark == "PuTTY-User-Key-File-":
        if _PUTTY.match(text, at) is None or _PUTTY_LINES.search(text, at, at + 20_000) is None:
            return None
        return Token(form="pem", value=text[at : at + 20_000], start=at, end=at + 20)
    if mark == "eyJ":
        return _jwt(text, at)
    if mark == "kty":
        return _jwk(text, at)
    if mark.startswith("$"):
        hashed = _HASH.match(text, at)
        return None if hashed is None else Token(form="hash", value=hashed[0], start=at, end=hashed.end())
    if mark == "://":
        return _address(text, at)
    match = (_BEARER if mark == "earer " else _BASIC).match(text, at)
    if match is None or text[at - 1 : at] not in ("B", "b"):
        return None
    value = match[1]
    if mark == "asic ":
        if not is_basic(value):
            return None
    elif not is_random(value, 14.0, 20) or is_stand_in(value):
        return None
    form = "basic" if mark == "asic " else "bearer"
    return Token(form=form, value=value, start=match.start(1), end=match.end(1))


def is_basic(value: str, *, strictly: bool = True) -> bool:
    """Say whether a value is a user and a real password in base64, as basic authentication sends them."""
    plain = _decoded(value)
    if plain is None or ":" not in plain or not plain.isprintable():
        return False
    user, _, password = plain.partition(":")
    if not strictly:
        return bool(user and password)
    if len(user) + len(password) < 6 or is_reference(password):
        return False
    return bool(password) and password.lower() not in ("password", "pass", "secret", user.lower())


def _pem(text: str, at: int) -> Token | None:
    match = _PEM.match(text, at)
    if match is None:
        return None
    body = text[match.end() : match.end() + 2000].partition("-----END")[0].replace("\\n", "\n")
    run = _PEM_RUN.search(body, 0, 400)
    if run is None or not is_random(run[0], 18.0, 28) or (is_stand_in(run[0][:40]) and len(run[0]) < 60):
        return None
    end = text.find("-----END", match.end(), match.end() + 20_000)
    end = match.end() + 2000 if end < 0 else end
    return Token(form="pem", value=text[at:end], start=at, end=match.end())


def _jwk(text: str, at: int) -> Token | None:
    """Return the private part of a JSON web key whose `kty` stands at `at`."""
    start, end = max(0, at - 1500), at + 2500
    opened = text.rfind("{", start, at)
    closed = text.find("}", at, end)
    private = _JWK_PRIVATE.search(text, opened if opened > 0 else start, closed if closed > 0 else end)
    if private is None or is_stand_in(private[1]):
        return None
    return Token(form="jwk", value=private[1], start=private.start(1), end=private.end(1))


def _jwt(text: str, at: int) -> Token | None:
    if (
        at
        and (text[at - 1] in _WORD_CHARS or text[at - 1] in "-.")
        and text[at - 2 : at] not in ("\\n", "3D")
    ):
        return None
    match = _JWT.match(text, at)
    if match is None:
        return None
    claims = _claims(match[1])
    if claims is None:
        return None
    detail = ""
    if claims.get("iss") == "supabase" or (
        claims.get("role") in ("anon", "service_role") and "ref" in claims
    ):
        detail = f"supabase:{claims.get('role')}"
    elif claims.get("name") == "John Doe" or claims.get("sub") == "1234567890":
        return None  # The token that the format's own site shows.
    return Token(form="jwt", value=match[0], start=match.start(), end=match.end(), detail=detail)


def _claims(part: str) -> dict[str, object] | None:
    plain = _decoded(part)
    if plain is None:
        return None
    try:
        claims = msgspec.json.decode(plain)
    except msgspec.DecodeError:
        return {} if plain.startswith("{") else None
    return claims if isinstance(claims, dict) else None


def _decoded(value: str) -> str | None:
    try:
        raw = urlsafe_b64decode(
            value.replace("+", "-").replace("/", "_").rstrip("=") + "=" * (-len(value.rstrip("=")) % 4)
        )
        return raw.decode()
    except ValueError:
        return None


def _address(text: str, at: int) -> Token | None:
    if text.find("@", at + 4, at + 330) < 0:
        return None
    left = max(0, at - 41)
    scheme_at = (
        at
        - len(text[left:at])
        + len(text[left:at].rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"))
    )
    match = _ADDRESS.match(text, scheme_at)
    if match is None or match.start(2) != at + 3:
        return None
    return Token(
        form="address",
        value=match[3],
        start=match.start(3),
        end=match.end(3),
        detail=f"{match[1]}\0{match[2]}\0{match[4]}",
    )
