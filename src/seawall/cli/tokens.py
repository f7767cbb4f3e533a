"""`seawall tokens`: how many tokens a text has, whether that is exact, and what it costs to send."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from seawall.cli.opening import ConfigOption, DataOption, JsonOption, read_settings, reason_of, stop

if TYPE_CHECKING:
    from rich.table import Table

    from seawall.cli.priced import Priced
    from seawall.core.money import Money
    from seawall.core.policy import Budget

FILE_BYTES_MAX = 32 * 1024 * 1024
STDIN = "-"
MONTH_DAYS = 30


class Counted(Struct, frozen=True):
    """A text in the tokens of one model; `times_a_day` is how often the budget of a day pays for it."""

    tokens: int
    is_exact: bool
    cost: "Money"
    times_a_day: int | None
    fits: bool


def tokens(
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A text in UTF-8; - is standard input.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="The text itself, in place of a file.")] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="A model or an alias; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Count the tokens of a text, and what it costs as input of several models.

    Nothing leaves the machine. Only OpenAI publishes its vocabulary: for other vendors the count is a bound.
    """
    if (file is None) == (text is None):
        stop("name one text: a FILE, - for standard input, or --text.")
    content = text if text is not None else _read(str(file))
    settings = read_settings(config, data_dir=data)
    from seawall.cli.priced import priced_models

    models = priced_models(settings, model or [], None)
    counted = _count(content, models, _day_of(settings.global_budget()))
    if as_json:
        from seawall.cli.printing import print_json

        print_json({**_size(content), "data": _values(models, counted)})
        return
    _print(content, models, counted)


def _read(file: str) -> str:
    """Read a text, or end with why it cannot be read."""
    try:
        if file == STDIN:
            raw = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with Path(file).open("rb") as opened:
                raw = opened.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            stop(f"{file} is larger than {FILE_BYTES_MAX // 1024 // 1024} MB.")
        return raw.decode()
    except OSError as error:
        stop(f"{file} cannot be read ({reason_of(error)}).")
    except UnicodeDecodeError:
        stop(f"{file} is no text in UTF-8. What files and images count for is in docs/budgets.md.")


def _count(text: str, models: "Sequence[Priced]", a_day: "Money | None") -> list[Counted]:
    from seawall.core.money import Usage, cost_of
    from seawall.providers.tokens import Tokenizer, family_of, text_tokens

    tokenizer = Tokenizer()
    asyncio.run(tokenizer.ready())
    counted = []
    for each in models:
        count, is_exact = text_tokens(text, family_of(each.vendor, each.model), tokenizer)
        cost = cost_of(each.price, Usage(input=count))
        window = each.price.context_tokens
        times = a_day // cost if a_day is not None and cost else None
        counted.append(Counted(count, is_exact, cost, times, window is None or count <= window))
    return counted


def _day_of(budget: "Budget") -> "Money | None":
    """Return what the gateway may spend on a day: the daily cap, or a thirtieth of the monthly one."""
    from seawall.core.money import Money

    if budget.daily is not None or budget.monthly is None:
        return budget.daily
    return Money(budget.monthly // MONTH_DAYS)


def _size(text: str) -> dict[str, int]:
    return {"words": len(text.split()), "characters": len(text), "bytes": len(text.encode())}


def _values(models: "Sequence[Priced]", counted: Sequence[Counted]) -> list[dict[str, Any]]:
    from seawall.core.money import format_usd

    return [
        {
            "vendor": each.vendor or None,
            "model": each.model,
            "tokens": found.tokens,
            "exact": found.is_exact,
            "fits": found.fits,
            "input_cost_usd": format_usd(found.cost),
            "times_a_day": found.times_a_day,
            "prices_as_of": each.as_of or None,
        }
        for each, found in zip(models, counted, strict=True)
    ]


def _print(text: str, models: "Sequence[Priced]", counted: Sequence[Counted]) -> None:
    from seawall.advice.estimating import TOKENS_ARE
    from seawall.cli import printing

    size = _size(text)
    console = printing.console()
    console.print(
        f"words {size['words']:,}, characters {size['characters']:,}, bytes {size['bytes']:,}\n", style="bold"
    )
    console.print(_table(models, counted))
    console.print()
    notes = [TOKENS_ARE]
    if not all(found.is_exact for found in counted):
        notes.append(
            "at most: the vendor does not publish its vocabulary, so the tokens of OpenAI's are counted and a"
            " factor added that keeps a budget safe. The bill is lower."
        )
    if not all(found.fits for found in counted):
        notes.append("* is more than the model takes in at once.")
    notes.append(
        "A call adds a few tokens for each message; the answer costs more than that: seawall estimate."
    )
    dates = sorted({each.as_of or "the configuration" for each in models})
    notes.append(
        f"Prices of {', '.join(dates)}. Times a day: how often the budget of a day pays for it as input."
    )
    console.print(printing.bullets(notes))


def _table(models: "Sequence[Priced]", counted: Sequence[Counted]) -> "Table":
    from seawall.cli.printing import NOTHING, count, dollars, printable, table

    made = table("Model", "", "Tokens", "Cost", "Times a day", numbers=("Tokens", "Cost", "Times a day"))
    for each, found in zip(models, counted, strict=True):
        made.add_row(
            printable(each.model) + ("" if found.fits else " *"),
            "exactly" if found.is_exact else "at most",
            count(found.tokens),
            dollars(found.cost),
            NOTHING if found.times_a_day is None else count(found.times_a_day),
        )
    return made
