"""Output caps: how long may one answer be? Never skipped where output costs money."""

from seawall.advice.deciding import Answered, Case, Presence, Subject, conclude
from seawall.advice.figures import calls_a_day, count, hourly, model_percent_of, percent, share
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import OUTPUT_CAP_TOKENS
from seawall.advice.words import Advice, Figure, Threshold
from seawall.core.traffic import TOKENS

SUBJECT = Subject(
    thing="output-caps",
    title="Output caps",
    term="An output cap is the most that a model may write in one answer; output is the dear part of a call.",
    link="budgets.md#how-long-an-answer-may-be",
    effort="minutes",
    is_never_skip=True,
)
GENTLE_PERCENT = 1
"""A cap is proposed that cuts no more than so many percent of the answers."""
LEAST_TOKENS = 1_000


def output_caps(numbers: Numbers, replays: Replays) -> Advice:
    """Advise on caps by the calls that state none, and by how long the longest answers are."""
    asked, allowed = numbers.sums.asked, numbers.setup.undeclared_output_tokens
    uncapped = share(
        asked.uncapped, asked.shaped, "calls state no cap",
        hourly(numbers, model_percent_of("uncapped", "shaped"), each="models"),
    )  # fmt: skip
    longest = _longest(asked.outputs)
    is_there = allowed <= OUTPUT_CAP_TOKENS.value or (asked.shaped > 0 and not asked.uncapped)
    cap = _gentle(asked.outputs)
    found = f"{percent(uncapped.value or 0)} of the calls state no cap, and one may write {allowed:,} tokens."
    if not asked.shaped:
        found = f"A call that states no cap may write {allowed:,} tokens."
    if is_there:
        found = f"{found} The longest answers have {longest}." if asked.calls else found
    why = "One odd question can cost as much as a hundred ordinary ones."
    mean = asked.uncapped_output / asked.uncapped if asked.uncapped else 0.0
    figures = (
        calls_a_day(numbers),
        uncapped,
        Figure(f"{count(mean)} tokens in an answer without a cap", _mean(numbers), mean),
        Figure(f"the longest answers have {longest}", hourly(numbers, "data->>'$.models'")),
    )
    return conclude(
        Case(
            SUBJECT,
            found,
            Answered("yes", why, figures),
            presence=Presence.USED if is_there else Presence.ABSENT,
            do=()
            if is_there
            else ("[spending]", f"undeclared_output_tokens = {cap}", f'In the app: "max_tokens": {cap}'),
            threshold=None
            if is_there
            else Threshold(
                OUTPUT_CAP_TOKENS.text, allowed, OUTPUT_CAP_TOKENS.value, "tokens", OUTPUT_CAP_TOKENS.source
            ),
            replays=(replays.caps.told,) if replays.caps is not None else (),
        ),
        numbers,
    )


def _gentle(outputs: list[int]) -> int:
    """Return the lowest bound of `TOKENS` that cuts hardly any answer, from 1,000 to 4,096."""
    answers, seen = sum(outputs), 0
    for bound, number in zip(TOKENS, outputs, strict=False):
        seen += number
        if 100 * (answers - seen) <= GENTLE_PERCENT * answers:
            return min(int(OUTPUT_CAP_TOKENS.value), max(LEAST_TOKENS, bound)) if answers else 2_000
    return int(OUTPUT_CAP_TOKENS.value)


def _longest(outputs: list[int]) -> str:
    """Return how long the longest answers are, by the bounds that they are counted by."""
    for place in range(len(outputs) - 1, -1, -1):
        if outputs[place]:
            return (
                f"at most {TOKENS[place]:,} tokens" if place < len(TOKENS) else f"over {TOKENS[-1]:,} tokens"
            )
    return "no tokens yet"


def _mean(numbers: Numbers) -> str:
    select = "total(each.value->>'$.uncapped_output') / max(1, total(each.value->>'$.uncapped'))"
    return hourly(numbers, select, each="models")
