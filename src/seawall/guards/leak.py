"""The app's instructions in an answer: the canary that was put into them, and runs of their words.

Invariants:
- A run is at least eight words in a row that stand in the instructions too; in scripts without spaces, three
  characters count as a word. Case, punctuation, markup and invisible characters make no difference.
- What the user said is no leak, though it stands in the instructions as well.
- In pieces, nothing of a run or of the canary leaves before it is found, if what `held` says stays back.
"""

import codecs
import hmac
import re
from base64 import b32encode, b64encode
from collections.abc import Iterable, Sequence
from itertools import accumulate
from unicodedata import is_normalized, normalize

from msgspec import Struct

from seawall.core.findings import Finding, digest_of

RUN_WORDS = 8
SHORT_WORDS_MIN = 3
"""Instructions of fewer words are not looked for: they stand in any text."""
PROMPT_CHARS_MAX = 262_144
HELD_CHARS_MAX = 1_024
PENDING_CHARS_MAX = 256
WORD_CHARS_MAX = 64
PIECE_CHARS = 512
"""A longer piece is searched for the canary as a whole first."""
AT_ONCE_CHARS = 128
"""In a longer piece words are given their places only where a run of them is."""
LONG_PIECE_CHARS = 4_096
"""A longer piece is searched for runs as a whole first; where there is none, its tail is enough."""
TAIL_CHARS = 2_048
_WEIGHT = 3
"""Of a word; a character of a script without spaces weighs 1."""
_RUN_WEIGHT = RUN_WORDS * _WEIGHT
_UNSPACED_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_INVISIBLE_RANGES = "\xad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff"
_MARK_RANGES = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff"
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_INVISIBLE_MARK = re.compile(f"[{_INVISIBLE_RANGES}]")
_INVISIBLE = re.compile(f"[{_INVISIBLE_RANGES}\\s]+")
_PLAIN_WORD = re.compile("[A-Za-z0-9]+")
_WORD = re.compile(f"(?:[^\\W_]|[{_MARK_RANGES}{_INVISIBLE_RANGES}])+")
_MIXED_WORD = re.compile(
    f"[{_UNSPACED_RANGES}]|(?:(?![{_UNSPACED_RANGES}])[^\\W_]|[{_MARK_RANGES}{_INVISIBLE_RANGES}])+"
)
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
"""Invisible characters that stand for ASCII (Unicode 16, Tags)."""
_SEPARATORS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalnum())
_ONLY_WORDS = bytes(32 if code in _SEPARATORS else ord(chr(code).lower()) for code in range(256))


class Overlap(Struct, frozen=True):
    """What an answer shares with the instructions: so much of their runs, and the longest of its own."""

    share: float = 0.0
    longest_run_words: int = 0


def canary_for(secret: bytes, text: str) -> str:
    """Return what to hide in instructions: the same for the same text, not to be guessed without the secret.

    It is 20 characters of A-Z and 2-7, 100 bits of HMAC-SHA-256.
    """
    mac = hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")
    return b32encode(mac)[:20].decode("ascii")


class SystemPrompts:
    """The instructions of an app, ready to be looked for; made once, shared by all answers."""

    __slots__ = ("_index", "_known", "_least", "_shorts", "_size", "beginnings", "needles", "words")

    def __init__(self, texts: Sequence[str], canary: str | None = None) -> None:
        self.needles = _needles_of(canary) if canary else ()
        self.beginnings = {needle[:end] for needle in self.needles for end in range(len(needle) + 1)}
        self._index: set[str] = set()
        self._shorts: dict[int, set[str]] = {}
        self._known: set[str] = set()
        lines = []
        for text in texts:
            words = _words_of(text[:PROMPT_CHARS_MAX])
            self._known.update(words)
            grams = _grams_of(words)
            self._index.update(grams.texts)
            if not grams.texts and len(words) >= SHORT_WORDS_MIN:
                self._shorts.setdefault(len(words), set()).add(" ".join(words))
            lines.append(" ".join(words))
        self._least = min(self._shorts, default=RUN_WORDS)
        self._size = len(self._index) + sum(map(len, self._shorts.values()))
        self.words = f" {' | '.join(lines)} "

    def find(self, answer: str, said: Sequence[str] = ()) -> list[Finding]:
        """Return the canary and the runs in an answer; `score` is the share of the instructions in it."""
        found = [Finding.at(answer, "leak", "canary", span) for span in _canary_spans(answer, self.needles)]
        words = _words_of(answer)
        hits = self.hits_in(words, self.seen_in(said))
        if not hits:
            return found
        share, spans = self.share_of({text for _, _, text in hits}), _word_spans(answer)
        for start, end in _merged(hits):
            span = (spans[start][0], spans[end][1])
            found.append(Finding.at(answer, "leak", "overlap", span, share))
        return found

    def overlap(self, answer: str, said: Sequence[str] = ()) -> Overlap:
        """Return how much of the instructions an answer holds."""
        hits = self.hits_in(_words_of(answer), self.seen_in(said))
        longest = max((end - start + 1 for start, end in _merged(hits)), default=0)
        return Overlap(self.share_of({text for _, _, text in hits}), longest)

    def scan(self, said: Sequence[str] = ()) -> "LeakScan":
        """Begin to look at an answer that comes in pieces."""
        return LeakScan(self, said)

    def share_of(self, texts: set[str]) -> float:
        """Return how much of the instructions these runs are, from 0 to 1."""
        return round(len(texts) / self._size, 4) if self._size else 0.0

    def seen_in(self, said: Sequence[str]) -> set[str]:
        """Return the runs of the instructions that the user said."""
        return {text for each in said for _, _, text in self.hits_in(_words_of(each), set())}

    def hits_in(self, words: list[str], said: set[str]) -> list[tuple[int, int, str]]:
        """Return the runs of the instructions among some words, by their first and last word."""
        if not self._may_hold(words):
            return []
        hits = []
        for length, texts in [(0, self._index), *self._shorts.items()]:
            grams = _grams_of(words, length)
            if not texts.isdisjoint(grams.texts):
                hits += [
                    (start, end, text)
                    for text, start, end in zip(grams.texts, grams.starts, grams.ends, strict=True)
                    if text in texts and text not in said
                ]
        return sorted(hits)

    def _may_hold(self, words: list[str]) -> bool:
        """Say whether so many words in a row are words of the instructions, in whatever order."""
        return b"\1" * min(self._least, RUN_WORDS) in bytes(map(self._known.__contains__, words))


class LeakScan:
    """Looks at an answer that comes in pieces. Findings count from the beginning of the answer.

    A run is reported when it is long enough, and again, from its start, with each piece that it goes on in.
    """

    __slots__ = (
        "_code", "_excused", "_length", "_pending", "_places", "_prompts", "_run", "_said", "_seen", "_spans",
        "_words",
    )  # fmt: skip

    def __init__(self, prompts: SystemPrompts, said: Sequence[str] = ()) -> None:
        self._prompts, self._said = prompts, said
        self._excused: set[str] | None = None
        self._length = 0
        self._pending = ""
        self._words: list[str] = []
        self._spans: list[tuple[int, int]] = []
        self._run: tuple[int, int] | None = None
        self._seen: set[str] = set()
        self._code, self._places = b"", list[int]()

    def may_find(self, text: str) -> bool:
        """Say whether anything may be found in an answer that is no more than this text."""
        needles = self._prompts.needles
        if len(text) > LONG_PIECE_CHARS or (needles and any(map(_code_of(text).__contains__, needles))):
            return True
        words = _words_of(text) if text.isascii() else _words_and_spans(text)[0]
        return bool(self._hits_in(words))

    def feed(self, piece: str) -> list[Finding]:
        """Look at the next piece; returns what is complete with it."""
        found = self._find_canary(piece)
        text = self._pending + piece
        offset = self._length - len(self._pending)
        self._length += len(piece)
        if len(text) > LONG_PIECE_CHARS and not self._hits_in(self._words + _words_of(text)):
            offset, text = offset + len(text) - TAIL_CHARS, text[-TAIL_CHARS:]
            self._words, self._spans = [], []
        if len(text) > AT_ONCE_CHARS and text.isascii() and self._passed(text, offset):
            return found
        words, spans = _words_and_spans(text)
        self._pending = ""
        if spans and spans[-1][1] == len(text) and not _UNSPACED.match(text, spans[-1][0]):
            self._pending = text[spans.pop()[0] :]
            words.pop()
        if len(self._pending) > PENDING_CHARS_MAX:  # No word of any instructions: its end is enough.
            self._pending = "0" * PENDING_CHARS_MAX
        return found + self._take(words, [(offset + start, offset + end) for start, end in spans])

    def _passed(self, text: str, offset: int) -> bool:
        """Go past a piece of ASCII and remember its last words; False where a run may be in it."""
        words = _words_of(text)
        if self._hits_in(self._words + words):
            return False
        self._pending = ""
        if words and text[-1].isalnum():
            size = len(words.pop())
            self._pending = text[-size:] if size <= PENDING_CHARS_MAX else "0" * PENDING_CHARS_MAX
            text = text[:-size]
        new = words[-_RUN_WEIGHT:]
        self._words = [*self._words, *new][-_RUN_WEIGHT:]
        self._spans = [*self._spans, *_last_spans(text, new, offset)][-_RUN_WEIGHT:]
        return True

    def end(self) -> list[Finding]:
        """Return what is still to be found where nothing follows."""
        pending, self._pending = self._pending, ""
        start = self._length - len(pending)
        words = _words_of(pending)
        return self._take(words, [(start, self._length)] * len(words))

    def held(self) -> int:
        """Return how many characters at the end may belong to a run, or the canary, not yet found."""
        start = min(self._run_start(), self._canary_start())
        return min(self._length - start, HELD_CHARS_MAX)

    def _take(self, words: list[str], spans: list[tuple[int, int]]) -> list[Finding]:
        if not words:
            return []
        known = len(self._words)
        self._words += words
        self._spans += spans
        hits = [hit for hit in self._hits_in(self._words) if hit[1] >= known]
        self._seen.update(text for _, _, text in hits)
        share = self._prompts.share_of(self._seen) if hits else 0.0
        found = []
        for first, last in _merged(hits):
            start, end = self._spans[first][0], self._spans[last][1]
            if self._run is not None and start < self._run[1]:
                start = self._run[0]
            self._run = (start, end)
            digest = digest_of(" ".join(self._words[first : last + 1]))
            found.append(Finding("leak", "overlap", start, end, share, digest))
        del self._words[:-_RUN_WEIGHT], self._spans[:-_RUN_WEIGHT]
        return found

    def _hits_in(self, words: list[str]) -> list[tuple[int, int, str]]:
        """Return the runs among some words; what the user said is looked at where there is any."""
        hits = self._prompts.hits_in(words, set())
        if hits and self._excused is None:
            self._excused = self._prompts.seen_in(self._said)
        return [hit for hit in hits if hit[2] not in (self._excused or ())]

    def _run_start(self) -> int:
        """Return where the longest run begins that the text ends with; without one, where the text ends."""
        tail, start = " ", self._length
        if self._pending:
            words = _words_of(self._pending)
            if len(words) != 1 or f" {words[0]}" not in self._prompts.words:
                return start
            tail, start = f" {words[0]}", self._length - len(self._pending)
        for word, span in zip(reversed(self._words), reversed(self._spans), strict=True):
            tail = f" {word}{tail}"
            if tail not in self._prompts.words:
                break
            start = span[0]
            if self._run is not None and span[1] <= self._run[1]:
                return min(start, self._run[0])
        return start

    def _find_canary(self, piece: str) -> list[Finding]:
        """Follow the longest end of the text that some form of the canary begins with."""
        needles, beginnings = self._prompts.needles, self._prompts.beginnings
        if not needles:
            return []
        offset = self._length
        if len(piece) > PIECE_CHARS and not any(map((self._code + _code_of(piece)).__contains__, needles)):
            self._code, self._places = b"", []
            offset, piece = offset + len(piece) - PIECE_CHARS, piece[-PIECE_CHARS:]
        found = []
        codes, places = _codes_of(piece)
        code, starts = self._code, self._places
        for index, place in enumerate(places):
            code += codes[index : index + 1]
            starts.append(offset + place)
            while code not in beginnings:
                code = code[1:]
                del starts[0]
            if code in needles:
                digest = digest_of(code.decode("ascii"))
                found.append(Finding("leak", "canary", starts[0], offset + place + 1, 1.0, digest))
                code = b""
                starts.clear()
        self._code = code
        return found

    def _canary_start(self) -> int:
        """Return where a canary may begin that the text ends in the middle of."""
        return self._places[0] if self._places else self._length


class _Grams(Struct, frozen=True):
    """The windows of some words: as text, and by their first and last word."""

    texts: list[str]
    starts: Iterable[int]
    ends: Iterable[int]


def _grams_of(words: list[str], length: int = 0) -> _Grams:
    """Return all windows of so many words; with 0 of as many as make a run."""
    joined = " ".join(words)
    size = length or RUN_WORDS
    if not length and not joined.isascii() and any(map(_is_unspaced, words)):
        if not all(map(_is_unspaced, words)):
            return _weighed_grams_of(words, joined)
        size = _RUN_WEIGHT
    if len(words) < size:
        return _Grams([], (), ())
    ends = list(accumulate(map(len, words), lambda end, each: end + each + 1))
    starts = [0, *[end + 1 for end in ends]]
    texts = [joined[start:end] for start, end in zip(starts, ends[size - 1 :], strict=False)]
    return _Grams(texts, range(len(texts)), range(size - 1, len(words)))


def _weighed_grams_of(words: list[str], joined: str) -> _Grams:
    """Return of each word the shortest window that ends with it and is a run."""
    texts, starts, ends = [], [], []
    start = weight = first = last = 0
    for end, word in enumerate(words):
        weight += 1 if _is_unspaced(word) else _WEIGHT
        last += len(word) + 1
        while weight - (lost := 1 if _is_unspaced(words[start]) else _WEIGHT) >= _RUN_WEIGHT:
            weight -= lost
            first += len(words[start]) + 1
            start += 1
        if weight >= _RUN_WEIGHT:
            texts.append(joined[first : last - 1])
            starts.append(start)
            ends.append(end)
    return _Grams(texts, starts, ends)


def _is_unspaced(word: str) -> bool:
    return len(word) == 1 and word >= "\u0e00"


def _merged(hits: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Return the runs that windows make together."""
    runs: list[tuple[int, int]] = []
    for start, end, _ in hits:
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((start, end))
    return runs


def _words_of(text: str) -> list[str]:
    if text.isascii():
        return text.encode().translate(_ONLY_WORDS).decode().split()
    if is_normalized("NFKC", text) and _INVISIBLE_MARK.search(text) is None:
        return _pattern_for(text).findall(text.casefold())
    return [word for each in _pattern_for(text).findall(text) if (word := _plain(each))]


def _words_and_spans(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    if text.isascii():
        return _words_of(text), [each.span() for each in _PLAIN_WORD.finditer(text)]
    words, spans = [], []
    for each in _pattern_for(text).finditer(text):
        word = _plain(each[0])
        if word:
            words.append(word)
            spans.append(each.span())
    return words, spans


def _last_spans(text: str, words: list[str], offset: int) -> list[tuple[int, int]]:
    """Return where these last words of a text of ASCII stand; after them and between them is no other."""
    text, end = text.lower(), len(text)
    spans = []
    for word in reversed(words):
        end = text.rindex(word, 0, end)
        spans.append((offset + end, offset + end + len(word)))
    return spans[::-1]


def _word_spans(text: str) -> list[tuple[int, int]]:
    return _words_and_spans(text)[1]


def _pattern_for(text: str) -> re.Pattern[str]:
    if text.isascii():
        return _PLAIN_WORD
    return _MIXED_WORD if _UNSPACED.search(text) is not None else _WORD


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    return _INVISIBLE.sub("", normalize("NFKC", word[:WORD_CHARS_MAX]).casefold())


def _needles_of(canary: str) -> tuple[bytes, ...]:
    """Return what a canary may look like when only letters and digits are left, the longest first."""
    forms = {canary.upper(), canary.lower(), canary}
    needles = {canary.lower(), canary.lower()[::-1], codecs.encode(canary.lower(), "rot13")}
    for form in forms:
        raw = form.encode("utf-8", "replace")
        needles |= {raw.hex(), *(joint + raw.hex(joint[-1]).replace("x", joint) for joint in ("x", "0x"))}
        for skip, lost in ((0, 0), (1, 2), (2, 3)):
            whole = b64encode(b"\0" * skip + raw)[lost : (skip + len(raw)) * 8 // 6]
            needles.add(whole.decode("ascii").lower())
    left = {needle.encode("ascii", "ignore").translate(None, _SEPARATORS) for needle in needles}
    return tuple(sorted((each for each in left if each), key=lambda each: (-len(each), each)))


def _canary_spans(text: str, needles: tuple[bytes, ...]) -> list[tuple[int, int]]:
    if not needles:
        return []
    codes = _code_of(text)
    found = [needle for needle in needles if needle in codes]
    if not found:
        return []
    codes, places = _codes_of(text)
    spans = []
    for needle in found:
        at = codes.find(needle)
        while at >= 0:
            spans.append((places[at], places[at + len(needle) - 1] + 1))
            at = codes.find(needle, at + len(needle))
    return sorted(spans)


def _code_of(text: str) -> bytes:
    return _fold(text).encode("ascii", "ignore").translate(None, _SEPARATORS).lower()


def _codes_of(text: str) -> tuple[bytes, list[int]]:
    """Return the letters and digits of a text, folded, and where each of them stands."""
    if text.isascii():
        places = [place for place, each in enumerate(text) if each.isalnum()]
        return text.encode("ascii").translate(None, _SEPARATORS).lower(), places
    pairs = [(code, place) for place, each in enumerate(text) for code in _code_of(each)]
    return bytes(code for code, _ in pairs), [place for _, place in pairs]


def _fold(text: str) -> str:
    return text if text.isascii() else normalize("NFKC", text.translate(_TAGS))
