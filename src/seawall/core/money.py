"""Money in whole nano-dollars, token usage, and what a model's tokens cost.

Invariants:
- No float ever touches money. One dollar is 10**9 nano-dollars.
- A rate is nano-dollars per million tokens, so that "0.075 dollars per million" is exact.
- A cost is summed in millionths of a nano-dollar and rounded up once, at the end.
- Unknown is `None`, never zero.
"""

import re
from decimal import Decimal
from typing import NewType

from msgspec import Struct

Money = NewType("Money", int)
"""Whole nano-dollars."""

Rate = NewType("Rate", int)
"""Nano-dollars per million tokens."""

NANO = 10**9
PER_MILLION = 10**6
FREE = Money(0)

_DOLLARS = re.compile(r"[0-9]{1,20}(\.[0-9]{0,30})?", re.ASCII)


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens of one call, as every vendor's figures are read.

    `input` includes the cached and the audio tokens, `output` includes reasoning and audio;
    `exact` is false where we metered instead of being told.
    """

    input: int = 0
    output: int = 0
    cached_read: int = 0
    cached_write: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    exact: bool = True


class Rates(Struct, frozen=True):
    """What a million tokens of each kind cost; a kind without a rate of its own has the plain one."""

    input: Rate
    output: Rate
    cached_read: Rate | None = None
    cached_write: Rate | None = None
    audio_input: Rate | None = None
    audio_output: Rate | None = None

    def dearest_input(self, *, audio: bool = False) -> Rate:
        """Return the highest rate that an input token can be billed at."""
        audio_rate = (self.audio_input or 0) if audio else 0
        return Rate(max(self.input, self.cached_read or 0, self.cached_write or 0, audio_rate))

    def dearest_output(self, *, audio: bool = False) -> Rate:
        """Return the highest rate that an output token can be billed at."""
        return Rate(max(self.output, (self.audio_output or 0) if audio else 0))


class Tier(Struct, frozen=True):
    """Rates of the whole call once its input passes `above_input_tokens` (long-context prices)."""

    above_input_tokens: int
    rates: Rates


class Price(Struct, frozen=True):
    """Everything about one model that money depends on.

    `max_output_tokens` and `context_tokens` are the vendor's limits, `None` where unknown.
    `reasons` marks models that bill hidden reasoning. `source` and `as_of` say where it is from.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    image_tokens_max: int | None = None
    reasons: bool = False
    source: str = ""
    as_of: str = ""

    def rates_at(self, input_tokens: int) -> Rates:
        """Return the rates that apply to a call with this many input tokens."""
        rates = self.rates
        for tier in self.tiers:
            if input_tokens > tier.above_input_tokens:
                rates = tier.rates
        return rates


def cost_of(price: Price, usage: Usage) -> Money:
    """Return the true price of a usage: each bucket at its own rate, rounded up once."""
    rates = price.rates_at(usage.input)
    plain_input = max(0, usage.input - usage.cached_read - usage.cached_write - usage.audio_input)
    plain_output = max(0, usage.output - usage.audio_output)
    return round_up(
        plain_input * rates.input
        + usage.cached_read * (rates.input if rates.cached_read is None else rates.cached_read)
        + usage.cached_write * (rates.input if rates.cached_write is None else rates.cached_write)
        + usage.audio_input * (rates.input if rates.audio_input is None else rates.audio_input)
        + plain_output * rates.output
        + usage.audio_output * (rates.output if rates.audio_output is None else rates.audio_output)
    )


def round_up(weight: int) -> Money:
    """Turn tokens times rate (millionths of a nano-dollar) into money, rounded up."""
    return Money(-(-weight // PER_MILLION))


def parse_usd(text: str | int) -> Money:
    """Read dollars ("5", "0.25", 3) as money.

    Raises ValueError for anything but a plain, finite, non-negative decimal with at most nine places.
    """
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError('write dollars as a string, for example "5.00"')
    if _DOLLARS.fullmatch(str(text)) is None:
        raise ValueError(f"{text!r} is not an amount in dollars")
    nanos = Decimal(text) * NANO
    if nanos > 10**18:
        raise ValueError(f"{text!r} is more than a billion dollars")
    if nanos != nanos.to_integral_value():
        raise ValueError(f"{text!r} is finer than a nano-dollar")
    return Money(int(nanos))


def format_usd(money: int, *, places: int = 2) -> str:
    """Write money as a decimal string of dollars: exact, with at least `places` decimals."""
    sign, nanos = ("-", -money) if money < 0 else ("", money)
    fraction = f"{nanos % NANO:09d}".rstrip("0").ljust(places, "0")
    return f"{sign}{nanos // NANO}.{fraction}" if fraction else f"{sign}{nanos // NANO}"
