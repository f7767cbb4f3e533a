"""Errors in Anthropic's shape, both ways.

Reference: Anthropic's API reference, "Errors", and the error types of its Python library 2.13, read 2026-11.
"""

from typing import Any

import msgspec

from seawall.core.errors import SeawallError, UpstreamRefused, UpstreamUnavailable, VendorError
from seawall.wire import openai_errors

_GENERAL = "invalid_request_error"
"""OpenAI's vendors say it of every 4xx; then the status tells more."""

_TYPES = {
    400: _GENERAL,
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_UNTHREADED = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
"""Conversations that the provider keeps are refused; on this code its clients send all of them instead."""

_KNOWN = frozenset({*_TYPES.values(), "api_error"})


def write_error(error: SeawallError, call_id: str, support_contact: str | None = None) -> bytes:
    """Write an error as Anthropic's client libraries expect it, with whom to ask where the operator says so.

    Our own code stands in `code`, and in `details.error_code`, where those libraries look for one.
    """
    contact = {} if support_contact is None else {"support_contact": support_contact}
    explained = openai_errors.explained(error, call_id).get("details", {})
    details: dict[str, Any] = {"error_code": error.wire_code, **explained}
    if error.param == "thread":
        details = _UNTHREADED
    return msgspec.json.encode(
        {
            "type": "error",
            "error": {
                "type": error_type(error),
                "message": error.message,
                "code": error.wire_code,
                "param": error.param,
                "details": details,
                **contact,
            },
            "request_id": call_id,
        }
    )


def write_frame(error: SeawallError, call_id: str, support_contact: str | None = None) -> bytes:
    """Write the frame that ends a stream with an error."""
    return b"event: error\ndata: " + write_error(error, call_id, support_contact) + b"\n\n"


def error_type(error: SeawallError) -> str:
    """Return Anthropic's type of an error: the vendor's where it is one of them, else by status."""
    if isinstance(error, UpstreamRefused) and error.vendor.kind in _KNOWN - {_GENERAL}:
        return error.vendor.kind
    if isinstance(error, UpstreamUnavailable) and error.wire_code in _KNOWN:
        return error.wire_code  # An error inside a stream has no status but ours.
    status = error.wire_status
    return _TYPES.get(status) or ("api_error" if status >= 500 else _GENERAL)


def read_error(value: Any, hidden: tuple[str, ...] = ()) -> VendorError:
    """Read the error in a vendor's body; `hidden` are texts that must not get out.

    Anthropic's code, where there is one, stands in `details.error_code`.
    """
    error = value.get("error", value) if isinstance(value, dict) else value
    details = error.get("details") if isinstance(error, dict) else None
    if isinstance(details, dict) and details.get("error_code") is not None and "code" not in error:
        error = {**error, "code": details["error_code"]}
    return openai_errors.read_error(error, hidden)


def read_error_body(raw: bytes, hidden: tuple[str, ...] = ()) -> VendorError:
    """Read a vendor's error body; one that is not JSON says nothing."""
    try:
        return read_error(msgspec.json.decode(raw), hidden)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return VendorError()
