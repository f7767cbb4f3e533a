"""What nobody asks for: jobs whose time has come, jobs of dead workers, money of an earlier day, old jobs."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from seawall.core.errors import Conflict
from seawall.core.jobs import JobAsk, JobEnding, JobRules, NewsOf
from seawall.core.ledger import Held
from seawall.stores.jobs import lanes, money, rows
from seawall.stores.jobs.lanes import Row
from seawall.stores.jobs.rows import Standing
from seawall.stores.jobs.transaction import Transaction
from seawall.stores.jobs.transitions import announce, end, fill, find, hand_over, held_by

DUE_A_BATCH = 100
TRIMMED_A_BATCH = 50
FRAMES_A_BATCH = 1_000
"""So many pieces of streams are deleted in one commit at most."""

LOST = "worker_lost"
_WHY = "The worker was lost."


class Lost(Struct, frozen=True):
    """Carriers that gave no sign of life, and jobs whose carrier was not found beside the transaction."""

    stalled: Sequence[int]
    missing: Sequence[tuple[str, int]]


def hand_due(now: float, rules: JobRules, tx: Transaction) -> tuple[int, bool]:
    """Hand over a batch of what waited for its time; returns how many, and whether there is more."""
    due = tx.ask(rows.DUE, (now, DUE_A_BATCH))
    names = {lane for _, lane in due}
    tx.lanes.read(names)
    for job_id, lane in due:
        tx.write(rows.IS_DUE, (job_id,))
        tx.lanes.move(lane, "timed", "waiting")
    return sum(fill(name, rules, tx) for name in sorted(names)), len(due) == DUE_A_BATCH


def recover(lost: Lost, now: float, rules: JobRules, news_of: NewsOf | None, tx: Transaction) -> int:
    """Put back what dead workers, and those of stalled or missing carriers, were at; returns how many."""
    found = {standing.job.id: standing for standing in _lost(lost, tx)}
    carriers = {standing.carrier for standing in found.values() if standing.carrier is not None}
    tx.drop_carriers(sorted(carriers.union(lost.stalled)))  # A job at its end may have left one behind.
    for standing in found.values():
        if standing.place == "running":
            ending = _put_back_run(standing, now, rules, tx)
            if ending is not None and news_of is not None:
                announce(news_of(standing.job, ending), tx)
        else:
            tx.write(rows.PUT_BACK, (standing.job.failures, standing.job.id))
            tx.lanes.move(standing.job.lane, "handed", "waiting")
    for name in sorted({standing.job.lane for standing in found.values()}):
        fill(name, rules, tx)
    return len(found)


def _lost(lost: Lost, tx: Transaction) -> Iterable[Standing]:
    workers = [worker for (worker,) in tx.ask(rows.WORKERS)]
    for worker in sorted(tx.dead(workers)) if workers else ():
        yield from map(rows.standing_of, tx.ask(rows.OF_WORKER, (worker,)))
    for carrier in lost.stalled:
        yield from map(rows.standing_of, tx.ask(rows.OF_CARRIER, (carrier,)))
    for job_id, carrier in lost.missing:
        standing = find(job_id, tx)
        if standing is not None and standing.carrier == carrier and not tx.ask(rows.IS_CARRIED, (carrier,)):
            yield standing


def _put_back_run(standing: Standing, now: float, rules: JobRules, tx: Transaction) -> JobEnding | None:
    """Let a job wait for another run; returns how it ends where there is to be none."""
    job = standing.job
    money.settle_lost(job, tx)
    failures = job.failures + 1
    ending = None
    if job.is_cancelling:
        ending = JobEnding(state="cancelled", status=0)
    elif failures >= rules.runs_max and job.kind == "call":  # Who delivers a task gives it up by its target.
        ending = JobEnding(state="failed", status=500, code=LOST, why=_WHY)
    if ending is not None:
        end(standing, ending, now, rules, tx)
        return ending
    tx.write(rows.PUT_BACK, (failures, job.id))
    tx.lanes.move(job.lane, "running", "waiting")
    return None


def renew(job_id: str, asked: JobAsk, tx: Transaction) -> bool:
    """Move the hold of a job that has not begun to other accounts; where it does not fit it stays."""
    standing = find(job_id, tx)
    if standing is None or standing.place in (None, "running") or asked.ask is None:
        return False
    job = standing.job
    old = None if job.hold is None else money.give_back(job.hold, tx)
    if old is None:
        return False
    granted = money.size(asked.ask, tx)
    if not isinstance(granted, Held):
        money.put_back(old, tx)
        return False
    hold = money.lay(asked, asked.ask, granted, tx)
    tx.write(rows.CHANGE_HOLD, (rows.hold_text(hold), hold.day, job_id))
    tx.lanes.move(job.lane, standing.place, standing.place, held=hold.amount - held_by(job))
    return True


def trim(now: float, tx: Transaction) -> int:
    """Forget what has expired, so much as one small commit takes; lanes without jobs go along."""
    found = tx.ask(rows.EXPIRED, (now, TRIMMED_A_BATCH))
    if not found:
        tx.write(lanes.DROP_EMPTY)
    return _drop_some(found, tx)


def drop_ended(job_ids: Sequence[str], tx: Transaction) -> int:
    """Forget those of these jobs that are at their end, as many as one small commit takes."""
    found = [(job_id, frames) for job_id in job_ids for (frames,) in tx.ask(rows.IS_ENDED, (job_id,))]
    return _drop_some(found, tx)


def _drop_some(found: Sequence[Row], tx: Transaction) -> int:
    count = left = 0
    for job_id, frames in found:
        left += frames
        if left > FRAMES_A_BATCH and count:
            break
        if frames > FRAMES_A_BATCH:  # Its stream goes first, a piece with each commit.
            rest = frames - FRAMES_A_BATCH
            tx.write(rows.DROP_FRAMES, (job_id, rest))
            tx.write(rows.CUT_FRAMES, (rest, job_id))
            return 1
        drop(job_id, tx)
        count += 1
    return count


def drop(job_id: str, tx: Transaction) -> None:
    """Forget a job with all that lies beside it."""
    tx.write(rows.DROP_FRAMES, (job_id, 0))
    tx.write(rows.DROP_BODIES, (job_id,))
    tx.write(rows.DROP, (job_id,))


def erase(user_id: str, tx: Transaction) -> None:
    """Forget all jobs of a user, and give back the money of those that have not begun.

    Raises Conflict while a worker is at one.
    """
    standings = [rows.standing_of(row) for row in tx.ask(rows.OF_USER, (user_id,))]
    if any(standing.place == "running" for standing in standings):
        raise Conflict("A job of this user is running. Try again in a moment.")
    for standing in standings:
        job = standing.job
        if job.hold is not None:
            money.give_back(job.hold, tx)
        if standing.place is not None:
            tx.lanes.move(job.lane, standing.place, None, held=-held_by(job))
        drop(job.id, tx)
    handed = [standing for standing in standings if standing.carrier is not None]
    tx.drop_carriers([standing.carrier for standing in handed if standing.carrier is not None])
    for standing in handed:
        hand_over(standing.job.lane, 1, tx)
