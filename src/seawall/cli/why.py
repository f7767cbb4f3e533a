"""`seawall why`: everything that is recorded of one call, and what became of it in a plain sentence."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    from rich.table import Table

    from seawall.core.ledger import CallRow
    from seawall.homes import Store

LAST = "last"
CALL_PREFIX = "call_"
AFTER_HEX = "~"

Decisions = list[dict[str, Any]]

_ENDINGS = {
    "ok": "answered",
    "left": "the client left before the answer was complete",
    "crashed": "the gateway stopped in the middle; it may have been billed, so all that was held counts",
}


def why(
    wanted: Annotated[
        str, typer.Argument(metavar="CALL_ID", help="The id of a call, the beginning of one, or `last`.")
    ],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what became of a call: every decision with its time, tokens and money.

    The id is in the header x-request-id of every answer and in every error.
    """
    settings = read_settings(config, data_dir=data)

    async def work(store: "Store") -> "tuple[CallRow, str | None]":
        row = await _find(store, wanted, settings.log.keep_days)
        key = await store.directory.get(row.key_id)
        return row, None if key is None else key.name

    row, key_name = with_store(settings, work)
    from seawall.cli import printing
    from seawall.server.showing import show_call

    shown = show_call(row)
    sentence = printing.printable(_sentence(row, shown["decisions"]))
    if as_json:
        printing.print_json({**shown, "key_name": key_name, "summary": sentence})
        return
    console = printing.console()
    console.print(row.id, style="bold")
    console.print(f"  {sentence}\n")
    console.print(printing.facts(_facts(row, key_name)))
    if shown["decisions"]:
        console.print()
        console.print(_decision_table(shown["decisions"]))
    if len(shown["attempts"]) > 1:
        console.print()
        console.print(_attempt_table(shown["attempts"]))


async def _find(store: "Store", wanted: str, keep_days: int) -> "CallRow":
    """Return the newest call, or the one whose id begins like this."""
    from seawall.cli.printing import printable

    log = store.call_log
    if wanted == LAST:
        newest = await log.newest(key_id=None, before=None, limit=1)
        if not newest:
            stop("no calls are on record yet.", code=EXIT_NOT_FOUND)
        return newest[0]
    start = wanted if wanted.startswith(CALL_PREFIX) else CALL_PREFIX + wanted
    near = await log.newest(key_id=None, before=start + AFTER_HEX, limit=2)
    found = [row for row in near if row.id.startswith(start)]
    if not found:
        stop(
            f"there is no call {printable(wanted)} on record; it may be running still, or older than"
            f" {keep_days} days (log.keep_days); a call without a valid key is in the log only, and one to an"
            " unknown address nowhere.",
            code=EXIT_NOT_FOUND,
        )
    if len(found) > 1:
        stop(f"several calls begin with {printable(wanted)}; give more of the id.")
    return found[0]


def _sentence(row: "CallRow", decisions: Decisions) -> str:
    """Say what became of a call; the step that refused it knows best, then the error's own message."""
    if row.outcome in _ENDINGS:
        return _ENDINGS[row.outcome]
    reason = next((d["why"] for d in reversed(decisions) if d["verdict"] == "refuse"), None)
    status = f"{row.status} {row.code}" if row.code else str(row.status)
    reason = reason or _message_of(row) or "the provider answered with an error"
    return f"{row.outcome}: {reason[:1].lower()}{reason[1:].rstrip('.')} ({status})"


def _message_of(row: "CallRow") -> str | None:
    """Return the first sentence of our own error of this code; a provider's code may be spelt the same."""
    from seawall.core.errors import SeawallError

    kinds: list[type[SeawallError]] = [SeawallError]
    for kind in kinds:
        if (kind.code, kind.outcome) == (row.code, row.outcome):
            return (kind.__doc__ or "").partition(". ")[0].partition("\n")[0]
        kinds.extend(kind.__subclasses__())
    return None


def _facts(row: "CallRow", key_name: str | None) -> list[tuple[str, Any]]:
    """List what is known of the call, for people."""
    from seawall.cli import printing

    at_s = row.at_ms / 1000
    provider = f" at {row.provider}" if row.provider else ""
    first = "" if row.first_ms is None else f", first piece after {printing.duration(row.first_ms)}"
    listed = f", listed price {printing.dollars(row.listed_cost)}" if row.listed_cost else ""
    overage = f", {printing.dollars(row.overage)} of it above what was held" if row.overage else ""
    rows = [
        ("when", f"{printing.moment(at_s)} ({printing.ago(time.time() - at_s)})"),
        ("key", f"{key_name or printing.NOTHING} ({row.key_id})"),
        ("end user", row.end_user or ""),
        ("model", f"{row.model or printing.NOTHING}{provider}"),
        ("endpoint", f"{row.endpoint}{', streamed' if row.stream else ''}"),
        ("status", str(row.status)),
        ("took", f"{printing.duration(row.took_ms)}{first}"),
        ("tokens", _tokens(row)),
        ("held", printing.dollars(row.held)),
        ("cost", f"{printing.dollars(row.cost)}{overage}{listed}"),
    ]
    return [(label, printing.printable(value)) for label, value in rows if value]


def _tokens(row: "CallRow") -> str:
    from seawall.cli.printing import count

    usage = row.usage
    if usage is None:
        return "none"
    parts = {"read from cache": usage.cached_read, "written to cache": usage.cached_write}
    special = [f"{count(tokens)} {what}" for what, tokens in parts.items() if tokens]
    detail = f" ({', '.join(special)})" if special else ""
    thinking = f" ({count(usage.reasoning)} reasoning)" if usage.reasoning else ""
    source = "" if usage.exact else ", as counted by the gateway"
    return f"{count(usage.input)} in{detail}, {count(usage.output)} out{thinking}{source}"


def _attempt_table(attempts: list[dict[str, Any]]) -> "Table":
    from seawall.cli.printing import duration, printable, table

    made = table("Attempt", "Ended", "Held", "Cost", "Took", numbers=("Held", "Cost", "Took"))
    for number, attempt in enumerate(attempts, 1):
        name = printable(f"{number}. {attempt['provider']}/{attempt['model']}")
        ended = printable(attempt["why"] or attempt["ending"])
        held, cost = (f"${attempt[field]}" for field in ("held_usd", "cost_usd"))
        made.add_row(name, ended, held, cost, duration(attempt["took_ms"]))
    return made


def _decision_table(decisions: Decisions) -> "Table":
    from seawall.cli.printing import NOTHING, duration, printable, table

    made = table("Step", "Decision", "Why", "Took", numbers=("Took",))
    for decision in decisions:
        took_ms = decision["took_ms"]
        texts = (printable(str(decision[name])) for name in ("step", "verdict", "why"))
        made.add_row(*texts, duration(took_ms) if took_ms else NOTHING)
    return made
