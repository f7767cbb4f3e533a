"""Turns statements that every database shares into the form that psycopg takes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from psycopg import AsyncCursor, Connection

from seawall.stores.postgres.connection import Line, Rows

Values: TypeAlias = Sequence[object] | Mapping[str, object]

_PLACES = re.compile(r"\?|%|:([a-z_]+)")


@lru_cache(maxsize=256)
def form(statement: str) -> bytes:
    """Write places of values, `?` and `:name`, as psycopg does; a shared statement has neither otherwise."""
    return _PLACES.sub(_place, statement).encode()


def _without_nul(value: object) -> object:
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _place(found: re.Match[str]) -> str:
    if found[0] == "%":
        return "%%"
    return f"%({found[1]})s" if found[1] else "%s"


async def run(connection: Line, statement: str, values: Values = ()) -> AsyncCursor[Rows]:
    """Run a shared statement.

    What is asked for under a name with the character NUL is not found: no text in Postgres can hold it.
    """
    if isinstance(values, Mapping):
        return await connection.execute(
            form(statement), {name: _without_nul(value) for name, value in values.items()}
        )
    return await connection.execute(form(statement), [_without_nul(value) for value in values])


async def run_all(connection: Line, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Run a shared statement once for each row, in few round trips."""
    async with connection.cursor() as cursor:
        await cursor.executemany(form(statement), rows)


async def rows_of(connection: Line, statement: str, values: Values = ()) -> list[Any]:
    """Run a shared question and return all it finds."""
    return await (await run(connection, statement, values)).fetchall()


class Statements:
    """Shared statements on the connection of the writer thread, inside of a transaction.

    Those whose rows nobody needs wait for the next one that is asked, and go with it in one round trip; what
    is asked sees all that was written before.
    """

    __slots__ = ("_connection", "_waiting")

    def __init__(self, connection: Connection[Rows]) -> None:
        self._connection = connection
        self._waiting: list[tuple[bytes, list[object]]] = []

    def write(self, statement: str, values: Sequence[object]) -> None:
        """Let a statement wait."""
        self._waiting.append((form(statement), [_without_nul(value) for value in values]))

    def ask(self, statement: str, values: Sequence[object]) -> list[Rows]:
        """Run what waits, and a question."""
        question = form(statement), [_without_nul(value) for value in values]
        if not self._waiting:
            return self._connection.execute(*question).fetchall()
        with self._connection.pipeline():
            self.send()
            found = self._connection.execute(*question)
        return found.fetchall()

    def send(self) -> None:
        """Run what waits; where a pipeline is open, with whatever else goes through it."""
        waiting, self._waiting = self._waiting, []
        for statement, values in waiting:
            self._connection.execute(statement, values)
