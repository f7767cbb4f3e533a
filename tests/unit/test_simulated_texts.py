"""The texts of a simulation: every word is a token that is billed, and nothing in them worries a guard."""

import msgspec
import pytest
from tests.fixtures.mock_calls import o200k

from seawall.core.findings import Verdict
from seawall.core.guarding import GuardPolicy
from seawall.guards.guard import LocalGuard
from seawall.proving.simulating.asking import Chat, Writer, billed_input
from seawall.proving.simulating.profiles import PROFILES, Crowd
from seawall.proving.simulating.provider import wanted_words
from seawall.proving.simulating.traffic import Planned
from seawall.proving.simulating.words import Row, count_words

CROWDS = {f"{name}: {crowd.name}": crowd for name, profile in PROFILES.items() for crowd in profile.crowds}
POLICY = GuardPolicy.of(input={"injection": Verdict.BLOCK, "secrets": Verdict.BLOCK})


def written(crowd: Crowd, talk: int, turn: int) -> Chat:
    """Write one call and read it back."""
    asked = Writer(crowd, 1, None).write(Planned(0.0, 0, 0, talk, turn))
    chat = msgspec.json.decode(asked.body, type=Chat)
    wanted = wanted_words(chat.messages)
    assert asked.output == (wanted if crowd.talk.cap is None else min(wanted, crowd.talk.cap))
    assert asked.input == billed_input(chat.messages)
    return chat


def test_every_word_is_one_token() -> None:
    text = Row("any").text(17, 5_000)
    assert o200k()(text) == count_words(text) == 5_000


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_what_is_billed_is_no_more_than_a_gateway_counts(crowd: Crowd) -> None:
    chat = written(crowd, 5, crowd.talk.turns[1] - 1)
    counted = sum(o200k()(message.content) for message in chat.messages)
    billed = billed_input(chat.messages)
    assert counted * 0.98 < billed < counted + 5 * len(chat.messages) + 16


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_no_question_is_taken_for_an_attack(crowd: Crowd) -> None:
    guard = LocalGuard(b"secret")
    for talk in range(1, 13):
        for message in written(crowd, talk, crowd.talk.turns[1] - 1).messages:
            if message.role == "user":
                assert not guard.inspect(message.content, "user", POLICY)


def test_a_conversation_sends_all_that_was_said_before() -> None:
    crowd = PROFILES["chatbot"].crowds[0]
    first, second = written(crowd, 7, 0).messages, written(crowd, 7, 1).messages
    assert second[: len(first)] == first
    assert [message.role for message in second[len(first) :]] == ["assistant", "user"]
