"""What each made-up app is told: the table of verdicts, thing by thing."""

import pytest

from seawall.advice.things import THINGS
from seawall.advice.words import Verdict
from tests.advice.profiles import profiles

NOT_YET, NOW, SIMPLE, KEEP = Verdict.NOT_YET, Verdict.DO_NOW, Verdict.SIMPLE_FIRST, Verdict.KEEP
REMOVE, UNKNOWN = Verdict.REMOVE, Verdict.CANNOT_TELL

HELD = ("spending-limit", "rate-limits", "output-caps", "guard-blocking")
"""What every app has and keeps, where the table does not say otherwise."""

VERDICTS: dict[str, dict[Verdict, str]] = {
    "tiny hobby": {NOW: "output-caps"},
    "faq bot": {NOW: "caching"},
    "long conversations": {NOW: "prompt-caching shorter-context", KEEP: "streaming"},
    "viral spike": {KEEP: "streaming"},
    "stolen key": {NOW: "spending-limit"},
    "button masher": {NOW: "rate-limits", SIMPLE: "quotas"},
    "slow drain": {NOW: "quotas"},
    "slow provider": {NOW: "streaming", SIMPLE: "background-jobs"},
    "lost answers": {NOW: "background-jobs", SIMPLE: "queue", KEEP: "streaming"},
    "heavy tenant": {NOW: "quotas"},
    "steady thousands": {
        NOW: "ci-cd",
        KEEP: "streaming second-provider",
        UNKNOWN: "queue load-balancer",
    },
    "second machine": {
        NOW: "load-balancer",
        KEEP: "streaming second-provider workers bigger-server postgres valkey ci-cd",
        UNKNOWN: "queue",
    },
    "small classification": {NOW: "cheaper-model"},
    "kubernetes for 47": {NOW: "ci-cd", KEEP: "streaming", REMOVE: "microservices kubernetes"},
    "useless cache": {REMOVE: "caching"},
    "attacks": {NOW: "guard-blocking"},
    "outages": {NOW: "second-provider", KEEP: "streaming"},
    "overgrown": {
        NOW: "ci-cd",
        KEEP: "streaming postgres",
        REMOVE: "queue workers valkey read-replicas load-balancer",
    },
    "background": {KEEP: "streaming background-jobs"},
}
"""What each app is told; "not yet" of everything that is not named."""

INFRASTRUCTURE = (
    "queue", "workers", "bigger-server", "postgres", "valkey", "read-replicas", "load-balancer", "microservices",
    "kubernetes", "kafka",
)  # fmt: skip
"""Another machine, or another service to look after."""


@pytest.mark.parametrize("name", VERDICTS)
def test_an_app_is_told_what_the_table_says(name: str) -> None:
    profile = profiles()[name]
    told = {thing: give(profile.numbers, profile.replays).verdict for thing, give in THINGS.items()}
    wanted = {thing: verdict for verdict, things in VERDICTS[name].items() for thing in things.split()}
    assert told == dict.fromkeys(THINGS, NOT_YET) | dict.fromkeys(HELD, KEEP) | wanted


def test_every_app_is_in_the_table() -> None:
    assert list(profiles()) == list(VERDICTS)


def test_no_small_app_is_told_to_add_infrastructure() -> None:
    small = [profile for profile in profiles().values() if profile.is_small]
    assert len(small) >= 12
    assert [
        (profile.name, thing)
        for profile in small
        for thing in INFRASTRUCTURE
        if THINGS[thing](profile.numbers, profile.replays).verdict is NOW
    ] == []


def test_no_app_with_thin_traffic_is_asked_for_what_would_change_nothing() -> None:
    assert [
        (profile.name, thing)
        for profile in profiles().values()
        if profile.is_small
        for thing in INFRASTRUCTURE
        if THINGS[thing](profile.numbers, profile.replays).verdict is UNKNOWN
    ] == []
