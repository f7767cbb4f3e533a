"""Answers that were paid for and reached nobody: a background job would have kept them."""

from statistics import median

from msgspec import Struct

from seawall.advice.amounts import counted, dollars
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import Money

ERROR = "Exact for what was billed; a person who leaves on purpose does not come back for the answer."

_LOST = "FROM calls WHERE outcome IN ('left', 'crashed') AND cost + listed_cost > 0"


class QueueReplay(Struct, frozen=True):
    """Answers that a background job would have kept; `cost` was paid for them.

    `left` are those whose client went before the end, `streamed` of them while they read along, `crashed`
    those that a stopped gateway left. `users` is how many end users they concern, as far as calls name them.
    `waited_ms` is how long the clients had waited at the median, `None` where none left.
    """

    calls: int
    left: int
    streamed: int
    crashed: int
    cost: Money
    users: int
    waited_ms: float | None

    @property
    def lost(self) -> int:
        """Return how many answers were lost."""
        return self.left + self.crashed

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        query = f"SELECT count(*), count(DISTINCT end_user), sum(cost) {_LOST}"
        told = Replayed(
            title="Background jobs",
            calls=self.calls,
            days=recorded.days,
            figures=(
                Figure(
                    f"{counted(self.lost, 'answer')} of {counted(self.users, 'user')} lost that a job"
                    f" would have kept, {dollars(self.cost)} paid for them",
                    query,
                    self.lost,
                ),
                *self._leaving(),
            )
            if self.lost
            else (Figure("no answer lost that a job would have kept", query, 0),),
            assumptions=recorded.assumed(
                "A job goes on when its client leaves, and begins again after a crash.",
                "An answer is lost where the provider billed it and the client was gone.",
            ),
            error=ERROR,
        )
        return Replay(told, touched=self.lost, saved=self.cost, users=self.users)

    def _leaving(self) -> tuple[Figure, ...]:
        if self.waited_ms is None:
            return ()
        text = f"{counted(self.left, 'client')} left after {self.waited_ms / 1_000:.1f} seconds"
        text = f"{text} at the median, {self.streamed:,} in the middle of a stream"
        query = f"SELECT stream, count(*), avg(took_ms) {_LOST} AND outcome = 'left' GROUP BY stream"
        return (Figure(text, query, self.left),)


def replay_queue(recorded: Recorded) -> QueueReplay | None:
    """Count the answers that were lost; `None` where there were no calls."""
    calls = recorded.counted
    if not calls:
        return None
    lost = [call for call in calls if call.outcome in ("left", "crashed") and call.worth]
    left = [call for call in lost if call.outcome == "left"]
    return QueueReplay(
        calls=len(calls),
        left=len(left),
        streamed=sum(call.stream for call in left),
        crashed=len(lost) - len(left),
        cost=Money(sum(call.worth for call in lost)),
        users=len({call.end_user for call in lost if call.end_user is not None}),
        waited_ms=median(call.took_ms for call in left) if left else None,
    )
