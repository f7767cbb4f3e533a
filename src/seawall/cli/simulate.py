"""`seawall simulate`: a month of traffic in a minute, and what it would have cost."""

import asyncio
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seawall.cli.opening import ConfigOption, JsonOption, read_settings, stop

if TYPE_CHECKING:
    from seawall.proving.simulating.tally import Simulated, Sums

USERS_MAX = 1_000_000
DAYS_MAX = 366


class ProfileName(StrEnum):
    """The profiles that there are; `proving.simulating.profiles` says what each is."""

    CHATBOT = "chatbot"
    RAG = "rag"
    BATCH = "batch"
    VIRAL_SPIKE = "viral-spike"
    BUTTON_MASHER = "button-masher"
    LOOP_BUG = "loop-bug"
    SLOW_DRAIN = "slow-drain"
    KEY_LEAK = "key-leak"


_PROFILES = f"What the traffic is like: {', '.join(ProfileName)}."


def simulate(
    profile: Annotated[ProfileName, typer.Option(help=_PROFILES, metavar="NAME")] = ProfileName.CHATBOT,
    users: Annotated[int, typer.Option(min=1, max=USERS_MAX, help="How many users the app has.")] = 1_000,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How many days; they end last night.")] = 30,
    seed: Annotated[int, typer.Option(help="The same number makes the same calls again.")] = 1,
    model: Annotated[
        str | None,
        typer.Option(help="The model of OpenAI that all calls ask for.", show_default="the profile's own"),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Leave the ledger in this folder, for seawall usage or advise.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Simulate days of traffic before your own configuration, and see what it would have cost.

    Every call goes through the whole gateway: limits, budgets, loop breaker, guard, cache and ledger. The
    provider is inside the process and answers at once: nothing is sent, and no money is spent.
    """
    settings = read_settings(config)
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        stop(f"{keep} is there already; name a folder that is new or empty.")
    from seawall.cli import printing
    from seawall.cli.simulated import print_report
    from seawall.proving.simulating.profiles import PROFILES
    from seawall.proving.simulating.simulate import NoPrice, Wish
    from seawall.proving.simulating.simulate import simulate as run
    from seawall.server.logs import set_up_logging

    set_up_logging(style="text", level="critical")
    wish = Wish(
        profile=PROFILES[profile],
        users=users,
        days=days,
        seed=seed,
        until=time.time(),
        model=model,
        keep=keep,
    )
    try:
        with printing.course(is_quiet=json) as tell:
            found = asyncio.run(run(settings, wish, lambda whole, made: tell("calls", made, whole)))
    except NoPrice as error:
        stop(
            f"the price of {printing.printable(str(error))} at OpenAI is not known; see seawall prices list."
        )
    if json:
        printing.print_json(_values(found))
        return
    print_report(found, settings)
    if keep is not None:
        print(f"\nThe ledger is in {keep}: seawall usage --data {keep}, seawall advise --data {keep}")


def _values(found: "Simulated") -> dict[str, Any]:
    from seawall.core.money import format_usd

    return {
        "profile": found.profile.name,
        "users": found.users,
        "users_wanted": found.users_wanted,
        "seed": found.seed,
        "models": list(found.models),
        **_sums(found.whole),
        "provider_bill_usd": format_usd(found.bill),
        "ledger_usd": format_usd(found.ledger),
        "held_usd": format_usd(found.held),
        "overage_usd": format_usd(found.overage),
        "refused_by": [
            {"setting": each.rule, "code": each.code, "calls": each.calls} for each in found.refused
        ],
        "days": [{"date": day.date, **_sums(day.sums), "budget_ended_s": day.ended_s} for day in found.days],
        "dearest": [{"user": user, **_sums(sums)} for user, sums in found.dearest],
        "damage": {name: _sums(sums) for name, sums in found.damage.items()},
        "took_s": round(found.took_s, 3),
        "cpu_s": round(found.cpu_s, 3),
    }


def _sums(sums: "Sums") -> dict[str, Any]:
    from seawall.core.money import format_usd

    return {
        "asked": sums.asked,
        "answered": sums.answered,
        "from_cache": sums.cached,
        "refused": sums.refused,
        "failed": sums.failed,
        "output_tokens": sums.tokens,
        "cost_usd": format_usd(sums.cost),
        "cost_without_usd": format_usd(sums.without),
    }
