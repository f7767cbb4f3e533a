"""What the mock provider's dialects share when they write: heads, chunks, frames, OpenAI's errors; no I/O."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec

from seawall.proving.mock_answers import LEAKS

LAST_CHUNK: Final = b"0\r\n\r\n"
STREAM_START: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n"
)
OPENAI_HEADERS: Final = f"openai-organization: {LEAKS[0]}\r\nx-request-id: req_mock\r\n"
"""Headers that a gateway must keep to itself."""

UNKNOWN: Final = {"x_vendor": {"kept": True, "note": "No client library knows this field."}}

_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


class Refused(Exception):
    """A request is not what its dialect allows; `param` and `code` are as OpenAI's errors have them."""

    def __init__(
        self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.param, self.code = message, status, param, code


class Writer(Protocol):
    """One answer in one dialect; `opening`, `content` and `closing` return events, not yet chunked.

    `content` is called for each number once, in order; it may have nothing to write.
    """

    headers: str
    """The vendor's own headers, each with its line end."""

    def opening(self) -> bytes:
        """Return what comes before the first content."""
        ...

    def content(self, number: int) -> bytes:
        """Return what carries the pieces of one step."""
        ...

    def closing(self) -> bytes:
        """Return what ends a complete answer."""
        ...

    def failing(self, way: str) -> bytes:
        """Return the event that ends an answer which fails on its way: "error" or "failed"."""
        ...

    def whole(self) -> bytes:
        """Return the whole answer as JSON."""
        ...

    def error(self, status: int) -> bytes:
        """Return the body of an error."""
        ...


class Unstreamed:
    """What a writer has in place of a stream where there is none."""

    def opening(self) -> bytes:
        """Return nothing."""
        return b""

    def content(self, number: int) -> bytes:
        """Return nothing."""
        del number
        return b""

    def closing(self) -> bytes:
        """Return nothing."""
        return b""

    def failing(self, way: str) -> bytes:
        """Return nothing."""
        del way
        return b""


def chunk(data: bytes) -> bytes:
    """Wrap data as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def frame(value: Mapping[str, Any]) -> bytes:
    """Write a value as one server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def named_frame(value: Mapping[str, Any]) -> bytes:
    """Write a value as one server-sent event that has its type as its name."""
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), msgspec.json.encode(value))


def head_of(status: int, length: int, headers: str, *, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Write the head of a JSON answer, with headers that a gateway must keep to itself."""
    more = "".join(f"{name}: {value}\r\n" for name, value in extra)
    return (
        f"HTTP/1.1 {status} {_phrase(status)}\r\n"
        f"content-type: application/json\r\ncontent-length: {length}\r\n"
        f"{headers}{more}\r\n"
    ).encode("latin-1")


def leaky_message(status: int) -> str:
    """Return an error's message that holds an organisation, part of a key and an address."""
    return f"Mock error {status} for organization {LEAKS[0]} with key {LEAKS[1]}. Visit {LEAKS[2]} for more."


def error_body(status: int, refused: Refused | None = None) -> bytes:
    """Write an error as OpenAI does."""
    kind, code = _ERRORS.get(status, ("server_error", "server_error"))
    error = {"message": leaky_message(status), "type": kind, "param": None, "code": code}
    if refused is not None:
        error |= {"message": refused.message, "param": refused.param, "code": refused.code}
    return msgspec.json.encode({"error": error})


def _phrase(status: int) -> str:
    """Return the reason phrase of a status, known or not."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
