"""The ledger against a model of it in plain Python: anything, in any order, by two processes on one home."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from seawall.core.ledger import Account, Ask, CallRow, Held, HoldAnswer, Standing, counts_of, size_hold
from seawall.core.money import Money
from tests.fixtures.ledgers import (
    Books,
    Hold,
    Home,
    Key,
    PostgresHome,
    Process,
    SqliteHome,
    Sums,
    ask,
    call_of,
    settlement,
)

T = TypeVar("T")

SCOPES = ("global", "key:a", "key:b")
PERIODS = ("day", "month", "life", "tokens:day", "requests:month")
caps_by_period = st.fixed_dictionaries(
    {},
    optional={period: st.integers(0, 20_000) for period in PERIODS[:4]}
    | {"requests:month": st.integers(0, 6)},
)


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does the same to the store and to the model; after each step they must agree."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.home = home
        self.opened: list[Process] = []
        self.processes: list[Process] = []
        self.owner: dict[str, int] = {}
        self.model = Books()
        self.dead: set[str] = set()
        self.ended: list[str] = []
        self.earlier: dict[str, CallRow | None] = {}
        self.attempts: dict[str, int] = {}
        self.open_again: set[str] = set()
        self.caps: dict[str, dict[str, int]] = {scope: {} for scope in SCOPES}
        self.day, self.month, self.made = 21, 11, 0

    def run(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self.loop.run_until_complete(asyncio.wait_for(wait(), 20))

    def open(self) -> Process:
        process = self.home.open()
        self.opened.append(process)
        return process

    @initialize(cap=st.integers(0, 50_000))
    def begin(self, cap: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.home = self.home.fresh()
        self.caps["global"] = {"day": cap}
        self.processes = [self.open(), self.open()]

    def make_ask(
        self,
        key: str,
        tokens: int,
        *,
        input_tokens: int = 10,
        choices: int = 1,
        is_declared: bool = True,
        waited: bool = True,
        hold_id: str | None = None,
    ) -> Ask:
        self.made += 1
        hold_id = hold_id or f"call_{self.made}"
        day, month = f"2026-{self.month}-{self.day}", f"2026-{self.month}"
        periods = {
            "day": day, "month": month, "life": "life",
            "tokens:day": f"tokens:{day}", "requests:month": f"requests:{month}",
        }  # fmt: skip
        accounts = [
            (scope, periods[period], self.caps[scope].get(period))
            for scope in ("global", key)
            for period in PERIODS
        ]
        return ask(
            hold_id,
            tokens,
            *accounts,
            input_tokens=input_tokens,
            choices=choices,
            is_declared=is_declared,
            waited=waited,
            earlier=self.earlier.get(call_of(hold_id)),
        )

    def expected(self, one: Ask) -> HoldAnswer:
        standings = [Standing(account, *self.stands(account)) for account in one.accounts.accounts
                     if account.cap is not None]  # fmt: skip
        return size_hold(one, standings)

    def stands(self, account: Account) -> tuple[int, int]:
        sums = self.model.accounts.get((account.scope, account.period), Sums())
        return sums.spent + sums.overage, sums.held

    def note(self, one: Ask, answer: HoldAnswer, process: int) -> None:
        """Take a hold into the model, where it was granted."""
        if not isinstance(answer, Held):
            return
        tokens = one.input_tokens + answer.output_tokens * one.choices
        hold = Hold(answer.amount, one.accounts.keys, tokens, int(one.counts))
        for account in one.accounts.accounts:
            sums = self.model.accounts.setdefault((account.scope, account.period), Sums())
            amount = hold.on((account.scope, account.period))
            sums.held += amount
            taken = sums.spent + sums.overage + sums.held
            assert account.cap is None or amount == 0 or taken <= account.cap
        self.model.holds[one.hold_id] = hold
        self.owner[one.hold_id] = process

    @rule(
        process=st.integers(0, 1),
        key=st.sampled_from(SCOPES[1:]),
        tokens=st.integers(1, 5_000),
        input_tokens=st.integers(0, 500),
        choices=st.sampled_from([1, 1, 8]),
        is_declared=st.booleans(),
        waited=st.booleans(),
    )
    def hold(
        self,
        process: int,
        key: str,
        tokens: int,
        input_tokens: int,
        choices: int,
        is_declared: bool,
        waited: bool,
    ) -> None:
        one = self.make_ask(
            key, tokens, input_tokens=input_tokens, choices=choices, is_declared=is_declared, waited=waited
        )
        self.hold_one(one, process)

    def hold_one(self, one: Ask, process: int) -> None:
        answer = self.run(self.processes[process].store.ledger.hold(one))
        assert answer == self.expected(one)
        self.note(one, answer, process)

    @precondition(lambda self: self.open_again)
    @rule(
        data=st.data(),
        process=st.integers(0, 1),
        key=st.sampled_from(SCOPES[1:]),
        tokens=st.integers(1, 5_000),
    )
    def hold_for_another_attempt(self, data: st.DataObject, process: int, key: str, tokens: int) -> None:
        """A call whose attempt has ended holds again, under the next number."""
        call_id = data.draw(st.sampled_from(sorted(self.open_again)))
        number = self.attempts[call_id] = self.attempts.get(call_id, 1) + 1
        one = self.make_ask(key, tokens, hold_id=f"{call_id}.{number}")
        self.hold_one(one, process)
        if one.hold_id in self.model.holds:
            self.open_again.remove(call_id)

    @rule(process=st.integers(0, 1), key=st.sampled_from(SCOPES[1:]))
    def hold_for_nothing(self, process: int, key: str) -> None:
        self.made += 1
        free = ask(f"call_{self.made}", 5_000, ("global", "life", 0), (key, "life", 0), rate=0)
        answer = self.run(self.processes[process].store.ledger.hold(free))
        assert answer == Held(Money(0), 5_000)
        self.note(free, answer, process)

    @rule(keys=st.lists(st.sampled_from(SCOPES[1:]), min_size=2, max_size=12), tokens=st.integers(1, 5_000))
    def hold_many_at_once(self, keys: list[str], tokens: int) -> None:
        """Hold by both processes at once: who comes first is open, but what is granted must fit together.

        They are given back at once, so that what comes next does not depend on who was first.
        """
        asks = [self.make_ask(key, tokens) for key in keys]

        async def all_at_once() -> list[HoldAnswer]:
            ledgers = [process.store.ledger for process in self.processes]
            return await asyncio.gather(*(ledgers[i % 2].hold(one) for i, one in enumerate(asks)))

        for position, (one, answer) in enumerate(zip(asks, self.run(all_at_once()), strict=True)):
            self.note(one, answer, position % 2)
        assert self.run(self.home.books()) == self.model
        for one in asks:
            if one.hold_id in self.model.holds:
                self.give_back(one.hold_id)

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(set(self.model.holds) - self.dead)))

    @precondition(lambda self: set(self.model.holds) - self.dead)
    @rule(data=st.data(), percent=st.sampled_from([0, 1, 50, 99, 100, 100, 101, 250]))
    def settle(self, data: st.DataObject, percent: int) -> None:
        hold_id = self.pick(data)
        hold = self.model.holds.pop(hold_id)
        cost = hold.amount * percent // 100
        row = self.settle_in_store(hold_id, cost, hold.amount)
        self.book(hold_id, hold, cost, "ok", used=1 + cost)
        self.earlier[row.id] = row
        self.open_again.add(row.id)

    def settle_in_store(self, hold_id: str, cost: int, held: int) -> CallRow:
        ledger = self.processes[self.owner[hold_id]].store.ledger
        one = settlement(hold_id, cost, held=held, earlier=self.earlier.get(call_of(hold_id)))

        async def work() -> None:
            await asyncio.gather(ledger.settle(one), ledger.check())

        self.run(work())
        return one.row

    def book(self, hold_id: str, hold: Hold, cost: int, outcome: str, *, used: int) -> None:
        call_id = call_of(hold_id)
        earlier = self.earlier.get(call_id)
        overage = max(0, cost - hold.amount)
        booked = {"usd": cost, "tokens": used, "requests": hold.counts}
        for key in hold.accounts:
            sums, on_it = self.model.accounts[key], hold.on(key)
            taken = booked[counts_of(key[1])]
            sums.held -= on_it
            sums.spent += min(taken, on_it)
            sums.overage += max(0, taken - on_it)
        before = (earlier.cost, earlier.overage) if earlier else (0, 0)
        self.model.calls[call_id] = (outcome, before[0] + cost, before[1] + overage)
        count, total, over = self.model.hours
        self.model.hours = (count + (earlier is None), total + cost, over + overage)
        self.ended.append(hold_id)

    @precondition(lambda self: self.ended)
    @rule(data=st.data(), cost=st.integers(0, 10_000))
    def settle_again(self, data: st.DataObject, cost: int) -> None:
        self.settle_in_store(data.draw(st.sampled_from(self.ended)), cost, 0)

    @precondition(lambda self: set(self.model.holds) - self.dead)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        hold_id = self.pick(data)
        self.give_back(hold_id)
        self.ended.append(hold_id)
        self.open_again.add(call_of(hold_id))

    def give_back(self, hold_id: str) -> None:
        self.void_in_store(hold_id)
        hold = self.model.holds.pop(hold_id)
        for key in hold.accounts:
            self.model.accounts[key].held -= hold.on(key)

    @precondition(lambda self: self.ended)
    @rule(data=st.data())
    def void_again(self, data: st.DataObject) -> None:
        self.void_in_store(data.draw(st.sampled_from(self.ended)))

    def void_in_store(self, hold_id: str) -> None:
        ledger = self.processes[self.owner[hold_id]].store.ledger

        async def work() -> None:
            await asyncio.gather(ledger.void(hold_id), ledger.check())

        self.run(work())

    @rule(process=st.integers(0, 1))
    def crash(self, process: int) -> None:
        """A process dies; another one takes its place, and nobody has looked after its holds yet."""
        self.processes[process].crash()
        self.dead |= {hold_id for hold_id in self.model.holds if self.owner[hold_id] == process}
        self.processes[process] = self.open()

    @rule(process=st.integers(0, 1))
    def reap(self, process: int) -> None:
        assert self.run(self.processes[process].reap()) == len(self.dead)
        for hold_id in self.dead:
            hold = self.model.holds.pop(hold_id)
            self.book(hold_id, hold, hold.amount, "crashed", used=hold.tokens)
        self.dead.clear()

    @rule(process=st.integers(0, 1))
    def stop_and_start(self, process: int) -> None:
        """A process ends in order; what it still held is found by the next one."""
        stopped = self.processes[process]
        left = {hold_id for hold_id in self.model.holds if self.owner[hold_id] == process} - self.dead
        self.opened.remove(stopped)
        assert stopped.store.close() == (not left)
        if left:
            stopped.crash()
            self.dead |= left
        self.processes[process] = self.open()

    @rule()
    def midnight(self) -> None:
        self.day += 1

    @rule()
    def new_month(self) -> None:
        self.day, self.month = 1, self.month + 1

    @rule(scope=st.sampled_from(SCOPES), caps=caps_by_period)
    def change_caps(self, scope: str, caps: dict[str, int]) -> None:
        self.caps[scope] = caps

    @invariant()
    def the_books_agree(self) -> None:
        if not self.processes:
            return
        books = self.run(self.home.books())
        assert books == self.model
        held: dict[Key, int] = dict.fromkeys(books.accounts, 0)
        for hold in books.holds.values():
            for key in hold.accounts:
                held[key] += hold.on(key)
        assert {key: sums.held for key, sums in books.accounts.items()} == held

    def teardown(self) -> None:
        if not self.opened:
            return
        for process in self.opened:
            process.store.close()
        self.loop.close()


EXAMPLES = {SqliteHome: 40, PostgresHome: 20}
EXAMPLES_AT_LENGTH = {SqliteHome: 500, PostgresHome: 100}


@pytest.mark.timeout(300)
def test_the_books_are_what_the_model_says(home: Home) -> None:
    examples = EXAMPLES[type(home)]
    run_state_machine_as_test(
        lambda: LedgerMachine(home),
        settings=settings(derandomize=True, deadline=None, max_examples=examples, stateful_step_count=40),
    )


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_the_books_are_what_the_model_says_at_length(home: Home) -> None:
    """The same for longer, from a new start every time."""
    examples = EXAMPLES_AT_LENGTH[type(home)]
    run_state_machine_as_test(
        lambda: LedgerMachine(home),
        settings=settings(derandomize=False, deadline=None, max_examples=examples, stateful_step_count=60),
    )
