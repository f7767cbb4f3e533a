"""How far a text is from the topics that an app is for, by its words alone.

Invariants:
- Only words that clearly belong to another field speak against a text. Greetings, follow-ups, very short
  texts and questions about the app itself have none of them, and stay below 0.5.
- Fields are known in English. In other languages only a learned profile can tell.
- A profile holds words and counts, no text: what fewer than three texts hold is not in it.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from math import log, sqrt
from pathlib import Path

from msgspec import DecodeError, Struct, convert, json

from seawall.core.findings import Finding

FILE_NAME = "topic_fields.toml"
END_CHARS = 2_048
"""So much of the beginning and of the end of a long text is looked at."""
TEXTS_MAX = 20_000
TERMS_MAX = 2_000
TEXTS_OF_A_TERM_MIN = 3
TEXTS_TO_JUDGE_MIN = 50
"""A profile of fewer texts speaks for a text, never against it."""
SHORT_WORDS = 2
SKETCH_CELLS = 4_096
SKETCH_CHARS = 160

WORD_CHARS_MAX = 24

_WORD = re.compile(rf"[^\W\d_]{{2,{WORD_CHARS_MAX}}}")
_ONLY_LETTERS = bytes(code if 97 <= code < 123 else 32 for code in range(256))
_NEAR, _APP, _STRONG = 0.25, 0.3, 1.5
"""How much a word of a field near the topics, or one about the app, speaks for a text, and how much one that
tells another field alone speaks against it; a word of the topics is 1."""
_DOUBT = 0.52
"""What one word of another field leaves of the doubt: one is below 0.5, two are above."""
_USUAL_SHARE = 0.005
"""Of texts that hold a word which nothing is known about."""


class Field(Struct, frozen=True):
    """A field of life: the words that tell it, some of them alone, and the fields that are close to it."""

    words: str
    near: tuple[str, ...] = ()
    strong: str = ""


class _Table(Struct, frozen=True):
    fields: dict[str, Field]
    common: str
    common_elsewhere: str
    app: str


class Fields(Struct, frozen=True):
    """What words belong to what fields; made once by `load_fields`, never changed.

    `common` words tell nothing, in whatever language; those of `elsewhere` are not English.
    """

    fields_of: dict[str, tuple[str, ...]]
    near: dict[str, tuple[str, ...]]
    strong: frozenset[str]
    common: frozenset[str]
    elsewhere: frozenset[str]
    app: frozenset[str]


class Profile(Struct, frozen=True):
    """What was learned of an app's texts: words by how much they tell, and a sketch of what they look like.

    `usual` and `spread` are how much of a text the sketch holds, in the texts that it was made of.
    """

    texts: int
    terms: dict[str, float]
    sketch: bytes = b""
    usual: float = 0.0
    spread: float = 0.0


def load_fields() -> Fields:
    """Read the fields from the package; takes some milliseconds."""
    file = resources.files(__package__).joinpath(FILE_NAME)
    table = convert(tomllib.loads(file.read_text("utf-8")), _Table)
    fields_of: dict[str, tuple[str, ...]] = {}
    for name, field in table.fields.items():
        words = [*field.words.split(), *field.strong.split(), *name.split("_")]
        for stem in {_stem(word) for word in words}:
            fields_of[stem] = (*fields_of.get(stem, ()), name)
    common, elsewhere = frozenset(table.common.split()), frozenset(table.common_elsewhere.split())
    return Fields(
        fields_of,
        {name: field.near for name, field in table.fields.items()},
        frozenset(_stem(word) for field in table.fields.values() for word in field.strong.split()),
        common | elsewhere,
        elsewhere - common,
        frozenset(map(_stem, table.app.split())),
    )


def find_off_topic(text: str, profile: "TopicProfile", threshold: float = 0.6) -> list[Finding]:
    """Return one finding, of the whole text, where its score is at least the threshold."""
    score = profile.score(text)
    if score < threshold:
        return []
    return [Finding.at(text, "topics", "off_topic", (0, len(text)), round(score, 3))]


class TopicProfile:
    """What an app is for: the operator's words, and what was learned of its texts if anything was."""

    __slots__ = ("_fields", "_learned", "_near", "_own", "_terms", "_words")

    def __init__(self, topics: Sequence[str], fields: Fields, learned: Profile | None = None) -> None:
        self._fields = fields
        self._words = {
            _stem(word) for topic in topics for word in _words_of(topic) if word not in fields.common
        }
        self._own = _voted(self._words, fields)
        self._near = {near for name in self._own for near in fields.near[name]} - self._own
        self._learned = learned
        self._terms = {_stem(term): weight for term, weight in learned.terms.items()} if learned else {}

    def score(self, text: str) -> float:
        """Return how surely a text is off topic: from 0 to 1, below 0.5 where its words do not tell."""
        words = _words_of(_ends(text))
        if len(words) <= SHORT_WORDS or not (self._words or self._terms):
            return 0.0
        kept, strange, unknown = self._weigh(words)
        against = max(strange.values(), default=0.0)
        against += (sum(strange.values()) - against) / 4
        if not self._own and not self._terms:  # Topics of no known field: anything may belong to them.
            against *= 0.6
        if against and self._is_foreign(words):  # Its words may only look English.
            against *= 0.5
        score = (1 - _DOUBT**against) * against / (against + 1.5 * kept) if against else 0.0
        if not kept and not against and unknown:
            score = max(score, self._strangeness(words, unknown))
        return score

    def _is_foreign(self, words: list[str]) -> bool:
        different = set(words)
        foreign = len(different & self._fields.elsewhere)
        return 2 * foreign > len(different & self._fields.common) - foreign

    def _weigh(self, words: list[str]) -> tuple[float, dict[str, float], int]:
        """Return what speaks for the topics, what for each other field, and how many words for neither."""
        kept, strange, unknown = 0.0, dict[str, float](), 0
        common, fields_of, terms = self._fields.common, self._fields.fields_of, self._terms
        stems = dict.fromkeys([_stem(word) for word in dict.fromkeys(words) if word not in common])
        for stem in stems:
            names = fields_of.get(stem)
            if stem in self._words:
                kept += 1.0
            elif stem in terms:
                kept += min(1.0, terms[stem] / 3)
            elif stem in self._fields.app:
                kept += _APP
            elif names is None:
                unknown += 1
            elif not self._own.isdisjoint(names):
                kept += 1.0 if len(names) == 1 else 0.7
            elif not self._near.isdisjoint(names):
                kept += _NEAR
            else:
                weight = _STRONG if stem in self._fields.strong else 1.0 if len(names) == 1 else 0.6
                for name in names:
                    strange[name] = strange.get(name, 0.0) + weight
        return kept, strange, unknown

    def _strangeness(self, words: list[str], unknown: int) -> float:
        """Return how little a text without a known word looks like what was learned."""
        learned = self._learned
        if learned is None or learned.texts < TEXTS_TO_JUDGE_MIN or unknown < 3 or not learned.spread:
            return 0.0
        held = _held_share([word for word in words if word not in self._fields.common], learned.sketch)
        doubt = (learned.usual - held) / learned.spread
        return min(0.9, max(0.0, 0.25 * doubt))


def learn(texts: Iterable[str], fields: Fields) -> Profile:
    """Return what an app's texts have in common; they should be on topic for the most part."""
    counts: Counter[str] = Counter()
    cells: Counter[int] = Counter()
    looks: list[frozenset[int]] = []
    for text in texts:
        words = _words_of(_ends(text))
        counts.update(set(words))
        look = frozenset(_cells_of([word for word in words if word not in fields.common]))
        cells.update(look)
        if len(looks) >= TEXTS_MAX:
            break
        looks.append(look)
    total = len(looks)
    weights = {
        word: _log_odds(count, total)
        for word, count in counts.items()
        if count >= TEXTS_OF_A_TERM_MIN and word not in fields.common and word not in fields.app
    }
    telling = [(word, round(weight, 2)) for word, weight in weights.items() if weight > 0]
    best = sorted(telling, key=_by_weight)
    sketch = bytes(
        min(255, cells[cell]) if cells[cell] >= TEXTS_OF_A_TERM_MIN else 0 for cell in range(SKETCH_CELLS)
    )
    usual, spread = _spread_of([_share_without(look, cells) for look in looks if look])
    return Profile(total, dict(best[:TERMS_MAX]), sketch, usual, spread)


def read_profile(path: str | None) -> Profile | None:
    """Read what was learned from a file, `None` for none; raises OSError where it cannot be used."""
    if path is None:
        return None
    try:
        return json.decode(Path(path).read_bytes(), type=Profile)
    except DecodeError:
        raise OSError("it is no profile; make one with `seawall guard learn`") from None


def propose(profile: Profile, count: int = 20) -> list[str]:
    """Return the words that tell most, to show to the operator."""
    return [term for term, _ in sorted(profile.terms.items(), key=_by_weight)][:count]


def _by_weight(term: tuple[str, float]) -> tuple[float, str]:
    return -term[1], term[0]


def _log_odds(count: int, total: int) -> float:
    share = (count + 0.5) / (total + 1)
    return log(share / max(1e-9, 1 - share)) - log(_USUAL_SHARE / (1 - _USUAL_SHARE))


def _voted(stems: set[str], fields: Fields) -> set[str]:
    """Return the fields that the operator's words mean: of several, those that other words mean too."""
    votes: Counter[str] = Counter()
    for stem in stems:
        for name in fields.fields_of.get(stem, ()):
            votes[name] += 1
    chosen = set()
    for stem in stems:
        names = fields.fields_of.get(stem, ())
        most = max((votes[name] for name in names), default=0)
        chosen |= {name for name in names if votes[name] == most}
    return chosen


def _ends(text: str) -> str:
    return text if len(text) <= 2 * END_CHARS else f"{text[:END_CHARS]} {text[-END_CHARS:]}"


def _words_of(text: str) -> list[str]:
    text = text.lower()
    if text.isascii():
        words = text.encode().translate(_ONLY_LETTERS).decode().split()
        if max(map(len, words), default=0) <= WORD_CHARS_MAX:
            return [word for word in words if len(word) > 1]
    return _WORD.findall(text)


def _stem(word: str) -> str:
    """Return what the forms of an English word share, or nearly so."""
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "su":
        word = word[:-1]
    if len(word) > 3 and word.endswith("ie"):
        return word[:-2] + "y"
    if len(word) > 5 and word.endswith("ing"):
        word = _mended(word[:-3])
    elif len(word) > 4 and word.endswith("ed"):
        word = _mended(word[:-2])
    elif len(word) > 5 and word.endswith("ly"):
        word = word[:-2]
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def _mended(stem: str) -> str:
    """Return what an ending was hung on: run of "runn", bake of "bak"."""
    if stem[-1] == stem[-2] and stem[-1] not in "aeioul":
        return stem[:-1]
    is_cut = len(stem) == 3 and stem[1] in "aeiou" and stem[0] not in "aeiou" and stem[2] not in "aeiouwxy"
    return stem + "e" if is_cut else stem


def _cells_of(words: list[str]) -> Iterator[int]:
    """Return the cells of the sketch that three characters in a row of the words fall into."""
    raw = " ".join(words)[:SKETCH_CHARS].encode("utf-8", "replace")
    for first, second, third in zip(raw, raw[1:], raw[2:], strict=False):
        yield (first * 961 + second * 31 + third) % SKETCH_CELLS


def _held_share(words: list[str], sketch: bytes) -> float:
    cells = set(_cells_of(words))
    return sum(1 for cell in cells if sketch[cell]) / len(cells) if cells and sketch else 1.0


def _share_without(look: frozenset[int], cells: Counter[int]) -> float:
    """Return how much of a text the sketch would hold had it been made without this text."""
    return sum(1 for cell in look if cells[cell] > TEXTS_OF_A_TERM_MIN) / len(look)


def _spread_of(shares: list[float]) -> tuple[float, float]:
    if not shares:
        return 0.0, 0.0
    mean = sum(shares) / len(shares)
    return round(mean, 4), round(sqrt(sum((share - mean) ** 2 for share in shares) / len(shares)), 4)
