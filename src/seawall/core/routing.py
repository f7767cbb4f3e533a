"""Route planning: pure functions from targets and their readiness to an ordered list of attempts.

Invariants:
- Nothing here knows the time, chance or a network: readiness and chance are handed in.
- A plan names each target once. What may be tried twice, and when, is decided after a failure.
- The same target is tried again only where it is certain that nothing was billed (money.md 12).
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.call import Ending, Route
from seawall.core.errors import (
    ProviderCredentials,
    Refusal,
    SeawallError,
    UnpricedField,
    Untranslatable,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from seawall.core.money import Price

PLANNED_MAX = 8
ALTERNATIVES_MAX = 4
"""The most targets that one call is ever planned for, in all and of one tier."""

_AGAIN_HERE = frozenset({409, 425, 429})
_AGAIN_ELSEWHERE = frozenset({401, 402, 403, 404, 408, 409, 425, 429})


class State(StrEnum):
    """What is known of a route: fine, one call may probe, spared while others are left, or out."""

    READY = "ready"
    PROBE = "probe"
    SPARED = "spared"
    OPEN = "open"


class Readiness(Struct, frozen=True):
    """Whether a route can be tried now; `wait_s` is the time until what stands against it is over."""

    state: State = State.READY
    because: str = ""
    wait_s: float = 0.0


READY = Readiness()


class Target(Struct, frozen=True):
    """One way to serve a model: targets of the same tier are alternatives, higher tiers are fallbacks.

    `weight` is this target's share among the alternatives of its tier, in relation to theirs. `why` says for
    people how the target came into the list.
    """

    route: Route
    weight: float = 1.0
    tier: int = 0
    why: str = ""


class Alternative(Struct, frozen=True):
    """One way in which an alias is served: a model by its name, its share of the calls, and its tier.

    `origin` says where the operator stated it.
    """

    model: str
    weight: float = 1.0
    tier: int = 0
    origin: str = ""


class Planned(Struct, frozen=True):
    """One target in the order in which they are tried, and why it stands there."""

    route: Route
    why: str = ""
    tier: int = 0


class Kind(StrEnum):
    """What the end of an attempt says about the account that was called."""

    ANSWERED = "answered"
    BUSY = "busy"
    FAILED = "failed"
    CREDENTIALS = "credentials"
    UNKNOWN = "unknown"


class Outcome(Struct, frozen=True):
    """What the end of an attempt says about the account, and how long the vendor asked to be left alone."""

    kind: Kind
    retry_after_s: float = 0.0


class RetryRules(Struct, frozen=True):
    """How often and how soon the same target is tried again; times in seconds.

    The pause before retry number n is drawn evenly from 0 to `base_s` x 2^(n-1), at most `top_s`. A target
    that asks for a longer pause than `wait_s_max` is not tried again in the same call.
    """

    attempts: int = 1
    wait_s_max: float = 5.0
    base_s: float = 0.25
    top_s: float = 4.0


class HealthRules(Struct, frozen=True):
    """When the breaker of an account opens, and for how long; `failures` = 0 means never."""

    failures: int = 5
    cooldown_s: float = 30.0
    cooldown_s_max: float = 300.0


class Failure(Struct, frozen=True):
    """An attempt that failed before anything had left for the client.

    `retried` counts the retries of this call so far, on whatever target; `left_s` is the time left for it.
    """

    error: SeawallError
    ending: Ending
    retried: int
    left_s: float


class Retry(Struct, frozen=True):
    """Try the same target again after this pause."""

    wait_s: float
    why: str


class Next(Struct, frozen=True):
    """Try the next target, at once."""

    why: str


class Stop(Struct, frozen=True):
    """Try nothing more; `why` is for `seawall why`."""

    why: str


class ExplainedTarget(Struct, frozen=True):
    """One target as `seawall route` prints it.

    `dialects` says for each dialect that clients speak in which one this target is asked: the same, another
    one that it is translated to, or `None` where it cannot be reached. `price` is `None` where it is not
    known. `skipped` says why the target is never tried, "" where it is.
    """

    provider: str
    model: str
    key: int = 1
    tier: int = 0
    weight: float = 1.0
    dialects: dict[str, str | None] = {}
    price: Price | None = None
    is_free: bool = False
    why: str = ""
    skipped: str = ""


class Explained(Struct, frozen=True):
    """What would be tried for a model, tier by tier; within one the largest weight comes first."""

    model: str
    is_alias: bool
    targets: tuple[ExplainedTarget, ...]
    rules: RetryRules


def plan(
    targets: Sequence[Target], *, readiness: Callable[[Route], Readiness], draw: Callable[[], float]
) -> tuple[Planned, ...]:
    """Put targets in the order in which they are tried, each once, with the limits above.

    Tier by tier; within a tier by chance, in proportion to the weights (`draw` returns numbers from 0 to
    below 1). Spared targets come after all others; those of an open breaker are left out. Raises
    UpstreamUnavailable where none remains. `targets` must not be empty.
    """
    if len(targets) == 1:
        only = targets[0]
        if readiness(only.route).state is State.READY:
            return (Planned(only.route, only.why, only.tier),)
    found = [(target, readiness(target.route)) for target in targets]
    usable = [(target, now) for target, now in found if now.state is not State.OPEN]
    if not usable:
        raise nothing_ready(now for _, now in found)
    if len(usable) > 1:
        # Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): the order of
        # draw^(1/weight), highest first, is a weighted choice without replacement.
        luck = {index: draw() ** (1 / target.weight) for index, (target, _) in enumerate(usable)}
        order = sorted(luck, key=lambda index: _place(*usable[index], luck[index]))
        usable = _few(usable[index] for index in order)
    return tuple(Planned(target.route, _why(target, now), target.tier) for target, now in usable)


def after_failure(
    failure: Failure,
    at: Planned,
    rest: Sequence[Planned],
    *,
    rules: RetryRules,
    draw: Callable[[], float],
) -> Retry | Next | Stop:
    """Decide what follows an attempt on `at` that failed before the first byte had left for the client.

    `rest` are the targets that were not tried yet. Another target of the same tier is tried before the same
    one again, and the same one again before the next tier.
    """
    why = _said(failure.error)
    if not _may_go_elsewhere(failure.error):
        return Stop(f"{why}: no other attempt could change that")
    if failure.left_s <= 0:
        return Stop(f"{why}, and the time of the call is over")
    if rest and rest[0].tier == at.tier:
        return Next(why)
    if failure.retried < rules.attempts and may_try_same(failure.error, failure.ending):
        asked_s = failure.error.retry_after_s or 0.0
        wait_s = asked_s + backoff_s(failure.retried, rules, draw)
        if asked_s <= rules.wait_s_max and wait_s < failure.left_s:
            return Retry(wait_s, why)
    return Next(why) if rest else Stop(f"{why}, and nothing else is left to try")


def may_try_same(error: SeawallError, ending: Ending) -> bool:
    """Say whether an attempt may be repeated on the same target: nothing was billed, and it may go better.

    A time-out never is: the provider may still be at work on the first one.
    """
    if ending not in (Ending.NOT_SENT, Ending.REFUSED):
        return False
    if isinstance(error, UpstreamRefused):
        return error.vendor_status in _AGAIN_HERE
    return isinstance(error, UpstreamUnavailable)


def backoff_s(retried: int, rules: RetryRules, draw: Callable[[], float]) -> float:
    """Return the pause before the next retry: full jitter, in seconds.

    Source: "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    """
    return draw() * min(rules.top_s, rules.base_s * 2.0**retried)


def outcome_of(error: BaseException | None) -> Outcome:
    """Return what the end of an attempt says about the account; `None` is an answer that ended well.

    A request that the vendor refuses is an answer. What we refused, and callers who left, say nothing.
    """
    if error is None:
        return Outcome(Kind.ANSWERED)
    if isinstance(error, ProviderCredentials):
        return Outcome(Kind.CREDENTIALS)
    if isinstance(error, UpstreamRefused):
        kind = Kind.BUSY if error.vendor_status == 429 else Kind.ANSWERED
        return Outcome(kind, error.retry_after_s or 0.0)
    if isinstance(error, UpstreamError):
        return Outcome(Kind.FAILED, error.retry_after_s or 0.0)
    return Outcome(Kind.UNKNOWN)


def error_to_tell(errors: Sequence[SeawallError]) -> SeawallError:
    """Return the error that the client gets after all attempts failed: the last one.

    A target that cannot say the request in its dialect, or price a field, tells only where all are like that.
    """
    telling = [error for error in errors if not isinstance(error, Untranslatable | UnpricedField)]
    return telling[-1] if telling else errors[0]


def nothing_ready(found: Iterable[Readiness]) -> UpstreamUnavailable:
    """Return the error for a call whose targets all have an open breaker: when it is worth coming back."""
    wait_s = min((now.wait_s for now in found), default=None)
    return UpstreamUnavailable(
        "The provider of this model has failed several times in a row and is left alone for a moment."
        " Try again later.",
        retry_after_s=wait_s,
    )


def spread(target: Target, keys: int) -> tuple[Target, ...]:
    """Return one target for each key of the provider (1 to `keys`); they share the weight evenly."""
    if keys == 1:
        return (target,)
    weight = target.weight / keys
    return tuple(
        replace(target, route=replace(target.route, key=key), weight=weight) for key in range(1, keys + 1)
    )


def _place(target: Target, now: Readiness, luck: float) -> tuple[bool, int, float]:
    return now.state is State.SPARED, target.tier, -luck


def _few(ordered: Iterable[tuple[Target, Readiness]]) -> list[tuple[Target, Readiness]]:
    """Keep the first few of each tier, so that fallbacks get their turn while somebody waits."""
    kept: list[tuple[Target, Readiness]] = []
    counts: dict[int, int] = {}
    for target, now in ordered:
        counts[target.tier] = counts.get(target.tier, 0) + 1
        if counts[target.tier] <= ALTERNATIVES_MAX:
            kept.append((target, now))
    return kept[:PLANNED_MAX]


def _why(target: Target, now: Readiness) -> str:
    if now.state is State.READY:
        return target.why
    return f"{target.why}, {now.because}" if target.why else now.because


def _may_go_elsewhere(error: SeawallError) -> bool:
    """Say whether another target might answer; the provider's 400, 413 and 422 are the caller's to mend."""
    if isinstance(error, UpstreamRefused):
        return error.vendor_status in _AGAIN_ELSEWHERE or error.vendor_status >= 500
    if isinstance(error, Refusal):
        # Another target may be reached in the caller's own dialect, or have a price for the field.
        return isinstance(error, Untranslatable | UnpricedField)
    return isinstance(error, UpstreamError)


def _said(error: SeawallError) -> str:
    """Say in a few words what went wrong, for `seawall why`."""
    if isinstance(error, UpstreamRefused):
        return f"the provider answered {error.vendor_status}"
    if isinstance(error, UpstreamTimeout):
        return "the provider took too long"
    if isinstance(error, ProviderCredentials):
        return "the provider did not accept our account"
    if isinstance(error, UpstreamError):
        return "the provider is not answering properly"
    return error.wire_code
