"""What the routes beside the calls share, and the answer to everything that is not there."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import (
    InvalidRequest,
    SeawallError,
    Unauthenticated,
    UnknownRoute,
    WrongMethod,
)
from seawall.core.policy import Policy
from seawall.server.credentials import credentials_of, end_user_of, secret_of
from seawall.server.endpoints import ENDPOINTS, endpoint_of
from seawall.server.replies import advice
from seawall.wire.openai_errors import write_error

DIGITS_MAX = 9
Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger("seawall.server")


def json_response(value: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


def is_admin(request: Request, admin_key: str) -> bool:
    """Say whether the request shows the admin key, compared in constant time."""
    shown = secret_of(request.scope["headers"])
    return shown is not None and hmac.compare_digest(shown.encode(), admin_key.encode())


def admin_route(path: str, methods: Mapping[str, Endpoint], admin_key: str) -> Route:
    """Return a route below /admin/v1 that asks for the admin key first; raises Unauthenticated."""

    async def endpoint(request: Request) -> Response:
        if not is_admin(request, admin_key):
            raise Unauthenticated("This needs the admin key as a bearer token.")
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return Route(f"/admin/v1{path}", endpoint, methods=[*methods])


def count_at_once(gateway: Gateway) -> None:
    """Let a change by the operator count from now on, for those who wait and for other gateways as well."""
    gateway.identity.forget()
    gateway.lockouts.forget()
    gateway.lines.freed()
    gateway.tell_others()


def whole_number(request: Request, name: str, default: int, most: int) -> int:
    """Read a parameter of an address; raises InvalidRequest for anything but a whole number from 1 on."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX or not 1 <= int(text) <= most:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}.", param=name)
    return int(text)


async def policy_of(request: Request, gateway: Gateway) -> Policy:
    """Return the policy of the caller, its own user's included; raises Unauthenticated."""
    shown = credentials_of(request.scope, gateway.proxies)
    principal, policy = await gateway.identity.identify(shown)
    _, policy = await gateway.identity.know_user(principal, policy, end_user_of(request.scope["headers"]))
    return policy


def error_handlers(gateway: Gateway) -> Mapping[Any, Callable[..., Any]]:
    """Return how errors of the cold routes are answered; below /v1/ strangers learn nothing but 401."""

    async def ours(request: Request, error: SeawallError) -> Response:
        return error_response(error, gateway, request.url.path)

    async def missing(request: Request, error: Exception) -> Response:
        wrong_method = getattr(error, "status_code", 404) == 405 or request.url.path in ENDPOINTS
        answer: SeawallError = WrongMethod() if wrong_method else UnknownRoute(_hint(request.url.path))
        if request.url.path == "/v1" or request.url.path.startswith("/v1/"):
            try:
                await policy_of(request, gateway)
            except SeawallError as refusal:
                answer = refusal
        response = error_response(answer, gateway, request.url.path)
        if isinstance(answer, WrongMethod):  # RFC 9110, section 15.5.6: it must say which methods there are.
            told = getattr(error, "headers", None) or {}
            response.headers["allow"] = told.get("Allow", "POST")
        return response

    async def unknown(request: Request, error: Exception) -> Response:
        return error_response(SeawallError(), gateway, request.url.path)

    return {SeawallError: ours, 404: missing, 405: missing, Exception: unknown}


def _hint(path: str) -> str | None:
    """Say what is wrong with an address where it can be told; `None` leaves it to the usual words."""
    if path.startswith("/v1/v1/"):
        return "The address has /v1 twice: leave it out of the base URL, Anthropic's libraries add it."
    if path.startswith("/v1/"):
        return "Seawall has no such address below /v1. docs/compatibility.md lists those that it has."
    return None


def error_response(error: SeawallError, gateway: Gateway, path: str) -> Response:
    """Write an error in the dialect of an address, with an id of its own, under which the log says more."""
    call_id = gateway.new_id(gateway.now())
    if error.private:
        log.warning("request failed", extra={"fields": {"id": call_id, "why": error.private}})
    headers = {name.decode(): value.decode() for name, value in advice(error)}
    endpoint = endpoint_of(path.removeprefix("/v1") if path.startswith("/v1/v1/") else path)
    write = endpoint.write_error if endpoint else write_error
    name = endpoint.request_id_header.decode() if endpoint else "x-request-id"
    return Response(
        write(error, call_id, gateway.support_contact),
        status_code=error.wire_status,
        media_type="application/json",
        headers={name: call_id, **headers},
    )
