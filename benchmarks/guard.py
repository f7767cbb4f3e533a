"""What the guard costs: CPU for a kilobyte, for large texts, for the worst shapes, and memory.

`.venv/bin/python benchmarks/guard.py`: one process, CPU time of the thread, medians and the 99th percentile.
Texts differ from one call to the next, since the guard remembers what it has seen.
"""

import base64
import binascii
import random
import resource
import statistics
import string
import time
from collections.abc import Callable
from functools import partial

from seawall.core.findings import Verdict
from seawall.core.guarding import INPUT_DETECTORS, OUTPUT_DETECTORS, GuardPolicy, Head
from seawall.guards.guard import LocalGuard

HEADS: tuple[Head, ...] = ("user", "document")
SEED = 7
ROUNDS = 3_000
WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "he",
    "his",
    "but",
    "at",
    "are",
    "this",
    "have",
    "from",
    "or",
    "had",
    "an",
    "they",
    "which",
    "one",
    "you",
    "were",
    "her",
    "all",
    "she",
    "there",
    "would",
    "their",
    "we",
    "him",
    "been",
    "has",
    "when",
    "who",
    "will",
    "more",
    "no",
    "if",
    "out",
    "so",
    "said",
    "what",
    "up",
    "its",
    "about",
    "into",
    "than",
    "them",
    "can",
    "only",
    "other",
    "new",
    "some",
    "could",
    "time",
    "these",
    "two",
    "may",
    "then",
    "do",
    "first",
    "any",
    "my",
    "now",
    "such",
    "like",
    "our",
    "over",
    "man",
    "me",
    "even",
    "most",
    "made",
    "after",
    "also",
    "did",
    "many",
    "before",
    "must",
    "through",
    "back",
    "years",
    "where",
    "much",
    "your",
    "way",
    "well",
    "down",
    "should",
    "because",
    "each",
    "just",
    "those",
    "people",
    "how",
    "too",
    "little",
    "state",
    "good",
    "very",
    "make",
    "world",
    "still",
    "own",
    "see",
    "men",
    "work",
    "long",
    "get",
    "here",
    "between",
    "both",
    "life",
    "being",
    "under",
    "never",
    "day",
    "same",
    "another",
    "know",
    "while",
    "last",
    "might",
    "us",
    "great",
    "old",
    "year",
    "off",
    "come",
    "since",
    "against",
    "go",
    "came",
    "right",
    "used",
    "take",
    "three",
    "computer",
    "garden",
    "invoice",
    "meeting",
    "doctor",
    "kitchen",
    "water",
    "travel",
]
RULES = "You are the assistant of a bakery. Answer in two sentences and name the opening hours. " * 8


def everything() -> GuardPolicy:
    """Return a policy with every detector on."""
    return GuardPolicy.of(
        mode="block",
        input=dict.fromkeys(INPUT_DETECTORS, Verdict.BLOCK.value),
        output=dict.fromkeys(OUTPUT_DETECTORS, Verdict.BLOCK.value),
        block_phrases=("purple whale", "quarterly numbers"),
        topics=("baking and bread",),
        hardens=True,
    )


def prose(chars: int, draw: random.Random) -> str:
    """Return English-like text of about so many characters."""
    words: list[str] = []
    size = 0
    while size < chars:
        word = draw.choice(WORDS)
        words.append(word.capitalize() + "." if draw.random() < 0.08 else word)
        size += len(words[-1]) + 1
    return " ".join(words)[:chars]


def cpu_us(work: Callable[[str], object], text: str) -> float:
    """Return the CPU time of one run, in microseconds."""
    began = time.thread_time_ns()
    work(text)
    return (time.thread_time_ns() - began) / 1000


def show(name: str, times: list[float]) -> None:
    """Print the median, and where most of the worst runs end."""
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:<44} {statistics.median(ordered):>10.1f} us  p99 {p99:>10.1f} us")


SHAPES = {
    "letters": "a", "digits": "1", "spaces": " ", "equals": "=", "percent": "%41", "entities": "&#65;",
    "hex": "4f ", "base64": "SGVsbG8gd29ybGQ", "escapes": "\\x41", "mails": "a@b.", "keys": "sk-",
    "jwt": "eyJ", "tags": "<a ", "cyrillic": "\u0430", "marks": "e\u0301", "invisible": "\u200b",
    "cjk": "\u5ffd", "tag characters": "\U000e0041", "dots": ".- ", "spaced": "i ", "leet": "1gn0r3 ",
    "pem": "-----BEGIN ", "brackets": "![](", "quotes": '"', "ligatures": "\ufdfa",
}  # fmt: skip


def at_random(draw: random.Random) -> dict[str, str]:
    """Return shapes in which nothing comes twice: no memory and no early end helps."""
    letters = string.ascii_letters + string.digits
    return {
        "different keys": " ".join("sk-proj-" + "".join(draw.choices(letters, k=48)) for _ in range(1_800)),
        "lines of base64": base64.encodebytes(draw.randbytes(75_000)).decode(),
        "lines of uuencode": "".join(binascii.b2a_uu(draw.randbytes(45)).decode() for _ in range(1_650)),
        "different hex": draw.randbytes(51_200).hex(),
        "different cjk": "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(100 * 1024)),
    }


def main() -> None:
    """Measure and print."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    guard, policy, draw = LocalGuard(b"benchmark"), everything(), random.Random(SEED)
    guard.warm()
    guard.tools(policy)
    loaded_ms = (time.perf_counter() - began) * 1000
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    print(f"loading weights, lexicon and tables: {loaded_ms:.0f} ms, {grown_mb:.0f} MB at most")
    texts = [prose(1024, draw) for _ in range(ROUNDS)]
    for text in texts[:200]:
        guard.inspect(f"{text}!", "user", policy)

    def look(head: Head) -> Callable[[str], object]:
        return lambda text: guard.inspect(text, head, policy)

    for head in HEADS:
        show(f"1 KB, everything on, {head}", [cpu_us(look(head), text) for text in texts])
    show("1 KB, seen before", [cpu_us(look("user"), text) for text in texts])
    show("answer of 1 KB at once", [cpu_us(partial(whole, guard, policy), text) for text in texts[:1000]])
    pieces = partial(events, guard, policy)
    show("answer of 1 KB, for each of 256 events", [cpu_us(pieces, text) / 256 for text in texts[:300]])
    large = [prose(100 * 1024, draw) for _ in range(20)]
    for head in HEADS:
        show(f"100 KB, everything on, {head}", [cpu_us(look(head), text) for text in large])
    shapes = {name: unit * (100 * 1024 // len(unit)) for name, unit in SHAPES.items()}
    worst = {}
    for name, text in (shapes | at_random(draw)).items():
        worst[name] = min(cpu_us(look("user"), f"{text}{number}") for number in range(3)) / 1000
    for name, took_ms in sorted(worst.items(), key=lambda each: -each[1])[:8]:
        print(f"100 KB of {name:<34} {took_ms:>10.1f} ms")


def whole(guard: LocalGuard, policy: GuardPolicy, text: str) -> None:
    """Look at an answer that comes at once."""
    guard.scan(policy, (RULES,), ()).whole(text)


def events(guard: LocalGuard, policy: GuardPolicy, text: str) -> None:
    """Look at an answer that comes four characters at a time."""
    scan = guard.scan(policy, (RULES,), ())
    for start in range(0, len(text), 4):
        scan.feed(text[start : start + 4])
        scan.held()
    scan.close()


if __name__ == "__main__":
    main()
