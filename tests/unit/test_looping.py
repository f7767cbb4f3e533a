"""What is taken for a loop and what is not: two calls are the same by the end of their conversation."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.call import Request
from seawall.core.looping import Loop, LoopBreaker, LoopRules, fingerprint_of
from seawall.wire.chat.request import read_request
from seawall.wire.embeddings import read_request as read_embeddings
from seawall.wire.messages.request import read_request as read_messages
from seawall.wire.responses.request import read_request as read_responses


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


def image(url: str) -> dict[str, Any]:
    return user([{"type": "text", "text": "Describe it."}, {"type": "image_url", "image_url": {"url": url}}])


def same(one: Request, other: Request, *, is_near: bool) -> bool:
    return fingerprint_of(one, is_near=is_near) == fingerprint_of(other, is_near=is_near)


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
    assert [same(HELLO, other, is_near=near) for near in (False, True)] == [exactly, nearly]


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


@pytest.mark.parametrize(("one", "other"), [("bed", "fad"), ("a", "b"), ("", "ace"), ("face-bead", "face")])
def test_words_of_the_letters_that_ids_are_made_of_are_words(one: str, other: str) -> None:
    assert not same(chat(user(f"Translate: {one}")), chat(user(f"Translate: {other}")), is_near=True)


@given(
    ids=st.lists(st.uuids(), min_size=2, max_size=2), numbers=st.lists(st.integers(0), min_size=2, max_size=2)
)
def test_ids_and_numbers_of_a_person_do_not_count(ids: list[uuid.UUID], numbers: list[int]) -> None:
    first, second = (
        chat(user(f"Order {number}, id {each}, of 2026-11-{number % 28}: late?"))
        for each, number in zip(ids, numbers, strict=True)
    )
    assert same(first, second, is_near=True)


def test_tables_count_exactly() -> None:
    table = "1 2 3 4 5 6 7 8 9\n" * 100
    assert same(chat(user(table)), chat(user(table)), is_near=True)
    assert not same(chat(user(table)), chat(user(table.replace("9", "8"))), is_near=True)


@given(texts=st.lists(st.text(max_size=60), min_size=2, max_size=2))
def test_what_is_the_same_is_nearly_the_same(texts: list[str]) -> None:
    first, second = (chat(user(text)) for text in texts)
    assert same(first, first, is_near=True)
    if same(first, second, is_near=False):
        assert texts[0] == texts[1]
        assert same(first, second, is_near=True)


def chat_step(call: str, arguments: str, result: str) -> Request:
    return chat(user("Sum the rows."), calls_tool(call, arguments), gets(call, result))


def messages_step(call: str, arguments: str, result: str) -> Request:
    said = {"type": "tool_use", "id": call, "name": "look", "input": json.loads(arguments)}
    got = {"type": "tool_result", "tool_use_id": call, "content": result}
    turns = [user("Sum the rows."), {"role": "assistant", "content": [said]}, user([got])]
    return read_messages({"model": "m", "max_tokens": 9, "messages": turns}, raw_bytes=100, messages_max=9)


def responses_step(call: str, arguments: str, result: str) -> Request:
    said = {
        "type": "function_call",
        "id": f"fc_{call}",
        "call_id": call,
        "name": "look",
        "arguments": arguments,
    }
    got = {"type": "function_call_output", "call_id": call, "output": result}
    return read_responses(
        {"model": "m", "input": [user("Sum the rows."), said, got]}, raw_bytes=100, messages_max=9
    )


@pytest.mark.parametrize("step", [chat_step, messages_step, responses_step])
def test_an_agent_that_works_through_numbered_rows_is_no_loop(step: Any) -> None:
    first = step("call_1", '{"id": "17"}', "price 12.50")
    assert same(first, step("call_2", '{"id": "17"}', "price 12.50"), is_near=True)
    assert not same(first, step("call_2", '{"id": "18"}', "price 12.50"), is_near=True)
    assert not same(first, step("call_2", '{"id": "17"}', "price 13.50"), is_near=True)


def test_other_pictures_are_other_calls_however_alike_their_addresses() -> None:
    seventeen, eighteen = (
        chat(image("https://shop.example/17.png")),
        chat(image("https://shop.example/18.png")),
    )
    assert [same(seventeen, eighteen, is_near=near) for near in (False, True)] == [False, False]
    assert same(seventeen, chat(image("https://shop.example/17.png")), is_near=True)


@given(place=st.integers(0, 899))
def test_other_pictures_of_one_size_are_other_calls(place: int) -> None:
    black = "A" * 900
    dot = black[:place] + "B" + black[place + 1 :]
    address = "data:image/png;base64,"
    assert not same(chat(image(address + black)), chat(image(address + dot)), is_near=True)


def file(file_id: str) -> Request:
    return chat(
        user([{"type": "text", "text": "Sum it up."}, {"type": "file", "file": {"file_id": file_id}}])
    )


def sound(data: str) -> Request:
    part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    return chat(user([{"type": "text", "text": "Write it down."}, part]))


def photo(data: str) -> Request:
    source = {"type": "base64", "media_type": "image/png", "data": data}
    said = [{"type": "text", "text": "Describe it."}, {"type": "image", "source": source}]
    return read_messages(
        {"model": "m", "max_tokens": 9, "messages": [user(said)]}, raw_bytes=9, messages_max=9
    )


def picture(url: str) -> Request:
    said = [{"type": "input_text", "text": "Describe it."}, {"type": "input_image", "image_url": url}]
    return read_responses({"model": "m", "input": [user(said)]}, raw_bytes=9, messages_max=9)


def tokens(value: Any) -> Request:
    return read_embeddings({"model": "m", "input": value}, raw_bytes=9, messages_max=9)


@pytest.mark.parametrize(
    ("make", "one", "other"),
    [
        (file, "file-a1", "file-a2"),
        (sound, "AAAA", "AAAB"),
        (photo, "AAAA", "AAAB"),
        (picture, "https://shop.example/17.png", "https://shop.example/18.png"),
        (tokens, [1, 2, 3], [1, 2, 4]),
        (tokens, [[1, 2], [3]], [[1, 2], [4]]),
        (tokens, ["word", [3]], ["word", [4]]),
        (tokens, list(range(9_000)), list(range(1, 9_001))),
        (tokens, ["item 1"], ["item 2"]),
    ],
)
def test_what_is_no_text_counts_exactly_in_every_dialect(make: Any, one: Any, other: Any) -> None:
    assert same(make(one), make(one), is_near=False)
    assert not same(make(one), make(other), is_near=False)


def test_an_agent_that_gets_the_same_picture_again_and_again_is_stuck() -> None:
    history, seen = [user("Press the button.")], set()
    for step in range(5):
        history += [
            calls_tool(f"call_{step}", "{}"),
            gets(f"call_{step}", "pressed"),
            image("https://x.example/a"),
        ]
        seen.add(fingerprint_of(chat(*history), is_near=True))
    assert len(seen) == 1


def test_many_texts_are_told_apart_by_the_first_and_the_last_of_them() -> None:
    many = [user(f"word {chr(97 + number % 26)}") for number in range(500)]
    prints = {
        fingerprint_of(chat(*each), is_near=True)
        for each in (many, [user("other"), *many[1:]], [*many[:-1], user("other")], [*many, user("other")])
    }
    assert len(prints) == 4


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
