"""The admin API."""

from typing import get_args

import msgspec

from openapi.admin_advice import advice_paths, advice_schemas
from openapi.admin_jobs import job_paths, job_schemas
from openapi.errors import errors
from openapi.feedback import feedback_admin_paths
from openapi.shapes import (
    Json,
    answer,
    body,
    boolean,
    choice,
    closed,
    in_path,
    many,
    maybe,
    moment,
    money,
    number,
    query,
    ref,
    stated_money,
    text,
    whole,
    whole_of,
)
from seawall.core.call import Try
from seawall.core.contracts import KeyKind
from seawall.core.money import Usage
from seawall.core.policy import Decision
from seawall.identity.records import MODELS_MAX, NAME_CHARS_MAX, OVERLAP_S_MAX
from seawall.identity.stated import COUNT_MAX, LIMITS_MAX, ORIGINS_MAX, QUOTA_FIELDS
from seawall.identity.user_records import ID_CHARS_MAX, NOTE_CHARS_MAX
from seawall.server.admin import CALLS_DEFAULT, CALLS_MAX, USAGE_DAYS, USAGE_DAYS_MAX
from seawall.server.admin_users import DAYS_MAX, USERS_DEFAULT, USERS_MAX

_LINE = r"\S"
_limits = maybe(many(text('Such as "100/minute" or "4 at once".'), maxItems=LIMITS_MAX))
_quota_figures = {name: maybe(whole(minimum=1, maximum=COUNT_MAX)) for name in QUOTA_FIELDS}
_key_id = in_path("id", "The id of a key.")
_user_id = in_path("id", "The id of an end user; it may have slashes.", minLength=1, maxLength=ID_CHARS_MAX)
_days = query("days", whole(minimum=1, maximum=DAYS_MAX, default=31), "How far to look back.")


def admin_schemas() -> Json:
    """Return keys, calls, sums, users and jobs."""
    return {**_stated_schemas(), **_shown_schemas(), **_call_schemas(), **job_schemas(), **advice_schemas()}


def admin_paths() -> Json:
    """Return the operations; each needs the admin key."""
    return {f"/admin/v1{path}": methods for path, methods in _paths().items()}


def _stated_schemas() -> Json:
    caps = {name: maybe(stated_money()) for name in ("daily_usd", "monthly_usd", "lifetime_usd")}
    line = maybe(text(pattern=_LINE, minLength=1, maxLength=100))
    fields: Json = {
        "name": text("What the key is for.", pattern=_LINE, minLength=1, maxLength=NAME_CHARS_MAX),
        "models": maybe(many(text(minLength=1), "The models that it may use.", maxItems=MODELS_MAX)),
        "budget": maybe(closed(caps)),
        "expires_at": maybe(text("When it ends.", examples=["2027-01-31T12:00:00Z"])),
        "limits": _limits,
        "owner": line,
        "tier": line,
        "guard": line,
        "origins": maybe(many(text(), "The pages that may use it.", maxItems=ORIGINS_MAX)),
        "trial": maybe(closed(_quota_figures)),
    }
    kind = {"kind": choice(*get_args(KeyKind))}
    user_caps = {name: maybe(stated_money()) for name in ("daily_usd", "monthly_usd")}
    return {
        "NewKey": closed({**fields, **kind}, needs=("name",)),
        "KeyChange": closed(fields),
        "Rotation": closed({"overlap_s": whole(minimum=0, maximum=OVERLAP_S_MAX)}),
        "UserChange": {
            **closed(
                {
                    "tier": maybe(text("One of the tiers of the settings.")),
                    "blocked": boolean(),
                    "note": maybe(text(pattern=_LINE, minLength=1, maxLength=NOTE_CHARS_MAX)),
                    "limits": _limits,
                    "quota": maybe(closed(_quota_figures)),
                    "budget": maybe(closed(user_caps)),
                    "mail": boolean("Whether the user may be mailed when a job is done."),
                    "reset": boolean("Whether the quotas begin anew."),
                }
            ),
            "minProperties": 1,
        },
    }


def _shown_schemas() -> Json:
    spend = whole_of(
        {f"{name}_usd": money() for name in ("daily", "monthly", "lifetime", "held", "overage")},
        "What a scope has spent in its present periods.",
    )
    quota = whole_of({name: maybe(whole()) for name in QUOTA_FIELDS})
    caps = whole_of({name: maybe(money()) for name in ("daily_usd", "monthly_usd", "lifetime_usd")})
    user_caps = closed({name: maybe(money()) for name in ("daily_usd", "monthly_usd")})
    standing: Json = {
        "of": text(),
        "period": text(),
        "used": whole(),
        "held": whole(),
        "allowed": whole(),
        "resets_at": maybe(text(format="date-time")),
    }
    moments = ("expires_at", "revoked_at", "last_used_at")
    return {
        "Spend": spend,
        "Quota": quota,
        "Key": whole_of(
            {
                "id": text(),
                "name": text(),
                "kind": choice(*get_args(KeyKind)),
                "owner": maybe(text()),
                "tier": maybe(text()),
                "models": maybe(many(text())),
                "budget": caps,
                "limits": many(text()),
                "trial": maybe(ref("Quota")),
                "origins": many(text()),
                "guard": maybe(text()),
                "created_at": moment(),
                **{name: maybe(moment()) for name in moments},
                "spend": ref("Spend"),
            }
        ),
        "ShownKey": whole_of({"id": text(), "key": text("The key; nothing ever shows it again.")}),
        "User": whole_of(
            {
                "id": text(),
                "tier": maybe(text()),
                "effective_tier": maybe(text()),
                "blocked_at": maybe(moment()),
                "note": maybe(text()),
                "mail": boolean(),
                "limits": maybe(many(text())),
                "quota": maybe(ref("Quota")),
                "budget": maybe(user_caps),
                "usage": many(whole_of(standing)),
                "spend": ref("Spend"),
            }
        ),
        "UserRow": whole_of(
            {
                "id": text(),
                "tier": maybe(text()),
                "blocked_at": maybe(moment()),
                "calls": whole(),
                "tokens": whole(),
                "cost_usd": money(),
                "last_hour": maybe(moment()),
            }
        ),
    }


def _call_schemas() -> Json:
    """Return a call as it is kept; its parts are described by the types that hold them."""
    sums = ("input", "output", "cached_read", "cached_write", "reasoning")
    tried = _of(Try)
    for name in ("held", "cost"):
        del tried["properties"][name]
        tried["properties"][f"{name}_usd"] = money()
    return {
        "Usage": _of(Usage),
        "Decision": _of(Decision),
        "Attempt": {**tried, "required": [*tried["properties"]]},
        "Call": whole_of(
            {
                "id": text(),
                "at": moment(),
                "endpoint": text(),
                "key_id": text(),
                "end_user": maybe(text()),
                "model": text(),
                "provider": text(),
                "stream": boolean(),
                "status": whole(),
                "outcome": choice("ok", "refused", "failed", "left", "crashed"),
                "code": maybe(text()),
                "took_ms": number(),
                "first_ms": maybe(number()),
                "usage": maybe(ref("Usage")),
                **{f"{name}_usd": money() for name in ("held", "cost", "overage", "listed_cost", "saved")},
                "decisions": many(ref("Decision")),
                "attempts": many(ref("Attempt")),
            }
        ),
        "Sums": whole_of(
            {
                "name": text(),
                "calls": whole(),
                **{f"{name}_tokens": whole() for name in sums},
                "cost_usd": money(),
                "overage_usd": money(),
            }
        ),
        "CacheState": closed(
            {
                "enabled": boolean(),
                "days": whole(),
                "entries": whole(),
                "memory_bytes": whole(),
                "disk_bytes": whole(),
                "hits_since_start": whole(),
                "misses_since_start": whole(),
                "answered": whole("Calls on record that the cache answered."),
                "saved_usd": money(),
            },
            needs=("enabled", "days", "answered", "saved_usd"),
        ),
    }


def _of(kind: type) -> Json:
    """Describe a type of ours; an answer shows all of its fields."""
    found = msgspec.json.schema(kind)["$defs"][kind.__name__]
    fields = {name: _plain(field) for name, field in found["properties"].items()}
    return whole_of(fields)


def _plain(field: Json) -> Json:
    return {name: value for name, value in field.items() if name not in ("default", "title")}


def _data(schema: str, **more: Json) -> Json:
    return whole_of({**more, "data": many(ref(schema))})


def _operation(name: str, summary: str, ok: Json, *, status: int = 200, **parts: object) -> Json:
    statuses: object = parts.pop("statuses", ())
    assert isinstance(statuses, tuple)
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["Admin API"],
        "security": [{"adminKey": []}],
        **parts,
        "responses": {str(status): ok, **errors(401, *statuses)},
    }


def _paths() -> Json:
    return {
        **_key_paths(),
        **_call_paths(),
        **_user_paths(),
        **job_paths(_operation),
        **feedback_admin_paths(_operation),
        **advice_paths(_operation),
        **_other_paths(),
    }


def _key_paths() -> Json:
    gone = whole_of({"id": text(), "revoked": boolean()})
    one: Json = {"parameters": [_key_id], "statuses": (404, 413)}
    return {
        "/keys": {
            "get": _operation("listKeys", "All keys with what they spent", answer("All.", _data("Key"))),
            "post": _operation(
                "createKey",
                "Make a virtual key",
                answer("The only answer that ever shows it.", ref("ShownKey")),
                status=201,
                requestBody=body(ref("NewKey")),
                statuses=(413,),
            ),
        },
        "/keys/{id}": {
            "get": _operation("getKey", "One key with what it spent", answer("It.", ref("Key")), **one),
            "patch": _operation(
                "changeKey",
                "Change the named fields",
                answer("The key as it is now.", ref("Key")),
                requestBody=body(ref("KeyChange")),
                **one,
            ),
            "delete": _operation("revokeKey", "Refuse a key from now on", answer("Done.", gone), **one),
        },
        "/keys/{id}/rotate": {
            "post": _operation(
                "rotateKey",
                "Replace the secret of a key",
                answer("The only answer that ever shows the new one.", ref("ShownKey")),
                requestBody=body(ref("Rotation"), is_needed=False),
                **one,
            )
        },
    }


def _call_paths() -> Json:
    pages = [
        query("limit", whole(minimum=1, maximum=CALLS_MAX, default=CALLS_DEFAULT), "How many."),
        query("key", text(), "Only calls of the key with this id."),
        query("before", text(), "Only calls older than the one with this id."),
    ]
    groups = [
        query("by", choice("key", "user", "model", "day"), "What to add up by; `day` without it."),
        query("days", whole(minimum=1, maximum=USAGE_DAYS_MAX, default=USAGE_DAYS), "How far to look back."),
    ]
    return {
        "/calls": {
            "get": _operation(
                "listCalls", "The newest calls first", answer("A page.", _data("Call")), parameters=pages
            )
        },
        "/calls/{id}": {
            "get": _operation(
                "getCall",
                "One call with every decision",
                answer("It.", ref("Call")),
                parameters=[in_path("id", "The id of a call.")],
                statuses=(404,),
            )
        },
        "/usage": {
            "get": _operation(
                "getUsage",
                "Sums by key, user, model or day, the dearest first",
                answer("The sums.", _data("Sums", by=text())),
                parameters=groups,
            )
        },
    }


def _user_paths() -> Json:
    pages = [
        _days,
        query("limit", whole(minimum=1, maximum=USERS_MAX, default=USERS_DEFAULT), "How many."),
        query("after", text(), "The id of a user to go on from."),
    ]
    erased = whole_of({"erased": boolean(), "kept_as": text(), "calls": whole()})
    one: Json = {"parameters": [_user_id]}
    return {
        "/users": {
            "get": _operation(
                "listUsers",
                "Who called, or is decided about, by id",
                answer("A page.", _data("UserRow", days=whole())),
                parameters=pages,
            )
        },
        "/users/{id}": {
            "get": _operation("getUser", "One end user", answer("It.", ref("User")), **one),
            "patch": _operation(
                "changeUser",
                "Change what is decided about a user",
                answer("The user as it is now.", ref("User")),
                requestBody=body(ref("UserChange")),
                statuses=(413,),
                **one,
            ),
            "delete": _operation(
                "eraseUser", "Forget a person", answer("The sums stay.", erased), statuses=(409,), **one
            ),
        },
    }


def _other_paths() -> Json:
    deleted = whole_of({"deleted": whole()})
    whose = [
        query("key", text(minLength=1), "The id of a key."),
        query("end_user", text(minLength=1), "An end user."),
    ]
    return {
        "/cache": {
            "get": _operation(
                "getCache",
                "What the cache holds and what it saved",
                answer("It.", ref("CacheState")),
                parameters=[_days],
            ),
            "delete": _operation("clearCache", "Forget every kept answer", answer("Done.", deleted)),
        },
        "/state": {
            "delete": _operation(
                "forgetState",
                "Forget what is stored of a key, an end user, or both together",
                answer("How many answers are forgotten.", deleted),
                parameters=whose,
            )
        },
    }
