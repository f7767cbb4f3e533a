"""What people say of answers, on Postgres."""

from collections.abc import Sequence

from seawall.core.feedback import Feedback, Rating, Ratings
from seawall.stores import feedback
from seawall.stores.postgres.connection import Line, Pool
from seawall.stores.postgres.retention import take_turn
from seawall.stores.postgres.statements import Values, rows_of, run


class PostgresFeedback:
    """See `core.feedback.FeedbackLog`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, said: Feedback) -> None:
        """Keep what is said of a call."""

        async def work(connection: Line) -> None:
            await run(connection, feedback.PUT, feedback.row_of(said))

        await self._pool.run(work)

    async def newest(self, *, rating: Rating | None, before: str | None, limit: int) -> list[Feedback]:
        """Return the newest first."""
        rows = await self._ask(*feedback.newest(rating, before, limit))
        return [feedback.feedback_of(row) for row in rows]

    async def ratings(self, since: float) -> Sequence[Ratings]:
        """Return sums by model, those with most to say first."""
        return [feedback.ratings_of(row) for row in await self._ask(feedback.RATINGS, (since,))]

    async def trim(self, before: float, *, at_most: int) -> int:
        """Forget the oldest; none where another gateway is at it."""

        async def work(connection: Line) -> int:
            async with connection.transaction():
                if not await take_turn(connection):
                    return 0
                return (await run(connection, feedback.TRIM, (before, at_most))).rowcount

        return await self._pool.run(work)

    async def _ask(self, question: str, values: Values) -> list[feedback.Row]:
        async def work(connection: Line) -> list[feedback.Row]:
            return await rows_of(connection, question, values)

        return await self._pool.run(work)
