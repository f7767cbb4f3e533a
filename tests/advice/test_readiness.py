"""What the running gateway shows of what a stage asks for: what happened counts, not what is configured."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from seawall.advice.numbers import Numbers
from seawall.advice.readiness import Copies, KeyUse, Row, Running, Sent, gateway_rows
from seawall.core.money import Money
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, Tries
from tests.advice.apps import app, calls, people, spread

DAY_S = 86_400.0
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
FINE = Running(
    budgets=(("a day", Money(5 * 10**9)),),
    user_limits=("10/hour",),
    host="127.0.0.1",
    is_local=True,
    encrypts="",
    keys=(KeyUse("app", NOW - 30 * DAY_S, NOW - 60, None),),
    copies=Copies("backups", 3, NOW - DAY_S / 2, DAY_S),
    channels=("mail",),
    sent=(Sent("test", "mail", NOW - 3 * DAY_S, True),),
    price_date=date(2026, 11, 20),
    log_days=30,
    answer_days=30,
)
APP = app(spread(calls(10)), users=people(5))


def row(name: str, running: Running = FINE, numbers: Numbers = APP) -> Row:
    [found] = [each for each in gateway_rows(running, numbers, NOW) if each.id == name]
    return found


def seen(name: str, **changes: object) -> tuple[str, str]:
    """Return the state and the evidence of a row where something is otherwise."""
    found = row(name, replace(FINE, **changes))
    return found.state, found.evidence


def test_a_gateway_that_is_used_well_passes_every_row() -> None:
    states = {each.id: each.state for each in gateway_rows(FINE, APP, NOW)}
    assert {name for name, state in states.items() if state != "pass"} == {"providers"}
    assert states["providers"] == "not_applicable"


def test_every_open_row_says_how_it_is_done() -> None:
    bare = replace(
        FINE, budgets=(), user_limits=(), copies=Copies("b", 0, None, None), channels=(), host="0.0.0.0"
    )
    bare = replace(bare, is_local=False, price_date=None)
    rows = gateway_rows(bare, APP, NOW)
    assert [each.id for each in rows if each.state == "fail"] == [
        "gateway-spending-limit", "gateway-https", "user-limits", "backups-made", "alerts-delivered", "prices",
    ]  # fmt: skip
    assert all(each.how for each in rows if each.is_open)


@pytest.mark.parametrize(
    ("age_days", "every_days", "state", "evidence"),
    [
        (0.5, 1, "pass", "3 in backups, the newest 12 hours ago."),
        (4, 1, "warn", "3 in backups, the newest 4 days ago: what came after it would be lost."),
        (4, 7, "pass", "3 in backups, the newest 4 days ago."),
        (4, None, "warn", "3 in backups, the newest 4 days ago; nothing makes the next one by itself."),
        (30, None, "warn", "3 in backups, the newest 30 days ago: what came after it would be lost."),
    ],
)
def test_a_backup_counts_by_its_age(
    age_days: float, every_days: float | None, state: str, evidence: str
) -> None:
    every_s = None if every_days is None else every_days * DAY_S
    copies = Copies("backups", 3, NOW - age_days * DAY_S, every_s)
    assert seen("backups-made", copies=copies) == (state, evidence)


def test_a_schedule_without_a_backup_fails_and_postgres_is_asked_of_the_owner() -> None:
    assert seen("backups-made", copies=Copies("backups", 0, None, DAY_S)) == (
        "fail",
        "No backup lies in backups.",
    )
    assert seen("backups-made", copies=None)[0] == "manual"


def test_an_alert_counts_once_it_arrived_by_every_channel() -> None:
    mail, hook = (Sent("test", channel, NOW - DAY_S, True) for channel in ("mail", "webhook"))
    both = {"channels": ("webhook", "mail")}
    assert seen("alerts-delivered", sent=(mail, hook), **both)[0] == "pass"
    assert seen("alerts-delivered", sent=(mail,), **both) == (
        "warn",
        "By webhook nothing has arrived within a month.",
    )
    gone = replace(hook, has_arrived=False, why="the receiver answered 404")
    assert seen("alerts-delivered", sent=(gone, mail, hook), **both) == (
        "fail",
        "The newest by webhook did not arrive: the receiver answered 404.",
    )


def test_keys_that_nobody_uses_or_that_are_old_are_named() -> None:
    keys = (
        KeyUse("app", NOW - 400 * DAY_S, NOW, None),
        KeyUse("ends", NOW - 400 * DAY_S, NOW, NOW + DAY_S),
        KeyUse("tried", NOW - 15 * DAY_S, None, None),
        KeyUse("new", NOW - DAY_S, None, None),
    )
    assert seen("keys", keys=keys) == (
        "warn",
        "Of 4 keys, never used in 14 days: tried; older than a year, without an end: app.",
    )


def test_a_limit_of_a_user_holds_only_where_calls_name_one() -> None:
    some = app(spread(calls(10)), users=people(5, unnamed=59))
    assert row("user-limits", numbers=some).state == "pass"
    many = app(spread(calls(10)), users=people(5, unnamed=60))
    found = row("user-limits", numbers=many)
    assert (found.state, found.evidence) == (
        "warn",
        "20 % of the calls name no user, so no limit of a user holds for them.",
    )


def test_a_provider_that_fails_is_named_once_it_was_tried_often() -> None:
    def shaky(tries: int, failed: int) -> Numbers:
        return app([Hour(hour=0, calls=tries, providers={"openai": Tries(tries, failed)})])

    assert row("providers", numbers=shaky(19, 19)).state == "pass"
    found = row("providers", numbers=shaky(40, 2))
    assert (found.state, found.from_stage) == ("warn", Stage.ALPHA)
    assert found.evidence == "Calls to providers that failed: openai 5 % of 40."


def test_old_prices_warn() -> None:
    assert seen("prices", price_date=date(2026, 8, 29)) == (
        "pass",
        "The table of prices is of 2026-08-29, 90 days old.",
    )
    assert seen("prices", price_date=date(2026, 8, 28))[0] == "warn"
