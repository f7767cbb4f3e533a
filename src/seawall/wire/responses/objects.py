"""The response object as the client gets it: patched where a vendor made it, made where it is ours."""

from typing import Any

import msgspec

from seawall.core.errors import SeawallError, UpstreamUnavailable
from seawall.core.money import Usage
from seawall.core.state import StoredItem
from seawall.wire import sse
from seawall.wire.dialect import Answering
from seawall.wire.responses.events import Frames
from seawall.wire.responses.state import ItemIds

PREFIX = "resp_"

encode = msgspec.json.Encoder().encode
_decode_raws = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_named = msgspec.json.Decoder(dict[str, Any]).decode


def response_id(answering: Answering) -> str:
    """Return the id of the answer as the client knows it."""
    return PREFIX + answering.answer_id


def client_fields(answering: Answering) -> dict[str, Any]:
    """Return what the client said that a vendor does not know or must not change."""
    body, state = answering.request.body, answering.request.state
    assert state is not None
    fields = {
        "id": response_id(answering),
        "previous_response_id": state.previous_id,
        "store": state.is_kept,
        "background": answering.request.is_background,
        "metadata": body.get("metadata") or {},
    }
    if answering.request.is_background:
        fields["created_at"] = answering.created_at  # It was told when the job was accepted.
    own = (
        "safety_identifier",
        "user",
        "instructions",
    )  # The last as the client knows them: see guard.harden.
    fields.update({name: body[name] for name in own if body.get(name)})
    return fields


class Patch:
    """Puts the client's fields into a vendor's response objects; all else stays byte-identical."""

    __slots__ = ("_fields",)

    def __init__(self, answering: Answering) -> None:
        self._fields = {name: msgspec.Raw(encode(value)) for name, value in client_fields(answering).items()}

    def response(self, raw: bytes) -> bytes:
        """Patch a response object."""
        return encode(_decode_raws(raw) | self._fields)

    def frame(self, frame: bytes) -> tuple[bytes, bytes]:
        """Patch the response in a frame; returns the frame, and the response alone."""
        data = _decode_raws(sse.data_of(frame) or b"{}")
        response = self.response(bytes(data.get("response", b"{}")))
        data["response"] = msgspec.Raw(response)
        head = frame[: frame.index(b"data:")]
        return head + sse.frame_of(encode(data)), response


def new_response(answering: Answering) -> dict[str, Any]:
    """Return the response object of an answer that begins, with what was asked for and OpenAI's defaults.

    When it was completed is not known here. The keys are those that Open Responses asks for, read 2026-11.
    """
    body = answering.request.body
    return {
        "id": response_id(answering),
        "object": "response",
        "created_at": answering.created_at,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "model": answering.model,
        "output": [],
        "parallel_tool_calls": _or(body.get("parallel_tool_calls"), True),
        "presence_penalty": 0,
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "safety_identifier": None,
        "service_tier": "default",
        "temperature": _or(body.get("temperature"), 1.0),
        "text": {"format": {"type": "text"}, **_said(body.get("text"))},
        "tool_choice": _or(body.get("tool_choice"), "auto"),
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        "top_logprobs": _or(body.get("top_logprobs"), 0),
        "top_p": _or(body.get("top_p"), 1.0),
        "truncation": "disabled",
        "usage": None,
        "user": None,
        **client_fields(answering),
    }


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}


def _said(fields: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (fields or {}).items() if value is not None}


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Write a usage as the Responses API does."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached_read,
            "cache_write_tokens": usage.cached_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def items_of(response: bytes) -> tuple[StoredItem, ...]:
    """Return the output items of a response object, to be stored; raises UpstreamUnavailable for others."""
    output = _decode_raws(response).get("output")
    ids, items = ItemIds(), []
    try:
        raws = [(raw, _decode_named(raw)) for raw in _decode_items(output)] if output is not None else []
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamUnavailable("The provider's answer cannot be read.") from error
    for raw, item in raws:
        given = item.get("id")
        items.append(
            StoredItem(given if isinstance(given, str) and given else ids(str(item.get("type"))), bytes(raw))
        )
    return tuple(items)


def ended(
    response: dict[str, Any], reason: str | None, error: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the response with its status: complete, incomplete for a `reason`, or failed by an `error`."""
    status = "failed" if error else "incomplete" if reason else "completed"
    details = {"reason": reason} if reason else None
    return {**response, "status": status, "incomplete_details": details, "error": error}


def write_failure(error: SeawallError, frames: Frames, response: bytes) -> bytes:
    """Return the frames of an error inside a stream: `error`, and `response.failed` where one had begun.

    `response` is the response object as the client last got it, b"" where there was none.
    """
    told = {"code": error.wire_code, "message": error.message, "param": error.param}
    written = frames.write("error", told)
    if response:
        failed = ended(_decode_named(response), None, {"code": error.wire_code, "message": error.message})
        written += frames.write("response.failed", {"response": failed})
    return written
