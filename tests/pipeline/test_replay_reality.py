"""Replays against reality: what they say would have been, and what is when the same calls come again.

Each profile of traffic is sent to a gateway without the thing, what was recorded is replayed, and the very same
calls are sent to another gateway that has it. The two must not differ by more than five percent.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import Struct, structs

from seawall.advice.numbers import Rates
from seawall.advice.replays import Replays
from seawall.advice.what_if import WhatIf, replay
from seawall.core.ledger import CallRow
from seawall.core.traffic import Asked
from seawall.proving.mock_answers import WORDS
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import NOON, RunningApp, Start
from tests.fixtures.mock_calls import o200k
from tests.fixtures.prompt_caches import PromptCache

RICH: dict[str, object] = {"budget__daily_usd": "100000.00", "cache__enabled": False, "log__keep_days": 90}
RATES = {"fake-gpt": Rates(input=10 * 10**9, output=30 * 10**9, cached_read=10**9)}
MOST = 0.05
BEGIN = NOON + 600
"""The moment at which profiles begin: by then every gateway has started."""


class Ask(Struct, frozen=True):
    """One call of a profile: how long after the one before, by whom, how often at once, and what it says."""

    gap_s: float
    text: str
    mocked: str
    user: str = "ada"
    at_once: int = 1
    fields: dict[str, Any] = {}


def close(said: float, real: float) -> bool:
    """Say whether what a replay says is no more than five percent off."""
    return real > 0 and abs(said - real) <= MOST * real


class Pace:
    """Turns a gateway's clock to moments that are the same in every run, however long its calls take."""

    def __init__(self, app: RunningApp) -> None:
        self._clock, self._at = app.clock, BEGIN

    def go_on(self, seconds: float) -> None:
        """Let it be so long after the last moment; where calls took longer than that, it is later already."""
        self._at += seconds
        self._clock.turn(max(0.0, self._at - self._clock()))


async def drive(app: RunningApp, asks: Iterable[Ask]) -> None:
    """Make the calls of a profile, at its pace."""
    pace = Pace(app)
    for ask in asks:
        pace.go_on(ask.gap_s)
        messages = [{"role": "user", "content": ask.text}]
        body = {"model": "fake-gpt", "x_mock": ask.mocked, "messages": messages} | ask.fields
        headers = {"seawall-user": ask.user}
        await asyncio.gather(*(app.chat(body, headers=headers) for _ in range(ask.at_once)))


async def recorded(app: RunningApp) -> list[Asked]:
    """Return what advice sees of all calls."""
    await app.settled()
    until_ms = int(app.clock() * 1_000) + 1
    return await app.seawall.store.traffic.asked(since_ms=0, until_ms=until_ms, at_most=100_000)


async def replayed(app: RunningApp, **fields: Any) -> Replays:
    return replay(await recorded(app), WhatIf(**{"days": 30, "rates": RATES} | fields))


def cost(asked: Sequence[Asked]) -> int:
    return sum(call.cost for call in asked)


def questions(random: Random) -> list[Ask]:
    """Return the traffic of a bot that answers questions: twelve days, two of five calls are repeats.

    Some questions are asked by several people at once, some answers are cut or fail, and one in seven repeats
    is typed in another way.
    """
    asks: list[Ask] = []
    for number in range(600):
        gap_s = random.expovariate(1 / 1_728)
        if asks and random.random() < 0.4:
            old = random.choice(asks[-200:])
            text = f"  {old.text.upper()} ?!" if random.random() < 1 / 7 else old.text
            asks.append(Ask(gap_s, text, old.mocked, fields=old.fields))
            continue
        kind = random.random()
        mocked = "e500" if kind < 0.03 else f"s{random.randrange(10, 250)}-w25"
        fields = {"max_tokens": 40 if kind > 0.9 else 300, "stream": random.random() < 0.3}
        at_once = random.choice((2, 3)) if random.random() < 0.05 else 1
        asks.append(Ask(gap_s, f"how do I do number {number}", mocked, at_once=at_once, fields=fields))
    return asks


def plainly(asks: Iterable[Ask]) -> list[Ask]:
    """Write every question in the one way that the normalised cache takes it for."""
    return [Ask(each.gap_s, " ".join(each.text.lower().rstrip("?! ").split()), each.mocked, each.user, each.at_once, each.fields) for each in asks]  # fmt: skip


@pytest.mark.timeout(480)
async def test_caches_would_have_answered_what_they_do_answer(start: Start, tmp_path: Path) -> None:
    asks = questions(Random(7))
    off = await start(folder=tmp_path / "off", **RICH)
    await drive(off, asks)
    said, without = await replayed(off), await recorded(off)
    assert said.exact is not None and said.normal is not None
    for name, told, sent in (("exact", said.exact, asks), ("normal", said.normal, plainly(asks))):
        on = await start(folder=tmp_path / name, **RICH | {"cache__enabled": True})
        await drive(on, sent)
        with_it = await recorded(on)
        assert close(told.touched, sum(call.is_hit for call in with_it))
        assert close(told.saved, cost(without) - cost(with_it))
    assert said.exact.touched / len(without) > 0.3


SYSTEMS = [" ".join(f"{number} is the rule of {WORDS[number % 16]}." for number in range(rules)) for rules in (30, 140, 260)]  # fmt: skip
"""What apps say before each conversation: some 300, 1,300 and 2,400 tokens."""


async def talk(app: RunningApp, random: Random) -> None:
    """Hold forty conversations of up to twelve turns within twenty minutes, some with long breaks."""
    talks = [[{"role": "system", "content": random.choice(SYSTEMS)}] for _ in range(40)]
    turns = {number: random.randrange(3, 13) for number in range(len(talks))}
    due = {number: random.uniform(0, 1_200) for number in turns}
    now, pace = 0.0, Pace(app)
    while due:
        number = min(due, key=lambda each: due[each])
        pace.go_on(due[number] - now)
        now = due[number]
        words = " ".join(
            f"{random.randrange(10**6)}{random.choice(WORDS)}" for _ in range(random.randrange(5, 60))
        )
        talks[number].append({"role": "user", "content": words})
        body = {"model": "fake-gpt", "x_mock": f"s{random.randrange(40, 300)}", "messages": talks[number]}
        answer = (await app.chat(body | {"max_tokens": 400})).raise_for_status().json()
        talks[number].append({"role": "assistant", "content": answer["choices"][0]["message"]["content"]})
        turns[number] -= 1
        due[number] = now + (
            random.uniform(300, 900) if random.random() < 0.15 else random.expovariate(1 / 60)
        )
        if not turns[number]:
            del due[number]


@pytest.mark.parametrize("write_rate", [None, 12_500_000_000])
async def test_a_providers_cache_of_prompts_would_have_saved_what_it_does_save(
    start: Start, tmp_path: Path, write_rate: int | None
) -> None:
    priced = RICH | {"prices__fake-gpt__cached_read_usd_per_mtok": "1.00"}
    if write_rate is not None:
        priced |= {"prices__fake-gpt__cached_write_usd_per_mtok": "12.50"}
    rates = {"fake-gpt": structs.replace(RATES["fake-gpt"], cached_write=write_rate)}
    off = await start(folder=tmp_path / "off", **priced)
    await talk(off, Random(11))
    said, without = await replayed(off, rates=rates), await recorded(off)
    kept = PromptCache(bills_writing=write_rate is not None)
    on = await start(folder=tmp_path / "on", mock=MockProvider(script=kept, count=o200k()), **priced)
    kept.clock = on.clock
    await talk(on, Random(11))
    with_it = await recorded(on)
    assert said.prompt_cache is not None
    reading = [call for call in with_it if call.usage is not None and call.usage.cached_read]
    assert close(said.prompt_cache.touched, len(reading))
    assert close(said.prompt_cache.saved, cost(without) - cost(with_it))
    again = await replayed(on, rates=rates)
    assert again.prompt_cache is not None
    assert again.prompt_cache.saved < said.prompt_cache.saved * MOST  # What is read already is not promised.


def mashing(random: Random) -> list[Ask]:
    """Return two days of thirty users, five of whom press the button again and again."""
    asks = []
    for _ in range(70):
        masher = random.random() < 0.25
        user = f"user{random.randrange(5) if masher else random.randrange(5, 30)}"
        gap_s = random.expovariate(1 / 2_400)
        for _ in range(random.randrange(5, 60) if masher else random.randrange(1, 6)):
            fields = {"max_tokens": 300} if random.random() < 0.5 else {}
            asks.append(Ask(gap_s, "again", f"s{random.randrange(20, 250)}", user, fields=fields))
            gap_s = random.uniform(0.2, 3.0)
    return asks


def refused(rows: Iterable[CallRow], code: str) -> Counter[str]:
    return Counter(row.end_user or "" for row in rows if row.code == code)


async def test_a_limit_would_have_refused_those_whom_it_does_refuse(start: Start, tmp_path: Path) -> None:
    asks = mashing(Random(13))
    off = await start(folder=tmp_path / "off", **RICH)
    await drive(off, asks)
    said, without = await replayed(off, limits=("10/minute",)), await recorded(off)
    on = await start(folder=tmp_path / "on", **RICH | {"limits__per_user": "10/minute"})
    await drive(on, asks)
    real = refused(await on.rows(), "rate_limit_exceeded")
    assert said.limits is not None
    assert said.limits.users == len(real)
    assert close(said.limits.touched, real.total())
    assert close(said.limits.saved, cost(without) - cost(await recorded(on)))


async def test_a_budget_of_each_user_would_have_saved_what_it_does_save(start: Start, tmp_path: Path) -> None:
    asks = mashing(Random(17))
    off = await start(folder=tmp_path / "off", **RICH)
    await drive(off, asks)
    said, without = await replayed(off, user_daily=80_000_000), await recorded(off)
    free = {"default_tier": "free", "tiers__free__daily_usd": "0.08"}
    on = await start(folder=tmp_path / "on", **RICH | free)
    await drive(on, asks)
    real = refused(await on.rows(), "budget_exhausted")
    assert said.budget is not None
    assert said.budget.users == len(real)
    assert close(said.budget.touched, real.total())
    assert close(said.budget.saved, cost(without) - cost(await recorded(on)))


async def test_every_query_beside_a_figure_can_be_typed(start: Start) -> None:
    app = await start(**RICH)
    await drive(app, [Ask(1.0, "again", "s9"), Ask(1.0, "again", "s9")])
    said = await replayed(app, is_part=True)
    queries = [
        figure.query for each in structs.astuple(said) if each is not None for figure in each.told.figures
    ]
    assert len(queries) > 10
    assert all(app.look(query) is not None for query in queries)
    assert said.exact is not None
    assert app.look(said.exact.told.figures[0].query) == [(1,)]
