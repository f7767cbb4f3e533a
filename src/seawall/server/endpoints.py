"""The endpoints that make a call: which dialect each speaks, and how it writes answers and errors."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from seawall.core.call import Request
from seawall.core.errors import SeawallError
from seawall.wire import anthropic_errors, embeddings, openai_errors, sse
from seawall.wire.chat import request as chat
from seawall.wire.dialect import AnswerWriter, KeepingWriter
from seawall.wire.messages import counting
from seawall.wire.messages import request as messages
from seawall.wire.responses import request as responses
from seawall.wire.responses.events import Frames
from seawall.wire.responses.objects import write_failure

Headers = tuple[tuple[str, str], ...]


class Endpoint(Struct, frozen=True):
    """One address and the dialect that is spoken there.

    `headers` names those that travel on to a vendor of the same dialect. `stream_end` follows a stream that
    ended cleanly where its writer does not say it (Open Responses: the terminal event must be `[DONE]`).
    `write_error` takes the error, the call's id and whom to ask; `write_break` makes the frames that end a
    stream by an error, and takes the stream's writer as well.
    """

    path: str
    dialect: str
    read_request: Callable[..., Request]
    write_error: Callable[[SeawallError, str, str | None], bytes]
    write_break: Callable[[SeawallError, str, str | None, AnswerWriter | None], bytes]
    request_id_header: bytes = b"x-request-id"
    headers: frozenset[str] = frozenset()
    stream_end: bytes = b""


def _break_chat(error: SeawallError, call_id: str, contact: str | None, writer: AnswerWriter | None) -> bytes:
    # seawall: ignore[stack-trace-to-client] a SeawallError says only what callers may know
    return sse.frame_of(openai_errors.write_error(error, call_id, contact))


def _break_messages(
    error: SeawallError, call_id: str, contact: str | None, writer: AnswerWriter | None
) -> bytes:
    # seawall: ignore[stack-trace-to-client] a SeawallError says only what callers may know
    return anthropic_errors.write_frame(error, call_id, contact)


def _break_responses(
    error: SeawallError, call_id: str, contact: str | None, writer: AnswerWriter | None
) -> bytes:
    if not isinstance(writer, KeepingWriter):  # Nothing of the answer was there yet.
        # seawall: ignore[stack-trace-to-client] a SeawallError says only what callers may know
        return write_failure(error, Frames(), b"")
    # seawall: ignore[stack-trace-to-client] a SeawallError says only what callers may know
    return writer.fail(error)


_ANTHROPIC = frozenset({"anthropic-version", "anthropic-beta"})

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint(
            "/v1/chat/completions", chat.DIALECT, chat.read_request, openai_errors.write_error, _break_chat
        ),
        Endpoint(
            "/v1/responses",
            responses.DIALECT,
            responses.read_request,
            openai_errors.write_error,
            _break_responses,
            stream_end=sse.DONE,
        ),
        Endpoint(
            "/v1/messages",
            messages.DIALECT,
            messages.read_request,
            anthropic_errors.write_error,
            _break_messages,
            b"request-id",
            _ANTHROPIC,
        ),
        Endpoint(
            "/v1/messages/count_tokens",
            counting.DIALECT,
            counting.read_request,
            anthropic_errors.write_error,
            _break_messages,
            b"request-id",
            _ANTHROPIC,
        ),
        Endpoint(
            "/v1/embeddings",
            embeddings.DIALECT,
            embeddings.read_request,
            openai_errors.write_error,
            _break_chat,
        ),
    )
}


def endpoint_of(path: str) -> Endpoint | None:
    """Return the endpoint whose dialect an address below it speaks, for the errors of cold routes."""
    return next((e for e in ENDPOINTS.values() if path == e.path or path.startswith(e.path + "/")), None)


def vendor_headers(endpoint: Endpoint, headers: list[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of a request that travel on to a vendor of the same dialect."""
    if not endpoint.headers:
        return ()
    pairs: list[tuple[Any, Any]] = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in headers
    ]
    return tuple(pair for pair in pairs if pair[0] in endpoint.headers)
