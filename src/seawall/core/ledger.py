"""The words of the ledger, and the one rule that sizes a hold (money.md 2-6).

Invariants, for every account at every moment:
- held equals the sum of the open holds that name it;
- a hold is placed on all of its accounts or on none;
- spent + overage + held never passes the cap because of a hold: only a surprise by the provider can,
  and that is booked as overage.
"""

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


class Account(Struct, frozen=True):
    """One scope in one period, with the cap that holds for this call (`None` for no cap)."""

    scope: str
    period: str
    cap: Money | None = None


class AccountSet(Struct, frozen=True, eq=False):
    """The accounts of a call, with what is derived from them: made once per policy and day."""

    accounts: tuple[Account, ...]
    keys: tuple[tuple[str, str], ...]
    capped: tuple[Account, ...]
    text: str

    @classmethod
    def of(cls, accounts: tuple[Account, ...]) -> "AccountSet":
        """Return the set of these accounts."""
        keys = tuple((account.scope, account.period) for account in accounts)
        capped = tuple(account for account in accounts if account.cap is not None)
        return cls(accounts, keys, capped, json.encode(keys).decode())


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

    @property
    def input_weight(self) -> int:
        """Return tokens times rate, in millionths of a nano-dollar."""
        return self.input_tokens * self.input_rate

    @property
    def is_free(self) -> bool:
        """Say whether the call costs nothing at all."""
        return self.input_rate == 0 and self.output_rate == 0


class Held(Struct, frozen=True):
    """The hold is on disk: this much money, for this many output tokens per choice."""

    amount: Money
    output_tokens: int


class NeedsCount(Struct, frozen=True):
    """The rough bound is too large a share of what is left; count the tokens and ask again."""


class Standing(Struct, frozen=True):
    """How an account stood when it refused."""

    account: Account
    spent: Money
    held: Money


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
    sums count the call once while money and tokens add up.
    """

    hold_id: str
    cost: Money
    overage: Money
    usage: Usage
    row: "CallRow"
    counts: bool = True


class CallRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call as it is kept: no texts, no secrets. Times in Unix milliseconds, money in nano-dollars.

    `held`, `cost`, `overage` and `listed_cost` are of all attempts together. `decisions` and `attempts` are
    JSON lists, the latter with a line for each attempt at a provider.
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


def size_hold(ask: Ask, standings: list[Standing]) -> HoldAnswer:
    """Decide what a call gets, from how its capped accounts stand.

    A declared output cap is granted whole where it fits. Where only held money is in the way the call
    waits; where spent money is in the way, or it has waited, the cap is lowered to what is left. An
    undeclared cap takes at most an eighth of what is left, so that one careless call does not lock the
    others out. A call that costs nothing is always granted.
    """
    if ask.is_free or not standings:
        return _grant(ask, ask.wanted_tokens)
    tightest = min(standings, key=_left)
    left, unspent = _left(tightest), min(_unspent(s) for s in standings)
    if unspent <= 0:
        return Exhausted(min(standings, key=_unspent))
    if not ask.is_counted and ask.input_weight * ROUGH_SHARE > left * PER_MILLION:
        return NeedsCount()
    now, later = _affordable(ask, left), _affordable(ask, unspent)
    floor = min(ask.wanted_tokens, DECLARED_FLOOR if ask.is_declared else UNDECLARED_FLOOR)
    if ask.is_declared:
        must_wait = now < ask.wanted_tokens <= later and not ask.waited
        tokens = min(ask.wanted_tokens, now)
    else:
        must_wait = False
        share = _affordable(ask, Money(ask.input_weight // PER_MILLION + max(0, left) // UNDECLARED_SHARE))
        tokens = min(ask.wanted_tokens, now, max(share, UNDECLARED_FLOOR))
    if tokens >= floor and not must_wait:
        return _grant(ask, tokens)
    if later >= floor:
        return Busy(tightest)
    return Exhausted(min(standings, key=_unspent))


def _grant(ask: Ask, tokens: int) -> Held:
    amount = round_up(ask.input_weight + tokens * ask.output_rate)
    return Held(amount=amount, output_tokens=tokens)


def _left(standing: Standing) -> Money:
    assert standing.account.cap is not None
    return Money(standing.account.cap - standing.spent - standing.held)


def _unspent(standing: Standing) -> Money:
    assert standing.account.cap is not None
    return Money(standing.account.cap - standing.spent)


def _affordable(ask: Ask, money: Money) -> int:
    """Return how many output tokens this money buys after the input; -1 where not even the input fits."""
    rest = money * PER_MILLION - ask.input_weight
    if rest < 0:
        return -1
    return rest // ask.output_rate if ask.output_rate else ask.wanted_tokens
