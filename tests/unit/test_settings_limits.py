"""Rates, tiers and the time zone as the file states them, and as policies get them."""

from zoneinfo import ZoneInfo

import pytest
from tests.fixtures.settings import Place

from seawall.core.money import Money
from seawall.core.policy import Budget, Policy, Principal, Quota, StatedLimit
from seawall.core.stages import Stage
from seawall.core.terms import HouseTerms, Terms, TierTerms
from seawall.identity.policies import Policies

DOLLAR = 10**9


def calls(count: int, period_s: int, burst: int | None = None) -> StatedLimit:
    return StatedLimit("requests", count, period_s, burst)


BURST = calls(5, 10)
EVERYWHERE = (
    Terms("limits.global", "global", (calls(10_000, 1),)),
    Terms("limits.per_ip", "ip", (calls(10, 1),)),
)


def terms_of(place: Place, toml: str) -> HouseTerms:
    return place.load(toml).house_terms()


def by_name(terms: HouseTerms) -> dict[str, tuple[StatedLimit, ...]]:
    return {each.name: each.limits for each in terms.limits}


@pytest.mark.parametrize(
    ("stage", "usual"),
    [
        (Stage.POC, calls(100, 60)),
        (Stage.MVP, calls(10, 3600)),
        (Stage.ALPHA, calls(30, 3600)),
        (Stage.BETA, calls(100, 3600)),
    ],
)
def test_each_stage_has_its_rate_of_a_user_and_always_five_in_ten_seconds(
    place: Place, stage: Stage, usual: StatedLimit
) -> None:
    assert by_name(terms_of(place, f'stage = "{stage}"')) == {
        "limits.global": (calls(10_000, 1),),
        "limits.per_user": (BURST, usual),
        "limits.per_ip": (calls(10, 1),),
    }


def test_every_default_limit_can_be_switched_off_by_its_name(place: Place) -> None:
    toml = '[limits]\nper_user = "off"\nper_ip = "off"\nglobal = "off"\n'
    assert terms_of(place, toml).limits == ()


def test_a_stated_rate_replaces_the_default_and_the_others_stay(place: Place) -> None:
    found = by_name(terms_of(place, '[limits]\nper_user = ["20/10 seconds", "10/second burst 20"]\n'))
    assert found["limits.per_user"] == (calls(20, 10), calls(10, 1, 20))
    assert found["limits.per_ip"] == (calls(10, 1),)


def test_tokens_calls_at_once_and_single_models_have_limits_of_their_own(place: Place) -> None:
    toml = """
    [limits]
    per_user = "off"
    per_ip = "off"
    global = "off"
    per_user_tokens = "20000/minute"
    per_key_at_once = 4
    [model_limits."gpt-5"]
    per_key = "10/minute"
    global_at_once = 2
    """
    assert terms_of(place, toml).limits == (
        Terms("limits.per_key_at_once", "key", (StatedLimit("at_once", 4, 0),)),
        Terms("limits.per_user_tokens", "user", (StatedLimit("tokens", 20_000, 60),)),
        Terms("model_limits.gpt-5.global_at_once", "global", (StatedLimit("at_once", 2, 0),), "gpt-5"),
        Terms("model_limits.gpt-5.per_key", "key", (calls(10, 60),), "gpt-5"),
    )


def test_a_tier_says_what_its_users_may_do(place: Place) -> None:
    toml = """
    time_zone = "Europe/Berlin"
    default_tier = "free"
    [tiers.free]
    tokens_per_day = 10000
    requests_per_month = 300
    models = ["demo"]
    [tiers.premium]
    limits = "off"
    at_once = 8
    daily_usd = "2.00"
    """
    found = terms_of(place, toml)
    assert (found.default_tier, found.zone) == ("free", ZoneInfo("Europe/Berlin"))
    assert found.tiers == {
        "free": TierTerms(
            "free", quota=Quota(tokens_daily=10_000, requests_monthly=300), models=frozenset({"demo"})
        ),
        "premium": TierTerms(
            "premium",
            requests=(),
            at_once=(StatedLimit("at_once", 8, 0),),
            budget=Budget(daily=Money(2 * DOLLAR)),
        ),
    }


def test_variables_state_rates_too(place: Place) -> None:
    environ = {"SEAWALL_LIMITS_PER_USER": '["1/second", "2/minute"]', "SEAWALL_TIERS__FREE__LIMITS": "3/hour"}
    found = place.load("", environ).house_terms()
    assert by_name(found)["limits.per_user"] == (calls(1, 1), calls(2, 60))
    assert found.tiers["free"].requests == (calls(3, 3600),)


RATES = 'must be a rate such as "100/minute" or "10/second burst 20", a list of them, or "off".'


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ('[limits]\nper_user = "0/minute"', f"seawall.toml line 2: limits.per_user {RATES}"),
        ("[limits]\nper_user = []", f"seawall.toml line 2: limits.per_user {RATES}"),
        ('[limits]\nper_user = ["5/second", 7]', f"seawall.toml line 2: limits.per_user {RATES}"),
        ('[limits]\nper_user = "\uff15/second"', f"seawall.toml line 2: limits.per_user {RATES}"),
        ('[tiers.free]\nlimits = "fast"', f"seawall.toml line 2: tiers.free.limits {RATES}"),
        (
            "[tiers.free]\ntokens_per_day = 0",
            "seawall.toml line 2: tiers.free.tokens_per_day must be at least 1.",
        ),
        (
            '[tiers."a b"]\nlimits = "1/second"',
            'seawall.toml line 1: tiers."a b" must be a short name of letters, digits, - and _.',
        ),
        (
            'time_zone = "Berlin"',
            'seawall.toml line 1: time_zone must be the name of a time zone such as "Europe/Berlin".',
        ),
        (
            'time_zone = "../secret"',
            'seawall.toml line 1: time_zone must be the name of a time zone such as "Europe/Berlin".',
        ),
        (
            'default_tier = "fre"\n[tiers.free]\nlimits = "1/second"',
            "seawall.toml line 1: default_tier names no tier that there is; did you mean free? Tiers stand in"
            " sections such as [tiers.free].",
        ),
        (
            '[tiers.free]\nguard = "kid"\n[guards.kids]\nmode = "block"',
            "seawall.toml line 2: tiers.free.guard names no guard that there is; did you mean kids? There are off,"
            " flag, block, and sections such as [guards.kids].",
        ),
        (
            '[guards.off]\nmode = "block"',
            "seawall.toml line 1: guards.off is there already: the guard in the mode off; give yours another name.",
        ),
        (
            '[guards.kids]\ntopics_profile = "t.json"',
            "seawall.toml line 2: guards.kids.topics_profile has no effect; every guard uses the file that"
            " guard.topics_profile names.",
        ),
        (
            'stage = "production"\n[budget]\ndaily_usd = "1"',
            "seawall.toml line 1: the stage production has no default for the calls of a user; state"
            ' limits.per_user, for example ["5/10 seconds", "100/hour"], or "off".',
        ),
        *(
            (
                f'[{section}]\n{name} = "9/minute burst 20"',
                f"seawall.toml line 2: {section}.{name} must be a rate without a burst, such as "
                '"40000/minute": tokens have none.',
            )
            for section, name in (("limits", "per_key_tokens"), ("tiers.free", "token_limits"))
        ),
        (
            "[limits]\nper_key_at_once = true",
            "seawall.toml line 2: limits.per_key_at_once must be a number.",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(place: Place, toml: str, expected: str) -> None:
    assert place.refuses(toml) == expected


def test_of_two_rates_that_differ_in_their_count_alone_the_lower_one_holds() -> None:
    terms = HouseTerms(
        Budget(), limits=(Terms("limits.per_user", "user", (calls(8, 10), calls(5, 10), calls(9, 60))),)
    )
    principal = Principal("k", "key", end_user="ada")
    policy = Policies(terms).for_user(principal, Policy(budgets=()), None)
    assert [(each.count, each.period_s) for each in policy.limits] == [(5, 10), (9, 60)]
