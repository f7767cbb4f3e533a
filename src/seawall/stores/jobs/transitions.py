"""What becomes of a job, one step at a time: each step is one operation of the writer thread.

Invariants:
- Every step that moves a job says so to its lane.
- Whoever makes room in a lane fills it in the same step: the next is handed to the engine, or none waits.
- A run writes only while its job is at that run.
"""

from collections.abc import Sequence

from seawall.core.events import Channel, Event
from seawall.core.jobs import (
    Accepted,
    Ended,
    Job,
    JobAnswer,
    JobAsk,
    JobDraft,
    JobEnding,
    JobRules,
    Known,
    News,
    Stage,
    TooMany,
)
from seawall.core.ledger import Held
from seawall.stores import deliveries
from seawall.stores.jobs import money, rows
from seawall.stores.jobs.lanes import ALL, Lane, Place
from seawall.stores.jobs.rows import Standing
from seawall.stores.jobs.transaction import Transaction

_ADD_UP = (
    "INSERT INTO job_sums (kind, state, jobs, waited_s, ran_s) VALUES (?, ?, 1, ?, ?)"
    " ON CONFLICT (kind, state) DO UPDATE SET jobs = job_sums.jobs + 1,"
    " waited_s = job_sums.waited_s + excluded.waited_s, ran_s = job_sums.ran_s + excluded.ran_s"
)


def accept(asked: JobAsk, rules: JobRules, tx: Transaction) -> JobAnswer:
    """Accept a job and hold its money, or do neither; see `core.jobs.Jobs`."""
    draft = asked.draft
    assert draft.lane != ALL
    known = _known(draft, tx)
    if known is not None:
        return known
    lane, everything = tx.lanes.of(draft.lane), tx.lanes.of(ALL)
    refusal = _is_too_many(lane, everything, rules)
    if refusal is not None:
        return refusal
    hold = None
    if asked.ask is not None:
        granted = money.size(asked.ask, tx)
        if not isinstance(granted, Held):
            return granted
        refusal = _is_too_dear(granted.amount, lane, everything, rules)
        if refusal is not None:
            return refusal
        hold = money.lay(asked, asked.ask, granted, tx)
    is_timed = draft.due_at > draft.accepted_at
    is_next = not is_timed and lane.room(rules) > 0 and lane.counts["waiting"] == 0
    carriers = tx.put_carriers([rows.to_carry(draft.id, draft.kind, draft.priority)]) if is_next else [None]
    row = rows.new_row(draft, rules, hold, carriers[0])
    tx.write(rows.ADD, row)
    tx.write(rows.ADD_BODY, (draft.id, "request", draft.request))
    place: Place = "handed" if is_next else "timed" if is_timed else "waiting"
    tx.lanes.move(draft.lane, None, place, held=0 if hold is None else hold.amount)
    if not is_timed and not is_next:
        fill(draft.lane, rules, tx)
    return Accepted(rows.new_job(draft, rules, hold, is_handed=is_next))


def _known(draft: JobDraft, tx: Transaction) -> Known | None:
    found = None
    if draft.idempotency_key is not None:
        owner = draft.owner
        values = (owner.key_id, owner.end_user, draft.endpoint, draft.idempotency_key)
        found = tx.ask(rows.BY_KEY, values)
    if not found and draft.delivery is not None:
        found = tx.ask(rows.BY_DELIVERY, (draft.delivery,))
    if not found:
        return None
    return Known(rows.job_of(found[0]), bytes(found[0][-1]) == draft.request_hash)


def _is_too_many(lane: Lane, everything: Lane, rules: JobRules) -> TooMany | None:
    if lane.queued >= rules.waiting_max_per_lane:
        return TooMany(is_lane=True, is_money=False, waiting=lane.queued)
    if everything.queued >= rules.waiting_max:
        return TooMany(is_lane=False, is_money=False, waiting=everything.queued)
    return None


def _is_too_dear(amount: int, lane: Lane, everything: Lane, rules: JobRules) -> TooMany | None:
    if rules.waiting_money_per_lane is not None and lane.held + amount > rules.waiting_money_per_lane:
        return TooMany(is_lane=True, is_money=True, waiting=lane.queued)
    if rules.waiting_money is not None and everything.held + amount > rules.waiting_money:
        return TooMany(is_lane=False, is_money=True, waiting=everything.queued)
    return None


def fill(name: str, rules: JobRules, tx: Transaction) -> int:
    """Hand over those of a lane whose turn it is, as many as there is room for; returns how many."""
    return hand_over(name, tx.lanes.of(name).room(rules), tx)


def hand_over(name: str, at_most: int, tx: Transaction) -> int:
    """Hand over those of a lane whose turn it is; returns how many."""
    count = min(at_most, tx.lanes.of(name).counts["waiting"])
    if not count:
        return 0
    found = tx.ask(rows.NEXT, (name, count))
    carriers = tx.put_carriers([rows.to_carry(*row) for row in found])
    for (job_id, *_), carrier in zip(found, carriers, strict=True):
        tx.write(rows.HAND, (carrier, job_id))
        tx.lanes.move(name, "waiting", "handed")
    return len(found)


def start(job_id: str, carrier: int, now: float, tx: Transaction) -> Job | None:
    """Begin a run, where the job is with the engine under this number."""
    standing = find(job_id, tx)
    if standing is None or standing.place != "handed" or standing.carrier != carrier:
        return None
    job = standing.job
    hold = money.hand_over(job, tx)
    bodies: dict[str, bytes] = dict(tx.ask(rows.BODIES, (job_id,)))
    tx.write(rows.BEGIN, (now, tx.process, job_id))
    tx.lanes.move(job.lane, "handed", "running", held=-held_by(job))
    return rows.begun(job, now, hold, bodies.get("request", b""))


def append(job_id: str, run: int, stage: Stage, frames: Sequence[bytes], tx: Transaction) -> bool:
    """Note how far a run has come, and add to the stream."""
    found = tx.ask(rows.GO_ON, (stage, len(frames), job_id, run))
    if not found:
        return False
    first = found[0][0] - len(frames)
    for number, data in enumerate(frames, start=first):
        tx.write(rows.ADD_FRAME, (job_id, number, data))
    return True


def finish(
    fence: tuple[str, int], ending: JobEnding, now: float, rules: JobRules, news: News | None, tx: Transaction
) -> bool:
    """End a job by the run that is at it, announce it, and hand over the next of its lane."""
    job_id, run = fence
    values = (ending.state, ending.status, ending.code, ending.why, now, now + rules.keep_s)
    found = tx.ask(rows.END_RUN, (*values, job_id, run))
    if not found:
        return False
    lane, kind, due_at, started_at = found[0]
    if ending.answer:
        tx.write(rows.ADD_BODY, (job_id, "answer", ending.answer))
    tx.lanes.move(lane, "running", None)
    if ending.state in ("completed", "incomplete"):
        tx.lanes.note_run(now - started_at)
    _add_up(kind, ending.state, started_at - due_at, now - started_at, tx)
    announce(news, tx)
    fill(lane, rules, tx)
    return True


def again(
    fence: tuple[str, int], due_at: float, why: str, rules: JobRules, is_failure: bool, tx: Transaction
) -> bool:
    """Put a job back to wait for another run."""
    found = tx.ask(rows.AGAIN, (due_at, why, int(is_failure), *fence))
    if not found:
        return False
    [(lane,)] = found
    tx.lanes.move(lane, "running", "timed")
    fill(lane, rules, tx)
    return True


def cancel(job_id: str, now: float, rules: JobRules, news: News | None, tx: Transaction) -> Job | None:
    """Cancel a job that has not begun, and tell a run to stop."""
    standing = find(job_id, tx)
    if standing is None or standing.place is None:
        return None if standing is None else standing.job
    if standing.place == "running":
        tx.write(rows.TELL_TO_STOP, (job_id,))
        return rows.told_to_stop(standing.job)
    if standing.carrier is not None:
        tx.drop_carriers([standing.carrier])
    ended = end(standing, JobEnding(state="cancelled", status=0), now, rules, tx)
    announce(news, tx)
    fill(ended.lane, rules, tx)
    return ended


def end(standing: Standing, ending: JobEnding, now: float, rules: JobRules, tx: Transaction) -> Job:
    """End a job otherwise than by its run; its money is given back where it has not begun."""
    job = standing.job
    if job.hold is not None:
        money.give_back(job.hold, tx)
    kept_until = now + rules.keep_s
    tx.write(rows.END, (ending.state, ending.status, ending.code, ending.why, now, kept_until, job.id))
    tx.lanes.move(job.lane, standing.place, None, held=-held_by(job))
    ran_s = now - job.started_at if standing.place == "running" and job.started_at is not None else 0.0
    _add_up(job.kind, ending.state, max(0.0, now - ran_s - job.due_at), ran_s, tx)
    return rows.ended(job, ending, now, kept_until)


def retry(job_id: str, now: float, rules: JobRules, tx: Transaction) -> Job | None:
    """Take a failed or cancelled job up again; it keeps the number of its last run."""
    standing = find(job_id, tx)
    if standing is None or standing.job.state not in ("failed", "cancelled"):
        return None if standing is None else standing.job
    lane = standing.job.lane
    tx.write(rows.DROP_FRAMES, (job_id, 0))
    tx.write(rows.DROP_BODY, (job_id, "answer"))
    tx.write(rows.TAKE_UP, (now, now, rows.kept_until(now, rules), job_id))
    tx.lanes.move(lane, None, "waiting")
    fill(lane, rules, tx)
    taken_up = find(job_id, tx)
    return None if taken_up is None else taken_up.job


def find(job_id: str, tx: Transaction) -> Standing | None:
    """Return where a job stands, as of this transaction."""
    found = tx.ask(rows.BY_ID, (job_id,))
    return rows.standing_of(found[0]) if found else None


def held_by(job: Job) -> int:
    """Return how much is held for a job that has not begun."""
    return 0 if job.hold is None else job.hold.amount


def _add_up(kind: str, state: Ended, waited_s: float, ran_s: float, tx: Transaction) -> None:
    tx.write(_ADD_UP, (kind, state, waited_s, ran_s))


def announce(news: News | None, tx: Transaction) -> None:
    """Put the news of an end on their way, where anybody is to hear of it."""
    if news is None:
        return
    put(news.event, news.channels, tx)


def put(event: Event, channels: Sequence[Channel], tx: Transaction) -> None:
    """Put an event on its way, where its subject was never announced."""
    if tx.ask(deliveries.ANNOUNCE, (event.subject, event.at)):
        for row in deliveries.rows_of(event, channels):
            tx.write(deliveries.PUT, row)
