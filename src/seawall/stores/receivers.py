"""How the webhooks of apps do, in the same words for every database. Places of values are written `?`."""

from typing import Any

from seawall.core.events import APP_KEPT_S
from seawall.core.receivers import FAILING_S, FAILURES_MAX, ReceiverFailure, ReceiverState

Row = tuple[Any, ...]

FAIL = (
    "INSERT INTO receivers (channel, failures, failing_since, why) VALUES (?, 1, ?, ?)"
    " ON CONFLICT (channel) DO UPDATE SET failures = receivers.failures + 1, why = excluded.why"
)
DISABLE = (
    "UPDATE receivers SET disabled_at = ? WHERE channel = ? AND disabled_at IS NULL"
    " AND (? = 1 OR failures >= ? AND failing_since <= ?) RETURNING channel"
)
# What waits is due again when it has to be given up.
PARK = (
    f"UPDATE outbox SET next_at = at + {APP_KEPT_S} WHERE channel = ?"  # noqa: S608 - a number of ours
    " AND done_at IS NULL AND given_up_at IS NULL"
)
ENABLE = "DELETE FROM receivers WHERE channel = ? AND disabled_at IS NOT NULL RETURNING channel"
DUE_NOW = "UPDATE outbox SET next_at = ? WHERE channel = ? AND done_at IS NULL AND given_up_at IS NULL"
FAILING = "SELECT channel, failures, failing_since, disabled_at, why FROM receivers ORDER BY channel"
WORKED = (
    "DELETE FROM receivers WHERE disabled_at IS NULL AND channel = (SELECT channel FROM outbox WHERE id = ?)"
)


def row_of(failure: ReceiverFailure) -> Row:
    """Return the values of `FAIL`."""
    return (failure.channel, failure.at, failure.why)


def limits_of(failure: ReceiverFailure) -> Row:
    """Return the values of `DISABLE`."""
    at = failure.at
    return (at, failure.channel, int(failure.is_gone), FAILURES_MAX, at - FAILING_S)


def state_of(row: Row) -> ReceiverState:
    """Read one back."""
    return ReceiverState(*row)
