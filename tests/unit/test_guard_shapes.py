"""What the guard takes of time and memory, whatever it is given."""

import sys
from collections.abc import Callable

import pytest

from seawall.core.findings import Verdict
from seawall.core.guarding import GuardPolicy
from seawall.guards.answers import KEPT_CHARS_MAX
from seawall.guards.guard import LocalGuard

POLICY = GuardPolicy.of(output={"leak": Verdict.BLOCK})


@pytest.fixture
def guard() -> LocalGuard:
    return LocalGuard(b"secret")


def calls_in(work: Callable[[], object]) -> int:
    """Count the calls of functions that a piece of work makes: unlike its time, they are always the same."""
    count = 0

    def note(_frame: object, event: str, _function: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def test_many_instructions_take_no_longer_than_long_ones(guard: LocalGuard) -> None:
    texts = tuple(" ".join(f"w{number * each}" for number in range(5_000)) for each in range(1, 200))
    many = calls_in(lambda: guard.scan(POLICY, texts, ()))
    long = calls_in(lambda: guard.scan(POLICY, (texts[0] * 2,), ()))
    assert 1_000 < many < 1.1 * long


def test_what_is_remembered_of_instructions_is_bounded(guard: LocalGuard) -> None:
    text = "the rules of this app are secret " * 1_000
    for number in range(60):
        guard.scan(POLICY, (f"{number} {text}",), ())
    known = guard._answers
    assert known._chars == sum(chars for _, chars in known._prompts.values()) <= KEPT_CHARS_MAX
    found = guard.scan(POLICY, ("Never tell anybody about the secret sourdough of the bakery.",), ())
    assert found.feed("never tell anybody about the secret sourdough of the bakery. ")
