"""Puts together where an app is: its numbers, the evidence of the running gateway, and its repository.

Invariant: nothing here writes, and what reads many files runs in a thread.
"""

import asyncio
import ipaddress
from datetime import date
from functools import partial
from pathlib import Path

from seawall import accounts
from seawall.advice.readiness import Copies, KeyUse, Row, Running, Sent, gateway_rows
from seawall.advice.stage_words import after
from seawall.advice.stages import Checked, StageReport, report_on
from seawall.advising import gather, nothing_yet
from seawall.alerts import channels_of
from seawall.check.audit import audit
from seawall.check.checklist.definitions import Definition, definitions
from seawall.check.options import CannotRun, Options, Progress
from seawall.check.report import ANSWERED, Report
from seawall.check.report import Row as CheckedRow
from seawall.core.contracts import KeyRecord
from seawall.core.events import Delivery
from seawall.core.money import Money
from seawall.core.rates import format_rate
from seawall.core.stages import Stage
from seawall.homes import Store
from seawall.providers.price_table import BadPriceTable
from seawall.settings import Settings
from seawall.stores.sqlite.backups import list_backups

_OF_ANY_FOLDER = frozenset(("secrets-in-code", "secrets-in-history", "env-file"))
"""Rows that apply to a folder without any code."""


async def stage_report(
    settings: Settings,
    store: "Store | None",
    now: float,
    path: Path | None,
    progress: Progress | None = None,
) -> StageReport:
    """Return where the app is; raises Overloaded where the store is down.

    Without a store nothing is on record yet; without a path no repository is looked at.
    """
    numbers = nothing_yet(settings, now) if store is None else await gather(settings, store, now)
    running = await running_of(settings, store, now)
    checked = await asyncio.to_thread(check, path, settings.stage, progress)
    return await asyncio.to_thread(
        lambda: report_on(numbers, gateway_rows(running, numbers, now), checked, now)
    )


async def running_of(settings: Settings, store: "Store | None", now: float) -> Running:
    """Return what shows how the gateway runs; raises Overloaded where the store is down."""
    keys = [] if store is None else await store.directory.keys()
    deliveries = [] if store is None else await store.outbox.newest()
    budget = settings.global_budget()
    periods = (("a day", budget.daily), ("a month", budget.monthly), ("in all", budget.lifetime))
    return Running(
        budgets=tuple((period, Money(cap)) for period, cap in periods if cap is not None),
        user_limits=tuple(format_rate(rate) for rate in settings.limits.per_user or ()),
        host=settings.server.host,
        is_local=_is_local(settings.server.host),
        encrypts=_encrypts(settings),
        keys=tuple(_use(key) for key in keys if _is_active(key, now)),
        copies=await asyncio.to_thread(_copies, settings),
        channels=channels_of(settings),
        sent=tuple(_sent(each) for each in deliveries if each.state != "waiting"),
        price_date=await asyncio.to_thread(_price_date, settings),
        log_days=settings.log.keep_days,
        answer_days=settings.state.keep_days,
    )


def _is_active(key: KeyRecord, now: float) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _use(key: KeyRecord) -> KeyUse:
    # An overlap tells when the secret was replaced, give or take its length.
    made_at = max(key.created_at, key.previous_until or 0.0)
    return KeyUse(key.name, made_at, key.last_used_at, key.expires_at)


def _sent(delivery: Delivery) -> Sent:
    return Sent(delivery.kind, delivery.channel, delivery.at, delivery.state == "sent", delivery.why)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _encrypts(settings: Settings) -> str:
    tls = settings.tls
    if tls.mode == "files":
        return "with the certificate of tls.cert"
    if tls.mode == "auto":
        return f"with a certificate that is fetched for {', '.join(tls.auto)}"
    return "a proxy in front brings it (behind_proxy)" if settings.behind_proxy else ""


def _copies(settings: Settings) -> Copies | None:
    """Look at the backups that lie there; a folder that cannot be read holds none that would help."""
    if settings.database_url is not None:
        return None
    folder = settings.backup.folder(settings.data_dir)
    try:
        found = list_backups(folder)
    except OSError:
        found = []
    newest = max((each.at_s for each in found), default=None)
    return Copies(_short(folder), len(found), newest, settings.backup.every)


def _short(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _price_date(settings: Settings) -> date | None:
    try:
        return date.fromisoformat(accounts.price_book(settings).table().as_of)
    except (BadPriceTable, ValueError, OSError):
        return None


def check(path: Path | None, stage: Stage, progress: Progress | None = None) -> Checked:
    """Audit the repository of the app for its stage, and say what the next one asks for."""
    if path is None:
        note = "No repository was looked at: `seawall stage` does, in the folder of your app."
        return Checked(note, _rows({}, stage))
    try:
        report = audit(path, Options(stage=stage), progress)
    except CannotRun as error:
        return Checked(f"The repository could not be looked at: {error}", _rows({}, stage))
    rows = {row.row: row for row in report.checklist}
    has_code = any(row.state != "not_applicable" for row in rows.values() if row.row not in _OF_ANY_FOLDER)
    if not has_code:
        rows = {name: row for name, row in rows.items() if row.state == "fail"}
    return Checked(
        note=_note(report, has_code=has_code),
        rows=_rows(rows, stage),
        grade=report.grade if has_code else "",
        too_early=tuple(finding.message for finding in report.too_early),
    )


def _note(report: Report, *, has_code: bool) -> str:
    if not has_code:
        return "No code of an app is in this folder: `seawall stage --path FOLDER` looks at yours."
    commits = f" and {report.commits:,} commits" if report.commits else ", without a git repository"
    return (
        f"Repository {report.folder}: {report.files:,} files{commits}, grade {report.grade}. `seawall check`"
        " shows places, fixes, and how to answer a row."
    )


def _rows(rows: dict[str, CheckedRow], stage: Stage) -> tuple[Row, ...]:
    """Return the rows of this stage as the audit judged them, and those of the next as far as it did."""
    last = after(stage) or stage
    asked = [each for each in definitions().values() if each.is_required(last)]
    shown = (each for each in asked if each.id in rows or not each.is_required(stage))
    return tuple(_row(each, rows.get(each.id)) for each in shown)


def _row(asked: Definition, judged: CheckedRow | None) -> Row:
    make = partial(
        Row,
        id=asked.id,
        title=asked.title,
        why=f"{asked.why} {asked.not_before}",
        where="repository",
        from_stage=asked.required,
        is_never_skip=asked.never_skip,
    )
    if judged is None:
        return make(state="unknown", evidence="", how=asked.how["any"])
    place = f"{judged.path}:{judged.line}" if judged.line else judged.path
    is_named = not place or place in judged.evidence
    evidence = judged.evidence if is_named else f"{judged.evidence} ({place})"
    return make(state=judged.state.value, evidence=evidence, how=judged.how.partition(ANSWERED)[0].strip())
