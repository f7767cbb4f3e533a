"""The cache: should answers be kept and given again?"""

from seawall.advice.deciding import NOTHING_SIMPLER, Answered, Case, Presence, Subject, conclude, not_tried
from seawall.advice.figures import (
    calls_a_day,
    cost_a_month,
    count,
    each_day,
    hourly,
    is_enough,
    is_tried,
    money_a_month,
    month_of,
    not_measured,
    number_fact,
    percent,
    percent_of,
    saving_a_month,
    share,
    usd,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import (
    CACHE_DATABASE_PERCENT,
    CACHE_IDLE_PERCENT,
    CACHE_PAGE_S,
    CACHE_REPEATS_PERCENT,
    CACHE_USERS,
    WORTH_USD_MONTH,
)
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.money import NANO

SUBJECT = Subject(
    thing="caching",
    title="Cache",
    term="A cache keeps an answer and gives it again, at once and for nothing, when the same is asked again.",
    link="cache.md",
    effort="minutes",
)
HITS = percent_of("hits", "calls")
IDLE_CALLS = 1_000
QUERIES = "optimised-queries"
"""The name under which an owner states that slow queries were made faster."""


def caching(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on the exact cache of answers, and on one for pages where the owner says that they are slow."""
    if numbers.setup.has_cache:
        return conclude(_present(numbers), numbers)
    slow = _slow_pages(numbers)
    if slow is not None:
        return conclude(slow, numbers)
    return conclude(_absent(numbers, replays), numbers)


def _present(numbers: Numbers) -> Case:
    """Say whether the cache that is there answers anything."""
    hour = numbers.sums.hour
    hits = share(hour.hits, hour.calls, "calls were answered by the cache", hourly(numbers, HITS))
    saved = money_a_month(numbers, hour.saved, "saved", "total(data->>'$.saved')")
    idle = hour.calls >= IDLE_CALLS and (hits.value or 0) < CACHE_IDLE_PERCENT.value
    found = f"{hits.text}: the cache saves {usd(saved.value or 0)} a month."
    why = (
        "Hardly anybody asks what was asked before."
        if idle
        else "Kept answers cost nothing and come at once."
    )
    return Case(
        SUBJECT,
        found,
        Answered("no" if idle else "yes", why, (calls_a_day(numbers), hits, saved)),
        presence=Presence.IDLE if idle else Presence.USED,
        do=("[cache]", "enabled = false") if idle else (),
    )


def _absent(numbers: Numbers, replays: Replays) -> Case:
    """Say whether a cache would answer enough to be worth a line of configuration."""
    calls = numbers.sums.hour.calls
    figures = (calls_a_day(numbers), cost_a_month(numbers))
    if replays.exact is None:
        return _unreplayed(numbers, figures)
    replay = replays.exact
    told, month = replay.told, month_of(numbers, replay.saved) / NANO
    repeats = share(replay.touched, told.calls, "replayed calls are repeats", "seawall advise caching")
    saved = saving_a_month(numbers, replay.saved, replay.touched, replay.told.calls, "seawall advise caching")
    often = (repeats.value or 0) >= CACHE_REPEATS_PERCENT.value
    worth = month >= WORTH_USD_MONTH[SUBJECT.effort]
    due = often and worth and is_enough(told.calls)
    found = (
        f"{each_day(numbers.a_day(calls))}, {percent(repeats.value or 0)} of them repeats: "
        f"a cache would save {usd(month)} a month."
    )
    why = "The same is asked again and again." if due else "Too little is asked twice to be worth it."
    if not is_enough(told.calls):
        why = f"{count(told.calls)} calls are too few to say; nothing hurts now."
    return Case(
        SUBJECT,
        found,
        Answered("yes" if due else "no", why, (*figures, repeats, saved)),
        do=("[cache]", "enabled = true", "keep_days = 7"),
        threshold=_threshold(numbers, repeats.value or 0, month),
        replays=(told,),
        saves_month=month_of(numbers, replay.saved),
    )


def _unreplayed(numbers: Numbers, figures: tuple[Figure, ...]) -> Case:
    """Say what is known where calls were not kept in a form that can be replayed."""
    calls = numbers.sums.hour.calls
    measure = "Set `log.shapes = true`; after a week the repeats are known."
    threshold = _threshold(numbers, None, 0.0)
    if not is_enough(calls):
        found = f"{each_day(numbers.a_day(calls))}: there is hardly anything to repeat."
        why = "So few calls cannot repeat often enough to matter."
        return Case(SUBJECT, found, Answered("no", why, figures), threshold=threshold)
    repeats = not_measured("how many calls are repeats", measure)
    found = f"{each_day(numbers.a_day(calls))}, and how many of them are repeats is not measured."
    problem = Answered("not measured", "Repeats decide, and they are not measured.", (*figures, repeats))
    return Case(SUBJECT, found, problem, measure=measure, threshold=threshold)


def _slow_pages(numbers: Numbers) -> Case | None:
    """Answer where the owner says that pages are slow, or that the database is full: queries come first."""
    page_s = number_fact(numbers, "page_s")
    database = number_fact(numbers, "database_cpu_percent")
    figures: list[Figure] = []
    if page_s is not None and page_s >= CACHE_PAGE_S.value:
        figures.append(Figure(f"pages take {page_s:g} seconds", "seawall facts list", page_s))
    if database is not None and database >= CACHE_DATABASE_PERCENT.value:
        figures.append(
            Figure(f"the database is busy for {database:g} % of the time", "seawall facts list", database)
        )
    if not figures:
        return None
    tried = is_tried(numbers, QUERIES)
    simple = (
        "find the slow queries, add the missing indexes and fetch lists in one query, then measure again."
    )
    found = f"You state that {' and that '.join(figure.text for figure in figures)}."
    return Case(
        SUBJECT,
        found,
        Answered("yes", "What people see is slow.", tuple(figures)),
        simpler=NOTHING_SIMPLER
        if tried
        else Answered("yes", "Most slow pages wait for a query without an index."),
        tried=Answered("yes", "You state that queries were optimised.") if tried else not_tried(QUERIES),
        simple=simple,
        do=("Keep what the slow pages read for a minute in the memory of your app; a hit takes 1 to 5 ms.",),
    )


def _threshold(numbers: Numbers, repeats: float | None, month: float) -> Threshold:
    """Return what is furthest from being due."""
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    text = (
        f"{CACHE_REPEATS_PERCENT.text} and that saves {usd(worth)} a month; "
        f"{CACHE_USERS.text}, and you have {numbers.users.users:,}"
    )
    if repeats is not None and repeats >= CACHE_REPEATS_PERCENT.value:
        return Threshold(text, round(month, 2), worth, "dollars a month", CACHE_REPEATS_PERCENT.source)
    if repeats is None:
        return Threshold(text, numbers.users.users, CACHE_USERS.value, CACHE_USERS.unit, CACHE_USERS.source)
    return Threshold(text, repeats, CACHE_REPEATS_PERCENT.value, "%", CACHE_REPEATS_PERCENT.source)
