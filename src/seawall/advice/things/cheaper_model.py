"""A cheaper model: should small calls go to a model that costs less?"""

from msgspec import Struct

from seawall.advice.deciding import Answered, Case, Subject, conclude
from seawall.advice.figures import (
    calls_a_day,
    cost_a_month,
    count,
    dollars_a_month,
    hourly,
    is_enough,
    model_percent_of,
    money_a_month,
    month_of,
    not_measured,
    percent,
    share,
    usd,
)
from seawall.advice.numbers import Numbers, Rates
from seawall.advice.replays import Replays
from seawall.advice.thresholds import CHEAPER_TIMES, SMALL_PERCENT, WORTH_USD_MONTH
from seawall.advice.words import Advice, Figure, Replayed, Threshold
from seawall.core.money import NANO, PER_MILLION
from seawall.core.traffic import ModelSums

SUBJECT = Subject(
    thing="cheaper-model",
    title="A cheaper model for simple calls",
    term="A smaller model answers simple requests, such as sorting or a short summary, as well as "
    "a large one and costs a fraction.",
    link="routing.md#aliases",
    effort="an hour",
)
QUERY = "seawall advise cheaper-model"
MEASURE = "Run `seawall estimate --from-usage` with the models you would take."
WARNING = (
    "Whether a call needs complex reasoning is not measured: try 50 of your own calls on both models first."
)


class _Offer(Struct, frozen=True):
    """The model that saves most on small calls, what it saves a month in nano-dollars, and the replay."""

    model: str
    month: int
    told: tuple[Replayed, ...] = ()


def cheaper_model(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on another model for small calls, by their share and by the prices that are known."""
    asked = numbers.sums.asked
    small = share(
        asked.small, asked.calls, "calls are small: fewer than 200 tokens in and out",
        hourly(numbers, model_percent_of("small", "calls"), each="models"),
    )  # fmt: skip
    small_month = numbers.a_month(asked.small_cost) / NANO
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    figures = (
        calls_a_day(numbers),
        cost_a_month(numbers),
        small,
        money_a_month(
            numbers, asked.small_cost, "for small calls", "total(each.value->>'$.small_cost')", each="models"
        ),
    )
    threshold = _threshold(small.value or 0, small_month)
    many = is_enough(asked.calls) and (small.value or 0) >= SMALL_PERCENT.value
    shown = percent(small.value or 0)
    found = f"{shown} of {count(asked.calls)} calls are small and cost {usd(small_month)} a month."
    if not many or small_month < worth:
        why = "Small calls are few or cost too little to be worth a change."
        problem = Answered("no", why, figures)
        return conclude(Case(SUBJECT, found, problem, threshold=threshold), numbers)
    offer = _offer(numbers, replays)
    if offer is None:
        missing = not_measured("what a cheaper model would cost", MEASURE)
        problem = Answered("not measured", "No price of another model is known here.", (*figures, missing))
        case = Case(SUBJECT, found, problem, measure=MEASURE, threshold=threshold)
        return conclude(case, numbers)
    return conclude(_offered(numbers, found, figures, offer, small.value or 0), numbers)


def _offered(numbers: Numbers, found: str, figures: tuple[Figure, ...], offer: _Offer, small: float) -> Case:
    month = offer.month / NANO
    due = month >= WORTH_USD_MONTH[SUBJECT.effort]
    saved = dollars_a_month(numbers, offer.month, f"saved by {offer.model or 'no model'}", QUERY)
    why = f"{offer.model or 'No model'} would save {usd(month)} a month on them. {WARNING}"
    return Case(
        SUBJECT,
        f"{found} {offer.model} would save {usd(month)} of it." if offer.month else found,
        Answered("yes" if due else "no", why, (*figures, saved)),
        do=(
            "[models.small]",
            f'targets = ["{offer.model}"]',
            'Ask for the model "small" where the app sorts, extracts or sums up shortly.',
            WARNING,
        ),
        threshold=_threshold(small, month),
        replays=offer.told,
        saves_month=offer.month,
    )


def _offer(numbers: Numbers, replays: Replays) -> _Offer | None:
    """Return what a replay found best, else the best by known prices; `None` where there are none."""
    if replays.cheaper is not None:
        replay = replays.cheaper
        return _Offer(replay.model, month_of(numbers, replay.saved), (replay.told,))
    if not numbers.rates:
        return None
    models = numbers.sums.hour.models
    saved = {
        name: sum(_saved(sums, rates) for own, sums in models.items() if own != name)
        for name, rates in sorted(numbers.rates.items())
    }
    best = max(saved, key=lambda name: saved[name])
    return _Offer(best, month_of(numbers, saved[best]))


def _saved(sums: ModelSums, rates: Rates) -> int:
    """Return what the small calls of a model would have saved with other rates; nano-dollars, at least 0."""
    would = (sums.small_input * rates.input + sums.small_output * rates.output) // PER_MILLION
    return max(0, sums.small_cost - would)


def _threshold(small: float, month: float) -> Threshold:
    worth = WORTH_USD_MONTH[SUBJECT.effort]
    saving = f"another model saves {usd(worth)} a month on them"
    text = f"{SMALL_PERCENT.text}, and {saving}; {CHEAPER_TIMES.text}"
    if small < SMALL_PERCENT.value:
        return Threshold(text, small, SMALL_PERCENT.value, "% of the calls", SMALL_PERCENT.source)
    return Threshold(text, round(month, 2), worth, "dollars a month", CHEAPER_TIMES.source)
