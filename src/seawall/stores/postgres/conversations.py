"""Stored responses and their items on Postgres.

Invariants:
- Every question names its owner in SQL: what is another's is not filtered out afterwards, it is never read.
- A response comes with everything it holds in one transaction, and goes in one.
- Whoever writes or deletes responses takes the row of their owner first: nobody waits in a circle, and no
  owner is forgotten while something is kept for it.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import groupby
from operator import itemgetter

from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.stores import stored
from seawall.stores.packing import PACK_FROM_BYTES, Content, Packed, pack, size_of, unpack, unpack_content
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.statements import form, rows_of, run
from seawall.stores.stored import Names, Row

LARGE_S = 30.0
"""How long it may take to write or read what can be as large as a whole conversation."""
NAME_BYTES_MAX = 1_300
"""Two names of this length still fit into a row of an index."""
_HASHED = "sha256:"

# One response with what it holds, in order.
_GET_WHOLE = """
SELECT created_at, expires_at, previous_id, kind, data
FROM responses JOIN parts ON parts.response = responses.number
WHERE owner = (SELECT number FROM owners WHERE key_id = :key_id AND end_user = :end_user)
  AND id = :id AND is_whole = 1 AND expires_at > :at_s
ORDER BY kind, place"""
# The newest response that holds each of these items.
_HOLDERS = """
SELECT DISTINCT ON (items.id) items.id, responses.number, responses.bytes
FROM items JOIN responses ON responses.number = items.response AND responses.owner = items.owner
WHERE items.owner = (SELECT number FROM owners WHERE key_id = :key_id AND end_user = :end_user)
  AND items.id = ANY(:ids) AND is_whole = 1 AND expires_at > :at_s
ORDER BY items.id, responses.number DESC"""
# What several responses hold, one after the other.
_CONTENTS = b"""
SELECT response, data FROM parts WHERE response = ANY(%s) AND kind = 'content' ORDER BY response, place"""

# Find an owner and keep it from being forgotten; or make it.
_KEEP_OWNER = stored.FIND_OWNER + " FOR KEY SHARE"
_ADD_OWNER = b"INSERT INTO owners (key_id, end_user) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_ADD_ITEMS = b"INSERT INTO items (owner, id, response) SELECT %s, id, %s FROM unnest(%s::text[]) AS new (id)"
_ADD_PARTS = b"INSERT INTO parts (response, kind, place, data) VALUES (%s, %s, %s, %s)"

# Take the owners of some responses, to delete these, and the owners of whom nothing is kept then.
_LOCK_OWNERS = b"""
SELECT number FROM owners WHERE number IN (SELECT owner FROM responses WHERE number = ANY(%s))
ORDER BY number FOR UPDATE"""
_DELETE = b"DELETE FROM responses WHERE number = ANY(%s)"
_DROP_OWNERS = b"""
DELETE FROM owners WHERE number = ANY(%s)
AND NOT EXISTS (SELECT 1 FROM responses WHERE owner = owners.number)"""


class PostgresConversations:
    """See `core.contracts.Conversations`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, response: StoredResponse) -> None:
        """Keep a response; it is on disk when this returns."""
        is_small = size_of(response) <= PACK_FROM_BYTES
        packed = pack(response) if is_small else await asyncio.to_thread(pack, response)

        async def work(connection: Line) -> None:
            async with connection.transaction():
                await _put(connection, response, packed)

        await self._pool.run(work, timeout_s=LARGE_S)

    async def get(self, response_id: str, owner: Owner, at_s: float) -> StoredResponse | None:
        """Return a response."""
        if not stored.is_id(response_id):
            return None
        names = {"id": response_id, **_names_of(owner, at_s)}

        async def work(connection: Line) -> list[Row]:
            return await (await connection.execute(form(_GET_WHOLE), names, binary=True)).fetchall()

        rows = await self._pool.run(work, timeout_s=LARGE_S)
        if not rows:
            return None
        created_at, expires_at, previous_id, *_ = rows[0]
        [content] = await _unpack([[data for *_, kind, data in rows if kind == "content"]])
        packed_frames = [data for *_, kind, data in rows if kind == "frames"]
        is_small = _size(packed_frames) <= PACK_FROM_BYTES
        frames = unpack(packed_frames) if is_small else await asyncio.to_thread(unpack, packed_frames)
        return StoredResponse(
            id=response_id,
            owner=owner,
            created_at=created_at,
            expires_at=expires_at,
            previous_id=previous_id,
            body=content.body,
            input=content.input,
            output=content.output,
            frames=frames,
        )

    async def history(self, response_id: str, owner: Owner, at_s: float) -> tuple[StoredItem, ...] | None:
        """Return every item up to the end of a response, oldest first; `None` where any of it is missing.

        Raises TooLarge for more than 1,000 responses or 64 MB.
        """
        if not stored.is_id(response_id):
            return None
        names = {"id": response_id, "most": stored.HISTORY_RESPONSES_MAX, **_names_of(owner, at_s)}

        async def work(connection: Line) -> tuple[list[int], dict[int, list[bytes]]]:
            async with _one_moment(connection):
                chain = await rows_of(connection, stored.CHAIN, names)
                numbers = [number for number, *_ in reversed(chain)] if stored.check_chain(chain) else []
                return numbers, await _parts_of(connection, numbers)

        numbers, parts = await self._pool.run(work, timeout_s=LARGE_S)
        if not numbers:
            return None
        contents = await _unpack([parts[number] for number in numbers])
        return tuple(item for content in contents for item in (*content.input, *content.output))

    async def items(self, item_ids: tuple[str, ...], owner: Owner, at_s: float) -> dict[str, StoredItem]:
        """Return those of these items that are there, by id; of several with one id the newest.

        Raises TooLarge where they lie in responses of more than 64 MB.
        """
        wanted = [item_id for item_id in item_ids if stored.is_id(item_id)]
        if not wanted:
            return {}
        names = {"ids": wanted, **_names_of(owner, at_s)}

        async def work(connection: Line) -> tuple[dict[int, set[str]], dict[int, list[bytes]]]:
            async with _one_moment(connection):
                rows = await rows_of(connection, _HOLDERS, names)
                stored.check_size({number: size for _, number, size in rows}.values())
                holders: dict[int, set[str]] = {}
                for item_id, number, _ in rows:
                    holders.setdefault(number, set()).add(item_id)
                return holders, await _parts_of(connection, list(holders))

        holders, parts = await self._pool.run(work, timeout_s=LARGE_S)
        contents = await _unpack([parts[number] for number in holders])
        return {
            item.id: item
            for ids, content in zip(holders.values(), contents, strict=True)
            for item in (*content.input, *content.output)
            if item.id in ids
        }

    async def delete(self, response_id: str, owner: Owner, at_s: float) -> bool:
        """Forget a response with its items; says whether it was there."""
        if not stored.is_id(response_id):
            return False
        names = {"id": response_id, **_names_of(owner, at_s)}

        async def work(connection: Line) -> int:
            async with connection.transaction():
                found = await rows_of(connection, stored.GET, names)
                return await _delete(connection, [row[0] for row in found])

        return await self._pool.run(work) == 1

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together; returns how many responses.

        In small batches: what is kept meanwhile may stay.
        """
        statement, names = stored.what_belongs_to(
            None if key_id is None else _known_as(key_id), None if end_user is None else _known_as(end_user)
        )
        total, is_more = 0, True
        while is_more:
            found, deleted = await self._delete_some(statement, names)
            total, is_more = total + deleted, found > 0
        return total

    async def trim(self, at_s: float, *, at_most: int) -> int:
        """Delete a batch of what has expired by a moment; returns how many went, 0 where nothing is left."""
        _, deleted = await self._delete_some(stored.EXPIRED, {"at_s": at_s, "most": at_most})
        return deleted

    async def _delete_some(self, statement: str, names: Names) -> tuple[int, int]:
        """Delete a batch of what is found; returns how many were found, and how many were deleted here."""

        async def work(connection: Line) -> tuple[int, int]:
            async with connection.transaction():
                numbers = stored.batch_of(await rows_of(connection, statement, names))
                return len(numbers), await _delete(connection, numbers)

        return await self._pool.run(work)


@asynccontextmanager
async def _one_moment(connection: Line) -> AsyncIterator[None]:
    """Ask several things of the database as it is now: what is found cannot be deleted meanwhile."""
    async with connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


async def _put(connection: Line, response: StoredResponse, packed: Packed) -> None:
    owner = await _keep_owner(connection, response.owner)
    await run(connection, stored.REPLACE, (owner, response.id))
    fields = (
        owner,
        response.id,
        response.previous_id,
        response.created_at,
        response.expires_at,
        packed.content_bytes,
        1,
    )
    [(number,)] = await rows_of(connection, stored.ADD, fields)
    await connection.execute(_ADD_ITEMS, (owner, number, stored.item_ids_of(response)))
    async with connection.cursor() as cursor:
        parts = [(number, part.kind, part.place, part.data) for part in packed.parts]
        await cursor.executemany(_ADD_PARTS, parts)


async def _keep_owner(connection: Line, owner: Owner) -> int:
    """Return the number of an owner, who stays until the transaction ends."""
    keys = (_known_as(owner.key_id), _known_as(owner.end_user))
    while not (found := await rows_of(connection, _KEEP_OWNER, keys)):
        await connection.execute(_ADD_OWNER, keys)
    return int(found[0][0])


async def _parts_of(connection: Line, numbers: list[int]) -> dict[int, list[bytes]]:
    rows = await (await connection.execute(_CONTENTS, (numbers,), binary=True)).fetchall()
    return {number: [data for _, data in parts] for number, parts in groupby(rows, itemgetter(0))}


async def _delete(connection: Line, numbers: list[int]) -> int:
    """Delete responses inside of a transaction; returns how many were still there."""
    if not numbers:
        return 0
    owners = await (await connection.execute(_LOCK_OWNERS, (numbers,))).fetchall()
    deleted = await connection.execute(_DELETE, (numbers,))
    await connection.execute(_DROP_OWNERS, ([number for (number,) in owners],))
    return deleted.rowcount


async def _unpack(packed: list[list[bytes]]) -> list[Content]:
    """Put contents together again, off the loop where that takes a while."""
    if sum(map(_size, packed)) <= PACK_FROM_BYTES:
        return [unpack_content(parts) for parts in packed]
    return await asyncio.to_thread(lambda: [unpack_content(parts) for parts in packed])


def _size(parts: Iterable[bytes]) -> int:
    return sum(len(part) for part in parts)


def _names_of(owner: Owner, at_s: float) -> Names:
    return stored.names_of(Owner(_known_as(owner.key_id), _known_as(owner.end_user)), at_s)


def _known_as(name: str) -> str:
    """Return under what a name is found: its hash where Postgres can neither hold nor index it as it is."""
    if "\x00" in name or len(name.encode()) > NAME_BYTES_MAX or name.startswith(_HASHED):
        return _HASHED + hashlib.sha256(name.encode()).hexdigest()
    return name
