"""At which number another machine, process or service becomes due, and what comes before it."""

import msgspec
import pytest

from seawall.advice.numbers import Machine, Setup
from seawall.advice.things import THINGS, advise
from seawall.advice.words import Advice, Verdict
from seawall.core.facts import FactValue
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, Tries
from tests.advice.apps import NOTHING, UNTIL, app, people, spread

NOT_YET, NOW, SIMPLE, KEEP = Verdict.NOT_YET, Verdict.DO_NOW, Verdict.SIMPLE_FIRST, Verdict.KEEP
REMOVE, UNKNOWN = Verdict.REMOVE, Verdict.CANNOT_TELL
ALONE = Setup(Stage.BETA)
GROWN = Setup(Stage.PRODUCTION, workers=4, has_postgres=True, has_valkey=True)
"""Four processes on one machine, with what they share."""


def told(
    thing: str, second: float = 40, *, setup: Setup = ALONE, cores: int = 4, **facts: FactValue
) -> Advice:
    """Return the advice to an app of 20,000 users with so many calls a second in its fullest minute."""
    minute = round(second * 60)
    hours = spread(Hour(hour=0, calls=minute * 30, ok=minute * 30, peak_minute=minute))
    numbers = app(hours, setup=setup, users=people(20_000), facts=facts)
    return advise(thing, msgspec.structs.replace(numbers, machine=Machine(cores)), NOTHING)


@pytest.mark.parametrize(
    ("second", "cores", "verdict"), [(979, 4, NOT_YET), (980, 4, NOW), (980, 1, SIMPLE), (3_900, 4, NOW)]
)
def test_a_second_process_is_due_when_one_core_is_full(second: int, cores: int, verdict: Verdict) -> None:
    assert told("workers", second, cores=cores).verdict is verdict


def test_processes_that_are_not_needed_go_and_those_that_are_stay() -> None:
    assert [told("workers", second, setup=GROWN).verdict for second in (0.1, 600, 3_000)] == [
        REMOVE,
        KEEP,
        KEEP,
    ]


@pytest.mark.parametrize(
    ("second", "setup", "verdict"),
    [(3_900, GROWN, NOT_YET), (4_000, GROWN, NOW), (4_000, Setup(Stage.PRODUCTION), SIMPLE)],
)
def test_a_bigger_server_is_due_when_all_cores_are_full(second: int, setup: Setup, verdict: Verdict) -> None:
    assert told("bigger-server", second, setup=setup).verdict is verdict


@pytest.mark.parametrize(
    ("machine", "verdict"),
    [
        (Machine(2, memory_mb=1_000, free_mb=60, load=0.1), NOW),
        (Machine(2, memory_mb=1_000, free_mb=600, load=1.7), SIMPLE),
        (Machine(2, memory_mb=1_000, free_mb=600, load=0.7), NOT_YET),
        (Machine(2), NOT_YET),
    ],
    ids=["no memory", "busy with others", "has room", "unseen"],
)
def test_a_server_without_memory_or_time_is_too_small(machine: Machine, verdict: Verdict) -> None:
    numbers = app(spread(Hour(hour=0, calls=9_000)), users=people(20_000))
    seen = msgspec.structs.replace(numbers, machine=machine)
    assert advise("bigger-server", seen, NOTHING).verdict is verdict


def test_postgres_and_valkey_are_due_with_the_second_process() -> None:
    assert [told(thing, 900).verdict for thing in ("postgres", "valkey")] == [NOT_YET, NOT_YET]
    assert [told(thing, 1_000).verdict for thing in ("postgres", "valkey")] == [NOW, NOW]


def test_valkey_goes_where_one_gateway_has_it_for_itself_alone() -> None:
    alone = Setup(Stage.BETA, has_valkey=True)
    assert told("valkey", setup=alone).verdict is REMOVE


def test_valkey_on_postgres_may_serve_several_machines_and_that_is_asked() -> None:
    setup = Setup(Stage.BETA, has_postgres=True, has_valkey=True)
    asked = told("valkey", setup=setup)
    assert (asked.verdict, asked.do) == (
        UNKNOWN,
        ("Say on how many servers it runs: `seawall facts set servers 1`.",),
    )
    assert [told("valkey", setup=setup, servers=count).verdict for count in (1, 2)] == [REMOVE, KEEP]


def test_a_bigger_server_comes_before_a_second_one() -> None:
    assert told("load-balancer", 4_000, setup=GROWN, servers=1).verdict is SIMPLE
    assert told("load-balancer", 4_000, setup=GROWN, servers=1, largest_machine=True).verdict is NOW


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, UNKNOWN),
        ({"servers": 1}, NOT_YET),
        ({"servers": 1, "load_balancer": True}, REMOVE),
        ({"servers": 2}, UNKNOWN),
        ({"servers": 2, "load_balancer": False}, NOW),
        ({"servers": 2, "load_balancer": True}, KEEP),
    ],
)
def test_a_load_balancer_is_due_from_the_second_machine_on(
    facts: dict[str, FactValue], verdict: Verdict
) -> None:
    assert told("load-balancer", **facts).verdict is verdict


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, UNKNOWN),
        ({"kubernetes": True}, UNKNOWN),
        ({"servers": 9}, NOT_YET),
        ({"servers": 9, "kubernetes": True}, REMOVE),
        ({"servers": 10}, SIMPLE),
        ({"servers": 10, "load_balancer": True}, NOW),
        ({"servers": 10, "kubernetes": True}, KEEP),
    ],
)
def test_kubernetes_is_due_from_ten_servers_on(facts: dict[str, FactValue], verdict: Verdict) -> None:
    assert told("kubernetes", **facts).verdict is verdict


@pytest.mark.parametrize(
    ("facts", "verdict", "simple"),
    [
        ({}, UNKNOWN, None),
        ({"database_cpu_percent": 79}, NOT_YET, None),
        ({"database_cpu_percent": 3, "read_replicas": 1}, REMOVE, None),
        ({"database_cpu_percent": 60, "read_replicas": 1}, KEEP, None),
        ({"database_cpu_percent": 80}, SIMPLE, "find the slow queries and add the indexes that they lack."),
        (
            {"database_cpu_percent": 80, "tried": ("optimised-queries",)},
            SIMPLE,
            "keep what is read again and again for a minute.",
        ),
        (
            {"database_cpu_percent": 80, "tried": ("optimised-queries", "caching"), "largest_machine": True},
            NOW,
            None,
        ),
    ],
)
def test_read_replicas_are_due_when_the_database_is_full_and_all_else_was_tried(
    facts: dict[str, FactValue], verdict: Verdict, simple: str | None
) -> None:
    advice = told("read-replicas", **facts)
    assert (advice.verdict, advice.simple) == (verdict, simple)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, UNKNOWN),
        ({"team": 19}, NOT_YET),
        ({"team": 4, "microservices": 6}, REMOVE),
        ({"team": 20}, SIMPLE),
        ({"team": 20, "tried": ("modules",)}, NOW),
        ({"team": 20, "microservices": 6}, KEEP),
    ],
)
def test_microservices_are_for_teams_that_are_too_big(facts: dict[str, FactValue], verdict: Verdict) -> None:
    assert told("microservices", **facts).verdict is verdict


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({}, UNKNOWN),
        ({"team": 1}, UNKNOWN),
        ({"team": 1, "deploys_a_week": 0.5}, NOT_YET),
        ({"team": 1, "deploys_a_week": 1}, NOW),
        ({"team": 2}, NOW),
        ({"team": 2, "has_ci": True}, KEEP),
    ],
)
def test_ci_is_due_with_the_second_person_or_weekly_versions(
    facts: dict[str, FactValue], verdict: Verdict
) -> None:
    assert told("ci-cd", **facts).verdict is verdict


@pytest.mark.parametrize(
    ("tasks", "facts", "verdict"),
    [
        (0, {}, UNKNOWN),
        (0, {"must_not_lose": ()}, NOT_YET),
        (0, {"must_not_lose": (), "queue": True}, REMOVE),
        (0, {"must_not_lose": ("payments",)}, SIMPLE),
        (1, {"must_not_lose": ("payments",)}, NOT_YET),
        (0, {"must_not_lose": ("payments",), "queue": True}, KEEP),
    ],
)
def test_the_jobs_inside_come_before_a_queue_of_ones_own(
    tasks: int, facts: dict[str, FactValue], verdict: Verdict
) -> None:
    assert told("queue", setup=Setup(Stage.BETA, tasks=tasks), **facts).verdict is verdict


def test_a_queue_of_ones_own_is_due_when_the_jobs_inside_are_full() -> None:
    hour = Hour(hour=0, calls=3_600 * 300, background=3_600 * 300)
    numbers = app(spread(hour), users=people(20_000), facts={"must_not_lose": ()})
    assert advise("queue", numbers, NOTHING).verdict is NOW


def test_kafka_is_not_due_at_a_million_jobs_an_hour() -> None:
    hours = spread(Hour(hour=0, calls=1_000_000, background=1_000_000))
    assert advise("kafka", app(hours, users=people(20_000)), NOTHING).verdict is NOT_YET


@pytest.mark.parametrize(
    ("failed", "verdict"), [(0, NOT_YET), (3, NOT_YET), (300, NOW)], ids=["never", "now and then", "often"]
)
def test_a_second_provider_is_due_when_calls_stay_without_an_answer(failed: int, verdict: Verdict) -> None:
    hour = Hour(hour=0, calls=1_000, ok=1_000 - failed, failed={"upstream_timeout": failed})
    assert advise("second-provider", app(spread(hour)), NOTHING).verdict is verdict


def test_a_provider_that_failed_for_an_hour_was_down() -> None:
    down = Hour(hour=0, calls=5, failed={"upstream_timeout": 5}, providers={"openai": Tries(5, 5)})
    few = msgspec.structs.replace(down, providers={"openai": Tries(4, 4)})
    assert [advise("second-provider", app([hour]), NOTHING).verdict for hour in (down, few)] == [NOW, NOT_YET]


@pytest.mark.parametrize(
    ("name", "thing"),
    [("k8s", "kubernetes"), ("Redis", "valkey"), ("CI/CD", "ci-cd"), ("message queue", "queue")],
)
def test_a_thing_is_known_by_its_other_names(name: str, thing: str) -> None:
    assert told(name).thing == thing


def test_a_number_that_was_stated_long_ago_is_shown_as_old() -> None:
    later = msgspec.structs.replace(app(facts={"team": 3}), until_hour=UNTIL + 24 * 365)
    shown = [
        advise("microservices", numbers, NOTHING).steps[0].figures[0]
        for numbers in (app(facts={"team": 3}), later)
    ]
    assert [(figure.text, figure.query) for figure in shown] == [
        ("people who work on it: 3", "seawall facts list"),
        ("people who work on it: 3, as of 2026-11-01; state it again", "seawall facts set team 2"),
    ]


@pytest.mark.parametrize(("calls", "verdict"), [(9_000, NOT_YET), (11_000, UNKNOWN)])
def test_many_calls_of_nobody_by_name_are_not_a_small_app(calls: int, verdict: Verdict) -> None:
    assert advise("kubernetes", app(spread(Hour(hour=0, calls=calls))), NOTHING).verdict is verdict


def test_nobody_is_asked_for_what_an_empty_ledger_does_not_need() -> None:
    numbers = app()
    assert [thing for thing in THINGS if advise(thing, numbers, NOTHING).verdict is UNKNOWN] == []
