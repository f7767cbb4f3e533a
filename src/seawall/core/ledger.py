"""The words of the ledger, and the one rule that sizes a hold (money.md 2-6).

An account counts money, or for a quota tokens or requests; the same rule holds for all of them.

Invariants, for every account at every moment:
- held equals the sum of the open holds that name it;
- a hold is placed on all of its accounts or on none;
- spent + overage + held never passes the cap because of a hold: only a surprise by the provider can,
  and that is booked as overage.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from msgspec import Struct, json

from seawall.core.money import PER_MILLION, Money, Usage, round_up

ROUGH_SHARE = 16
"""A hold from bytes instead of counted tokens may use at most one part in this many of what is left."""
UNDECLARED_SHARE = 8
"""Without a declared cap a call gets at most one part in this many of what is left."""
UNDECLARED_FLOOR = 512
"""Fewer output tokens than this are no useful answer where the client did not say how many it wants."""
DECLARED_FLOOR = 16
"""A declared cap is lowered to no fewer output tokens than this."""


PERIODS_REMEMBERED = 1_000

Counts = Literal["usd", "tokens", "requests"]
"""What an account counts: nano-dollars, tokens of input and output, or calls."""


class Account(Struct, frozen=True):
    """One scope in one period, with the cap that holds for this call (`None` for no cap).

    The period of an account that does not count money begins with what it counts: `tokens:2026-11-26`.
    """

    scope: str
    period: str
    cap: int | None = None

    @property
    def counts(self) -> Counts:
        """Return what this account counts."""
        return counts_of(self.period)


@lru_cache(maxsize=PERIODS_REMEMBERED)
def counts_of(period: str) -> Counts:
    """Return what an account of this period counts."""
    if period.startswith("tokens:"):
        return "tokens"
    return "requests" if period.startswith("requests:") else "usd"


AccountKey = tuple[str, str]
"""The scope and the period of an account."""


class AccountKeys(Struct, frozen=True):
    """The keys of some accounts, by what they count."""

    usd: tuple[AccountKey, ...] = ()
    tokens: tuple[AccountKey, ...] = ()
    requests: tuple[AccountKey, ...] = ()

    @classmethod
    def of(cls, keys: Iterable[AccountKey]) -> "AccountKeys":
        """Sort keys by what they count."""
        found: dict[Counts, list[AccountKey]] = {"usd": [], "tokens": [], "requests": []}
        for key in keys:
            found[counts_of(key[1])].append(key)
        return cls(tuple(found["usd"]), tuple(found["tokens"]), tuple(found["requests"]))


class AccountSet(Struct, frozen=True, eq=False):
    """The accounts of a call, with what is derived from them: made once per policy and day.

    `quotas` are those that do not count money; all of them are of one user.
    """

    accounts: tuple[Account, ...]
    keys: tuple[AccountKey, ...]
    by_unit: AccountKeys
    capped: tuple[Account, ...]
    text: str
    quotas: tuple[Account, ...]

    @classmethod
    def of(cls, accounts: tuple[Account, ...]) -> "AccountSet":
        """Return the set of these accounts."""
        keys = tuple((account.scope, account.period) for account in accounts)
        capped = tuple(account for account in accounts if account.cap is not None)
        by_unit = AccountKeys.of(keys)
        quotas = tuple(account for account in capped if account.counts != "usd")
        return cls(accounts, keys, by_unit, capped, json.encode(keys).decode(), quotas)


class Ask(Struct, frozen=True):
    """What a call needs, for the ledger to turn into a hold.

    `input_tokens` bounds the input, from its bytes until `is_counted`. Rates are nano-dollars per million
    tokens; `output_rate` is for one token on all choices together. `wanted_tokens` are per choice. `waited`
    says that the patience of the call is used up. `row` is what is known of the call so far, kept with the
    hold so that a crash loses nothing: its cost, overage and held are those of earlier attempts. `counts` is
    what the settlement of this hold will say.
    """

    hold_id: str
    accounts: AccountSet
    input_tokens: int
    is_counted: bool
    input_rate: int
    output_rate: int
    wanted_tokens: int
    is_declared: bool
    waited: bool
    row: "CallRow"
    counts: bool = True
    choices: int = 1

    @property
    def input_weight(self) -> int:
        """Return tokens times rate, in millionths of a nano-dollar."""
        return self.input_tokens * self.input_rate

    def tokens_of(self, output_tokens: int) -> int:
        """Return how many tokens a hold for so much output per choice is, with the input."""
        return self.input_tokens + output_tokens * self.choices

    @property
    def costs_nothing(self) -> bool:
        """Say whether the call costs no money."""
        return self.input_rate == 0 and self.output_rate == 0

    @property
    def is_free(self) -> bool:
        """Say whether nothing can stand against the call: it costs nothing, and no quota counts it."""
        return self.costs_nothing and not self.accounts.quotas


class Held(Struct, frozen=True):
    """The hold is on disk: this much money, for this many output tokens per choice."""

    amount: Money
    output_tokens: int


class NeedsCount(Struct, frozen=True):
    """The rough bound is too large a share of what is left; count the tokens and ask again."""


class Standing(Struct, frozen=True):
    """How an account stood when it was asked; amounts in what it counts, `spent` with the overage."""

    account: Account
    spent: int
    held: int


class Busy(Struct, frozen=True):
    """There would be enough if nothing were held."""

    standing: Standing


class Exhausted(Struct, frozen=True):
    """What is spent leaves no useful call."""

    standing: Standing


HoldAnswer = Held | NeedsCount | Busy | Exhausted


class Settlement(Struct, frozen=True):
    """Replaces a hold by its cost; idempotent by `hold_id`.

    `cost`, `overage` and `usage` are of this hold alone; `row` is the line of the whole call in the log, and
    replaces the one of an earlier attempt. `counts` is true for the first settlement of a call, so that the
    sums count the call once while money and tokens add up. `tokens` are what quotas count, where it is not
    the usage: a call that nobody can ask about counts in full.
    """

    hold_id: str
    cost: Money
    overage: Money
    usage: Usage
    row: "CallRow"
    counts: bool = True
    tokens: int | None = None


class CallRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call as it is kept: no texts, no secrets. Times in Unix milliseconds, money in nano-dollars.

    `held`, `cost`, `overage` and `listed_cost` are of all attempts together; `saved` is what an answer from
    the cache would have cost. `decisions` and `attempts` are JSON lists, the latter with a line for each
    attempt at a provider. `shape` is JSON too: see `core.traffic.Shape`.
    """

    id: str
    at_ms: int
    endpoint: str = ""
    key_id: str = ""
    end_user: str | None = None
    model: str = ""
    provider: str = ""
    stream: bool = False
    status: int = 200
    outcome: str = "ok"
    code: str | None = None
    took_ms: float = 0.0
    first_ms: float | None = None
    usage: Usage | None = None
    held: Money = Money(0)
    cost: Money = Money(0)
    overage: Money = Money(0)
    listed_cost: Money = Money(0)
    decisions: bytes = b"[]"
    attempts: bytes = b"[]"
    saved: Money = Money(0)
    shape: str | None = None


def size_hold(ask: Ask, standings: list[Standing]) -> HoldAnswer:
    """Decide what a call gets, from how its capped accounts stand.

    A declared output cap is granted whole where it fits. Where only what is held is in the way the call
    waits; where something spent is in the way, or it has waited, the cap is lowered to what is left. An
    undeclared cap takes at most an eighth of what is left, so that one careless call does not lock the
    others out. Money never stands against a call that costs nothing.
    """
    if ask.costs_nothing:
        standings = [standing for standing in standings if standing.account.counts != "usd"]
    if not standings:
        return _grant(ask, ask.wanted_tokens)
    used_up = [standing for standing in standings if _unspent(standing) <= 0]
    if used_up:
        return Exhausted(min(used_up, key=_unspent))
    if not ask.is_counted and any(_is_rough(ask, standing) for standing in standings):
        return NeedsCount()
    now = min(_affordable(ask, standing, _left(standing)) for standing in standings)
    if ask.is_declared and now >= ask.wanted_tokens:
        return _grant(ask, ask.wanted_tokens)
    later = min(_affordable(ask, standing, _unspent(standing)) for standing in standings)
    floor = min(ask.wanted_tokens, DECLARED_FLOOR if ask.is_declared else UNDECLARED_FLOOR)
    if ask.is_declared:
        must_wait = now < ask.wanted_tokens <= later and not ask.waited
        tokens = min(ask.wanted_tokens, now)
    else:
        must_wait = False
        share = min(_share(ask, standing) for standing in standings)
        tokens = min(ask.wanted_tokens, now, max(share, UNDECLARED_FLOOR))
    if tokens >= floor and not must_wait:
        return _grant(ask, tokens)
    if later >= floor:
        return Busy(min(standings, key=lambda each: (_affordable(ask, each, _left(each)), _left(each))))
    return Exhausted(
        min(standings, key=lambda each: (_affordable(ask, each, _unspent(each)), _unspent(each)))
    )


def _grant(ask: Ask, tokens: int) -> Held:
    amount = round_up(ask.input_weight + tokens * ask.output_rate)
    return Held(amount=amount, output_tokens=tokens)


def _left(standing: Standing) -> int:
    assert standing.account.cap is not None
    return standing.account.cap - standing.spent - standing.held


def _unspent(standing: Standing) -> int:
    assert standing.account.cap is not None
    return standing.account.cap - standing.spent


def _is_rough(ask: Ask, standing: Standing) -> bool:
    """Say whether a bound from bytes would take too large a share of what is left on an account."""
    counts, left = standing.account.counts, _left(standing)
    if counts == "usd":
        return ask.input_weight * ROUGH_SHARE > left * PER_MILLION
    return counts == "tokens" and ask.input_tokens * ROUGH_SHARE > left


def _affordable(ask: Ask, standing: Standing, left: int) -> int:
    """Return how many output tokens per choice so much buys after the input; -1 where that does not fit."""
    counts = standing.account.counts
    if counts == "usd":
        rest = left * PER_MILLION - ask.input_weight
        if rest < 0:
            return -1
        return rest // ask.output_rate if ask.output_rate else ask.wanted_tokens
    if counts == "tokens":
        rest = left - ask.input_tokens
        return -1 if rest < 0 else rest // ask.choices
    return ask.wanted_tokens if left >= 1 or not ask.counts else -1


def _share(ask: Ask, standing: Standing) -> int:
    """Return how many output tokens a part of what is left buys, the input apart."""
    part = max(0, _left(standing)) // UNDECLARED_SHARE
    counts = standing.account.counts
    if counts == "usd":
        return _affordable(ask, standing, ask.input_weight // PER_MILLION + part)
    return part // ask.choices if counts == "tokens" else ask.wanted_tokens
