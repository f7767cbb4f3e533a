"""`seawall jobs`: what waits, runs and failed; taking up again, cancelling, forgetting."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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
    from seawall.core.jobs import Job, JobRules, Jobs, Line
    from seawall.homes import Store
    from seawall.server.admin_jobs import Change
    from seawall.settings import Settings

T = TypeVar("T")

JOBS = 50
JOBS_MAX = 1_000
PAGE = 200
ID_CHARS = 36
OLDER_THAN = "7d"

app = typer.Typer(
    help="See what waits, runs and failed; take jobs up again, cancel them, forget them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="The ids of jobs.")]
STATES = "queued, in_progress, completed, incomplete, failed or cancelled"


@app.command("list")
def list_jobs(
    state: Annotated[str | None, typer.Option(help=f"Only jobs that are {STATES}.")] = None,
    user: Annotated[str | None, typer.Option(help="Only jobs of this end user.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=JOBS_MAX)] = JOBS,
    before: Annotated[str | None, typer.Option(help="Go on after the job with this id.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """List jobs, the newest first. Those that failed are the dead letters, and say why."""
    from seawall.server.admin_jobs import STATES as NAMES
    from seawall.server.admin_jobs import read_state, show_job

    async def work(jobs: "Jobs") -> "list[Job]":
        return await jobs.find(state=read_state(state, NAMES), user=user, before=before, limit=limit)

    found = _with_jobs(read_settings(config, data_dir=data), work)
    from seawall.cli import printing

    if as_json:
        printing.print_json({"data": [show_job(job) for job in found]})
    elif found:
        _print_table(found)
        if len(found) == limit:
            print(f"\nThere may be more: seawall jobs list --before {found[-1].id}")
    if not found:
        stop("there are no such jobs.", code=EXIT_NOT_FOUND)


@app.command("show")
def show(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The id of a job.")],
    texts: Annotated[bool, typer.Option("--texts", help="Show what was asked and answered too.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show one job: where it stands, how often it was tried, and why it failed."""
    from seawall.core.errors import JobNotFound
    from seawall.server.admin_jobs import NO_JOB, show_job, show_texts

    async def work(jobs: "Jobs") -> "tuple[Job, Line]":
        job = await jobs.get(job_id, is_whole=texts)
        if job is None:
            raise JobNotFound(NO_JOB)
        return job, await jobs.line(job)

    job, line = _with_jobs(read_settings(config, data_dir=data), work)
    from seawall.cli import printing

    if as_json:
        printing.print_json(show_job(job) | (show_texts(job) if texts else {}))
        return
    console = printing.console()
    console.print(job.id, style="bold")
    console.print(printing.facts(_facts(job, line)))
    for label, raw in (("Request", job.request), ("Answer", job.answer)) if texts else ():
        console.print(f"\n{label}", style="bold")
        console.print(printing.printable(raw.decode(errors="replace")) or "  none")


@app.command("retry")
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="The ids of jobs.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Every job that failed.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Take up failed or cancelled jobs again, as if they were new: they are paid for again."""
    from seawall.server.admin_jobs import retry as take_up

    if failed == bool(ids):
        stop("name the jobs, or --failed for every one that failed.")
    settings = read_settings(config, data_dir=data)

    async def work(jobs: "Jobs") -> "list[Done]":
        named = await _failed(jobs) if failed else ids or []
        return [await _change(jobs, job_id, take_up, settings.jobs.rules()) for job_id in named]

    _tell(_with_jobs(settings, work), as_json=as_json)


@app.command("cancel")
def cancel(
    ids: IdsArgument, as_json: JsonOption = False, config: ConfigOption = None, data: DataOption = None
) -> None:
    """Cancel jobs: those that wait at once, those that run as soon as their worker hears of it."""
    from seawall.notifying import notices_of
    from seawall.server.admin_jobs import cancel as end

    settings = read_settings(config, data_dir=data)
    change = partial(end, news_of=notices_of(settings, time.time).news_of)

    async def work(jobs: "Jobs") -> "list[Done]":
        return [await _change(jobs, job_id, change, settings.jobs.rules()) for job_id in ids]

    _tell(_with_jobs(settings, work), as_json=as_json)


@app.command("purge")
def purge(
    state: Annotated[str, typer.Option(help="completed, incomplete, failed or cancelled.")],
    older_than: Annotated[str, typer.Option(help="How long ago they ended: 7d, 12h, 30m.")] = OLDER_THAN,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Forget jobs that have ended, with what was asked and answered; never one that has not."""
    from seawall.cli.printing import count, print_json
    from seawall.core.jobs import ENDED
    from seawall.settings.values import read_duration

    settings = read_settings(config, data_dir=data)
    if state not in ENDED:
        stop(f"--state must be one of {', '.join(sorted(ENDED))}: what has not ended is not forgotten.")
    try:
        before = time.time() - float(str(read_duration(older_than)))
    except ValueError as error:
        stop(f"--older-than {error}.")
    question = f"Forget {state} jobs that ended more than {older_than} ago?"
    if not yes and not typer.confirm(question, err=True):
        stop("nothing was changed.", code=1)

    async def work(jobs: "Jobs") -> int:
        return await jobs.purge(state=state, before=before)

    deleted = _with_jobs(settings, work)
    if as_json:
        print_json({"deleted": deleted})
        return
    print(f"Forgot {count(deleted)} job{'s' if deleted != 1 else ''}.")


Done = tuple[str, "Job | None", str]
"""A job that was to be changed: its id, how it stands now, and where it could not be changed why."""


def _with_jobs(settings: "Settings", work: "Callable[[Jobs], Awaitable[T]]") -> T:
    """Do something with the jobs of the data folder or the database; what is refused ends in one sentence."""
    from seawall.core.errors import JobNotFound

    async def run(store: "Store") -> T:
        return await work(store.jobs)

    try:
        return with_store(settings, run)
    except JobNotFound as error:
        stop(error.message, code=EXIT_NOT_FOUND)


async def _change(jobs: "Jobs", job_id: str, change: "Change", rules: "JobRules") -> "Done":
    from seawall.core.errors import Conflict, JobNotFound

    try:
        return job_id, await change(jobs, job_id, time.time(), rules), ""
    except (Conflict, JobNotFound) as error:
        return job_id, None, error.message


async def _failed(jobs: "Jobs") -> list[str]:
    """Return the ids of all jobs that failed, read before the first of them changes."""
    found: list[str] = []
    while page := await jobs.find(state="failed", before=found[-1] if found else None, limit=PAGE):
        found += [job.id for job in page]
    return found


def _tell(done: "list[Done]", *, as_json: bool) -> None:
    """Say what became of each job; ends with 1 where one could not be changed, or there was none."""
    from seawall.cli import printing
    from seawall.server.admin_jobs import show_job

    if as_json:
        changed = [show_job(job) for _, job, _ in done if job is not None]
        refused = [{"id": job_id, "why": why} for job_id, job, why in done if job is None]
        printing.print_json({"data": changed, "refused": refused})
    else:
        for job_id, job, why in done:
            state = why if job is None else "told to stop" if _is_stopping(job) else job.shown_state
            print(f"{printing.printable(job_id)}: {state}")
    if not done:
        stop("there are no such jobs.", code=EXIT_NOT_FOUND)
    if any(job is None for _, job, _ in done):
        raise typer.Exit(EXIT_NOT_FOUND)


def _is_stopping(job: "Job") -> bool:
    return job.is_cancelling and not job.has_ended


def _is_timed(job: "Job", now: float) -> bool:
    return job.shown_state == "queued" and job.due_at > now


def _print_table(found: "list[Job]") -> None:
    """Print two lines a job, and a third where it failed: an id alone takes half of a terminal."""
    from seawall.cli import printing

    table = printing.table("Job", "State", "Since, for whom, and why")
    table.columns[0].min_width = ID_CHARS
    now = time.time()
    for job in found:
        since = printing.ago(now - (job.ended_at or job.started_at or job.accepted_at))
        told = [f"{since}, {job.owner.end_user}" if job.owner.end_user else since, _reason(job)]
        if _is_timed(job, now):
            told.append(f"not before {printing.moment(job.due_at)}")
        runs = f"{job.run} run{'s' if job.run != 1 else ''}" if job.run else ""
        what = f"{job.endpoint} {job.model}".strip()
        cells = (f"{job.id}\n{what}", f"{job.shown_state}\n{runs}", "\n".join(filter(None, told)))
        table.add_row(*("\n".join(map(printing.printable, cell.split("\n"))) for cell in cells))
    printing.console().print(table)


def _reason(job: "Job") -> str:
    return ": ".join(filter(None, (job.code, job.why)))


def _facts(job: "Job", line: "Line") -> list[tuple[str, Any]]:
    from seawall.cli import printing

    is_next = job.shown_state == "queued" and not _is_timed(job, time.time())
    ahead = f", {printing.count(line.ahead)} before it" if is_next else ""
    stopping = ", told to stop" if _is_stopping(job) else ""
    failures = f", {job.failures} of them failed" if job.failures else ""
    rows = [
        ("state", f"{job.shown_state}{ahead}{stopping}"),
        ("stage", job.stage if job.shown_state == "in_progress" else ""),
        ("what", f"{job.kind} {job.endpoint} {job.model}{', streamed' if job.stream else ''}"),
        ("key", job.owner.key_id),
        ("end user", job.owner.end_user),
        ("priority", str(job.priority or "")),
        ("accepted", printing.moment(job.accepted_at)),
        ("due", printing.moment(job.due_at) if job.due_at > job.accepted_at else ""),
        ("started", printing.moment(job.started_at)),
        ("ended", printing.moment(job.ended_at)),
        ("kept until", printing.moment(job.expires_at) if job.has_ended else ""),
        ("runs", f"{job.run}{failures}"),
        ("held", printing.dollars(job.hold.amount) if job.hold is not None else ""),
        ("status", str(job.status or "")),
        ("why", _reason(job)),
        ("more", f"seawall why {job.call_id}" if job.kind == "call" and job.run else ""),
    ]
    nothing = ("", printing.NOTHING)
    return [(label, printing.printable(value)) for label, value in rows if value not in nothing]
