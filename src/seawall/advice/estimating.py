"""What requests will cost: from assumed sizes, or from those that an app's own calls had.

Invariants:
- Each call costs what the ledger would book for it, in whole nano-dollars; no float touches money.
- Shares are hundredths of a percent, so that "12.5 percent" is exact.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.money import Money, Price, Usage, cost_of
from seawall.core.traffic import TOKENS, Hour

WHOLE = 10_000
"""All of something, in hundredths of a percent."""
MONTH_DAYS = 30
TRADITIONAL = Money(1_000)
"""One request to an API without a model: 0.01 dollars for 10,000, a rule of thumb (docs/estimate.md)."""
TOKENS_ARE = "1,000 tokens are about 750 words of English, one to two pages."
SHORTER, LONGER = 2, 2
"""Where nothing is measured, a short answer has half as many tokens, and a long one twice as many."""
OFTEN_SHORT, OFTEN_LONG = 10, 90
"""Where calls are on record: how many percent of answers are no longer than a short one, and a long one."""


class Assumed(Struct, frozen=True, kw_only=True):
    """The requests to estimate. `input` and `output` are tokens of one message and of its answer.

    A request is one message of a user, in a conversation of `turns` such messages. `cache_hits` is the share
    of requests that the gateway's own cache answers, `prompt_cache` the share of input tokens that the
    provider reads from its cache. `short` and `long` are the tokens of other answers.
    """

    requests: int
    input: int
    output: int
    short: int
    long: int
    turns: int = 1
    cache_hits: int = 0
    prompt_cache: int = 0


class Estimate(Struct, frozen=True):
    """What the requests cost, and with short and with long answers; `most_input` is of the last turn."""

    cost: Money
    low: Money
    high: Money
    most_input: int


class Observed(Struct, frozen=True):
    """What an app's own calls were like, on average; `calls` were billed, `hits` the cache answered.

    Calls of which no usage is known are in no figure. `days` is the span from the first hour with calls to
    the last one.
    """

    calls: int
    hits: int
    days: int
    input: int
    output: int
    short: int
    long: int
    prompt_cache: int

    @property
    def requests_a_day(self) -> int:
        """Return how many requests came on a day, rounded up, those that the cache answered among them."""
        return -(-(self.calls + self.hits) // self.days)

    @property
    def cache_hits(self) -> int:
        """Return the share of requests that the cache answered."""
        return self.hits * WHOLE // (self.calls + self.hits)


def assume(*, requests: int, input_tokens: int, output_tokens: int) -> Assumed:
    """Assume requests of one size, with answers half as long and twice as long beside it."""
    return Assumed(
        requests=requests,
        input=input_tokens,
        output=output_tokens,
        short=output_tokens // SHORTER,
        long=output_tokens * LONGER,
    )


def estimate(price: Price, assumed: Assumed) -> Estimate:
    """Estimate what requests cost at a price, and what they would with short and with long answers."""
    longest = replace(assumed, output=assumed.long)
    return Estimate(
        cost=cost_of_requests(price, assumed),
        low=cost_of_requests(price, replace(assumed, output=assumed.short)),
        high=cost_of_requests(price, longest),
        most_input=input_of_turn(longest, assumed.turns),
    )


def input_of_turn(assumed: Assumed, turn: int) -> int:
    """Return the input tokens of a turn, from 1: its message, and every message and answer before it.

    `turn * input + (turn - 1) * output`, for a model keeps nothing: the history is sent again each time. Over
    a conversation of `turns` that is `input * turns * (turns + 1) / 2 + output * turns * (turns - 1) / 2`.
    """
    return turn * assumed.input + (turn - 1) * assumed.output


def cost_of_requests(price: Price, assumed: Assumed) -> Money:
    """Return what requests cost; the share that the cache answers costs nothing, whatever its turn.

    `requests` are as many conversations of `turns` as are whole, and one that is shorter: turn `t` comes
    `requests // turns` times, and once more where `t <= requests % turns`. The provider's cache reads its
    share of each call's input, rounded down, at its own rate where the price has one; what it takes for
    writing is not counted. The sum is rounded up to a nano-dollar.
    """
    whole, rest = divmod(assumed.requests, assumed.turns)
    total = sum(
        times * _cost_of_turn(price, assumed, turn)
        for turn in range(1, assumed.turns + 1)
        if (times := whole + (turn <= rest))
    )
    return Money(-(-total * (WHOLE - assumed.cache_hits) // WHOLE))


def _cost_of_turn(price: Price, assumed: Assumed, turn: int) -> Money:
    tokens = input_of_turn(assumed, turn)
    cached = tokens * assumed.prompt_cache // WHOLE
    output = 0 if price.kind == "embedding" else assumed.output
    return cost_of(price, Usage(input=tokens, output=output, cached_read=cached))


def traditional_cost(requests: int) -> Money:
    """Return what the same requests cost on an API without a model."""
    return Money(requests * TRADITIONAL)


def observe(hours: Iterable[Hour]) -> Observed | None:
    """Sum up what an app's own calls were like; `None` where none was billed."""
    seen = [hour for hour in hours if hour.calls]
    models = [sums for hour in seen for sums in hour.models.values()]
    outputs = [sum(counts) for counts in zip(*(sums.outputs for sums in models), strict=True)]
    calls = sum(outputs)
    if not calls:
        return None
    tokens_in, tokens_out = sum(sums.input for sums in models), sum(sums.output for sums in models)
    mean = -(-tokens_out // calls)
    return Observed(
        calls=calls,
        hits=sum(hour.hits for hour in seen),
        days=-(-(max(hour.hour for hour in seen) - min(hour.hour for hour in seen) + 1) // 24),
        input=-(-tokens_in // calls),
        output=mean,
        short=min(mean, share_below(outputs, TOKENS, OFTEN_SHORT)),
        long=max(mean, share_below(outputs, TOKENS, OFTEN_LONG)),
        prompt_cache=sum(sums.cached_read for sums in models) * WHOLE // tokens_in if tokens_in else 0,
    )


def share_below(counts: Sequence[int], bounds: Sequence[int], percent: int) -> int:
    """Return the value that `percent` of what was counted does not exceed, as if evenly spread in each count.

    The last count has no upper bound: what falls into it is read as the highest bound there is.
    """
    wanted, below = sum(counts) * percent, 0
    for place, count in enumerate(counts[: len(bounds)]):
        if count and below + count * 100 >= wanted:
            low = bounds[place - 1] if place else 0
            return low + (bounds[place] - low) * (wanted - below) // (count * 100)
        below += count * 100
    return bounds[-1]
