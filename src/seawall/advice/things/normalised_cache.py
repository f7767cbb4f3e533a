"""The normalised cache: should requests that differ in case, spaces or punctuation count as the same?"""

from seawall.advice.deciding import NOTHING_SIMPLER, NOTHING_TO_TRY, Answered, Case, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    count,
    each_day,
    is_enough,
    month_of,
    not_measured,
    percent,
    saving_a_month,
    share,
    usd,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replay, Replays
from seawall.advice.thresholds import CACHE_MORE_PERCENT, WORTH_USD_MONTH
from seawall.advice.words import Advice, Threshold
from seawall.core.money import NANO

SUBJECT = Subject(
    thing="normalised-cache",
    title="Normalised cache",
    term="A normalised cache takes requests for the same that differ only in case, spaces or punctuation.",
    link="cache.md#what-is-the-same-request",
    effort="an hour",
)
QUERY = "seawall advise normalised-cache"
EXACT_FIRST = "[cache] enabled = true: it answers what is asked again letter by letter, without any risk."


def normalised_cache(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on what a normalised cache would answer beyond the exact one."""
    if replays.normal is None:
        return conclude(_unreplayed(numbers), numbers)
    return conclude(_replayed(numbers, replays.normal, replays.exact), numbers)


def _replayed(numbers: Numbers, normal: Replay, exact: Replay | None) -> Case:
    calls = normal.told.calls
    touched = max(0, normal.touched - (exact.touched if exact else 0))
    saved = max(0, normal.saved - (exact.saved if exact else 0))
    month = month_of(numbers, saved) / NANO
    more = share(touched, calls, "replayed calls are repeats that the exact cache does not know", QUERY)
    due = (
        is_enough(calls)
        and (more.value or 0) >= CACHE_MORE_PERCENT.value
        and month >= WORTH_USD_MONTH[SUBJECT.effort]
    )
    figures = (
        calls_a_day(numbers),
        more,
        saving_a_month(numbers, saved, touched, calls, QUERY),
    )
    has_exact = numbers.setup.has_cache
    return Case(
        SUBJECT,
        f"{percent(more.value or 0)} of {count(calls)} calls differ from an earlier one only in how they are "
        f"written: {usd(month)} a month beyond the exact cache.",
        Answered(
            "yes" if due else "no",
            "People ask the same in other spellings." if due else "Too few calls differ only in spelling.",
            figures,
        ),
        simpler=NOTHING_SIMPLER if has_exact else Answered("yes", "The exact cache: one line, no risk."),
        tried=Answered("yes", "The exact cache is on.") if has_exact else Answered("no", "The cache is off."),
        simple=EXACT_FIRST,
        do=(
            "Seawall compares letter by letter, so make them alike in your app before it sends them:",
            'question = " ".join(question.split()).casefold().rstrip("?!. ")',
        ),
        threshold=_threshold(more.value, month),
        replays=(normal.told,),
        saves_month=month_of(numbers, saved),
    )


def _unreplayed(numbers: Numbers) -> Case:
    calls = numbers.sums.hour.calls
    threshold = _threshold(None, 0.0)
    if not is_enough(calls):
        found = f"{each_day(numbers.a_day(calls))}: there is hardly anything to repeat."
        problem = Answered(
            "no", "So few calls cannot repeat often enough to matter.", (calls_a_day(numbers),)
        )
        return Case(SUBJECT, found, problem, tried=NOTHING_TO_TRY, threshold=threshold)
    measure = "Set `log.shapes = true`; after a week the repeats are known."
    missing = not_measured("how many calls differ only in spelling", measure)
    problem = Answered("not measured", "Repeats decide, and they are not measured.", (missing,))
    found = f"{each_day(numbers.a_day(calls))}; how many of them are repeats is not measured."
    return Case(SUBJECT, found, problem, measure=measure, threshold=threshold)


def _threshold(more: float | None, month: float) -> Threshold:
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    text = f"{CACHE_MORE_PERCENT.text} and that saves {usd(worth)} a month"
    if more is not None and more >= CACHE_MORE_PERCENT.value:
        return Threshold(text, round(month, 2), worth, "dollars a month", CACHE_MORE_PERCENT.source)
    return Threshold(text, more, CACHE_MORE_PERCENT.value, "%", CACHE_MORE_PERCENT.source)
