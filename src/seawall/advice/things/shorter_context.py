"""Shorter context: should long conversations be sent without their beginning?"""

from seawall.advice.deciding import Answered, Case, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    cost_a_month,
    dollars_a_month,
    each_day,
    hourly,
    is_enough,
    model_percent_of,
    month_of,
    not_measured,
    percent,
    share,
    usd,
)
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import HISTORY_PERCENT, LONG_MESSAGES, WORTH_USD_MONTH
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.money import NANO, PER_MILLION
from seawall.core.traffic import ModelSums

SUBJECT = Subject(
    thing="shorter-context",
    title="Shorter context",
    term="A model remembers nothing: each message sends the whole conversation again, and you pay each "
    "time; a shorter context leaves out its beginning.",
    link="checklist.md#input-limits",
    effort="minutes",
)
QUERY = "seawall advise shorter-context"
KEPT_SHARE = 0.5
"""Of the history of a long conversation half is taken to be kept: it has ten messages to any number."""
OUTPUT_TIMES = 4
"""Output costs about four times what input does, where the rates of a model are not known."""


def shorter_context(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on leaving out the beginning of conversations, by how much of the input is history."""
    asked = numbers.sums.asked
    long = share(
        asked.long, asked.calls, "calls are in conversations of 10 messages or more",
        hourly(numbers, model_percent_of("long", "calls"), each="models"),
    )  # fmt: skip
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    figures: tuple[Figure, ...] = (calls_a_day(numbers), cost_a_month(numbers), long)
    input_month = numbers.a_month(sum(_input_cost(numbers, name) for name in numbers.sums.hour.models))
    if not asked.shaped:
        return conclude(_unshaped(numbers, figures, input_month / NANO), numbers)
    history = _history_share(asked)
    month = month_of(numbers, sum(_saved(numbers, name) for name in numbers.sums.hour.models))
    shown = 100 * history
    due = is_enough(asked.calls) and shown >= HISTORY_PERCENT.value and month / NANO >= worth
    figures = (
        *figures,
        Figure(f"{percent(shown)} of the input is history", _history_query(numbers), shown),
        dollars_a_month(numbers, input_month, "for input", QUERY),
        dollars_a_month(numbers, month, "saved by half of the history", QUERY),
    )
    case = Case(
        SUBJECT,
        f"{percent(shown)} of the input is history that was sent before; half of it left out in long "
        f"conversations saves {usd(month / NANO)} a month.",
        Answered("yes" if due else "no", _why(due=due), figures),
        do=(
            "messages = messages[:1] + messages[1:][-20:]  # the instructions, and the last twenty messages",
            "Where the beginning matters: let a cheap model sum it up once every twenty messages.",
        ),
        threshold=_threshold(shown, month / NANO),
        saves_month=month,
    )
    return conclude(case, numbers)


def _unshaped(numbers: Numbers, figures: tuple[Figure, ...], input_month: float) -> Case:
    """Say what is known where requests were not kept in a form that tells history apart."""
    calls = numbers.sums.asked.calls
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    found = f"{each_day(numbers.a_day(calls))}, and {usd(input_month)} a month for what is sent."
    if not is_enough(calls) or input_month < worth:
        problem = Answered("no", "All that is sent costs too little to be worth a change.", figures)
        threshold = Threshold(
            f"{HISTORY_PERCENT.text}, and that is worth {usd(worth)} a month",
            input_month,
            worth,
            "dollars a month",
            HISTORY_PERCENT.source,
        )
        return Case(SUBJECT, found, problem, threshold=threshold)
    measure = "Set `log.shapes = true`; after a week it is known how much of the input is history."
    missing = not_measured("how much of the input is history", measure)
    problem = Answered("not measured", "How much of it was sent before decides.", (*figures, missing))
    return Case(SUBJECT, found, problem, measure=measure, threshold=_threshold(None, 0.0))


def _why(*, due: bool) -> str:
    if due:
        return "Most of what you pay for was sent before."
    return "Conversations are short, or what is sent again costs little."


def _history_share(sums: ModelSums) -> float:
    """Return which part of what is sent is history, between 0 and 1; the head is no history."""
    sent = sums.head_bytes + sums.whole_bytes
    return min(1.0, sums.history_bytes / sent) if sent else 0.0


def _input_cost(numbers: Numbers, model: str) -> int:
    """Return what the input of a model cost: by its rates, else by the usual proportion to output."""
    sums, rates = numbers.sums.hour.models[model], numbers.rates.get(model)
    worth = sums.cost or sums.listed_cost
    if rates is not None:
        return min(worth, sums.input * rates.input // PER_MILLION)
    weight = sums.input + OUTPUT_TIMES * sums.output
    return worth * sums.input // weight if weight else 0


def _saved(numbers: Numbers, model: str) -> int:
    """Return what half of the history of long conversations cost; what a provider cached is not counted."""
    sums = numbers.sums.hour.models[model]
    if not sums.input:
        return 0
    long = min(1.0, sums.long_input / sums.input)
    paid = 1 - min(1.0, sums.cached_read / sums.input)
    return int(_input_cost(numbers, model) * long * paid * _history_share(sums) * (1 - KEPT_SHARE))


def _history_query(numbers: Numbers) -> str:
    sent = "(total(each.value->>'$.head_bytes') + total(each.value->>'$.whole_bytes'))"
    return hourly(numbers, f"100 * total(each.value->>'$.history_bytes') / max(1, {sent})", each="models")


def _threshold(history: float | None, month: float) -> Threshold:
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    text = f"{HISTORY_PERCENT.text}, and half of it is worth {usd(worth)} a month; {LONG_MESSAGES.text}"
    if history is not None and history >= HISTORY_PERCENT.value:
        return Threshold(text, round(month, 2), worth, "dollars a month", HISTORY_PERCENT.source)
    return Threshold(text, history, HISTORY_PERCENT.value, "% of the input", HISTORY_PERCENT.source)
