"""Errors in OpenAI's shape, both ways."""

from typing import Any

import msgspec

from seawall.core.errors import SeawallError, VendorError
from seawall.core.redact import redact

MESSAGE_CHARS_MAX = 1_000
CODE_CHARS_MAX = 100


def write_error(error: SeawallError, call_id: str, support_contact: str | None = None) -> bytes:
    """Write an error as OpenAI's client libraries expect it, with whom to ask where the operator says so."""
    more = {} if support_contact is None else {"support_contact": support_contact}
    return msgspec.json.encode(
        {
            "error": {
                "message": error.message,
                "type": error.wire_kind,
                "param": error.param,
                "code": error.wire_code,
                "call_id": call_id,
                **more,
                **explained(error, call_id),
            }
        }
    )


def explained(error: SeawallError, call_id: str) -> dict[str, Any]:
    """Return the figures behind a refusal with the command that says more; nothing where there are none."""
    if error.facts is None:
        return {}
    facts = msgspec.to_builtins(error.facts)
    return {"details": {**facts, "explain": f"seawall why {call_id}"}}


def read_error(value: Any, hidden: tuple[str, ...] = ()) -> VendorError:
    """Read the error in a vendor's body, whatever its shape; `hidden` are texts that must not get out.

    Google wraps it in a list.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    error = value.get("error", value) if isinstance(value, dict) else value
    if isinstance(error, str):
        return VendorError(message=_text(error, MESSAGE_CHARS_MAX, hidden))
    if not isinstance(error, dict):
        return VendorError()
    return VendorError(
        message=_text(error.get("message") or error.get("detail"), MESSAGE_CHARS_MAX, hidden),
        kind=_text(error.get("type"), CODE_CHARS_MAX, hidden),
        code=_text(error.get("code"), CODE_CHARS_MAX, hidden),
        param=_text(error.get("param"), CODE_CHARS_MAX, hidden),
    )


def read_error_body(raw: bytes, hidden: tuple[str, ...] = ()) -> VendorError:
    """Read a vendor's error body; one that is not JSON says nothing."""
    try:
        return read_error(msgspec.json.decode(raw), hidden)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return VendorError()


def _text(value: Any, chars_max: int, hidden: tuple[str, ...]) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        return None
    return redact(value[: chars_max * 2], hidden)[:chars_max]
