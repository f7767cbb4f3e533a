"""How the rate limits stand, in headers: OpenAI's, Anthropic's and the IETF's words.

References: OpenAI, "Rate limits in headers"; Anthropic, "Rate limits, response headers";
draft-ietf-httpapi-ratelimit-headers-10 (`RateLimit-Policy`, `RateLimit`); all read 2026-11. Only limits of
the caller's own scopes are told: what the whole gateway may do is nobody's business.
"""

import math
from datetime import UTC, datetime
from functools import lru_cache

from seawall.core.limits import Mark
from seawall.core.policy import Limit

Headers = list[tuple[bytes, bytes]]

_UNITS = {"requests": "", "tokens": ';qu="tokens"', "at_once": ';qu="concurrent-requests"'}
LIMITS_REMEMBERED = 10_000


def rate_headers(marks: list[Mark], now_s: float, *, is_anthropic: bool) -> Headers:
    """Return the headers of an answer; `now_s` in Unix seconds."""
    own = [mark for mark in marks if mark.limit.scope.kind != "global"]
    if not own:
        return []
    headers: Headers = [
        (b"ratelimit-policy", _policies(*[mark.limit for mark in own])),
        (b"ratelimit", ", ".join([_state(mark) for mark in own]).encode()),
    ]
    for unit in ("requests", "tokens"):
        of_unit = [mark for mark in own if mark.limit.unit == unit]
        if of_unit:
            tightest = min(of_unit, key=lambda mark: mark.left / mark.limit.count)
            headers += (_anthropic if is_anthropic else _openai)(unit, tightest, now_s)
    return headers


@lru_cache(maxsize=LIMITS_REMEMBERED)
def _policies(*limits: Limit) -> bytes:
    return ", ".join(map(_policy, limits)).encode()


def _policy(limit: Limit) -> str:
    window = f";w={limit.period_s}" if limit.period_s else ""
    return f'"{_name(limit)}";q={limit.count}{window}{_UNITS[limit.unit]}'


@lru_cache(maxsize=LIMITS_REMEMBERED)
def _name(limit: Limit) -> str:
    """Name a limit: by its setting, and where that states several by the window too."""
    name = limit.name.replace('"', "").encode("ascii", "replace").decode()
    return f"{name}/{limit.period_s}s" if limit.period_s else name


def _state(mark: Mark) -> str:
    return f'"{_name(mark.limit)}";r={mark.left};t={math.ceil(mark.frees_s)}'


def _openai(unit: str, mark: Mark, now_s: float) -> Headers:
    return [
        (f"x-ratelimit-limit-{unit}".encode(), b"%d" % mark.limit.count),
        (f"x-ratelimit-remaining-{unit}".encode(), b"%d" % mark.left),
        (f"x-ratelimit-reset-{unit}".encode(), duration(mark.empty_s).encode()),
    ]


def _anthropic(unit: str, mark: Mark, now_s: float) -> Headers:
    resets = datetime.fromtimestamp(math.ceil(now_s + mark.empty_s), UTC)
    return [
        (f"anthropic-ratelimit-{unit}-limit".encode(), b"%d" % mark.limit.count),
        (f"anthropic-ratelimit-{unit}-remaining".encode(), b"%d" % mark.left),
        (f"anthropic-ratelimit-{unit}-reset".encode(), f"{resets:%Y-%m-%dT%H:%M:%SZ}".encode()),
    ]


def duration(seconds: float) -> str:
    """Write a time as OpenAI does: 17ms, 1s, 6m0s, 1h2m3s; rounded up."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, whole = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{whole}s"
    return f"{minutes}m{whole}s" if minutes else f"{whole}s"
