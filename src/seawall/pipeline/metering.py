"""Meters for what a provider generates (money.md 9): one to cut by, one to settle by."""

from msgspec import Struct

from seawall.core.call import Attempt, Ending, Event, Request
from seawall.core.contracts import Provider
from seawall.core.money import FREE, Money, Price, Usage, cost_of, round_up

CUT_PERCENT = 125
CUT_SLACK = 64
BYTES_PER_CHARACTER = 4
LOOK_EVERY = 256
UNSEEN_TOKENS = 64
"""Allowance per choice for what was generated and not yet seen when a stream was left."""


class Settled(Struct, frozen=True):
    """What an attempt costs, and the usage that says so."""

    cost: Money
    usage: Usage


class CutMeter:
    """Says when a stream has passed 1.25 x its cap + 64 tokens, counting as rarely as it can.

    A token is at least one byte and a character at most four, so nothing has to be counted until that
    many characters have come.
    """

    __slots__ = ("_attempt", "_count", "_limit", "_look_at", "_tokens_max")

    def __init__(self, attempt: Attempt, choices: int, provider: Provider) -> None:
        self._attempt = attempt
        self._limit = choices * (attempt.output_cap * CUT_PERCENT // 100 + CUT_SLACK)
        self._look_at = self._limit
        self._tokens_max = 0
        self._count = provider.count_output_tokens

    def is_over(self, event: Event) -> bool:
        """Add an event and say whether the stream has to be cut before it."""
        text = generated_text(event)
        self._tokens_max += len(text) * BYTES_PER_CHARACTER
        if self._tokens_max <= self._look_at:
            return False
        tokens, _ = self._count("".join(self._attempt.generated) + text, self._attempt.route)
        self._look_at = self._tokens_max + max(LOOK_EVERY, self._limit - tokens)
        return tokens > self._limit


def generated_text(event: Event) -> str:
    """Return everything in an event that the model generated."""
    if event.reasoning or event.tool:
        return event.text + event.reasoning + event.tool
    return event.text


def is_exact(attempt: Attempt) -> bool:
    """Say whether the bill is known to the token: nothing to bill, or a usage that can be true.

    A usage cannot be true that has no input, or no output where text was generated.
    """
    if attempt.ending in (Ending.NOT_SENT, Ending.REFUSED):
        return True
    usage = attempt.usage
    if attempt.ending is not Ending.COMPLETE or usage is None:
        return False
    return usage.input > 0 and (usage.output > 0 or attempt.created == 0)


def settle_attempt(attempt: Attempt, request: Request, provider: Provider, counted_input: int) -> Settled:
    """Return what an attempt costs, from how it ended (money.md 10-12).

    `counted_input` bounds the input in tokens, used where the provider's own figure did not come.
    """
    price, usage = attempt.route.price, attempt.usage
    if attempt.ending in (Ending.NOT_SENT, Ending.REFUSED):
        return Settled(FREE, Usage())
    if usage is not None and is_exact(attempt):
        return Settled(cost_of(price, usage), usage)
    in_full = _in_full(attempt, request, price, counted_input)
    metered = _metered(attempt, request, provider, counted_input)
    if attempt.ending is Ending.COMPLETE:  # Who shows nothing may have thought all the same.
        is_hidden = price.reasons or not attempt.generated
        return in_full if is_hidden else _dearest(price, metered, request)
    if attempt.ending is Ending.CUT:
        settled = _dearest(price, _with_unseen(metered, request), request)
        return max(settled, in_full, key=_cost)
    is_visible = request.stream and attempt.created > 0 and not price.reasons
    if attempt.ending is Ending.CLIENT_LEFT and is_visible and provider.stops_on_disconnect:
        return min(_dearest(price, _with_unseen(metered, request), request), in_full, key=_cost)
    return in_full


def _cost(settled: Settled) -> Money:
    return settled.cost


def _in_full(attempt: Attempt, request: Request, price: Price, counted_input: int) -> Settled:
    """Return the hold, with the input as counted."""
    usage = Usage(input=counted_input, output=attempt.output_cap * request.cap.choices, exact=False)
    settled = _dearest(price, usage, request)
    return settled if settled.cost <= attempt.held else Settled(attempt.held, usage)


def _metered(attempt: Attempt, request: Request, provider: Provider, counted_input: int) -> Usage:
    """Return an upper bound of the usage, from what was seen of the answer.

    It stays within the cap that the provider was told, unless what was seen is certainly more than that.
    """
    if not attempt.generated:
        return Usage(input=counted_input, exact=False)
    least, most = provider.count_output_tokens("".join(attempt.generated), attempt.route)
    told = attempt.output_cap * request.cap.choices
    output = min(max(most, attempt.created), max(told, least))
    return Usage(input=counted_input, output=output, exact=False)


def _with_unseen(usage: Usage, request: Request) -> Usage:
    return Usage(input=usage.input, output=usage.output + UNSEEN_TOKENS * request.cap.choices, exact=False)


def _dearest(price: Price, usage: Usage, request: Request) -> Settled:
    """Price a metered usage at the dearest rates that may apply to the request: those it was held for."""
    rates = price.rates_at(usage.input)
    input_rate = rates.dearest_input(audio=request.audio_bytes > 0, hour_writes=request.has_long_cache)
    output_rate = rates.dearest_output(audio=request.wants_audio)
    return Settled(round_up(usage.input * input_rate + usage.output * output_rate), usage)
