"""The rows to train on: public sources with a clear licence, and the project's own banks."""

import base64
import codecs
import gzip
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import banks
import library
from msgspec import Struct, structs

LEFT_OUT = frozenset({"safe-guard"})
"""Sources whose licence is not stated clearly."""

IN_DOCUMENTS = frozenset({"llmail-inject", "team-synth-indirect"})
"""Sources of injections in mails and documents, which a person seldom types."""

PLAIN_DOCUMENTS = frozenset({"t0-docs", "t0-tasks", "bbh", "self-instruct-seed", "flan-cot"})
"""Benign sources with texts as they stand in documents and tools' answers."""

NOISY = {"satml-ctf-2024": 0.5, "jackhhao-jailbreak": 0.5, "neuralchemy": 0.7}
"""How much a row counts of a source in which some labels are wrong."""

ATTACKS_PER_LINE, BENIGN_PER_LINE = 3, 6
"""How often a line of a bank is filled."""

DOCUMENT_CHARS = 900
"""Documents are cut to what a few windows hold: so the head learns from what stands around an injection."""


class Row(Struct, frozen=True):
    """A text and what it is, and how much it counts."""

    text: str
    label: int
    source: str
    kind: str
    weight: float = 1.0


def read(path: Path) -> list[Row]:
    """Read a file of labelled rows, gzipped or not, without the sources that are left out."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    rows = [json.loads(line) for line in text.split("\n") if line]
    return [
        Row(row["text"], row["label"], row["source"], row["kind"], weight=NOISY.get(row["source"], 1.0))
        for row in rows
        if row["source"] not in LEFT_OUT
    ]


def for_head(name: str, train: Sequence[Row], random: Random) -> list[Row]:
    """Return everything that a head learns from."""
    if name == "user":
        rows = [*map(_as_pasted, train), *own_user(random), *pasted(random), *tasks(train, random)]
        return [*rows, *encoded(random.sample(rows, 2_500), random)]
    return [*_public_documents(train, random), *own_documents(train, random)]


def harmless(name: str, count: int, random: Random) -> list[Row]:
    """Return harmless texts as a head sees them, to find those that it takes for attacks."""
    carriers = Carriers(random)
    if name == "user":
        return list(pasted(random, count // 7_100))
    found = (window(text, None, random) for _, text in _contexts(count, (), carriers, random))
    return [Row(text, 0, "mined", "benign") for text in found]


def _as_pasted(row: Row) -> Row:
    """Return a row as the user head sees it: people paste documents too, if more rarely."""
    return structs.replace(row, weight=0.3 * row.weight) if row.source in IN_DOCUMENTS else row


def own_user(random: Random) -> Iterator[Row]:
    """Make rows for the user head from the banks."""
    for bank in banks.read("en_attacks"):
        for text in bank.make(ATTACKS_PER_LINE, random):
            yield Row(dress(text, random), 1, f"bank {bank.title}", "direct")
    for bank in banks.read("en_hard"):
        for text in bank.make(BENIGN_PER_LINE, random):
            yield Row(dress(text, random), 0, f"bank {bank.title}", "benign-hard")
    for lang in banks.languages():
        for bank in banks.read(lang):
            if bank.title != "attack_document":
                label = int(bank.title == "attack_user")
                for text in bank.make(8, random):
                    yield Row(dress(text, random), label, f"bank {lang}", "direct" if label else "benign")


def encoded(rows: Sequence[Row], random: Random) -> Iterator[Row]:
    """Write rows in code, as they are: what they say is what they are judged by."""
    for row in rows:
        text = random.choice(CODES)(row.text[:400])
        if random.random() < 0.5:
            asked = random.choice(
                ("Decode this:", "What does it say?", "Please read this and answer:", "Read:")
            )
            text = f"{asked} {text}"
        yield structs.replace(row, text=text, source=f"encoded {row.source}")


CODES: tuple[Callable[[str], str], ...] = (
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex(" "),
    lambda text: codecs.encode(text, "rot13"),
    lambda text: text[::-1],
    lambda text: text.translate(str.maketrans("aeiostAEIOST", "431057431057")),
    lambda text: text.translate(str.maketrans("aeoAEO", "@30@30")),
    lambda text: " ".join(text[:150]),
    lambda text: "".join(f"\\u{ord(each):04x}" for each in text if ord(each) < 0x10000),
    lambda text: "".join(f"&#{ord(each)};" for each in text),
)

ASKED = (
    "Fix this:", "What does this do?", "Explain this code, please.", "Why does it fail?", "Refactor the following.",
    "Complete this:", "Write tests for this:", "Translate this to Go:", "Summarise this:", "Is there a bug in it?",
    "Add comments.", "Document the following:", "Extract the names from this text:", "What is the total here?",
    "Turn this into a table:", "Rewrite it in plain words:", "Reply to this:", "Shorten this:", "", "", "",
)  # fmt: skip


def pasted(random: Random, times: int = 1) -> Iterator[Row]:
    """Make what people paste: code, documentation, records and mails, with a question before or after it."""
    neutral = Carriers(random).neutral
    kinds = {
        "code": library.code(2500 * times, random),
        "documentation": library.documentation(1200 * times, random),
        "translations": library.translations(1800 * times, random),
        "records": library.records(900 * times, random),
        "mails": library.mails(700 * times, neutral, random),
    }
    for name, texts in kinds.items():
        for text in texts:
            asked = "" if name == "translations" else random.choice(ASKED)
            pair = (asked, text) if random.random() < 0.6 else (text, asked)
            yield Row("\n".join(filter(None, pair)), 0, f"pasted {name}", "benign")


TASKS = (
    "Summarise the following text:", "Translate this into German:", "Is this review positive or negative?",
    "Write an advert for this product:", "Answer the question from the text below.", "Rewrite this more politely:",
    "Classify the message below.", "Extract all dates from this:", "Correct the grammar of this:", "What is this about?",
    "Assess the candidate:", "List the main points of this article:", "Write a headline for it:", "Paraphrase:",
    "Turn this into bullet points:", "Reply to this customer:", "Grade this essay:", "Find the product's price:",
)  # fmt: skip
PAIRS = 2_500


def tasks(train: Sequence[Row], random: Random) -> Iterator[Row]:
    """Make what an app sends as a user's text: a task, and a document with an injection or a harmless twin."""
    carriers = Carriers(random)
    payloads = [text for bank in banks.read("en_injections") for text in bank.make(6, random)]
    payloads += [
        text for bank in banks.read("en_attacks") for text in bank.make(2, random) if len(text) < 300
    ]
    for source, context in _contexts(PAIRS, train, carriers, random):
        text = window(context, None, random) if random.random() < 0.8 else context[:DOCUMENT_CHARS]
        asked, border = random.choice(TASKS), random.choice(("\n", "\n\n", "\n---\n", '\n"""\n', " "))
        for payload, label in ((random.choice(payloads), 1), (random.choice(carriers.neutral), 0)):
            made = text if random.random() < 0.3 and not label else insert(text, payload, random)[0]
            yield Row(
                f"{asked}{border}{made}", label, f"paired tasks {source}", "direct" if label else "benign"
            )


def _public_documents(train: Sequence[Row], random: Random) -> Iterator[Row]:
    """Yield windows of the public rows; of what people write a part, as what is benign in a document."""
    for row in train:
        if row.label == 0 and (row.source in PLAIN_DOCUMENTS or random.random() < 0.5):
            for _ in range(1 + (len(row.text) > DOCUMENT_CHARS)):
                yield Row(window(row.text, None, random), 0, row.source, row.kind)
        elif (
            row.source in IN_DOCUMENTS
            or (row.kind == "indirect" and row.label)
            or (row.label == 1 and random.random() < 0.25)
        ):
            yield Row(window(row.text, None, random), 1, row.source, row.kind, weight=UNPAIRED * row.weight)


UNPAIRED = 0.2
"""How much an attack counts of which there is no harmless twin: what it is written like must not matter."""

WINDOW_WORDS = (20, 72)


def window(text: str, span: tuple[int, int] | None, random: Random) -> str:
    """Return a window of a text as the head sees it: some words, around what stands at `span` where given."""
    size = random.randrange(*WINDOW_WORDS)
    starts = [found.start() for found in _WORD.finditer(text)]
    if len(starts) <= size:
        return text
    if span is None:
        first = random.randrange(len(starts) - size + 1)
    else:
        begins = bisect_left(starts, span[0])
        length = max(1, bisect_left(starts, span[1]) - begins)
        slack = max(0, size - length)
        first = max(0, min(begins - random.randrange(slack + 1), len(starts) - size))
    last = first + size
    return text[starts[first] : starts[last] if last < len(starts) else len(text)]


_WORD = re.compile(r"\w+|[^\w\s]")


def own_documents(train: Sequence[Row], random: Random) -> Iterator[Row]:
    """Make pairs: a window of a document with an injection, and the same with a harmless sentence."""
    carriers = Carriers(random)
    payloads = [text for bank in banks.read("en_injections") for text in bank.make(12, random)]
    payloads += [
        text
        for lang in banks.languages()
        for bank in banks.read(lang)
        if bank.title == "attack_document"
        for text in bank.make(5, random)
    ]
    orders = [text for bank in banks.read("en_attacks") for text in bank.make(2, random)]
    random.shuffle(orders)
    payloads += orders[:1000]
    random.shuffle(payloads)
    harmless = [text for bank in banks.read("en_hard") for text in bank.make(2, random)]
    harmless += [
        text
        for lang in banks.languages()
        for bank in banks.read(lang)
        if bank.title.startswith("benign")
        for text in bank.make(2, random)
    ]
    contexts = list(_contexts(len(payloads), train, carriers, random))
    for payload, (source, text) in zip(payloads, contexts, strict=True):
        with_it, span = insert(text, payload, random)
        yield Row(window(with_it, span, random), 1, f"paired {source}", "indirect")
        twin = random.choice(harmless if random.random() < 0.4 else carriers.neutral)
        without, span = insert(text, twin, random)
        yield Row(window(without, span, random), 0, f"paired {source}", "benign")
        carried, span = carriers.carry(payload)
        yield Row(window(carried, span, random), 1, "carriers", "indirect")
        carried, span = carriers.carry(random.choice(carriers.neutral))
        yield Row(window(carried, span, random), 0, "carriers", "benign")
    for text in harmless:
        yield Row(text, 0, "bank harmless", "benign-hard")
    for source, text in _contexts(PLAIN_WINDOWS, train, carriers, random):
        yield Row(window(text, None, random), 0, f"plain {source}", "benign")


PLAIN_WINDOWS = 24_000
"""Windows of harmless documents: a long one has many, of which none may count."""


def _contexts(
    count: int, train: Sequence[Row], carriers: "Carriers", random: Random
) -> Iterator[tuple[str, str]]:
    """Yield pieces of documents of every kind, with the name of the kind."""
    plain = [row.text for row in train if row.source in {"t0-docs", "t0-tasks"} and len(row.text) > 200]
    share = count // (6 if plain else 4) + 1
    kinds: dict[str, Iterable[str]] = {
        "code": library.code(share, random),
        "documentation": library.documentation(share, random),
        "translations": library.translations(share // 2 + 1, random),
        "records": library.records(share, random),
        "mails": library.mails(share, carriers.neutral, random),
        "texts": (_piece(random.choice(plain), random) for _ in range(2 * share if plain else 0)),
    }
    found = [(name, text) for name, texts in kinds.items() for text in texts]
    random.shuffle(found)
    yield from found[:count]


class Carriers:
    """The project's own documents, each with a place where an injection would stand."""

    def __init__(self, random: Random) -> None:
        found = banks.read("en_carriers")
        self._random = random
        self._slots = found[0].slots if found else {}
        self._lines = [line for bank in found for line in bank.lines]
        self.neutral: list[str] = self._slots.get("neutral", ["Thank you."])

    def carry(self, payload: str) -> tuple[str, tuple[int, int]]:
        """Return a document with a sentence in it, and where that stands."""
        random = self._random
        line = random.choice(self._lines)
        text = banks.fill(line.replace("{payload}", "\0"), self._slots, random)
        at = text.index("\0")
        return text.replace("\0", payload), (at, at + len(payload))


def _piece(text: str, random: Random) -> str:
    """Return a piece of a long text, as a window sees it."""
    if len(text) <= DOCUMENT_CHARS:
        return text
    start = random.randrange(len(text) - DOCUMENT_CHARS)
    return text[start : start + DOCUMENT_CHARS]


def insert(text: str, payload: str, random: Random) -> tuple[str, tuple[int, int]]:
    """Put a sentence into a document, between two of its sentences or lines where there are any."""
    borders = [place + 1 for place, each in enumerate(text) if each in ".!?\n" and place + 1 < len(text)]
    at = random.choice([0, len(text), *borders])
    return f"{text[:at]} {payload} {text[at:]}", (at + 1, at + 1 + len(payload))


def dress(text: str, random: Random) -> str:
    """Write a text as people do: in other capitals, without the last full stop, with a slip of the finger."""
    chance = random.random()
    if chance < 0.12:
        text = text.lower()
    elif chance < 0.2:
        text = text.upper()
    if random.random() < 0.25:
        text = text.rstrip(".!")
    if random.random() < 0.15 and len(text) > 20:
        at = random.randrange(len(text) - 1)
        slip = random.choice((text[at] * 2 + text[at + 1], text[at + 1], text[at + 1] + text[at]))
        text = text[:at] + slip + text[at + 2 :]
    return text
