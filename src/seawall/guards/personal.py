"""Finds personal data in a text: addresses, telephone and account numbers, and numbers that states give.

Invariants:
- A text without an at sign and without digits costs a microsecond or two.
- Numbers are found by their shape first, in a copy of the text where every digit is `0` and every letter `A`;
  then by the checksum and the rules of whoever issues them. What could as well be a counter, a date or an
  order number counts only with the word that names it.
- Every repetition is bounded; no finding is longer than LONGEST_PERSONAL.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv6Address
from itertools import pairwise

from seawall.core.findings import Finding
from seawall.guards.checks import (
    IBAN_LENGTHS,
    is_bsn,
    is_cpf,
    is_fiscale,
    is_german,
    is_luhn,
    is_mod97,
    is_nhs,
    is_nino,
    is_nir,
    is_pesel,
    is_spanish,
    is_ssn,
    is_swedish,
    is_tfn,
    is_verhoeff,
)

ALL_KINDS = frozenset(
    {
        "email", "phone", "card", "iban", "ipv4", "ipv6", "us_ssn", "uk_nino", "uk_nhs", "de_tax_id",
        "fr_nir", "es_dni", "es_nie", "it_codice_fiscale", "nl_bsn", "pl_pesel", "se_personnummer", "br_cpf",
        "in_aadhaar", "ca_sin", "au_tfn",
    }
)  # fmt: skip
DEFAULT_KINDS = ALL_KINDS - {"ipv4", "ipv6"}
LONGEST_PERSONAL = 300
WORD_CHARS = 24
"""So far before a number may the word stand that names it."""

LATIN = "".join(map(chr, range(0xC0, 0x250)))
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+'-" + LATIN
_DOMAIN = re.compile(
    r"@(?:[A-Za-z0-9À-ɏ][A-Za-z0-9À-ɏ-]{0,39}\.){1,5}((?:xn--[A-Za-z0-9-]{2,20}|[A-Za-z]{2,24}))(?![A-Za-z0-9À-ɏ_@-])"
)
_FILES = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "json", "html", "md"}
)

_SHAPES = bytes(
    48 if 48 <= code < 58 else 65 if code < 128 and chr(code).isalpha() else code for code in range(256)
)
_NUMBER = re.compile(
    rb"0(?<![A0_\]].)(?=00000|00[ .-]00|0 000|000[ -]000| 00 00|[ .-]000[ .-])(?<![0\]][.,+-].)(?<!\+.)(?:"
    rb"(?P<card>000(?:(?: 0000){3}(?: 000)?|(?:-0000){3}(?:-000)?|[ -]000000[ -]00000?))(?![A0_])"
    rb"|(?P<ssn>00-00-0000)(?![A0_]|-0)"
    rb"|(?P<cpf>00\.000\.000-00)(?![A0_])"
    rb"|(?P<swede>00000(?:00)?[-+]0000)(?![A0_]|-0)"
    rb"|(?P<plain>0{6,18})(?![A0_])"
    rb"|(?P<aadhaar>000(?: 0000 0000|-0000-0000))(?![A0_]|[ -]0)"
    rb"|(?P<nine>00(?: 000 000|-000-000))(?![A0_]|[ -]0)"
    rb"|(?P<german>0 000 000 000)(?![A0_]| 0)"
    rb"|(?P<nir> 00 00 0[0A] 000 000 00)(?![A0_]| 0)"
    rb"|(?P<american>(?:[ .-]0)?00(?: 000[ -]0000|-000-0000|\.000\.0000))(?![A0_]|[,.-]0))"
)
_TRUNK = re.compile(
    r"0(?<![\w.\]]0)(?<![\d\]][.,+-]0)(?<!\+0)(?=(?:[ ./-]?[0-9]){8})(?!\d?[-/.]\d\d?[-/.]\d{4}(?!\d))"
    r"[0-9]{1,5}(?:[ ./-][0-9]{1,8}){1,5}(?![\w:]|[,.-][0-9])",
    re.ASCII,
)
_CALLED = re.compile(rb"0(?<![A0_.\]].)(?=(?:[ ./-]?0){6})0{0,5}(?:[ ./-]0{1,8}){1,5}(?![A0_:]|[,.-]0)")
_ABROAD = re.compile(
    rb"\+(?<![A0_+\]].)(?=(?:[ .()/-]{0,3}0){8})[0(]0{0,14}(?:[ .()/-]{1,3}0{1,12}){0,7}(?![A0_])"
)
_BRACKETED = re.compile(rb"\((?<![A0_\]].)0{2,5}\)[ -]?0{2,8}(?:[ .-]0{2,8}){0,3}(?![A0_]|[.,-]0)")
_BETWEEN = b" ./+()-"
_SIX = re.compile(rb"0(?:[ ./+()-]{0,3}0){5}")
"""Every number but a codice fiscale has six digits in a row, with little between them."""
_IBAN = re.compile(rb"AA00 ?[A0]{4}")
_NINO = (re.compile(rb"AA00 ?00 ?00 ?A(?![A0_])"), re.compile(rb"AA 00 00 00 A(?![A0_])"))
_FISCALE = re.compile(rb"A00A00A000A(?![A0_])")
_SPANISH = (
    re.compile(rb"00000000[- ]?A(?![A0_])"),
    re.compile(rb"00\.000\.000[- ]?A(?![A0_])"),
    re.compile(rb"A0000000-?A(?![A0_])"),
    re.compile(rb"A-0000000-A(?![A0_])"),
)
_SPANISH_SIGNS = (b"00000000", b"00.000.000", b"A0000000", b"A-0000000-A")
_V4 = re.compile(rb"0{1,3}\.0{1,3}\.0{1,3}\.0{1,3}(?![A0_]|\.0)")
_V6 = re.compile(r"(?<![\w:.\]])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])", re.ASCII)
_NANP_ABROAD = re.compile(r"\+1[ .-]?\(?[2-9]\d\d\)?[ .-]{0,2}\d{3}[ .-]?\d{4}(?!\d)", re.ASCII)
_FRENCH = re.compile(r"0[1-9](?:\.\d\d){4}", re.ASCII)
_LISTED = re.compile(r" [0-9\[]")
_LISTED_AFTER = re.compile(r"[0-9\]] ")
_DECIMAL = re.compile(r"[0-9]{1,7}\.[0-9]{1,9}")
_DATED = re.compile(
    r"(?:[0-3]?\d[./ -][01]?\d[./ -](?:19|20)\d\d|(?:19|20)\d\d[./ -][01]?\d[./ -][0-3]?\d)(?!\d)", re.ASCII
)
_COUNTRY_CODE = re.compile(
    r"7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|(?:2[1-69]|3[578]|42|5[09]|6[789]|8[0578]|9[679])\d",
    re.ASCII,
)
"""The calling codes but 1; ITU-T E.164, list of assigned codes, as known in 2026-11."""
_CARD = re.compile(
    r"(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|6[0379])\d{14})",
    re.ASCII,
)
"""Visa, Mastercard, Amex, Diners, Discover, JCB, UnionPay, Maestro: prefixes and lengths, 2026-11."""
WORDS = {
    "ssn": (("ssn", "social"), re.compile(r"\bssn\b(?!\])|social.security")),
    "bsn": (("bsn", "burgers", "sofi"), re.compile(r"\bbsn\b(?!\])|burgerservice|\bsofi")),
    "sin": (("sin", "social", "nas"), re.compile(r"\bsin\b(?!\])|social.insurance|\bnas\b")),
    "tfn": (("tfn", "tax"), re.compile(r"\btfn\b(?!\])|tax.file")),
    "nhs": (("nhs",), re.compile(r"\bnhs\b(?!\])")),
    "german": (
        ("steuer", "idnr", "id-nr", "tax", "tin", "identifikationsn"),
        re.compile(r"steuer|\bid-?nr|identifikationsn|\btax.id\b(?!\])|\btin\b"),
    ),
    "swede": (("personn", "pnr"), re.compile(r"person(?:nummer|nr)(?!\])|\bpnr\b")),
    "aadhaar": (("aadhaar", "uidai"), re.compile(r"aadhaar(?!\])|uidai")),
    "phone": (
        ("tel", "phone", "call", "mobil", "fax", "rufn", "tél"),
        re.compile(r"\btel\b|\btelef|phone(?!\])|\bcall\b|\bmobil|\bfax\b|\brufnummer|\btél"),
    ),
}
"""The words that name a number: what is looked for in the whole text first, and exactly."""
_ORDER = re.compile(
    r"order|invoice|ticket|\bcase\b|\bref|serial|\bsku\b|track|version|\bpart\b|\bitem|rechnung|bestell|isbn|#$"
)
_SEPARATORS = str.maketrans("", "", " -./()+")

Span = tuple[int, int, str]


def find_personal(text: str, kinds: frozenset[str] = DEFAULT_KINDS) -> list[Finding]:
    """Return the personal data of these kinds in a text, in the order in which they stand."""
    spans: list[Span] = []
    if "@" in text and "email" in kinds:
        spans += _emails(text)
    shape = text.encode("ascii", "replace").translate(_SHAPES)  # One byte a character, so that places agree.
    if b"0" in shape:
        spans += [span for span in _numbers(text, shape) if span[2] in kinds]
        if "ipv4" in kinds:
            spans += _v4(text, shape)
    if "ipv6" in kinds and ":" in text:
        spans += _v6(text)
    if not spans:
        return []
    spans.sort(key=lambda span: (span[0], -span[1]))
    return [
        Finding.at(text, "personal", label, (start, end))
        for (_, before, _), (start, end, label) in pairwise([(0, -1, ""), *spans])
        if end > before
    ]


def may_hold(text: str) -> bool:
    """Say whether a text has what all personal data have; where it has not, no part of it has."""
    return "@" in text or ":" in text or b"0" in text.encode("ascii", "replace").translate(_SHAPES)


def _emails(text: str) -> Iterator[Span]:
    """Yield mail addresses: RFC 5321 without quoted local parts, names of files excepted (2026-11)."""
    before = 0
    for match in _DOMAIN.finditer(text):
        at, end = match.span()
        local = text[max(before, at - 64) : at]
        local = local[len(local.rstrip(_LOCAL)) :].lstrip(".'%+-")
        if local and match[1].lower() not in _FILES:
            yield at - len(local), end, "email"
        before = end


class _Reading:
    """A text and what of it is looked up only where a number asks for it."""

    __slots__ = ("_has", "_low", "shape", "text")

    def __init__(self, text: str, shape: bytes) -> None:
        self.text, self.shape = text, shape
        self._low: str | None = None
        self._has: dict[str, bool] = {}

    def has(self, word: str) -> bool:
        """Say whether the word may stand somewhere in the text."""
        has = self._has.get(word)
        if has is None:
            if self._low is None:
                self._low = self.text.lower()
            has = self._has[word] = any(mark in self._low for mark in WORDS[word][0])
        return has

    def says(self, start: int, word: str) -> bool:
        """Say whether the word stands shortly before a number, and for a telephone's no order does."""
        if not self.has(word):
            return False
        before = self._before(start)
        return WORDS[word][1].search(before) is not None and (word != "phone" or not _ORDER.search(before))

    def counts(self, start: int) -> bool:
        """Say whether a word before a number tells that it is an order's, a version's or the like."""
        return _ORDER.search(self._before(start)) is not None

    def _before(self, start: int) -> str:
        """Return what stands shortly before, since the last address or what was redacted."""
        before = self.text[max(0, start - WORD_CHARS) : start].lower().rpartition("]")[2]
        return before if "@" not in before else before.rpartition("@")[2].partition(" ")[2]


def _numbers(text: str, shape: bytes) -> Iterator[Span]:
    yield from _fiscal(text, shape)
    if b"000000" not in shape.translate(None, _BETWEEN) or _SIX.search(shape) is None:
        return
    reading = _Reading(text, shape)
    at = 0
    while (match := _NUMBER.search(shape, at)) is not None:
        start, at = match.span()
        kind = match.lastgroup or ""
        digits = text[start:at] if kind == "plain" else text[start:at].translate(_SEPARATORS)
        label = _CHECKS[kind](reading, start, digits)
        if label:
            yield start, at, label
        elif kind != "plain":
            at = start + 1  # A number may begin with the next group.
    for trunk in _TRUNK.finditer(text):
        span = _trunk(reading, *trunk.span())
        if span is not None:
            yield span
    if reading.has("phone"):
        yield from _called(reading)
    if b"+" in shape:
        yield from _abroad(text, shape)
    if b"(0" in shape:
        yield from _bracketed(reading)
    yield from _lettered(text, shape)


def _plain(reading: _Reading, start: int, digits: str) -> str:
    """Return what a number without separators is: only what a checksum or a word vouches for."""
    length = len(digits)
    if length >= 13:
        return _card(reading, start, digits) or ("fr_nir" if length == 15 and is_nir(digits) else "")
    if length == 11 and is_pesel(digits):
        return "pl_pesel"
    if length == 11 and is_cpf(digits):
        return "br_cpf"
    if length < 7:
        return ""
    if length == 11 and reading.says(start, "german") and is_german(digits):
        return "de_tax_id"
    if length == 12 and reading.says(start, "aadhaar") and is_verhoeff(digits):
        return "in_aadhaar"
    if length == 10 and reading.says(start, "nhs") and is_nhs(digits):
        return "uk_nhs"
    if length in {10, 12} and reading.says(start, "swede") and is_swedish(digits[-10:]):
        return "se_personnummer"
    if length in {8, 9}:
        return _nine(reading, start, digits)
    return "phone" if reading.says(start, "phone") else ""


def _nine(reading: _Reading, start: int, digits: str) -> str:
    """Return what eight or nine digits are; without the word that names them, only a dashed SIN."""
    if len(digits) == 9 and is_luhn(digits):
        is_dashed = reading.text[start + 3] == "-" and digits[0] not in "08" and not reading.counts(start)
        if is_dashed or reading.says(start, "sin"):
            return "ca_sin"
    if len(digits) == 9 and reading.says(start, "ssn") and is_ssn(digits):
        return "us_ssn"
    if reading.says(start, "bsn") and is_bsn(digits.zfill(9)):
        return "nl_bsn"
    if reading.says(start, "tfn") and is_tfn(digits):
        return "au_tfn"
    return "phone" if reading.says(start, "phone") else ""


def _card(_reading: _Reading, _start: int, digits: str) -> str:
    is_card = _CARD.fullmatch(digits) is not None and len(set(digits)) > 1 and is_luhn(digits)
    return "card" if is_card else ""


def _ssn(reading: _Reading, start: int, digits: str) -> str:
    return "us_ssn" if is_ssn(digits) and not reading.counts(start) else ""


def _cpf(_reading: _Reading, _start: int, digits: str) -> str:
    return "br_cpf" if is_cpf(digits) else ""


def _swede(_reading: _Reading, _start: int, digits: str) -> str:
    return "se_personnummer" if is_swedish(digits[-10:]) else ""


def _aadhaar(_reading: _Reading, _start: int, digits: str) -> str:
    """Check an Aadhaar number: first digit 2 to 9, Verhoeff (UIDAI, 2026-11)."""
    return "in_aadhaar" if digits[0] > "1" and is_verhoeff(digits) else ""


def _german(_reading: _Reading, _start: int, digits: str) -> str:
    return "de_tax_id" if is_german(digits) else ""


def _nir(_reading: _Reading, _start: int, digits: str) -> str:
    return "fr_nir" if is_nir(digits) else ""


def _american(reading: _Reading, start: int, digits: str) -> str:
    """Return what ten digits in three groups are: area and exchange begin with 2 to 9 (NANPA, 2026-11)."""
    if len(digits) == 10 and reading.says(start, "nhs") and is_nhs(digits):
        return "uk_nhs"
    local = digits[-10:]
    is_dialled = len(digits) == 10 or digits[0] == "1"
    is_phone = is_dialled and local[0] > "1" and local[3] > "1" and not reading.counts(start)
    if is_phone or reading.says(start, "phone"):
        return "phone"
    return "uk_nhs" if len(digits) == 10 and is_nhs(digits) else ""


_CHECKS: dict[str, Callable[[_Reading, int, str], str]] = {
    "card": _card, "plain": _plain, "ssn": _ssn, "cpf": _cpf, "swede": _swede, "aadhaar": _aadhaar,
    "nine": _nine, "german": _german, "nir": _nir, "american": _american,
}  # fmt: skip


def _trunk(reading: _Reading, start: int, end: int) -> Span | None:
    """Return a telephone number with a leading zero, or two before a calling code."""
    text = reading.text
    is_abroad = text[start + 1] == "0"
    end = _cut(text, start, end, most=16 if is_abroad else 11)
    written = text[start:end]
    digits = written.translate(_SEPARATORS)
    if is_abroad:
        is_phone = len(digits) >= 10 and _COUNTRY_CODE.match(digits, 2) is not None
    else:
        is_phone = len(digits) >= 9 and ("." not in written or _FRENCH.fullmatch(written) is not None)
    is_named_else = is_phone and (_is_listed(text, start, end) or reading.counts(start))
    return (start, end, "phone") if is_phone and not is_named_else else None


def _is_listed(text: str, start: int, end: int) -> bool:
    """Say whether groups of one length stand among others, as codes of characters do."""
    lengths = set(map(len, text[start:end].split(" ")))
    if lengths not in ({3}, {4}):
        return False
    before = text[max(0, start - 2) : start]
    return _LISTED.match(text, end) is not None or _LISTED_AFTER.search(before) is not None


def _called(reading: _Reading) -> Iterator[Span]:
    """Yield numbers in groups that a word calls a telephone number."""
    for match in _CALLED.finditer(reading.shape):
        start = match.start()
        if reading.says(start, "phone"):
            end = _cut(reading.text, start, match.end(), most=12)
            written = reading.text[start:end]
            is_date_or_price = _DATED.match(written) or _DECIMAL.fullmatch(written)
            if len(written.translate(_SEPARATORS)) >= 7 and not is_date_or_price:
                yield start, end, "phone"


def _bracketed(reading: _Reading) -> Iterator[Span]:
    """Yield telephone numbers with the area code in brackets."""
    for match in _BRACKETED.finditer(reading.shape):
        start = match.start()
        end = _cut(reading.text, start, match.end(), most=11)
        digits = reading.text[start:end].translate(_SEPARATORS)
        if len(digits) >= 9 and not reading.counts(start):
            yield start, end, "phone"


def _cut(text: str, start: int, end: int, most: int) -> int:
    """Return where a number of at most so many digits ends, by whole groups."""
    left = sum(map(str.isdigit, text[start:end]))
    while left > most:
        group = end
        while group > start and text[group - 1].isdigit():
            group -= 1
        left -= end - group
        end = group
        while end > start and not text[end - 1].isdigit():
            end -= 1
        if start in {group, end}:
            break
    return end


def _abroad(text: str, shape: bytes) -> Iterator[Span]:
    """Yield international numbers: an assigned calling code, 8 to 15 digits (ITU-T E.164, 2026-11)."""
    for match in _ABROAD.finditer(shape):
        start = match.start()
        american = _NANP_ABROAD.match(text, start)
        if american is not None:
            yield start, american.end(), "phone"
            continue
        end = _cut(text, start, match.end(), most=15)
        digits = text[start:end].translate(_SEPARATORS)
        if len(digits) >= 8 and _COUNTRY_CODE.match(digits) and len(set(digits)) > 2:
            yield start, end, "phone"


def _fiscal(text: str, shape: bytes) -> Iterator[Span]:
    for match in _FISCALE.finditer(shape) if b"A00A00A000A" in shape else ():
        start = match.start() - 5
        if start >= 0 and _begins(shape, start) and is_fiscale(text[start : match.end()].upper()):
            yield start, match.end(), "it_codice_fiscale"


def _lettered(text: str, shape: bytes) -> Iterator[Span]:
    is_after_letters = b"AA00" in shape
    for match in _IBAN.finditer(shape) if is_after_letters else ():
        end = _iban_end(text, match.start()) if _begins(shape, match.start()) else 0
        if end:
            yield match.start(), end, "iban"
    for pattern in _NINO if is_after_letters or b"AA 00 " in shape else ():
        for match in pattern.finditer(shape):
            if _begins(shape, match.start()) and is_nino(text[match.start() : match.end()].replace(" ", "")):
                yield *match.span(), "uk_nino"
    for pattern in _SPANISH if any(map(shape.__contains__, _SPANISH_SIGNS)) else ():
        for match in pattern.finditer(shape):
            letters = "".join(filter(str.isalnum, text[match.start() : match.end()])).upper()
            if _begins(shape, match.start()) and is_spanish(letters):
                yield *match.span(), "es_nie" if letters[0] in "XYZ" else "es_dni"


def _begins(shape: bytes, start: int) -> bool:
    return start == 0 or shape[start - 1] not in b"A0_]"


def _iban_end(text: str, start: int) -> int:
    """Return where the IBAN that begins here ends, 0 where there is none."""
    length = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    if not length:
        return 0
    end = start + length
    for _ in range(4):
        written = text[start:end]
        end = start + length + written.count(" ") + written.count("-")
    letters = text[start:end].translate(_SEPARATORS)
    is_whole = len(letters) == length and letters.isascii() and letters.isalnum()
    if not is_whole or (end < len(text) and text[end].isascii() and text[end].isalnum()):
        return 0
    return end if is_mod97(letters.upper()) else 0


def _v4(text: str, shape: bytes) -> Iterator[Span]:
    for match in _V4.finditer(shape):
        start, end = match.span()
        is_alone = _begins(shape, start) and shape[start - 1 : start] != b"."
        if is_alone and all(int(part) < 256 for part in text[start:end].split(".")):
            yield start, end, "ipv4"


def _v6(text: str) -> Iterator[Span]:
    for match in _V6.finditer(text):
        try:
            address = IPv6Address(match[0])
        except AddressValueError:
            continue
        if address.packed[:2] != b"\0\0":
            yield *match.span(), "ipv6"
