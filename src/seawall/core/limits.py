"""The words of rate limits: what admitted a call, what refused it, and how its limits stand."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from seawall.core.policy import Limit


class Mark(Struct):
    """How one limit stands once it has admitted a call.

    `used` counts the call itself. `frees_s` and `empty_s` are the seconds until some of it, and all of it, is
    free again.
    """

    limit: Limit
    used: int
    frees_s: float
    empty_s: float

    @property
    def left(self) -> int:
        """Return how much is left; a limit on tokens may be overdrawn."""
        return max(0, self.limit.count - self.used)


class Admitted(Struct):
    """All limits admit the call; `marks` says how they stand now.

    `taken` is for whoever gives back what the call no longer takes. `is_local` says that limits are shared
    with other gateways, and this one has counted its share by itself: the others cannot be asked.
    """

    marks: Callable[[], list[Mark]]
    taken: list[Any]
    tokens: int
    is_local: bool = False


class Refused(Struct):
    """One limit stands against the call; the one for which it would have to wait the longest.

    `wait_s` is exact: at the end of it the limit admits the call, if nobody comes first. For calls that run
    at once nobody knows; then it is a second. `is_local` as in Admitted; then `limit` is the share.
    """

    limit: Limit
    used: int
    wait_s: float
    marks: Callable[[], list[Mark]]
    is_local: bool = False


class CountersState(Struct, frozen=True):
    """Where limits are counted now: in the `memory` of the only gateway, `shared`, or `local` for a time.

    `fallbacks` is how often this gateway had to count by itself since it started, `gateways` how many share
    the limits.
    """

    home: Literal["memory", "shared", "local"] = "memory"
    fallbacks: int = 0
    gateways: int = 1
