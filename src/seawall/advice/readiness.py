"""What a stage asks for, and what is there: rows from the running gateway, beside those of the repository.

Each row rests on evidence of what happened (a backup that lies there, an alert that arrived), not on what is
configured alone.
"""

from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct

from seawall.advice.figures import percent
from seawall.advice.numbers import Numbers
from seawall.advice.stage_words import ORDER
from seawall.core.money import Money, round_usd
from seawall.core.stages import Stage

DAY_S = 86_400.0
BACKUP_DAYS = 7
"""A backup that is older protects little; where a schedule is stated, three of its periods."""
UNUSED_DAYS = 14
KEY_DAYS = 365
PRICE_DAYS = 90
FAILED_PERCENT = 5
FAILED_TRIES = 20
"""A share of fewer tries says nothing of a provider."""
UNNAMED_PERCENT = 20
NAMES_SHOWN = 3

State = Literal["fail", "warn", "manual", "unknown", "pass", "not_applicable"]


class Row(Struct, frozen=True, kw_only=True):
    """One thing that a stage asks for: what was seen, and how to do it. `from_stage` is the first to ask."""

    id: str
    title: str
    state: State
    evidence: str
    how: str = ""
    why: str = ""
    where: Literal["gateway", "repository"] = "gateway"
    from_stage: Stage = Stage.POC
    is_never_skip: bool = False

    def is_asked(self, stage: Stage) -> bool:
        """Say whether a stage asks for it."""
        return ORDER.index(self.from_stage) <= ORDER.index(stage)

    @property
    def is_open(self) -> bool:
        """Say whether there is something to do."""
        return self.state in {"fail", "warn", "manual", "unknown"}


class KeyUse(Struct, frozen=True):
    """A key that may call now; times in Unix seconds. `made_at` is that of its present secret, if known."""

    name: str
    made_at: float
    used_at: float | None
    expires_at: float | None


class Copies(Struct, frozen=True):
    """The backups in the folder; `every_s` is how often one is to be made, `None` without a schedule."""

    folder: str
    number: int
    newest_at: float | None
    every_s: float | None


class Sent(Struct, frozen=True):
    """One alert on one channel, at its end: it arrived, or was given up."""

    kind: str
    channel: str
    at: float
    has_arrived: bool
    why: str | None = None


class Running(Struct, frozen=True, kw_only=True):
    """The gateway as it is configured, and what is there as evidence.

    `copies` is `None` where the data is in Postgres, `price_date` where the table cannot be read. `sent` has
    the newest first. `encrypts` says by what, "" for nothing.
    """

    budgets: tuple[tuple[str, Money], ...]
    user_limits: tuple[str, ...]
    host: str
    is_local: bool
    encrypts: str
    keys: tuple[KeyUse, ...]
    copies: Copies | None
    channels: tuple[str, ...]
    sent: tuple[Sent, ...]
    price_date: date | None
    log_days: int
    answer_days: int


def gateway_rows(running: Running, numbers: Numbers, now: float) -> tuple[Row, ...]:
    """Return what the running gateway shows of each thing that some stage asks for."""
    return (
        _spending_limit(running),
        _https(running),
        _user_limits(running, numbers),
        _keys(running, now),
        _backups(running, now),
        _alerts(running, now),
        _prices(running, now),
        _log(running),
        _providers(numbers),
    )


def _spending_limit(running: Running) -> Row:
    caps = ", ".join(f"{round_usd(cap)} {period}" for period, cap in running.budgets)
    return Row(
        id="gateway-spending-limit",
        title="There is a spending limit that no call can pass",
        state="pass" if running.budgets else "fail",
        evidence=f"Everybody together may spend {caps}." if caps else "No budget is stated.",
        how='State it in seawall.toml: [budget] daily_usd = "5.00"',
        is_never_skip=True,
    )


def _https(running: Running) -> Row:
    if running.encrypts:
        evidence = f"Calls come by HTTPS: {running.encrypts}."
    elif running.is_local:
        evidence = f"It listens on {running.host}: only programs on this machine reach it."
    else:
        evidence = f"It listens on {running.host} for everybody, and nothing is encrypted."
    return Row(
        id="gateway-https",
        title="Keys and texts travel to the gateway encrypted",
        state="pass" if running.encrypts or running.is_local else "fail",
        evidence=evidence,
        how="A certificate by itself: seawall serve --tls-auto YOUR.DOMAIN; behind a proxy of yours:"
        " behind_proxy in seawall.toml.",
        is_never_skip=True,
    )


def _user_limits(running: Running, numbers: Numbers) -> Row:
    state: State = "pass"
    evidence = f"One user may call {' and '.join(running.user_limits)}."
    how = 'State it in seawall.toml: [limits] per_user = ["5/10 seconds", "30/hour"]'
    calls, unnamed = numbers.sums.hour.calls, numbers.users.unnamed
    if not running.user_limits:
        state, evidence = "fail", "limits.per_user is off: one user can use up the whole budget."
    elif calls and 100 * unnamed >= UNNAMED_PERCENT * calls:
        state = "warn"
        evidence = f"{percent(100 * min(unnamed, calls) / calls)} of the calls name no user, so no limit of a"
        evidence += " user holds for them."
        how = "Let your app send the header seawall-user with the id of whoever asks."
    return Row(
        id="user-limits",
        title="The gateway limits how often each user can call",
        state=state,
        evidence=evidence,
        how=how,
        from_stage=Stage.MVP,
        is_never_skip=True,
    )


def _keys(running: Running, now: float) -> Row:
    """Judge the keys: one that nobody uses, and one that is old and never ends, are doors left open."""
    unused = [
        key.name for key in running.keys if key.used_at is None and now - key.made_at > UNUSED_DAYS * DAY_S
    ]
    old = [
        key.name
        for key in running.keys
        if key.expires_at is None and now - key.made_at > KEY_DAYS * DAY_S and key.name not in unused
    ]
    endless = sum(key.expires_at is None for key in running.keys)
    number = f"{len(running.keys)} key{'' if len(running.keys) == 1 else 's'}"
    evidence = f"{number}, all of them in use; {endless or 'none'} without an end."
    if not running.keys:
        evidence = "There is no key yet."
    if unused or old:
        parts = [
            f"never used in {UNUSED_DAYS} days: {_names(unused)}" if unused else "",
            f"older than a year, without an end: {_names(old)}" if old else "",
        ]
        evidence = f"Of {number}, {'; '.join(filter(None, parts))}."
    return Row(
        id="keys",
        title="Every key of the gateway is in use, and none is older than a year",
        state="warn" if unused or old else "pass",
        evidence=evidence,
        how="Revoke what nobody uses: seawall keys revoke NAME. Replace old ones without a gap:"
        " seawall keys rotate NAME.",
        from_stage=Stage.MVP,
    )


def _backups(running: Running, now: float) -> Row:
    copies, evidence = running.copies, ""
    state: State = "pass"
    how = 'Let the gateway make them: [backup] every = "1d" in seawall.toml. One at once: seawall backup.'
    if copies is None:
        state = "manual"
        evidence = "The data is in Postgres, whose backups cannot be seen from here."
        how = "See that your host or pg_dump makes them, and read one back once: docs/backup.md."
    elif copies.newest_at is None:
        state, evidence = "fail", f"No backup lies in {copies.folder}."
    else:
        age_s = now - copies.newest_at
        allowed_s = BACKUP_DAYS * DAY_S if copies.every_s is None else max(DAY_S, 3 * copies.every_s)
        number = f"{copies.number} in {copies.folder}, the newest {_ago(age_s)}"
        evidence = f"{number}."
        if age_s > allowed_s:
            state, evidence = "warn", f"{number}: what came after it would be lost."
        elif copies.every_s is None:
            state, evidence = "warn", f"{number}; nothing makes the next one by itself."
    return Row(
        id="backups-made",
        title="Backups of the gateway's data are really made",
        state=state,
        evidence=evidence,
        how=how,
        from_stage=Stage.MVP,
    )


def _alerts(running: Running, now: float) -> Row:
    state: State = "pass"
    how = "Try it: seawall alerts test."
    newest = {channel: _newest(running.sent, channel) for channel in running.channels}
    failed = [sent for sent in newest.values() if sent is not None and not sent.has_arrived]
    silent = [channel for channel, sent in newest.items() if sent is None]
    arrived = [f"{sent.channel} {_ago(now - sent.at)} ({sent.kind})" for sent in newest.values() if sent]
    evidence = f"Arrived by {', '.join(arrived)}."
    if not running.channels:
        state, evidence = "fail", "Nobody is told: neither a webhook nor a mail server is stated."
        how = "State [alerts] webhook_url or [mail] in seawall.toml, then: seawall alerts test."
    elif failed:
        state = "fail"
        evidence = f"The newest by {failed[0].channel} did not arrive: {failed[0].why or 'nobody took it'}."
    elif silent:
        state, evidence = "warn", f"By {' and '.join(silent)} nothing has arrived within a month."
    return Row(
        id="alerts-delivered",
        title="Alerts of the gateway really arrive",
        state=state,
        evidence=evidence,
        how=how,
        from_stage=Stage.MVP,
    )


def _newest(sent: tuple[Sent, ...], channel: str) -> Sent | None:
    return next((each for each in sent if each.channel == channel), None)


def _prices(running: Running, now: float) -> Row:
    state: State
    if running.price_date is None:
        state, evidence = "fail", "The table of prices cannot be read."
    else:
        age = (datetime.fromtimestamp(now, UTC).date() - running.price_date).days
        state = "warn" if age > PRICE_DAYS else "pass"
        evidence = f"The table of prices is of {running.price_date}, {max(0, age)} days old."
    return Row(
        id="prices",
        title="The prices that the budget counts with are recent",
        state=state,
        evidence=evidence,
        how="Take a newer release of Seawall, or a newer table: seawall prices update FILE.",
        from_stage=Stage.MVP,
    )


def _log(running: Running) -> Row:
    answers = (
        f"answers that were asked to be stored for {_days(running.answer_days)}"
        if running.answer_days
        else "no answer is stored"
    )
    return Row(
        id="log-texts",
        title="The gateway's log holds no prompt and no answer",
        state="pass",
        evidence=f"It keeps who called, when and for how much, for {_days(running.log_days)}; {answers}.",
        from_stage=Stage.MVP,
    )


def _providers(numbers: Numbers) -> Row:
    shares = {
        name: (100 * each.failed / each.tries, each.tries)
        for name, each in numbers.sums.hour.providers.items()
        if each.tries
    }
    failing = {name: share for name, share in shares.items() if _is_failing(*share)}
    shown = failing or shares
    parts = [f"{name} {percent(share)} of {tries:,}" for name, (share, tries) in sorted(shown.items())]
    evidence = f"Calls to providers that failed: {', '.join(parts[:NAMES_SHOWN])}."
    return Row(
        id="providers",
        title="The providers answer",
        state="warn" if failing else "pass" if shares else "not_applicable",
        evidence=evidence if shares else "No provider was asked yet.",
        how="Look at why: seawall usage, seawall why last. State another model that takes over: fallbacks"
        " under [models.NAME].",
        from_stage=Stage.ALPHA,
    )


def _is_failing(share: float, tries: int) -> bool:
    return tries >= FAILED_TRIES and share >= FAILED_PERCENT


def _names(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _ago(seconds: float) -> str:
    if seconds < 2 * 3_600:
        return "within two hours"
    if seconds < 2 * DAY_S:
        return f"{seconds / 3_600:.0f} hours ago"
    return f"{seconds / DAY_S:.0f} days ago"
