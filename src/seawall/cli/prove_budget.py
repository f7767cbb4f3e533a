"""`seawall prove-budget`: see with your own eyes that your budget holds."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from seawall.cli.opening import ConfigOption, JsonOption, read_settings, stop

if TYPE_CHECKING:
    from seawall.proving.prove_budget import Proof


def prove_budget(
    config: ConfigOption = None,
    calls: Annotated[int, typer.Option(min=20, max=5_000, help="How many calls are fired at once.")] = 500,
    seed: Annotated[int, typer.Option(help="The same number fires the same calls again.")] = 1,
    json: JsonOption = False,
) -> None:
    """Fire hundreds of calls at your own configuration and see that nothing is overspent.

    The calls are worth ten times your budget and arrive at once; many of them break off, hang up or ask for
    too much. They go to a built-in provider that keeps its own bill: no money is spent. Exit code 1 if more
    was billed than the budget allows, or anything billed was forgotten.
    """
    from msgspec.structs import astuple

    settings = read_settings(config)
    if 0 in astuple(settings.global_budget()):
        stop("the budget is $0.00, so there is nothing to prove. State an amount above 0 for it.")
    if not json:
        print(f"Firing {calls} calls; this takes about ten seconds ...", flush=True)
    from seawall.proving.prove_budget import prove
    from seawall.server.logs import set_up_logging

    set_up_logging(style="text", level="critical")
    proof = asyncio.run(prove(settings, calls=calls, seed=seed))
    if json:
        _print_figures(proof)
    else:
        _print_table(proof)
    raise typer.Exit(0 if proof.holds else 1)


def _print_figures(proof: "Proof") -> None:
    from seawall.cli.printing import print_json
    from seawall.core.money import format_usd

    print_json(
        {
            "calls": proof.calls,
            "budget_usd": format_usd(proof.budget),
            "provider_bill_usd": format_usd(proof.bill),
            "ledger_usd": format_usd(proof.ledger),
            "overspent_usd": format_usd(proof.overspent),
            "forgotten_usd": format_usd(proof.forgotten),
            "overage_usd": format_usd(proof.overage),
            "still_held_usd": format_usd(proof.held),
            "refused_too_early_usd": format_usd(proof.unused),
            "answers": proof.answers,
            "holds": proof.holds,
        }
    )


def _print_table(proof: "Proof") -> None:
    from seawall.proving.prove_budget import WORTH, cents

    print(f"{proof.calls} calls at once, worth {WORTH} times your budget of {cents(proof.budget)}:")
    for ending, count in sorted(proof.answers.items(), key=lambda item: -item[1]):
        print(f"  {count:5}  {ending}")
    print(f"The provider billed        {cents(proof.bill)}")
    print(f"Your ledger spent          {cents(proof.within)}  (holds count in full where nobody can know)")
    if proof.overage:
        print(
            f"  and booked on top        {cents(proof.overage)}  (the test provider ignores caps on purpose)"
        )
    print(f"Overspent                  {cents(proof.overspent)}")
    share = 100 * proof.usable_bill // proof.budget
    print(f"Calls that fit could use   {cents(proof.usable_bill)}  ({share} % of the budget)")
    print(f"Refused too early          {cents(proof.unused)}  (less than one call's hold was left)")
    print(
        "The budget holds." if proof.holds else "THE BUDGET DOES NOT HOLD. Please report this with the seed."
    )
