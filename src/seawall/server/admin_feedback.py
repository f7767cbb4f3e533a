"""The admin API of feedback: what people say of the answers they got."""

from collections.abc import Sequence
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest
from seawall.core.feedback import Feedback, Rating, Ratings
from seawall.server.cold import admin_route, json_response, whole_number
from seawall.server.showing import iso_of

LISTED_MAX = 1_000
LISTED_DEFAULT = 100
DAYS_DEFAULT = 30
DAYS_MAX = 366
DAY_S = 86_400.0
RATINGS: tuple[Rating, ...] = get_args(Rating)


def show_feedback(said: Feedback) -> dict[str, Any]:
    """Show what one person says of one call."""
    return {
        "call_id": said.call_id,
        "at": iso_of(said.at),
        "key_id": said.key_id,
        "end_user": said.end_user or None,
        "model": said.model,
        "rating": said.rating,
        "comment": said.comment,
    }


def show_page(found: Sequence[Feedback], sums: Sequence[Ratings], days: int) -> dict[str, Any]:
    """Show what people say, and how many ratings of each kind a model got in some days."""
    return {
        "data": [show_feedback(said) for said in found],
        "days": days,
        "ratings": [{"model": each.model, "up": each.up, "down": each.down} for each in sums],
    }


def feedback_admin_routes(gateway: Gateway, admin_key: str) -> list[Route]:
    """Return the route; it asks for the admin key first."""

    async def listed(request: Request) -> Response:
        """GET /admin/v1/feedback?rating=&before=&limit=&days=: the newest first, and sums by model."""
        query = request.query_params
        rating = next((each for each in RATINGS if each == query.get("rating")), None)
        if "rating" in query and rating is None:
            raise InvalidRequest('rating must be "up" or "down".', param="rating")
        days = whole_number(request, "days", DAYS_DEFAULT, DAYS_MAX)
        found = await gateway.feedback.newest(
            rating=rating,
            before=query.get("before"),
            limit=whole_number(request, "limit", LISTED_DEFAULT, LISTED_MAX),
        )
        sums = await gateway.feedback.ratings(gateway.now() - days * DAY_S)
        return json_response(show_page(found, sums, days))

    return [admin_route("/feedback", {"GET": listed}, admin_key)]
