"""End users on SQLite: what is decided about them, and how a person is taken out of everything."""

from collections.abc import Callable, Sequence

import apsw

from seawall.core.contracts import UserRecord
from seawall.core.events import Channel, Event
from seawall.core.policy import Scope
from seawall.stores import feedback, records
from seawall.stores.jobs import recovery
from seawall.stores.sqlite import idempotency, outbox
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.jobs import SqliteTransaction

RAISE_VERSION = "UPDATE directory_version SET number = number + 1"
"""Tells all processes to look up anew what they remember of keys and users."""
_FORGET_STATE = "DELETE FROM responses WHERE owner IN (SELECT number FROM owners WHERE end_user = ?)"
_FORGET_OWNER = "DELETE FROM owners WHERE end_user = ?"


def find(user_id: str, connection: apsw.Connection) -> UserRecord | None:
    """Return one user."""
    row = connection.execute(records.USER_BY_ID, (user_id,)).fetchone()
    return None if row is None else records.user_of(row)


def find_all(connection: apsw.Connection) -> list[UserRecord]:
    """Return all users, by id."""
    return [records.user_of(row) for row in connection.execute(records.ALL_USERS)]


def change(
    user_id: str,
    how: Callable[[UserRecord | None], UserRecord],
    event: Event | None,
    channels: Sequence[Channel],
    batch: LedgerBatch,
) -> UserRecord:
    """Replace one user, and announce the event where the tier has changed."""
    row = batch.cursor.execute(records.USER_BY_ID, (user_id,)).fetchone()
    before = None if row is None else records.user_of(row)
    record = how(before)
    batch.cursor.execute(records.PUT_USER, records.row_of_user(record))
    if event is not None and record.tier != (before.tier if before else None):
        outbox.put(event, channels, batch)
    return record


def read_salt(connection: apsw.Connection) -> bytes:
    """Return the random bytes of this data folder."""
    row = connection.execute(records.SALT).fetchone()
    assert row is not None and isinstance(row[0], bytes)
    return row[0]


def erase(user_id: str, alias: str, batch: LedgerBatch) -> int:
    """Take a user out of everything that names it; sums and accounts go on under the alias.

    What is deleted is overwritten. Raises Conflict while a call or a job of theirs is running: its money
    could not be settled any more.
    """
    execute = batch.cursor.execute
    execute("PRAGMA secure_delete = ON")
    recovery.erase(user_id, SqliteTransaction(batch))
    batch.forget_scope(str(Scope("user", user_id)))
    outbox.forget_user(user_id, batch)
    execute(records.FORGET_USER, (user_id,))
    execute(RAISE_VERSION)  # About whom nothing was decided, others remember as well.
    execute(_FORGET_STATE, (user_id,))
    execute(_FORGET_OWNER, (user_id,))
    idempotency.forget_user(user_id, batch)
    execute(feedback.FORGET_USER, (user_id,))
    execute("PRAGMA secure_delete = OFF")
    execute(records.COPY_SUMS, (alias, user_id))
    execute(records.DROP_SUMS, (user_id,))
    execute(records.RENAME_ACCOUNTS, (str(Scope("user", alias)), str(Scope("user", user_id))))
    execute(records.RENAME_CALLS, (alias, user_id))
    return batch.changes()
