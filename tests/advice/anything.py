"""Any numbers that a ledger can come up with, likely or not: what every piece of advice has to bear."""

from hypothesis import strategies as st

from seawall.advice.numbers import JobNumbers, Machine, Numbers, Rates, Setup
from seawall.advice.replays import Replay, Replays
from seawall.advice.words import Replayed
from seawall.core.facts import Fact
from seawall.core.money import Money
from seawall.core.stages import Stage
from seawall.core.traffic import TOKENS, WAITS_MS, Hour, ModelSums, Tries, UserFigures, UserUse
from tests.advice.apps import DAY, UNTIL

COUNTS = st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 10**7))
MONEY = st.one_of(st.just(0), st.integers(0, 10**9), st.integers(0, 10**14))
WAITS = st.lists(COUNTS, min_size=len(WAITS_MS) + 1, max_size=len(WAITS_MS) + 1)
SIZES = st.lists(COUNTS, min_size=len(TOKENS) + 1, max_size=len(TOKENS) + 1)

MODELS = st.builds(
    ModelSums,
    **{
        name: MONEY if "cost" in name else COUNTS
        for name in ModelSums.__struct_fields__
        if name not in ("inputs", "outputs")
    },
    inputs=SIZES,
    outputs=SIZES,
)
HOURS = st.builds(
    Hour,
    hour=st.integers(UNTIL - 720, UNTIL - 1),
    **{
        name: MONEY if name in ("saved", "left_cost") else COUNTS
        for name in (
            "calls", "ok", "hits", "saved", "left", "left_cost", "lost", "fell_back", "flagged", "blocked",
            "background", "peak_minute",
        )
    },
    busy_ms=st.floats(0, 1e12),
    refused=st.dictionaries(st.sampled_from(["rate_limit_exceeded", "quota_exhausted"]), COUNTS),
    failed=st.dictionaries(st.sampled_from(["upstream_unavailable", "upstream_timeout"]), COUNTS),
    first=WAITS,
    took=WAITS,
    left_after=WAITS,
    models=st.dictionaries(st.sampled_from(["a", "b"]), MODELS),
    providers=st.dictionaries(st.sampled_from(["p", "q"]), st.builds(Tries, tries=COUNTS, failed=COUNTS)),
)  # fmt: skip
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "servers": st.integers(0, 1_000),
        "team": st.integers(1, 1_000),
        "page_s": st.floats(0, 1_000),
        "database_cpu_percent": st.floats(0, 100),
        "must_not_lose": st.sampled_from([(), ("payments",)]),
        "tried": st.sampled_from([(), ("optimised-queries", "caching")]),
        "deploys_a_week": st.floats(0, 100),
        "largest_machine": st.booleans(),
        "has_ci": st.booleans(),
        "queue": st.booleans(),
        "kubernetes": st.booleans(),
        "microservices": st.integers(0, 100),
        "database": st.sampled_from(["sqlite", "postgres"]),
        "load_balancer": st.booleans(),
        "read_replicas": st.integers(0, 10),
    },
).map(lambda facts: {name: Fact(value, DAY) for name, value in facts.items()})
SETUPS = st.builds(
    Setup,
    stage=st.sampled_from(Stage),
    has_cache=st.booleans(),
    guard_mode=st.sampled_from(["off", "flag", "block"]),
    user_limits=st.sampled_from([(), ("10/hour",)]),
    tiers=st.integers(0, 3),
    has_daily_budget=st.booleans(),
    has_monthly_budget=st.booleans(),
    has_user_budget=st.booleans(),
    providers=st.sampled_from([(), ("p",), ("p", "q")]),
    has_fallback=st.booleans(),
    workers=st.integers(1, 8),
    has_postgres=st.booleans(),
    has_valkey=st.booleans(),
    gateways=st.integers(1, 9),
    job_concurrency=st.integers(0, 64),
    tasks=st.integers(0, 9),
    undeclared_output_tokens=st.integers(1, 200_000),
)
USERS = st.builds(
    UserFigures,
    users=COUNTS,
    returning=COUNTS,
    by_day=st.just(()),
    dearest=st.lists(
        st.builds(UserUse, user=st.just("u"), calls=COUNTS, cost=MONEY.map(Money), days=COUNTS), max_size=10
    ).map(tuple),
    unnamed=COUNTS,
    keys=COUNTS,
    first_hour=st.just(None),
)
RATES = st.builds(
    Rates,
    input=st.integers(0, 10**11),
    output=st.integers(0, 10**11),
    cached_read=st.none() | st.integers(0, 10**11),
    cached_write=st.none(),
)
NUMBERS = st.builds(
    Numbers,
    days=st.integers(1, 90),
    days_seen=st.floats(0, 90),
    until_hour=st.just(UNTIL),
    hours=st.lists(HOURS, max_size=3),
    users=USERS,
    setup=SETUPS,
    facts=FACTS,
    machine=st.builds(
        Machine,
        cores=st.integers(1, 64),
        memory_mb=st.none() | st.integers(1, 10**6),
        free_mb=st.none() | st.integers(0, 10**6),
        load=st.none() | st.floats(0, 100),
        disk_free_mb=st.none() | st.integers(0, 10**6),
    ),
    jobs=st.builds(
        JobNumbers, completed=COUNTS, failed=COUNTS, waiting=COUNTS, mean_run_s=st.none() | st.floats(0, 1e6)
    ),
    rates=st.dictionaries(st.sampled_from(["a", "b", "c"]), RATES),
)
REPLAY = st.builds(
    Replay,
    told=st.builds(
        Replayed,
        title=st.just("replay"),
        calls=COUNTS,
        days=st.floats(0, 90),
        figures=st.just(()),
        assumptions=st.just(()),
        error=st.just("none"),
    ),
    touched=COUNTS,
    saved=st.integers(-(10**12), 10**14),
    users=COUNTS,
    model=st.sampled_from(["", "small"]),
    limit=st.sampled_from(["", "10/hour"]),
)
REPLAYS = st.builds(Replays, **{name: st.none() | REPLAY for name in Replays.__struct_fields__})
