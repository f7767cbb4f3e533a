"""The words of advice: a verdict, the five questions that lead to it, and the numbers behind each answer."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Verdict(StrEnum):
    """What to do about a thing."""

    DO_NOW = "do it now"
    SIMPLE_FIRST = "do the simple thing first"
    NOT_YET = "not yet"
    KEEP = "keep it"
    REMOVE = "remove"
    CANNOT_TELL = "cannot tell"


Answer = Literal["yes", "no", "not measured"]
Effort = Literal["minutes", "an hour", "a day", "days", "weeks", "months"]


class Figure(Struct, frozen=True):
    """One number of the app, as it is shown; `query` is the question to the ledger that gives it.

    `text` is the number with its unit and what it counts, such as "38 calls a day", and with its bounds in
    brackets where it has some. `low` and `high` are its bounds at 95 percent, in the unit of `value`, where
    traffic is thin. Shares are in percent, money is in dollars. A figure that is not measured has no
    value, and `query` says how to measure it.
    """

    text: str
    query: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    is_measured: bool = True


class Step(Struct, frozen=True):
    """One question on the way to the verdict, its answer, why, and the numbers behind it."""

    question: str
    answer: Answer
    why: str
    figures: tuple[Figure, ...] = ()


class Threshold(Struct, frozen=True):
    """When a thing becomes due: in words, where the app stands, and where it would be due.

    `now` and `due` are in the same unit; `source` is where the threshold is from.
    """

    text: str
    now: float | None
    due: float
    unit: str
    source: str

    @property
    def way(self) -> float | None:
        """Return how much of the way is done, 1 where it is reached; `None` where that is not measured."""
        return None if self.now is None else min(1.0, self.now / self.due) if self.due else 1.0


class Replayed(Struct, frozen=True):
    """What would have been, had a thing been there: figures, what was assumed, and how far it may be off.

    `calls` are those that were replayed, `days` the span that they are from.
    """

    title: str
    calls: int
    days: float
    figures: tuple[Figure, ...]
    assumptions: tuple[str, ...]
    error: str


class Advice(Struct, frozen=True):
    """What to do about one thing, and why.

    `term` explains the thing in one sentence, `link` is the page of the documentation. `simple` is what to do
    first where there is something simpler. `steps` are the five questions in order. `saves_usd_month` orders
    what is to be done now, where it is known; nano-dollars.
    """

    thing: str
    title: str
    verdict: Verdict
    summary: str
    steps: tuple[Step, ...]
    effort: Effort
    term: str
    link: str
    simple: str | None = None
    do: tuple[str, ...] = ()
    threshold: Threshold | None = None
    replays: tuple[Replayed, ...] = ()
    saves_month: int | None = None
    is_never_skip: bool = False

    @property
    def reason(self) -> str:
        """Return the summary without the verdict, for a list whose heading says it."""
        return self.summary.removesuffix(" Not yet.").removesuffix(" Keep it.")


QUESTIONS = (
    "Do I have this problem right now?",
    "Is there a simpler solution?",
    "Have I tried it?",
    "Can it be added later?",
    "What stage am I at?",
)
