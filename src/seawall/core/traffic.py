"""What is kept of an app's calls for advice: what a request looked like, and sums by hour.

Invariants:
- No text is kept and none can be found out: what is compared is hashed with the secret of the data folder.
- Sums hold no user and no key, so that erasing a person has nothing to do here.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct, field

from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage

WAITS_MS = (
    250, 500, 1_000, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000,
)  # fmt: skip
"""The bounds by which waiting is counted; one count more is for what is longer."""
TOKENS = (50, 100, 200, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000)
"""The bounds by which tokens are counted."""
SMALL_TOKENS = 200
"""A call with less input and output together is a small one."""
LONG_TURNS = 10
"""From so many messages of the user on a conversation is a long one."""


class Shape(Struct, frozen=True, array_like=True, gc=False):
    """What one request looked like. Hashes are 8 bytes; sizes are UTF-8 bytes of texts.

    `exact` is of everything that changes the answer, and of whom it is shared with: calls with the same
    one are one entry of the exact cache. `normal` is that with the last text of the user in small letters,
    without punctuation and with single spaces; it is `exact` where that text is long. `head` is what comes
    before the conversation: system texts and tools. `whole` is the conversation; `before` is the conversation
    as the call before this one sent it: up to the last answer, b"" at its beginning. `turns` counts messages
    of the user, several in a row as one; `history_bytes` is what stands before the last of them, the head
    apart. `wanted_tokens` is the output that the client asked for, 0 where it did not say. `is_cacheable`
    says whether the exact cache would keep such an answer.
    """

    exact: bytes
    normal: bytes
    head: bytes
    head_bytes: int
    whole: bytes
    before: bytes
    whole_bytes: int
    history_bytes: int
    turns: int
    wanted_tokens: int
    is_cacheable: bool


class Asked(Struct, frozen=True, gc=False):
    """One call as a replay sees it; times in Unix milliseconds, `shape` is `None` where none was kept.

    `cost` is what was booked, `listed_cost` what it would have cost where nothing is booked, `saved` what an
    answer from the cache would have cost. `is_hit` says that the cache answered.
    """

    id: str
    at_ms: int
    key_id: str
    end_user: str | None
    model: str
    stream: bool
    outcome: str
    code: str | None
    took_ms: float
    first_ms: float | None
    usage: Usage | None
    cost: Money
    listed_cost: Money
    saved: Money
    is_hit: bool
    shape: Shape | None

    @property
    def worth(self) -> int:
        """Return what the call cost, or would have where nothing is booked; nano-dollars."""
        return self.cost or self.listed_cost


class ModelSums(Struct, omit_defaults=True):
    """The calls of one model in one hour that a provider was asked for. Money in nano-dollars.

    `small` are calls of fewer than `SMALL_TOKENS`, `long` those of conversations from `LONG_TURNS` on,
    `uncapped` those that did not say how much output they want. `inputs` and `outputs` count calls by
    `TOKENS`, one count more for what is longer.
    """

    calls: int = 0
    ok: int = 0
    streamed: int = 0
    input: int = 0
    output: int = 0
    cached_read: int = 0
    cached_write: int = 0
    cost: int = 0
    listed_cost: int = 0
    small: int = 0
    small_input: int = 0
    small_output: int = 0
    small_cost: int = 0
    long: int = 0
    long_input: int = 0
    uncapped: int = 0
    uncapped_output: int = 0
    shaped: int = 0
    whole_bytes: int = 0
    head_bytes: int = 0
    history_bytes: int = 0
    inputs: list[int] = field(default_factory=lambda: [0] * (len(TOKENS) + 1))
    outputs: list[int] = field(default_factory=lambda: [0] * (len(TOKENS) + 1))


class Tries(Struct, omit_defaults=True):
    """How often a provider was tried in one hour, and how often that failed."""

    tries: int = 0
    failed: int = 0


class Hour(Struct, omit_defaults=True):
    """The calls of one hour, counted from 1970; calls without a valid key are in no sum.

    `refused` and `failed` count by the code of the error. `left` are calls whose client went before the
    answer was whole, `left_cost` is what they cost, `left_after` counts them by how long they had waited.
    `first` counts streamed answers by the time to their first token, `took` all others by their whole time,
    both by `WAITS_MS`. `busy_ms` is the time of all calls together, `peak_minute` how many came in the
    fullest minute. `lost` are calls that a stopped gateway left without an answer. `fell_back` were answered
    by another provider than the first one that was tried. `saved` is what hits of the cache would have cost.
    """

    hour: int
    calls: int = 0
    ok: int = 0
    hits: int = 0
    saved: int = 0
    left: int = 0
    left_cost: int = 0
    lost: int = 0
    fell_back: int = 0
    flagged: int = 0
    blocked: int = 0
    background: int = 0
    busy_ms: float = 0.0
    peak_minute: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    first: list[int] = field(default_factory=lambda: [0] * (len(WAITS_MS) + 1))
    took: list[int] = field(default_factory=lambda: [0] * (len(WAITS_MS) + 1))
    left_after: list[int] = field(default_factory=lambda: [0] * (len(WAITS_MS) + 1))
    models: dict[str, ModelSums] = field(default_factory=dict)
    providers: dict[str, Tries] = field(default_factory=dict)


def count_in(counts: list[int], bounds: Sequence[float], value: float) -> None:
    """Count a value under the first bound that it does not exceed."""
    counts[bisect_left(bounds, value)] += 1


class UserUse(Struct, frozen=True):
    """What one end user did in a span; `days` is on how many days they called."""

    user: str
    calls: int
    cost: Money
    days: int


class UserFigures(Struct, frozen=True):
    """End users in a span, as far as calls name them; calls that reached a provider.

    `returning` called on two days or more. `by_day` counts users by UTC day, oldest first. `dearest` are the
    ten who cost most. `unnamed` are calls that name nobody. `first_hour` is that of the first call on record,
    in this span or before it; `None` where there is none.
    """

    users: int
    returning: int
    by_day: tuple[tuple[str, int], ...]
    dearest: tuple[UserUse, ...]
    unnamed: int
    keys: int
    first_hour: int | None


class Traffic(Protocol):
    """What advice reads. Everything raises Overloaded where the store is down."""

    async def rows(self, *, after: str, before: str, at_most: int) -> list[CallRow]:
        """Return calls with ids between two ids, the oldest first: what sums are made of."""

    async def asked(self, *, since_ms: int, until_ms: int, at_most: int) -> list[Asked]:
        """Return the newest calls of a span, the oldest of them first."""

    async def first_open(self) -> str | None:
        """Return the least id of what is still to be settled: an open hold, or a call that waits as a job."""

    async def hours(self, first: int, last: int) -> list[Hour]:
        """Return the sums of hours from `first` on and before `last`, in order; hours without calls lack."""

    async def summed_until(self) -> int:
        """Return the first hour that is not summed up yet; 0 where none is."""

    async def put(self, hours: Sequence[Hour], until: int) -> None:
        """Write sums, and that every hour before `until` is summed up; what is there for an hour goes."""

    async def users(self, first: int, last: int) -> UserFigures:
        """Return who called in some hours, from `first` on and before `last`."""

    async def trim(self, before_hour: int, *, at_most: int) -> int:
        """Forget the oldest sums from before an hour; returns how many."""
