"""Reads what is written in code: base64, hexadecimal, escapes and the like, where they stand in a text.

Invariants:
- Code is no evidence: what comes out is looked at like any other text, and what is no text stays as it was.
- What is nested is opened `DEPTH_MAX` times, and what comes out is bounded by what went in. Every expression
  runs in linear time.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from html import unescape
from urllib.parse import unquote

from seawall.guards.signs import may_be_morse, may_be_numbers, may_be_uuencoded

DEPTH_MAX = 3
TOKEN_CHARS = 16
"""Text in code without spaces is no shorter."""
SAMPLE_CHARS = 400
"""By so much of what was decoded it is judged whether it is text."""
NUMBERS = 4
"""Text in numbers has so many of them at least."""
_TEXT_SHARE = 0.9
"""So much of what was decoded has to be letters, digits, spaces or plain punctuation."""

_PUNCTUATION = " \n\t.,;:!?'\"()-_/<>=[]{}#*@&+$%"
_LETTERS = bytes(code for code in range(128) if chr(code).isalpha())
_PLAIN = _LETTERS + b"0123456789" + _PUNCTUATION.encode()
_ASCII85_ZERO = sum(33 * 85**place for place in range(5))
"""What the digits of ASCII85 count as characters."""
_DIGIT = re.compile("[0-9]{2}")
_WRAPPED = re.compile(r"(?:\r\n(?<=[A-Za-z0-9+/]{60}\r\n)|\n(?<=[A-Za-z0-9+/]{60}\n))(?=[A-Za-z0-9+/=])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_BASE32 = re.compile(r"[A-Z2-7](?<![A-Za-z0-9].)[A-Z2-7]{15,}={0,6}(?![A-Za-z0-9=])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ :,]{0,2}){8,}(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<![01])(?:[01]{8}[ ,]{0,2}){4,}(?![01])")
_DECIMAL = re.compile(r"(?<![\d.])(?:\d{2,3}[ ,;]{1,2}){7,}\d{2,3}(?![\d.])")
_ESCAPES = re.compile(r"(?:\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[0-7]{3}){4,}")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\([0-7]{3})")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~-]{0,24}){3,}")
_QUOTED = re.compile(r"(?:=[0-9A-F]{2}[^\s=]{0,24}){3,}")
_ENTITIES = re.compile(r"(?:&#[xX]?[0-9A-Fa-f]{2,6};[^\s&]{0,24}){3,}")
_ASCII85 = re.compile(r"(?<![!-~])(?:<~)?[!-u]{20,}(?:~>)?(?![!-~])")
_UU = re.compile(r"(?m)^[!-M][ -`]{8,84}$")
_MORSE = re.compile(r"(?<![.\-\w])(?:[.\-]{1,6}[ /]{1,3}){6,}[.\-]{1,6}(?![.\-\w])")
_BRAILLE = re.compile("[\u2801-\u28ff][\u2800-\u28ff ]{7,}")

_MORSE_CODE = dict(
    zip(
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
            "-----",
            ".----",
            "..---",
            "...--",
            "....-",
            ".....",
            "-....",
            "--...",
            "---..",
            "----.",
        ],
        "abcdefghijklmnopqrstuvwxyz0123456789",
        strict=True,
    )
)
_BRAILLE_CODE = str.maketrans("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵⠀", "abcdefghijklmnopqrstuvwxyz ")


def decode(text: str, words: Sequence[str], longest: int) -> str | None:
    """Return the text with everything in it decoded that is text in code, `None` where there is nothing.

    `words` are what stands between its spaces, the longest of them of so many characters.
    """
    is_long, has_numbers = longest >= TOKEN_CHARS, sum(map(str.isdigit, words)) >= NUMBERS
    if not (is_long or has_numbers or any(sign in text for sign in _SIGNS)):
        return None
    decoded = text
    for _ in range(DEPTH_MAX):
        after = _decode_once(decoded)
        if after == decoded:
            break
        decoded = after
    return None if decoded == text else decoded


def _decode_once(text: str) -> str:
    words = text.split()
    is_long = max(map(len, words), default=0) >= TOKEN_CHARS
    if is_long and "\n" in text:
        text = _WRAPPED.sub("", text)
    for mark, signs, pattern, read in _CODES:
        is_there = mark in text if isinstance(mark, str) else mark(text.encode("ascii", "replace"))
        if is_there and any(sign in text for sign in signs):
            text = pattern.sub(_reading(read), text)
    has_numbers = not text.isascii() or may_be_numbers(text.encode())
    if has_numbers and _DIGIT.search(text) is not None:
        for pattern, read in _NUMBER_CODES:
            text = pattern.sub(_reading(read), text)
    for pattern, read in _LONG_CODES if is_long else ():
        text = pattern.sub(_reading(read), text)
    return text


def _reading(read: Callable[[str], str | bytes]) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        try:
            value = read(found[0])
        except (ValueError, binascii.Error, KeyError, OverflowError):
            return found[0]
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return f" {value} " if _is_text(value) else found[0]

    return replace


def _is_text(value: str) -> bool:
    """Say whether something could be meant to be read: letters mostly, no control characters."""
    if len(value) < 4:
        return False
    sample = value[:SAMPLE_CHARS]
    if "\ufffd" in sample:
        return False
    if sample.isascii():
        data = sample.encode()
        plain, letters = (
            len(sample) - len(data.translate(None, _PLAIN)),
            len(sample) - len(data.translate(None, _LETTERS)),
        )
    else:
        plain, letters = (
            sum(each.isalnum() or each in _PUNCTUATION for each in sample),
            sum(map(str.isalpha, sample)),
        )
    return plain >= _TEXT_SHARE * len(sample) and letters >= 0.45 * len(sample)


def _from_base64(found: str) -> bytes:
    body = found.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    return base64.b64decode(body + "=" * (-len(body) % 4))


def _from_base32(found: str) -> bytes:
    body = found.rstrip("=")
    return base64.b32decode(body + "=" * (-len(body) % 8))


def _from_hex(found: str) -> bytes:
    return bytes.fromhex(re.sub(r"0x|\\x|[ :,]", "", found))


def _from_binary(found: str) -> bytes:
    return bytes(int(each, 2) for each in re.findall("[01]{8}", found))


def _from_decimal(found: str) -> str:
    codes = [int(each) for each in re.findall(r"\d+", found)]
    if not all(32 <= code < 127 for code in codes):
        raise ValueError("no ASCII")
    return "".join(map(chr, codes))


def _from_escapes(found: str) -> str:
    def read(escape: re.Match[str]) -> str:
        return chr(int(escape[1] or escape[2] or "0", 16)) if escape[3] is None else chr(int(escape[3], 8))

    return _ESCAPE.sub(read, found)


def _from_quoted(found: str) -> bytes:
    return binascii.a2b_qp(found.encode("utf-8", "replace"))


def _from_ascii85(found: str) -> bytes:
    """Decode ASCII85, which takes long; what is no text is known by its beginning."""
    body = found.removeprefix("<~").removesuffix("~>")
    for chars in (5, 20):  # Five characters are four bytes; of a beginning the last character may be cut off.
        if "\ufffd" in _ascii85(body[:chars])[:-1]:
            raise ValueError("no text")
    if len(body) > 5 * SAMPLE_CHARS and not _is_text(_ascii85(body[: 5 * SAMPLE_CHARS])):
        raise ValueError("no text")
    return base64.a85decode(body)


def _ascii85(body: str) -> str:
    """Return what the beginning of such a code says, by fours of bytes."""
    data = bytearray()
    for first, second, third, fourth, fifth in zip(*[iter(body.encode())] * 5, strict=False):
        number = (((first * 85 + second) * 85 + third) * 85 + fourth) * 85 + fifth - _ASCII85_ZERO
        data += number.to_bytes(4, "big")  # Raises OverflowError where it is none.
    return data.decode("utf-8", "replace")


def _from_uu(found: str) -> bytes:
    return binascii.a2b_uu(found)


def _from_morse(found: str) -> str:
    words = re.split(r" {2,}|\s?/\s?", found)
    return " ".join("".join(_MORSE_CODE[letter] for letter in word.split()) for word in words)


def _from_braille(found: str) -> str:
    return found.translate(_BRAILLE_CODE)


_Code = Callable[[str], str | bytes]

_CODES: tuple[tuple[str | Callable[[bytes], bool], tuple[str, ...], re.Pattern[str], _Code], ...] = (
    ("\\", ("\\x", "\\u", "\\0", "\\1"), _ESCAPES, _from_escapes),
    ("&", ("&#",), _ENTITIES, unescape),
    ("%", ("%2", "%3", "%4", "%5", "%6", "%7", "%c", "%C", "%e", "%E"), _PERCENT, unquote),
    ("=", ("=2", "=3", "=4", "=5", "=6", "=7", "=C", "=E"), _QUOTED, _from_quoted),
    (may_be_morse, ("-.", ".-", "- -", ". ."), _MORSE, _from_morse),
    ("", ("⠞", "⠑"), _BRAILLE, _from_braille),
    (may_be_uuencoded, ("\nM", "\n#", "\n+", "\n/", "`"), _UU, _from_uu),
)
"""Codes, with a mark or a test and with signs of which one is needed: else they are not looked for."""

_SIGNS = ("\\", "&", "%", "=", "`", "-.", ".-", "\u281e")
"""At least one of these is in every text with such a code; they are looked for first."""

_NUMBER_CODES: tuple[tuple[re.Pattern[str], _Code], ...] = (
    (_BINARY, _from_binary),
    (_DECIMAL, _from_decimal),
    (_HEX, _from_hex),
)
_LONG_CODES: tuple[tuple[re.Pattern[str], _Code], ...] = (
    (_BASE32, _from_base32),
    (_BASE64, _from_base64),
    (_ASCII85, _from_ascii85),
)
