"""Jobs that wait for ever in a gateway's database: their lanes are full, of jobs that nobody is at."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import psycopg

LEFT = "SELECT waiting + handed + running + timed FROM job_lanes WHERE lane = ''"
IN_FULL = 1_000
"""How many jobs each of these lanes says are with the engine already."""
BODY_BYTES = 800


@dataclass(frozen=True)
class Database:
    """The SQLite file of a gateway, or its Postgres database."""

    file: Path
    url: str | None

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements in one transaction; returns what the last one found."""
        if self.url is not None:
            with psycopg.connect(self.url) as line:
                for statement in statements:
                    cursor = line.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        found: list[tuple[Any, ...]] = []
        with closing(apsw.Connection(str(self.file))) as file, file:
            file.set_busy_timeout(60_000)
            for statement in statements:
                found = file.execute(statement).fetchall()
        return found

    def left(self) -> int:
        """Return how many jobs are not at their end."""
        return int((self.run(LEFT) or [(0,)])[0][0])

    def columns(self) -> list[str]:
        """Return the names of what is kept of a job."""
        if self.url is not None:
            with psycopg.connect(self.url) as line:
                return [each.name for each in line.execute("SELECT * FROM jobs LIMIT 0").description or ()]
        return [name for (name,) in self.run("SELECT name FROM pragma_table_info('jobs')")]


def park(database: Database, count: int, users: int) -> None:
    """Let so many jobs wait, of so many users: copies of one that is done, with their money and requests."""
    [(done,)] = database.run("SELECT min(id) FROM jobs WHERE state = 'completed'")
    series = (
        f"generate_series(1, {count}) AS s(n)"
        if database.url is not None
        else f"(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {count})"
        " SELECT n FROM r) AS s"
    )
    today = time.strftime("%Y-%m-%d", time.gmtime())
    other = {
        "id": "'job_parked' || s.n", "end_user": f"'parked' || (s.n % {users})",
        "lane": f"'parked/parked' || (s.n % {users})", "state": "'waiting'", "stage": "'queued'",
        "started_at": "NULL", "ended_at": "NULL", "run": "0", "status": "0", "hold_day": f"'{today}'",
        "hold": "'{\"id\":\"call_parked' || s.n || '\",\"amount\":1,\"input_tokens\":9,\"output_tokens\":9,"
        "\"route\":\"mock/fake-gpt\",\"day\":\"" + today + "\"}'",
        "expires_at": f"{time.time() + 1e6}", "is_timed": "0", "carrier": "NULL", "worker": "NULL",
        "frames": "0",
    }  # fmt: skip
    columns = database.columns()
    named, copied = ", ".join(columns), ", ".join(other.get(name, f"t.{name}") for name in columns)
    lane = other["lane"]
    data = "zeroblob({})" if database.url is None else "decode(repeat('00', {}), 'hex')"
    database.run(
        f"INSERT INTO jobs ({named}) SELECT {copied} FROM jobs t, {series} WHERE t.id = '{done}'",
        f"INSERT INTO job_bodies (job, part, data)"
        f" SELECT 'job_parked' || s.n, 'request', {data.format(BODY_BYTES)} FROM {series}",
        f"INSERT INTO holds (id, process, amount, accounts, row, counts, tokens)"
        f" SELECT 'call_parked' || s.n, 'jobs', 1, '[]', '{{}}', 0, 0 FROM {series}",
        f"INSERT INTO job_lanes (lane, timed, waiting, handed, running, held)"
        f" SELECT {lane}, 0, count(*), {IN_FULL}, 0, count(*) FROM {series} GROUP BY 1",
        f"UPDATE job_lanes SET waiting = waiting + {count}, held = held + {count} WHERE lane = ''",
        "ANALYZE",
    )
