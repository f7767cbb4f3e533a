"""The order in which targets are tried, and what follows a failure."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seawall.core.call import Ending, Route
from seawall.core.errors import (
    BudgetBusy,
    BudgetExhausted,
    ClientGone,
    ModelNotAllowed,
    Overloaded,
    ProviderCredentials,
    SeawallError,
    UnpricedField,
    Untranslatable,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    VendorError,
)
from seawall.core.money import Price, Rate, Rates
from seawall.core.routing import (
    ALTERNATIVES_MAX,
    PLANNED_MAX,
    READY,
    Failure,
    Kind,
    Next,
    Outcome,
    Planned,
    Readiness,
    Retry,
    RetryRules,
    State,
    Stop,
    Target,
    after_failure,
    backoff_s,
    error_to_tell,
    outcome_of,
    plan,
    spread,
)

PRICE = Price(Rates(input=Rate(1), output=Rate(1)))
SPARED = Readiness(State.SPARED, "it is busy", 3.0)
OPEN = Readiness(State.OPEN, "it fails", 20.0)
PROBE = Readiness(State.PROBE, "one may probe")


def target(provider: str, *, weight: float = 1.0, tier: int = 0, why: str = "") -> Target:
    return Target(Route(provider, "m", PRICE), weight, tier, why)


def knowing(**known: Readiness) -> Callable[[Route], Readiness]:
    """Return what is known of accounts by name; the others are ready."""
    return lambda route: known.get(route.account, READY)


def order(targets: list[Target], *, seed: int = 1, **known: Readiness) -> list[str]:
    planned = plan(targets, readiness=knowing(**known), draw=random.Random(seed).random)
    return [each.route.account for each in planned]


def never() -> float:
    raise AssertionError("nothing is left to chance here")


def refused(status: int, retry_after_s: float | None = None) -> UpstreamRefused:
    return UpstreamRefused(status, VendorError(), retry_after_s=retry_after_s, private="")


def test_a_single_target_is_the_plan() -> None:
    only = target("openai", why="named by the caller")
    assert plan([only], readiness=knowing(), draw=never) == (Planned(only.route, "named by the caller"),)


def test_tiers_are_tried_in_order() -> None:
    targets = [target("c", tier=2), target("a"), target("b", tier=1)]
    assert [order(targets, seed=seed) for seed in range(20)] == [["a", "b", "c"]] * 20


def test_alternatives_come_first_as_often_as_they_weigh() -> None:
    draw = random.Random(7).random
    targets = [target("a", weight=3), target("b", weight=1), target("f", tier=1)]
    firsts = Counter(plan(targets, readiness=knowing(), draw=draw)[0].route.provider for _ in range(4000))
    assert 2880 < firsts["a"] < 3120
    assert firsts["a"] + firsts["b"] == 4000


def test_the_rest_of_the_order_follows_the_weights_too() -> None:
    draw = random.Random(7).random
    targets = [target("a", weight=100), target("b", weight=3), target("c", weight=1)]
    plans = [plan(targets, readiness=knowing(), draw=draw) for _ in range(4000)]
    seconds = Counter(each[1].route.provider for each in plans if each[0].route.provider == "a")
    assert 0.72 < seconds["b"] / seconds.total() < 0.78


def test_the_keys_of_a_provider_share_its_weight_evenly() -> None:
    targets = [*spread(target("openai", weight=3), 3), target("azure", weight=1)]
    assert [(each.route.account, each.weight) for each in targets] == [
        ("openai", 1.0),
        ("openai#2", 1.0),
        ("openai#3", 1.0),
        ("azure", 1.0),
    ]


def test_a_single_key_changes_nothing() -> None:
    only = target("openai", weight=3)
    assert spread(only, 1) == (only,)


def test_an_open_breaker_is_left_out_and_a_probe_keeps_its_place() -> None:
    targets = [target("a"), target("b", tier=1), target("c", tier=2)]
    assert order(targets, a=OPEN, b=PROBE) == ["b", "c"]


def test_spared_targets_come_after_all_others() -> None:
    targets = [target("a"), target("b", tier=1), target("c", tier=2)]
    assert order(targets, a=SPARED, b=SPARED) == ["c", "a", "b"]


def test_a_single_spared_target_is_still_tried() -> None:
    only = target("a", why="alias fast")
    planned = plan([only], readiness=knowing(a=SPARED), draw=never)
    assert planned == (Planned(only.route, "alias fast, it is busy"),)


def test_all_breakers_open_fails_at_once_and_says_when_to_come_back() -> None:
    soon = Readiness(State.OPEN, "it fails", 4.5)
    with pytest.raises(UpstreamUnavailable) as caught:
        order([target("a"), target("b", tier=1)], a=OPEN, b=soon)
    assert caught.value.retry_after_s == 4.5


def test_a_plan_has_an_end_and_leaves_room_for_fallbacks() -> None:
    targets = [target(f"p{tier}{n}", tier=tier) for tier in range(4) for n in range(20)]
    planned = plan(targets, readiness=knowing(), draw=random.Random(1).random)
    assert len(planned) == PLANNED_MAX
    assert [each.tier for each in planned] == [0] * ALTERNATIVES_MAX + [1] * ALTERNATIVES_MAX


@given(
    known=st.lists(
        st.tuples(st.sampled_from([READY, PROBE, SPARED, OPEN]), st.integers(0, 3), st.floats(0.001, 1000)),
        min_size=1,
        max_size=10,
    ),
    seed=st.integers(),
)
def test_every_plan_has_each_usable_target_once_in_the_order_of_its_tiers(
    known: list[tuple[Readiness, int, float]], seed: int
) -> None:
    assume(any(now is not OPEN for now, _, _ in known))
    states = {f"p{number}": now for number, (now, _, _) in enumerate(known)}
    targets = [
        target(f"p{number}", tier=tier, weight=weight) for number, (_, tier, weight) in enumerate(known)
    ]
    planned = plan(targets, readiness=knowing(**states), draw=random.Random(seed).random)
    names = [each.route.account for each in planned]
    places = [(states[name] is SPARED, each.tier) for name, each in zip(names, planned, strict=True)]
    assert len(set(names)) == len(names) <= PLANNED_MAX
    assert OPEN not in [states[name] for name in names]
    assert places == sorted(places)
    usable = Counter(tier for now, tier, _ in known if now is not OPEN)
    kept = sum(min(count, ALTERNATIVES_MAX) for count in usable.values())
    assert len(names) == min(kept, PLANNED_MAX)


HERE = Planned(Route("a", "m", PRICE))
ALTERNATIVE = Planned(Route("b", "m", PRICE))
FALLBACK = Planned(Route("c", "m", PRICE), tier=1)
RULES = RetryRules()


def follows(
    error: SeawallError,
    ending: Ending = Ending.REFUSED,
    *,
    rest: tuple[Planned, ...] = (),
    retried: int = 0,
    left_s: float = 600.0,
) -> Retry | Next | Stop:
    failure = Failure(error, ending, retried, left_s)
    return after_failure(failure, HERE, rest, rules=RULES, draw=lambda: 0.5)


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (UpstreamUnavailable(), Ending.NOT_SENT),
        (UpstreamUnavailable(), Ending.REFUSED),
        (refused(409), Ending.REFUSED),
        (refused(425), Ending.REFUSED),
        (refused(429), Ending.REFUSED),
    ],
)
def test_what_cannot_have_been_billed_is_tried_again(error: SeawallError, ending: Ending) -> None:
    decided = follows(error, ending)
    assert isinstance(decided, Retry)
    assert decided.wait_s == 0.125
    assert isinstance(follows(error, ending, retried=1), Stop)
    assert isinstance(follows(error, ending, rest=(FALLBACK,)), Retry)
    assert isinstance(follows(error, ending, rest=(ALTERNATIVE, FALLBACK)), Next)


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (UpstreamUnavailable(), Ending.UNKNOWN),
        (UpstreamUnavailable(), Ending.COMPLETE),
        (UpstreamTimeout(), Ending.UNKNOWN),
        (UpstreamTimeout(), Ending.REFUSED),
        (ProviderCredentials(), Ending.REFUSED),
        (refused(404), Ending.REFUSED),
        (refused(408), Ending.UNKNOWN),
        (refused(403), Ending.REFUSED),
        (Untranslatable(), Ending.NOT_SENT),
        (UnpricedField(), Ending.NOT_SENT),
    ],
)
def test_the_rest_is_only_tried_elsewhere(error: SeawallError, ending: Ending) -> None:
    assert isinstance(follows(error, ending, rest=(FALLBACK,)), Next)
    assert isinstance(follows(error, ending), Stop)


@pytest.mark.parametrize(
    "error",
    [
        refused(400),
        refused(413),
        refused(422),
        BudgetBusy(),
        BudgetExhausted(),
        ModelNotAllowed(),
        Overloaded(),
        ClientGone(),
        SeawallError(),
    ],
)
def test_what_the_caller_or_the_operator_has_to_mend_is_tried_nowhere(error: SeawallError) -> None:
    assert isinstance(follows(error, rest=(ALTERNATIVE, FALLBACK)), Stop)


def test_a_spared_alternative_behind_the_fallbacks_does_not_count_as_the_next_one() -> None:
    assert isinstance(follows(UpstreamUnavailable(), rest=(FALLBACK, ALTERNATIVE)), Retry)


def test_retry_after_is_the_least_that_is_waited() -> None:
    assert follows(refused(429, 2.0)) == Retry(2.125, "the provider answered 429")


def test_a_long_retry_after_is_not_waited_for() -> None:
    assert follows(refused(429, 5.1)) == Stop("the provider answered 429, and nothing else is left to try")
    assert follows(refused(429, 5.1), rest=(FALLBACK,)) == Next("the provider answered 429")


def test_no_attempt_begins_after_the_time_of_the_call() -> None:
    assert isinstance(follows(UpstreamUnavailable(), left_s=0.1), Stop)
    assert isinstance(follows(UpstreamUnavailable(), left_s=0.1, rest=(FALLBACK,)), Next)
    assert isinstance(follows(UpstreamUnavailable(), left_s=0.0, rest=(FALLBACK,)), Stop)


def test_the_pause_doubles_up_to_its_top_and_is_drawn_from_the_whole_of_it() -> None:
    tops = [backoff_s(retried, RULES, lambda: 1.0) for retried in range(7)]
    assert tops == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert backoff_s(3, RULES, lambda: 0.0) == 0.0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome(Kind.ANSWERED)),
        (refused(400), Outcome(Kind.ANSWERED)),
        (refused(429, 7.0), Outcome(Kind.BUSY, 7.0)),
        (ProviderCredentials(), Outcome(Kind.CREDENTIALS)),
        (UpstreamTimeout(), Outcome(Kind.FAILED)),
        (UpstreamUnavailable(retry_after_s=9.0), Outcome(Kind.FAILED, 9.0)),
        (BudgetBusy(), Outcome(Kind.UNKNOWN)),
        (ClientGone(), Outcome(Kind.UNKNOWN)),
        (KeyboardInterrupt(), Outcome(Kind.UNKNOWN)),
    ],
)
def test_only_the_provider_is_blamed_for_what_the_provider_did(
    error: BaseException | None, outcome: Outcome
) -> None:
    assert outcome_of(error) == outcome


def test_the_client_is_told_the_last_error_of_a_provider() -> None:
    first, last, mute = UpstreamTimeout(), UpstreamUnavailable(retry_after_s=3.0), Untranslatable()
    assert error_to_tell([first, last]) is last
    assert error_to_tell([last, mute]) is last
    assert error_to_tell([mute, Untranslatable()]) is mute
