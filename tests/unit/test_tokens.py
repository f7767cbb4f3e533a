"""Bounds of what a vendor bills, and the counting under them."""
# ruff: noqa: RUF001 - texts in many scripts

import asyncio
import json
from collections.abc import Callable, Sized
from typing import Any, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from splintr import Tokenizer as Splintr

from seawall.core.call import OutputCap, Request, Text
from seawall.core.money import Price, Rate, Rates
from seawall.providers.tokens import (
    Family,
    Tokenizer,
    countable_texts,
    counted_input_tokens,
    family_of,
    image_tokens_max,
    load_o200k,
    output_tokens,
    rough_input_tokens,
)

ANY_SIZE = Price(Rates(Rate(1), Rate(1)))
Encode = Callable[[str], Sized]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer()
    asyncio.run(tokenizer.ready())
    return tokenizer


@pytest.fixture(scope="module")
def o200k() -> Callable[[str], int]:
    encode = load_o200k()
    return lambda text: len(encode(text))


class Beside(TypedDict, total=False):
    """What a request has beside its text."""

    images: int
    image_bytes: int
    audio_bytes: int
    files: int


def ask(*contents: str, schemas: tuple[Any, ...] = (), beside: Beside | None = None) -> Request:
    """Make a chat completions request as the wire reads it."""
    body = {"model": "m", "messages": [{"role": "user", "content": content} for content in contents]}
    raw = json.dumps({**body, "tools": schemas} if schemas else body, ensure_ascii=False).encode()
    more: Beside = beside or {}
    return Request(
        dialect="chat",
        body=body,
        raw_bytes=len(raw) + more.get("image_bytes", 0) + more.get("audio_bytes", 0),
        model="m",
        stream=False,
        cap=OutputCap(),
        texts=tuple(Text(f"messages[{at}].content", "user", text) for at, text in enumerate(contents)),
        schemas=schemas,
        **more,
    )


# Counted with splintr 0.22; those that repeat one unit also with tiktoken 0.14.
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("hi", 1),
        ("hello world", 2),
        ("All human beings are born free and equal in dignity and rights.", 13),
        ("Все люди рождаются свободными и равными в своём достоинстве и правах.", 18),
        ("人人生而自由,在尊严和权利上一律平等。", 16),
        ("Größe: 1.234,56 €", 10),
        ("def add(a, b):\n    return a + b\n", 12),
        ('{"name":"get_weather","arguments":{"city":"Ulm"}}', 13),
        ("👩‍👩‍👧‍👦", 11),
        ("<|endoftext|>", 7),  # what a user writes is never a special token
        ("a" * 1000, 125),
        (" " * 1000, 9),
        ("0" * 1000, 334),
        ("-" * 1000, 16),
        ("字" * 1000, 1000),
    ],
)
def test_counts_are_those_of_o200k(tokenizer: Tokenizer, text: str, tokens: int) -> None:
    assert tokenizer.count(text) == tokens
    assert tokenizer.count(text) == tokens  # as remembered


def test_before_the_vocabulary_is_loaded_every_byte_counts() -> None:
    tokenizer = Tokenizer()
    assert (tokenizer.is_ready, tokenizer.count("Größe")) == (False, 7)
    assert output_tokens("Größe", Family.OPENAI, tokenizer) == (0, 7)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog. " * 400,
        "if x:\n    while y:\n        print(x, y)  # loop\n\n\n" * 300,
        "a;\n b\t\t c\r\n\r\n  d /e" * 1_500,
    ],
    ids=["words", "code", "mixed"],
)
def test_long_texts_are_counted_exactly_where_there_are_spaces(
    tokenizer: Tokenizer, o200k: Callable[[str], int], text: str
) -> None:
    assert tokenizer.count(text) == o200k(text)


@pytest.mark.parametrize("unit", ["a", "字", "0", "=", " ", "\n", "\n  ", "\t", "😀", "xyzzy", "QUJDREVG"])
def test_long_texts_without_spaces_never_count_as_less(
    tokenizer: Tokenizer, o200k: Callable[[str], int], unit: str
) -> None:
    text = unit * 20_000
    pieces = len(text) // 4_096
    assert o200k(text) <= tokenizer.count(text) <= o200k(text) + 2 * pieces


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), max_size=8), st.integers(1, 600))
def test_openais_bound_is_never_below_the_truth_nor_above_the_bytes(
    tokenizer: Tokenizer, o200k: Callable[[str], int], parts: list[str], times: int
) -> None:
    text = "".join(part * times for part in parts)
    assert o200k(text) <= output_tokens(text, Family.OPENAI, tokenizer)[1] <= len(text.encode())


class Spy:
    """Counts a token per character, and what it is asked."""

    def __init__(self) -> None:
        self.loads = 0
        self.asked: list[str] = []

    def load(self) -> Encode:
        self.loads += 1
        return self.encode

    def encode(self, text: str) -> Sized:
        self.asked.append(text)
        return text


async def test_the_vocabulary_is_loaded_once() -> None:
    spy = Spy()
    tokenizer = Tokenizer(load=spy.load)
    await asyncio.gather(*(tokenizer.ready() for _ in range(5)))
    assert (spy.loads, tokenizer.is_ready) == (1, True)


async def test_a_message_that_comes_again_is_not_counted_again() -> None:
    spy = Spy()
    tokenizer = Tokenizer(load=spy.load)
    texts = ["x" * 500, "y" * 9_000, "x" * 500]
    first = await tokenizer.count_many(texts)
    asked = len(spy.asked)
    assert await tokenizer.count_many(texts) == first == [500, 9_002, 500]  # two cuts where nothing says so
    assert len(spy.asked) == asked


async def test_of_a_text_that_grows_only_the_end_is_counted() -> None:
    spy = Spy()
    tokenizer = Tokenizer(load=spy.load)
    await tokenizer.ready()
    text = ""
    for _ in range(100):
        text += "a word or two " * 50
        tokenizer.count(text)
    assert sum(map(len, spy.asked)) < 100 * 4_096 + 2 * len(text)


async def test_what_is_remembered_is_bounded() -> None:
    spy = Spy()
    tokenizer = Tokenizer(load=spy.load, remembered_max=3)
    texts = [letter * 200 for letter in "abcd"]
    await tokenizer.count_many(texts)
    spy.asked.clear()
    tokenizer.count(texts[3])
    tokenizer.count(texts[0])
    assert spy.asked == [texts[0]]


async def test_others_run_while_long_texts_are_counted() -> None:
    spy = Spy()
    tokenizer = Tokenizer(load=spy.load)
    await tokenizer.ready()
    counting = asyncio.create_task(tokenizer.remember(["x" * 100_000, *(f"{n}" * 300 for n in range(99))]))
    between = 0
    while not counting.done():
        await asyncio.sleep(0)
        between += 1
    assert between > 100_000 // 4_096
    assert max(map(len, spy.asked)) <= 4_096


@pytest.mark.parametrize(
    ("vendor", "model", "family"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", "openai"),
        ("openai", "gpt-4.1", "openai"),
        ("openai", "gpt-5.2-chat-latest", "openai"),
        ("openai", "o3-mini", "openai"),
        ("openai", "chatgpt-4o-latest", "openai"),
        ("openai", "ft:gpt-4o-2024-08-06:acme::x1", "openai"),
        ("openrouter", "openai/gpt-4o", "openai"),
        ("openai", "gpt-4-turbo", "other"),  # cl100k
        ("openai", "gpt-3.5-turbo", "other"),
        ("openai", "ft:gpt-3.5-turbo:acme::x1", "other"),
        ("groq", "openai/gpt-oss-120b", "other"),
        ("openrouter", "openai/o-something", "other"),
        ("anthropic", "claude-3-5-sonnet-20241022", "claude"),
        ("anthropic", "claude-opus-4-20250514", "claude"),
        ("google", "claude-sonnet-4@20250514", "claude"),
        ("anthropic", "claude-opus-4-6", "claude"),
        ("anthropic", "claude-opus-4-7", "claude_new"),
        ("openrouter", "anthropic/claude-opus-4.7", "claude_new"),
        ("anthropic", "claude-sonnet-5-20260101", "claude_new"),
        ("anthropic", "claude-mythos", "claude_new"),  # unknown, so the dearer
        ("google", "gemini-2.5-pro", "gemini"),
        ("openrouter", "google/gemma-3-27b-it", "gemini"),
        ("google", "learnlm-2", "gemini"),
        ("mistral", "mistral-large-latest", "other"),
        ("", "llama3", "other"),
    ],
)
def test_a_family_is_told_by_the_name(vendor: str, model: str, family: str) -> None:
    assert family_of(vendor, model) == family


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 1_445),
        ("openai/gpt-4o-mini", 48_169),
        ("gpt-4.1", 1_445),
        ("gpt-4.1-nano-2025-04-14", 3_779),
        ("o4-mini", 2_642),
        ("o3", 1_445),
        ("gpt-5", 1_844),
        ("gpt-5-mini", 2_489),
        ("gpt-5.4", 12_000),
        ("gpt-5.4-nano", 3_779),
        ("gpt-5.6-sol", None),
        ("gpt-6-sol", None),
        ("claude-sonnet-4-5", 1_568),
        ("claude-opus-4-7", 4_784),
        ("gemini-2.5-flash", 6_192),
        ("gemini-3-flash-preview", 2_240),
        ("pixtral-large-latest", 4_160),
        ("grok-4-fast-non-reasoning", 1_792),
        ("grok-4.3", None),
        ("llava", None),
    ],
)
def test_an_image_is_bounded_by_what_its_vendor_publishes(model: str, tokens: int | None) -> None:
    assert image_tokens_max(model) == tokens


TEN_IMAGE_TOKENS = Price(ANY_SIZE.rates, image_tokens_max=10)
WINDOW_OF_70 = Price(ANY_SIZE.rates, context_tokens=70)


@pytest.mark.parametrize(
    ("family", "beside", "price", "tokens"),
    [
        (Family.OPENAI, {}, ANY_SIZE, 66 + 16),
        (Family.CLAUDE, {}, ANY_SIZE, 99 + 32),
        (Family.CLAUDE_NEW, {}, ANY_SIZE, 99 + 32),
        (Family.GEMINI, {}, ANY_SIZE, 66 + 16),
        (Family.OTHER, {}, ANY_SIZE, 66 + 128),
        (Family.OPENAI, {"images": 2, "image_bytes": 10**6}, TEN_IMAGE_TOKENS, 82 + 20),
        (Family.OPENAI, {"images": 1}, ANY_SIZE, 82 + 2_000_000),
        (Family.OPENAI, {"files": 1}, ANY_SIZE, 82 + 2_000_000),
        (Family.OPENAI, {"files": 1}, WINDOW_OF_70, 70),
        (Family.OPENAI, {}, WINDOW_OF_70, 70),
        (Family.OPENAI, {"audio_bytes": 10_000}, ANY_SIZE, 82 + 16 + 100),
        (Family.GEMINI, {"audio_bytes": 15_000}, ANY_SIZE, 82 + 16 + 1_000),
    ],
)
def test_rough_bounds_follow_from_sizes(family: Family, beside: Beside, price: Price, tokens: int) -> None:
    request = ask("hello", beside=beside)
    assert len(json.dumps(request.body)) == 66
    assert rough_input_tokens(request, family, price) == tokens


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("family", "schemas", "tokens"),
    [
        (Family.OPENAI, (), 13 + 5 + 16),
        (Family.CLAUDE, (), 17 + 8 + 32),
        (Family.CLAUDE_NEW, (), 22 + 8 + 32),
        (Family.GEMINI, (), 17 + 8 + 16),
        (Family.OTHER, (), 31 + 12 + 128),  # half of the bytes: no vocabulary is much better than that
        (Family.OPENAI, (TOOL,), 13 + 5 + 16 + 64 + 18),
    ],
)
def test_counted_bounds_follow_from_the_tokens(
    tokenizer: Tokenizer, family: Family, schemas: tuple[Any, ...], tokens: int
) -> None:
    text = "All human beings are born free and equal in dignity and rights."
    request = ask(text, schemas=schemas)
    assert countable_texts(request)[0] == text
    assert counted_input_tokens(request, family, ANY_SIZE, tokenizer) == tokens


def test_tools_bring_the_vendors_own_instructions(tokenizer: Tokenizer) -> None:
    plain, with_tool = ask("hello"), ask("hello", schemas=(TOOL,))
    family = Family.CLAUDE_NEW
    rough = [rough_input_tokens(request, family, ANY_SIZE) for request in (plain, with_tool)]
    counted = [counted_input_tokens(request, family, ANY_SIZE, tokenizer) for request in (plain, with_tool)]
    assert rough[1] - rough[0] > 804
    assert counted[1] - counted[0] > 804


@settings(deadline=None)
@given(
    st.lists(st.text(max_size=200), max_size=5),
    st.sampled_from(Family),
    st.none() | st.integers(1, 500),
    st.booleans(),
    st.integers(0, 2),
)
def test_a_counted_bound_lies_between_the_truth_and_the_rough_bound(
    tokenizer: Tokenizer,
    o200k: Callable[[str], int],
    contents: list[str],
    family: Family,
    window: int | None,
    has_tools: bool,
    images: int,
) -> None:
    price = Price(ANY_SIZE.rates, context_tokens=window, image_tokens_max=100)
    request = ask(*contents, schemas=(TOOL,) if has_tools else (), beside={"images": images})
    counted = counted_input_tokens(request, family, price, tokenizer)
    assert counted <= rough_input_tokens(request, family, price)
    truth = sum(map(o200k, contents)) + 4 * len(contents) + 3 + images * 100
    assert counted >= (truth if window is None else min(truth, window))


TEXTS = (
    "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.",
    "Բոլոր մարդիկ ծնվում են ազատ ու հավասար՝ իրենց արժանապատվությամբ և իրավունքներով։",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ಧಾರೆ.",
    "כל בני אדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "Все люди рождаются свободными и равными.",
    "人人生而自由,在尊严和权利上一律平等。",
    "An English text with one word of ქართული in it, and no more than that.",
    "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung.",
    "3.14159265358979323846264338327950288419716939937510",
    "deadbeef" * 40,
    "=" * 400 + "\n" + "-" * 400,
    "a" * 500,
    "😀👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "def f(x):\n" + "        return x\n" * 30,
)


@pytest.mark.parametrize("vocabulary", ["cl100k_base", "llama3", "mistral_v3", "deepseek_v3", "qwen3"])
def test_the_bounds_of_other_families_hold_for_their_vocabularies(
    tokenizer: Tokenizer, vocabulary: str
) -> None:
    encode = Splintr.from_pretrained(vocabulary).encode_ordinary
    framing = counted_input_tokens(ask(""), Family.OTHER, ANY_SIZE, tokenizer)
    assert [
        text
        for text in TEXTS
        if counted_input_tokens(ask(text), Family.OTHER, ANY_SIZE, tokenizer) - framing < len(encode(text))
        or output_tokens(text, Family.OTHER, tokenizer)[1] < len(encode(text))
    ] == []


@pytest.mark.parametrize(
    ("text", "family", "bounds"),
    [
        ("hello world", Family.OPENAI, (2, 2)),
        ("hello world", Family.GEMINI, (2, 4)),
        ("hello world", Family.OTHER, (2, 5)),  # half of the bytes
        ("hi", Family.CLAUDE, (1, 2)),
        ("x", Family.OTHER, (1, 1)),  # no more than the bytes
        ("Все люди", Family.GEMINI, (2, 4)),
        ("Все люди", Family.OTHER, (2, 15)),  # foreign to many vocabularies: the bytes
        ("ქართული", Family.CLAUDE_NEW, (1, 32)),  # foreign to nearly all
        ("2024", Family.GEMINI, (2, 4)),
        ("", Family.OTHER, (0, 0)),
    ],
)
def test_output_is_bounded_from_both_sides(
    tokenizer: Tokenizer, text: str, family: Family, bounds: tuple[int, int]
) -> None:
    assert output_tokens(text, family, tokenizer) == bounds
