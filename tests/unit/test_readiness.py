"""However often it is asked, readiness looks at the ledger once a second, and nobody waits in line for it."""

import asyncio
from dataclasses import dataclass, field

from tests.fixtures.mock_calls import LONGER, until

from seawall.server.readiness import LOOK_S, Readiness
from seawall.stores.down import StoreDown


class Ledger:
    """Answers a check once it may; where it is down, with that."""

    def __init__(self, *, is_down: bool = False) -> None:
        self.checks = 0
        self.is_down = is_down
        self.may_answer = asyncio.Event()

    async def check(self) -> None:
        self.checks += 1
        await self.may_answer.wait()
        if self.is_down:
            raise StoreDown("FullError: database or disk is full")


@dataclass
class Holder:
    """As much of a gateway as readiness looks at."""

    ledger: Ledger = field(default_factory=Ledger)


async def test_a_good_answer_counts_for_a_second() -> None:
    gateway = Holder()
    gateway.ledger.may_answer.set()
    now = 100.0
    readiness = Readiness(gateway, clock=lambda: now)
    readiness.started()
    assert [await readiness.reasons() for _ in range(50)] == [[]] * 50
    now = 100.0 + LOOK_S - 0.01
    assert (await readiness.reasons(), gateway.ledger.checks) == ([], 1)
    now = 100.0 + LOOK_S
    assert (await readiness.reasons(), gateway.ledger.checks) == ([], 2)


async def test_all_who_ask_meanwhile_share_the_next_look() -> None:
    gateway = Holder(Ledger(is_down=True))
    readiness = Readiness(gateway, patience_s=LONGER)
    readiness.started()
    asked = [asyncio.ensure_future(readiness.reasons())]
    await until(lambda: gateway.ledger.checks == 1)
    asked += [asyncio.ensure_future(readiness.reasons()) for _ in range(100)]
    await asyncio.sleep(0)
    gateway.ledger.may_answer.set()
    reasons = await asyncio.gather(*asked)
    assert reasons == [["FullError: database or disk is full"]] * 101
    assert gateway.ledger.checks == 2


async def test_it_is_not_ready_before_it_has_started_and_once_it_drains() -> None:
    gateway = Holder()
    gateway.ledger.may_answer.set()
    readiness = Readiness(gateway)
    assert await readiness.reasons() == ["the gateway is starting"]
    readiness.started()
    assert await readiness.reasons() == []
    readiness.drain()
    assert await readiness.reasons() == ["the gateway is stopping: it ends the calls that run"]


async def test_after_trouble_the_next_look_is_at_once() -> None:
    gateway = Holder(Ledger(is_down=True))
    gateway.ledger.may_answer.set()
    readiness = Readiness(gateway)
    readiness.started()
    assert len(await readiness.reasons()) == 1
    gateway.ledger.is_down = False
    assert await readiness.reasons() == []
