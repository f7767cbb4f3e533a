"""Made-up traffic: the rows that a gateway would have written for calls that never were."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random

from msgspec import Struct, convert, json, structs, to_builtins

from seawall.advice.folding import fold
from seawall.advice.numbers import Rates
from seawall.core.call import Try, first_id_at
from seawall.core.ledger import CallRow
from seawall.core.money import Money, Usage, round_up
from seawall.core.policy import Decision
from seawall.core.traffic import Asked, Hour, Shape, UserFigures, UserUse

FIRST_HOUR = 490_896
"""Midnight of 2026-01-01, UTC, in hours since 1970."""
DAYS = 30
RATES = {
    "gpt-4o-mini": Rates(input=150_000_000, output=600_000_000, cached_read=75_000_000),
    "gpt-4o": Rates(input=2_500_000_000, output=10_000_000_000, cached_read=1_250_000_000),
}
"""Nano-dollars per million tokens."""
TOKEN_BYTES = 4
"""So long is a token of English; texts are as long as the usage says, though little of them is made up."""
STATUS = {"ok": 200, "refused": 429, "left": 499, "failed": 502, "crashed": 500}
SYSTEM = "You answer questions about the app in two or three sentences. "


class Line(Struct, frozen=True):
    """One call of a profile, but for its moment; `talk` is the conversation that it goes on with.

    `before` is the output of earlier turns in tokens, sent again. `failing` is a provider that was tried
    first and did not answer.
    """

    user: str | None = None
    text: str = ""
    talk: str = ""
    turn: int = 1
    system: str = SYSTEM
    key: str = "key_app"
    model: str = "gpt-4o-mini"
    input: int = 400
    output: int = 250
    wanted: int = 1_000
    took_ms: float = 2_400.0
    first_ms: float | None = None
    outcome: str = "ok"
    code: str | None = None
    failing: str = ""
    is_flagged: bool = False
    is_hit: bool = False

    @property
    def is_paid(self) -> bool:
        """Say whether a provider was asked."""
        return self.outcome != "refused" and not self.is_hit


class Diary:
    """The calls of one profile, written down with a seed so that every run has the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rows: list[CallRow] = []
        self._whole: dict[str, tuple[bytes, int]] = {}

    def moment(self, day: int, hours: Sequence[float] = (8, 22)) -> int:
        """Return a moment of a day between two of its hours, in Unix milliseconds."""
        return int((FIRST_HOUR + day * 24 + self.random.uniform(*hours)) * 3_600_000)

    def add(self, at_ms: int, line: Line) -> None:
        """Write one call down; the turns of a conversation come in their order."""
        rates = RATES[line.model]
        cost = round_up(line.input * rates.input + line.output * rates.output)
        ended = {"ok": "complete", "left": "client_left"}.get(line.outcome, "unknown")
        tries = [_try(line, line.failing, "unknown", Money(0))] if line.failing else []
        tries += [_try(line, "openai", ended, cost)] if line.is_paid else []
        decisions = [Decision("guard_input", "flag", "reads like an injection")] if line.is_flagged else []
        decisions += [Decision("recall", "hit", "the same request")] if line.is_hit else []
        row = CallRow(
            id=f"{first_id_at(at_ms)}{len(self.rows):022x}",
            at_ms=at_ms,
            endpoint="/v1/chat/completions",
            key_id=line.key,
            end_user=line.user,
            model=line.model,
            provider="openai",
            stream=line.first_ms is not None,
            status=STATUS[line.outcome],
            outcome=line.outcome,
            code=line.code,
            took_ms=4.0 if line.is_hit else line.took_ms,
            first_ms=line.first_ms,
            usage=Usage(input=line.input, output=line.output) if line.outcome != "refused" else None,
            cost=cost if line.is_paid and line.outcome != "failed" else Money(0),
            saved=cost if line.is_hit else Money(0),
            decisions=json.encode(decisions),
            attempts=json.encode(tries),
            shape=json.encode(self._shape(line)).decode(),
        )
        self.rows.append(row)

    def _shape(self, line: Line) -> Shape:
        before, before_bytes = self._whole.get(line.talk, (b"", 0)) if line.turn > 1 else (b"", 0)
        whole = _hash(before, line.text)
        size = max(before_bytes + len(line.text), line.input * TOKEN_BYTES - len(line.system))
        if line.talk:
            self._whole[line.talk] = whole, size + line.output * TOKEN_BYTES
        return Shape(
            exact=_hash(whole, line.model, line.system),
            normal=_hash(before, line.model, line.system, re.sub(r"\W+", " ", line.text.lower()).strip()),
            head=_hash(line.system),
            head_bytes=len(line.system),
            whole=whole,
            before=before,
            whole_bytes=size,
            history_bytes=before_bytes,
            turns=line.turn,
            wanted_tokens=line.wanted,
            is_cacheable=True,
        )

    def hours(self) -> list[Hour]:
        """Return the sums of the rows."""
        return fold(self.rows)

    def asked(self) -> list[Asked]:
        """Return the rows as a replay sees them, the oldest first."""
        return [_asked(row) for row in sorted(self.rows, key=lambda row: row.at_ms)]

    def users(self) -> UserFigures:
        """Return who called, from the rows."""
        days, cost = defaultdict(set), defaultdict(int)
        calls, by_day = defaultdict(int), defaultdict(set)
        paid = [row for row in self.rows if row.usage is not None and not row.saved]
        for row in paid:
            if row.end_user is not None:
                day = _day_of(row)
                days[row.end_user].add(day)
                by_day[day].add(row.end_user)
                calls[row.end_user] += 1
                cost[row.end_user] += row.cost
        dearest = sorted(cost, key=lambda user: (-cost[user], user))[:10]
        return UserFigures(
            users=len(days),
            returning=sum(len(seen) > 1 for seen in days.values()),
            by_day=tuple((day, len(by_day[day])) for day in sorted(by_day)),
            dearest=tuple(UserUse(u, calls[u], Money(cost[u]), len(days[u])) for u in dearest),
            unnamed=sum(row.end_user is None for row in paid),
            keys=len({row.key_id for row in paid}),
            first_hour=min(row.at_ms for row in paid) // 3_600_000,
        )


def multiplied(hours: Iterable[Hour], times: int) -> list[Hour]:
    """Return hours in which each call counts so many times: a sample stands for the whole."""
    return [_multiplied(hour, times) for hour in hours]


def again_each_day(hours: Sequence[Hour], days: int) -> list[Hour]:
    """Return the hours of one day, told for so many days."""
    return [structs.replace(hour, hour=hour.hour + 24 * day) for day in range(days) for hour in hours]


def _asked(row: CallRow) -> Asked:
    return Asked(
        id=row.id,
        at_ms=row.at_ms,
        key_id=row.key_id,
        end_user=row.end_user,
        model=row.model,
        stream=row.stream,
        outcome=row.outcome,
        code=row.code,
        took_ms=row.took_ms,
        first_ms=row.first_ms,
        usage=row.usage,
        cost=row.cost,
        listed_cost=row.listed_cost,
        saved=row.saved,
        is_hit=row.saved > 0,
        shape=None if row.shape is None else json.decode(row.shape, type=Shape),
    )


def _multiplied(hour: Hour, times: int) -> Hour:
    counts = _times(to_builtins(hour), times)
    return structs.replace(convert(counts, Hour), hour=hour.hour)


def _times(value: object, times: int) -> object:
    if isinstance(value, dict):
        return {name: _times(each, times) for name, each in value.items()}
    if isinstance(value, list):
        return [_times(each, times) for each in value]
    assert isinstance(value, int | float)
    return value * times


def _try(line: Line, provider: str, ending: str, cost: Money) -> Try:
    failed = provider == line.failing or line.outcome == "failed"
    why = (line.code or "upstream_unavailable") if failed else ""
    return Try(provider, line.model, "openai_chat", ending, Money(0), cost, not failed, line.took_ms, why)


def _day_of(row: CallRow) -> str:
    return datetime.fromtimestamp(row.at_ms / 1000, UTC).date().isoformat()


def _hash(*parts: bytes | str) -> bytes:
    text = b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)
    return blake2b(text, digest_size=8).digest()
