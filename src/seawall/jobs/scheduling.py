"""Makes the tasks of schedules: each when its moment comes, once for all processes.

Invariants:
- The moment is part of the job's name, and the store takes each name once.
- What cannot be made now is made at the next look; of moments that passed meanwhile only the last one.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
from msgspec import Raw

from seawall.core.contracts import Gateway
from seawall.core.jobs import JobAsk, JobDraft, Known, TooMany
from seawall.core.state import Owner
from seawall.core.tasks import TaskRequest, TaskTarget

NOBODY = Owner("")
"""Whose the tasks are that nobody asked for: no key sees them, the operator does."""


class Scheduling:
    """Looks at the schedules of targets; whoever works looks every second or so."""

    def __init__(self, targets: Mapping[str, TaskTarget], gateway: Gateway) -> None:
        self._targets, self._gateway = targets, gateway
        self._made: dict[str, float] = {}

    async def look(self) -> int:
        """Make what is due; returns how many tasks were made here. Raises Overloaded."""
        made = 0
        for target, at in due_of(self._targets.values(), self._made, self._gateway.now()):
            made += await self._make(target, at)
        return made

    async def _make(self, target: TaskTarget, at: float) -> bool:
        assert target.schedule is not None
        gateway, now = self._gateway, self._gateway.now()
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        draft = draft_of(
            gateway.new_id(now),
            target,
            target.schedule.body,
            now=now,
            due_at=now,
            delivery=f"{target.name} {moment}",
        )
        answer = await gateway.jobs.accept(JobAsk(draft), gateway.job_rules)
        if isinstance(answer, TooMany):
            return False  # At the next look, there may be room.
        self._made[target.name] = at
        return not isinstance(answer, Known)


def due_of(
    targets: Iterable[TaskTarget], made: Mapping[str, float], now: float
) -> Iterable[tuple[TaskTarget, float]]:
    """Return which schedules are due, each with its moment; `made` holds the last moments that are done."""
    for target in targets:
        at = None if target.schedule is None else target.schedule.due(now)
        if at is not None and at > made.get(target.name, float("-inf")):
            yield target, at


def draft_of(
    call_id: str, target: TaskTarget, body: bytes, *, now: float, due_at: float, delivery: str | None = None
) -> JobDraft:
    """Write a task that no key has asked for; `delivery` names the moment of a schedule."""
    request = msgspec.json.encode(TaskRequest(Raw(body), due_at))
    return JobDraft(
        id=f"job_{call_id.removeprefix('call_')}",
        kind="task",
        owner=NOBODY,
        lane=f"{NOBODY.key_id}/ {target.name}",
        endpoint=target.name,
        request=request,
        accepted_at=now,
        due_at=due_at,
        request_hash=sha256(request).digest(),
        delivery=delivery,
    )
