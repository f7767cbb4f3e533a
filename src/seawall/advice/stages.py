"""Where an app really is, against the stage that its configuration states: pure, from its own numbers.

Invariant: a stage is only ever suggested. Moving up takes people who are there; moving down takes two weeks
on record, and calls that name their users.
"""

from datetime import UTC, date, datetime

from msgspec import Struct

from seawall.advice import figures
from seawall.advice.bounds import share_bounds
from seawall.advice.numbers import Liked, Numbers
from seawall.advice.readiness import UNNAMED_PERCENT, Row
from seawall.advice.stage_words import ORDER, STAGES, StageWords, after, stage_for
from seawall.advice.words import Figure
from seawall.core.money import NANO, round_usd
from seawall.core.stages import Stage
from seawall.core.traffic import Hour

WEEK_HOURS = 168
GROWTH_DAYS = 14
FEW_USERS = 12
MONTHS_OF_WORK = 2
"""From so many months of work on, few users are worth a word."""
MANY_CALLS = 100
MANY_USERS = 100
TRIED_DAYS = 2
"""Whether people come back cannot be seen before the second day."""


class Checked(Struct, frozen=True):
    """What the audit of the repository said; `note` says what was looked at, or why nothing was."""

    note: str
    rows: tuple[Row, ...] = ()
    grade: str = ""
    too_early: tuple[str, ...] = ()


class Stay(Struct, frozen=True):
    """How long the app has been at its stage; `days` is `None` where no call is on record and nobody said."""

    since: date | None
    days: int | None
    is_stated: bool
    text: str
    is_long: bool = False


class Suggestion(Struct, frozen=True):
    """Another stage that fits better, and why."""

    to: Stage
    is_up: bool
    reason: str


class StageReport(Struct, frozen=True, kw_only=True):
    """Where an app is, what its stage still lacks, and what can wait. `at` is in Unix seconds.

    `figures` have a word for each as their names. `rows` are all things that this stage or the next asks for.
    `asks` names facts that would say more.
    """

    at: float
    days: int
    stage: Stage
    figures: dict[str, Figure]
    stay: Stay
    suggestion: Suggestion | None
    warnings: tuple[str, ...]
    rows: tuple[Row, ...]
    checked: Checked
    liked: Liked
    asks: tuple[str, ...]

    @property
    def words(self) -> StageWords:
        """Return what the stage is."""
        return STAGES[self.stage]

    @property
    def following(self) -> Stage | None:
        """Return the next stage, `None` at the last."""
        return after(self.stage)

    @property
    def asked(self) -> tuple[Row, ...]:
        """Return what the present stage asks for."""
        return tuple(row for row in self.rows if row.is_asked(self.stage))

    @property
    def lacking(self) -> tuple[Row, ...]:
        """Return what the present stage asks for and is not there, what fails first."""
        states = ("fail", "warn", "manual", "unknown")
        return tuple(
            sorted(
                (row for row in self.asked if row.is_open),
                key=lambda row: (states.index(row.state), not row.is_never_skip),
            )
        )

    @property
    def coming(self) -> tuple[Row, ...]:
        """Return what the next stage asks for and the present one does not."""
        return tuple(row for row in self.rows if not row.is_asked(self.stage))


def report_on(numbers: Numbers, gateway: tuple[Row, ...], checked: Checked, at: float) -> StageReport:
    """Return where the app is at a moment in Unix seconds."""
    stage = numbers.setup.stage
    last = after(stage) or stage
    rows = tuple(row for row in (*gateway, *checked.rows) if row.is_asked(last))
    today = datetime.fromtimestamp(at, UTC).date()
    stay, suggestion = _stay(numbers, today), _suggestion(numbers)
    return StageReport(
        at=at,
        days=numbers.days,
        stage=stage,
        figures=_figures(numbers),
        stay=stay,
        suggestion=suggestion,
        warnings=tuple(_warnings(numbers, stay, suggestion)),
        rows=rows,
        checked=checked,
        liked=numbers.liked,
        asks=tuple(_asks(numbers, today)),
    )


def _figures(numbers: Numbers) -> dict[str, Figure]:
    if not numbers.sums.hour.calls:
        text = f"no call is on record in {numbers.days} days"
        return {"calls": figures.not_measured(text, "point your app at `seawall serve`")}
    found = {
        "users": _users(numbers),
        "returning": _returning(numbers),
        "calls": figures.calls_a_day(numbers),
        "growth": _growth(numbers),
        "spend": _spend(numbers),
    }
    up, down = numbers.liked.up, numbers.liked.down
    if up + down:
        said = "say that an answer was good"
        found["ratings"] = figures.share(up, up + down, said, "seawall feedback list")
    return found


def _users(numbers: Numbers) -> Figure:
    users, calls, unnamed = numbers.users.users, numbers.sums.hour.calls, numbers.users.unnamed
    if not users:
        text = f"not known: none of the {calls:,} calls names its user"
        return figures.not_measured(text, "let your app send the header seawall-user")
    text = f"{_people(users)} in {numbers.days} days"
    if unnamed:
        text += f", and {unnamed:,} {'call that names' if unnamed == 1 else 'calls that name'} nobody"
    return Figure(text, "seawall users list", users)


def _returning(numbers: Numbers) -> Figure:
    users, returning = numbers.users.users, numbers.users.returning
    query = "seawall users list"
    if not users:
        return figures.not_measured("not known: the calls name no users", query)
    if numbers.days_seen < TRIED_DAYS:
        return figures.not_measured("not known yet: that takes a second day on record", query)
    share = 100 * returning / users
    text = f"{returning:,} of {users:,} came back on another day: {figures.percent(share)}"
    if users >= MANY_USERS:
        return Figure(text, query, share)
    low, high = (100 * bound for bound in share_bounds(returning, users))
    return Figure(f"{text} (so few that it may be {low:.0f} to {high:.0f} % of all)", query, share, low, high)


def _growth(numbers: Numbers) -> Figure:
    """Return how the calls of the last seven days compare with those of the seven before."""
    if numbers.days_seen < GROWTH_DAYS:
        seen = f"{numbers.days_seen:.0f} of {GROWTH_DAYS} days are on record"
        return figures.not_measured(f"not known yet: {seen}", "come back when two weeks are on record")
    until = numbers.until_hour
    last = _calls_of(numbers, until - WEEK_HOURS, until)
    before = _calls_of(numbers, until - 2 * WEEK_HOURS, until - WEEK_HOURS)
    query = figures.hourly(numbers, "total(data->>'$.calls')", days=7)
    text = f"{last:,} calls in the last 7 days, {before:,} in the 7 before"
    if not before:
        return Figure(text, query)
    change = 100 * (last - before) / before
    shown = f"{text}: {change:+.0f} %"
    if min(last, before) < MANY_CALLS:
        shown += ", too few to call it a trend"
    return Figure(shown, query, change)


def _calls_of(numbers: Numbers, first: int, until: int) -> int:
    return sum(hour.calls for hour in numbers.hours if first <= hour.hour < until)


def _spend(numbers: Numbers) -> Figure:
    cost = numbers.sums.asked.cost
    text = f"{round_usd(cost)} in {numbers.days} days, {round_usd(round(numbers.a_day(cost)))} a day"
    week = sum(_cost(hour) for hour in numbers.hours if hour.hour >= numbers.until_hour - WEEK_HOURS)
    if numbers.days_seen > 7:
        text += f"; {round_usd(week)} of it in the last 7 days"
    return Figure(text, "seawall usage --by day", cost / NANO)


def _cost(hour: Hour) -> int:
    return sum(model.cost for model in hour.models.values())


def _stay(numbers: Numbers, today: date) -> Stay:
    """Return since when the app is at its stage: as the owner says, else since its first call on record."""
    stage, words = numbers.setup.stage, STAGES[numbers.setup.stage]
    usual = f"{stage} usually takes {words.takes}" if words.days_max else f"{stage} is {words.takes}"
    stated, first = numbers.facts.get("stage_since"), numbers.users.first_hour
    if stated is not None:
        since, said = date.fromisoformat(str(stated.value)), "as you said"
    elif first is not None:
        since = datetime.fromtimestamp(first * 3_600, UTC).date()
        said = "counted from the first call on record"
    else:
        return Stay(None, None, False, f"not known: no call is on record. {usual.capitalize()}.")
    days = max(0, (today - since).days)
    is_long = words.days_max is not None and days > words.days_max
    text = f"day {days + 1} at {stage}, since {since} ({said}); {usual}"
    return Stay(since, days, stated is not None, text, is_long)


def _suggestion(numbers: Numbers) -> Suggestion | None:
    """Return the stage that fits the users better; `None` where the stated one fits or nobody can tell."""
    stage, users = numbers.setup.stage, numbers.users.users
    fitting = stage_for(users)
    if ORDER.index(fitting) > ORDER.index(stage):
        reason = f"{_people(users)} in {numbers.days} days; {stage} is for {STAGES[stage].users}"
        return Suggestion(fitting, True, reason)
    lowest = fitting if ORDER.index(fitting) > 0 else Stage.MVP  # Poc is for what nobody else has seen.
    if ORDER.index(lowest) >= ORDER.index(stage) or not users:
        return None
    if numbers.days_seen < GROWTH_DAYS or _is_unnamed(numbers):
        return None
    reason = (
        f"{_people(users)} in {numbers.days} days; {stage} is for {STAGES[stage].users}, and asks for work"
        f" that so few do not need yet"
    )
    return Suggestion(lowest, False, reason)


def _warnings(numbers: Numbers, stay: Stay, suggestion: Suggestion | None) -> list[str]:
    found = []
    users, months = numbers.users.users, figures.number_fact(numbers, "months_of_work")
    is_known = not _is_unnamed(numbers)
    if months is not None and months >= MONTHS_OF_WORK and users <= FEW_USERS and is_known:
        met = _people(users) if users else "nobody"
        found.append(
            f"{months:g} months of work have met {met}. Build nothing for a week: watch"
            " three people use it, and ask those who left why."
        )
    is_outgrown = suggestion is not None and suggestion.is_up
    if stay.is_long and not is_outgrown:
        found.append(
            f"The app has been at {numbers.setup.stage} for {stay.days} days, longer than usual."
            f" {STAGES[numbers.setup.stage].long}"
        )
    return found


def _is_unnamed(numbers: Numbers) -> bool:
    """Say whether so many calls name nobody that the users cannot be counted."""
    calls = numbers.sums.hour.calls
    return bool(calls) and 100 * numbers.users.unnamed >= UNNAMED_PERCENT * calls


def _asks(numbers: Numbers, today: date) -> list[str]:
    """Name the facts that would say more, those that are old among them; since when never grows old."""
    asked = []
    if "stage_since" not in numbers.facts:
        asked.append("stage_since")
    months = numbers.facts.get("months_of_work")
    if numbers.users.users <= FEW_USERS and (months is None or months.is_old(today)):
        asked.append("months_of_work")
    return asked


def _people(users: int) -> str:
    return "1 person" if users == 1 else f"{users:,} people"
