"""Answers in Anthropic's dialect on the fast way: what they bill, and every byte as it came."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.call import Event
from seawall.core.money import Usage
from seawall.wire import sse
from seawall.wire.dialect import Answering, Reading
from seawall.wire.messages.answer import MessagesReader, read_answer
from seawall.wire.messages.passing import Passing
from seawall.wire.messages.request import read_request

RECORDED = Path(__file__).parent / "recorded" / "messages"
STREAMS = sorted(path.name for path in RECORDED.glob("stream_*.sse"))
ANSWERS = sorted(path.name for path in RECORDED.glob("answer_*.json"))


def answering() -> Answering:
    body = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    request = read_request(body, raw_bytes=0, messages_max=9)
    return Answering(request, "1", 0, "m", 9)


def frames(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for frame in sse.FrameSplitter().feed(raw):
        data = sse.data_of(frame)
        assert data is not None
        yield data, frame


def read_all(raw: bytes) -> tuple[list[Reading], MessagesReader]:
    reader = MessagesReader(wants_usage=False)
    return [reader.read(data, frame) for data, frame in frames(raw)], reader


def frame(**data: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (str(data["type"]).encode(), json.dumps(data).encode())


def test_a_stream_of_text() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    readings, reader = read_all(raw)
    parts = [each for _, each in frames(raw)]
    assert [reading.event for reading in readings] == [
        Event(raw=parts[0], kind="message_start"),
        Event(raw=parts[1], kind="content_block_start"),
        Event(raw=parts[2], kind="ping"),
        Event(raw=parts[3], text="Good", kind="content_block_delta"),
        Event(raw=parts[4], text=" day ☀", kind="content_block_delta"),
        Event(raw=parts[5], kind="content_block_stop"),
        Event(
            raw=parts[6],
            finish="end_turn",
            usage=Usage(input=125, output=15, cached_read=100),
            kind="message_delta",
        ),
        Event(raw=parts[7], last=True, kind="message_stop"),
    ]
    assert [reading.is_end for reading in readings] == [False] * 7 + [True]
    assert all(reading.error is None for reading in readings)
    assert reader.is_complete


def test_a_stream_of_tool_calls_counts_names_and_arguments() -> None:
    readings, _ = read_all((RECORDED / "stream_tools.sse").read_bytes())
    assert "".join(reading.event.text for reading in readings) == "I look it up:"
    assert "".join(reading.event.tool for reading in readings) == 'get_weather{"location": "Oslo"}get_time'
    assert [reading.event.usage for reading in readings if reading.event.usage] == [
        Usage(input=472, output=89)
    ]


def test_a_stream_of_thinking_is_reasoning_and_seals_are_no_text() -> None:
    readings, _ = read_all((RECORDED / "stream_thinking.sse").read_bytes())
    assert "".join(reading.event.reasoning for reading in readings) == "12 = 2 x 6, so 6."
    assert "".join(reading.event.text for reading in readings) == "It is **6**."
    assert [reading.event.usage for reading in readings if reading.event.usage] == [
        Usage(input=90, output=140, cached_write=30, cached_write_1h=20, reasoning=120)
    ]


def test_an_error_in_a_stream_is_an_error_and_no_bill() -> None:
    readings, reader = read_all((RECORDED / "stream_overloaded.sse").read_bytes())
    assert readings[-1].error == {"type": "overloaded_error", "message": "Overloaded"}
    assert [reading.event.usage for reading in readings] == [None, None]
    assert not reader.is_complete


def test_a_stream_that_breaks_before_its_end_has_no_usage() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    cut = raw[: raw.index(b"event: message_delta")]
    readings, reader = read_all(cut)
    assert [reading.event.usage for reading in readings] == [None] * 6
    assert not reader.is_complete


def test_a_message_delta_without_usage_ends_and_bills_nothing() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes().replace(b', "usage": {"output_tokens": 15}', b"")
    readings, reader = read_all(raw)
    assert [reading.event.usage for reading in readings] == [None] * 8
    assert reader.is_complete


def test_figures_of_message_delta_replace_those_of_message_start() -> None:
    reader = MessagesReader(wants_usage=True)
    start = {"usage": {"input_tokens": 0, "cache_read_input_tokens": 7, "output_tokens": 0}}
    first = frame(type="message_start", message=start)
    reader.read(sse.data_of(first) or b"", first)
    told = {"input_tokens": 30, "cache_read_input_tokens": None, "output_tokens": 4}
    last = frame(type="message_delta", delta={"stop_reason": "end_turn"}, usage=told)
    reading = reader.read(sse.data_of(last) or b"", last)
    assert reading.event.usage == Usage(input=37, output=4, cached_read=7)


@pytest.mark.parametrize("name", STREAMS)
def test_frames_pass_byte_for_byte(name: str) -> None:
    raw = (RECORDED / name).read_bytes()
    readings, _ = read_all(raw)
    writer = Passing(answering())
    assert b"".join(writer.write(reading.event) for reading in readings) + writer.end() == raw


@pytest.mark.parametrize("name", ANSWERS)
def test_whole_answers_pass_byte_for_byte(name: str) -> None:
    raw = (RECORDED / name).read_bytes()
    writer = Passing(answering())
    writer.write(read_answer(raw).event)
    assert writer.whole() == raw


def test_a_whole_answer_with_tools() -> None:
    raw = (RECORDED / "answer_tools.json").read_bytes()
    assert read_answer(raw) == Reading(
        Event(
            raw=raw,
            text="I ask both.",
            tool='get_weather{"location":"Oslo","days":2.50}get_time',
            finish="tool_use",
            usage=Usage(input=472, output=89),
            last=True,
            kind="message",
            said=(
                (0, "text", "I ask both."),
                (0, "name", "get_weather"),
                (0, "tool", '{"location":"Oslo","days":2.50}'),
                (0, "name", "get_time"),
            ),
        )
    )


def test_a_whole_answer_with_thinking_and_a_cached_one() -> None:
    thinking = read_answer((RECORDED / "answer_thinking.json").read_bytes()).event
    assert (thinking.text, thinking.reasoning) == ("Done.", "Step by step.")
    assert thinking.usage == Usage(input=320, output=150, reasoning=100)
    stopped = read_answer((RECORDED / "answer_stopped.json").read_bytes()).event
    assert stopped.finish == "stop_sequence"
    assert stopped.usage == Usage(
        input=3_860, output=5, cached_read=1_800, cached_write=2_048, cached_write_1h=48
    )


def test_an_error_of_status_200_is_an_error() -> None:
    raw = b'{"type":"error","error":{"type":"api_error","message":"oops"}}'
    assert read_answer(raw).error == {"type": "api_error", "message": "oops"}


def test_types_other_than_documented_count_as_text() -> None:
    reader = MessagesReader(wants_usage=True)
    odd = frame(type="content_block_delta", index=0, delta={"type": "text_delta", "text": ["a"]})
    event = reader.read(sse.data_of(odd) or b"", odd).event
    assert event == Event(raw=odd, text='{"type":"text_delta","text":["a"]}', kind="content_block_delta")
    last = frame(type="message_delta", delta={"stop_reason": ["x"]}, usage={"output_tokens": "9"})
    assert reader.read(sse.data_of(last) or b"", last).event == Event(
        raw=last, finish="['x']", kind="message_delta"
    )
    whole = read_answer(b'{"type":"message","content":"plain","stop_reason":7,"usage":[]}').event
    assert (whole.text, whole.finish, whole.usage) == ('"plain"', "7", None)


def test_unknown_events_pass_and_unknown_blocks_count() -> None:
    reader = MessagesReader(wants_usage=True)
    news = frame(type="news", payload={"a": 1})
    assert reader.read(sse.data_of(news) or b"", news).event == Event(raw=news, kind="news")


@pytest.mark.parametrize("data", [b"[DONE]", b"7", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 9_999])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        MessagesReader(wants_usage=True).read(data, b"")
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        read_answer(data)


def test_a_cut_stream_is_closed_in_the_clients_dialect() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    readings, _ = read_all(raw)
    writer = Passing(answering())
    for reading in readings[:4]:
        writer.write(reading.event)
    assert writer.write(Event(finish="length")) + writer.write(Event(last=True)) + writer.end() == (
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"max_tokens",'
        b'"stop_sequence":null},"usage":{"input_tokens":25,"cache_creation_input_tokens":0,'
        b'"cache_read_input_tokens":100,"output_tokens":9}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def test_a_stream_cut_between_blocks_or_before_it_began() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    readings, _ = read_all(raw)
    writer = Passing(answering())
    for reading in readings[:6]:
        writer.write(reading.event)
    assert writer.write(Event(finish="length")).startswith(b"event: message_delta\n")
    assert Passing(answering()).write(Event(finish="length")) == (
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"max_tokens",'
        b'"stop_sequence":null},"usage":{"output_tokens":9}}\n\n'
    )


def test_an_end_without_message_stop_gets_one() -> None:
    raw = (RECORDED / "stream_text.sse").read_bytes()
    readings, _ = read_all(raw)
    writer = Passing(answering())
    sent = b"".join(writer.write(reading.event) for reading in readings[:7]) + writer.write(Event(last=True))
    assert sent == raw.replace(b'{"type": "message_stop"}', b'{"type":"message_stop"}')


def test_comments_pass() -> None:
    assert Passing(answering()).write(Event(raw=b": still here\n\n")) == b": still here\n\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "index", "delta", "content_block", "message", "usage", "error", "content", "stop_reason"]
        ),
        JSON | st.sampled_from(["message_start", "message_delta", "content_block_start", "error"]),
    )
)
def test_no_object_breaks_the_reader(value: dict[str, Any]) -> None:
    data = msgspec.json.encode(value)
    assert MessagesReader(wants_usage=True).read(data, b"f").event.raw == b"f"
    assert read_answer(data).event.raw == data
