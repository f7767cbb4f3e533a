"""However many jobs wait, no step of one reads them all: each statement finds its rows by an index."""

import pytest

from seawall.stores.jobs import lanes, money, rows
from seawall.stores.sqlite import ledger
from seawall.stores.sqlite.connection import open_file
from tests.fixtures.ledgers import SqliteHome

pytestmark = pytest.mark.files

OF_FEW = ("jobs_with_engine", "jobs_running", "holds_of_processes")
"""Indexes of jobs that are with the engine, and of holds of processes: those may be read from end to end."""
STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in (rows, money, ledger, lanes)
    for name, text in vars(module).items()
    if name != "_JOBS"
    and isinstance(text, str)
    and text.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
}


def test_statements_were_found() -> None:
    assert {
        "rows.NEXT",
        "rows.DUE",
        "rows.END_RUN",
        "money._TAKE",
        "ledger._FOREIGN_HOLDS",
    } <= STATEMENTS.keys()


async def test_no_statement_of_a_transition_reads_all_jobs_or_holds(home: SqliteHome) -> None:
    home.open().store.close()
    connection = open_file(home.database)
    scans = {}
    for name, text in STATEMENTS.items():
        statement = text.replace("({})", "(?, ?)")
        places = statement.count("?")
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (None,) * places).fetchall()
        steps = [str(step[3]) for step in plan]
        read_whole = [step for step in steps if step.startswith(("SCAN jobs", "SCAN holds", "SCAN job_"))]
        if any(not step.endswith(OF_FEW) for step in read_whole):
            scans[name] = steps
    connection.close()
    # How many lanes there are is bounded by the users of the last minutes; nobody waits for this one.
    assert scans.keys() == {"lanes.DROP_EMPTY"}, scans
