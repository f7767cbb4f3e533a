"""Traffic profiles with known truth: apps that were made up, over thirty days, as advice would see them.

What each one needs, and what it does not, is in `test_verdicts.py`.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache

from msgspec import Struct, structs

from seawall.advice.numbers import JobNumbers, Machine, Numbers, Setup
from seawall.advice.replays import Replays
from seawall.advice.what_if import WhatIf, replay
from seawall.core.facts import Fact, FactValue
from seawall.core.ledger import CallRow
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, UserFigures
from tests.advice.diary import DAYS, FIRST_HOUR, RATES, Diary, Line, again_each_day, multiplied

SMALL_MACHINE = Machine(cores=2, memory_mb=4_096, free_mb=2_900, load=0.1, disk_free_mb=60_000)
MVP = Setup(
    stage=Stage.MVP,
    has_cache=False,
    guard_mode="block",
    user_limits=("5/10 seconds", "10/hour"),
    has_daily_budget=True,
    has_monthly_budget=True,
    providers=("openai",),
)


class Profile(Struct, frozen=True):
    """One made-up app: its calls, its numbers, and whether it is a small one.

    Rows of a sample stand for more calls than they are; the numbers count all of them.
    """

    name: str
    rows: list[CallRow]
    numbers: Numbers
    replays: Replays
    is_small: bool = True


def _profile(name: str, diary: Diary, setup: Setup = MVP, **facts: FactValue) -> Profile:
    numbers = _numbers(diary.hours(), diary.users(), setup, facts)
    replays = replay(diary.asked(), WhatIf.of(numbers, is_part=False))
    return Profile(name, diary.rows, numbers, replays)


def _numbers(hours: Sequence[Hour], users: UserFigures, setup: Setup, facts: dict[str, FactValue]) -> Numbers:
    return Numbers(
        days=DAYS,
        days_seen=float(DAYS),
        until_hour=FIRST_HOUR + DAYS * 24,
        hours=hours,
        users=users,
        setup=setup,
        facts={name: Fact(value, date(2026, 1, 20)) for name, value in facts.items()},
        machine=SMALL_MACHINE,
        rates=RATES,
    )


def _sampled(name: str, diary: Diary, numbers: Numbers) -> Profile:
    """Return a large app; what is replayed are the newest calls of the day that its sample has."""
    replays = replay(diary.asked(), WhatIf.of(numbers, is_part=True))
    return Profile(name, diary.rows, numbers, replays, is_small=False)


def tiny_hobby() -> Profile:
    """38 calls a day of three people, two in a hundred are repeats; no call says how much it wants."""
    diary = Diary(1)
    for day in range(DAYS):
        for number in range(38):
            asked = "what can this do" if diary.random.random() < 0.02 else f"question {day} {number}"
            diary.add(diary.moment(day), Line(user=f"u{diary.random.randrange(3)}", text=asked, wanted=0))
    return _profile("tiny hobby", diary, structs.replace(MVP, stage=Stage.POC))


def faq_bot() -> Profile:
    """600 calls a day of 150 people, 40 in a hundred ask what was asked before."""
    diary = Diary(2)
    for day in range(DAYS):
        for number in range(600):
            is_repeat = diary.random.random() < 0.4
            asked = f"Frequent {diary.random.randrange(40)}?" if is_repeat else f"new {day} {number}"
            user = f"u{diary.random.randrange(150)}"
            diary.add(diary.moment(day), Line(user=user, text=asked, input=900, output=300))
    return _profile("faq bot", diary)


def long_conversations() -> Profile:
    """25 conversations a day of sixteen turns each, the history sent again with every one."""
    diary = Diary(3)
    for day in range(DAYS):
        for talk in range(25):
            at_ms, user = diary.moment(day, (8, 21)), f"u{diary.random.randrange(60)}"
            for turn in range(1, 17):
                said = Line(
                    user=user,
                    text=f"turn {day} {talk} {turn} " + "and so on " * 20,
                    talk=f"{day}.{talk}",
                    turn=turn,
                    model="gpt-4o",
                    input=120 + 350 * (turn - 1),
                    output=300,
                    first_ms=700.0,
                )
                diary.add(at_ms + turn * 90_000, said)
    return _profile("long conversations", diary)


def viral_spike() -> Profile:
    """150 calls a day, on one day ten times as many, of people who mostly do not come back."""
    diary = Diary(4)
    for day in range(DAYS):
        for number in range(1_500 if day == 20 else 150):
            crowd = 700 if day == 20 else 30
            user = f"{'new' if day == 20 else 'u'}{diary.random.randrange(crowd)}"
            diary.add(diary.moment(day), Line(user=user, text=f"{day} {number}", first_ms=600.0))
    return _profile("viral spike", diary)


def stolen_key() -> Profile:
    """200 calls a day without a budget, and one key's calls from nobody in particular, all of one night."""
    diary = Diary(5)
    _everyday(diary, calls=200, users=40)
    for number in range(4_000):
        line = Line(key="key_old", text=f"stolen {number}", model="gpt-4o", input=2_000, output=1_500)
        diary.add(diary.moment(18, (1, 6)), line)
    return _profile(
        "stolen key", diary, structs.replace(MVP, has_daily_budget=False, has_monthly_budget=False)
    )


def button_masher() -> Profile:
    """120 calls a day of forty people, and one who presses 30 times a minute."""
    diary = Diary(6)
    _everyday(diary, calls=120, users=40)
    for day in range(0, DAYS, 5):
        began = diary.moment(day)
        for number in range(300):
            diary.add(began + number * 2_000, Line(user="masher", text=f"again {day} {number}"))
    return _profile("button masher", diary, structs.replace(MVP, user_limits=()))


def slow_drain() -> Profile:
    """100 calls a day of forty people, and one who is just under the limit of the hour, day and night."""
    diary = Diary(7)
    _everyday(diary, calls=100, users=40)
    for hour in range(DAYS * 24):
        for number in range(9):
            at_ms = (FIRST_HOUR + hour) * 3_600_000 + number * 390_000
            diary.add(at_ms, Line(user="drain", text=f"more {hour} {number}", input=1_500, output=1_200))
    return _profile("slow drain", diary)


def slow_provider() -> Profile:
    """300 calls a day; whole answers after twelve seconds, and a fifth of the people have left by then."""
    diary = Diary(8)
    for day in range(DAYS):
        for number in range(300):
            user, took = f"u{diary.random.randrange(80)}", diary.random.gauss(12_000, 1_500)
            line = Line(user=user, text=f"slow {day} {number}", output=900, took_ms=took)
            if diary.random.random() < 0.2:
                line = structs.replace(line, outcome="left", code="client_gone", took_ms=took * 0.7)
            diary.add(diary.moment(day), line)
    return _profile("slow provider", diary)


def lost_answers() -> Profile:
    """120 reports a day of 25 seconds each, streamed to no use; a stop of the gateway loses two a day."""
    diary = Diary(9)
    for day in range(DAYS):
        for number in range(120):
            line = Line(user=f"u{diary.random.randrange(50)}", text=f"report {day} {number}", output=1_500)
            line = structs.replace(line, took_ms=25_000.0, first_ms=14_000.0)
            if number < 2:
                line = structs.replace(line, outcome="crashed", code="gateway_stopped")
            diary.add(diary.moment(day), line)
    return _profile("lost answers", diary, must_not_lose=("monthly-report",), tried=("streaming",))


def heavy_tenant() -> Profile:
    """250 calls a day of forty people, one of whom makes seventy in a hundred of the cost."""
    diary = Diary(10)
    _everyday(diary, calls=200, users=39, model="gpt-4o")
    for day in range(DAYS):
        for number in range(50):
            line = Line(user="heavy", text=f"heavy {day} {number}", input=12_000, output=700, model="gpt-4o")
            diary.add(diary.moment(day), line)
    return _profile("heavy tenant", diary)


PER_MINUTE = (1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 8, 6, 5, 4, 3, 2, 1, 1)
"""Calls in each minute of each hour of the sample of a busy day; ten in the fullest."""


def _busy_day(diary: Diary, users: int) -> None:
    """Write a day of a busy app down, in a sample that names every user."""
    number = 0
    for hour, calls in enumerate(PER_MINUTE):
        for minute in range(60):
            for call in range(calls):
                at_ms = (FIRST_HOUR * 60 + hour * 60 + minute) * 60_000 + call * 5_000
                diary.add(at_ms, Line(user=f"u{number % users}", text=f"busy {number}", first_ms=500.0))
                number += 1


def steady_thousands() -> Profile:
    """5,000 people, 40 calls a second in the fullest minute; each row of the sample stands for 240."""
    diary = Diary(11)
    _busy_day(diary, users=5_000)
    hours = again_each_day(multiplied(diary.hours(), 240), DAYS)
    users = structs.replace(diary.users(), returning=4_400)
    setup = structs.replace(MVP, stage=Stage.BETA, has_monthly_budget=False, has_fallback=True)
    facts: dict[str, FactValue] = {"servers": 2, "team": 4, "database_cpu_percent": 30}
    return _sampled("steady thousands", diary, _numbers(hours, users, setup, facts))


def second_machine() -> Profile:
    """5,000 calls a second in the fullest minute, on the largest machine to be had, all of its cores busy."""
    diary = Diary(12)
    _busy_day(diary, users=6_000)
    hours = again_each_day(multiplied(diary.hours(), 30_000), DAYS)
    users = structs.replace(diary.users(), users=400_000, returning=300_000)
    setup = structs.replace(
        MVP, stage=Stage.PRODUCTION, has_fallback=True, workers=4, has_postgres=True, has_valkey=True
    )
    facts: dict[str, FactValue] = {
        "servers": 1,
        "team": 12,
        "database_cpu_percent": 45,
        "largest_machine": True,
        "has_ci": True,
    }
    numbers = _numbers(hours, users, setup, facts)
    machine = Machine(cores=4, memory_mb=16_384, free_mb=9_000, load=3.8, disk_free_mb=200_000)
    return _sampled("second machine", diary, structs.replace(numbers, machine=machine))


def small_classification() -> Profile:
    """800 calls a day to a dear model that answers them in one word."""
    diary = Diary(13)
    for day in range(DAYS):
        for number in range(800):
            line = Line(user=None, text=f"mail {day} {number}", model="gpt-4o", input=150, output=4)
            diary.add(diary.moment(day), structs.replace(line, wanted=10, took_ms=600.0))
    return _profile("small classification", diary)


def kubernetes_for_47() -> Profile:
    """47 people, 180 calls a day, and a cluster around them."""
    diary = Diary(14)
    _everyday(diary, calls=180, users=47)
    return _profile("kubernetes for 47", diary, kubernetes=True, microservices=6, team=2)


def useless_cache() -> Profile:
    """400 calls a day, the cache is on, and three in a thousand are answered from it."""
    diary = Diary(15)
    for day in range(DAYS):
        for number in range(400):
            is_hit = diary.random.random() < 0.003
            line = Line(user=f"u{diary.random.randrange(60)}", text="hello" if is_hit else f"{day} {number}")
            diary.add(diary.moment(day), structs.replace(line, is_hit=is_hit))
    return _profile("useless cache", diary, structs.replace(MVP, has_cache=True, cache_keep_days=7.0))


def attacks() -> Profile:
    """300 calls a day, and four in a hundred read like an attack that is only flagged."""
    diary = Diary(16)
    for day in range(DAYS):
        for number in range(300):
            is_flagged = diary.random.random() < 0.04
            line = Line(user=f"u{diary.random.randrange(70)}", text=f"{day} {number}")
            diary.add(diary.moment(day), structs.replace(line, is_flagged=is_flagged))
    return _profile("attacks", diary, structs.replace(MVP, guard_mode="flag"))


def outages() -> Profile:
    """200 calls a day, and a provider that answered nobody for five hours on each of two days."""
    diary = Diary(17)
    _everyday(diary, calls=200, users=45)
    for day in (9, 23):
        for number in range(90):
            line = Line(user=f"u{number % 45}", text=f"down {day} {number}", outcome="failed")
            line = structs.replace(line, code="upstream_unavailable", took_ms=900.0)
            diary.add(diary.moment(day, (2, 7)), line)
    return _profile("outages", diary)


def overgrown() -> Profile:
    """0.1 calls a second, and everything around them that there is to be had."""
    diary = Diary(18)
    _everyday(diary, calls=200, users=30)
    setup = structs.replace(MVP, workers=8, has_postgres=True, has_valkey=True)
    facts: dict[str, FactValue] = {
        "servers": 1,
        "team": 2,
        "database_cpu_percent": 3,
        "read_replicas": 2,
        "load_balancer": True,
        "queue": True,
        "must_not_lose": (),
    }
    return _profile("overgrown", diary, setup, **facts)


def background_worker() -> Profile:
    """Everyday calls, and reports that are made in the background by the jobs that are there."""
    diary = Diary(19)
    _everyday(diary, calls=100, users=30)
    profile = _profile("background", diary, structs.replace(MVP, tasks=1), must_not_lose=("report",))
    hours = [structs.replace(hour, background=1) for hour in profile.numbers.hours]
    jobs = JobNumbers(completed=len(hours), mean_run_s=20.0)
    return structs.replace(profile, numbers=structs.replace(profile.numbers, hours=hours, jobs=jobs))


def _everyday(diary: Diary, *, calls: int, users: int, model: str = "gpt-4o-mini") -> None:
    """Write thirty days of ordinary calls down; every one is another question."""
    for day in range(DAYS):
        for number in range(calls):
            user = f"u{diary.random.randrange(users)}"
            line = Line(user=user, text=f"everyday {day} {number}", model=model, first_ms=700.0)
            diary.add(diary.moment(day), line)


MAKERS: tuple[Callable[[], Profile], ...] = (
    tiny_hobby,
    faq_bot,
    long_conversations,
    viral_spike,
    stolen_key,
    button_masher,
    slow_drain,
    slow_provider,
    lost_answers,
    heavy_tenant,
    steady_thousands,
    second_machine,
    small_classification,
    kubernetes_for_47,
    useless_cache,
    attacks,
    outages,
    overgrown,
    background_worker,
)


@cache
def profiles() -> dict[str, Profile]:
    """Return every profile by its name; made once."""
    return {profile.name: profile for profile in (make() for make in MAKERS)}
