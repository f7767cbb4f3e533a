"""Every address that the gateway answers is on a page."""

from collections.abc import Iterator
from typing import cast

from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.server.admin import admin_routes
from seawall.server.admin_cache import cache_admin_routes
from seawall.server.admin_state import state_admin_routes
from seawall.server.admin_users import user_admin_routes
from seawall.server.body import BodyLimits
from seawall.server.cold import cold_routes
from seawall.server.endpoints import ENDPOINTS
from seawall.server.models import model_routes
from seawall.server.stored import stored_routes
from tests.docs.pages import read_page


def routes() -> Iterator[str]:
    """Yield every route as a page writes it."""
    nobody = cast(Gateway, None)  # A route knows its address before it is ever asked.
    made: list[Route] = [
        *cold_routes(nobody, ""),
        *model_routes(nobody),
        *stored_routes(nobody),
        *admin_routes(nobody, "", BodyLimits()),
        *state_admin_routes(nobody, ""),
        *user_admin_routes(nobody, "", BodyLimits()),
        *cache_admin_routes(nobody, ""),
    ]
    yield from (f"POST {path}" for path in ENDPOINTS)
    for route in made:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield f"{method} {route.path.replace(':path}', '}')}"


def test_every_route_is_documented() -> None:
    text = "".join(read_page(f"docs/{name}.md") for name in ("quickstart", "admin-api", "state"))
    assert [route for route in routes() if f"`{route}`" not in text] == []


def test_every_documented_admin_route_exists() -> None:
    page = read_page("docs/admin-api.md")
    headings = [line.removeprefix("## ").strip("`") for line in page.splitlines() if line.startswith("## `")]
    assert sorted(headings) == sorted(route for route in routes() if "/admin/" in route)
