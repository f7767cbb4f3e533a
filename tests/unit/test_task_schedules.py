"""Schedules of tasks: which moment is due, at midnight, when clocks change, and after a gateway was down."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from seawall.core.tasks import TaskSchedule, TaskTarget
from seawall.jobs.scheduling import due_of

BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")
"""Where clocks go from 00:00 to 01:00 in spring."""


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def shown(at: float | None, zone: ZoneInfo = BERLIN) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("at", "now", "due"),
    [
        ((7, 30), "2026-11-27T07:29:59+01:00", None),
        ((7, 30), "2026-11-27T07:30:00+01:00", "2026-11-27T07:30+01:00"),
        ((7, 30), "2026-11-27T09:29:59+01:00", "2026-11-27T07:30+01:00"),
        ((7, 30), "2026-11-27T09:30:00+01:00", None),
        ((0, 0), "2026-11-26T23:59:59+01:00", None),
        ((0, 0), "2026-11-27T00:00:00+01:00", "2026-11-27T00:00+01:00"),
        ((23, 59), "2026-11-27T00:30:00+01:00", "2026-11-26T23:59+01:00"),
    ],
)
def test_a_time_of_day_is_due_from_then_on_for_two_hours(
    at: tuple[int, int], now: str, due: str | None
) -> None:
    assert shown(TaskSchedule(BERLIN, at=at).due(moment(now))) == due


@pytest.mark.parametrize(
    ("at", "now", "last", "following"),
    [
        ((2, 30), "2026-03-29T03:00:00+02:00", "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"),
        ((2, 30), "2026-03-29T12:00:00+02:00", "2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00"),
        ((2, 30), "2026-10-25T02:30:00+02:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
        ((2, 30), "2026-10-25T02:30:00+01:00", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
        ((7, 30), "2026-03-29T07:30:00+02:00", "2026-03-29T07:30+02:00", "2026-03-30T07:30+02:00"),
    ],
)
def test_a_time_of_day_comes_once_a_day_when_clocks_change(
    at: tuple[int, int], now: str, last: str, following: str
) -> None:
    schedule = TaskSchedule(BERLIN, at=at)
    assert (shown(schedule.last(moment(now))), shown(schedule.next(moment(now)))) == (last, following)


def test_a_midnight_that_the_clocks_skip_comes_right_after_it() -> None:
    schedule = TaskSchedule(HAVANA, at=(0, 0))
    before = moment("2026-03-07T23:59:00-05:00")
    assert shown(schedule.next(before), HAVANA) == "2026-03-08T01:00-04:00"
    assert shown(schedule.last(before), HAVANA) == "2026-03-07T00:00-05:00"


@pytest.mark.parametrize("zone", [BERLIN, HAVANA])
@pytest.mark.parametrize("at", [(0, 0), (0, 30), (2, 30), (23, 59)])
def test_every_day_of_a_year_has_its_moment_once(zone: ZoneInfo, at: tuple[int, int]) -> None:
    schedule, now, found = TaskSchedule(zone, at=at), moment("2025-12-30T00:00:00Z"), []
    while now < moment("2027-01-01T00:00:00Z"):
        now = schedule.next(now)
        assert schedule.last(now) == schedule.last(now + 1) == now
        found.append(datetime.fromtimestamp(now, zone).date())
    assert len(found) == len(set(found))
    assert sum(day.year == 2026 for day in found) == 365


def test_every_hour_is_the_full_one_and_every_day_begins_at_midnight_in_utc() -> None:
    now = moment("2026-11-27T13:45:00Z")
    hourly, daily = TaskSchedule(BERLIN, every_s=3_600.0), TaskSchedule(BERLIN, every_s=86_400.0)
    assert hourly.due(now) == moment("2026-11-27T13:00:00Z")
    assert (daily.last(now), daily.due(now)) == (moment("2026-11-27T00:00:00Z"), None)
    assert daily.next(now) == moment("2026-11-28T00:00:00Z")


def test_after_a_downtime_only_the_last_moment_is_made_up_for() -> None:
    target = TaskTarget(name="sweep", schedule=TaskSchedule(BERLIN, every_s=60.0))
    made = {"sweep": moment("2026-11-27T10:00:00Z")}
    back = moment("2026-11-27T13:45:30Z")
    assert list(due_of([target], made, back)) == [(target, moment("2026-11-27T13:45:00Z"))]


def test_what_was_made_is_not_due_again_even_if_the_clock_is_put_back() -> None:
    target = TaskTarget(name="sweep", schedule=TaskSchedule(BERLIN, every_s=60.0))
    made = {"sweep": moment("2026-11-27T10:00:00Z")}
    for now in ("2026-11-27T10:00:59Z", "2026-11-27T09:58:00Z"):
        assert list(due_of([target, TaskTarget(name="mail")], made, moment(now))) == []
