"""`seawall tasks`: the targets of tasks, when each gets one by itself, and sending one by hand."""

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
    from seawall.core.jobs import JobAnswer
    from seawall.core.tasks import TaskSchedule, TaskTarget
    from seawall.homes import Store

DELAY_S_MAX = 366 * 86_400

app = typer.Typer(
    help="See the targets of tasks, and send one by hand.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_targets(as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None) -> None:
    """List the targets of tasks, and when each gets the next one by itself."""
    from seawall.tasks import targets_of

    targets, now = targets_of(read_settings(config, data_dir=data)), time.time()
    from seawall.cli import printing

    if as_json:
        printing.print_json({"data": [_values(target, now) for target in targets.values()]})
        return
    if not targets:
        print("There are no targets yet. State one under [tasks.NAME] in seawall.toml: docs/jobs.md, Tasks.")
        return
    table = printing.table("Target", "For", "By itself", "Next", numbers=("Attempts",))
    for target in targets.values():
        keys = "every key" if target.keys is None else ", ".join(sorted(target.keys))
        schedule = target.schedule
        following = None if schedule is None else schedule.next(now)
        table.add_row(
            target.name,
            printing.printable(keys),
            _when(schedule),
            printing.moment(following),
            str(target.attempts),
        )
    printing.console().print(table)


@app.command("send")
def send(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a target.")],
    body: Annotated[str, typer.Option("--body", help="What it gets: JSON.")] = "{}",
    delay_s: Annotated[
        float, typer.Option("--delay", help="In how many seconds.", min=0, max=DELAY_S_MAX)
    ] = 0.0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Send a task to a target; a gateway or a worker delivers it."""
    import msgspec

    from seawall.core.call import CallIds
    from seawall.core.jobs import Accepted, JobAsk
    from seawall.jobs.scheduling import draft_of
    from seawall.tasks import targets_of

    settings = read_settings(config, data_dir=data)
    target = targets_of(settings).get(name)
    if target is None:
        stop("there is no target of that name: seawall tasks list.", code=EXIT_NOT_FOUND)
    try:
        raw = msgspec.json.encode(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeError):
        stop('--body must be JSON, for example \'{"to": "ada@example.com"}\'.')
    now = time.time()
    draft = draft_of(CallIds()(now), target, raw, now=now, due_at=now + delay_s)

    async def work(store: "Store") -> "JobAnswer":
        return await store.jobs.accept(JobAsk(draft), settings.jobs.rules())

    answer = with_store(settings, work)
    if not isinstance(answer, Accepted):
        stop("too many jobs are waiting already: seawall jobs list.")
    from seawall.cli import printing

    if as_json:
        printing.print_json({"id": draft.id, "target": name})
        return
    print(f"{draft.id} is accepted; how it goes: seawall jobs show {draft.id}")


@app.command("secret")
def secret(name: Annotated[str, typer.Argument(metavar="NAME", help="The name of a target.")]) -> None:
    """Make the secret of a target, as a line for .env; the target gets the same one."""
    from seawall.jobs.webhook import new_secret
    from seawall.settings.credentials import secret_variable

    print(f"{secret_variable('tasks', name)}={new_secret()}")


def _values(target: "TaskTarget", now: float) -> dict[str, Any]:
    from seawall.server.showing import iso_of

    schedule = target.schedule
    return {
        "name": target.name,
        "keys": None if target.keys is None else sorted(target.keys),
        "attempts": target.attempts,
        "give_up_s": target.give_up_s,
        "at_once": target.at_once,
        "schedule": None if schedule is None else _when(schedule),
        "next_at": None if schedule is None else iso_of(schedule.next(now)),
    }


def _when(schedule: "TaskSchedule | None") -> str:
    """Write a schedule as people would say it."""
    if schedule is None:
        return "-"
    if schedule.at is not None:
        return f"at {schedule.at[0]:02}:{schedule.at[1]:02} {schedule.zone}"
    every_s = schedule.every_s or 0.0
    for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if every_s % seconds == 0:
            return f"every {every_s // seconds:g} {unit}"
    return f"every {every_s:g} s"
