"""The semantic cache: should a similar question get the answer to another one?"""

from seawall.advice.deciding import Answered, Case, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    cost_a_month,
    each_day,
    is_enough,
    not_measured,
    percent,
    share,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.things.normalised_cache import EXACT_FIRST
from seawall.advice.thresholds import CACHE_MORE_PERCENT, CACHE_REPEATS_PERCENT, WORTH_USD_MONTH
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.money import NANO
from seawall.core.stages import Stage

SUBJECT = Subject(
    thing="semantic-cache",
    title="Semantic cache",
    term="A semantic cache gives the answer to a similar question, and sometimes a wrong one: "
    "how do I cancel, and how do I cancel the cancellation, are much alike.",
    link="cache.md#what-is-the-same-request",
    effort="days",
    earliest=Stage.ALPHA,
    is_infrastructure=True,
)
QUERY = "seawall advise semantic-cache"
MEASURE = "Read 200 of your questions and count those that mean the same in other words."
SPELLING_FIRST = (
    "make spellings alike in your app before a request is sent (seawall advise normalised-cache)."
)


def semantic_cache(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on a semantic cache from what the exact and the normalised one find, which is less."""
    calls, month = numbers.sums.hour.calls, numbers.a_month(numbers.sums.worth) / NANO
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    repeats = _repeats(replays)
    figures = (calls_a_day(numbers), cost_a_month(numbers), *((repeats,) if repeats else ()))
    threshold = _threshold(month, repeats)
    found = f"{each_day(numbers.a_day(calls))}"
    if repeats and repeats.value is not None:
        found += f", {percent(repeats.value)} of them repeats in the same words"
    case = Case(
        SUBJECT,
        f"{found}. A semantic cache risks wrong answers to save more.",
        Answered("no", "What it could save is less than what it costs to build and to check.", figures),
        threshold=threshold,
        measure=MEASURE,
    )
    if not is_enough(calls) or month < worth:
        return conclude(case, numbers)
    return conclude(_worth_asking(case, numbers, replays, repeats), numbers)


def _worth_asking(case: Case, numbers: Numbers, replays: Replays, repeats: Figure | None) -> Case:
    """Go on where the calls cost enough: first the simple caches, then similarity has to be measured."""
    figures = case.problem.figures
    if repeats is not None and (repeats.value or 0) < CACHE_MORE_PERCENT.value:
        why = "Hardly anybody asks the same twice, so few will ask nearly the same."
        return _with(case, Answered("no", why, figures))
    asked = Answered("yes", "The same is asked again, and it costs money.", figures)
    if not numbers.setup.has_cache:
        simpler = Answered("yes", "The exact cache: one line, and never a wrong answer.")
        return _with(case, asked, simpler, Answered("no", "The cache is off."), EXACT_FIRST)
    if _spelling(replays) >= CACHE_MORE_PERCENT.value:
        simpler = Answered("yes", "The normalised cache: never an answer to another question.")
        tried = Answered("no", "Calls still differ only in case, spaces or punctuation.")
        return _with(case, asked, simpler, tried, SPELLING_FIRST)
    similar = not_measured("how many questions mean the same in other words", MEASURE)
    return _with(case, Answered("not measured", "Seawall keeps no texts to compare.", (*figures, similar)))


def _with(
    case: Case,
    problem: Answered,
    simpler: Answered | None = None,
    tried: Answered | None = None,
    simple: str | None = None,
) -> Case:
    return Case(
        case.subject,
        case.found,
        problem,
        simpler=simpler or case.simpler,
        tried=tried or case.tried,
        simple=simple,
        measure=case.measure,
        threshold=case.threshold,
    )


def _threshold(month: float, repeats: Figure | None) -> Threshold:
    """Return what is furthest from being due."""
    worth, source = WORTH_USD_MONTH[SUBJECT.effort], CACHE_REPEATS_PERCENT.source
    text = f"the calls cost ${worth} a month, {CACHE_REPEATS_PERCENT.text}, and simple caches are on"
    if month < worth:
        return Threshold(text, round(month, 2), worth, "dollars a month", source)
    return Threshold(text, repeats.value if repeats else None, CACHE_REPEATS_PERCENT.value, "%", source)


def _repeats(replays: Replays) -> Figure | None:
    """Return the share of repeats as a simple cache sees it; `None` where that was not measured."""
    replay = replays.normal or replays.exact
    if replay is not None:
        return share(replay.touched, replay.told.calls, "replayed calls are repeats", QUERY)
    return None


def _spelling(replays: Replays) -> float:
    """Return the share of calls that only the normalised cache knows, in percent."""
    normal, exact = replays.normal, replays.exact
    if normal is None or exact is None or normal.told.calls <= 0:
        return 0.0
    return 100 * max(0, normal.touched - exact.touched) / normal.told.calls
