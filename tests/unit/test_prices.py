"""What models cost: the table, the user's own prices, and the formula."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.money import Price, Rate, Rates, Tier, Usage, cost_of
from seawall.providers import prices
from seawall.providers.prices import PriceBook

DAY = date(2026, 11, 21)
VENDORS = (
    "anthropic", "azure", "cerebras", "cohere", "deepseek", "fireworks", "google", "groq", "mistral",
    "openai", "openrouter", "perplexity", "together", "x-ai",
)  # fmt: skip

OWN = Price(Rates(input=Rate(7), output=Rate(9)), source="seawall.toml")


def book(**configured: Price) -> PriceBook:
    return PriceBook(configured, today=lambda: DAY)


BOOK = book()


def rates(vendor: str, model: str) -> Rates | None:
    price = BOOK.find(vendor, model)
    return price.rates if price else None


def test_a_price_says_everything_that_money_depends_on() -> None:
    price = book().find("openai", "gpt-4o")
    assert price == Price(
        Rates(
            input=Rate(2_500_000_000),
            output=Rate(10_000_000_000),
            cached_read=Rate(1_250_000_000),
            web_search=Rate(10_000_000_000_000),
        ),
        max_output_tokens=16_384,
        context_tokens=128_000,
        image_tokens_max=1_445,
        source="genai-prices 0.2.3 (MIT): https://developers.openai.com/api/docs/pricing",
        as_of=price.as_of if price else "",
    )
    assert date.fromisoformat(price.as_of) <= datetime.now(UTC).date()


def test_a_long_context_tier_holds_from_the_token_after_its_threshold() -> None:
    price = book().find("anthropic", "claude-sonnet-4-5-20250929")
    assert price is not None
    assert price.rates_at(200_000).input == 3_000_000_000
    assert price.rates_at(200_001) == Rates(
        input=Rate(6_000_000_000),
        output=Rate(22_500_000_000),
        cached_read=Rate(600_000_000),
        cached_write=Rate(7_500_000_000),
        cached_write_1h=Rate(12_000_000_000),
        web_search=Rate(10_000_000_000_000),
    )


@pytest.mark.parametrize(
    ("vendor", "model", "same_as"),
    [
        ("openai", "gpt-4o", "GPT-4o"),  # equals
        ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001"),  # starts with
        ("google", "claude-fable-5", "publishers/anthropic/models/claude-fable-5"),  # ends with
        ("azure", "o4-mini", "our-o4-mini-in-sweden"),  # contains
        ("anthropic", "claude-sonnet-5", "claude-sonnet-5-20260101"),  # regular expression
        ("google", "gemini-2.5-pro", "gemini-2.5-pro-preview-06-05"),  # all of several
        ("openai", "gpt-5.2", "gpt-5.2-20251211"),  # a date without dashes
    ],
)
def test_a_model_is_found_by_every_name_that_its_rule_allows(vendor: str, model: str, same_as: str) -> None:
    found = rates(vendor, model)
    assert found is not None
    assert rates(vendor, same_as) == found


def test_a_rule_of_several_parts_needs_them_all() -> None:
    assert rates("google", "gemini-2.5-pro-preview-tts") != rates("google", "gemini-2.5-pro")


def test_a_vendor_charges_for_the_models_of_another_what_that_one_does() -> None:
    assert rates("azure", "gpt-4o") == rates("openai", "gpt-4o")
    assert rates("azure", "claude-opus-4-1") == rates("anthropic", "claude-opus-4-1")
    assert rates("openai", "claude-opus-4-1") is None


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("openai", "no-such-model"),
        ("openai", ""),
        ("openai", "gpt-4o" + "o" * 300),
        ("no-such-vendor", "gpt-4o"),
        ("", "gpt-4o"),
        ("openai", "text-embedding-3-small"),  # an embedding, which is no answer to a chat
        ("openai", "tts-1"),  # by characters
        ("openai", "gpt-image-1"),  # images at a rate of their own
        ("google", "gemini-2.5-flash-image"),
        ("openrouter", "openai/gpt-5-image"),
        ("openai", "gpt-4o-search-preview"),  # a fee for each request
        ("openai", "gpt-5-search-api"),
        ("openai", "o3-deep-research"),
        ("openrouter", "openai/gpt-4o:online"),
        ("google", "gemini-nano-banana-2.1"),  # images, though its name does not say so
        ("openai", "gpt-4o-audio-preview"),  # no rate for its audio
        ("openai", "gpt-4o-mini-audio-preview"),
        ("openrouter", "openai/gpt-audio"),
        ("perplexity", "sonar-pro"),
        ("openrouter", "perplexity/sonar"),
        ("cerebras", "qwen-3-coder-480b"),  # its source says nothing
        ("mistral", "mistral-nemo:free"),  # not a name that Mistral has
    ],
)
def test_what_cannot_be_priced_has_no_price(vendor: str, model: str) -> None:
    assert rates(vendor, model) is None


def test_only_what_its_source_calls_free_is_free() -> None:
    assert rates("openrouter", "openai/gpt-oss-120b:free") == Rates(input=Rate(0), output=Rate(0))
    free = {
        (vendor, model)
        for vendor in VENDORS
        for model in BOOK.models(vendor)
        if (found := rates(vendor, model)) and found.input == found.output == 0
    }
    assert {vendor for vendor, _ in free} == {"openrouter"}
    assert all(model.endswith(":free") for _, model in free)


@pytest.mark.parametrize(
    ("vendor", "model", "rate"),
    [
        ("openai", "text-embedding-3-small", 20_000_000),
        ("openai", "text-embedding-ada-002", 100_000_000),
        ("azure", "text-embedding-3-large", 130_000_000),
        ("google", "gemini-embedding-001", 150_000_000),
    ],
)
def test_embeddings_have_a_price_of_their_own_kind(vendor: str, model: str, rate: int) -> None:
    price = BOOK.find(vendor, model, kind="embedding")
    assert price is not None
    assert (price.kind, price.rates) == ("embedding", Rates(input=Rate(rate), output=Rate(0)))
    assert model not in BOOK.models(vendor)


def test_embeddings_are_listed_as_such() -> None:
    assert BOOK.models("openai", kind="embedding") == [
        "text-embedding-3-large", "text-embedding-3-small", "text-embedding-ada-002",
    ]  # fmt: skip
    assert BOOK.find("openai", "gpt-4o", kind="embedding") is None


def test_models_that_make_images_are_priced_but_not_for_chat() -> None:
    price = BOOK.find("google", "gemini-2.5-flash-image", kind="image")
    assert price is not None
    assert price.rates.image_output == price.rates.dearest_output() == 30_000_000_000


@pytest.mark.parametrize("vendor", ["anthropic", "google", "azure", "openrouter"])
def test_no_cache_write_of_claude_is_cheaper_than_anthropic_sells_it(vendor: str) -> None:
    claudes = [
        price.rates
        for model in BOOK.models(vendor)
        if "claude" in model and (price := BOOK.find(vendor, model)) and price.rates.cached_write is not None
    ]
    if vendor != "azure":  # whose Claude models are Anthropic's rows
        assert claudes
    assert [
        rates
        for rates in claudes
        if rates.cached_write_1h != 2 * rates.input or rates.dearest_input() != 2 * rates.input
    ] == []


def test_openrouter_sells_audio_at_its_makers_price() -> None:
    found = rates("openrouter", "google/gemini-2.5-flash")
    assert found is not None
    assert found.audio_input == 1_000_000_000


def test_where_the_hour_matters_the_dearest_counts() -> None:
    assert rates("deepseek", "deepseek-v4-pro") == Rates(
        input=Rate(1_320_000_000), output=Rate(3_960_000_000), cached_read=Rate(44_000_000)
    )


def test_an_announced_price_begins_on_its_day() -> None:
    days = iter([date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 1)])
    prices_of_days = PriceBook({}, today=lambda: next(days))
    found = [prices_of_days.find("google", "gemini-4-argon") for _ in range(3)]
    assert [price and (price.rates.input, price.rates.output) for price in found] == [
        (2_000_000_000, 10_000_000_000),
        (2_000_000_000, 10_000_000_000),
        (4_000_000_000, 20_000_000_000),
    ]


def test_configured_prices_win() -> None:
    ours = book(**{"gpt-4o": OWN, "azure/gpt-4o": msgspec.structs.replace(OWN, max_output_tokens=5)})
    with_images = msgspec.structs.replace(OWN, image_tokens_max=1_445)
    assert ours.find("openai", "gpt-4o") == with_images
    assert ours.find("", "gpt-4o") == with_images
    assert ours.find("azure", "gpt-4o") == msgspec.structs.replace(with_images, max_output_tokens=5)
    assert ours.find("openai", "gpt-4o-mini") == book().find("openai", "gpt-4o-mini")


def test_configured_prices_are_found_by_the_name_of_the_account() -> None:
    ours = book(**{"basement/llama": OWN})
    assert ours.find("", "llama", provider="basement") == OWN
    assert ours.find("", "llama") is None


def test_a_configured_bound_of_images_is_kept() -> None:
    price = msgspec.structs.replace(OWN, image_tokens_max=11)
    assert book(**{"gpt-4o": price}).find("openai", "gpt-4o") == price


def test_models_are_those_for_chat_and_each_has_a_price() -> None:
    ours = book()
    found = {vendor: ours.models(vendor) for vendor in VENDORS}
    assert [vendor for vendor, models in found.items() if not models] == []
    assert [
        (vendor, model) for vendor, models in found.items() for model in models if not rates(vendor, model)
    ] == []
    assert {"gpt-4o", "gpt-4.1-mini", "o3", "gpt-5"} <= set(found["openai"])
    apart = ("embed", "whisper", "tts", "realtime", "image", "moderation", "davinci", "transcribe", "audio")
    assert [model for model in found["openai"] if any(word in model for word in apart)] == []
    assert ours.models("no-such-vendor") == []


def test_the_table_is_small() -> None:
    assert Path(prices.__file__).with_name("prices.json").stat().st_size < 500_000


def test_finds_are_remembered_up_to_a_limit() -> None:
    ours = book()
    for number in range(prices._REMEMBERED_MAX + 10):
        ours.find("no-such-vendor", f"model-{number}")
    assert len(ours._remembered) <= prices._REMEMBERED_MAX


def test_every_name_and_rate_agrees_with_genai_prices() -> None:
    genai = pytest.importorskip("genai_prices")
    data = pytest.importorskip("genai_prices.data").providers
    compiled = book().find("openai", "gpt-4o")
    assert compiled is not None
    as_of = date.fromisoformat(compiled.as_of)
    # At two in the morning the hours of every vendor are dear.
    at = datetime.combine(as_of, time(2), UTC)
    ours, by_id = PriceBook({}, today=lambda: as_of), {each.id: each for each in data}
    different: list[tuple[object, ...]] = []
    for vendor in VENDORS:
        sellers = (vendor, *(by_id[vendor].fallback_model_providers or ()))
        names = [model.id for seller in sellers for model in by_id[seller].models]
        for name in (*names, *(name.upper() for name in names), *(f"{name}-20251211" for name in names)):
            price, model = ours.find(vendor, name), by_id[vendor].find_model(name, all_providers=data)
            if price is None:
                continue
            if model is None:
                different.append((vendor, name, "unknown there"))
                continue
            told = model.get_prices(at)
            # OpenRouter's source does not always say what a cache write costs; here its maker does.
            writes = vendor != "openrouter" or told.cache_write_mtok is not None
            for usage in usages_around(price, writes=writes):
                theirs = told.calc_price(genai.Usage(**in_their_words(usage)))
                expected = rounded_up(theirs["input_price"] + theirs["output_price"])
                if not expected <= cost_of(price, usage) <= expected + 1:  # a rate may be rounded up
                    different.append((vendor, name, usage))
    assert different == []


def usages_around(price: Price, *, writes: bool) -> list[Usage]:
    """Return usages on both sides of every tier."""
    sizes = [1_000, *(tier.above_input_tokens + more for tier in price.tiers for more in (0, 1))]
    return [
        Usage(input=size, output=77, cached_read=size // 3, cached_write=size // 7 if writes else 0)
        for size in sizes
    ]


def in_their_words(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cached_read,
        "cache_write_tokens": usage.cached_write,
    }


def rounded_up(dollars: Decimal) -> int:
    return int(-(-dollars * 10**9 // 1))


FULL = Price(
    Rates(Rate(3_000), Rate(15_000), Rate(300), Rate(3_750), Rate(40_000), Rate(80_000)),
    tiers=(Tier(1_000, Rates(Rate(6_000), Rate(22_500))),),
)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(), 0),
        (Usage(input=1), 1),  # 0.003, rounded up
        (Usage(input=1_000, output=1_000), 18),
        (Usage(input=1_000, output=1_000, reasoning=900), 18),  # reasoning is output
        (Usage(input=1_000, cached_read=1_000), 1),  # 0.3
        (Usage(input=1_000, cached_read=600, cached_write=400), 2),  # 0.18 + 1.5
        (Usage(input=1_000, audio_input=500, output=100, audio_output=100), 30),  # 1.5 + 20 + 8
        (Usage(input=1_001, output=1_000), 29),  # 6.006 + 22.5: the tier is for the whole call
        (Usage(input=1_001, cached_read=1_001), 7),  # a tier without a rate for it has the plain one
    ],
)
def test_each_kind_of_token_is_billed_at_its_own_rate(usage: Usage, cost: int) -> None:
    assert cost_of(FULL, usage) == cost


counts = st.integers(0, 10**7)
some_rates = st.builds(
    Rates, *[st.integers(0, 10**12)] * 2, *[st.none() | st.integers(0, 10**12)] * 5
)  # input, output; cached read and write, audio in and out, an hour's write
some_usages = st.builds(
    Usage,
    input=counts,
    output=counts,
    cached_read=counts,
    cached_write=counts,
    audio_input=counts,
    audio_output=counts,
    cached_write_1h=counts,
    cached_audio_read=counts,
    image_output=st.none() | counts,
    web_searches=counts,
)


@given(some_rates, some_usages, counts, counts)
def test_a_cost_is_never_negative_and_never_falls_when_more_is_used(
    rates: Rates, usage: Usage, more_input: int, more_output: int
) -> None:
    price = Price(rates)
    more = msgspec.structs.replace(usage, input=usage.input + more_input, output=usage.output + more_output)
    assert 0 <= cost_of(price, usage) <= cost_of(price, more)


@given(some_rates, counts, counts, st.data())
def test_no_split_of_the_input_costs_more_than_its_dearest_rate(
    rates: Rates, size: int, output: int, data: st.DataObject
) -> None:
    read = data.draw(st.integers(0, size))
    usage = Usage(
        input=size, output=output, cached_read=read, cached_write=data.draw(st.integers(0, size - read))
    )
    dearest = Price(Rates(Rate(max(rates.dearest_input(), rates.cached_read or 0)), rates.dearest_output()))
    assert cost_of(Price(rates), usage) <= cost_of(dearest, Usage(input=size, output=output))
