"""What keeps one user from taking all: limits at once, quotas where one takes much, and an end of the bill."""

import msgspec
import pytest

from seawall.advice.replays import Replays
from seawall.advice.things import advise
from seawall.advice.words import Verdict
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, ModelSums
from tests.advice.apps import BARE, NOTHING, app, calls, people, replay, spread

LIMITED = msgspec.structs.replace(BARE, user_limits=("5/10 seconds", "10/hour"))
TENANTS = spread(calls(100, cost=1))


def test_limits_are_due_before_the_first_call() -> None:
    advice = advise("rate-limits", app(), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert advice.do == ("[limits]", 'per_user = ["5/10 seconds", "10/hour"]')


def test_limits_in_production_are_those_for_users_who_pay_nothing() -> None:
    setup = msgspec.structs.replace(BARE, stage=Stage.PRODUCTION)
    assert advise("rate-limits", app(setup=setup), NOTHING).do[1] == 'per_user = ["5/10 seconds", "10/hour"]'


def test_a_replay_says_whom_a_limit_would_have_refused() -> None:
    limits = msgspec.structs.replace(replay(100, 17), limit="10/hour")
    advice = advise("rate-limits", app(TENANTS), Replays(limits=limits))
    assert "A limit of 10/hour would have refused 17 calls of 3 users." in advice.summary


def test_limits_that_reach_nobody_say_how_users_are_named() -> None:
    advice = advise("rate-limits", app(TENANTS, setup=LIMITED, users=people(0, unnamed=3_000)), NOTHING)
    assert advice.verdict is Verdict.KEEP
    assert "3,000 calls name no user" in advice.do[0]


def test_one_heavy_tenant_gets_a_quota() -> None:
    numbers = app(TENANTS, setup=LIMITED, users=people(40, costs=[21, 1]))
    advice = advise("tiers", numbers, NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert advice.summary == "40 named users, and the dearest makes 70 % of $30.00 a month. Do it now."
    assert 'daily_usd = "0.08"' in advice.do


@pytest.mark.parametrize(
    ("users", "costs", "day"),
    [(0, [], 1.0), (1, [30], 1.0), (9, [30], 1.0), (40, [5], 1.0), (40, [0.9], 0.03), (40, [0], 0.0)],
)
def test_quotas_wait_for_many_users_much_money_and_one_who_takes_it(
    users: int, costs: list[float], day: float
) -> None:
    numbers = app(spread(calls(100, cost=day)), setup=LIMITED, users=people(users, costs=costs))
    assert advise("quotas", numbers, NOTHING).verdict is Verdict.NOT_YET


def test_rates_come_before_quotas() -> None:
    assert (
        advise("quotas", app(TENANTS, users=people(40, costs=[21])), NOTHING).verdict is Verdict.SIMPLE_FIRST
    )


def test_the_dearest_hundredth_is_counted() -> None:
    numbers = app(TENANTS, setup=LIMITED, users=people(300, costs=[3, 3, 3, 3]))
    assert (
        advise("quotas", numbers, NOTHING).steps[0].figures[3].text
        == "30 % of the cost is that of the dearest 3 of 300"
    )


def test_tiers_that_are_there_are_kept() -> None:
    setup = msgspec.structs.replace(LIMITED, tiers=2)
    assert advise("quotas", app(setup=setup), NOTHING).verdict is Verdict.KEEP


def test_the_bill_has_an_end_before_the_first_call() -> None:
    advice = advise("spending-limit", app(), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert advice.do == ("[budget]", 'daily_usd = "5.00"')


def test_a_night_that_cost_too_much_asks_for_a_lower_limit() -> None:
    hours = spread(calls(100, cost=0.1))
    night = msgspec.structs.replace(calls(4_000, cost=80), hour=hours[17].hour + 1)
    setup = msgspec.structs.replace(BARE, has_daily_budget=True)
    advice = advise("budget", app([*hours[:18], night, *hours[18:]], setup=setup), NOTHING)
    assert advice.verdict is Verdict.KEEP
    assert advice.summary == (
        "An ordinary day costs $0.10, the dearest $80.10; a limit holds. "
        "One of $1.00 a day would have ended that day early. Keep it."
    )
    assert advice.do == ("[budget]", 'daily_usd = "1.00"')


def test_calls_that_met_the_budget_or_the_loop_breaker_are_told() -> None:
    [hour, *rest] = spread(calls(100, cost=0.1))
    stopped = msgspec.structs.replace(hour, refused={"budget_exhausted": 1_200, "loop_detected": 34})
    setup = msgspec.structs.replace(BARE, has_daily_budget=True)
    advice = advise("budget", app([stopped, *rest], setup=setup), NOTHING)
    assert "It or the loop breaker stopped 1,234 calls." in advice.summary
    assert [figure.text for figure in advice.steps[0].figures[-2:]] == [
        "1,200 calls refused by a budget",
        "34 calls stopped as a loop",
    ]


def test_output_is_capped_before_the_first_call() -> None:
    advice = advise("max tokens", app(), NOTHING)
    assert advice.verdict is Verdict.DO_NOW
    assert advice.do[:2] == ("[spending]", "undeclared_output_tokens = 2000")


def test_a_cap_leaves_nearly_every_answer_whole() -> None:
    outputs = [0, 0, 0, 500, 400, 95, 5, 0, 0, 0, 0, 0, 0]  # 5 of 1,000 have more than 2,000 tokens
    model = ModelSums(shaped=1_000, uncapped=1_000, uncapped_output=700_000, outputs=outputs)
    advice = advise("output-caps", app([calls(1_000, model=model)]), NOTHING)
    assert advice.do[1] == "undeclared_output_tokens = 2000"
    assert advice.steps[0].figures[3].text == "the longest answers have at most 4,000 tokens"


def test_an_app_that_states_its_caps_keeps_them() -> None:
    model = ModelSums(shaped=100, uncapped=0)
    assert advise("output-caps", app([calls(100, model=model)]), NOTHING).verdict is Verdict.KEEP


def test_a_low_cap_of_the_gateway_is_enough() -> None:
    setup = msgspec.structs.replace(BARE, undeclared_output_tokens=2_000)
    assert advise("output-caps", app(setup=setup), NOTHING).verdict is Verdict.KEEP


FLAGGING = msgspec.structs.replace(BARE, guard_mode="flag")


@pytest.mark.parametrize(
    ("hour", "verdict"),
    [
        (Hour(0), Verdict.NOT_YET),
        (Hour(0, calls=3, flagged=3), Verdict.NOT_YET),
        (Hour(0, calls=300, flagged=9), Verdict.NOT_YET),
        (Hour(0, calls=10_000, flagged=50), Verdict.NOT_YET),
        (Hour(0, calls=300, flagged=12), Verdict.DO_NOW),
    ],
)
def test_what_is_flagged_decides_whether_the_guard_blocks(hour: Hour, verdict: Verdict) -> None:
    assert advise("guard", app([hour], setup=FLAGGING), NOTHING).verdict is verdict


@pytest.mark.parametrize(("mode", "verdict"), [("block", Verdict.KEEP), ("off", Verdict.CANNOT_TELL)])
def test_a_guard_that_blocks_is_kept_and_one_that_is_off_measures_nothing(
    mode: str, verdict: Verdict
) -> None:
    setup = msgspec.structs.replace(BARE, guard_mode=mode)
    assert advise("guard", app([Hour(0, calls=500)], setup=setup), NOTHING).verdict is verdict


def test_a_guard_that_is_off_for_three_calls_is_no_riddle() -> None:
    setup = msgspec.structs.replace(BARE, guard_mode="off")
    assert advise("guard", app([Hour(0, calls=3)], setup=setup), NOTHING).verdict is Verdict.NOT_YET
