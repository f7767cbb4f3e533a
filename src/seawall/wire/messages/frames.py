"""The named frames of a stream in Anthropic's dialect."""

from typing import Any

import msgspec

MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_encode = msgspec.json.Encoder().encode


def frame_of(name: str, data: Any) -> bytes:
    """Write one frame; the dialect repeats the event's name as the `type` of its data."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))
