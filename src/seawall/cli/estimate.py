"""`seawall estimate`: what requests would cost on several models, for so many of them and for a month."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from seawall.advice import estimating
from seawall.advice.estimating import WHOLE, Assumed, Estimate, Observed
from seawall.cli.opening import (
    EXIT_NOT_FOUND,
    ConfigOption,
    DataOption,
    JsonOption,
    read_settings,
    stop,
    with_store,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from seawall.cli.priced import Priced
    from seawall.homes import Store
    from seawall.settings import Settings

REQUESTS_MAX = 10**12
TOKENS_MAX = 10**7
TURNS_MAX = 1_000
DAYS_MAX = 366
FEW_CALLS = 100
BAR_CHARS_MIN, BAR_CHARS_MAX, BESIDE_BAR_CHARS = 8, 40, 70


class Per(StrEnum):
    """What the number of requests is meant for."""

    DAY = "day"
    MONTH = "month"


RequestsOption = Annotated[
    int | None, typer.Option(help="How many requests.", min=1, max=REQUESTS_MAX, show_default="10,000")
]
InputOption = Annotated[
    int | None,
    typer.Option("--input", help="Tokens of one message.", min=0, max=TOKENS_MAX, show_default="500"),
]
OutputOption = Annotated[
    int | None,
    typer.Option("--output", help="Tokens of one answer.", min=0, max=TOKENS_MAX, show_default="500"),
]
ModelOption = Annotated[
    list[str] | None, typer.Option("--model", help="A model or an alias; may be repeated.")
]
PerOption = Annotated[Per, typer.Option(help="What the requests are meant for.")]
TurnsOption = Annotated[
    int, typer.Option(help="Messages of a conversation; each sends what was before.", min=1, max=TURNS_MAX)
]
HitsOption = Annotated[
    str | None,
    typer.Option(metavar="PERCENT", help="Requests that the gateway's cache answers.", show_default="0"),
]
PromptCacheOption = Annotated[
    str | None,
    typer.Option(metavar="PERCENT", help="Input read from the provider's cache.", show_default="0"),
]
PricesOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Prices: [prices] in TOML, or what seawall prices --json prints."),
]
FromUsageOption = Annotated[
    bool, typer.Option("--from-usage", help="Take what is not said from the app's own calls.")
]
DaysOption = Annotated[
    int, typer.Option(help="How many days of calls --from-usage looks at.", min=1, max=DAYS_MAX)
]


def estimate(
    requests: RequestsOption = None,
    input_tokens: InputOption = None,
    output_tokens: OutputOption = None,
    model: ModelOption = None,
    per: PerOption = Per.DAY,
    turns: TurnsOption = 1,
    cache_hits: HitsOption = None,
    prompt_cache: PromptCacheOption = None,
    prices: PricesOption = None,
    from_usage: FromUsageOption = False,
    days: DaysOption = 31,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what requests would cost on several models, and in a month, with short and with long answers.

    Nothing is called and nothing is spent.
    """
    settings = read_settings(config, data_dir=data)
    seen = _observed(settings, days) if from_usage else None
    times = estimating.MONTH_DAYS if per is Per.DAY else 1
    if seen is not None and requests is None:
        requests = seen.requests_a_day * (estimating.MONTH_DAYS // times)
    assumed = _assumed(seen, requests, input_tokens, output_tokens)
    assumed = replace(
        assumed,
        turns=turns,
        cache_hits=assumed.cache_hits if cache_hits is None else _share(cache_hits, "--cache-hits"),
        prompt_cache=assumed.prompt_cache if prompt_cache is None else _share(prompt_cache, "--prompt-cache"),
    )
    from seawall.cli.priced import priced_models

    models = priced_models(settings, model or [], prices)
    costed = [(each, estimating.estimate(each.price, assumed)) for each in models]
    if not model and prices is None:
        costed.sort(key=lambda pair: pair[1].cost)
    if as_json:
        from seawall.cli.printing import print_json

        print_json(_values(costed, assumed, seen, per=per, times=times))
        return
    _print(costed, assumed, seen, per=per, times=times)


def _observed(settings: "Settings", days: int) -> Observed:
    """Read what the app's own calls were like, or end where there are none."""
    import time

    from seawall.summing import HOUR_S, catch_up, hours_until_now

    async def work(store: "Store") -> Observed | None:
        now = time.time()
        await catch_up(store, now, settings.log.keep_days)
        return estimating.observe(await hours_until_now(store, int(now) // HOUR_S - 24 * days, now))

    seen = with_store(settings, work)
    if seen is None:
        span = f"{days} days" if days > 1 else "day"
        stop(
            f"no call has reached a provider in the last {span}: say --input and --output.",
            code=EXIT_NOT_FOUND,
        )
    return seen


def _assumed(
    seen: Observed | None, requests: int | None, input_tokens: int | None, output_tokens: int | None
) -> Assumed:
    """Put together what is said, what was seen and what is usual, in this order."""
    if seen is None:
        return estimating.assume(
            requests=10_000 if requests is None else requests,
            input_tokens=500 if input_tokens is None else input_tokens,
            output_tokens=500 if output_tokens is None else output_tokens,
        )
    assumed = Assumed(
        requests=seen.requests_a_day if requests is None else requests,
        input=seen.input,
        output=seen.output,
        short=seen.short,
        long=seen.long,
        cache_hits=seen.cache_hits,
        prompt_cache=seen.prompt_cache,
    )
    if output_tokens is not None:
        said = estimating.assume(requests=0, input_tokens=0, output_tokens=output_tokens)
        assumed = replace(assumed, output=said.output, short=said.short, long=said.long)
    return assumed if input_tokens is None else replace(assumed, input=input_tokens)


def _share(text: str, option: str) -> int:
    """Read a percentage with at most two places as hundredths of a percent, or end."""
    try:
        share = Decimal(text.strip().removesuffix("%")) * (WHOLE // 100)
    except InvalidOperation:
        share = Decimal(-1)
    if not share.is_finite() or not 0 <= share <= WHOLE or share != share.to_integral_value():
        stop(f"{option} must be a number from 0 to 100 with at most two places.")
    return int(share)


def _many(number: int, what: str) -> str:
    """Write a number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _percent(share: int) -> str:
    return f"{Decimal(share) / (WHOLE // 100):f}"


def _values(
    costed: "list[tuple[Priced, Estimate]]", assumed: Assumed, seen: Observed | None, *, per: Per, times: int
) -> dict[str, Any]:
    """Put together what the command says, as plain values: exact decimal strings of dollars."""
    from seawall.core.money import format_usd

    def row(priced: "Priced", found: Estimate) -> dict[str, Any]:
        return {
            "vendor": priced.vendor or None,
            "model": priced.model,
            "cost_usd": format_usd(found.cost),
            "short_usd": format_usd(found.low),
            "long_usd": format_usd(found.high),
            "month_usd": format_usd(found.cost * times),
            "month_short_usd": format_usd(found.low * times),
            "month_long_usd": format_usd(found.high * times),
            "prices_as_of": priced.as_of or None,
            "most_input_tokens": found.most_input,
            "fits": _fits(priced, found, assumed),
        }

    return {
        "requests": assumed.requests,
        "per": per,
        "input_tokens": assumed.input,
        "output_tokens": assumed.output,
        "short_output_tokens": assumed.short,
        "long_output_tokens": assumed.long,
        "turns": assumed.turns,
        "cache_hits_percent": _percent(assumed.cache_hits),
        "prompt_cache_percent": _percent(assumed.prompt_cache),
        "from_calls": None if seen is None else seen.calls,
        "data": [row(*pair) for pair in costed],
        "traditional_usd": format_usd(estimating.traditional_cost(assumed.requests)),
    }


def _fits(priced: "Priced", found: Estimate, assumed: Assumed) -> bool:
    """Say whether the last turn with a long answer is within the limits of the model, as far as known."""
    window, most = priced.price.context_tokens, priced.price.max_output_tokens
    return (window is None or found.most_input + assumed.long <= window) and (
        most is None or assumed.long <= most
    )


def _print(
    costed: "list[tuple[Priced, Estimate]]", assumed: Assumed, seen: Observed | None, *, per: Per, times: int
) -> None:
    from seawall.cli import printing

    console = printing.console()
    size = f"{printing.count(assumed.input)} tokens in and {printing.count(assumed.output)} out"
    console.print(f"{_many(assumed.requests, 'request')} a {per}, each of {size}\n", style="bold")
    console.print(_table(costed, assumed))
    console.print("\nA month", style="bold")
    console.print(_chart(console, costed, times))
    console.print()
    console.print(printing.bullets(_notes(costed, assumed, seen, per=per)))


def _table(costed: "list[tuple[Priced, Estimate]]", assumed: Assumed) -> "Table":
    from seawall.cli.printing import dollars, printable, table

    numbers = (_many(assumed.requests, "request"), "Short answers", "Long answers")
    made = table("Model", *numbers, numbers=numbers)
    for priced, found in costed:
        mark = "" if _fits(priced, found, assumed) else " *"
        made.add_row(
            f"{printable(priced.model)}{mark}", dollars(found.cost), dollars(found.low), dollars(found.high)
        )
    return made


def _chart(console: "Console", costed: "list[tuple[Priced, Estimate]]", times: int) -> "Table":
    """Draw what a month costs, the dearest as the longest bar, with the range beside it."""
    from rich.table import Table

    from seawall.cli.printing import dollars, printable

    most = max((found.cost for _, found in costed), default=0)
    chars = max(BAR_CHARS_MIN, min(BAR_CHARS_MAX, console.width - BESIDE_BAR_CHARS))
    full = "#" if console.options.ascii_only else "█"
    made = Table.grid(padding=(0, 2))
    made.add_column(overflow="fold")
    made.add_column(no_wrap=True)
    made.add_column(justify="right", no_wrap=True)
    made.add_column(no_wrap=True)
    for priced, found in costed:
        filled = 0 if not most else max(1 if found.cost else 0, found.cost * chars // most)
        span = f"{dollars(found.low * times)} to {dollars(found.high * times)}"
        made.add_row(f"  {printable(priced.model)}", full * filled, dollars(found.cost * times), span)
    return made


def _notes(
    costed: "list[tuple[Priced, Estimate]]", assumed: Assumed, seen: Observed | None, *, per: Per
) -> list[str]:
    """Say what the figures rest on, one sentence or two for each thing."""
    from seawall.cli.printing import count, dollars

    notes = [] if seen is None else [_seen_note(seen)]
    notes.append(f"Short answers are of {count(assumed.short)} tokens, long ones of {count(assumed.long)}.")
    if assumed.turns > 1:
        last = estimating.input_of_turn(assumed, assumed.turns)
        notes.append(
            f"Conversations of {assumed.turns} messages: a model keeps nothing, so each request sends all"
            f" that was said before. The last one has {count(last)} tokens in."
        )
    if assumed.cache_hits:
        notes.append(
            f"The gateway's cache answers {_percent(assumed.cache_hits)} % of the requests for nothing."
        )
    if assumed.prompt_cache:
        notes.append(_prompt_cache_note(costed, assumed))
    if not all(_fits(priced, found, assumed) for priced, found in costed):
        notes.append("* is more than the model takes in or writes at once: it would be refused or cut.")
    if per is Per.DAY:
        notes.append(f"A month is {estimating.MONTH_DAYS} days.")
    dates = sorted({priced.as_of or "the configuration" for priced, _ in costed})
    notes.append(f"Prices of {', '.join(dates)}. {estimating.TOKENS_ARE}")
    cost = dollars(estimating.traditional_cost(assumed.requests))
    notes.append(f"To an API without a model, {_many(assumed.requests, 'request')} cost about {cost}.")
    return notes


def _seen_note(seen: Observed) -> str:
    from seawall.cli.printing import count

    few = " Few calls: a first guess." if seen.calls < FEW_CALLS else ""
    hits = f" The cache answered {count(seen.hits)} more." if seen.hits else ""
    span = "a day" if seen.days == 1 else f"{seen.days} days"
    return (
        f"From {_many(seen.calls, 'call')} of {span} in your ledger; what is not said is their mean. One"
        f" answer of ten was shorter than a short one here, one of ten longer than a long one.{hits}{few}"
    )


def _prompt_cache_note(costed: "list[tuple[Priced, Estimate]]", assumed: Assumed) -> str:
    from seawall.cli.printing import printable

    without = [printable(each.model) for each, _ in costed if each.price.rates.cached_read is None]
    none = f" No price for that is known of {', '.join(without)}." if without else ""
    return (
        f"The provider's cache reads {_percent(assumed.prompt_cache)} % of the input; what some take for"
        f" writing to it is not counted.{none}"
    )
