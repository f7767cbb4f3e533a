"""Nothing is lost and nothing invented on the way from any dialect to any other, and back."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seawall.core.call import Event, Json, Request
from seawall.core.money import Usage
from seawall.core.pieces import Finished, Piece, RefusalPiece, SealOrigin
from seawall.wire.dialect import event_of
from seawall.wire.prompt import Prompt, Reasoning, Refusal, Target, TextPart, ToolUse
from seawall.wire.translation import DIALECTS, translate
from tests.wire.answers import (
    SEALS,
    Block,
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
VENDORS = {"anthropic": "messages", "openai": "responses"}
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
    has_refusal = any(isinstance(piece, RefusalPiece) for piece in said)
    assert finish_of(finished[0], dialects) == finish_of(said[-1], dialects, has_refusal=has_refusal)
    assert usage_of(events) == usage


def finish_of(piece: Piece, dialects: set[str], *, has_refusal: bool = False) -> str:
    """Return why an answer ended, in words that all dialects have: in messages a refusal is a reason."""
    assert isinstance(piece, Finished)
    if "messages" not in dialects:
        return piece.reason
    is_refusal = piece.reason == "refusal" or (has_refusal and piece.reason == "stop")
    return "content_filter" if is_refusal else piece.reason


@pytest.mark.parametrize("mine", TARGETS)
@pytest.mark.parametrize("origin", ["anthropic", "openai"])
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_an_answer_that_is_sent_back_reaches_its_vendor(
    mine: str, origin: SealOrigin, data: st.DataObject
) -> None:
    said = data.draw(answers(origin))
    assume(blocks_of(said))
    body = msgspec.json.decode(whole_in(mine, [event_of(tuple(said))]))
    request = DIALECTS[mine].read_request(with_answer(mine, body), raw_bytes=0, messages_max=10)
    prompt = DIALECTS[mine].read_prompt(request)
    assert same(blocks_in(prompt), blocks_of(said), {mine})
    sealed = [block for block in blocks_of(said) if block.kind != "reasoning" or block.seal is not None]
    for theirs, target in ((VENDORS[origin], TARGETS[VENDORS[origin]]), ("chat", OPENROUTER)):
        written = DIALECTS[theirs].write_prompt(prompt, target)
        reaches = blocks_of(said) if theirs == "chat" else sealed
        assert ("reasoning" in written.notes) == (reaches != blocks_of(said))
        there = DIALECTS[theirs].read_request(written.body, raw_bytes=0, messages_max=10)
        dialects = {mine, theirs} if theirs != "chat" or origin != "openai" else {mine, theirs, "no refusals"}
        assert same(blocks_in(DIALECTS[theirs].read_prompt(there)), reaches, dialects)


def same(got: list[Block], said: list[Block], dialects: set[str]) -> bool:
    if "no refusals" in dialects:  # OpenRouter gets them as text.
        dialects = {*dialects, "messages"}
    return normal_blocks(got, dialects, is_whole=True) == normal_blocks(said, dialects, is_whole=True)


def with_answer(dialect: str, answer: Json) -> Json:
    """Return the request with which a client goes on: its question, and the answer as it came."""
    asked = {"role": "user", "content": "Hi"}
    if dialect == "chat":
        return {"model": "m", "messages": [asked, answer["choices"][0]["message"]]}
    if dialect == "messages":
        return {"model": "m", "messages": [asked, {"role": "assistant", "content": answer["content"]}]}
    return {"model": "m", "input": [asked, *answer["output"]]}


def blocks_in(prompt: Prompt) -> list[Block]:
    """Return what the assistant said after the question, as blocks of an answer."""
    blocks = []
    for part in (part for turn in prompt.turns[1:] for part in turn.parts):
        if isinstance(part, TextPart):
            blocks.append(Block("text", (part.text,)))
        elif isinstance(part, Refusal):
            blocks.append(Block("refusal", (part.text,)))
        elif isinstance(part, Reasoning):
            blocks.append(Block("reasoning", part.texts, part.seal))
        elif isinstance(part, ToolUse):
            arguments = msgspec.json.encode(msgspec.json.decode(part.arguments or "{}")).decode()
            blocks.append(Block(part.kind, (arguments,), None, part.id, part.name))
    return blocks
