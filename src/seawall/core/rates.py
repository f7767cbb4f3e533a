"""How rates are written: "5/10 seconds", "100/minute", "10/second burst 20"."""

import re

from msgspec import Struct

PERIODS_S = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "month": 30 * 86_400}
"""A month is any thirty days: a rate knows no calendar."""

_RATE = re.compile(
    r"([1-9][0-9]{0,8})/(?:([1-9][0-9]{0,5}) )?(second|minute|hour|day|month)s?(?: burst ([1-9][0-9]{0,8}))?",
    re.ASCII,
)


class Rate(Struct, frozen=True):
    """Never more than `count` in any window of `period_s` seconds; with `burst` a steady rate instead."""

    count: int
    period_s: int
    burst: int | None = None


def parse_rate(text: str) -> Rate:
    """Read a rate; raises ValueError where it is none."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError('must be a rate such as "100/minute" or "10/second burst 20"')
    count, number, period, burst = found.groups()
    return Rate(int(count), int(number or 1) * PERIODS_S[period], None if burst is None else int(burst))


def format_rate(rate: Rate) -> str:
    """Write a rate as it would be stated."""
    fitting = [(size, name) for name, size in PERIODS_S.items() if rate.period_s % size == 0]
    seconds, period = max(fitting)
    number = rate.period_s // seconds
    span = period if number == 1 else f"{number} {period}s"
    return f"{rate.count}/{span}" + (f" burst {rate.burst}" if rate.burst is not None else "")
