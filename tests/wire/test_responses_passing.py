"""Responses that go to a client of the same dialect: what is read of them, and what is changed."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seawall.core.call import Event
from seawall.core.errors import UpstreamUnavailable
from seawall.core.money import Usage
from seawall.wire import sse
from seawall.wire.dialect import Answering, KeepingWriter, Reading
from seawall.wire.responses.answer import ResponsesReader, read_answer
from seawall.wire.responses.passing import Passing
from seawall.wire.responses.request import read_request

RECORDED = Path(__file__).parent / "recorded" / "responses"
STREAMS = sorted(path.name for path in RECORDED.glob("*.sse"))


def answering(**fields: Any) -> Answering:
    body = {"model": "gpt-test", "input": "Hello", "stream": True, **fields}
    request = read_request(body, raw_bytes=10, messages_max=4)
    return Answering(request, "answer1", 1_700_000_000, "gpt-real", 100)


def frames_of(name: str) -> list[bytes]:
    return sse.FrameSplitter().feed((RECORDED / name).read_bytes())


def frame(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def read_all(frames: list[bytes]) -> list[Reading]:
    reader = ResponsesReader(wants_usage=True)
    return [reader.read(sse.data_of(each) or b"", each) for each in frames]


def passed(frames: list[bytes], passing: Passing) -> list[bytes]:
    return [passing.write(reading.event) for reading in read_all(frames)]


def data(written: bytes) -> Any:
    return json.loads(sse.data_of(written) or b"null")


def events(written: bytes) -> list[Any]:
    return [data(each) for each in sse.FrameSplitter().feed(written)]


@pytest.mark.parametrize(
    ("name", "text", "reasoning", "tool", "finish", "usage"),
    [
        ("text.sse", "Hi there! How can I assist you today?", "", "", "stop", Usage(input=37, output=11)),
        (
            "tools.sse",
            "",
            "",
            'get_weather{"location":"Paris, France"}',
            "tool_calls",
            Usage(input=291, output=23),
        ),
        (
            "reasoning.sse",
            "Hi there! How can I assist you today?",
            '**Responding to a greeting**\n\nThe user just said, "Hello!" So, it seems I need to engage. I\'ll greet '
            "them back and offer help since they're looking to chat.",
            "",
            "stop",
            Usage(input=81, output=1035, reasoning=832),
        ),
    ],
)
def test_a_stream_is_read_for_what_it_bills(
    name: str, text: str, reasoning: str, tool: str, finish: str, usage: Usage
) -> None:
    readings = read_all(frames_of(name))
    seen = [reading.event for reading in readings]
    assert "".join(event.text for event in seen) == text
    assert "".join(event.reasoning for event in seen) == reasoning
    assert "".join(event.tool for event in seen) == tool
    assert (seen[-1].finish, seen[-1].usage, seen[-1].last, readings[-1].is_end) == (
        finish,
        usage,
        True,
        True,
    )
    assert not any(reading.is_end or reading.error for reading in readings[:-1])
    assert [event.raw for event in seen] == frames_of(name)


def test_the_documentations_whole_answers_are_read() -> None:
    text = read_answer((RECORDED / "text.json").read_bytes())
    assert text.error is None
    assert text.event.text.startswith("In a peaceful grove")
    assert (text.event.finish, text.event.usage, text.event.last) == (
        "stop",
        Usage(input=36, output=87),
        True,
    )
    tools = read_answer((RECORDED / "tools.json").read_bytes())
    assert tools.event.tool == 'get_current_weather{"location":"Boston, MA","unit":"celsius"}'
    assert (tools.event.finish, tools.event.usage) == ("tool_calls", Usage(input=291, output=23))


@pytest.mark.parametrize("name", STREAMS)
def test_frames_pass_byte_identical_but_for_the_clients_fields(name: str) -> None:
    frames, passing = frames_of(name), Passing(answering(metadata={"a": "b"}))
    written = passed(frames, passing)
    assert written[2:-1] == frames[2:-1]
    assert written[-1] == b""
    for before, after in ((frames[0], written[0]), (frames[1], written[1]), (frames[-1], passing.end())):
        expected = data(before)
        expected["response"].update(
            id="resp_answer1", metadata={"a": "b"}, previous_response_id=None, store=True, background=False
        )
        assert data(after) == expected
        assert after.partition(b"\n")[0] == before.partition(b"\n")[0]
    assert passing.end() == passing.end()


def test_what_the_client_asked_for_stands_in_the_answer() -> None:
    passing = Passing(
        answering(store=False, previous_response_id="resp_0", user="ada", safety_identifier="ada-1")
    )
    passed(frames_of("text.sse"), passing)
    response = json.loads(passing.response())
    fields = ("id", "store", "previous_response_id", "metadata", "user", "safety_identifier")
    assert [response[field] for field in fields] == ["resp_answer1", False, "resp_0", {}, "ada", "ada-1"]


def test_numbers_in_a_patched_object_stay_as_they_were_written() -> None:
    raw = b'{"id":"resp_v","status":"completed","temperature":1.0,"seed":123456789012345678901234567890,"output":[]}'
    passing = Passing(answering(stream=False))
    passing.write(read_answer(raw).event)
    assert b'"temperature":1.0,"seed":123456789012345678901234567890,' in passing.whole()


def test_a_whole_answer_is_patched_and_stored_as_the_client_gets_it() -> None:
    raw = (RECORDED / "tools.json").read_bytes()
    passing = Passing(answering(stream=False))
    assert isinstance(passing, KeepingWriter)
    assert passing.write(read_answer(raw).event) == b""
    assert json.loads(passing.whole()) == {**json.loads(raw), "id": "resp_answer1", "background": False}
    assert passing.response() == passing.whole()
    (item,) = passing.output_items()
    assert item.id == "fc_67ca09c6bedc8190a7abfec07b1a1332096610f474011cc0"
    assert json.loads(item.body) == json.loads(raw)["output"][0]


def test_the_items_of_a_stream_are_stored_byte_identical() -> None:
    passing = Passing(answering())
    passed(frames_of("reasoning.sse"), passing)
    reasoning, message = passing.output_items()
    assert reasoning.id.startswith("rs_") and message.id.startswith("msg_")
    assert b'"encrypted_content":"gAAAAABo-mock-encrypted=="' in reasoning.body


def test_an_item_without_an_id_gets_one_for_the_store() -> None:
    raw = b'{"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}'
    passing = Passing(answering(stream=False))
    passing.write(read_answer(raw).event)
    assert passing.output_items()[0].id.startswith("fc_")


def test_a_cut_stream_is_closed_in_the_middle_of_a_text() -> None:
    passing = Passing(answering())
    passed(frames_of("text.sse")[:7], passing)
    closing = events(passing.write(Event(finish="length")))
    assert passing.write(Event(last=True)) == b""
    message = {
        "id": "msg_67c9fdcf37fc8190ba82116e33fb28c507b8b0ad4e5eb654",
        "type": "message",
        "status": "incomplete",
        "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi there!"}],
    }
    assert [(event["type"], event["sequence_number"]) for event in closing] == [
        ("response.output_text.done", 7),
        ("response.content_part.done", 8),
        ("response.output_item.done", 9),
    ]
    assert closing[0]["text"] == "Hi there!"
    assert closing[2]["item"] == message
    last = data(passing.end())
    assert (last["type"], last["sequence_number"]) == ("response.incomplete", 10)
    response = last["response"]
    assert (response["id"], response["status"]) == ("resp_answer1", "incomplete")
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"] == [message]
    assert json.loads(passing.response()) == response
    assert [item.id for item in passing.output_items()] == [message["id"]]


def test_a_cut_stream_is_closed_in_the_middle_of_a_tool_call() -> None:
    passing = Passing(answering())
    passed(frames_of("tools.sse")[:5], passing)
    closing = events(passing.write(Event(finish="length")))
    assert [event["type"] for event in closing] == [
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    assert closing[1]["item"] == {
        "id": "fc_1234xyz",
        "type": "function_call",
        "status": "incomplete",
        "call_id": "call_1234xyz",
        "name": "get_weather",
        "arguments": '{"location',
    }


def test_a_cut_stream_is_closed_in_the_middle_of_reasoning() -> None:
    passing = Passing(answering())
    passed(frames_of("reasoning.sse")[:5], passing)
    closing = events(passing.write(Event(finish="length")))
    assert [event["type"] for event in closing] == [
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
    ]
    assert closing[2]["item"]["summary"] == [
        {"type": "summary_text", "text": "**Responding to a greeting**"},
    ]


def test_a_stream_cut_between_two_items_keeps_the_first() -> None:
    passing = Passing(answering())
    passed(frames_of("reasoning.sse")[:10], passing)
    assert passing.write(Event(finish="length")) == b""
    response = json.loads(passing.response())
    assert [item["type"] for item in response["output"]] == ["reasoning"]
    assert data(passing.end())["sequence_number"] == 10


def test_a_stream_cut_in_parallel_calls_and_raw_reasoning_is_closed() -> None:
    frames = [
        frame("response.created", sequence_number=0, response={"id": "r", "output": []}),
        frame("response.output_item.added", sequence_number=1, output_index=0, item={"id": "rs", "type": "reasoning"}),
        frame("response.content_part.added", sequence_number=2, output_index=0, content_index=0),
        frame("response.reasoning_text.delta", sequence_number=3, output_index=0, content_index=0, delta="hm"),
        frame("response.output_item.added", sequence_number=4, output_index=1, item={"id": "ctc", "type": "custom_tool_call", "call_id": "c", "name": "g"}),
        frame("response.custom_tool_call_input.delta", sequence_number=5, output_index=1, delta="raw"),
        frame("response.output_item.added", sequence_number=6, output_index=2, item={"id": "msg", "type": "message"}),
        frame("response.refusal.delta", sequence_number=7, output_index=2, content_index=0, delta="no"),
        frame("response.output_item.added", sequence_number=8, output_index=3, item={"id": "x", "type": "other"}),
        b"data: [1]\n\n",
        b": a comment\n\n",
    ]  # fmt: skip
    passing = Passing(answering())
    for each in frames:
        event_data = sse.data_of(each)
        reading = (
            Reading(Event(raw=each))
            if event_data is None or event_data == b"[1]"
            else ResponsesReader(wants_usage=True).read(event_data, each)
        )
        passing.write(reading.event)
    closing = events(passing.write(Event(finish="content_filter")))
    assert [event["sequence_number"] for event in closing] == list(range(9, 9 + len(closing)))
    response = json.loads(passing.response())
    assert response["incomplete_details"] == {"reason": "content_filter"}
    assert [item["type"] for item in response["output"]] == ["reasoning", "custom_tool_call", "message"]
    assert response["output"][0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert response["output"][1]["input"] == "raw"
    assert response["output"][2]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_an_error_in_the_middle_ends_the_stream_in_the_dialect() -> None:
    passing = Passing(answering())
    passed(frames_of("text.sse")[:5], passing)
    error, failed = events(passing.fail(UpstreamUnavailable("It broke off.", param="input")))
    assert error == {
        "type": "error",
        "sequence_number": 5,
        "code": "upstream_unavailable",
        "message": "It broke off.",
        "param": "input",
    }
    assert (failed["type"], failed["sequence_number"]) == ("response.failed", 6)
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_answer1", "failed")
    assert failed["response"]["error"] == {"code": "upstream_unavailable", "message": "It broke off."}


def test_an_error_before_the_response_has_begun_stands_alone() -> None:
    (error,) = events(Passing(answering()).fail(UpstreamUnavailable("It broke off.")))
    assert (error["type"], error["sequence_number"]) == ("error", 0)


USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@pytest.mark.parametrize(
    ("written", "error", "usage"),
    [
        (
            frame("response.failed", response={"status": "failed", "error": {"code": "server_error", "message": "x"}, "usage": USAGE}),
            {"code": "server_error", "message": "x"},
            Usage(input=5, output=2),
        ),
        (
            frame("response.failed", response={"status": "failed", "error": None}),
            {"message": "The response ended with the status failed."},
            None,
        ),
        (
            frame("error", code="rate_limit_exceeded", message="slow down", param=None),
            {"message": "slow down", "code": "rate_limit_exceeded", "param": None},
            None,
        ),
        (frame("error", error={"message": "x", "type": "server_error"}), {"message": "x", "type": "server_error"}, None),
        (b'data: {"error": "odd"}\n\n', "odd", None),
    ],
)  # fmt: skip
def test_errors_inside_a_stream_are_told(written: bytes, error: Any, usage: Usage | None) -> None:
    (reading,) = read_all([written])
    assert (reading.error, reading.event.usage) == (error, usage)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (
            {"status": "failed", "error": {"code": "server_error", "message": "x"}},
            {"code": "server_error", "message": "x"},
        ),
        ({"status": "cancelled"}, {"message": "The response ended with the status cancelled."}),
        ({"status": "queued"}, {"message": "The response ended with the status queued."}),
        ({"error": {"message": "x"}}, {"message": "x"}),
        ({"status": "completed", "error": None}, None),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            None,
        ),
    ],
)
def test_whole_answers_that_failed_are_told(raw: dict[str, Any], error: Any) -> None:
    assert read_answer(json.dumps(raw).encode()).error == error


@pytest.mark.parametrize(
    ("details", "finish"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        (None, "length"),
    ],
)
def test_an_incomplete_answer_says_why(details: Any, finish: str) -> None:
    response = {"status": "incomplete", "incomplete_details": details}
    (reading,) = read_all([frame("response.incomplete", response=response)])
    assert (reading.event.finish, reading.is_end) == (finish, True)


def test_what_no_delta_said_is_counted_at_the_end_of_its_item() -> None:
    message = {"id": "m", "type": "message", "content": [{"type": "output_text", "text": "Hi"}, {"type": "refusal", "refusal": "no"}]}  # fmt: skip
    reasoning = {"id": "r", "type": "reasoning", "summary": [{"text": "a"}], "content": [{"text": "b"}]}
    call = {"id": "f", "type": "function_call", "name": "f", "arguments": "{}"}
    frames = [
        frame("response.output_item.done", output_index=0, item=message),
        frame("response.output_item.done", output_index=1, item=reasoning),
        frame("response.output_item.added", output_index=2, item={**call, "arguments": ""}),
        frame("response.output_item.done", output_index=2, item=call),
    ]
    seen = [reading.event for reading in read_all(frames)]
    assert [(event.text, event.reasoning, event.tool) for event in seen] == [
        ("Hino", "", ""),
        ("", "ab", ""),
        ("", "", "f"),
        ("", "", "{}"),
    ]


def test_fields_of_another_type_count_as_text() -> None:
    frames = [
        frame("response.output_text.delta", delta={"text": "Hi"}),
        frame("response.future.delta", delta="new", output_index="0"),
        frame("response.output_item.done", output_index=7, item={"type": "message", "content": "Hi"}),
    ]
    assert [reading.event.text for reading in read_all(frames)] == [
        '{"text":"Hi"}',
        "new",
        '{"type":"message","content":"Hi"}',
    ]
    response = {
        "status": "completed",
        "output": "odd",
        "usage": {"input_tokens": "5"},
        "incomplete_details": 3,
    }
    (end,) = read_all([frame("response.completed", response=response)])
    assert (end.event.finish, end.event.usage, end.is_end) == ("stop", None, True)
    whole = read_answer(json.dumps({**response, "output": [5]}).encode())
    assert (whole.event.text, whole.error) == ("5", None)


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"null",
        b"[DONE]",
        b"{",
        b"\xff",
        b'{"type":"response.completed"}',
        b'{"type":"response.created","response":5}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        ResponsesReader(wants_usage=True).read(raw, raw)


@pytest.mark.parametrize("raw", [b"[]", b"x", b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        read_answer(raw)


def test_a_stream_is_complete_with_its_last_frame_only() -> None:
    reader = ResponsesReader(wants_usage=False)
    *frames, last = frames_of("text.sse")
    for each in frames:
        reader.read(sse.data_of(each) or b"", each)
    assert not reader.is_complete
    assert reader.read(sse.data_of(last) or b"", last).is_end
    assert reader.is_complete
