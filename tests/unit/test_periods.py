"""Days and months of any calendar: where one ends the next begins, whatever the clocks do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.periods import names_in, next_start

ZONES = sorted(available_timezones())
FROM = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp())
UNTIL = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())


@given(zone=st.sampled_from(ZONES).map(ZoneInfo), at=st.integers(FROM, UNTIL), which=st.sampled_from([0, 1]))
def test_a_period_ends_in_the_second_in_which_the_next_begins(zone: ZoneInfo, at: int, which: int) -> None:
    name = names_in(at, zone)[which]
    start = next_start(name, zone)
    assert start is not None
    begins = start.timestamp()
    assert begins > at
    assert names_in(begins - 1, zone)[which] == name
    assert names_in(begins, zone)[which] > name


@pytest.mark.parametrize(
    ("zone", "day", "ends", "why"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-29T22:00:00+00:00", "a day of 23 hours"),
        ("Europe/Berlin", "2026-10-25", "2026-10-25T23:00:00+00:00", "a day of 25 hours"),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-04T03:00:00+00:00", "the next has no midnight"),
        (
            "America/Havana",
            "2026-10-31",
            "2026-11-01T04:00:00+00:00",
            "the next has two midnights: the first",
        ),
        ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00+00:00", "the next was left out"),
        ("Asia/Kathmandu", "2026-11-21", "2026-11-21T18:15:00+00:00", "an offset of quarters of an hour"),
        ("Europe/Berlin", "2026-03", "2026-03-31T22:00:00+00:00", "a month across a change"),
        ("Asia/Tokyo", "2026-12", "2026-12-31T15:00:00+00:00", "the end of a year"),
    ],
)
def test_days_on_which_the_clocks_change(zone: str, day: str, ends: str, why: str) -> None:
    assert next_start(day, ZoneInfo(zone)) == datetime.fromisoformat(ends), why
