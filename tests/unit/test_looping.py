"""What is taken for a loop and what is not: two calls are the same by the end of their conversation."""

from typing import Any

import pytest

from seawall.core.call import Request
from seawall.core.looping import Loop, LoopBreaker, LoopRules, fingerprint_of
from seawall.wire.chat.request import read_request


def chat(*messages: dict[str, Any], model: str = "m") -> Request:
    return read_request({"model": model, "messages": list(messages)}, raw_bytes=100, messages_max=1_000)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def says(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def calls_tool(call_id: str, arguments: str) -> dict[str, Any]:
    call = {"id": call_id, "type": "function", "function": {"name": "look", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def gets(call_id: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def image(size: int) -> dict[str, Any]:
    return user([{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * size}}])


HELLO = chat(user("Hello there, order 17"))


@pytest.mark.parametrize(
    ("other", "exactly", "nearly"),
    [
        (chat(user("Hello there, order 17")), True, True),
        (chat(user("hello  THERE,\norder 4711")), False, True),
        (chat(user("Hello there, my friend")), False, False),
        (chat(user("Hello there, order 17"), model="other"), False, False),
        (chat({"role": "system", "content": "Be brief."}, user("Hello there, order 17")), False, False),
    ],
)
def test_first_turns_are_compared_whole(other: Request, exactly: bool, nearly: bool) -> None:
    same = [
        fingerprint_of(HELLO, is_near=near) == fingerprint_of(other, is_near=near) for near in (False, True)
    ]
    assert same == [exactly, nearly]


def test_an_agent_that_makes_progress_differs_from_step_to_step() -> None:
    history = [user("Find the calm sea.")]
    seen = set()
    for step in range(40):
        history += [
            calls_tool(f"call_{step}x", '{"page": "next"}'),
            gets(f"call_{step}x", f"page {chr(97 + step)}"),
        ]
        seen.add(fingerprint_of(chat(*history), is_near=False))
    assert len(seen) == 40


def test_an_agent_that_is_stuck_repeats_itself_however_long_its_history_and_whatever_the_ids() -> None:
    history = [user("Find the calm sea.")]
    seen = set()
    for step in range(40):
        call_id = f"call_{chr(103 + step % 19)}Zq{step}"
        history += [calls_tool(call_id, '{"page": "next"}'), gets(call_id, "error: try again")]
        seen.add(fingerprint_of(chat(*history), is_near=False))
    assert len(seen) == 1


def test_going_on_after_other_answers_is_progress() -> None:
    first = chat(user("Write a book."), says("Chapter one."), user("continue"))
    second = chat(
        user("Write a book."), says("Chapter one."), user("continue"), says("Then."), user("continue")
    )
    assert fingerprint_of(first, is_near=True) != fingerprint_of(second, is_near=True)


def test_other_pictures_are_other_calls() -> None:
    assert fingerprint_of(chat(image(100)), is_near=True) != fingerprint_of(chat(image(104)), is_near=True)


def test_long_texts_are_told_apart_by_their_ends() -> None:
    wall = "z" * 50_000
    prints = {fingerprint_of(chat(user(text)), is_near=True) for text in (wall, wall + "x", "x" + wall)}
    assert len(prints) == 3


def test_more_of_the_same_than_the_rules_allow_is_a_loop_while_it_goes_on() -> None:
    breaker = LoopBreaker(LoopRules(calls=3, window_s=60.0))
    seen = [breaker.look_at("ada", 1, 3, float(second)) for second in (0, 10, 20, 30, 40)]
    assert seen == [None, None, None, Loop(4, 30.0, 40.0), Loop(4, 30.0, 40.0)]
    assert breaker.look_at("ada", 2, 3, 41.0) is None
    assert breaker.look_at("bob", 1, 3, 41.0) is None
    assert breaker.look_at("ada", 1, 3, 99.0) is None


def test_a_slow_repetition_is_no_loop() -> None:
    breaker = LoopBreaker(LoopRules(calls=3, window_s=60.0))
    assert [breaker.look_at("ada", 1, 3, 20.0 * number) for number in range(50)] == [None] * 50
