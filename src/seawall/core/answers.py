"""The words of the cache of answers: what is kept, what a caller asks of the cache, what became of it."""

from typing import Literal

from msgspec import Struct

from seawall.core.money import Money, Usage

CacheScope = Literal["auto", "owner", "key", "end_user"]
CacheState = Literal["hit", "follow", "miss", "bypass"]


class KeptAnswer(Struct, frozen=True):
    """An answer as its client got it: `body` is the whole body, or all frames of a stream.

    `wants_usage` says whether a stream had its usage frame. `cost` is what it cost when it was made, and what
    each hit saves. `made_at` in Unix seconds. `user` is the SHA-256 of the end user who got it first.
    """

    dialect: str
    stream: bool
    wants_usage: bool
    body: bytes
    provider: str
    model: str
    usage: Usage
    cost: Money
    made_at: float
    user: bytes = b""


class CacheWish(Struct, frozen=True):
    """What a request says of the cache, in `Cache-Control` (RFC 9111); `max_age_s` is `None` where any
    will do.
    """

    no_store: bool = False
    no_cache: bool = False
    max_age_s: int | None = None
    only_if_cached: bool = False


class CacheNote(Struct, frozen=True):
    """What the cache did for a call: how old the answer is, and what it saved."""

    state: CacheState
    age_s: float = 0.0
    saved: Money = Money(0)


class CacheRules(Struct, frozen=True):
    """What the operator decides about the cache."""

    scope: CacheScope = "auto"
    keep_s: float = 7 * 86_400.0
    tools: bool = False
    answer_bytes_max: int = 256 * 1024
    pace_s: float = 0.0


class CacheStats(Struct, frozen=True):
    """What is in the cache, and how often it was asked since the process started."""

    entries: int
    memory_bytes: int
    disk_bytes: int
    hits: int
    misses: int
