"""GET and DELETE /admin/v1/cache: what the cache holds and how often it helped, and forgetting all of it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.money import format_usd
from seawall.server.cold import admin_route, json_response, whole_number

DAYS_DEFAULT = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000


def cache_admin_routes(gateway: Gateway, admin_key: str) -> list[Route]:
    """Return the route; it asks for the admin key first."""

    async def show(request: Request) -> Response:
        days = whole_number(request, "days", DAYS_DEFAULT, DAYS_MAX)
        return json_response(await show_cache(gateway, days))

    async def clear(request: Request) -> Response:
        return json_response({"deleted": 0 if gateway.answers is None else await gateway.answers.clear()})

    return [admin_route("/cache", {"GET": show, "DELETE": clear}, admin_key)]


async def show_cache(gateway: Gateway, days: int) -> dict[str, Any]:
    """Return what the cache holds, and what it saved in so many days, as far as calls are on record."""
    calls, saved = await gateway.call_log.saved(since_ms=int(gateway.now() * 1000) - days * DAY_MS)
    shown: dict[str, Any] = {"enabled": gateway.answers is not None, "days": days}
    if gateway.answers is not None:
        stats = gateway.answers.stats()
        shown |= {
            "entries": stats.entries,
            "memory_bytes": stats.memory_bytes,
            "disk_bytes": stats.disk_bytes,
            "hits_since_start": stats.hits,
            "misses_since_start": stats.misses,
        }
    return {**shown, "answered": calls, "saved_usd": format_usd(saved)}
