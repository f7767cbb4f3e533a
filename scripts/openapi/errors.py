"""The errors of the file, from the tree in core/errors: every status with its codes, in both shapes."""

from collections.abc import Iterator
from http import HTTPStatus

from openapi.shapes import Json, answer, maybe, opened, ref, text, whole
from seawall.core.errors import ClientGone, SeawallError

HEADERS: Json = {
    "x-request-id": {"description": "The id of the call, for `seawall why`.", "schema": text()},
    "request-id": {"description": "The id of the call, for `seawall why`.", "schema": text()},
    "retry-after": {"description": "When to try again, in seconds.", "schema": whole(minimum=0)},
    "retry-after-ms": {"description": "The same in milliseconds.", "schema": whole(minimum=0)},
    "x-should-retry": {"description": "`false` where trying again cannot help.", "schema": text()},
    "www-authenticate": {"description": "`Bearer`, with 401.", "schema": text()},
}
_OUTSIDE = {431: "request_too_large: the head of the request is too large."}
_BEFORE = {400: "invalid_request", 408: "request_timeout"}
"""Statuses and codes that the server itself may answer with, before there is a call."""

_amount = {"type": ["integer", "string", "null"]}
DETAILS = opened(
    {
        "rule": text("The setting that says so."),
        "scope": text("Whose it is: `key`, `user`, `address`, `gateway`."),
        "unit": text("What `used`, `held` and `allowed` count."),
        "used": _amount,
        "held": _amount,
        "allowed": _amount,
        "resets_at": maybe(text("When it opens again.")),
        "upgrade_url": maybe(text("Where the user can get more.")),
        "say": maybe(text("A sentence for the person in front of the app.")),
        "explain": text("The command that says more."),
        "error_code": text("The code, where Anthropic's libraries look for it."),
    },
    help_text="The figures behind a refusal, for programs; only of the caller's own scopes.",
)


def error_schemas() -> Json:
    """Return the two shapes of an error."""
    codes = sorted({error.code for error in _tree(SeawallError)})
    code = text("One of Seawall's codes, or the provider's own.", examples=codes)
    message = text("What happened, which rule, and what to do next.")
    param = maybe(text("The field of the request that is meant."))
    contact = text("Whom to ask, where the operator states it.")
    return {
        "Error": opened(
            {
                "error": opened(
                    {
                        "message": message,
                        "type": maybe(text("The family, in OpenAI's words.")),
                        "param": param,
                        "code": maybe(code),
                        "call_id": text("The id of the call; missing where the request was no HTTP."),
                        "support_contact": contact,
                        "details": DETAILS,
                    },
                    needs=("message", "type", "param", "code"),
                )
            },
            needs=("error",),
            help_text="An error in OpenAI's shape.",
        ),
        "AnthropicError": opened(
            {
                "type": text(const="error"),
                "error": opened(
                    {
                        "type": text("The family, in Anthropic's words."),
                        "message": message,
                        "code": maybe(code),
                        "param": param,
                        "details": DETAILS,
                        "support_contact": contact,
                    },
                    needs=("type", "message"),
                ),
                "request_id": text("The id of the call."),
            },
            needs=("type", "error"),
            help_text="An error in Anthropic's shape.",
        ),
    }


def error_responses() -> Json:
    """Return a response for each status, named by it, in both shapes."""
    found = {}
    for status in _statuses():
        codes = sorted({error.code for error in _sent() if error.status == status} | _before(status))
        words = _OUTSIDE.get(status) or ", ".join(f"`{code}`" for code in codes)
        for name, schema in (("", "Error"), ("Anthropic", "AnthropicError")):
            found[f"{name}{status}"] = _answer(f"{_phrase(status)}: {words}", schema, status)
    vendor = "Any other status of the provider's own, with its message and code, redacted."
    found["Vendor"] = _answer(vendor, "Error", 429)
    found["AnthropicVendor"] = _answer(vendor, "AnthropicError", 429)
    return found


def errors(*statuses: int) -> Json:
    """Point at the responses of these statuses, and of those that any request may get."""
    numbers = sorted({*statuses, 400, 408, 431, 500, 503})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in numbers}


def call_errors(dialect: str) -> Json:
    """Point at everything that a call may be answered with beside an answer."""
    name = "Anthropic" if dialect in ("messages", "count_tokens") else ""
    found: Json = {}
    for status in _statuses():
        shape = "" if status in _OUTSIDE or status == 408 else name
        if status not in (405, 409):
            found[str(status)] = {"$ref": f"#/components/responses/{shape}{status}"}
    return {**found, "default": {"$ref": f"#/components/responses/{name}Vendor"}}


def _answer(help_text: str, schema: str, status: int) -> Json:
    names = ["x-request-id" if schema == "Error" else "request-id"]
    if status in (402, 429) or status >= 500:
        names += ["retry-after", "retry-after-ms", "x-should-retry"]
    if status == 401:
        names.append("www-authenticate")
    shape: Json = ref(schema)
    if schema == "AnthropicError" and status in _BEFORE:
        shape = {"anyOf": [shape, ref("Error")]}  # What is no HTTP is refused before its address is read.
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return answer(help_text, shape, headers=headers)


def _statuses() -> list[int]:
    return sorted({error.status for error in _sent()} | set(_OUTSIDE) | set(_BEFORE) | {529})


def _before(status: int) -> set[str]:
    return {_BEFORE[status]} if status in _BEFORE else {"upstream_unavailable"} if status == 529 else set()


def _phrase(status: int) -> str:
    return "Overloaded at the provider" if status == 529 else HTTPStatus(status).phrase


def _sent() -> Iterator[type[SeawallError]]:
    return (error for error in _tree(SeawallError) if error is not ClientGone)


def _tree(error: type[SeawallError]) -> Iterator[type[SeawallError]]:
    yield error
    for child in error.__subclasses__():
        yield from _tree(child)
