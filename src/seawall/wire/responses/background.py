"""Responses that are made in the background, as they look before they are complete."""

from typing import Any

import msgspec

from seawall.wire import sse
from seawall.wire.dialect import Answering
from seawall.wire.responses.objects import encode, new_response

CREATED, QUEUED = "response.created", "response.queued"

_decode_raws = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def show_pending(answering: Answering, status: str, error: tuple[str, str] | None = None) -> dict[str, Any]:
    """Return the response object of a job that is not complete; `error` is a code and a sentence."""
    told = None if error is None else {"code": error[0], "message": error[1]}
    return {**new_response(answering), "status": status, "error": told}


def write_event(kind: str, number: int, response: Any) -> bytes:
    """Write an event that holds the response object."""
    data = encode({"type": kind, "sequence_number": number, "response": response})
    return b"event: %s\n%s" % (kind.encode(), sse.frame_of(data))


def is_told(frame: bytes) -> bool:
    """Say whether a run's frame tells nothing new: the stream has begun when the job was accepted."""
    data = sse.data_of(frame)
    return data is None or _kind_of(_decode_raws(data)) in (CREATED, QUEUED)


def renumbered(frame: bytes, number: int) -> bytes:
    """Return a frame of a run with the number that it has in the whole stream, otherwise as it is."""
    fields = _decode_raws(sse.data_of(frame) or b"{}")
    fields["sequence_number"] = msgspec.Raw(b"%d" % number)
    return b"event: %s\n%s" % (_kind_of(fields).encode(), sse.frame_of(encode(fields)))


def _kind_of(fields: dict[str, msgspec.Raw]) -> str:
    return msgspec.json.decode(fields.get("type", msgspec.Raw(b'""')), type=str)
