"""Puts and drops carriers inside of a transaction of the Postgres database."""

from collections.abc import Iterable, Sequence

from seawall.stores.carriers import TASK, ToCarry
from seawall.stores.postgres.batch import PostgresBatch

# By procrastinate's own function; its triggers tell the workers once this is committed.
_PUT = b"""
SELECT unnest(procrastinate_defer_jobs_v1(ARRAY(
    SELECT (queue, %s, priority, id, NULL, jsonb_build_object('job', id), NULL)::procrastinate_job_to_defer_v1
    FROM unnest(%s::text[], %s::integer[], %s::text[]) WITH ORDINALITY AS rows (queue, priority, id, place)
    ORDER BY place
)))"""
# What somebody else has in hand is left to them: who holds the ledger's lock may not wait for a worker.
_DROP = b"""
DELETE FROM procrastinate_jobs
WHERE id IN (SELECT id FROM procrastinate_jobs WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED)"""


def put(batch: PostgresBatch, rows: Sequence[ToCarry]) -> list[int]:
    """Hand jobs to the engine; returns their carriers in the same order.

    Workers hear of it with the commit.
    """
    if not rows:
        return []
    columns = ([row.queue for row in rows], [row.priority for row in rows], [row.job_id for row in rows])
    found = batch.connection.execute(_PUT, (TASK, *columns)).fetchall()
    return sorted(int(number) for (number,) in found)  # They are numbered in the order in which they are put.


def drop(batch: PostgresBatch, carriers: Iterable[int]) -> None:
    """Take carriers away, wherever they are; those that are gone already are none of its business.

    One that is being fetched or finished at this moment stays; whoever has it finds nothing to do.
    """
    batch.connection.execute(_DROP, (list(carriers),))
