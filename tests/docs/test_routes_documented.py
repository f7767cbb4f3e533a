"""Every address that the gateway answers is on a page."""

from collections.abc import Iterator
from typing import cast

from seawall.core.contracts import Gateway
from seawall.server.admin_advice import AdvicePages
from seawall.server.app import Desk, routes_of
from seawall.server.body import BodyLimits
from seawall.server.endpoints import ENDPOINTS
from seawall.server.metrics.metrics import Metrics
from seawall.server.readiness import Readiness
from tests.docs.pages import read_page


def routes() -> Iterator[str]:
    """Yield every route as a page writes it."""
    nobody = cast(Gateway, None)  # A route knows its address before it is ever asked.
    yield from (f"POST {path}" for path in ENDPOINTS)
    desk = Desk("", lambda: cast(AdvicePages, None))
    for route in routes_of(nobody, desk, BodyLimits(), Readiness(nobody), cast(Metrics, None)):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield f"{method} {route.path.replace(':path}', '}')}"


def test_every_route_is_documented() -> None:
    text = "".join(
        read_page(f"docs/{name}.md") for name in ("quickstart", "admin-api", "state", "jobs", "feedback")
    )
    assert [route for route in routes() if f"`{route}`" not in text] == []


def test_every_documented_admin_route_exists() -> None:
    page = read_page("docs/admin-api.md")
    headings = [line.removeprefix("## ").strip("`") for line in page.splitlines() if line.startswith("## `")]
    assert sorted(headings) == sorted(route for route in routes() if "/admin/" in route)
