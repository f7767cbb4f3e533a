"""OpenAI's responses: answers and stream frames as vendors write them, read for what they bill.

This is the fast way, for clients that speak the same dialect: frames go through as they came. References,
read 2026-11: the OpenAI API reference, "Responses" and "Streaming events", and the Open Responses
specification.
"""

from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Event, Spoken
from seawall.wire.dialect import Reading
from seawall.wire.usage import responses_usage

ENDS = frozenset({"response.completed", "response.incomplete"})
WITH_RESPONSE = ENDS | {
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.failed",
}
ADDED, DONE = "response.output_item.added", "response.output_item.done"

_TEXTS = frozenset({"response.output_text.delta", "response.refusal.delta"})
REASONING = frozenset(
    {
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.reasoning.delta",  # Open Responses
    }
)
CUSTOM_DELTA = "response.custom_tool_call_input.delta"
TOOLS = frozenset({"response.function_call_arguments.delta", CUSTOM_DELTA})
UNFINISHED = ("failed", "cancelled", "queued", "in_progress")
_FINISHES = {"max_output_tokens": "length", "content_filter": "content_filter"}

encode = msgspec.json.Encoder().encode


class Said(Struct):
    """A part of an item."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None


class Item(Struct):
    """An item of an answer, with everything in it that the model generated."""

    type: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    encrypted_content: str | None = None
    content: list[Said] | None = None
    summary: list[Said] | None = None


class Details(Struct):
    """Why an answer is incomplete."""

    reason: str | None = None


class Answer(Struct):
    """A response object."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    usage: Any = None
    error: Any = None
    incomplete_details: Details | None = None
    output: list[Item] | None = None


class Frame(Struct):
    """One event of a stream, whatever its type."""

    type: str | None = None
    delta: str | None = None
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    item: Item | None = None
    response: Answer | None = None
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None

    @property
    def place(self) -> int | str:
        """Return what the item is known by: its index, or its id where a vendor leaves the index out."""
        if self.output_index is not None:
            return self.output_index
        return self.item_id or (self.item.id if self.item else None) or 0


_decode_frame = msgspec.json.Decoder(Frame).decode
_decode_answer = msgspec.json.Decoder(Answer).decode
_decode_any = msgspec.json.Decoder().decode


class ResponsesReader:
    """Reads a stream whose frames go to the client as they came; see `wire.dialect.FrameReader`.

    The usage stands in the last frame and is never kept from the client.
    """

    __slots__ = ("_grown", "is_complete")

    def __init__(self, *, wants_usage: bool) -> None:
        del wants_usage
        self._grown: set[int | str] = set()
        self.is_complete = False

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; `response.completed` and `response.incomplete` end the stream."""
        read = decode_frame(data)
        kind = read.type or ""
        if read.delta is not None:
            self._grown.add(read.place)
            return Reading(_delta_event(kind, read, read.delta, frame))
        if read.item is not None:
            return Reading(self._item_event(kind, read, read.item, frame))
        if read.response is not None:
            return self._response(kind, read.response, frame)
        if kind in WITH_RESPONSE:
            raise msgspec.DecodeError("no response")
        return Reading(Event(raw=frame, kind=kind), error_of(read))

    def _item_event(self, kind: str, read: Frame, item: Item, frame: bytes) -> Event:
        """Count a tool's name when its item begins, and at its end what no delta said before."""
        if kind == ADDED:
            name = item.name or ""
            return Event(raw=frame, kind=kind, tool=name, said=((0, "name", name),) if name else ())
        if kind == DONE and read.place not in self._grown:
            text, thought, given = _text(item), _thought(item), _input(item)
            said = tuple(_said(item, read.place))
            return Event(raw=frame, kind=kind, text=text, reasoning=thought, tool=given, said=said)
        return Event(raw=frame, kind=kind)

    def _response(self, kind: str, answer: Answer, frame: bytes) -> Reading:
        usage = None if answer.usage is None else responses_usage(answer.usage)
        if kind in ENDS:
            self.is_complete = True
            event = Event(raw=frame, kind=kind, finish=finish_of(answer), usage=usage, last=True)
            return Reading(event, is_end=True)
        event = Event(raw=frame, kind=kind, usage=usage)
        return Reading(event, failure_of(answer) if kind == "response.failed" else None)


def read_answer(raw: bytes) -> Reading:
    """Read a whole answer; raises msgspec.DecodeError where it is not a JSON object."""
    answer = decode_answer(raw)
    text = reasoning = tool = ""
    said: list[Spoken] = []
    for place, item in enumerate(answer.output or ()):
        said += [(0, "name", item.name)] if item.name else []
        said += _said(item, place)
        text += _text(item)
        reasoning += _thought(item)
        tool += (item.name or "") + _input(item)
    event = Event(
        raw=raw,
        text=text,
        reasoning=reasoning,
        tool=tool,
        finish=finish_of(answer),
        usage=None if answer.usage is None else responses_usage(answer.usage),
        last=True,
        said=tuple(said),
    )
    is_failed = answer.status in UNFINISHED or (answer.status is None and answer.error is not None)
    return Reading(event, failure_of(answer) if is_failed else None)


def finish_of(answer: Answer) -> str:
    """Say why the model finished, in the words of chat completions."""
    if answer.status == "incomplete":
        reason = answer.incomplete_details.reason if answer.incomplete_details else None
        return _FINISHES.get(reason or "", "length")
    calls = ("function_call", "custom_tool_call")
    return "tool_calls" if any(item.type in calls for item in answer.output or ()) else "stop"


def failure_of(answer: Answer) -> Any:
    """Return the error of an answer that failed; there is always one."""
    return answer.error or {"message": f"The response ended with the status {answer.status}."}


def error_of(read: Frame) -> Any:
    """Return the error of a frame that is one, `None` otherwise."""
    if read.error is not None:
        return read.error
    if read.type == "error":
        return {"message": read.message, "code": read.code, "param": read.param}
    return None


def _delta_event(kind: str, read: Frame, delta: str, frame: bytes) -> Event:
    place = f"{read.place} {read.summary_index or read.content_index or 0}"
    if kind in TOOLS:
        return Event(raw=frame, kind=kind, tool=delta, said=((0, f"tool {place}", delta),))
    if kind in REASONING:
        return Event(raw=frame, kind=kind, reasoning=delta, said=((0, f"reasoning {place}", delta),))
    return Event(raw=frame, kind=kind, text=delta, said=((0, f"text {place}", delta),))


def _said(item: Item, place: int | str) -> list[Spoken]:
    """Return the texts of an item one by one, but for its name."""
    kind = "reasoning" if item.type == "reasoning" else "text"
    parts = enumerate((*(item.summary or ()), *(item.content or ())))
    texts = [
        (f"{kind} {place} {number}", each) for number, part in parts for each in (part.text, part.refusal)
    ]
    texts += [(f"tool {place}", item.arguments), (f"tool {place}", item.input)]
    return [(0, each, text) for each, text in texts if text]


def _text(item: Item) -> str:
    if item.type == "reasoning":
        return ""
    return "".join((part.text or "") + (part.refusal or "") for part in item.content or ())


def _thought(item: Item) -> str:
    if item.type != "reasoning":
        return ""
    return "".join(part.text or "" for part in (*(item.summary or ()), *(item.content or ())))


def _input(item: Item) -> str:
    return (item.arguments or "") + (item.input or "")


def decode_frame(data: bytes) -> Frame:
    """Decode the data of a frame; raises msgspec.DecodeError where it is not a JSON object."""
    try:
        try:
            return _decode_frame(data)
        except msgspec.ValidationError:
            return _frame_leniently(_decode_any(data))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def decode_answer(raw: bytes) -> Answer:
    """Decode a whole answer; raises msgspec.DecodeError where it is not a JSON object."""
    try:
        try:
            return _decode_answer(raw)
        except msgspec.ValidationError:
            return _answer_leniently(_decode_any(raw))
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error


def _frame_leniently(value: Any) -> Frame:
    """Read a frame whose fields have other types than documented: everything generated counts as text."""
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    delta, index, item = value.get("delta"), value.get("output_index"), value.get("item")
    response = value.get("response")
    return Frame(
        type=_str(value.get("type")),
        delta=delta if delta is None or isinstance(delta, str) else encode(delta).decode(),
        output_index=index if type(index) is int else None,
        item_id=_str(value.get("item_id")),
        item=_item_leniently(item) if item is not None else None,
        response=_answer_leniently(response) if isinstance(response, dict) else None,
        error=value.get("error"),
        code=value.get("code"),
        message=value.get("message"),
        param=value.get("param"),
    )


def _answer_leniently(value: Any) -> Answer:
    if not isinstance(value, dict):
        raise msgspec.DecodeError("not an object")
    output = value.get("output")
    try:
        details = msgspec.convert(value.get("incomplete_details"), Details | None)
    except msgspec.ValidationError:
        details = None
    return Answer(
        id=_str(value.get("id")),
        model=_str(value.get("model")),
        status=_str(value.get("status")),
        usage=value.get("usage"),
        error=value.get("error"),
        incomplete_details=details,
        output=[_item_leniently(item) for item in output] if isinstance(output, list) else None,
    )


def _item_leniently(value: Any) -> Item:
    try:
        return msgspec.convert(value, Item)
    except msgspec.ValidationError:
        return Item(content=[Said(text=encode(value).decode())])


def _str(value: Any) -> str | None:
    return value if isinstance(value, str) else None
