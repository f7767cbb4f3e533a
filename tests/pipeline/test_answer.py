"""The whole pipeline in memory: the smallest gateway there can be, to read beside `pipeline/answer.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from seawall.core.call import Attempt, Call, Ending, Event, OutputCap, Request, Route, Sending
from seawall.core.contracts import Gateway, Limits
from seawall.core.errors import BudgetExhausted, UpstreamUnavailable
from seawall.core.ledger import Ask, CallRow, Exhausted, Held, HoldAnswer, Settlement, Standing, size_hold
from seawall.core.lines import Lines
from seawall.core.money import Money, Price, Rate, Rates, Usage
from seawall.core.policy import Budget, Credentials, Limit, Policy, Principal, Scope, ScopeBudget
from seawall.core.routing import Failure, Planned, Stop, Target
from seawall.pipeline.answer import answer
from seawall.stores.memory.counters import MemoryCounters

DOLLAR = Money(10**9)
PRICE = Price(Rates(input=Rate(10 * 10**9), output=Rate(30 * 10**9)))


class Everyone:
    """Lets everybody in, with a dollar a day."""

    async def identify(self, shown: Credentials) -> tuple[Principal, Policy]:
        budgets = (ScopeBudget(Scope("global"), Budget(daily=DOLLAR)),)
        return Principal(key_id="key_1", key_name="test"), Policy(budgets)

    async def knows_origin(self, origin: str) -> bool:
        return False

    def limits_of_stranger(self, address: str) -> tuple[Limit, ...]:
        return ()

    async def know_user(
        self, principal: Principal, policy: Policy, named: str | None
    ) -> tuple[Principal, Policy]:
        return principal, policy

    def forget(self) -> None: ...


class Ledger:
    """Holds in memory; tells what happened in `story`."""

    def __init__(self, story: list[str], *, spent: int = 0) -> None:
        self.story, self.spent, self.held = story, spent, 0
        self.rows: list[CallRow] = []

    async def hold(self, ask: Ask) -> HoldAnswer:
        standing = Standing(ask.accounts.capped[0], Money(self.spent), Money(self.held))
        found = size_hold(ask, [standing])
        if isinstance(found, Held):
            self.held += found.amount
            self.story.append(f"hold {found.amount}")
        return found if not isinstance(found, Exhausted) else Exhausted(standing)

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        self.story.append(f"settle {settlement.cost}")
        self.rows.append(settlement.row)
        return done()

    def void(self, hold_id: str) -> "asyncio.Future[None]":
        self.story.append("void")
        return done()

    def write(self, row: CallRow) -> "asyncio.Future[None]":
        self.rows.append(row)
        return done()


class Vendor:
    """Answers with what it is given, or breaks."""

    name = "vendor"
    stops_on_disconnect = False

    def __init__(self, story: list[str], *, fails_with: Ending | None = None) -> None:
        self.story, self.fails_with = story, fails_with

    def prepare(self, request: Request, route: Route) -> Sending:
        return Sending(request)

    def reached_by(self, dialect: str) -> str:
        return dialect

    def rough_input_tokens(self, request: Request, route: Route) -> int:
        return 10

    async def count_input_tokens(self, request: Request, route: Route) -> int:
        return 8

    def count_output_tokens(self, text: str, route: Route) -> tuple[int, int]:
        return len(text), len(text)

    @asynccontextmanager
    async def open(self, call: Call, attempt: Attempt) -> AsyncIterator[AsyncIterator[Event]]:
        self.story.append(f"send, at most {attempt.output_cap} tokens")
        if self.fails_with is not None:
            attempt.ending = self.fails_with
            raise UpstreamUnavailable

        async def events() -> AsyncIterator[Event]:
            yield Event(raw=b"Hello", text="Hello", usage=Usage(input=8, output=5))
            attempt.ending = Ending.COMPLETE

        yield events()

    def plan(self, request: Request) -> tuple[Planned, ...]:
        return (Planned(Route("vendor", request.model, PRICE)),)

    def provider(self, route: Route) -> "Vendor":
        return self

    def admit(self, route: Route) -> bool:
        return True

    def note(self, route: Route, error: BaseException | None) -> None: ...

    def after_failure(self, failure: Failure, at: Planned, rest: object) -> Stop:
        return Stop("there is only one")

    def models(self) -> list[Route]:
        return []

    def aliases(self) -> list[str]:
        return []

    def targets(self, model: str) -> tuple[Target, ...]:
        return (Target(Route("vendor", model, PRICE)),)


class Reply:
    """Keeps what the client would see."""

    has_begun = False

    def __init__(self, story: list[str]) -> None:
        self.story = story

    async def send(self, event: Event) -> None:
        self.story.append(event.raw.decode())

    async def tell(self, stage: str) -> None: ...

    async def finish(self) -> None:
        self.story.append("finish")

    async def fail(self, error: Exception) -> None: ...


def done() -> "asyncio.Future[None]":
    future = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


async def take(story: list[str], ledger: Ledger, vendor: Vendor) -> None:
    """Take one call through the pipeline."""

    async def read(caller: Principal) -> Request:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        return Request("any", body, raw_bytes=10, model="m", stream=False, cap=OutputCap("max_tokens", 100))

    anything: Any = ledger
    gateway = Gateway(
        identity=Everyone(),
        router=vendor,
        ledger=anything,
        call_log=anything,
        idempotent=anything,
        directory=anything,
        conversations=anything,
        jobs=anything,
        feedback=anything,
        state_keep_s=0.0,
        counters=MemoryCounters(),
        clock=lambda: 0.0,
        lines=Lines(),
        limits=Limits(),
        now=lambda: 0.0,
        tell=lambda call, _: story.append(call.outcome),
        new_id=lambda _: "call_1",
    )
    task = asyncio.current_task()
    assert task is not None
    call = Call(
        "call_1", task=task, endpoint="/", received_at=0.0, credentials=Credentials("sw-x"), read=read
    )
    await answer(call, gateway, Reply(story))


async def test_money_is_held_before_the_provider_hears_and_settled_after_the_client_has_its_answer() -> None:
    story: list[str] = []
    await take(story, Ledger(story), Vendor(story))
    assert story == [
        "hold 3100000",  # 10 tokens at $10 and 100 at $30 a million
        "send, at most 100 tokens",
        "Hello",
        "finish",
        "settle 230000",  # 8 tokens at $10 and 5 at $30 a million
        "ok",
    ]


async def test_what_was_never_sent_is_voided_and_still_recorded() -> None:
    story: list[str] = []
    ledger = Ledger(story)
    with pytest.raises(UpstreamUnavailable):
        await take(story, ledger, Vendor(story, fails_with=Ending.NOT_SENT))
    assert story == ["hold 3100000", "send, at most 100 tokens", "void", "failed"]
    assert [(row.outcome, row.status, row.cost) for row in ledger.rows] == [("failed", 502, 0)]


async def test_what_may_have_been_billed_costs_the_hold_with_the_input_as_counted() -> None:
    story: list[str] = []
    with pytest.raises(UpstreamUnavailable):
        await take(story, Ledger(story), Vendor(story, fails_with=Ending.UNKNOWN))
    assert story == ["hold 3100000", "send, at most 100 tokens", "settle 3080000", "failed"]


async def test_a_spent_budget_refuses_before_anything_is_sent_and_the_refusal_is_recorded() -> None:
    story: list[str] = []
    ledger = Ledger(story, spent=DOLLAR)
    with pytest.raises(BudgetExhausted, match="The daily budget of this gateway is used up"):
        await take(story, ledger, Vendor(story))
    assert story == ["refused"]
    assert [(row.outcome, row.status, row.code) for row in ledger.rows] == [
        ("refused", 402, "budget_exhausted")
    ]
