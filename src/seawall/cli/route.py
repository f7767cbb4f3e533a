"""`seawall route`: what would be tried for a model, in which order and why; nothing is called."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.keys import find_key
from seawall.cli.opening import (
    EXIT_NOT_FOUND,
    ConfigOption,
    DataOption,
    JsonOption,
    damaged_table,
    read_settings,
    stop,
    with_store,
)

if TYPE_CHECKING:
    from rich.console import Console

    from seawall.core.contracts import KeyRecord
    from seawall.core.routing import Explained, ExplainedTarget, RetryRules
    from seawall.homes import Store

Json = dict[str, Any]


def route(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="What a caller asks for: a model or an alias.")
    ],
    key: Annotated[str | None, typer.Option(help="The id or name of a key: say what it may not use.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show which providers would be tried for a model, in which order and why; call none of them.

    Ends with exit code 1 where nothing would be tried. What a running gateway has learned of providers that
    fail is not known here.
    """
    settings = read_settings(config, data_dir=data)
    from seawall.app import explain_route
    from seawall.providers.price_table import BadPriceTable
    from seawall.settings import SettingsError

    try:
        explained = explain_route(settings, model)
    except SettingsError as error:
        stop(str(error))
    except BadPriceTable as error:
        stop(damaged_table(error))
    if key is not None:

        async def work(store: "Store") -> "KeyRecord":
            return await find_key(store, key)

        explained = _as_allowed(explained, with_store(settings, work))
    from seawall.cli import printing

    if as_json:
        printing.print_json(_values(explained))
    else:
        _print(printing.console(), explained)
    if all(target.skipped for target in explained.targets):
        raise typer.Exit(EXIT_NOT_FOUND)


def _as_allowed(explained: "Explained", record: "KeyRecord") -> "Explained":
    """Skip the targets that a key may not use; the pipeline does so in the same words of its policy."""
    from msgspec.structs import replace

    from seawall.core.policy import Policy

    policy = Policy(budgets=(), models=None if record.models is None else frozenset(record.models))
    targets = tuple(
        target
        if target.skipped or policy.allows(target.provider, target.model, explained.model)
        else replace(target, skipped=f"the key {record.name} may not use it")
        for target in explained.targets
    )
    return replace(explained, targets=targets)


def _places(targets: "Iterable[ExplainedTarget]") -> dict[int, int]:
    """Return the place in the order of trying for each tier, from 1."""
    tiers = sorted({target.tier for target in targets if not target.skipped})
    return {tier: place for place, tier in enumerate(tiers, 1)}


def _share(target: "ExplainedTarget", targets: "Iterable[ExplainedTarget]") -> float:
    """Return which part of the calls that reach a tier come to this target first."""
    total = sum(each.weight for each in targets if each.tier == target.tier and not each.skipped)
    return target.weight / total


def _values(explained: "Explained") -> Json:
    """Put together what the command says, as plain values."""
    places = _places(explained.targets)
    return {
        "model": explained.model,
        "alias": explained.is_alias,
        "targets": [
            {
                "try": None if target.skipped else places[target.tier],
                "share_percent": None
                if target.skipped
                else round(100 * _share(target, explained.targets), 1),
                "provider": target.provider,
                "key": target.key,
                "model": target.model,
                "dialects": target.dialects,
                "free": target.is_free,
                **_rates(target),
                "why": target.why,
                "skipped": target.skipped or None,
            }
            for target in explained.targets
        ],
        "retries": {
            "attempts": explained.rules.attempts,
            "wait_s_max": explained.rules.wait_s_max,
            "backoff_s": explained.rules.base_s,
        },
    }


def _rates(target: "ExplainedTarget") -> Json:
    from seawall.core.money import format_usd

    rates = None if target.price is None else target.price.rates
    return {
        "input_usd_per_mtok": None if rates is None else format_usd(rates.input),
        "output_usd_per_mtok": None if rates is None else format_usd(rates.output),
        "price_source": None if target.price is None else target.price.source,
    }


def _print(console: "Console", explained: "Explained") -> None:
    from seawall.cli.printing import facts, printable

    kind = "an alias" if explained.is_alias else "a model"
    console.print(f"{printable(explained.model)}, {kind}", style="bold")
    places = _places(explained.targets)
    for group in _by_keys(explained.targets):
        target = group[0]
        number = "-" if target.skipped else f"{places[target.tier]}."
        name = "/".join(printable(part) for part in (target.provider, target.model) if part)
        console.print(f"\n{number} {name}", style="bold")
        if target.skipped:
            console.print(facts([("not tried", printable(target.skipped))]))
            continue
        share = sum(_share(each, explained.targets) for each in group)
        console.print(facts(_facts(group, share, is_first=places[target.tier] == 1)))
    if places:
        is_only_one = sum(not target.skipped for target in explained.targets) == 1
        console.print(f"\nWhere {'it' if is_only_one else 'one'} fails", style="bold")
        console.print(facts(_retry_facts(explained.rules, is_only_one=is_only_one)))


def _by_keys(targets: "Iterable[ExplainedTarget]") -> "list[list[ExplainedTarget]]":
    """Put the keys of one provider together, in order."""
    groups: dict[tuple[int, str, str, str], list[ExplainedTarget]] = {}
    for target in targets:
        place = (target.tier, target.provider, target.model, target.skipped)
        groups.setdefault(place, []).append(target)
    return list(groups.values())


def _facts(group: "list[ExplainedTarget]", share: float, *, is_first: bool) -> list[tuple[str, str]]:
    from seawall.cli.printing import printable

    target = group[0]
    rows = [("dialects", _dialects(target)), ("price", _price(target))]
    if share < 1:
        after = "calls" if is_first else "calls for which nothing before it answered"
        rows.insert(0, ("share", f"{100 * share:.0f} % of the {after}"))
    elif not is_first:
        rows.insert(0, ("when", "nothing before it answered"))
    if len(group) > 1:
        rows.append(("keys", f"{len(group)}, among which calls are spread evenly"))
    if target.why:
        rows.append(("why", printable(target.why)))
    return rows


def _dialects(target: "ExplainedTarget") -> str:
    """Say which of the clients' dialects are passed on as they are, and what becomes of the others."""
    by_asked: dict[str, list[str]] = {}
    for dialect, asked_in in target.dialects.items():
        words = "unchanged" if asked_in == dialect else f"as {asked_in}" if asked_in else "not here"
        by_asked.setdefault(words, []).append(dialect)
    return "; ".join(f"{', '.join(dialects)} {words}" for words, dialects in by_asked.items())


def _price(target: "ExplainedTarget") -> str:
    from seawall.cli.printing import dollars, printable

    if target.is_free or target.price is None:
        return "declared free" if target.is_free else "not known"
    rates, source = target.price.rates, target.price.source
    told = f"{dollars(rates.input)} in, {dollars(rates.output)} out per million tokens"
    return f"{told} ({printable(source)})" if source else told


def _retry_facts(rules: "RetryRules", *, is_only_one: bool) -> list[tuple[str, str]]:
    """Say how often the same target is tried again, and what follows where there is another."""
    again = f"up to {rules.attempts} more {'try' if rules.attempts == 1 else 'tries'} on the same"
    pause = f"after a pause of up to {min(rules.base_s, rules.top_s):g} s"
    wait = f"not where the provider asks for more than {rules.wait_s_max:g} s"
    none = "none" if is_only_one else "none: the next one at once"
    retries = ("retries", f"{again}, {pause}; {wait}" if rules.attempts else none)
    if is_only_one:
        return [retries]
    return [retries, ("then", "the next in this order, unless an answer has begun")]
