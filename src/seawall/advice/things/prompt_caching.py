"""Prompt caching: should the provider keep the part of a request that never changes?"""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    cost_a_month,
    count,
    each_day,
    hourly,
    is_enough,
    model_percent_of,
    month_of,
    not_measured,
    percent,
    saving_a_month,
    share,
    usd,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replay, Replays
from seawall.advice.thresholds import PROMPT_CACHE_READ_PERCENT, PROMPT_CACHE_TOKENS, WORTH_USD_MONTH
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.money import NANO

SUBJECT = Subject(
    thing="prompt-caching",
    title="Prompt caching at the provider",
    term="With prompt caching the provider reads the part of a request that it has just read for a tenth to "
    "half of the price; answers stay the same.",
    link="prices.md#what-is-counted",
    effort="an hour",
)
QUERY = "seawall advise prompt-caching"
BYTES_A_TOKEN = 4
"""A token of English text has about four bytes."""


def prompt_caching(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on the order of requests, by which providers can keep their beginnings."""
    asked = numbers.sums.asked
    read = share(
        asked.cached_read, asked.input, "input tokens were read from the provider's cache", _read(numbers)
    )
    if is_enough(asked.calls) and (read.value or 0) >= PROMPT_CACHE_READ_PERCENT.value:
        return conclude(_present(numbers, read), numbers)
    if not is_enough(asked.calls) or _input_a_call(numbers) < PROMPT_CACHE_TOKENS.value:
        return conclude(_too_short(numbers, read, replays), numbers)
    if replays.prompt_cache is None:
        return conclude(_unreplayed(numbers, read), numbers)
    return conclude(_replayed(numbers, read, replays.prompt_cache), numbers)


def _present(numbers: Numbers, read: Figure) -> Case:
    found = f"{percent(read.value or 0)} of the input is read from the provider's cache already."
    problem = Answered("yes", "The same beginning is sent again and again.", (calls_a_day(numbers), read))
    return Case(SUBJECT, found, problem, presence=Presence.USED)


def _too_short(numbers: Numbers, read: Figure, replays: Replays) -> Case:
    tokens = _input_a_call(numbers)
    found = f"{each_day(numbers.a_day(numbers.sums.asked.calls))} of {count(tokens)} input tokens each."
    why = "Providers keep beginnings of 1,024 tokens and more; yours are shorter."
    if not is_enough(numbers.sums.asked.calls):
        why = "So few calls hardly begin alike within the minutes for which a provider keeps a beginning."
    problem = Answered("no", why, (calls_a_day(numbers), _input_figure(numbers), read))
    told = (replays.prompt_cache.told,) if replays.prompt_cache else ()
    return Case(SUBJECT, found, problem, threshold=_threshold(tokens, None), replays=told)


def _unreplayed(numbers: Numbers, read: Figure) -> Case:
    """Say what the sizes alone tell where no call can be replayed."""
    asked = numbers.sums.asked
    tokens = _input_a_call(numbers)
    if asked.shaped and asked.head_bytes / asked.shaped / BYTES_A_TOKEN < PROMPT_CACHE_TOKENS.value / 2:
        found = "What comes before the conversation is short, so there is little that never changes."
        problem = Answered("no", "Long conversations repeat their own beginning; nothing else does.", (read,))
        return Case(SUBJECT, found, problem, threshold=_threshold(tokens, None))
    measure = "Set `log.shapes = true`; after a week it is known how much of the input is sent again."
    missing = not_measured("how much of the input is the same beginning", measure)
    problem = Answered(
        "not measured", "What repeats at the beginning decides.", (_input_figure(numbers), missing)
    )
    found = (
        f"{count(tokens)} input tokens a call, {percent(read.value or 0)} of them from the provider's cache."
    )
    return Case(SUBJECT, found, problem, measure=measure, threshold=_threshold(tokens, None))


def _replayed(numbers: Numbers, read: Figure, replay: Replay) -> Case:
    if _is_unpriced(numbers, replay):
        return _unpriced(numbers, replay)
    month = month_of(numbers, replay.saved) / NANO
    due = is_enough(replay.told.calls) and month >= WORTH_USD_MONTH[SUBJECT.effort]
    saved = saving_a_month(numbers, replay.saved, replay.touched, replay.told.calls, QUERY)
    why = "You pay in full for what the provider has just read." if due else "It would save too little."
    figures = (calls_a_day(numbers), cost_a_month(numbers), _input_figure(numbers), read, saved)
    return Case(
        SUBJECT,
        f"{percent(read.value or 0)} of the input comes from the provider's cache; with the part that never "
        f"changes first it would save {usd(month)} a month.",
        Answered("yes" if due else "no", why, figures),
        do=(
            "Send what never changes first (instructions, tools, examples), then the conversation.",
            "Keep dates, names and ids out of the instructions: put them into the last message.",
            'Anthropic: add "cache_control": {"type": "ephemeral"} to the last block that never changes; '
            "OpenAI keeps beginnings of 1,024 tokens and more by itself.",
        ),
        threshold=_threshold(_input_a_call(numbers), month),
        replays=(replay.told,),
        saves_month=month_of(numbers, replay.saved),
    )


def _is_unpriced(numbers: Numbers, replay: Replay) -> bool:
    """Say whether much could be read from a cache, but nobody knows what that costs."""
    cost = numbers.a_month(numbers.sums.worth) / NANO
    much = 100 * replay.touched >= PROMPT_CACHE_READ_PERCENT.value * replay.told.calls
    priced = any(rates.cached_read is not None for rates in numbers.rates.values())
    return not priced and much and cost >= WORTH_USD_MONTH[SUBJECT.effort]


def _unpriced(numbers: Numbers, replay: Replay) -> Case:
    measure = 'State it: `[prices."MODEL"] cached_read_usd_per_mtok`.'
    begin = share(replay.touched, replay.told.calls, "replayed calls begin as an earlier one does", QUERY)
    missing = not_measured("what cached input costs", measure)
    problem = Answered("not measured", "The price of cached input decides.", (begin, missing))
    found = f"{begin.text}, and what cached input costs is not known."
    return Case(SUBJECT, found, problem, measure=measure, replays=(replay.told,))


def _threshold(tokens: float, month: float | None) -> Threshold:
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    text = f"{PROMPT_CACHE_TOKENS.text} and that saves {usd(worth)} a month"
    if month is not None:
        return Threshold(text, round(month, 2), worth, "dollars a month", PROMPT_CACHE_TOKENS.source)
    return Threshold(text, tokens, PROMPT_CACHE_TOKENS.value, "tokens", PROMPT_CACHE_TOKENS.source)


def _input_a_call(numbers: Numbers) -> float:
    asked = numbers.sums.asked
    return asked.input / asked.calls if asked.calls else 0.0


def _input_figure(numbers: Numbers) -> Figure:
    tokens = _input_a_call(numbers)
    select = "total(each.value->>'$.input') / max(1, total(each.value->>'$.calls'))"
    return Figure(f"{count(tokens)} input tokens a call", hourly(numbers, select, each="models"), tokens)


def _read(numbers: Numbers) -> str:
    return hourly(numbers, model_percent_of("cached_read", "input"), each="models")
