"""What no ledger can know of an app and its owner is asked: the questions, and what an answer may be."""

from datetime import date
from enum import StrEnum
from math import isfinite

from msgspec import Struct

FactValue = bool | int | float | str | tuple[str, ...]
OLD_DAYS = 90
"""An answer that is older is shown as old, and asked for again."""
NAMES_MAX = 100
TEXT_CHARS_MAX = 200


class Fact(Struct, frozen=True):
    """What the owner says that no ledger can know, and when they said it."""

    value: FactValue
    at: date

    def is_old(self, today: date) -> bool:
        """Say whether it has to be asked again."""
        return (today - self.at).days > OLD_DAYS


class FactKind(StrEnum):
    """What kind of answer a question takes."""

    COUNT = "whole number"
    NUMBER = "number"
    YES_NO = "true or false"
    TEXT = "text"
    DATE = "date"
    NAMES = "list of names"


class Question(Struct, frozen=True):
    """One fact: what is asked, what may be answered, and an example; `most` is the largest number."""

    text: str
    kind: FactKind
    example: str
    least: float = 0
    most: float = 1_000_000


FACTS = {
    "servers": Question("How many servers does the app run on?", FactKind.COUNT, "1", most=100_000),
    "team": Question("How many people work on the app?", FactKind.COUNT, "1", least=1, most=100_000),
    "months_of_work": Question(
        "For how many months has the app been worked on?", FactKind.NUMBER, "2.5", most=600
    ),
    "page_s": Question("How many seconds does a page of the app take to load?", FactKind.NUMBER, "0.8"),
    "database_cpu_percent": Question(
        "How busy is the processor of the app's database, in percent?", FactKind.NUMBER, "20", most=100
    ),
    "must_not_lose": Question(
        "Which tasks must never be lost (payments, mail, uploads)?",
        FactKind.NAMES,
        "none",
    ),
    "tried": Question(
        "Which of the things that are advised have been tried already?", FactKind.NAMES, "caching"
    ),
    "deploys_a_week": Question(
        "How many times a week does a new version go live?", FactKind.NUMBER, "2", most=10_000
    ),
    "largest_machine": Question(
        "Is the server already the largest one that can be had?", FactKind.YES_NO, "false"
    ),
    "stage_since": Question("Since when is the app at its stage?", FactKind.DATE, "2026-11-01"),
    "has_ci": Question("Does a machine run the tests at every change (CI)?", FactKind.YES_NO, "true"),
    "queue": Question("Is there a message queue (RabbitMQ, SQS, Redis)?", FactKind.YES_NO, "false"),
    "kubernetes": Question("Does the app run on Kubernetes?", FactKind.YES_NO, "false"),
    "microservices": Question("Of how many services is the app made?", FactKind.COUNT, "1", most=100_000),
    "database": Question("Which database does the app use?", FactKind.TEXT, "postgres"),
    "load_balancer": Question("Is there a load balancer in front of the app?", FactKind.YES_NO, "false"),
    "read_replicas": Question(
        "How many read replicas (copies that only answer questions) has the database?",
        FactKind.COUNT,
        "0",
        most=1_000,
    ),
}
"""Everything that is asked, by the name under which the answer is kept."""

_YES = {"true": True, "yes": True, "false": False, "no": False}


def read_fact(name: str, value: object, today: date) -> FactValue:
    """Return the answer to a question, from a text or from a value of the configuration.

    Raises ValueError with what it must be, and KeyError where nothing of that name is asked.
    """
    asked = FACTS[name]
    match asked.kind:
        case FactKind.COUNT | FactKind.NUMBER:
            return _number(asked, value)
        case FactKind.YES_NO:
            found = value if isinstance(value, bool) else _YES.get(str(value).strip().lower())
            if found is None:
                raise ValueError("must be true or false")
            return found
        case FactKind.DATE:
            return _day(value, today).isoformat()
        case FactKind.NAMES:
            return _names(value)
        case FactKind.TEXT:
            if not isinstance(value, str) or not value.strip() or not _is_line(value):
                raise ValueError("must be one line of text")
            return value.strip()


def _number(asked: Question, value: object) -> int | float:
    is_count = asked.kind is FactKind.COUNT
    kind = "a whole number" if is_count else "a number"
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(str(value))
    except ValueError:
        raise ValueError(f"must be {kind}") from None
    if not isfinite(number) or (is_count and number != int(number)):
        raise ValueError(f"must be {kind}")
    if not asked.least <= number <= asked.most:
        raise ValueError(f"must be from {asked.least:g} to {asked.most:,.0f}")
    return int(number) if is_count else number


def _day(value: object, today: date) -> date:
    try:
        found = date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("must be a date such as 2026-11-01") from None
    if found > today:
        raise ValueError("must not be in the future")
    return found


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [] if value.strip().lower() in {"", "none"} else value.split(",")
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError('must be a list such as ["a", "b"]; a list of nothing is []')
    names = tuple(dict.fromkeys(name.strip() for name in value if name.strip()))
    if len(names) > NAMES_MAX or not all(map(_is_line, names)):
        raise ValueError(f"must be at most {NAMES_MAX} names, each in one line")
    return names


def _is_line(text: str) -> bool:
    return text.isprintable() and len(text) <= TEXT_CHARS_MAX


def show_fact(value: FactValue) -> str:
    """Write an answer for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
