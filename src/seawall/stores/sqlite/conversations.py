"""Stored responses and their items on SQLite.

Invariants:
- Every question names its owner in SQL: what is another's is not filtered out afterwards, it is never read.
- Numbers of owners and responses are never given twice.
- A response is there with everything it holds or not at all; a large one goes to disk in several small
  commits, between which holds and settlements go first, and is seen with the last of them.
- No more is put together in memory than fits `HISTORY_BYTES_MAX`.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import apsw
import msgspec

from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.stores import stored
from seawall.stores.down import StoreDown
from seawall.stores.packing import (
    PACK_FROM_BYTES,
    PART_BYTES,
    Packed,
    Part,
    pack,
    size_of,
    unpack,
    unpack_content,
)
from seawall.stores.sqlite.batch import Insert, LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.stored import Names, Row
from seawall.stores.writer import Writer

UNFINISHED_KEEP_S = 3_600.0
"""How long a response whose writing was broken off stays before it is deleted."""

# The newest response that holds each of these items.
_HOLDERS = """
SELECT items.id, max(responses.number), responses.bytes
FROM items JOIN responses ON responses.number = items.response AND responses.owner = items.owner
WHERE items.owner = (SELECT number FROM owners WHERE key_id = :key_id AND end_user = :end_user)
  AND items.id IN (SELECT value FROM json_each(:ids)) AND is_whole = 1 AND expires_at > :at_s
GROUP BY items.id"""
# What a response holds, in order.
_PARTS = "SELECT data FROM parts WHERE response = ? AND kind = ? ORDER BY place"

# Give an owner a number.
_ADD_OWNER = "INSERT INTO owners (key_id, end_user) VALUES (?, ?) RETURNING number"
# What a response holds.
_ADD_PARTS = Insert("INSERT INTO parts (response, kind, place, data) VALUES", 4)
_ADD_ITEMS = Insert("INSERT OR IGNORE INTO items (owner, id, response) VALUES", 3)
# Say whether a response is still there, for its next parts.
_IS_THERE = "SELECT 1 FROM responses WHERE number = ?"
# Let a response be seen, now that all of it is there.
_FINISH = "UPDATE responses SET is_whole = 1, expires_at = ? WHERE number = ?"

# Delete responses with their parts and items; returns whose they were.
_DELETE = "DELETE FROM responses WHERE number IN (SELECT value FROM json_each(?)) RETURNING owner"
# An owner of whom nothing is kept is forgotten.
_DROP_OWNERS = """
DELETE FROM owners WHERE number IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM responses WHERE owner = owners.number)"""

T = TypeVar("T")


class SqliteConversations:
    """See `core.contracts.Conversations`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, response: StoredResponse) -> None:
        """Keep a response; it is on disk when this returns. Raises Overloaded where the store is down."""
        is_small = size_of(response) <= PACK_FROM_BYTES
        packed = pack(response) if is_small else await asyncio.to_thread(pack, response)
        first, *others = _loads(packed)
        number: int = await self._writer.submit(
            partial(_begin, response, packed.content_bytes, first, is_whole=not others)
        )
        for position, parts in enumerate(others, start=1):
            expires_at = response.expires_at if position == len(others) else None
            await self._writer.submit(partial(_go_on, number, parts, expires_at))

    async def get(self, response_id: str, owner: Owner, at_s: float) -> StoredResponse | None:
        """Return a response."""
        if not stored.is_id(response_id):
            return None

        def ask(connection: apsw.Connection) -> StoredResponse | None:
            row: Row | None = connection.execute(
                stored.GET, {"id": response_id, **stored.names_of(owner, at_s)}
            ).fetchone()
            if row is None:
                return None
            number, created_at, expires_at, previous_id = row
            content = unpack_content(_parts(connection, number, "content"))
            return StoredResponse(
                id=response_id,
                owner=owner,
                created_at=created_at,
                expires_at=expires_at,
                previous_id=previous_id,
                body=content.body,
                input=content.input,
                output=content.output,
                frames=unpack(_parts(connection, number, "frames")),
            )

        return await self._ask(ask)

    async def history(self, response_id: str, owner: Owner, at_s: float) -> tuple[StoredItem, ...] | None:
        """Return every item up to the end of a response, oldest first; `None` where any of it is missing.

        Raises TooLarge for more than 1,000 responses or 64 MB.
        """
        if not stored.is_id(response_id):
            return None
        names = {"id": response_id, "most": stored.HISTORY_RESPONSES_MAX, **stored.names_of(owner, at_s)}

        def ask(connection: apsw.Connection) -> tuple[StoredItem, ...] | None:
            chain: list[Row] = connection.execute(stored.CHAIN, names).fetchall()
            if not stored.check_chain(chain):
                return None
            contents = [unpack_content(_parts(connection, row[0], "content")) for row in reversed(chain)]
            return tuple(item for content in contents for item in (*content.input, *content.output))

        return await self._ask(ask)

    async def items(self, item_ids: tuple[str, ...], owner: Owner, at_s: float) -> dict[str, StoredItem]:
        """Return those of these items that are there, by id; of several with one id the newest.

        Raises TooLarge where they lie in responses of more than 64 MB.
        """
        wanted = [item_id for item_id in item_ids if stored.is_id(item_id)]
        if not wanted:
            return {}
        names = {"ids": msgspec.json.encode(wanted).decode(), **stored.names_of(owner, at_s)}

        def ask(connection: apsw.Connection) -> dict[str, StoredItem]:
            rows: list[Row] = connection.execute(_HOLDERS, names).fetchall()
            holders: dict[int, set[str]] = {}
            for item_id, number, _ in rows:
                holders.setdefault(number, set()).add(item_id)
            stored.check_size({number: size for _, number, size in rows}.values())
            found: dict[str, StoredItem] = {}
            for number, ids in holders.items():
                content = unpack_content(_parts(connection, number, "content"))
                found |= {item.id: item for item in (*content.input, *content.output) if item.id in ids}
            return found

        return await self._ask(ask)

    async def delete(self, response_id: str, owner: Owner, at_s: float) -> bool:
        """Forget a response with its items; says whether it was there."""
        if not stored.is_id(response_id):
            return False
        names = {"id": response_id, **stored.names_of(owner, at_s)}
        is_gone: bool = await self._writer.submit(partial(_delete_one, names))
        return is_gone

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together; returns how many responses.

        In small batches: what is kept meanwhile may stay.
        """
        statement, names = stored.what_belongs_to(key_id, end_user)
        total = 0
        while count := await self._writer.submit(partial(_delete_some, statement, names)):
            total += count
        return total

    async def trim(self, at_s: float, *, at_most: int) -> int:
        """Delete a batch of what has expired by a moment; returns how many went, 0 where nothing is left."""
        count: int = await self._writer.submit(
            partial(_delete_some, stored.EXPIRED, {"at_s": at_s, "most": at_most})
        )
        return count

    async def _ask(self, question: Callable[[apsw.Connection], T]) -> T:
        """Read one moment of the file, once everything that was handed over before is on disk."""
        await self._writer.submit(_nothing)
        return await self._reader.run(partial(_at_one_moment, question))


def _at_one_moment(question: Callable[[apsw.Connection], T], connection: apsw.Connection) -> T:
    """Ask several things of the file as it is now: what is found cannot be deleted meanwhile."""
    connection.execute("BEGIN")
    try:
        return question(connection)
    finally:
        connection.execute("ROLLBACK")


def _parts(connection: apsw.Connection, number: int, kind: str) -> Iterator[bytes]:
    return (data for (data,) in connection.execute(_PARTS, (number, kind)))


def _loads(packed: Packed) -> list[list[Part]]:
    """Divide parts into commits of about `PART_BYTES` each."""
    loads: list[list[Part]] = [[]]
    size = 0
    for part in packed.parts:
        if size and size + len(part.data) > PART_BYTES:
            loads.append([])
            size = 0
        loads[-1].append(part)
        size += len(part.data)
    return loads


def _nothing(batch: LedgerBatch) -> None:
    """Change nothing."""


def _begin(
    response: StoredResponse, content_bytes: int, parts: list[Part], batch: LedgerBatch, *, is_whole: bool
) -> int:
    cursor, owner = batch.cursor, response.owner
    keys = (owner.key_id, owner.end_user)
    row: Row | None = (
        cursor.execute(stored.FIND_OWNER, keys).fetchone() or cursor.execute(_ADD_OWNER, keys).fetchone()
    )
    assert row is not None
    owner_number: int = row[0]
    cursor.execute(stored.REPLACE, (owner_number, response.id))
    expires_at = response.expires_at if is_whole else response.created_at + UNFINISHED_KEEP_S
    fields = (
        owner_number,
        response.id,
        response.previous_id,
        response.created_at,
        expires_at,
        content_bytes,
        int(is_whole),
    )
    row = cursor.execute(stored.ADD, fields).fetchone()
    assert row is not None
    number: int = row[0]
    _ADD_ITEMS.run(cursor, [(owner_number, item_id, number) for item_id in stored.item_ids_of(response)])
    _add_parts(number, parts, batch)
    return number


def _go_on(number: int, parts: list[Part], expires_at: float | None, batch: LedgerBatch) -> None:
    if batch.cursor.execute(_IS_THERE, (number,)).fetchone() is None:
        raise StoreDown("a response was deleted while it was written")
    _add_parts(number, parts, batch)
    if expires_at is not None:
        batch.cursor.execute(_FINISH, (expires_at, number))


def _add_parts(number: int, parts: list[Part], batch: LedgerBatch) -> None:
    _ADD_PARTS.run(batch.cursor, [(number, part.kind, part.place, part.data) for part in parts])


def _delete_one(names: Names, batch: LedgerBatch) -> bool:
    row: Row | None = batch.cursor.execute(stored.GET, names).fetchone()
    if row is None:
        return False
    _delete([row[0]], batch)
    return True


def _delete_some(statement: str, names: Names, batch: LedgerBatch) -> int:
    numbers = stored.batch_of(batch.cursor.execute(statement, names).fetchall())
    _delete(numbers, batch)
    return len(numbers)


def _delete(numbers: list[int], batch: LedgerBatch) -> None:
    if not numbers:
        return
    owners: list[Row] = batch.cursor.execute(_DELETE, (msgspec.json.encode(numbers).decode(),)).fetchall()
    batch.cursor.execute(_DROP_OWNERS, (msgspec.json.encode(sorted({row[0] for row in owners})).decode(),))
