"""Does on the SQLite file what procrastinate asks of a database, by the writer thread of this process.

A question is known by its text. Only those of a worker are: whatever else procrastinate can do is not done
here, and says so.
"""

import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import apsw
from procrastinate import sql
from procrastinate.connector import BaseAsyncConnector, Notify

from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.bell import Bell
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer

Row = dict[str, Any]
Said = dict[str, Any]
"""The arguments of a question, as procrastinate names them."""

NEWS = '{"type": "job_inserted", "job_id": 0}'

_COLUMNS = ("id", "status", "task_name", "priority", "lock", "args", "queue_name", "worker_id")
_UNUSED = {"queueing_lock": None, "scheduled_at": None, "attempts": 0}
_JOB = ", ".join(_COLUMNS)
_QUEUED = "status = 'todo' AND queue_name IN (SELECT value FROM json_each(:queues))"
_ANY = f"SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE {_QUEUED})"  # noqa: S608 - texts of our own, as all below
_FETCH = f"""
UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker_id WHERE id = (
    SELECT id FROM procrastinate_jobs AS job WHERE {_QUEUED} AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS other WHERE other.lock = job.lock AND other.status = 'doing'
    ) ORDER BY priority DESC, id LIMIT 1
) RETURNING {_JOB}"""  # noqa: S608
_FINISH = "DELETE FROM procrastinate_jobs WHERE id = :job_id"
_OF_WORKER = f"SELECT {_JOB} FROM procrastinate_jobs WHERE status = :status AND worker_id = :worker_id"  # noqa: S608
_STALLED = f"""
SELECT {_JOB} FROM procrastinate_jobs WHERE status = 'doing' AND (
    worker_id IS NULL OR worker_id IN (SELECT id FROM procrastinate_workers WHERE last_heartbeat < :before)
)"""  # noqa: S608
_REGISTER = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (:now) RETURNING id"
_LEAVE = "UPDATE procrastinate_jobs SET worker_id = NULL WHERE status = 'doing' AND worker_id = :worker_id"
_UNREGISTER = "DELETE FROM procrastinate_workers WHERE id = :worker_id"
# One that the others took for dead is there again.
_BEAT = "INSERT OR REPLACE INTO procrastinate_workers (id, last_heartbeat) VALUES (:worker_id, :now)"
_PRUNE = "DELETE FROM procrastinate_workers WHERE last_heartbeat < :before RETURNING id"
_TICK = """
INSERT INTO procrastinate_periodic_defers VALUES (:task_name, :periodic_id, :defer_timestamp)
ON CONFLICT DO UPDATE SET defer_timestamp = excluded.defer_timestamp
WHERE excluded.defer_timestamp > procrastinate_periodic_defers.defer_timestamp"""
# While the last tick's still waits this one's is left out: `queueing_lock` is the lock of a schedule.
_DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)
SELECT :queue, :task_name, :priority, :lock, :args
WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND lock = :queueing_lock)
RETURNING id"""


class SqliteEngineConnector(BaseAsyncConnector):
    """Answers the questions of a worker.

    Raises StoreDown where the file cannot be used.
    """

    def __init__(self, writer: Writer, reader: Reader, bell: Bell) -> None:
        self._writer, self._reader, self._bell = writer, reader, bell
        self._found_last = False

    async def open_async(self, pool: object = None) -> None:
        """Do nothing: the file is open."""

    async def close_async(self) -> None:
        """Do nothing: the file stays open for others."""

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Ask something whose answer is not wanted."""
        await self._ask(query, arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> Row:
        """Ask for one row; where there is none its id is `None`, as Postgres answers."""
        rows = await self._ask(query, arguments)
        return rows[0] if rows else {"id": None}

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[Row]:
        """Ask for rows."""
        return await self._ask(query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Tell whenever this process has put something, whatever its queue."""
        event = self._bell.listen()
        try:
            while True:
                await event.wait()
                event.clear()
                for channel in list(channels)[:1]:
                    await on_notification(channel=channel, payload=NEWS)
        finally:
            self._bell.leave(event)

    async def _ask(self, query: str, said: Said) -> list[Row]:
        if query in _QUESTIONS:
            return await self._reader.run(partial(_QUESTIONS[query], said))
        if query not in _CHANGES:
            raise NotImplementedError(f"procrastinate asks what SQLite cannot do for it: {query[:200]}")
        if query == FETCH and not self._found_last and not await self._reader.run(partial(_is_any, said)):
            return []  # An idle worker does not keep others from writing.
        rows: list[Row] = await self._writer.submit(partial(_CHANGES[query], said))
        self._found_last = bool(rows) if query == FETCH else self._found_last
        return rows


def _is_any(said: Said, connection: apsw.Connection) -> bool:
    return connection.execute(_ANY, _queues(said)).fetchall() == [(1,)]


def _fetch(said: Said, batch: LedgerBatch) -> list[Row]:
    return [_job(row) for row in batch.cursor.execute(_FETCH, {**said, **_queues(said)}).fetchall()]


def _finish(said: Said, batch: LedgerBatch) -> list[Row]:
    """Delete what was done; that it is gone already is nothing new where its job was taken over."""
    assert said["delete_job"]
    batch.cursor.execute(_FINISH, said)
    return []


def _register(said: Said, batch: LedgerBatch) -> list[Row]:
    [(number,)] = batch.cursor.execute(_REGISTER, {"now": time.time()}).fetchall()
    return [{"worker_id": number}]


def _unregister(said: Said, batch: LedgerBatch) -> list[Row]:
    batch.cursor.execute(_LEAVE, said)
    batch.cursor.execute(_UNREGISTER, said)
    return []


def _beat(said: Said, batch: LedgerBatch) -> list[Row]:
    batch.cursor.execute(_BEAT, {**said, "now": time.time()})
    return []


def _prune(said: Said, batch: LedgerBatch) -> list[Row]:
    pruned = [number for (number,) in batch.cursor.execute(_PRUNE, _before(said)).fetchall()]
    for number in pruned:
        batch.cursor.execute(_LEAVE, {"worker_id": number})
    return [{"worker_id": number} for number in pruned]


def _defer(said: Said, batch: LedgerBatch) -> list[Row]:
    batch.cursor.execute(_TICK, said)
    if not batch.changes():
        return []
    found = batch.cursor.execute(_DEFER, {**said, "args": json.dumps(said["args"])}).fetchall()
    batch.rings = bool(found)
    return [{"id": number} for (number,) in found]


def _stalled(said: Said, connection: apsw.Connection) -> list[Row]:
    return [_job(row) for row in connection.execute(_STALLED, _before(said))]


def _of_worker(said: Said, connection: apsw.Connection) -> list[Row]:
    return [_job(row) for row in connection.execute(_OF_WORKER, said)]


def _job(row: tuple[Any, ...]) -> Row:
    job = dict(zip(_COLUMNS, row, strict=True)) | _UNUSED
    return job | {"args": json.loads(job["args"])}


def _queues(said: Said) -> Said:
    return {"queues": json.dumps(list(said["queues"]))}


def _before(said: Said) -> Said:
    return {"before": time.time() - said["seconds_since_heartbeat"]}


FETCH = sql.queries["fetch_job"]
_QUESTIONS: dict[str, Callable[[Said, apsw.Connection], list[Row]]] = {
    sql.queries["select_stalled_jobs_by_heartbeat"]: _stalled,
    sql.queries["list_jobs"]: _of_worker,
}
_CHANGES: dict[str, Callable[[Said, LedgerBatch], list[Row]]] = {
    FETCH: _fetch,
    sql.queries["finish_job"]: _finish,
    sql.queries["register_worker"]: _register,
    sql.queries["unregister_worker"]: _unregister,
    sql.queries["update_heartbeat"]: _beat,
    sql.queries["prune_stalled_workers"]: _prune,
    sql.queries["defer_periodic_job"]: _defer,
}
