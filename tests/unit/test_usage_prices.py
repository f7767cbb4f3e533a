"""What calls cost: exact on real usage objects of every dialect, and each kind at its own rate."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.money import Price, Rate, Rates, Usage, cost_of
from seawall.providers.prices import KINDS, PriceBook
from seawall.wire.chat.answer import read_answer
from seawall.wire.usage import (
    chat_usage,
    embeddings_usage,
    gemini_usage,
    messages_usage,
    responses_usage,
)

RECORDED = json.loads(
    (Path(__file__).parents[1] / "wire" / "recorded" / "usage" / "prices.json").read_bytes()
)
BOOK = PriceBook({}, today=lambda: date.fromisoformat(RECORDED["as_of"]))

Reader = Callable[[Any], Usage | None]
BY_FLAVOUR: dict[str, Reader] = {
    "chat": chat_usage,
    "responses": responses_usage,
    "embeddings": embeddings_usage,
    "anthropic": messages_usage,
}
DEFAULT: dict[str, Reader] = {
    "anthropic": messages_usage,
    "google": gemini_usage,
    "openrouter": responses_usage,
}
NOT_SPOKEN = {("openrouter", "decisions"), ("openrouter", "systemone")}
"""Other products of OpenRouter's than language models."""

DIFFERENT = {
    # Azure's bill for Claude's searches is not read by genai-prices; we book what Anthropic takes for them.
    ("azure", "anthropic", "claude-sonnet-4-5-20250929", "0.050724"): 60_724_000,
    ("azure", "anthropic", "claude-sonnet-4-5-20250929", "0.028527"): 38_527_000,
    ("azure", "anthropic", "claude-sonnet-4-6", "0.042087"): 52_087_000,
    # Thoughts are in the total only, and are billed: https://ai.google.dev/gemini-api/docs/thinking, 2026-11.
    ("google", "chat", "gemini-2.5-pro-preview-05-06", "0.00016375"): 783_750,
    # What compacting and advising used is billed beside the sums, and not read by genai-prices. (An adviser
    # is another model, so that its part is not exact; a request for either has to be refused.)
    **{
        (vendor, flavour, model, dollars): cost
        for vendor, flavour in (("anthropic", "default"), ("azure", "anthropic"), ("google", "anthropic"))
        for model, dollars, cost in (
            ("claude-sonnet-4-6", "0.00078", 168_243_000),
            ("claude-sonnet-4-6", "0.00066", 208_800_000),
            ("claude-sonnet-5", "0.006624", 12_742_000),
            ("claude-sonnet-5", "0.00599", 11_246_000),
        )
    },
    # Without rates, genai-prices says zero. Here the model has no price.
    ("cerebras", "chat", "qwen-3-coder-480b", "0"): None,
    # Its rate for text is not that of its audio. Here the model has no price.
    ("openai", "chat", "gpt-4o-audio-preview-2024-12-17", "0.00025"): None,
    ("openai", "embeddings", "gpt-4o-audio-preview-2024-12-17", "0.00016"): None,
    ("azure", "chat", "gpt-4o-audio-preview-2024-12-17", "0.00025"): None,
    ("azure", "embeddings", "gpt-4o-audio-preview-2024-12-17", "0.00016"): None,
}
"""Where our cost is another than the recorded one, in nano-dollars, and why."""

PRICED = [
    (row["usage"], row["model"], *priced)
    for row in RECORDED["rows"]
    for priced in row["priced"]
    if tuple(priced[:2]) not in NOT_SPOKEN
]


def our_cost(usage: Any, model: str, vendor: str, flavour: str) -> int | None:
    """Return what a recorded usage object costs here, `None` where the model has no price."""
    reader = DEFAULT.get(vendor, chat_usage) if flavour == "default" else BY_FLAVOUR[flavour]
    prices = (BOOK.find(vendor, model, kind=kind) for kind in KINDS)
    price = next((price for price in prices if price is not None), None)
    read = reader(usage)
    assert read is not None
    return None if price is None else cost_of(price, read)


def test_every_recorded_usage_costs_what_its_source_says() -> None:
    wrong, met = [], set()
    for usage, model, vendor, flavour, dollars in PRICED:
        cost = our_cost(usage, model, vendor, flavour)
        place = (vendor, flavour, model, normal(dollars))
        if place in DIFFERENT and cost == DIFFERENT[place]:
            met.add(place)
        elif cost != rounded_up(dollars):
            wrong.append((place, cost, usage))
    assert wrong == []
    assert met == set(DIFFERENT)


def test_no_recorded_usage_is_free_or_unread() -> None:
    assert [
        (vendor, model)
        for usage, model, vendor, flavour, _ in PRICED
        if our_cost(usage, model, vendor, flavour) == 0 and any_tokens(usage) and not model.endswith(":free")
    ] == []


def test_the_record_has_what_it_is_said_to_have() -> None:
    assert len(PRICED) == 1_352
    assert sum(RECORDED["outside"].values()) == 511


def normal(dollars: str) -> str:
    return format(Decimal(dollars).normalize(), "f")


def rounded_up(dollars: str) -> int:
    return int(-(-Decimal(dollars) * 10**9 // 1))


def any_tokens(usage: Any) -> bool:
    return any(isinstance(figure, int) and figure > 0 for figure in usage.values())


def test_the_fast_way_reads_every_recorded_chat_usage_as_this_one_does() -> None:
    told = [known_to_both(usage) for usage, *_ in PRICED if "prompt_tokens" in usage]
    assert len(told) > 100
    assert [
        usage
        for usage in told
        if read_answer(json.dumps({"usage": usage}).encode()).event.usage != chat_usage(usage)
    ] == []


def known_to_both(usage: Any) -> Any:
    """Leave out the parts of an output that only the slow way tells apart."""
    details = usage.get("completion_tokens_details")
    if not isinstance(details, dict):
        return usage
    known = {name: figure for name, figure in details.items() if name != "image_tokens"}
    return {**usage, "completion_tokens_details": known}


FULL = Price(
    Rates(
        input=Rate(3_000_000), output=Rate(15_000_000), cached_read=Rate(300_000),
        cached_write=Rate(3_750_000), audio_input=Rate(40_000_000), audio_output=Rate(80_000_000),
        cached_write_1h=Rate(6_000_000), cached_audio_read=Rate(2_500_000), image_output=Rate(60_000_000),
        web_search=Rate(10**13),
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(input=1_000, cached_write=400, cached_write_1h=400), 1_800 + 2_400),
        (Usage(input=1_000, cached_write=400, cached_write_1h=100), 1_800 + 1_125 + 600),
        (
            Usage(input=1_000, cached_write=400, cached_write_1h=900),
            1_800 + 2_400,
        ),  # at most what was written
        (Usage(input=1_000, audio_input=600, cached_read=500, cached_audio_read=500), 1_200 + 4_000 + 1_250),
        (Usage(input=1_000, audio_input=600, cached_read=400), 24_000 + 120),  # they need not overlap
        (Usage(input=1_000, audio_input=600, cached_read=500), 20_000 + 120 + 250),  # a hundred must
        (Usage(output=100, image_output=0), 1_500),
        (Usage(output=100, image_output=40), 900 + 2_400),
        (Usage(output=100), 6_000),  # untold: all of it may be images
        (Usage(output=100, image_output=0, audio_output=60), 600 + 4_800),
        (Usage(web_searches=2), 20_000_000),
    ],
)
def test_each_special_kind_is_billed_once_and_at_its_own_rate(usage: Usage, cost: int) -> None:
    assert cost_of(FULL, usage) == cost


def test_an_hours_write_counts_in_the_bound_unless_none_can_come() -> None:
    assert FULL.rates.dearest_input() == 6_000_000
    assert FULL.rates.dearest_input(hour_writes=False) == 3_750_000
    assert FULL.rates.dearest_input(audio=True) == 40_000_000
    assert FULL.rates.dearest_output() == 60_000_000
    assert FULL.rates.dearest_output(audio=True) == 80_000_000


@given(st.data(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_usage_costs_more_than_its_bounds(data: st.DataObject, size: int, output: int) -> None:
    read = data.draw(st.integers(0, size))
    write = data.draw(st.integers(0, size - read))
    audio = data.draw(st.integers(0, size - write))
    most_cached, least_cached = min(read, audio), max(0, read + write + audio - size)
    spoken = data.draw(st.integers(0, output))
    usage = Usage(
        input=size,
        output=output,
        cached_read=read,
        cached_write=write,
        audio_input=audio,
        cached_audio_read=data.draw(st.integers(least_cached, most_cached)),
        cached_write_1h=data.draw(st.integers(0, write)),
        audio_output=spoken,
        image_output=data.draw(st.none() | st.integers(0, output - spoken)),
    )
    rates = data.draw(
        st.builds(Rates, *[st.integers(0, 10**9)] * 2, *[st.none() | st.integers(0, 10**9)] * 7)
    )
    bound = Rates(rates.dearest_input(audio=True), rates.dearest_output(audio=True))
    assert 0 <= cost_of(Price(rates), usage) <= cost_of(Price(bound), Usage(input=size, output=output))
