"""What people say of answers, in the same words for every database. Places of values are written `?`."""

from typing import Any

from seawall.core.feedback import Feedback, Rating, Ratings

Row = tuple[Any, ...]

_SELECT = "SELECT call_id, at, key_id, end_user, model, rating, comment FROM feedback"
_ORDER = " ORDER BY at DESC, call_id DESC LIMIT ?"
_OLDER = "(at, call_id) < (SELECT at, call_id FROM feedback WHERE call_id = ?)"

PUT = (
    "INSERT INTO feedback (call_id, at, key_id, end_user, model, rating, comment)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (call_id) DO UPDATE SET at = excluded.at, key_id = excluded.key_id,"
    " end_user = excluded.end_user, model = excluded.model, rating = excluded.rating,"
    " comment = excluded.comment"
)
RATINGS = """
SELECT model, CAST(sum(CASE WHEN rating = 'up' THEN 1 ELSE 0 END) AS BIGINT),
       CAST(sum(CASE WHEN rating = 'down' THEN 1 ELSE 0 END) AS BIGINT)
FROM feedback WHERE at >= ? GROUP BY model ORDER BY count(*) DESC, model"""
TRIM = "DELETE FROM feedback WHERE call_id IN (SELECT call_id FROM feedback WHERE at < ? ORDER BY at LIMIT ?)"
FORGET_USER = "DELETE FROM feedback WHERE end_user = ?"


def row_of(feedback: Feedback) -> Row:
    """Return the values of `PUT`."""
    said = feedback
    return (said.call_id, said.at, said.key_id, said.end_user, said.model, said.rating, said.comment)


def newest(rating: Rating | None, before: str | None, limit: int) -> tuple[str, Row]:
    """Return the question for the newest, and its values."""
    stated = [("rating = ?", rating), (_OLDER, before)]
    wanted = [(condition, value) for condition, value in stated if value is not None]
    where = " WHERE " + " AND ".join(condition for condition, _ in wanted) if wanted else ""
    return _SELECT + where + _ORDER, (*(value for _, value in wanted), limit)


def feedback_of(row: Row) -> Feedback:
    """Read one back."""
    return Feedback(*row)


def ratings_of(row: Row) -> Ratings:
    """Read the sums of a model back."""
    return Ratings(*row)
