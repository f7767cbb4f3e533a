"""Behind every number of an advice stands a query that gives this number."""

from collections.abc import Iterator

import apsw
import msgspec
import pytest

from seawall.advice.things import THINGS
from seawall.advice.words import Figure
from tests.advice.profiles import Profile, profiles

NAMES = (
    "faq bot", "long conversations", "slow provider", "lost answers", "heavy tenant", "second machine", "useless cache",
    "attacks", "outages",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_query_gives_the_number_beside_it(name: str) -> None:
    profile = profiles()[name]
    ledger = _ledger(profile)
    assert [
        (figure.text, figure.query, rows)
        for figure in _figures(profile)
        if "FROM traffic_hourly" in figure.query
        for rows in [list(ledger.execute(figure.query))]
        if len(rows) == 1 and len(rows[0]) == 1 and rows[0][0] != pytest.approx(figure.value)
    ] == []


def test_every_number_has_a_query() -> None:
    assert [
        figure.text for profile in profiles().values() for figure in _figures(profile) if not figure.query
    ] == []


def _figures(profile: Profile) -> Iterator[Figure]:
    for thing in THINGS.values():
        for step in thing(profile.numbers, profile.replays).steps:
            yield from step.figures


def _ledger(profile: Profile) -> apsw.Connection:
    """Return a ledger in memory with the sums of a profile."""
    ledger = apsw.Connection(":memory:")
    ledger.execute("CREATE TABLE traffic_hourly (hour INTEGER PRIMARY KEY, data TEXT NOT NULL)")
    rows = [(hour.hour, msgspec.json.encode(hour).decode()) for hour in profile.numbers.hours]
    ledger.executemany("INSERT INTO traffic_hourly VALUES (?, ?)", rows)
    return ledger
