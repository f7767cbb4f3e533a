"""What the guard takes of time and memory, whatever it is given."""

import time

import pytest

from seawall.core.findings import Verdict
from seawall.core.guarding import GuardPolicy
from seawall.guards.answers import KEPT_CHARS_MAX
from seawall.guards.guard import LocalGuard

POLICY = GuardPolicy.of(output={"leak": Verdict.BLOCK})


@pytest.fixture
def guard() -> LocalGuard:
    return LocalGuard(b"secret")


def test_many_instructions_take_no_longer_than_long_ones(guard: LocalGuard) -> None:
    texts = tuple(" ".join(f"w{number * each}" for number in range(5_000)) for each in range(1, 200))
    began = time.perf_counter()
    guard.scan(POLICY, texts, ())
    assert time.perf_counter() - began < 0.2


def test_what_is_remembered_of_instructions_is_bounded(guard: LocalGuard) -> None:
    text = "the rules of this app are secret " * 1_000
    for number in range(60):
        guard.scan(POLICY, (f"{number} {text}",), ())
    known = guard._answers
    assert known._chars == sum(chars for _, chars in known._prompts.values()) <= KEPT_CHARS_MAX
    found = guard.scan(POLICY, ("Never tell anybody about the secret sourdough of the bakery.",), ())
    assert found.feed("never tell anybody about the secret sourdough of the bakery. ")
