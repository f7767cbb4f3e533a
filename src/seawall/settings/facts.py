"""The sections that hold what the owner says of the app: what no ledger can know."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from seawall.core.facts import FACTS, Fact, FactValue, read_fact, show_fact
from seawall.settings.problems import KeyPath, SettingsError, show_path, suggest
from seawall.settings.sections import Section, setting
from seawall.settings.values import Kind


def _plain(value: object) -> object:
    """Return a value of the file as one of Python's own; what it must be depends on the name of the fact."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ValueError("must be a number, true or false, a text, or a list of texts")


def _read_date(value: object) -> object:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("must be a date such as 2026-11-27") from None


Value = Annotated[FactValue, BeforeValidator(_plain), Kind("as the fact asks", show=show_fact)]
Day = Annotated[date, BeforeValidator(_read_date), Kind("date such as 2026-11-27")]


class FactSettings(Section):
    """What only you can know of your app: see [the facts](stages.md#facts).

    NAME is one of the facts that are asked for. `seawall facts set` writes these sections.
    """

    value: Value = setting("What you say.")
    at: Day = setting("When you said it; what is older than 90 days is asked again.")


def read_facts(stated: Mapping[str, FactSettings], origins: Mapping[KeyPath, str]) -> dict[str, Fact]:
    """Return what is stated, each as its question asks; raises SettingsError with the place of a mistake."""
    today = latest_day()
    found = {}
    for name, one in stated.items():
        if name not in FACTS:
            at = next((origin for path, origin in origins.items() if path[:2] == ("facts", name)), "")
            where = f"{at}: " if at else ""
            near = suggest(name, FACTS)
            names = f" There are {', '.join(FACTS)}." if near == "." else ""
            raise SettingsError(f"{where}no fact is named {show_path((name,))}{near}{names}")
        try:
            value = read_fact(name, one.value, today)
        except ValueError as error:
            where = origins.get(("facts", name, "value"), origins.get(("facts", name), ""))
            raise SettingsError(f"{where}: facts.{name}.value {error}.") from None
        if one.at > today:
            where = origins.get(("facts", name, "at"), origins.get(("facts", name), ""))
            raise SettingsError(f"{where}: facts.{name}.at must not be in the future.")
        found[name] = Fact(value, one.at)
    return found


def latest_day() -> date:
    """Return the day that it is where it is latest: an owner's today is never in the future."""
    return (datetime.now(UTC) + timedelta(hours=14)).date()
