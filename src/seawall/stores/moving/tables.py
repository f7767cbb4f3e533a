"""Which tables are moved, in which order, and what every home has to be able to do for that."""

from typing import Any, Protocol

from msgspec import Struct

Row = tuple[Any, ...]
"""What lies in one row, in the order of `Table.columns`: texts, numbers, bytes and `None`."""
Key = tuple[Any, ...]


class Table(Struct, frozen=True):
    """A table of the schema: the columns of its key, and the others.

    So many rows as `batch` are moved in one transaction. `is_numbered` says that its first column gives
    numbers that may never be given twice.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...] = ()
    batch: int = 500
    is_numbered: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Return all columns, the key first."""
        return self.key + self.values

    def key_of(self, row: Row) -> Key:
        """Return the key of a row."""
        return row[: len(self.key)]

    def as_names(self, row: Row) -> dict[str, Any]:
        """Return a row by the names of its columns."""
        return dict(zip(self.columns, row, strict=True))


TABLES = (
    Table(
        "keys",
        ("id",),
        (
            "name", "hash", "created_at", "models", "daily", "monthly", "lifetime", "expires_at",
            "revoked_at", "last_used_at", "previous_hash", "previous_until", "kind", "owner", "tier",
            "limits", "trial", "origins", "guard",
        ),
    ),
    Table(
        "users",
        ("id",),
        ("created_at", "tier", "blocked_at", "note", "limits", "quota", "budget", "may_mail"),
    ),
    Table("salt", ("value",)),
    Table("accounts", ("scope", "period"), ("spent", "held", "overage")),
    Table("holds", ("id",), ("process", "amount", "accounts", "row", "counts", "tokens")),
    Table(
        "usage_hourly",
        ("hour", "key_id", "end_user", "model"),
        ("calls", "input", "output", "cached_read", "cached_write", "reasoning", "cost", "overage"),
    ),
    Table(
        "calls",
        ("id",),
        (
            "at_ms", "endpoint", "key_id", "end_user", "model", "provider", "stream", "status", "outcome",
            "code", "took_ms", "first_ms", "usage", "held", "cost", "overage", "listed_cost", "decisions",
            "attempts", "saved", "shape",
        ),
    ),
    Table("traffic_hourly", ("hour",), ("data",)),
    Table("traffic_summed", ("until",)),
    Table("feedback", ("call_id",), ("at", "key_id", "end_user", "model", "rating", "comment")),
    Table("owners", ("number",), ("key_id", "end_user"), is_numbered=True),
    Table(
        "responses",
        ("number",),
        ("owner", "id", "previous_id", "created_at", "expires_at", "bytes", "is_whole"),
        is_numbered=True,
    ),
    Table("parts", ("response", "kind", "place"), ("data",), batch=32),
    Table("items", ("owner", "id", "response")),
    Table(
        "idempotent_answers",
        ("name",),
        ("key_id", "end_user", "request", "call_id", "process", "expires_at", "answer"),
        batch=32,
    ),
    Table("receivers", ("channel",), ("failures", "failing_since", "disabled_at", "why")),
    Table("announced", ("subject",), ("at",)),
    Table(
        "outbox",
        ("id",),
        (
            "event_id", "at", "kind", "channel", "payload", "tries", "next_at", "leased_until", "done_at",
            "given_up_at", "why",
        ),
    ),
    Table(
        "jobs",
        ("id",),
        (
            "kind", "key_id", "end_user", "lane", "endpoint", "model", "stream", "priority", "state", "stage",
            "accepted_at", "due_at", "expires_at", "started_at", "ended_at", "run", "failures", "caller",
            "hold", "hold_day", "is_cancelling", "notify", "status", "code", "why", "is_timed", "carrier",
            "worker", "frames", "request_hash", "idempotency_key", "delivery",
        ),
    ),
    Table("job_bodies", ("job", "part"), ("data",), batch=32),
    Table("job_frames", ("job", "number"), ("data",)),
    Table("job_lanes", ("lane",), ("timed", "waiting", "handed", "running", "held", "took_s")),
    Table("job_sums", ("kind", "state"), ("jobs", "waited_s", "ran_s")),
)  # fmt: skip
"""Parents stand before what refers to them. What is made anew in every home is left out: the readiness check,
what only counts changes, certificates, which a gateway gets again, and what the engine carries: jobs that
were with it are handed to the new one."""
FORGET_CARRIERS = "UPDATE jobs SET carrier = -abs(carrier) WHERE carrier IS NOT NULL"
"""Numbers of another engine are made such as none ever gives: workers find these jobs and hand them over."""


class MoveRefused(Exception):
    """Nothing can be moved like this; `why` says the reason in a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class End(Protocol):
    """One end of a move: a home with the newest schema, which nobody else has open.

    `address` says where it is, without a password. Whatever is written is on disk when a method returns.
    Everything raises MoveRefused where the home cannot be used.
    """

    address: str

    def rows(self, table: Table, after: Key | None, at_most: int) -> list[Row]:
        """Return rows in the order of their keys, from the first after a key on."""

    def count(self, table: Table) -> int:
        """Return how many rows there are."""

    def highest(self, table: Table) -> int:
        """Return the highest number that a numbered table has ever given; 0 for none."""

    def fit(self, row: Row) -> Row:
        """Return a row as this home can keep it."""

    def moved_to(self) -> str | None:
        """Return the address to which everything here was moved before."""

    def mark_moved(self, address: str) -> None:
        """Note that everything here was moved: no gateway opens it any more."""

    def noted(self) -> dict[str, bytes] | None:
        """Return what is noted of a move into this home that has not come to its end."""

    def begin(self, notes: dict[str, bytes]) -> None:
        """Make this home empty and note that a move into it has begun: no gateway opens it meanwhile."""

    def add(self, table: Table, rows: list[Row], note: bytes) -> None:
        """Add rows and note under the name of the table how far it has come, both or neither."""

    def finish(self, highest: dict[str, int]) -> None:
        """End the move into this home; numbers go on above these."""
