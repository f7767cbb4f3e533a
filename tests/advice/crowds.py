"""Recorded calls for the tests of replays: each says only what a test is about."""

from typing import Any

import msgspec

from seawall.advice.replaying.recorded import Recorded
from seawall.core.money import NANO, Money, Usage
from seawall.core.traffic import Asked, Shape

START_MS = 1_795_000_000_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def shape(text: str = "what?", **fields: Any) -> Shape:
    """Return the shape of a first question; texts stand for their hashes."""
    known = {
        "exact": text.encode(),
        "normal": text.lower().rstrip("?!").encode(),
        "head": b"head",
        "head_bytes": 0,
        "whole": text.encode(),
        "before": b"",
        "whole_bytes": 100,
        "history_bytes": 0,
        "turns": 1,
        "wanted_tokens": 0,
        "is_cacheable": True,
    }
    return Shape(**known | fields)


def call(at_ms: int = 0, text: str | None = "what?", *, usd: float = 0.01, **fields: Any) -> Asked:
    """Return a call so many milliseconds after the start, that went well and took two seconds."""
    known = Asked(
        id=f"call_{at_ms}",
        at_ms=START_MS + at_ms,
        key_id="key",
        end_user="ada",
        model="m",
        stream=False,
        outcome="ok",
        code=None,
        took_ms=2_000.0,
        first_ms=None,
        usage=Usage(input=100, output=100),
        cost=Money(round(usd * NANO)),
        listed_cost=Money(0),
        saved=Money(0),
        is_hit=False,
        shape=None if text is None else shape(text),
    )
    return msgspec.structs.replace(known, **fields)


def recorded(*calls: Asked, is_part: bool = False) -> Recorded:
    """Return calls as those of thirty days."""
    return Recorded.of(calls, 30.0, is_part=is_part)
