"""Money in whole nano-dollars, token usage, and what a model's tokens cost.

Invariants:
- No float ever touches money. One dollar is 10**9 nano-dollars.
- A rate is nano-dollars per million tokens, so that "0.075 dollars per million" is exact.
- A cost is summed in millionths of a nano-dollar and rounded up once, at the end.
- Unknown is `None`, never zero.
"""

import re
from decimal import Decimal
from typing import Literal, NewType

from msgspec import Struct

Money = NewType("Money", int)
"""Whole nano-dollars."""

Rate = NewType("Rate", int)
"""Nano-dollars per million tokens."""

Kind = Literal["chat", "embedding", "image"]
"""What a model makes: text in a conversation, embeddings, or images among its text."""

NANO = 10**9
PER_MILLION = 10**6
FREE = Money(0)

_DOLLARS = re.compile(r"[0-9]{1,20}(\.[0-9]{0,30})?", re.ASCII)


class Usage(Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one call, as every vendor's figures are read.

    `input` includes the cached and the audio tokens, `output` includes reasoning, audio and images.
    `cached_write_1h` is the part of `cached_write` that is kept for an hour; `cached_audio_read` is a part
    of both `cached_read` and `audio_input`. `image_output` is `None` where the vendor does not tell it.
    `web_searches` counts searches that the vendor ran and bills one by one. `exact` is false where we
    metered instead of being told.
    """

    input: int = 0
    output: int = 0
    cached_read: int = 0
    cached_write: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    exact: bool = True
    cached_write_1h: int = 0
    cached_audio_read: int = 0
    image_output: int | None = None
    web_searches: int = 0


class Rates(Struct, frozen=True):
    """What a million tokens of each kind cost; a kind without a rate of its own has the plain one.

    Cached audio without a rate costs what audio does, an hour's cache write what a shorter one does.
    `web_search` is for a million searches; without a rate they are not billed apart.
    """

    input: Rate
    output: Rate
    cached_read: Rate | None = None
    cached_write: Rate | None = None
    audio_input: Rate | None = None
    audio_output: Rate | None = None
    cached_write_1h: Rate | None = None
    cached_audio_read: Rate | None = None
    image_output: Rate | None = None
    web_search: Rate | None = None

    def dearest_input(self, *, audio: bool = False, hour_writes: bool = True) -> Rate:
        """Return the highest rate that an input token can be billed at.

        Say `hour_writes=False` only of a request that certainly asks for no cache write kept for an hour.
        """
        dearest = max(self.input, self.cached_read or 0, self.cached_write or 0)
        if audio:
            dearest = max(dearest, self.audio_input or 0, self.cached_audio_read or 0)
        if hour_writes:
            dearest = max(dearest, self.cached_write_1h or 0)
        return Rate(dearest)

    def dearest_output(self, *, audio: bool = False) -> Rate:
        """Return the highest rate that an output token can be billed at."""
        return Rate(max(self.output, self.image_output or 0, (self.audio_output or 0) if audio else 0))


class Tier(Struct, frozen=True):
    """Rates of the whole call once its input passes `above_input_tokens` (long-context prices)."""

    above_input_tokens: int
    rates: Rates


class Price(Struct, frozen=True):
    """Everything about one model that money depends on.

    `max_output_tokens` and `context_tokens` are the vendor's limits, `None` where unknown.
    `reasons` marks models that bill hidden reasoning. `source` and `as_of` say where it is from.
    `kind` says what the model makes; an embedding has no output, so its output rate is truly zero.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    image_tokens_max: int | None = None
    reasons: bool = False
    source: str = ""
    as_of: str = ""
    kind: Kind = "chat"

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
    read, write = usage.cached_read, usage.cached_write
    write_rate = rates.input if rates.cached_write is None else rates.cached_write
    weight = write * write_rate
    if usage.audio_input and rates.audio_input is not None:
        weight += _read_and_audio(rates, usage, rates.audio_input)
    else:
        weight += read * (rates.input if rates.cached_read is None else rates.cached_read)
        weight += max(0, usage.input - read - write) * rates.input
    if usage.cached_write_1h and rates.cached_write_1h is not None:
        weight += min(usage.cached_write_1h, write) * (rates.cached_write_1h - write_rate)
    if usage.audio_output or rates.image_output is not None:
        weight += _output(rates, usage)
    else:
        weight += usage.output * rates.output
    if usage.web_searches and rates.web_search is not None:
        weight += usage.web_searches * rates.web_search
    return round_up(weight)


def _read_and_audio(rates: Rates, usage: Usage, audio_rate: Rate) -> int:
    """Weigh an input with audio, but for its cache writes.

    Where the vendor does not say how much of the audio was cached, as little is assumed as its sums allow:
    that is the dearest reading of them.
    """
    read, audio = usage.cached_read, usage.audio_input
    least = read + usage.cached_write + audio - usage.input
    cached = min(max(usage.cached_audio_read, least, 0), audio, read)
    plain = max(0, usage.input - read - usage.cached_write - (audio - cached))
    return (
        plain * rates.input
        + (read - cached) * (rates.input if rates.cached_read is None else rates.cached_read)
        + cached * (audio_rate if rates.cached_audio_read is None else rates.cached_audio_read)
        + (audio - cached) * audio_rate
    )


def _output(rates: Rates, usage: Usage) -> int:
    """Weigh an output with audio or images; where images are not told apart, all of it may be images."""
    audio, images = usage.audio_output, 0
    plain_rate = rates.output
    if rates.image_output is not None:
        if usage.image_output is None:
            plain_rate = Rate(max(plain_rate, rates.image_output))
        else:
            images = usage.image_output
    return (
        max(0, usage.output - audio - images) * plain_rate
        + audio * (plain_rate if rates.audio_output is None else rates.audio_output)
        + images * (rates.image_output or 0)
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


def round_usd(money: int) -> str:
    """Write money for people: two places from a dollar on, four from a cent on, else two digits."""
    amount = abs(Decimal(money) / NANO)
    if amount >= 1 or not amount:
        places = 2
    elif amount >= Decimal("0.01"):
        places = 4
    else:
        places = min(9, 1 - amount.adjusted())
    whole, _, fraction = f"{amount:,.{places}f}".partition(".")
    return f"{'-' if money < 0 else ''}${whole}.{fraction.rstrip('0').ljust(2, '0')}"
