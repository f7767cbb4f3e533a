"""GET /seawall.js: the script with which web pages ask, for anybody."""

import gzip
import hashlib
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def script_routes() -> list[Route]:
    """Return the route; the file is read once, when the gateway is put together."""
    script = (resources.files("seawall.server") / "static" / "seawall.js").read_bytes()
    packed = gzip.compress(script, mtime=0)
    tag = f'W/"{hashlib.sha256(script).hexdigest()[:32]}"'  # Weak: one for both forms.
    headers = {
        # seawall: ignore[cors-open] any page may load the script, which says nothing of anybody
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=3600",
        "etag": tag,
        "vary": "Accept-Encoding",
        "x-content-type-options": "nosniff",
    }

    async def seawall_js(request: Request) -> Response:
        if tag.removeprefix("W/") in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(script, headers=headers, media_type="text/javascript")
        return Response(packed, headers={**headers, "content-encoding": "gzip"}, media_type="text/javascript")

    return [Route("/seawall.js", seawall_js, methods=["GET"])]
