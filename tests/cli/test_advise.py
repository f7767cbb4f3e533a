"""seawall advise: the ranking and the path to one verdict, in each form, from a ledger of hours."""

import asyncio
import os
import pty
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from seawall.core.call import CallIds
from seawall.core.ledger import CallRow, Settlement
from seawall.core.money import NANO, Money, Usage
from seawall.core.traffic import WAITS_MS, Hour, ModelSums
from seawall.homes import Store
from tests.fixtures.desk import Desk, call_row, hold_of
from tests.fixtures.settings import Place

NOTHING = [0] * (len(WAITS_MS) + 1)


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Return a desk with the calls of ten days: 100 a day, a cent each, by nobody with a name."""
    now = int(time.time()) // 3_600
    first = [*NOTHING]
    first[3] = 100
    model = ModelSums(calls=100, ok=100, cost=NANO, shaped=100, input=80_000, output=20_000)
    hours = [Hour(now - 24 * day, calls=100, ok=100, first=first, models={"gpt-4o-mini": model}) for day in range(10, 0, -1)]  # fmt: skip

    async def work(store: Store) -> None:
        await store.traffic.put(hours, now)

    desk.in_store(work)
    return desk


def add_users(desk: Desk, count: int) -> None:
    """Let so many people call once."""
    rows = [call_row(f"call_{number}", end_user=f"user-{number}", cost=Money(1)) for number in range(count)]

    async def call(store: Store, row: CallRow) -> None:
        await store.ledger.hold(hold_of(row))
        await store.ledger.settle(Settlement(row.id, row.cost, row.overage, row.usage or Usage(), row))

    async def work(store: Store) -> None:
        await asyncio.gather(*(call(store, row) for row in rows))

    desk.in_store(work)


def at_a_terminal(*arguments: str, types: str) -> str:
    """Run the command in a real pseudo-terminal and type; returns what the screen is sent."""
    outer, inner = pty.openpty()
    program = (sys.executable, "-c", "from seawall.cli.main import main; main()", *arguments)
    environ = {**os.environ, "TERM": "dumb", "COLUMNS": "80"}
    process = subprocess.Popen(program, env=environ, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    os.write(outer, types.encode())
    sent = b""
    with suppress(OSError):  # The other end is closed.
        while part := os.read(outer, 65_536):
            sent += part
    os.close(outer)
    assert process.wait() == 0
    return sent.decode("utf-8").replace("\r\n", "\n")


def test_a_fact_that_decides_is_asked_for_once_at_a_terminal(busy: Desk, place: Place) -> None:
    place.write("seawall.toml", "")
    add_users(busy, 1_000)
    assert "Microservices: cannot tell" in busy.run("advise", "microservices")
    question = "How many people work on the app? (such as 1; Enter skips)"
    skipped = at_a_terminal("advise", "microservices", types="\n")
    assert skipped.count(question) == 1
    assert "Microservices: cannot tell" in skipped
    assert question not in at_a_terminal("advise", "microservices", "--no-ask", types="")
    wrong = at_a_terminal("advise", "microservices", types="many\n")
    assert "team must be a whole number; it is left out." in wrong
    assert "Microservices: not yet" in at_a_terminal("advise", "microservices", types="2\n")
    assert "[facts.team]\nvalue = 2" in (place.cwd / "seawall.toml").read_text("utf-8")
    assert "2 people work on it" in busy.run("advise", "microservices")
    place.write("seawall.toml", "[facts.team]\nvalue = 3\nat = 2025-01-01\n")
    again = at_a_terminal("advise", "microservices", types="\n")
    assert "How many people work on the app? (3 on 2025-01-01, which is old; Enter skips)" in again


def test_an_empty_ledger_is_told_so_and_advised_all_the_same(desk: Desk) -> None:
    desk.add_key("app")
    said = desk.run("advise")
    assert said.startswith("No call in 30 days (stage poc)\nThere are no numbers of your app yet")
    assert "seawall advise --format html --output advice.html" in said


def test_an_app_without_any_data_is_advised_and_nothing_is_made(desk: Desk) -> None:
    assert desk.run("advise").startswith("No call in 30 days (stage poc)\n")
    assert desk.run("advise", "kubernetes").startswith("Kubernetes: not yet\n")
    assert not desk.data.exists()


def test_the_ranking_fits_80_columns_and_has_no_trailing_spaces(busy: Desk) -> None:
    lines = busy.run("advise").splitlines()
    assert lines[0] == "Advice from 1,000 calls in 30 days, $10.00 spent (stage poc)"
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_one_thing_is_shown_with_its_five_questions(busy: Desk) -> None:
    said = busy.run("advise", "caching")
    assert said.startswith("Cache: ")
    for number in range(1, 6):
        assert f"\n{number}. " in said
    assert "https://seawall.dev/docs/cache" in said
    assert "SELECT" not in said
    assert "SELECT" in busy.run("advise", "caching", "--verbose")


def test_a_grown_app_is_advised_from_its_database(grown_desk: Desk) -> None:
    grown_desk.add_call(CallIds()(time.time()), end_user="ada")
    assert grown_desk.run("advise").startswith("Advice from 1 call in 30 days, 1 user, $0.00 spent")
    assert "in Postgres write data->>'calls'" in grown_desk.run("advise", "postgres", "--verbose")


def test_a_thing_that_nobody_knows_gets_the_general_questions(busy: Desk) -> None:
    said = busy.run("advise", "blockchain\x1b[31m")
    assert said.startswith("blockchain")
    assert "\x1b" not in said


def test_each_form_is_printed_or_written_to_a_file(busy: Desk, tmp_path: Path) -> None:
    assert msgspec.json.decode(busy.run("advise", "--format", "json"))["app"]["cost_usd"] == "10.00"
    one = msgspec.json.decode(busy.run("advise", "caching", "--format", "json"))
    assert (one["thing"], len(one["steps"])) == ("caching", 5)
    assert busy.run("advise", "--format", "markdown").startswith("# seawall advise: 30 days to ")
    assert busy.run("advise", "--format", "html", "--output", "advice.html") == "Wrote advice.html.\n"
    assert (tmp_path / "advice.html").read_text("utf-8").startswith("<!doctype html>")
    busy.run("advise", "--output", "advice.txt")
    assert (tmp_path / "advice.txt").read_text("utf-8") == busy.run("advise")


def test_a_file_that_cannot_be_written_is_one_sentence(busy: Desk) -> None:
    said = busy.run("advise", "--output", "nowhere/advice.html", "--format", "html", code=2)
    assert said == "seawall: nowhere/advice.html cannot be written: No such file or directory.\n"


def test_fewer_days_count_fewer_calls(busy: Desk) -> None:
    assert busy.run("advise", "--days", "4").startswith("Advice from 300 calls in 4 days")
