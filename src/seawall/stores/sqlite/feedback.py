"""What people say of answers, on SQLite."""

from collections.abc import Sequence
from functools import partial

import apsw

from seawall.core.feedback import Feedback, Rating, Ratings
from seawall.stores import feedback
from seawall.stores.sqlite.batch import LedgerBatch
from seawall.stores.sqlite.reader import Reader
from seawall.stores.writer import Writer


class SqliteFeedback:
    """See `core.feedback.FeedbackLog`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer, self._reader = writer, reader

    async def put(self, said: Feedback) -> None:
        """Keep what is said of a call."""
        await self._writer.submit(partial(_put, feedback.row_of(said)))

    async def newest(self, *, rating: Rating | None, before: str | None, limit: int) -> list[Feedback]:
        """Return the newest first."""
        question, values = feedback.newest(rating, before, limit)

        def ask(connection: apsw.Connection) -> list[Feedback]:
            return [feedback.feedback_of(row) for row in connection.execute(question, values)]

        return await self._reader.run(ask)

    async def ratings(self, since: float) -> Sequence[Ratings]:
        """Return sums by model, those with most to say first."""

        def ask(connection: apsw.Connection) -> list[Ratings]:
            return [feedback.ratings_of(row) for row in connection.execute(feedback.RATINGS, (since,))]

        return await self._reader.run(ask)

    async def trim(self, before: float, *, at_most: int) -> int:
        """Forget the oldest."""
        count: int = await self._writer.submit(partial(_trim, before, at_most))
        return count


def _put(row: feedback.Row, batch: LedgerBatch) -> None:
    batch.cursor.execute(feedback.PUT, row)


def _trim(before: float, at_most: int, batch: LedgerBatch) -> int:
    batch.cursor.execute(feedback.TRIM, (before, at_most))
    return batch.changes()
