"""The ASGI application: the hot routes by hand, everything else by Starlette."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from msgspec import Struct
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.server.admin import admin_routes
from seawall.server.admin_advice import OpenPages, advice_admin_routes
from seawall.server.admin_cache import cache_admin_routes
from seawall.server.admin_feedback import feedback_admin_routes
from seawall.server.admin_jobs import job_admin_routes
from seawall.server.admin_state import state_admin_routes
from seawall.server.admin_users import user_admin_routes
from seawall.server.body import BodyLimits, Receive
from seawall.server.calls import CallRoute
from seawall.server.cold import error_handlers
from seawall.server.cors import answer_preflight, cors_headers
from seawall.server.credentials import HeaderList, credentials_of
from seawall.server.endpoints import ENDPOINTS
from seawall.server.feedback import feedback_routes
from seawall.server.health import health_routes
from seawall.server.jobs import job_routes
from seawall.server.metrics.metrics import Metrics
from seawall.server.models import model_routes
from seawall.server.progress import Send
from seawall.server.readiness import Readiness
from seawall.server.scripts import script_routes
from seawall.server.stored import stored_routes
from seawall.server.tasks import task_routes
from seawall.server.user_events import event_routes

DRAIN_S = 15.0


class Desk(Struct, frozen=True):
    """What the operator has beside the gateway: the key to the admin API, and what opens advice."""

    admin_key: str
    open_advice: OpenPages


def routes_of(
    gateway: Gateway, desk: Desk, limits: BodyLimits, readiness: Readiness, metrics: Metrics
) -> list[Route]:
    """Return every route but those that make a call, which are in `endpoints`."""
    admin_key = desk.admin_key
    return [
        *health_routes(admin_key, readiness, metrics),
        *script_routes(),
        *model_routes(gateway),
        *stored_routes(gateway),
        *job_routes(gateway),
        *event_routes(gateway),
        *feedback_routes(gateway),
        *admin_routes(gateway, admin_key, limits),
        *state_admin_routes(gateway, admin_key),
        *user_admin_routes(gateway, admin_key, limits),
        *cache_admin_routes(gateway, admin_key),
        *task_routes(gateway, limits),
        *job_admin_routes(gateway, admin_key),
        *feedback_admin_routes(gateway, admin_key),
        *advice_admin_routes(desk.open_advice, admin_key),
    ]


class App:
    """Serves one gateway; `on_start` and `on_stop` bracket its life."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        desk: Desk,
        limits: BodyLimits,
        metrics: Metrics,
        on_start: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._gateway = gateway
        self.calls = CallRoute(gateway, limits)
        self._on_start, self._on_stop = on_start, on_stop
        self.readiness = Readiness(gateway)
        self.cold = Starlette(
            routes=routes_of(gateway, desk, limits, self.readiness, metrics),
            exception_handlers=error_handlers(gateway),
        )
        self.cold.router.redirect_slashes = False  # It would redirect to the caller's own Host header.
        self._cold: ASGIApp = self.cold

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "http":
            endpoint = ENDPOINTS.get(scope["path"])
            if endpoint is not None and scope["method"] == "POST":
                await self.calls(endpoint, scope, receive, send)
            elif scope["path"].startswith("/v1/"):
                await self._answer_pages(scope, receive, send)
            else:
                await self._cold(scope, receive, send)  # type: ignore[arg-type] # the same types by other names
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _answer_pages(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer below /v1/ so that the pages that may call can read it, preflights included."""
        headers = scope["headers"]
        names = {name for name, _ in headers}
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in names:
            status, told = await answer_preflight(headers, self._gateway)
            await send({"type": "http.response.start", "status": status, "headers": told})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        more: HeaderList = []
        if b"origin" in names:
            with suppress(SeawallError):  # Two different keys: the answer says so.
                shown = credentials_of(scope, self._gateway.proxies)
                more = await cors_headers(shown.origin, shown.secret, self._gateway)

        async def send_more(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._cold(scope, receive, send_more if more else send)  # type: ignore[arg-type] # the same types by other names

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._on_start()
        self.readiness.started()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.readiness.drain()
        self._gateway.job_wakes.close()
        await self.calls.drain(DRAIN_S)
        await self._on_stop()
        await send({"type": "lifespan.shutdown.complete"})
