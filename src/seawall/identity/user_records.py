"""Changes what is decided about end users, from the fields that the admin API and the CLI take."""

from collections.abc import Collection
from typing import Any

from msgspec.structs import replace

from seawall.core.contracts import UserRecord
from seawall.core.errors import InvalidRequest
from seawall.core.policy import Budget, Quota
from seawall.identity.stated import read_limits, read_quota, read_text, read_user_budget

ID_CHARS_MAX = 300
NOTE_CHARS_MAX = 500
FIELDS = ("tier", "blocked", "note", "limits", "quota", "budget", "mail", "reset")


def change(
    record: UserRecord | None, user_id: str, fields: dict[str, Any], tiers: Collection[str], now: float
) -> UserRecord:
    """Return the record of a user with the named fields changed; `null` takes back what was decided.

    `reset` is no part of the record and is left to the caller. Raises InvalidRequest naming the first field
    that is wrong; nothing is half-changed.
    """
    record = record or UserRecord(id=read_id(user_id), created_at=now)
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "tier":
            changes["tier"] = None if value is None else _tier(value, tiers)
        elif name == "blocked":
            is_blocked = _boolean(value, name)
            changes["blocked_at"] = (record.blocked_at or now) if is_blocked else None
        elif name == "note":
            changes["note"] = None if value is None else read_text(value, name, chars_max=NOTE_CHARS_MAX)
        elif name == "limits":
            changes["limits"] = None if value is None else read_limits(value, name)
        elif name == "quota":
            quota = Quota() if value is None else read_quota(value, name)
            changes["quota"] = None if quota.is_open else quota
        elif name == "budget":
            budget = Budget() if value is None else read_user_budget(value, name)
            changes["budget"] = None if budget.is_open else budget
        elif name == "mail":
            changes["may_mail"] = _boolean(value, name)
        elif name == "reset":
            _boolean(value, name)
        else:
            raise InvalidRequest(
                f"A user has no field {name[:100]}. There are {', '.join(FIELDS)}.", param=name[:100]
            )
    return replace(record, **changes)


def read_id(user_id: str) -> str:
    """Check the id of a user; raises InvalidRequest."""
    if not user_id or not user_id.isprintable() or len(user_id) > ID_CHARS_MAX:
        raise InvalidRequest(f"The id of a user has 1 to {ID_CHARS_MAX} characters.", param="id")
    return user_id


def _tier(value: Any, tiers: Collection[str]) -> str:
    if not isinstance(value, str) or value not in tiers:
        known = ", ".join(sorted(tiers)) or "none; [tiers.NAME] in seawall.toml makes one"
        raise InvalidRequest(f"There is no such tier. Known tiers: {known}.", param="tier")
    return value


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false.", param=name)
    return value
