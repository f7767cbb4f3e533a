"""GET /admin/v1/advice, for one thing as well, and /admin/v1/stage: from the app's own numbers."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.errors import InvalidRequest
from seawall.server.cold import admin_route, whole_number

DAYS_DEFAULT = 30
DAYS_MAX = 366
THING_CHARS_MAX = 60
MEDIA = {"json": "application/json", "markdown": "text/markdown", "html": "text/html"}
"""The media type of each form that advice is written in."""

_PAGE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
}


class AdvicePages(Struct, frozen=True):
    """What makes advice, as a text in a form: of so many days, on a thing by its name, on the stage."""

    report: Callable[[int, str], Awaitable[str]]
    advice: Callable[[str, int, str], Awaitable[str]]
    stage: Callable[[str], Awaitable[str]]


OpenPages = Callable[[], AdvicePages]
"""Loads what makes advice, which takes a moment: for the first who asks, and in a thread."""


def advice_admin_routes(open_pages: OpenPages, admin_key: str) -> list[Route]:
    """Return the routes; every one asks for the admin key first."""
    opened = asyncio.Lock()
    found: list[AdvicePages] = []

    async def pages() -> AdvicePages:
        async with opened:
            if not found:
                found.append(await asyncio.to_thread(open_pages))
        return found[0]

    async def show_all(request: Request) -> Response:
        form, days = _form(request), whole_number(request, "days", DAYS_DEFAULT, DAYS_MAX)
        return _response(await (await pages()).report(days, form), form)

    async def show_one(request: Request) -> Response:
        form, days = _form(request), whole_number(request, "days", DAYS_DEFAULT, DAYS_MAX)
        thing = request.path_params["thing"]
        if len(thing) > THING_CHARS_MAX or not thing.isprintable():
            raise InvalidRequest(
                f"A thing has a name of at most {THING_CHARS_MAX} characters.", param="thing"
            )
        return _response(await (await pages()).advice(thing, days, form), form)

    async def show_stage(request: Request) -> Response:
        form = _form(request)
        return _response(await (await pages()).stage(form), form)

    return [
        admin_route("/stage", {"GET": show_stage}, admin_key),
        admin_route("/advice", {"GET": show_all}, admin_key),
        admin_route("/advice/{thing}", {"GET": show_one}, admin_key),
    ]


def _form(request: Request) -> str:
    """Return the form that is asked for, by ?format= or else by the first known type that is accepted."""
    stated = request.query_params.get("format")
    if stated is not None:
        if stated not in MEDIA:
            raise InvalidRequest(f"format must be {', '.join(MEDIA)}.", param="format")
        return stated
    accepted = [each.partition(";")[0].strip() for each in request.headers.get("accept", "").split(",")]
    forms = {media: form for form, media in MEDIA.items()}
    return next((forms[media] for media in accepted if media in forms), "json")


def _response(text: str, form: str) -> Response:
    return Response(text, media_type=MEDIA[form], headers={**_PAGE, "vary": "accept"})
