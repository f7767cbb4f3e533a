"""Answers of other dialects written as responses, and responses read into pieces."""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from seawall.core.call import Event
from seawall.core.errors import UpstreamUnavailable
from seawall.core.money import Usage
from seawall.core.pieces import (
    Began,
    Finished,
    Piece,
    ReasoningPiece,
    RefusalPiece,
    Seal,
    SealPiece,
    TextPiece,
    ToolPiece,
)
from seawall.wire import sse
from seawall.wire.dialect import Answering, KeepingWriter, event_of
from seawall.wire.responses.reader import PieceReader, read_pieces
from seawall.wire.responses.request import read_request
from seawall.wire.responses.writer import Writer

RECORDED = Path(__file__).parent / "recorded" / "responses"
STREAM_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

EVERYTHING: tuple[Piece, ...] = (
    Began("x", "y"),
    ReasoningPiece(0, "First, ", is_summary=True),
    ReasoningPiece(0, "look.", is_summary=True),
    ReasoningPiece(0, "Then think.", is_summary=True, part=1),
    SealPiece(0, Seal("openai", "ENC", id="rs_theirs")),
    ReasoningPiece(1, "Hmm"),
    SealPiece(1, Seal("anthropic", "SIG")),
    SealPiece(2, Seal("anthropic", "RED", is_redacted=True)),
    TextPiece(3, "Hi"),
    TextPiece(3, " you"),
    RefusalPiece(4, "No."),
    ToolPiece(5, "call_1", "f"),
    ToolPiece(6, "call_2", "g", kind="custom"),
    ToolPiece(5, arguments='{"a":'),
    ToolPiece(6, arguments="raw", kind="custom"),
    ToolPiece(5, arguments="1}"),
    Finished("tool_calls"),
)


def answering(**fields: Any) -> Answering:
    body = {"model": "gpt-test", "input": "Hello", "stream": True, **fields}
    request = read_request(body, raw_bytes=10, messages_max=4)
    return Answering(request, "answer1", 1_700_000_000, "claude-test", 100)


def written(writer: Writer, *pieces: Piece, usage: Usage | None = None) -> bytes:
    frames = b"".join(writer.write(event_of((piece,))) for piece in pieces)
    if usage is not None:
        frames += writer.write(Event(usage=usage))
    return frames + writer.end()


def events(frames: bytes) -> list[Any]:
    return [json.loads(sse.data_of(each) or b"null") for each in sse.FrameSplitter().feed(frames)]


def read_all(frames: bytes) -> tuple[Piece, ...]:
    reader = PieceReader()
    pieces: list[Piece] = []
    for each in sse.FrameSplitter().feed(frames):
        pieces += reader.read(sse.data_of(each) or b"", each).event.pieces
    assert reader.is_complete
    return tuple(pieces)


def client_of(body: bytes, kind: str) -> openai.OpenAI:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    transport = httpx.MockTransport(answer)
    return openai.OpenAI(api_key="sk-mock-1", http_client=httpx.Client(transport=transport))


def test_a_text_comes_in_the_documented_order() -> None:
    writer = Writer(answering())
    assert isinstance(writer, KeepingWriter)
    told = events(
        written(
            writer,
            Began(),
            TextPiece(0, "Hi"),
            TextPiece(0, "!"),
            Finished("stop"),
            usage=Usage(input=5, output=2),
        )
    )
    assert [event["sequence_number"] for event in told] == list(range(10))
    item_id = told[2]["item"]["id"]
    place = {"item_id": item_id, "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi!"}
    item = {"id": item_id, "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    assert [{name: told[n][name] for name in told[n] if name != "sequence_number"} for n in range(2, 9)] == [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **place, "delta": "Hi", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": "!", "logprobs": []},
        {"type": "response.output_text.done", **place, "text": "Hi!", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]  # fmt: skip
    assert [told[n]["type"] for n in (0, 1, 9)] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    assert told[9]["response"]["output"] == [item]
    assert [(stored.id, json.loads(stored.body)) for stored in writer.output_items()] == [(item_id, item)]
    assert json.loads(writer.response()) == told[9]["response"]


def test_the_response_echoes_the_request_with_openais_defaults() -> None:
    usage = Usage(input=10, output=7, cached_read=4, cached_write=1, reasoning=3)
    writer = Writer(answering())
    written(writer, Finished("stop"), usage=usage)
    assert json.loads(writer.whole()) == {
        "id": "resp_answer1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "background": False,
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "model": "claude-test",
        "output": [],
        "parallel_tool_calls": True,
        "presence_penalty": 0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 17,
        },
        "user": None,
        "metadata": {},
    }


def test_what_was_asked_for_is_echoed() -> None:
    asked = {
        "instructions": "Be brief.",
        "max_output_tokens": 50,
        "max_tool_calls": 2,
        "parallel_tool_calls": False,
        "previous_response_id": "resp_0",
        "prompt_cache_key": "k",
        "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": "ada-1",
        "store": False,
        "temperature": 0.0,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "tool_choice": {"type": "function", "name": "f"},
        "tools": [{"type": "function", "name": "f", "description": None, "parameters": {}, "strict": True}],
        "top_p": 0.5,
        "user": "ada",
        "metadata": {"a": "b"},
    }
    response = json.loads(Writer(answering(**asked)).whole())
    assert {name: response[name] for name in asked} == asked


def test_everything_is_written_as_the_sdk_reads_it() -> None:
    writer = Writer(answering())
    frames = written(writer, *EVERYTHING, usage=Usage(input=5, output=6))
    for each in sse.FrameSplitter().feed(frames):
        STREAM_EVENT.validate_json(sse.data_of(each) or b"")
    Response.model_validate_json(writer.whole())
    told = events(frames)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    with client_of(frames, "text/event-stream").responses.stream(model="m", input="x") as stream:
        seen = [event.type for event in stream]
        final = stream.get_final_response()
    assert seen == [event["type"] for event in told]
    assert final.output_text == "Hi you"
    assert [item.type for item in final.output] == [
        "reasoning",
        "reasoning",
        "reasoning",
        "message",
        "function_call",
        "custom_tool_call",
    ]


def test_the_items_of_everything_are_whole() -> None:
    writer = Writer(answering())
    written(writer, *EVERYTHING)
    items = [json.loads(item.body) for item in writer.output_items()]
    assert len({item["id"] for item in items}) == 6
    for item in items:
        item.pop("id")
    text = {"type": "output_text", "annotations": [], "logprobs": [], "text": "Hi you"}
    assert items == [
        {
            "type": "reasoning",
            "summary": [
                {"type": "summary_text", "text": "First, look."},
                {"type": "summary_text", "text": "Then think."},
            ],
            "encrypted_content": "seawall.openai.t.rs_theirs:ENC",
        },
        {
            "type": "reasoning",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hmm"}],
            "encrypted_content": "seawall.anthropic.t.:SIG",
        },
        {"type": "reasoning", "summary": [], "encrypted_content": "seawall.anthropic.r.:RED"},
        {
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [text, {"type": "refusal", "refusal": "No."}],
        },
        {
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "f",
            "arguments": '{"a":1}',
        },
        {"type": "custom_tool_call", "status": "completed", "call_id": "call_2", "name": "g", "input": "raw"},
    ]


def test_pieces_that_were_written_are_read_again() -> None:
    writer = Writer(answering())
    frames = written(writer, *EVERYTHING)
    assert read_all(frames)[1:] == EVERYTHING[1:]
    joined = (
        Began("resp_answer1", "claude-test"),
        ReasoningPiece(0, "First, look.", is_summary=True),
        *EVERYTHING[3:8],
        TextPiece(3, "Hi you"),
        RefusalPiece(4, "No."),
        ToolPiece(5, "call_1", "f", '{"a":1}'),
        ToolPiece(6, "call_2", "g", "raw", "custom"),
        Finished("tool_calls"),
    )
    assert read_pieces(writer.whole()).event.pieces == joined


def test_two_texts_in_a_row_are_two_parts_of_one_message() -> None:
    writer = Writer(answering())
    written(writer, TextPiece(0, "a"), TextPiece(1, "b"), Finished("stop"))
    (item,) = writer.output_items()
    assert [part["text"] for part in json.loads(item.body)["content"]] == ["a", "b"]


def test_structured_output_is_parsed_by_the_sdk() -> None:
    class Point(BaseModel):
        x: int

    writer = Writer(answering(stream=False))
    written(writer, TextPiece(0, '{"x": 5}'), Finished("stop"))
    client = client_of(writer.whole(), "application/json")
    assert client.responses.parse(model="m", input="x", text_format=Point).output_parsed == Point(x=5)


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("stop_sequence", "completed", None),
        ("pause", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("context_window", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_the_reason_to_finish_is_the_status(reason: Any, status: str, details: Any) -> None:
    told = events(written(Writer(answering()), TextPiece(0, "x"), Finished(reason)))
    last = told[-1]
    assert (last["type"], last["response"]["status"]) == (f"response.{status}", status)
    assert last["response"]["incomplete_details"] == details
    assert told[-2]["item"]["status"] == status
    assert last["response"]["output"] == [told[-2]["item"]]


def test_a_cut_stream_closes_what_is_open() -> None:
    writer = Writer(answering())
    writer.write(event_of((Began(), TextPiece(0, "Hi"))))
    writer.write(event_of((ToolPiece(1, "c", "f", '{"a'),)))
    closing = events(writer.write(Event(finish="length")))
    assert writer.write(Event(last=True)) == b""
    assert [event["type"] for event in closing] == [
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    assert closing[1]["item"]["status"] == "incomplete"
    (last,) = events(writer.end())
    assert last["type"] == "response.incomplete"
    assert [item["status"] for item in last["response"]["output"]] == ["completed", "incomplete"]
    assert writer.end() == writer.end()


def test_an_empty_answer_is_complete() -> None:
    told = events(Writer(answering()).end())
    assert [event["type"] for event in told] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


def test_empty_pieces_begin_nothing() -> None:
    told = events(written(Writer(answering()), TextPiece(0, ""), ReasoningPiece(1, ""), Finished("stop")))
    assert len(told) == 3


def test_an_error_in_the_middle_ends_the_stream() -> None:
    writer = Writer(answering())
    writer.write(event_of((TextPiece(0, "Hi"),)))
    error, failed = events(writer.fail(UpstreamUnavailable("It broke off.")))
    assert (error["type"], error["code"]) == ("error", "upstream_unavailable")
    assert (error["sequence_number"], failed["sequence_number"]) == (5, 6)
    assert (failed["type"], failed["response"]["status"]) == ("response.failed", "failed")
    assert failed["response"]["error"] == {"code": "upstream_unavailable", "message": "It broke off."}
    (alone,) = events(Writer(answering()).fail(UpstreamUnavailable("It broke off.")))
    assert alone["type"] == "error"


def test_the_documentations_streams_are_read_into_pieces() -> None:
    began = Began("resp_67c9fdcecf488190bdd9a0409de3a1ec07b8b0ad4e5eb654", "gpt-4o-2024-08-06")
    words = ("Hi", " there", "!", " How", " can", " I", " assist", " you", " today", "?")
    texts = tuple(TextPiece(0, word) for word in words)
    assert read_all((RECORDED / "text.sse").read_bytes()) == (began, *texts, Finished("stop"))
    arguments = ('{"', "location", '":"', "Paris", ",", " France", '"}')
    assert read_all((RECORDED / "tools.sse").read_bytes()) == (
        began,
        ToolPiece(0, "call_1234xyz", "get_weather"),
        *(ToolPiece(0, arguments=each) for each in arguments),
        Finished("tool_calls"),
    )
    seal = Seal(
        "openai", "gAAAAABo-mock-encrypted==", id="rs_6820f383d7c08191846711c5df8233bc0ac5ba57aafcbac7"
    )
    pieces = read_all((RECORDED / "reasoning.sse").read_bytes())
    assert pieces[1] == ReasoningPiece(0, "**Responding to a greeting**", is_summary=True)
    assert pieces[4:6] == (SealPiece(0, seal), TextPiece(1, "Hi"))


def test_the_documentations_whole_answers_are_read_into_pieces() -> None:
    reading = read_pieces((RECORDED / "tools.json").read_bytes())
    assert reading.event.pieces == (
        Began("resp_67ca09c5efe0819096d0511c92b8c890096610f474011cc0", "gpt-4o-2024-08-06"),
        ToolPiece(
            0,
            "call_unLAR8MvFNptuiZK6K6HCy5k",
            "get_current_weather",
            '{"location":"Boston, MA","unit":"celsius"}',
        ),
        Finished("tool_calls"),
    )
    assert (reading.event.usage, reading.event.last) == (Usage(input=291, output=23), True)


def frame(kind: str, **fields: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, **fields})}\n\n".encode()


def test_items_that_no_delta_told_of_are_read_at_their_end() -> None:
    message = {"id": "m", "type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    call = {"id": "f", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    late = {"id": "g", "type": "function_call", "call_id": "d", "name": "g", "arguments": ""}
    frames = b"".join(
        (
            frame("response.output_item.done", output_index=0, item=message),
            frame("response.output_item.done", output_index=1, item=call),
            frame("response.output_item.added", output_index=2, item=late),
            frame("response.output_item.done", output_index=2, item={**late, "arguments": "{}"}),
            frame("response.future.delta", output_index=9, delta="x"),
            frame("response.completed", response={"output": [message, call, late]}),
        )
    )
    assert read_all(frames) == (
        TextPiece(0, "Hi"),
        ToolPiece(1, "c", "f", "{}"),
        ToolPiece(2, "d", "g"),
        ToolPiece(2, arguments="{}"),
        Began(),
        Finished("tool_calls"),
    )


def test_parallel_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    frames = b"".join(
        (
            frame("response.output_item.added", item={"id": "a", "type": "function_call", "call_id": "1", "name": "f"}),
            frame("response.output_item.added", item={"id": "b", "type": "function_call", "call_id": "2", "name": "g"}),
            frame("response.function_call_arguments.delta", item_id="b", delta="B"),
            frame("response.function_call_arguments.delta", item_id="a", delta="A"),
            frame("response.completed", response={"output": [{"id": "a", "type": "function_call"}]}),
        )
    )  # fmt: skip
    assert read_all(frames)[:4] == (
        ToolPiece(0, "1", "f"),
        ToolPiece(1, "2", "g"),
        ToolPiece(1, arguments="B"),
        ToolPiece(0, arguments="A"),
    )


def test_errors_are_told_with_their_usage() -> None:
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    failed = frame(
        "response.failed", response={"status": "failed", "error": {"message": "x"}, "usage": usage}
    )
    reading = PieceReader().read(sse.data_of(failed) or b"", failed)
    assert (reading.error, reading.event.usage) == ({"message": "x"}, Usage(input=5, output=2))
    whole = read_pieces(json.dumps({"status": "failed", "error": {"message": "x"}, "usage": usage}).encode())
    assert (whole.error, whole.event.usage) == ({"message": "x"}, Usage(input=5, output=2))
    error = frame("error", message="slow down", code="rate_limit_exceeded")
    told = PieceReader().read(sse.data_of(error) or b"", error)
    assert told.error == {"message": "slow down", "code": "rate_limit_exceeded", "param": None}


@pytest.mark.parametrize(
    "raw", [b"[]", b"[DONE]", b'{"type":"response.completed"}', b'{"type":"response.failed"}']
)
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PieceReader().read(raw, raw)
