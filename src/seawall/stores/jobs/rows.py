"""How jobs are written down, in the same words for every database. Places of values are written `?`."""

import msgspec
from msgspec.structs import replace

from seawall.core.jobs import ENDED, Job, JobCaller, JobDraft, JobEnding, JobHold, JobKind, JobRules
from seawall.core.state import Owner
from seawall.stores.carriers import ToCarry
from seawall.stores.jobs.lanes import PLACES, Place, Row

_JOBS = """
SELECT id, kind, key_id, end_user, lane, endpoint, model, stream, priority, state, stage, accepted_at, due_at,
       expires_at, started_at, ended_at, run, failures, caller, hold, is_cancelling, notify, status, code,
       why, carrier, is_timed, request_hash
FROM jobs"""

ADD = (
    "INSERT INTO jobs (id, kind, key_id, end_user, lane, endpoint, model, stream, priority, state, stage,"
    " accepted_at, due_at, expires_at, run, failures, caller, hold, hold_day, is_cancelling, notify, status,"
    " is_timed, carrier, frames, request_hash, idempotency_key, delivery)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, 0, 0, ?, ?, ?, 0, ?, 0, ?, ?, 0, ?, ?, ?)"
)
ADD_BODY = "INSERT INTO job_bodies (job, part, data) VALUES (?, ?, ?)"
DROP_BODY = "DELETE FROM job_bodies WHERE job = ? AND part = ?"
BY_ID = f"{_JOBS} WHERE id = ?"
BODIES = "SELECT part, data FROM job_bodies WHERE job = ?"
BY_KEY = f"{_JOBS} WHERE key_id = ? AND end_user = ? AND endpoint = ? AND idempotency_key = ?"
BY_DELIVERY = f"{_JOBS} WHERE delivery = ?"
NEXT = (
    "SELECT id, kind, priority FROM jobs WHERE lane = ? AND state = 'waiting' AND is_timed = 0"
    " ORDER BY priority DESC, accepted_at, id LIMIT ?"
)
DUE = "SELECT id, lane FROM jobs WHERE is_timed = 1 AND due_at <= ? ORDER BY due_at LIMIT ?"
IS_DUE = "UPDATE jobs SET is_timed = 0 WHERE id = ?"
HAND = "UPDATE jobs SET state = 'handed', carrier = ? WHERE id = ?"
BEGIN = (
    "UPDATE jobs SET state = 'running', stage = 'thinking', run = run + 1, started_at = ?, worker = ?,"
    " hold = NULL, hold_day = NULL WHERE id = ?"
)
GO_ON = (
    "UPDATE jobs SET stage = ?, frames = frames + ?"
    " WHERE id = ? AND run = ? AND state = 'running' AND is_cancelling = 0 RETURNING frames"
)
ADD_FRAME = "INSERT INTO job_frames (job, number, data) VALUES (?, ?, ?)"
END_RUN = (
    "UPDATE jobs SET state = ?, stage = 'done', status = ?, code = ?, why = ?, ended_at = ?, expires_at = ?,"
    " carrier = NULL, worker = NULL WHERE id = ? AND run = ? AND state = 'running'"
    " RETURNING lane, kind, due_at, started_at"
)
AGAIN = (
    "UPDATE jobs SET state = 'waiting', stage = 'queued', due_at = ?, is_timed = 1, why = ?,"
    " failures = failures + ?, carrier = NULL, worker = NULL"
    " WHERE id = ? AND run = ? AND state = 'running' AND is_cancelling = 0 RETURNING lane"
)
PUT_BACK = (
    "UPDATE jobs SET state = 'waiting', stage = 'queued', failures = ?, carrier = NULL, worker = NULL"
    " WHERE id = ?"
)
END = (
    "UPDATE jobs SET state = ?, stage = 'done', status = ?, code = ?, why = ?, ended_at = ?, expires_at = ?,"
    " is_timed = 0, carrier = NULL, worker = NULL, hold = NULL, hold_day = NULL WHERE id = ?"
)
TELL_TO_STOP = "UPDATE jobs SET is_cancelling = 1 WHERE id = ?"
TAKE_UP = (
    "UPDATE jobs SET state = 'waiting', stage = 'queued', accepted_at = ?, due_at = ?, expires_at = ?,"
    " ended_at = NULL, started_at = NULL, failures = 0, frames = 0, is_cancelling = 0, status = 0,"
    " code = NULL, why = NULL WHERE id = ?"
)
CHANGE_HOLD = "UPDATE jobs SET hold = ?, hold_day = ? WHERE id = ?"
TO_RENEW = f"{_JOBS} WHERE hold_day IS NOT NULL AND hold_day < ? ORDER BY hold_day LIMIT ?"

FRAMES = "SELECT number, data FROM job_frames WHERE job = ? AND number > ? ORDER BY number LIMIT ?"
WORKERS = "SELECT DISTINCT worker FROM jobs WHERE state = 'running'"
OF_WORKER = f"{_JOBS} WHERE state = 'running' AND worker = ?"
OF_CARRIER = f"{_JOBS} WHERE carrier IS NOT NULL AND carrier = ?"
# Jobs that should be with the engine and are not there: of another engine, or forgotten by this one.
WITHOUT_CARRIER = (
    "SELECT id, carrier FROM jobs WHERE carrier IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE procrastinate_jobs.id = carrier) LIMIT 100"
)
IS_CARRIED = "SELECT 1 FROM procrastinate_jobs WHERE id = ?"
STILL_COUNT = "SELECT id, run FROM jobs WHERE id IN ({}) AND state = 'running' AND is_cancelling = 0"
HANDED_BEFORE = (
    "SELECT count(*) FROM jobs WHERE carrier IS NOT NULL AND state = 'handed'"
    " AND (priority > ? OR priority = ? AND carrier < ?)"
)
WAITING_BEFORE = (
    "SELECT count(*) FROM jobs WHERE lane = ? AND state = 'waiting' AND is_timed = 0"
    " AND (priority > ? OR priority = ? AND (accepted_at, id) < (?, ?))"
)

HANDED = "SELECT handed FROM job_lanes WHERE lane = ''"

EXPIRED = (
    "SELECT id, frames FROM jobs WHERE ended_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?"
)
ENDED_AFTER = (
    f"{_JOBS} WHERE end_user = ? AND key_id = ? AND ended_at IS NOT NULL AND (ended_at, id) > (?, ?)"
    " ORDER BY ended_at, id LIMIT ?"
)
IS_ENDED = "SELECT frames FROM jobs WHERE id = ? AND ended_at IS NOT NULL"
DROP_FRAMES = "DELETE FROM job_frames WHERE job = ? AND number >= ?"
CUT_FRAMES = "UPDATE jobs SET frames = ? WHERE id = ?"
DROP_BODIES = "DELETE FROM job_bodies WHERE job = ?"
DROP = "DELETE FROM jobs WHERE id = ?"
OF_USER = f"{_JOBS} WHERE end_user = ?"

_encode = msgspec.json.Encoder().encode
_decode_hold = msgspec.json.Decoder(JobHold).decode
_decode_caller = msgspec.json.Decoder(JobCaller).decode

_IS_SHOWN_AS = {
    "queued": "state IN ('waiting', 'handed')",
    "in_progress": "state = 'running'",
    **{state: f"state = '{state}' AND ended_at IS NOT NULL" for state in sorted(ENDED)},
}
"""Where a job is listed under a state as it is shown. States are written out: they choose the index."""


class Standing(msgspec.Struct, frozen=True):
    """A job, the number under which it is with the engine, and where its lane counts it: not at its end."""

    job: Job
    carrier: int | None
    place: Place | None


def new_row(draft: JobDraft, rules: JobRules, hold: JobHold | None, carrier: int | None) -> Row:
    """Write a new job down, for `ADD`; with a carrier it is with the engine already."""
    return (
        draft.id,
        draft.kind,
        draft.owner.key_id,
        draft.owner.end_user,
        draft.lane,
        draft.endpoint,
        draft.model,
        int(draft.stream),
        draft.priority,
        "waiting" if carrier is None else "handed",
        draft.accepted_at,
        draft.due_at,
        kept_until(draft.due_at, rules),
        _encode(draft.caller).decode(),
        None if hold is None else hold_text(hold),
        None if hold is None else hold.day,
        int(draft.notify),
        int(draft.due_at > draft.accepted_at),
        carrier,
        draft.request_hash,
        draft.idempotency_key,
        draft.delivery,
    )


def to_carry(job_id: str, kind: JobKind, priority: int) -> ToCarry:
    """Return a job as the engine takes it."""
    return ToCarry(job_id, "tasks" if kind == "task" else "calls", priority)


def new_job(draft: JobDraft, rules: JobRules, hold: JobHold | None, *, is_handed: bool) -> Job:
    """Return a new job as it stands."""
    return Job(
        id=draft.id,
        kind=draft.kind,
        owner=draft.owner,
        lane=draft.lane,
        endpoint=draft.endpoint,
        model=draft.model,
        stream=draft.stream,
        priority=draft.priority,
        state="handed" if is_handed else "waiting",
        stage="queued",
        accepted_at=draft.accepted_at,
        due_at=draft.due_at,
        expires_at=kept_until(draft.due_at, rules),
        caller=draft.caller,
        hold=hold,
        notify=draft.notify,
        request=draft.request,
    )


def begun(job: Job, now: float, hold: JobHold | None, request: bytes) -> Job:
    """Return a job whose next run begins, with what it needs for that."""
    return replace(
        job, state="running", stage="thinking", run=job.run + 1, started_at=now, hold=hold, request=request
    )


def told_to_stop(job: Job) -> Job:
    """Return a running job that is to be cancelled."""
    return replace(job, is_cancelling=True)


def ended(job: Job, ending: JobEnding, now: float, expires_at: float) -> Job:
    """Return a job at its end."""
    return replace(
        job,
        state=ending.state,
        stage="done",
        status=ending.status,
        code=ending.code,
        why=ending.why,
        ended_at=now,
        expires_at=expires_at,
        hold=None,
    )


def kept_until(due_at: float, rules: JobRules) -> float:
    """Return until when a job is kept if nothing ends it before it is given up."""
    return due_at + rules.give_up_s + rules.keep_s


def hold_text(hold: JobHold) -> str:
    """Write the money of a waiting job down."""
    return _encode(hold).decode()


def job_of(row: Row, bodies: dict[str, bytes] | None = None) -> Job:
    """Read a job back; `bodies` are its request and its answer, where they were read too."""
    job_id, kind, key_id, end_user, lane, endpoint, model, stream, priority, state, stage, *rest = row
    accepted_at, due_at, expires_at, started_at, ended_at, run, failures, caller, hold, *rest = rest
    is_cancelling, notify, status, code, why, *_ = rest
    bodies = bodies or {}
    return Job(
        id=job_id,
        kind=kind,
        owner=Owner(key_id, end_user),
        lane=lane,
        endpoint=endpoint,
        model=model,
        stream=bool(stream),
        priority=priority,
        state=state,
        stage=stage,
        accepted_at=accepted_at,
        due_at=due_at,
        expires_at=expires_at,
        started_at=started_at,
        ended_at=ended_at,
        run=run,
        failures=failures,
        caller=_decode_caller(caller),
        hold=None if hold is None else _decode_hold(hold),
        is_cancelling=bool(is_cancelling),
        notify=bool(notify),
        status=status,
        code=code,
        why=why,
        request=bodies.get("request", b""),
        answer=bodies.get("answer", b""),
    )


def standing_of(row: Row) -> "Standing":
    """Read where a job stands."""
    job, carrier, is_timed = job_of(row), row[25], row[26]
    place = "timed" if is_timed else job.state
    return Standing(job, carrier, place if place in PLACES else None)


def ended_before(state: str | None, before: float) -> tuple[str, Row]:
    """Return the question for jobs that ended before a moment, in one state or in whichever."""
    where = "ended_at IS NOT NULL" if state is None else _IS_SHOWN_AS[state]
    return f"SELECT id FROM jobs WHERE {where} AND ended_at < ?", (before,)  # noqa: S608 - words of our own


def listing(state: str | None, whose: dict[str, str], before: str | None, limit: int) -> tuple[str, Row]:
    """Return the question for a list of jobs, the newest first; `state` is one as it is shown.

    `whose` are columns of the owner with what they have to be.
    """
    wheres = [f"{column} = ?" for column in whose]
    values: list[object] = [*whose.values()]
    if state is not None:
        wheres.append(_IS_SHOWN_AS[state])
    if before is not None:
        wheres.append("id < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    return f"{_JOBS}{where} ORDER BY id DESC LIMIT ?", (*values, limit)
