"""What people say of the answers they got."""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

Rating = Literal["up", "down"]
COMMENT_CHARS_MAX = 2_000


class Feedback(Struct, frozen=True):
    """What one person says of one call; `at` in Unix seconds."""

    call_id: str
    at: float
    key_id: str
    end_user: str
    model: str
    rating: Rating
    comment: str | None = None


class Ratings(Struct, frozen=True):
    """How many answers of a model were liked, and how many were not."""

    model: str
    up: int
    down: int


class FeedbackLog(Protocol):
    """One line per call, the newest word counts. Everything raises Overloaded where the store is down."""

    async def put(self, said: Feedback) -> None:
        """Keep what is said of a call; it is on disk when this returns."""

    async def newest(self, *, rating: Rating | None, before: str | None, limit: int) -> list[Feedback]:
        """Return the newest first; `before` is the call to go on from."""

    async def ratings(self, since: float) -> Sequence[Ratings]:
        """Return sums by model since a moment."""

    async def trim(self, before: float, *, at_most: int) -> int:
        """Forget the oldest from before a moment; returns how many."""
