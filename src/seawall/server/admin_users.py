"""The admin API of end users: what they used, which tier they are in, who is shut out, who is forgotten."""

import secrets
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest
from seawall.core.events import Event
from seawall.core.money import format_usd
from seawall.identity import user_records
from seawall.pipeline.caching import user_hash
from seawall.server.body import BodyLimits, read_json
from seawall.server.cold import admin_route, count_at_once, json_response, whole_number
from seawall.server.showing import iso_of
from seawall.server.user_view import Books, look_at, quota_accounts, show_user

USERS_MAX = 1_000
USERS_DEFAULT = 100
DAYS_DEFAULT = 31
DAYS_MAX = 3_660
DAY_MS = 86_400_000


class AdminUsers:
    """What the routes do; one method per route."""

    def __init__(self, gateway: Gateway, limits: BodyLimits) -> None:
        self._gateway = gateway
        self._limits = limits

    async def list(self, request: Request) -> Response:
        """GET /admin/v1/users?days=&after=&limit=: who called, or is decided about, by id."""
        gateway = self._gateway
        days = whole_number(request, "days", DAYS_DEFAULT, DAYS_MAX)
        limit = whole_number(request, "limit", USERS_DEFAULT, USERS_MAX)
        after = request.query_params.get("after", "")
        since_ms = int(gateway.now() * 1000) - days * DAY_MS
        rows = await list_users(_books(gateway), since_ms=since_ms, after=after, limit=limit)
        return json_response({"days": days, "data": rows})

    async def show(self, request: Request) -> Response:
        """GET /admin/v1/users/{id}: what a user may do and has used; one never seen may do what all may."""
        return json_response(await self._shown(user_records.read_id(request.path_params["id"])))

    async def change(self, request: Request) -> Response:
        """PATCH /admin/v1/users/{id}: change the named fields, and with `reset` begin its quotas anew."""
        user_id = user_records.read_id(request.path_params["id"])
        body, _ = await read_json(request.scope["headers"], request.receive, self._limits)  # type: ignore[arg-type] # the same type by another name
        await change_user(user_id, body, _books(self._gateway))
        count_at_once(self._gateway)
        return json_response(await self._shown(user_id))

    async def erase(self, request: Request) -> Response:
        """DELETE /admin/v1/users/{id}: forget the person; the sums stay, under a name that says nothing."""
        user_id = user_records.read_id(request.path_params["id"])
        alias = new_alias()
        calls = await self._gateway.directory.erase_user(user_id, alias)
        if self._gateway.answers is not None:
            await self._gateway.answers.forget_user(user_hash(user_id))
        count_at_once(self._gateway)
        return json_response({"erased": True, "kept_as": alias, "calls": calls})

    async def _shown(self, user_id: str) -> dict[str, Any]:
        books = _books(self._gateway)
        return show_user(await look_at(user_id, books), books.house.zone)


async def list_users(books: Books, *, since_ms: int, after: str, limit: int) -> list[dict[str, Any]]:
    """List users by id: those who called since then, and those about whom anything is decided."""
    active = {
        row["id"]: row
        for row in await books.call_log.active_users(since_ms=since_ms, after=after, limit=limit)
    }
    decided = {record.id: record for record in await books.directory.users() if record.id > after}
    rows = []
    for user_id in sorted({*active, *decided})[:limit]:
        record, sums = decided.get(user_id), active.get(user_id)
        rows.append(
            {
                "id": user_id,
                "tier": None if record is None else record.tier,
                "blocked_at": iso_of(None if record is None else record.blocked_at),
                "calls": 0 if sums is None else sums["calls"],
                "tokens": 0 if sums is None else sums["tokens"],
                "cost_usd": format_usd(0 if sums is None else sums["cost"]),
                "last_hour": iso_of(None if sums is None else sums["last_hour"]),
            }
        )
    return rows


async def change_user(user_id: str, fields: dict[str, Any], books: Books) -> None:
    """Change what is decided about a user; raises InvalidRequest, and then nothing has changed."""
    if not fields:
        raise InvalidRequest("Name at least one field to change.")
    how = partial(
        user_records.change, user_id=user_id, fields=fields, tiers=books.house.tiers, now=books.now()
    )
    event = None
    if "tier" in fields:
        tier, at = fields["tier"], books.now()
        text = f"The user {user_id} is in the tier {tier or 'by default'} now."
        data = {"user": user_id, "tier": tier}
        event = Event("user.tier_changed", f"user.tier_changed user:{user_id} {at}", text, data, at)
    await books.directory.change_user(user_id, how, event, books.channels)
    if fields.get("reset"):
        policy = (await look_at(user_id, books)).policy
        await books.ledger.reset(quota_accounts(user_id, policy, books.now(), books.house.zone))


def new_alias() -> str:
    """Make the name under which an erased user's sums are kept; it says nothing of the person."""
    return f"erased_{secrets.token_hex(8)}"


def user_admin_routes(gateway: Gateway, admin_key: str, limits: BodyLimits) -> list[Route]:
    """Return the routes; every one asks for the admin key first."""
    users = AdminUsers(gateway, limits)

    one = {"GET": users.show, "PATCH": users.change, "DELETE": users.erase}
    return [
        admin_route("/users", {"GET": users.list}, admin_key),
        admin_route("/users/{id:path}", one, admin_key),
    ]


def _books(gateway: Gateway) -> Books:
    stores = (gateway.directory, gateway.ledger, gateway.call_log)
    return Books(*stores, gateway.house, gateway.now, gateway.event_channels)
