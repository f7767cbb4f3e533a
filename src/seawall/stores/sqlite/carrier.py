"""Puts and drops carriers inside of a transaction of the SQLite file."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from seawall.stores.carriers import TASK, ToCarry
from seawall.stores.sqlite.batch import LedgerBatch

_PUT = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args)"
    " SELECT value ->> 0, ?, value ->> 1, value ->> 2, json_object('job', value ->> 2) FROM json_each(?)"
    " RETURNING id"
)
_DROP = "DELETE FROM procrastinate_jobs WHERE id IN (SELECT value FROM json_each(?))"

_encode = msgspec.json.Encoder().encode


def put(batch: LedgerBatch, rows: Sequence[ToCarry]) -> list[int]:
    """Hand jobs to the engine; returns their carriers in the same order.

    A worker of this process hears of it after the commit, those of others within half a second.
    """
    if not rows:
        return []
    values = _encode([(row.queue, row.priority, row.job_id) for row in rows]).decode()
    found: list[tuple[Any, ...]] = batch.cursor.execute(_PUT, (TASK, values)).fetchall()
    batch.rings = True
    return sorted(number for (number,) in found)  # They are numbered in the order in which they are put.


def drop(batch: LedgerBatch, carriers: Iterable[int]) -> None:
    """Take carriers away, wherever they are; those that are gone already are none of its business."""
    batch.cursor.execute(_DROP, (_encode(list(carriers)).decode(),))
