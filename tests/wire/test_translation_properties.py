"""Nothing is lost and nothing invented on the way from any dialect to any other, and back."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.call import Event, Request
from seawall.core.money import Usage
from seawall.core.pieces import Finished, Piece
from seawall.wire.dialect import event_of
from seawall.wire.prompt import Prompt, Target
from seawall.wire.translation import DIALECTS, translate
from tests.wire.answers import (
    SEALS,
    answers,
    blocks_of,
    pieces_of,
    read_body,
    read_stream,
    stream_in,
    usage_of,
    usages,
    whole_in,
)
from tests.wire.answers import normal as normal_blocks
from tests.wire.conversations import OPENROUTER, TARGETS, Words, normal, prompts

EXAMPLES = 60
PAIRS = list(permutations(TARGETS, 2))
LANGUAGES = {
    "chat": (Words(frozenset({"chat"})), TARGETS["chat"]),
    "chat at OpenRouter": (
        Words(frozenset({"chat"}), ("anthropic", "openai"), has_cache=True, has_openai=False),
        OPENROUTER,
    ),
    "responses": (Words(frozenset({"responses"}), ("openai",)), TARGETS["responses"]),
    "messages": (Words(frozenset({"messages"}), ("anthropic",), has_cache=True), TARGETS["messages"]),
}


def said(prompt: Prompt, dialect: str, target: Target) -> Request:
    """Return the request that a body in the dialect makes."""
    body = DIALECTS[dialect].write_prompt(prompt, target).body
    raw = msgspec.json.encode(body)
    return DIALECTS[dialect].read_request(msgspec.json.decode(raw), raw_bytes=len(raw), messages_max=1000)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_what_a_dialect_can_say_is_understood(language: str, data: st.DataObject) -> None:
    words, target = LANGUAGES[language]
    prompt = data.draw(prompts(words))
    dialect = language.partition(" ")[0]
    heard = DIALECTS[dialect].read_prompt(said(prompt, dialect, target))
    assert normal(heard, words) == normal(prompt, words)


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_request_comes_back_as_it_was(mine: str, theirs: str, data: st.DataObject) -> None:
    words = Words(frozenset({mine, theirs}))
    request = said(data.draw(prompts(words)), mine, TARGETS[mine])
    there = translate(request, theirs, TARGETS[theirs], messages_max=1000).request
    back = translate(there, mine, TARGETS[mine], messages_max=1000).request
    first, last = (DIALECTS[mine].read_prompt(each) for each in (request, back))
    assert normal(last, words) == normal(first, words)
    assert [there.model, there.stream, there.cap.tokens, there.end_user, there.images] == [
        "m", request.stream, request.cap.tokens, request.end_user, request.images,
    ]  # fmt: skip


@pytest.mark.parametrize(("theirs", "mine"), [*PAIRS, *((each, each) for each in TARGETS)])
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_an_answer_arrives_as_it_was_said(theirs: str, mine: str, data: st.DataObject) -> None:
    origin = data.draw(st.sampled_from(SEALS[theirs]))
    said, usage = data.draw(answers(origin)), data.draw(usages())
    cuts = st.lists(st.integers(0, 10**6), max_size=12)
    ending = Event(usage=usage)
    events = [*(event_of((piece,)) for piece in said), ending]

    heard = read_stream(theirs, stream_in(theirs, events), data.draw(cuts))
    got = read_stream(mine, stream_in(mine, heard), data.draw(cuts))
    assert_same(got, said, usage, {theirs, mine}, is_whole=False)

    heard_whole = read_body(theirs, whole_in(theirs, events))
    got_whole = read_body(mine, whole_in(mine, heard_whole))
    assert_same(got_whole, said, usage, {theirs, mine}, is_whole=True)

    folded = read_body(mine, whole_in(mine, heard))
    assert_same(folded, said, usage, {theirs, mine}, is_whole=True)


def assert_same(
    events: list[Event], said: list[Piece], usage: Usage, dialects: set[str], *, is_whole: bool
) -> None:
    """Compare an answer as it arrived with what was said."""
    got = pieces_of(events)
    assert normal_blocks(blocks_of(got), dialects, is_whole=is_whole) == normal_blocks(
        blocks_of(said), dialects, is_whole=is_whole
    )
    finished = [piece for piece in got if isinstance(piece, Finished)]
    assert got[-1:] == finished
    assert finish_of(finished[0], dialects) == finish_of(said[-1], dialects)
    assert usage_of(events) == usage


def finish_of(piece: Piece, dialects: set[str]) -> str:
    """Return why an answer ended, in words that all dialects have."""
    assert isinstance(piece, Finished)
    return "content_filter" if piece.reason == "refusal" and "messages" in dialects else piece.reason
