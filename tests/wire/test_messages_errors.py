"""Errors in Anthropic's shape, ours to clients and vendors' to us."""

import json

import anthropic
import httpx2
import pytest

from seawall.core.errors import (
    BudgetBusy,
    BudgetExhausted,
    InvalidRequest,
    ModelNotAllowed,
    Overloaded,
    ProviderCredentials,
    SeawallError,
    TooLarge,
    Unauthenticated,
    UnknownModel,
    UnpricedField,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    VendorError,
)
from seawall.wire.anthropic_errors import error_type, read_error, read_error_body, write_error, write_frame


def test_an_error_is_written_as_anthropics_libraries_expect_it() -> None:
    error = UnpricedField("No.", param="speed")
    assert json.loads(write_error(error, "call_1", "ops@example.org")) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "No.",
            "code": "unpriced_field",
            "param": "speed",
            "details": {"error_code": "unpriced_field"},
            "support_contact": "ops@example.org",
        },
        "request_id": "call_1",
    }


def test_the_frame_that_ends_a_stream() -> None:
    assert write_frame(Overloaded("Busy."), "call_1") == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Busy.",'
        b'"code":"overloaded","param":null,"details":{"error_code":"overloaded"}},"request_id":"call_1"}\n\n'
    )


def refused(status: int, kind: str | None = None) -> UpstreamRefused:
    return UpstreamRefused(status, VendorError(kind=kind), retry_after_s=None, private="")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest(), "invalid_request_error"),
        (Unauthenticated(), "authentication_error"),
        (BudgetExhausted(), "billing_error"),
        (ModelNotAllowed(), "permission_error"),
        (UnknownModel(), "not_found_error"),
        (TooLarge(), "request_too_large"),
        (BudgetBusy(), "rate_limit_error"),
        (SeawallError(), "api_error"),
        (ProviderCredentials(), "api_error"),
        (UpstreamUnavailable(), "api_error"),
        (UpstreamUnavailable(vendor_status=529), "overloaded_error"),
        (UpstreamUnavailable(vendor_code="overloaded_error"), "overloaded_error"),
        (UpstreamUnavailable(vendor_code="server_is_on_fire"), "api_error"),
        (UpstreamTimeout(), "timeout_error"),
        (Overloaded(), "overloaded_error"),
        (refused(422), "invalid_request_error"),
        (refused(429), "rate_limit_error"),
        (refused(400, "not_found_error"), "not_found_error"),
        (refused(400, "server_error"), "invalid_request_error"),
    ],
)
def test_types_by_status(error: SeawallError, kind: str) -> None:
    assert error_type(error) == kind


def test_the_official_library_reads_them() -> None:
    client = anthropic.Anthropic(api_key="sk-mock-1")
    error = BudgetExhausted("Spent.")
    response = httpx2.Response(
        error.wire_status,
        content=write_error(error, "call_1"),
        request=httpx2.Request("POST", "https://gateway.example/v1/messages"),
    )
    told = client._make_status_error_from_response(response)
    assert isinstance(told, anthropic.APIStatusError)
    assert (told.type, told.api_message, told.error_code) == ("billing_error", "Spent.", "budget_exhausted")


def test_vendors_errors_are_read_and_redacted() -> None:
    body = {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "bad key sk-mock-secret",
            "details": {"error_code": "file_expired"},
        },
        "request_id": "req_1",
    }
    told = read_error(body, ("sk-mock-secret",))
    assert (told.kind, told.code, told.param) == ("invalid_request_error", "file_expired", None)
    assert told.message is not None and "sk-mock-secret" not in told.message
    assert read_error_body(json.dumps({"error": {"type": "api_error", "message": "m"}}).encode()) == (
        VendorError(message="m", kind="api_error")
    )


@pytest.mark.parametrize("raw", [b"", b"<html>", b"\xff", b"[" * 9_999, b"7", b'{"error":7}'])
def test_odd_bodies_say_nothing(raw: bytes) -> None:
    assert read_error_body(raw) == VendorError()
