"""Bodies as vendors document them, translated in every direction: literal results."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seawall.wire.sse import FrameSplitter, data_of
from seawall.wire.translation import DIALECTS, translate
from tests.wire.answers import read_body, read_stream, stream_in, whole_in
from tests.wire.conversations import TARGETS

RECORDED = Path(__file__).parent / "recorded"
TRANSLATIONS = RECORDED / "translations"
REQUESTS = sorted(TRANSLATIONS.glob("request_*.json"))
ANSWERS = sorted(TRANSLATIONS.glob("answer_*.json"))
PAIRS = [(mine, theirs) for mine in TARGETS for theirs in TARGETS]

_MADE_ID = re.compile(rb'"((?:msg|rs|fc|ctc|item)_)[0-9a-f]{38}"')


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_documented_request_says_the_same_in_every_dialect(path: Path, mine: str, theirs: str) -> None:
    bodies = msgspec.json.decode(path.read_bytes())
    request = DIALECTS[mine].read_request(bodies[mine], raw_bytes=0, messages_max=100)
    translated = translate(request, theirs, TARGETS[theirs], messages_max=100)
    assert translated.request.body == bodies[theirs]
    assert translated.notes == {}


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("mine", TARGETS)
def test_a_documented_answer_reaches_clients_of_every_dialect(path: Path, mine: str) -> None:
    told = msgspec.json.decode(path.read_bytes())
    vendor, _, name = told["recorded"].partition("/")
    raw = (RECORDED / vendor / name).read_bytes()
    events = read_stream(vendor, raw) if name.endswith(".sse") else read_body(vendor, raw)
    whole = plain(whole_in(mine, events))
    assert {name: whole[name] for name in told[mine]} == told[mine]


def test_a_documented_stream_reaches_a_client_of_chat_completions() -> None:
    raw = (RECORDED / "messages" / "stream_thinking.sse").read_bytes()
    written = stream_in("chat", read_stream("messages", raw))
    assert written == (TRANSLATIONS / "stream_thinking.chat.sse").read_bytes()


def test_a_documented_stream_reaches_a_client_of_messages() -> None:
    raw = (RECORDED / "chat" / "openai_tools.sse").read_bytes()
    written = stream_in("messages", read_stream("chat", raw))
    assert written == (TRANSLATIONS / "stream_tools.messages.sse").read_bytes()


def test_a_documented_stream_reaches_a_client_of_responses() -> None:
    raw = (RECORDED / "chat" / "openai_tools.sse").read_bytes()
    frames = FrameSplitter().feed(stream_in("responses", read_stream("chat", raw)))
    said = [plain(data_of(frame) or b"") for frame in frames]
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    for event in said:
        event.pop("response", None)
    wanted = msgspec.json.decode((TRANSLATIONS / "stream_tools.responses.json").read_bytes())
    assert said == wanted


def plain(raw: bytes) -> Any:
    """Decode a body in which ids of our own making are made alike."""
    return msgspec.json.decode(_MADE_ID.sub(rb'"\1made"', raw))
