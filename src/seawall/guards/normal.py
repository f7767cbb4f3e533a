"""Brings a text into one form, however it was dressed up: what is equal to a reader is equal afterwards.

Invariants:
- Any text at all goes in, lone surrogates included; the work grows with its length and no faster.
- Letters that only look like Latin ones become Latin where the word, or the text around it, is Latin. A word
  of another script stays as it is.
- Text that is written in invisible characters comes back beside the visible one; it does not vanish.
"""

import re
import unicodedata
from functools import lru_cache, partial

from msgspec import Struct

SAMPLE_CHARS = 400
OTHERS_MAX = 256
"""A text with more different characters above ASCII is brought into its form without a first look at them."""
_ASCII = bytes(range(128))

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_INVISIBLE}]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
_BLESSINGS = re.compile("[\ufdfa\ufdfb]+")
"""Two characters of which NFKC makes 18 and 8; a page of them would be looked at for half a second."""
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,}")
_MARKS = re.compile("(?<=[a-z])[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
_LATIN = re.compile("[a-z]")
_ALIKE = "\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff\ua4d0-\ua4ff"
_FOREIGN_WORD = re.compile(f"(?<![a-z])[a-z]*[{_ALIKE}][a-z{_ALIKE}]*")
_EMOJI = b"\xf0\x9f"
"""With these bytes of UTF-8 the dressed letters begin, and every emoji."""
_DRESSED = {first + place: 0x61 + place for first in (0x1F150, 0x1F170, 0x1F1E6) for place in range(26)}

_LOOKALIKES = str.maketrans(
    "\u0430\u0441\u0435\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0455\u0442\u0443\u0445\u0432\u0501\u051b\u051d\u04bb\u0433\u04cf\u0437\u044c\u0457\u0491\u0442\u043f\u0438"
    "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b7\u03b3\u03c9\u03f2\u03f3\u03b2\u03c3"
    "\u0585\u057d\u0578\u0570\u0563\u0566\u0581\u0575\u13a5\u13aa\u13ac\u13e2",
    "aceijkmhopstyxbdqwhrlebirtnuaeikvoptuxnywcjboounhqqgjkahs",
)
"""Lower-case letters of Cyrillic, Greek, Armenian and Cherokee that look like Latin ones (Unicode
confusables.txt 16.0, the single-letter pairs, and those that people use for it besides)."""

_SMALL = str.maketrans(
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıȷøłđħɑɡəɛɩɹʇʌʍ",
    "abcdefghijklmnoprstuvwyzijoldhageeirtvm",
)
"""Small capitals and other Latin letters that NFKC leaves as they are."""
_SMALL_LETTER = re.compile(f"[{''.join(map(chr, _SMALL))}]")


class Normal(Struct, frozen=True):
    """A text in its plain form, lower case; `cased` is the same with its capitals.

    `hidden` is what was written in invisible characters, `unseen` counts them, and `changed` the letters that
    only looked like Latin ones.
    """

    text: str
    cased: str
    hidden: str = ""
    unseen: int = 0
    changed: int = 0


def normalise(text: str) -> Normal:
    """Bring a text into its plain form: NFKC, lower case, without what cannot be seen.

    Unicode Standard Annex 15 (normalisation) and Technical Standard 39 (confusables).
    """
    if text.isascii():
        plain = text if text.isprintable() else _CONTROLS.sub("", text)
        return Normal(plain.lower(), plain)
    if _is_inert(text):
        plain = text if text.isprintable() else _CONTROLS.sub("", text)
        return Normal(plain.lower(), plain)
    hidden = _hidden(text)
    seen, unseen = _UNSEEN.subn("", text)
    cased = _CONTROLS.sub("", unicodedata.normalize("NFKC", _BLESSINGS.sub(" ", seen)))
    plain = cased.translate(_DRESSED) if _EMOJI in cased.encode("utf-8", "surrogatepass") else cased
    plain = unicodedata.normalize("NFC", plain.casefold())
    if plain.isascii():
        return Normal(plain, cased, hidden, unseen)
    plain = _MARKS.sub("", plain if _SMALL_LETTER.search(plain) is None else plain.translate(_SMALL))
    if _LATIN.search(plain) is None:
        return Normal(plain, cased, hidden, unseen)
    latin = _FOREIGN_WORD.sub(partial(_make_latin, is_latin=_is_latin(plain)), plain)
    changed = 0 if latin == plain else sum(map(str.__ne__, plain, latin))
    return Normal(latin, cased, hidden, unseen, changed)


def beyond_ascii(text: str) -> str:
    """Return the characters of a text that are not ASCII, in order."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _is_inert(text: str) -> bool:
    """Say whether nothing in a text has a plain form of its own, but for capitals and controls of ASCII."""
    others = beyond_ascii(text)
    if len(frozenset(others[: 4 * OTHERS_MAX])) > OTHERS_MAX:
        return False
    different = frozenset(others)
    return len(different) <= OTHERS_MAX and all(map(_stays, different))


@lru_cache(maxsize=4096)
def _stays(char: str) -> bool:
    """Say whether a character above ASCII is its own plain form, whatever stands beside it.

    Marks and the letters of Hangul make one character with what stands before; outside the basic plane some
    letters do.
    """
    kind = unicodedata.category(char)
    return (
        kind[0] in ("LNPSZ" if char < "\U00010000" else "S")
        and not "\u1100" <= char <= "\u11ff"
        and char == char.lower() == char.casefold() == unicodedata.normalize("NFKC", char)
        and char == char.translate(_DRESSED) == char.translate(_SMALL)
        and _UNSEEN.match(char) is None
        and _FOREIGN_WORD.match(char) is None
    )


def _is_latin(plain: str) -> bool:
    """Say whether most letters of a text are Latin, judged by how it begins."""
    letters = [each for each in plain[:SAMPLE_CHARS] if each.isalpha()]
    return 2 * sum(map(str.isascii, letters)) > len(letters)


def _make_latin(word: re.Match[str], *, is_latin: bool) -> str:
    """Make a word Latin that is meant to be read as if it were."""
    found = word[0]
    written = found.translate(_LOOKALIKES)
    has_latin = _LATIN.search(found) is not None
    return written if has_latin or (is_latin and written.isascii()) else found


def _hidden(text: str) -> str:
    """Return what is written in tag characters, or as bytes in variation selectors; "" for nothing.

    Tag characters mirror ASCII from U+E0000; variation selectors 1 to 256 can carry a byte each.
    """
    found = "".join(chr(ord(each) - 0xE0000) for run in _TAGS.findall(text) for each in run)
    for run in _SELECTORS.findall(text):
        codes = (ord(each) for each in run)
        data = bytes(code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16 for code in codes)
        found += data.decode("utf-8", "replace")
    return found.strip()
