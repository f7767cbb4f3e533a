"""Makes and changes the records of virtual keys, from the fields that the admin API and the CLI take."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import msgspec

from seawall.core.contracts import KeyKind, KeyRecord
from seawall.core.errors import InvalidRequest
from seawall.core.money import Money, parse_usd
from seawall.core.policy import Budget, Quota
from seawall.identity.keys import new_id, new_secret
from seawall.identity.stated import read_limits, read_origins, read_quota, read_text

TRIAL = Quota(tokens_daily=20_000, requests_daily=20)
"""What each visitor with a publishable key may use unless it says otherwise."""
NAME_CHARS_MAX = 100
MODELS_MAX = 1_000
OVERLAP_S_MAX = 30 * 86_400
MOMENT_MAX_S = 253_370_764_800
"""The first of January 9999."""

_CAPS = {"daily_usd": "daily", "monthly_usd": "monthly", "lifetime_usd": "lifetime"}


def make(fields: dict[str, Any], now: float) -> tuple[KeyRecord, str]:
    """Make a key from its fields; returns its record, and the key to show once.

    Raises InvalidRequest naming the first field that is wrong.
    """
    kind = _kind(fields.get("kind", "key"))
    changes = _read({name: value for name, value in fields.items() if name != "kind"})
    if "name" not in changes:
        raise InvalidRequest("Give the key a name.", param="name")
    key, key_hash = new_secret(kind)
    record = KeyRecord(id=new_id(), name=changes.pop("name"), hash=key_hash, created_at=now, kind=kind)
    if kind == "publishable" and changes.get("tier") is None:
        changes.setdefault("trial", TRIAL)
    return _checked(_changed(record, changes)), key


def change(record: KeyRecord, fields: dict[str, Any]) -> KeyRecord:
    """Return the record with the named fields changed; `null` takes a cap, a model list or an expiry away."""
    return _checked(_changed(record, _read(fields)))


def check_guard(name: object, guards: Collection[str]) -> None:
    """Refuse the name of a guard that there is not; raises InvalidRequest."""
    if isinstance(name, str) and name not in guards:
        listed = ", ".join(sorted(guard for guard in guards if guard))
        raise InvalidRequest(f"There is no guard of that name; there are {listed}.", param="guard")


def revoke(record: KeyRecord, now: float) -> KeyRecord:
    """Return the record of a key that is refused from now on."""
    return msgspec.structs.replace(
        record, revoked_at=record.revoked_at or now, previous_hash=None, previous_until=None
    )


def rotate(record: KeyRecord, fields: dict[str, Any], key_hash: bytes, now: float) -> KeyRecord:
    """Give a key a new secret under the same id; the old one works `overlap_s` seconds more (default 0)."""
    overlap_s = fields.get("overlap_s", 0)
    unknown = next((name for name in fields if name != "overlap_s"), None)
    if unknown is not None:
        raise InvalidRequest(f"There is no field {unknown} here.", param=unknown)
    if isinstance(overlap_s, bool) or not isinstance(overlap_s, int) or not 0 <= overlap_s <= OVERLAP_S_MAX:
        raise InvalidRequest(
            f"overlap_s must be a number of seconds up to {OVERLAP_S_MAX}.", param="overlap_s"
        )
    if record.revoked_at is not None:
        raise InvalidRequest("This key is revoked; make a new one.")
    return msgspec.structs.replace(
        record,
        hash=key_hash,
        previous_hash=record.hash if overlap_s else None,
        previous_until=now + overlap_s if overlap_s else None,
    )


def _checked(record: KeyRecord) -> KeyRecord:
    """Refuse a publishable key without what makes it safe to publish, and pages on a key that is secret."""
    if record.kind == "key":
        if record.origins:
            raise InvalidRequest("Only a publishable key has origins.", param="origins")
        return record
    if not record.origins:
        raise InvalidRequest("A publishable key needs origins: the pages that may use it.", param="origins")
    if not record.models:
        raise InvalidRequest("A publishable key needs models: anybody can call them.", param="models")
    if record.budget.daily is None:
        raise InvalidRequest(
            "A publishable key needs a daily budget: scripts can pretend to be its pages.",
            param="budget.daily_usd",
        )
    if record.tier is None and (record.trial is None or record.trial.is_open):
        raise InvalidRequest("A publishable key needs a trial or a tier for its visitors.", param="trial")
    return record


def _changed(record: KeyRecord, changes: dict[str, Any]) -> KeyRecord:
    caps = changes.pop("budget", None)
    if caps is not None:
        changes["budget"] = msgspec.structs.replace(record.budget, **caps) if caps else Budget()
    return msgspec.structs.replace(record, **changes)


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    """Check every field and return the record's changes; nothing is half-written."""
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "name":
            changes[name] = _name(value)
        elif name == "models":
            changes[name] = _models(value)
        elif name == "budget":
            changes[name] = _caps(value)
        elif name == "expires_at":
            changes[name] = _moment(value)
        elif name == "limits":
            changes[name] = () if value is None else read_limits(value, name)
        elif name == "owner":
            changes[name] = "" if value is None else _owner(value)
        elif name in {"tier", "guard"}:
            changes[name] = None if value is None else read_text(value, name)
        elif name == "origins":
            changes[name] = () if value is None else read_origins(value, name)
        elif name == "trial":
            changes[name] = None if value is None else read_quota(value, name)
        else:
            raise InvalidRequest(f"A key has no field {name[:NAME_CHARS_MAX]}.", param=name[:NAME_CHARS_MAX])
    return changes


def _name(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > NAME_CHARS_MAX
        or not value.isprintable()
    ):
        raise InvalidRequest(f"name must be a text of 1 to {NAME_CHARS_MAX} characters.", param="name")
    return value.strip()


def _kind(value: Any) -> KeyKind:
    if value not in ("key", "publishable"):
        raise InvalidRequest("kind must be key or publishable.", param="kind")
    kind: KeyKind = value
    return kind


def _owner(value: Any) -> str:
    owner = read_text(value, "owner")
    if ":" in owner or "/" in owner:
        raise InvalidRequest("owner must not hold a colon or a slash.", param="owner")
    return owner


def _models(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) > MODELS_MAX
        or not all(isinstance(m, str) and m for m in value)
    ):
        raise InvalidRequest("models must be a list of model names.", param="models")
    return tuple(value)


def _caps(value: Any) -> dict[str, Money | None]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("budget must be an object.", param="budget")
    caps: dict[str, Money | None] = {}
    for name, amount in value.items():
        if name not in _CAPS:
            raise InvalidRequest(
                "A budget has the fields daily_usd, monthly_usd and lifetime_usd.",
                param=f"budget.{name[:NAME_CHARS_MAX]}",
            )
        try:
            caps[_CAPS[name]] = None if amount is None else parse_usd(amount)
        except ValueError:
            raise InvalidRequest(
                f'{name} must be an amount in dollars, as text: for example "2.50".', param=f"budget.{name}"
            ) from None
    return caps


def _moment(value: Any) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidRequest(
            "expires_at must be a moment such as 2027-01-31T12:00:00Z.", param="expires_at"
        ) from None
    at_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not 0 < at_s < MOMENT_MAX_S:
        raise InvalidRequest("expires_at must lie between 1970 and 9999.", param="expires_at")
    return at_s
