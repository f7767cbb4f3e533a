"""The ASGI application: the hot routes by hand, everything else by Starlette."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from seawall.core.contracts import Gateway
from seawall.server.admin import admin_routes
from seawall.server.admin_state import state_admin_routes
from seawall.server.admin_users import user_admin_routes
from seawall.server.body import BodyLimits, Receive
from seawall.server.calls import CallRoute
from seawall.server.cold import cold_routes, error_handlers
from seawall.server.endpoints import ENDPOINTS
from seawall.server.models import model_routes
from seawall.server.replies import Send
from seawall.server.stored import stored_routes

DRAIN_S = 15.0


class App:
    """Serves one gateway; `on_start` and `on_stop` bracket its life."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        admin_key: str,
        limits: BodyLimits,
        on_start: Callable[[], Awaitable[None]],
        on_stop: Callable[[], Awaitable[None]],
    ) -> None:
        self.calls = CallRoute(gateway, limits)
        self._on_start, self._on_stop = on_start, on_stop
        self.cold = Starlette(
            routes=[
                *cold_routes(gateway, admin_key),
                *model_routes(gateway),
                *stored_routes(gateway),
                *admin_routes(gateway, admin_key, limits),
                *state_admin_routes(gateway, admin_key),
                *user_admin_routes(gateway, admin_key, limits),
            ],
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
            else:
                await self._cold(scope, receive, send)  # type: ignore[arg-type] # the same types by other names
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._on_start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.calls.drain(DRAIN_S)
        await self._on_stop()
        await send({"type": "lifespan.shutdown.complete"})
