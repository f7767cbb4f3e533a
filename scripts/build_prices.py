"""Compile genai-prices' data and an optional table of limits into src/seawall/providers/prices.json.

Run it with the development environment whenever genai-prices has a new release:

    python scripts/build_prices.py --limits model_limits.jsonl.gz

With `--out FILE` it writes a table for `seawall prices update FILE`, which needs no release of Seawall.
genai-prices (MIT) knows rates and which names they are for; the limits (JSON Lines, gzipped or not, in the
form of LiteLLM's model_prices_and_context_window, MIT) know how much a model reads and writes at most.
A model whose bill cannot be foreseen from tokens alone keeps its place but has no rates: it is unpriced.
"""

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import types as genai
from genai_prices.data import providers

TARGET = Path(__file__).parents[1] / "src" / "seawall" / "providers" / "prices.json"

VENDORS = (
    "anthropic", "azure", "cerebras", "cohere", "deepseek", "fireworks", "google", "groq", "mistral",
    "openai", "openrouter", "perplexity", "together", "x-ai",
)  # fmt: skip

RATE_NAMES = (
    "input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "input_audio_mtok",
    "output_audio_mtok", "cache_write_1h_mtok", "cache_audio_read_mtok", "output_image_mtok",
    "web_searches_kcount",
)  # fmt: skip
"""The rates of a row, in this order, which is that of the fields of Rates."""

IGNORED_NAMES = {"storage_searches_kcount"}
"""Prices that cannot come up in an admitted call: this hosted tool is refused, and no usage object counts it.

Any other price that we do not know leaves a model out.
"""

HOUR_WRITE_FACTOR = 2
"""What a cache write for an hour costs of Claude's input, at every seller, where genai-prices has no price.

Anthropic's page "Prompt caching" says so, and each of the 42 prices that genai-prices has is that (2026-11).
"""

HIDDEN_FEES = re.compile(r"sonar|-search-|deep-research|-online$")
"""Models that search by themselves and bill each request for it, whether or not the source says so."""

SPEAKS = re.compile(r"audio|voxtral")
"""Models made for sound, which costs many times what text does; unpriced where no rate for it is known."""

MAKES_IMAGES = re.compile(r"-image")
"""Models that generate images, which cost many times what their text costs.

They are priced where the source has a rate for images, and marked: nothing bounds how many they make.
"""

EMBEDS = re.compile(r"embed|^(text-)?(similarity|search)-")
"""Models that make embeddings. They have no output, so that the source has a price for their input only."""

NOT_CHAT = re.compile(
    r"audio|:batch|embed|guard|-live|moderation|-ocr|rerank|realtime|transcri|translate|-tts|-voice|whisper|"
    r"turbo-instruct|^(text-)?(ada|babbage|curie|davinci)"
)

LIMITS_SOURCE = "LiteLLM 1.109.1 (MIT): model_prices_and_context_window.json"

LIMIT_NAMES = {
    "anthropic": "anthropic", "azure": "azure", "azure_ai": "azure", "cerebras": "cerebras",
    "cohere": "cohere", "cohere_chat": "cohere", "deepseek": "deepseek", "fireworks_ai": "fireworks",
    "gemini": "google", "groq": "groq", "mistral": "mistral", "moonshot": "moonshotai", "openai": "openai",
    "openrouter": "openrouter", "perplexity": "perplexity", "together_ai": "together",
    "vertex_ai-language-models": "google", "xai": "x-ai",
}  # fmt: skip
"""The providers of the limits table, as genai-prices names them."""

MAKERS = {
    "anthropic": "anthropic", "cohere": "cohere", "deepseek": "deepseek", "google": "google",
    "mistralai": "mistral", "moonshotai": "moonshotai", "openai": "openai", "x-ai": "x-ai",
}  # fmt: skip
"""Whose model `maker/model` at OpenRouter is."""

PASSED_ON = ("cache_write_mtok", "cache_write_1h_mtok", "input_audio_mtok", "output_audio_mtok")
"""What OpenRouter bills at the maker's price, and the source does not always say where it has that of input.

It adds nothing to the providers' prices: https://openrouter.ai/docs/faq, as others cite it in 2026-11.
"""

Row = list[Any]


def main() -> int:
    """Write the table and say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--limits", type=Path, help="JSON Lines with the limits of models, gzipped or not")
    parser.add_argument("--limits-source", default=LIMITS_SOURCE, help="what the table calls their source")
    parser.add_argument("--as-of", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--out", type=Path, default=TARGET, help="the file to write; the built-in table")
    options = parser.parse_args()
    lines = read_limits(options.limits) if options.limits else ()
    table = compile_table(options.as_of, Limits(lines, options.limits_source))
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # One vendor a line, so that a change of prices can be read.
    options.out.write_text(re.sub(r'("[a-z-]+":\{"fallback")', r"\n\1", text) + "\n", encoding="utf-8")
    for vendor, entry in table["vendors"].items():
        priced = [row[7] if len(row) > 7 else "" for row in entry["rows"] if len(row) > 3]
        chat, embedding = (sum(mark in marks for marks in priced) for mark in "ce")
        print(
            f"{vendor}: {len(entry['rows'])} models, {len(priced)} priced, {chat} for chat, "
            f"{embedding} for embeddings"
        )
    print(f"{options.out.name}: {options.out.stat().st_size:,} bytes")
    return 0


def read_limits(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a limits table."""
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return [json.loads(line) for line in text.splitlines() if line.strip()]


class Limits:
    """What a limits table says of a model of ours: under its own id, or under any name that it goes by."""

    def __init__(self, lines: Iterable[dict[str, Any]], source: str) -> None:
        self.source = source
        self._lines: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
        by_id = {provider.id: provider for provider in providers}
        for line in lines:
            vendor = LIMIT_NAMES.get(line["litellm_provider"])
            if vendor is None:
                continue
            name = line["model"].removeprefix(line["litellm_provider"] + "/").lower()
            model = by_id[vendor].find_model(name)
            if model is not None:
                self._lines.setdefault((vendor, model.id), {}).setdefault(name, []).append(line)

    def find(self, vendor: str, model: genai.ModelInfo) -> list[dict[str, Any]]:
        """Return the lines for a model; those with its own id alone, where there are some."""
        if vendor == "openrouter" and "/" in model.id:
            maker, made = upstream(model)
            return self.find(maker, made) if made else []
        names = self._lines.get((vendor, model.id), {})
        return names.get(model.id.lower()) or [line for lines in names.values() for line in lines]


def upstream(model: genai.ModelInfo) -> tuple[str, genai.ModelInfo | None]:
    """Return whose model one of OpenRouter's is, and how its maker has it, where that is known."""
    maker, _, name = model.id.partition("/")
    provider = next((each for each in providers if each.id == MAKERS.get(maker)), None)
    return MAKERS.get(maker, ""), provider.find_model(name) if provider else None


def compile_table(as_of: date, limits: Limits) -> dict[str, Any]:
    """Return the whole table: where its figures are from, and the rows of every vendor."""
    by_id = {provider.id: provider for provider in providers}
    fallbacks = {other for vendor in VENDORS for other in by_id[vendor].fallback_model_providers or ()}
    vendors = sorted({*VENDORS, *fallbacks})
    release, day = f"genai-prices {version('genai-prices')} (MIT)", as_of.isoformat()
    pages = [(by_id[vendor].pricing_urls or [""])[0] for vendor in vendors]
    return {
        "as_of": day,
        "origins": [
            *([f"{release}: {page}".removesuffix(": "), day] for page in pages),
            [limits.source, day],
        ],
        "vendors": {
            vendor: {
                "fallback": by_id[vendor].fallback_model_providers or [],
                "rows": [
                    compile_row(by_id[vendor], model, as_of, limits, (index, len(vendors)))
                    for model in by_id[vendor].models
                ],
            }
            for index, vendor in enumerate(vendors)
        },
    }


def compile_row(
    provider: genai.Provider, model: genai.ModelInfo, as_of: date, limits: Limits, origins: tuple[int, int]
) -> Row:
    """Return `[name, match, origin, rates, tiers, max output, context, marks, later]` without its empty end.

    `origin` is an index into the table's origins, or two where limits came from another place: each says
    source and date. Rates are nano-dollars per million in the order of RATE_NAMES, empty where unpriced. A
    tier is `[above input tokens, rates]`; later prices, `[date, rates, tiers]`, hold from their date on.
    Marks: `c` for a chat model that can be called by this name, `r` for one that bills reasoning, `e` for
    embeddings, `i` for one that makes images, `f` for one that its source calls free.
    """
    vendor, match = provider.id, compile_match(model.match)
    name = next((name for name in names(model, match) if provider.find_model(name) is model), None)
    lines = limits.find(vendor, model)
    rates, tiers = compile_price(vendor, model, as_of)
    if not rates:
        return [name or model.id, match, origins[0]]
    writes = {line["max_output_tokens"] for line in lines if line.get("max_output_tokens")}
    reads = {line["max_input_tokens"] for line in lines if line.get("max_input_tokens")}
    if model.context_window:
        reads.add(model.context_window)
    context = max(reads, default=None)
    if context is not None and tiers and tiers[-1][0] >= context:
        context = None  # There is a price for longer inputs, so it is not the limit.
    row: Row = [
        name or model.id, match, list(origins) if lines else origins[0], rates, tiers,
        None if embeds(model) else min(writes, default=None), context,
        marks(model, lines, rates, is_named=name is not None), later_prices(vendor, model, as_of),
    ]  # fmt: skip
    while row[-1] in (None, [], ""):
        row.pop()
    return row


def names(model: genai.ModelInfo, match: str | list[Any]) -> Iterator[str]:
    """Yield the names that a model may be called by: its id, and those that its rule spells out."""
    yield model.id
    yield from (rule[1:] for rule in ([match] if isinstance(match, str) else match) if rule[0] == "=")


def compile_match(rule: genai.MatchLogic) -> str | list[Any]:
    """Return a rule as JSON: a sign and a text, a list of which any must match, or "&" and all of which must.

    Signs: `=` equals, `^` starts with, `$` ends with, `*` contains, `~` regular expression, each on the name
    in lower case.
    """
    if isinstance(rule, genai.ClauseOr):
        return [compile_match(each) for each in rule.or_]
    if isinstance(rule, genai.ClauseAnd):
        return ["&", *(compile_match(each) for each in rule.and_)]
    if isinstance(rule, genai.ClauseRegex):
        return "~" + rule.regex
    if isinstance(rule, genai.ClauseEquals):
        return "=" + rule.equals.lower()
    if isinstance(rule, genai.ClauseStartsWith):
        return "^" + rule.starts_with.lower()
    if isinstance(rule, genai.ClauseEndsWith):
        return "$" + rule.ends_with.lower()
    return "*" + rule.contains.lower()


def compile_price(vendor: str, model: genai.ModelInfo, on: date) -> tuple[list[int | None], list[list[Any]]]:
    """Return the rates and tiers of a day; where the hour matters, the dearest; empty if unpriced."""
    moments = [datetime.combine(on, hour, UTC) for hour in hours(model)]
    prices = dearest(model.get_prices(moment).__dict__ for moment in moments)
    if vendor == "openrouter" and model.id.endswith(":free") and not prices:
        return [0, 0], []  # Variants of this name cost nothing: https://openrouter.ai/docs, read 2026-11.
    if embeds(model) and prices.keys() == {"input_mtok"}:
        prices["output_mtok"] = Decimal(0)
    if not {"input_mtok", "output_mtok"} <= prices.keys() or prices.keys() - {*RATE_NAMES} - IGNORED_NAMES:
        return [], []
    name = model.id.lower()
    if HIDDEN_FEES.search(name) or (MAKES_IMAGES.search(name) and "output_image_mtok" not in prices):
        return [], []
    if SPEAKS.search(name) and "input_audio_mtok" not in prices:
        return [], []
    maker = upstream(model)[1] if vendor == "openrouter" else None
    makers = maker.get_prices(moments[0]).__dict__ if maker else {}
    for each in PASSED_ON if makers.get("input_mtok") == prices["input_mtok"] else ():
        if each in makers:
            prices.setdefault(each, makers[each])
    if "claude" in name and "cache_write_mtok" in prices:
        prices.setdefault("cache_write_1h_mtok", times(prices["input_mtok"], HOUR_WRITE_FACTOR))
    if "web_searches_kcount" in prices:  # The others are for a million.
        prices["web_searches_kcount"] = times(prices["web_searches_kcount"], 1_000)
    chosen = [prices.get(name) for name in RATE_NAMES]
    tiered = [price for price in chosen if isinstance(price, genai.TieredPrices)]
    starts = sorted({tier.start for price in tiered for tier in price.tiers})
    return rates_at(chosen, 0), [[start, rates_at(chosen, start + 1)] for start in starts]


def embeds(model: genai.ModelInfo) -> bool:
    """Say whether a model makes embeddings."""
    return EMBEDS.search(model.id.lower()) is not None


def times(price: Decimal | genai.TieredPrices, factor: int) -> Decimal | genai.TieredPrices:
    """Return a multiple of a price."""
    if isinstance(price, Decimal):
        return price * factor
    tiers = [genai.Tier(tier.start, tier.price * factor) for tier in price.tiers]
    return genai.TieredPrices(price.base * factor, tiers)


def hours(model: genai.ModelInfo) -> Iterator[time]:
    """Yield the moments of a day at which the price of a model may change."""
    yield time(0)
    for price in model.prices if isinstance(model.prices, list) else ():
        if isinstance(price.constraint, genai.TimeOfDateConstraint):
            for moment in (price.constraint.start_time, price.constraint.end_time):
                yield datetime.combine(date(2000, 1, 2), moment).astimezone(UTC).time()


def dearest(options: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the highest of each price."""
    first, *others = [dict(option) for option in options]
    for other in others:
        if other == first:
            continue
        if first.keys() != other.keys() or not all(isinstance(price, Decimal) for price in other.values()):
            raise NotImplementedError("prices by the hour that differ in kind or have tiers")
        first = {name: max(price, other[name]) for name, price in first.items()}
    return first


def rates_at(prices: list[Decimal | genai.TieredPrices | None], input_tokens: int) -> list[int | None]:
    """Return the rates at an input of this size, chosen as genai-prices' calc_unit_price does, rounded up."""
    rates: list[int | None] = []
    for price in prices:
        if isinstance(price, genai.TieredPrices):
            reached = [tier.price for tier in price.tiers if input_tokens > tier.start]
            rates.append(nanos(reached[-1] if reached else price.base))
        else:
            rates.append(None if price is None else nanos(price))
    while rates[-1] is None:
        rates.pop()
    return rates


def nanos(dollars: Decimal) -> int:
    """Return dollars as nano-dollars, rounded up: a rate is at most a nano-dollar per million tokens off."""
    return int(-((-dollars * 10**9) // 1))


def marks(
    model: genai.ModelInfo, lines: list[dict[str, Any]], rates: list[int | None], *, is_named: bool
) -> str:
    """Say what is to be known of a priced model; see compile_row."""
    modes = {line["mode"] for line in lines}
    name = model.id.lower()
    image_rate = rates[RATE_NAMES.index("output_image_mtok") :][:1]
    kind = "e" if embeds(model) else "i" if any(image_rate) or MAKES_IMAGES.search(name) else ""
    chat = is_named and not kind and not NOT_CHAT.search(name)
    chat = chat and (not modes or bool(modes & {"chat", "responses"}))
    reasons = any(line.get("supports_reasoning") for line in lines)
    free = rates[0] == 0
    return kind + "c" * chat + "r" * (reasons and not kind) + "f" * free


def later_prices(vendor: str, model: genai.ModelInfo, as_of: date) -> list[list[Any]]:
    """Return the changes of price that are announced for after `as_of`, earliest first."""
    constraints = [price.constraint for price in model.prices] if isinstance(model.prices, list) else []
    starts = {each.start_date for each in constraints if isinstance(each, genai.StartDateConstraint)}
    later = sorted(start for start in starts if start > as_of)
    return [[start.isoformat(), *compile_price(vendor, model, start)] for start in later]


if __name__ == "__main__":
    sys.exit(main())
