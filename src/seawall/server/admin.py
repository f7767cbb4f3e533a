"""The admin API: keys, calls and usage, for the holder of the admin key."""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway, KeyRecord
from seawall.core.errors import InvalidRequest, UnknownRoute
from seawall.core.policy import Scope
from seawall.identity import records
from seawall.identity.keys import new_secret
from seawall.server.body import BodyLimits, read_json
from seawall.server.cold import Endpoint, admin_route, count_at_once, json_response, whole_number
from seawall.server.showing import show_call, show_key, show_sums

CALLS_MAX = 1_000
CALLS_DEFAULT = 100
DAY_MS = 86_400_000
USAGE_DAYS = 31
NO_KEY = "There is no key with this id."
USAGE_DAYS_MAX = 3_660


class Admin:
    """What the admin API does; one method per route."""

    def __init__(self, gateway: Gateway, limits: BodyLimits) -> None:
        self._gateway = gateway
        self._limits = limits

    async def create_key(self, request: Request) -> Response:
        """POST /admin/v1/keys: make a key and show it this once."""
        fields = await self._key_fields(request)
        record, key = records.make(fields, self._gateway.now())
        await self._gateway.directory.put(record)
        return json_response({"id": record.id, "key": key}, 201)

    async def list_keys(self, _: Request) -> Response:
        """GET /admin/v1/keys: all keys with what they spent."""
        return json_response({"data": [await self._shown(r) for r in await self._gateway.directory.keys()]})

    async def show_key(self, request: Request) -> Response:
        """GET /admin/v1/keys/{id}: one key with what it spent."""
        return json_response(await self._shown(await self._find(request)))

    async def change_key(self, request: Request) -> Response:
        """PATCH /admin/v1/keys/{id}: change the named fields."""
        fields = await self._key_fields(request)
        return json_response(
            await self._shown(await self._change(request, partial(records.change, fields=fields)))
        )

    async def _key_fields(self, request: Request) -> dict[str, Any]:
        """Read the fields of a key; one that names a guard which there is not is refused."""
        fields = await self._body(request)
        records.check_guard(fields.get("guard"), self._gateway.house.guards)
        return fields

    async def revoke_key(self, request: Request) -> Response:
        """DELETE /admin/v1/keys/{id}: refuse the key from now on; what it spent stays on record."""
        record = await self._change(request, partial(records.revoke, now=self._gateway.now()))
        return json_response({"id": record.id, "revoked": True})

    async def rotate_key(self, request: Request) -> Response:
        """POST /admin/v1/keys/{id}/rotate: a new key under the same id; shown this once."""
        fields = await self._body(request, may_be_empty=True)
        key, key_hash = new_secret((await self._find(request)).kind)
        now = self._gateway.now()
        record = await self._change(
            request, partial(records.rotate, fields=fields, key_hash=key_hash, now=now)
        )
        return json_response({"id": record.id, "key": key})

    async def list_calls(self, request: Request) -> Response:
        """GET /admin/v1/calls?key=&before=&limit=: the newest calls first."""
        query = request.query_params
        rows = await self._gateway.call_log.newest(
            key_id=query.get("key"),
            before=query.get("before"),
            limit=whole_number(request, "limit", CALLS_DEFAULT, CALLS_MAX),
        )
        return json_response({"data": [show_call(row) for row in rows]})

    async def show_call(self, request: Request) -> Response:
        """GET /admin/v1/calls/{id}: one call with every decision."""
        row = await self._gateway.call_log.find(request.path_params["id"])
        if row is None:
            raise UnknownRoute("There is no call with this id; it may be older than the log.")
        return json_response(show_call(row))

    async def usage(self, request: Request) -> Response:
        """GET /admin/v1/usage?by=key|user|model|day&days=: sums, the dearest first."""
        by = request.query_params.get("by", "day")
        if by not in ("key", "user", "model", "day"):
            raise InvalidRequest("by must be key, user, model or day.", param="by")
        until_ms = int(self._gateway.now() * 1000) + 1
        since_ms = until_ms - whole_number(request, "days", USAGE_DAYS, USAGE_DAYS_MAX) * DAY_MS
        sums = await self._gateway.call_log.usage(by=by, since_ms=since_ms, until_ms=until_ms)
        return json_response({"by": by, "data": [show_sums(row) for row in sums]})

    async def _body(self, request: Request, *, may_be_empty: bool = False) -> dict[str, Any]:
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        if may_be_empty and not has_body:
            return {}
        body, _ = await read_json(request.scope["headers"], request.receive, self._limits)  # type: ignore[arg-type] # the same type by another name
        return body

    async def _find(self, request: Request) -> KeyRecord:
        record = await self._gateway.directory.get(request.path_params["id"])
        if record is None:
            raise UnknownRoute(NO_KEY)
        return record

    async def _change(self, request: Request, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord:
        record = await self._gateway.directory.change(request.path_params["id"], how)
        if record is None:
            raise UnknownRoute(NO_KEY)
        count_at_once(self._gateway)
        return record

    async def _shown(self, record: KeyRecord) -> dict[str, Any]:
        scope = str(Scope("key", record.id))
        return show_key(record, await self._gateway.call_log.spend(scope, self._gateway.now()))


def admin_routes(gateway: Gateway, admin_key: str, limits: BodyLimits) -> list[Route]:
    """Return the routes; every one asks for the admin key first."""
    admin = Admin(gateway, limits)

    def route(path: str, methods: dict[str, Endpoint]) -> Route:
        return admin_route(path, methods, admin_key)

    return [
        route("/keys", {"GET": admin.list_keys, "POST": admin.create_key}),
        route("/keys/{id}", {"GET": admin.show_key, "PATCH": admin.change_key, "DELETE": admin.revoke_key}),
        route("/keys/{id}/rotate", {"POST": admin.rotate_key}),
        route("/calls", {"GET": admin.list_calls}),
        route("/calls/{id}", {"GET": admin.show_call}),
        route("/usage", {"GET": admin.usage}),
    ]
