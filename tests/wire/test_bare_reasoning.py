"""Earlier reasoning without a seal: left out and noted for vendors that would refuse it."""

from typing import Any

import pytest

from seawall.core.call import Json, Request
from seawall.core.pieces import Seal
from seawall.wire.bare_reasoning import leave_out_bare
from seawall.wire.messages import counting
from seawall.wire.prompt import Prompt, Reasoning, Target, TextPart, Turn
from seawall.wire.translation import DIALECTS

HI = {"role": "user", "content": "Hi"}
NOTE = {"reasoning": "earlier reasoning without a signature is left out"}
TEXT = {"type": "text", "text": "So:"}
BARE = {"type": "thinking", "thinking": "Hm.", "signature": ""}
SEALED = {"type": "thinking", "thinking": "", "signature": "c2ln"}
ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "Hm."}],
}
SEALED_ITEM = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "ZW5j"}


def said(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def asked(dialect: str, conversation: list[Any]) -> Request:
    field = "input" if dialect == "responses" else "messages"
    body = {"model": "m", "max_tokens": 9, field: conversation}
    return DIALECTS[dialect].read_request(body, raw_bytes=0, messages_max=100)


@pytest.mark.parametrize(
    ("dialect", "origin", "given", "kept"),
    [
        ("responses", "openai", [HI, ITEM, HI], [HI, HI]),
        ("responses", "openai", [HI, SEALED_ITEM, {**ITEM, "encrypted_content": None}], [HI, SEALED_ITEM]),
        ("messages", "anthropic", [HI, said(BARE, SEALED, TEXT), HI], [HI, said(SEALED, TEXT), HI]),
        ("messages", "anthropic", [HI, said(BARE), HI], [HI, HI]),
    ],
)
def test_it_is_left_out_and_noted(dialect: str, origin: str, given: list[Any], kept: list[Any]) -> None:
    request = asked(dialect, given)
    field = "input" if dialect == "responses" else "messages"
    left, notes = leave_out_bare(request, origin)
    assert (left.body, notes) == ({**request.body, field: kept}, NOTE)
    assert request.body[field] == given


def test_tokens_are_counted_without_it() -> None:
    body = {"model": "m", "messages": [HI, said(BARE, TEXT), HI]}
    request = counting.read_request(body, raw_bytes=0, messages_max=100)
    assert leave_out_bare(request, "anthropic")[0].body["messages"] == [HI, said(TEXT), HI]


@pytest.mark.parametrize(
    ("dialect", "origin", "given"),
    [
        ("responses", "openai", [HI, SEALED_ITEM]),
        ("responses", "", [HI, ITEM]),
        (
            "messages",
            "anthropic",
            [HI, said(SEALED, TEXT), said({"type": "redacted_thinking", "data": "cmVk"})],
        ),
        ("messages", "", [HI, said(BARE)]),
        ("chat", "openai", [HI, {**said(TEXT), "reasoning_content": "Hm."}]),
    ],
)
def test_everything_else_passes_as_it_is(dialect: str, origin: str, given: list[Any]) -> None:
    request = asked(dialect, given)
    left, notes = leave_out_bare(request, origin)
    assert left is request
    assert notes == {}


@pytest.mark.parametrize("seal", [None, Seal("anthropic", ""), Seal("openai", "")])
def test_it_is_left_out_of_what_anthropic_is_told_in_translation(seal: Seal | None) -> None:
    hello = Turn("user", (TextPart("Hi"),))
    bare = Reasoning(("Hm.",), seal=seal)
    sealed = Reasoning((), seal=Seal("anthropic", "c2ln"))
    turns = (
        hello,
        Turn("assistant", (bare, sealed, TextPart("So:"))),
        Turn("assistant", (bare,)),
        Turn("assistant", (TextPart("Yes."),)),
    )
    target = Target("m", vendor="anthropic", seal_origin="anthropic")
    written = DIALECTS["messages"].write_prompt(Prompt("m", turns), target)
    assert written.body["messages"] == [HI, said(SEALED, TEXT), {"role": "assistant", "content": "Yes."}]
    assert written.notes == NOTE
