"""DELETE /admin/v1/state: forget what is stored of a key or an end user."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest
from seawall.server.cold import admin_route, json_response


def state_admin_routes(gateway: Gateway, admin_key: str) -> list[Route]:
    """Return the route; it asks for the admin key first."""

    async def forget(request: Request) -> Response:
        query = request.query_params
        unknown = sorted(set(query) - {"key", "end_user"})
        if unknown or len(query.multi_items()) > len(query):  # A slip must not widen what is deleted.
            param = unknown[0] if unknown else None
            raise InvalidRequest("Only key and end_user can be named, each once.", param=param)
        empty = sorted(name for name, value in query.items() if not value)
        if empty or not query:
            raise InvalidRequest(
                "Name a key, an end_user or both: nothing is deleted for an empty name.",
                param=empty[0] if empty else "key",
            )
        deleted = await gateway.conversations.forget(query.get("key"), query.get("end_user"))
        await gateway.idempotent.forget(query.get("key"), query.get("end_user"))
        return json_response({"deleted": deleted})

    return [admin_route("/state", {"DELETE": forget}, admin_key)]
