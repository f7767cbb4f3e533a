"""Health for load balancers, figures for Prometheus, and the description of all routes."""

import asyncio
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.errors import Unauthenticated
from seawall.server.cold import is_admin, json_response
from seawall.server.metrics.metrics import Metrics
from seawall.server.readiness import Readiness

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""That of the format in which Prometheus reads."""


def health_routes(admin_key: str, readiness: Readiness, metrics: Metrics) -> list[Route]:
    """Return the routes; figures and reasons are for the admin key, everything else is for anybody."""

    async def healthz(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def readyz(request: Request) -> Response:
        reasons = await readiness.reasons()
        if not reasons:
            return json_response({"ready": True})
        told = {"reasons": reasons} if is_admin(request, admin_key) else {}
        return json_response({"ready": False, **told}, 503)

    async def show_metrics(request: Request) -> Response:
        if not is_admin(request, admin_key):
            raise Unauthenticated("This needs the admin key as a bearer token.")
        return Response(await metrics.scrape(readiness), media_type=CONTENT_TYPE)

    async def openapi(_: Request) -> Response:
        document = resources.files("seawall.server") / "openapi.json"
        return Response(await asyncio.to_thread(document.read_bytes), media_type="application/json")

    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", show_metrics, methods=["GET"]),
        Route("/openapi.json", openapi, methods=["GET"]),
    ]
