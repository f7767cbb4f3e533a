"""End users on Postgres: what is decided about them, and how a person is taken out of everything."""

from collections.abc import Callable, Sequence

from seawall.core.contracts import UserRecord
from seawall.core.errors import Conflict
from seawall.core.events import Channel, Event
from seawall.core.policy import Scope
from seawall.stores import feedback, records
from seawall.stores.jobs.rows import OF_USER
from seawall.stores.postgres import outbox
from seawall.stores.postgres.batch import LEDGER_LOCK
from seawall.stores.postgres.connection import Line
from seawall.stores.postgres.retention import RETENTION_LOCK
from seawall.stores.postgres.statements import rows_of, run

ERASE_S = 60.0
"""How long the erasure of a user may take; whoever calls a model waits meanwhile."""

_LIMIT = f"SET LOCAL statement_timeout = '{ERASE_S:.0f}s'".encode()
_LOCK = b"SELECT pg_advisory_xact_lock(%s)"
_HOLDS = b"SELECT count(*) FROM accounts WHERE scope = %s AND held > 0"


async def find(connection: Line, user_id: str) -> UserRecord | None:
    """Return one user."""
    rows = await rows_of(connection, records.USER_BY_ID, (user_id,))
    return records.user_of(rows[0]) if rows else None


async def find_all(connection: Line) -> list[UserRecord]:
    """Return all users, by id."""
    return [records.user_of(row) for row in await rows_of(connection, records.ALL_USERS)]


async def change(
    connection: Line,
    user_id: str,
    how: Callable[[UserRecord | None], UserRecord],
    event: Event | None,
    channels: Sequence[Channel],
) -> UserRecord:
    """Replace one user inside of a transaction, and announce the event where the tier has changed."""
    before = await find(connection, user_id)
    record = how(before)
    await run(connection, records.PUT_USER, records.row_of_user(record))
    if event is not None and record.tier != (before.tier if before else None):
        await outbox.put(connection, [event], channels)
    return record


async def lock_ledger(connection: Line, user_id: str) -> None:
    """Keep every gateway's ledger waiting for the rest of a transaction, while a user is taken out of it.

    Nobody makes the database smaller meanwhile: sums that are added up between copying and dropping would
    keep the name and count twice. Raises Conflict while a call of the user is running: its money could not be
    settled any more; and where a job of theirs was accepted since their jobs were forgotten.
    """
    await connection.execute(_LIMIT)
    await connection.execute(_LOCK, (LEDGER_LOCK,))
    await connection.execute(_LOCK, (RETENTION_LOCK,))
    [(held,)] = await (await connection.execute(_HOLDS, (str(Scope("user", user_id)),))).fetchall()
    if held or await rows_of(connection, OF_USER, (user_id,)):
        raise Conflict("A call of this user is running. Try again in a moment.")


async def erase(connection: Line, user_id: str, alias: str) -> int:
    """Take a user out of all but the stored responses; sums and accounts go on under the alias.

    Returns how many calls were theirs. Comes after `lock_ledger`.
    """
    await outbox.forget_user(connection, user_id)
    await run(connection, records.FORGET_USER, (user_id,))
    await run(connection, feedback.FORGET_USER, (user_id,))
    await run(connection, records.COPY_SUMS, (alias, user_id))
    await run(connection, records.DROP_SUMS, (user_id,))
    await run(connection, records.RENAME_ACCOUNTS, (str(Scope("user", alias)), str(Scope("user", user_id))))
    return (await run(connection, records.RENAME_CALLS, (alias, user_id))).rowcount
