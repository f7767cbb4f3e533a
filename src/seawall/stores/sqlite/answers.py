"""The file of the cache of answers: `answers.db`, apart from the ledger, bounded, and free to be deleted.

Invariants:
- One thread works on the file, in the order in which things were handed to it; nobody waits for writes.
- Answers are gathered and written together, before anything else is done with the file: many at once, or
  when the gateway next asks whether the file was cleared, which it does every half second.
- Rows are only ever added at the end and dropped from the beginning: an index by key would be written all
  over for every answer. Which keys there are, and where, is known in memory; a row is read only if it still
  has the key that was asked for, whatever another process has done to the file.
- A damaged file is set aside and begun anew. After any other trouble the file is left alone until the next
  start.
- Durability is not asked of it: after a power cut some answers are made again.
"""

import asyncio
import logging
import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from seawall.core.answers import KeptAnswer
from seawall.stores.sqlite.batch import Insert

log = logging.getLogger("seawall.cache")

T = TypeVar("T")

FILE = "answers.db"
VERSION = 2
"""Of the schema and of what is kept; a file of another version is begun anew."""
TRIM_TO = 0.9
WAITING_MAX = 1_000
BUSY_TIMEOUT_MS = 1_000
GATHER = 128
"""So many answers are handed to the thread at once."""
PLAIN_BYTES_MAX = 2_048
"""Up to here an answer lies in the file as it is: to set up a compression costs more than it saves."""
_ZLIB = b"\x78"
"""How compressed answers begin (RFC 1950); plain ones, maps of msgpack, begin with 0x80 or more."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY, key BLOB NOT NULL, user BLOB NOT NULL, made_at REAL NOT NULL,
    bytes INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS generation (number INTEGER NOT NULL) STRICT;
INSERT INTO generation SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM generation);
"""
_READ = "SELECT data FROM answers WHERE number = ? AND key = ?"
_WRITE = Insert("INSERT INTO answers (key, user, made_at, bytes, data) VALUES", 5)
_DROP = "DELETE FROM answers WHERE number = ? AND key = ?"
_DROP_OLDEST = "DELETE FROM answers WHERE number <= ?"
_DROP_OF_USER = "DELETE FROM answers WHERE user = ? RETURNING number, key, bytes"
_PLACES = "SELECT number, key, bytes FROM answers ORDER BY number"
_GENERATION = "SELECT number FROM generation"
_NEXT_GENERATION = "UPDATE generation SET number = number + 1"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptAnswer).decode


class _Place(msgspec.Struct, frozen=True):
    """Where the newest answer under a key is in the file, and how large."""

    number: int
    bytes: int


class SqliteAnswers:
    """See `stores.memory.answers.AnswerFile`."""

    def __init__(self, folder: Path, *, bytes_max: int) -> None:
        self._path = folder / FILE
        self._bytes_max = bytes_max
        self._places: dict[bytes, _Place] = {}
        self._bytes = 0
        self._waiting: deque[tuple[bytes, KeptAnswer]] = deque()
        self._gathered = 0
        self._is_usable = True
        self._connection: apsw.Connection | None = None
        self._generation = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seawall-answers")
        self._thread.submit(self._guarded, self._open)

    def holds(self, key: bytes) -> bool:
        """Say whether a key is in the file."""
        return key in self._places

    async def read(self, key: bytes) -> KeptAnswer | None:
        """Return what is kept under a key."""
        return await self._ask(lambda c: self._read(c, key))

    def write(self, key: bytes, answer: KeptAnswer) -> None:
        """Take an answer, to be written soon; where too many wait it is left out."""
        if not self._is_usable or len(self._waiting) >= WAITING_MAX:
            return
        self._waiting.append((key, answer))
        self._gathered += 1
        if self._gathered >= GATHER:
            self._gathered = 0
            self._thread.submit(self._guarded, self._write_waiting)

    async def clear(self) -> int:
        """Forget everything; returns how many answers."""
        return await self._ask(self._clear) or 0

    async def forget_user(self, user: bytes) -> int:
        """Forget what was made for an end user."""
        return await self._ask(lambda c: self._forget(c, user)) or 0

    def measure(self) -> tuple[int, int]:
        """Return how many answers it holds, and in how many bytes."""
        return len(self._places), self._bytes

    async def was_cleared(self) -> bool:
        """Say whether another process has cleared the file since this was asked last."""
        return bool(await self._ask(self._look))

    def close(self) -> None:
        """Write what waits and close the file."""
        self._thread.submit(self._guarded, self._close)
        self._thread.shutdown(wait=True)

    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[apsw.Connection], T]) -> T | None:
        """Do something in the thread; trouble with the file ends its use and nothing else."""
        if not self._is_usable:
            return None
        try:
            if self._connection is None:
                self._connection = self._connect()
            self._write_waiting(self._connection)
            return work(self._connection)
        except (apsw.Error, OSError, msgspec.DecodeError, zlib.error) as error:
            self._is_usable = False
            self._places = {}
            why = {"fields": {"why": type(error).__name__}}
            log.error("the file of the cache cannot be used; answers are kept in memory alone", extra=why)
            return None

    def _connect(self) -> apsw.Connection:
        try:
            return self._open_file()
        except (apsw.NotADBError, apsw.CorruptError, apsw.SQLError):
            log.warning("the file of the cache was damaged; it is set aside and begun anew")
            self._path.replace(self._path.with_suffix(".damaged"))
            return self._open_file()

    def _open_file(self) -> apsw.Connection:
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _use_wal(connection)
        connection.pragma("synchronous", 1)  # NORMAL: what is lost in a power cut is made again.
        connection.execute("BEGIN IMMEDIATE")
        if connection.pragma("user_version") not in (0, VERSION):
            connection.execute("DROP TABLE answers")
        connection.execute(_SCHEMA)
        connection.pragma("user_version", VERSION)
        connection.execute("COMMIT")
        return connection

    def _open(self, connection: apsw.Connection) -> None:
        self._find_places(connection)
        self._look(connection)

    def _find_places(self, connection: apsw.Connection) -> None:
        self._places, self._bytes = {}, 0
        for number, key, size in connection.execute(_PLACES):
            assert isinstance(number, int) and isinstance(key, bytes) and isinstance(size, int)
            self._places[key] = _Place(number, size)
            self._bytes += size

    def _look(self, connection: apsw.Connection) -> bool:
        row = connection.execute(_GENERATION).fetchone()
        assert row is not None
        seen, self._generation = self._generation, int(row[0])
        if seen == self._generation:
            return False
        self._find_places(connection)
        return True

    def _read(self, connection: apsw.Connection, key: bytes) -> KeptAnswer | None:
        place = self._places.get(key)
        row = None if place is None else connection.execute(_READ, (place.number, key)).fetchone()
        return None if row is None else _unpack(row[0])

    def _write_waiting(self, connection: apsw.Connection) -> None:
        """Write the answers that wait; of several under one key the last."""
        waiting: dict[bytes, KeptAnswer] = {}
        while self._waiting:
            key, answer = self._waiting.popleft()
            waiting[key] = answer
        if not waiting:
            return
        rows = []
        for key, answer in waiting.items():
            data = _pack(answer)
            rows.append((key, answer.user, answer.made_at, len(data), data))
        replaced = [(place.number, key) for key in waiting if (place := self._places.get(key))]
        with connection:
            _WRITE.run(connection.cursor(), rows)
            last = connection.last_insert_rowid()
            connection.executemany(_DROP, replaced)
        for _, key in replaced:
            self._bytes -= self._places[key].bytes
        for number, (key, _, _, size, _) in enumerate(rows, last - len(rows) + 1):
            self._places[key] = _Place(number, size)
            self._bytes += size
        if self._bytes > self._bytes_max:
            self._trim(connection)

    def _trim(self, connection: apsw.Connection) -> None:
        """Drop the oldest until there is some room again."""
        gone: list[tuple[int, bytes, int]] = []
        room = self._bytes - int(self._bytes_max * TRIM_TO)
        for number, key, size in connection.execute(_PLACES):
            if room <= 0:
                break
            assert isinstance(number, int) and isinstance(key, bytes) and isinstance(size, int)
            gone.append((number, key, size))
            room -= size
        connection.execute(_DROP_OLDEST, (gone[-1][0],))
        self._note_gone(gone)

    def _note_gone(self, gone: Iterable[tuple[int, bytes, int]]) -> None:
        for number, key, size in gone:
            self._bytes -= size
            place = self._places.get(key)
            if place is not None and place.number == number:
                del self._places[key]

    def _clear(self, connection: apsw.Connection) -> int:
        with connection:
            connection.execute("DELETE FROM answers")
            count = connection.changes()
            connection.execute(_NEXT_GENERATION)
        _wipe(connection)
        self._places, self._bytes = {}, 0
        self._generation += 1
        return count

    def _forget(self, connection: apsw.Connection, user: bytes) -> int:
        with connection:
            rows: list[tuple[Any, ...]] = connection.execute(_DROP_OF_USER, (user,)).fetchall()
            if rows:
                connection.execute(_NEXT_GENERATION)
                self._generation += 1
        if rows:
            _wipe(connection)
        self._note_gone(rows)
        return len(rows)

    def _close(self, connection: apsw.Connection) -> None:
        connection.close()
        self._connection = None
        self._is_usable = False


def _use_wal(connection: apsw.Connection) -> None:
    """Switch to a write-ahead log; SQLite does not wait here for another process that does so as well."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
            return
        except apsw.BusyError:
            if time.monotonic() >= give_up_at:
                raise
            time.sleep(0.01)


def _wipe(connection: apsw.Connection) -> None:
    """Write the file anew: texts that were deleted shall not lie on the disk any longer."""
    connection.execute("VACUUM")
    with suppress(apsw.BusyError):  # Another process reads; its own next checkpoint does it.
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def _pack(answer: KeptAnswer) -> bytes:
    plain = _encode(answer)
    return plain if len(plain) <= PLAIN_BYTES_MAX else zlib.compress(plain, 1)


def _unpack(data: bytes) -> KeptAnswer:
    return _decode(zlib.decompress(data) if data.startswith(_ZLIB) else data)
