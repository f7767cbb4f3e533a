"""Turns statements that every database shares into the form that psycopg takes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from psycopg import AsyncCursor

from seawall.stores.postgres.connection import Line, Rows

Values: TypeAlias = Sequence[object] | Mapping[str, object]

_PLACES = re.compile(r"\?|%|:([a-z_]+)")


def form(statement: str) -> bytes:
    """Write places of values, `?` and `:name`, as psycopg does; a shared statement has neither otherwise."""
    return _PLACES.sub(_place, statement).encode()


def _place(found: re.Match[str]) -> str:
    if found[0] == "%":
        return "%%"
    return f"%({found[1]})s" if found[1] else "%s"


async def run(connection: Line, statement: str, values: Values = ()) -> AsyncCursor[Rows]:
    """Run a shared statement."""
    return await connection.execute(form(statement), values)


async def run_all(connection: Line, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """Run a shared statement once for each row, in few round trips."""
    async with connection.cursor() as cursor:
        await cursor.executemany(form(statement), rows)


async def rows_of(connection: Line, statement: str, values: Values = ()) -> list[Any]:
    """Run a shared question and return all it finds."""
    return await (await run(connection, statement, values)).fetchall()
