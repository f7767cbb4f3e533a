"""Streams of Anthropic's dialect for tests: recorded ones as pieces, and pieces as a client gets them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seawall.core.call import Event
from seawall.core.pieces import Piece, Seal
from seawall.wire import sse
from seawall.wire.dialect import Answering
from seawall.wire.messages.reader import PieceReader
from seawall.wire.messages.request import read_request
from seawall.wire.messages.writer import Writer

RECORDED = Path(__file__).parent / "recorded" / "messages"
SIGNED = Seal("anthropic", "RmFrZVNpZ25hdHVyZQ+/==")
REDACTED = Seal("anthropic", "RmFrZVJlZGFjdGVk/+A=", is_redacted=True)


def answering(*, stream: bool = True) -> Answering:
    body = {"model": "m", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    request = read_request(body, raw_bytes=0, messages_max=9)
    return Answering(request, "42", 1_700_000_000, "claude-x", 9)


def frames(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for frame in sse.FrameSplitter().feed(raw):
        data = sse.data_of(frame)
        assert data is not None
        yield data, frame


def events(raw: bytes) -> list[Event]:
    reader = PieceReader()
    return [reader.read(data, frame).event for data, frame in frames(raw)]


def pieces(raw: bytes) -> list[Piece]:
    return [piece for event in events(raw) for piece in event.pieces]


def stream(*steps: Event) -> list[Any]:
    """Return what a client gets, decoded; each frame's name is its type."""
    writer = Writer(answering())
    raw = b"".join(writer.write(step) for step in steps) + writer.end()
    found = []
    for data, frame in frames(raw):
        value = json.loads(data)
        assert frame.startswith(f"event: {value['type']}\ndata: ".encode())
        found.append(value)
    return found


def whole(*steps: Event) -> Any:
    writer = Writer(answering(stream=False))
    assert b"".join(writer.write(step) for step in steps) == b""
    return json.loads(writer.whole())


def folded(sent: list[Any]) -> list[dict[str, Any]]:
    """Return the content that a client library makes of frames, checking the order of the dialect."""
    blocks: list[dict[str, Any]] = []
    arguments: list[str] = []
    is_open = False
    for each in sent:
        if each["type"] == "content_block_start":
            assert not is_open and each["index"] == len(blocks)
            is_open = True
            blocks.append(dict(each["content_block"]))
            arguments.append("")
        elif each["type"] == "content_block_delta":
            assert is_open and each["index"] == len(blocks) - 1
            for name, text in each["delta"].items():
                if name == "partial_json":
                    arguments[-1] += text
                elif name != "type":
                    blocks[-1][name] += text
        elif each["type"] == "content_block_stop":
            assert is_open and each["index"] == len(blocks) - 1
            is_open = False
            if arguments[-1]:
                blocks[-1]["input"] = json.loads(arguments[-1])
    assert not is_open
    return blocks
