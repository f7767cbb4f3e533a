"""Where an app is: its stage against its users, what it lacks, and when somebody should stop building."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from seawall.advice.numbers import Fact, FactValue, Liked, Numbers, Setup
from seawall.advice.readiness import Row
from seawall.advice.report.stages import lines, markdown, values
from seawall.advice.stage_words import STAGES, stage_for
from seawall.advice.stages import Checked, StageReport, report_on
from seawall.core.stages import Stage
from seawall.core.traffic import Hour, UserFigures
from tests.advice.apps import UNTIL, app, calls, people, spread

NOW = UNTIL * 3_600.0 - 60
TODAY = datetime.fromtimestamp(NOW, UTC).date()
PAGE = Path(__file__).parents[2] / "docs" / "stages.md"
NOBODY = UserFigures(0, 0, (), (), 0, 0, None)


def report(
    stage: Stage,
    users: UserFigures = NOBODY,
    hours: Sequence[Hour] = (),
    *,
    facts: Mapping[str, FactValue] | None = None,
    days_seen: float = 30.0,
) -> StageReport:
    numbers = app(hours, setup=Setup(stage), users=users, facts=facts)
    return report_of(replace(numbers, days_seen=days_seen))


def report_of(numbers: Numbers) -> StageReport:
    return report_on(numbers, (), Checked("No repository was looked at."), NOW)


def returning(users: int, back: int) -> UserFigures:
    return replace(people(users), returning=back)


def busy(users: int, *, stage: Stage, days_seen: float = 30.0) -> StageReport:
    """Return the report on an app with so many users who call every day."""
    return report(stage, people(users), spread(calls(max(1, users))), days_seen=days_seen)


@pytest.mark.parametrize(
    ("users", "stage"),
    [
        (0, Stage.POC),
        (1, Stage.POC),
        (2, Stage.MVP),
        (100, Stage.MVP),
        (101, Stage.ALPHA),
        (999, Stage.ALPHA),
        (1_000, Stage.BETA),
        (9_999, Stage.BETA),
        (10_000, Stage.PRODUCTION),
    ],
)
def test_each_stage_is_for_so_many_users(users: int, stage: Stage) -> None:
    assert stage_for(users) is stage


@pytest.mark.parametrize(("users", "stage"), [(1, Stage.POC), (40, Stage.MVP), (400, Stage.ALPHA)])
def test_a_stage_that_fits_its_users_stays(users: int, stage: Stage) -> None:
    assert busy(users, stage=stage).suggestion is None


def test_an_empty_ledger_suggests_nothing_and_says_what_is_missing() -> None:
    empty = report(Stage.MVP, days_seen=0.0)
    assert (empty.suggestion, empty.warnings) == (None, ())
    assert lines(empty) == [
        "calls: no call is on record in 30 days",
        "time: not known: no call is on record. Mvp usually takes 2 to 4 weeks.",
    ]


def test_growth_into_the_next_stage_suggests_moving_up() -> None:
    suggestion = busy(140, stage=Stage.MVP, days_seen=9.0).suggestion
    assert suggestion is not None
    assert (suggestion.to, suggestion.is_up) == (Stage.ALPHA, True)
    assert suggestion.reason == "140 people in 30 days; mvp is for 1 to 100 people"


def test_strangers_in_a_proof_of_concept_suggest_the_stage_that_fits_them() -> None:
    suggestion = busy(2_500, stage=Stage.POC).suggestion
    assert suggestion is not None
    assert suggestion.to is Stage.BETA


def test_a_stage_that_is_too_high_is_said_after_two_weeks() -> None:
    assert busy(12, stage=Stage.PRODUCTION, days_seen=13.0).suggestion is None
    suggestion = busy(12, stage=Stage.PRODUCTION).suggestion
    assert suggestion is not None
    assert (suggestion.to, suggestion.is_up) == (Stage.MVP, False)
    assert "so few do not need yet" in suggestion.reason


def test_nobody_is_sent_back_to_the_proof_of_concept() -> None:
    assert busy(1, stage=Stage.MVP).suggestion is None
    suggestion = busy(1, stage=Stage.ALPHA).suggestion
    assert suggestion is not None
    assert suggestion.to is Stage.MVP


def test_calls_that_name_nobody_lower_no_stage() -> None:
    unnamed = report(Stage.BETA, people(3, unnamed=500), spread(calls(20)))
    assert unnamed.suggestion is None
    assert unnamed.figures["users"].text == "3 people in 30 days, and 500 calls that name nobody"
    none_named = report(Stage.BETA, people(0, unnamed=600), spread(calls(20)))
    assert none_named.figures["users"].text == "not known: none of the 600 calls names its user"
    assert not none_named.figures["users"].is_measured


def test_six_months_of_work_for_twelve_users_is_a_warning() -> None:
    facts = {"months_of_work": 6.0, "stage_since": TODAY.isoformat()}
    warned = report(Stage.MVP, people(12), spread(calls(5)), facts=facts).warnings
    assert warned[0].startswith("6 months of work have met 12 people. Build nothing for a week")
    assert report(Stage.MVP, people(13), spread(calls(5)), facts=facts).warnings == ()
    assert (
        report(Stage.MVP, people(12), spread(calls(5)), facts=facts | {"months_of_work": 1.0}).warnings == ()
    )
    assert report(Stage.POC, facts=facts).warnings[0].startswith("6 months of work have met nobody.")


def test_whether_people_come_back_has_bounds_where_they_are_few() -> None:
    few = report(Stage.MVP, returning(12, 5), spread(calls(5))).figures["returning"]
    assert few.text == "5 of 12 came back on another day: 42 % (so few that it may be 19 to 68 % of all)"
    assert (few.low, few.high) == pytest.approx((19.3, 68.0), abs=0.1)
    many = report(Stage.ALPHA, returning(400, 100), spread(calls(5))).figures["returning"]
    assert many.text == "100 of 400 came back on another day: 25 %"
    early = report(Stage.MVP, returning(12, 0), spread(calls(5)), days_seen=1.0).figures["returning"]
    assert not early.is_measured


def test_growth_compares_two_weeks_and_is_careful_with_few_calls() -> None:
    weeks = [
        *(replace(calls(40), hour=UNTIL - 24 * day) for day in range(1, 8)),
        *(replace(calls(20), hour=UNTIL - 24 * day) for day in range(8, 15)),
    ]
    grown = report(Stage.MVP, people(20), weeks).figures["growth"]
    assert (grown.text, grown.value) == ("280 calls in the last 7 days, 140 in the 7 before: +100 %", 100.0)
    few = report(Stage.MVP, people(20), weeks[5:10]).figures["growth"]
    assert few.text == "80 calls in the last 7 days, 60 in the 7 before: +33 %, too few to call it a trend"
    assert not report(Stage.MVP, people(20), weeks, days_seen=13.0).figures["growth"].is_measured


def test_the_time_at_a_stage_counts_from_what_is_said_else_from_the_first_call() -> None:
    since = TODAY.replace(day=1)
    stated = report(Stage.MVP, people(5), facts={"stage_since": since.isoformat()}).stay
    assert (stated.since, stated.days, stated.is_stated) == (since, TODAY.day - 1, True)
    counted = report(Stage.MVP, people(5)).stay
    assert (counted.days, counted.is_stated) == (30, False)
    assert "counted from the first call on record" in counted.text


def test_a_stage_that_takes_longer_than_usual_is_said_with_what_to_do() -> None:
    late = report(Stage.POC, people(1), spread(calls(3)))
    assert late.stay.is_long
    assert late.warnings == (
        "The app has been at poc for 30 days, longer than usual. Show it to one person this week, as it is; more work"
        " on it answers nothing that you can ask yourself.",
    )
    outgrown = report(Stage.POC, people(9), spread(calls(3)))
    assert (outgrown.stay.is_long, outgrown.warnings) == (True, ())
    forever = report(Stage.PRODUCTION, people(20_000), facts={"stage_since": "2020-01-01"})
    assert not forever.stay.is_long


def test_what_was_said_long_ago_is_asked_again() -> None:
    def asked(at: date) -> tuple[str, ...]:
        numbers = app(spread(calls(5)), users=people(12))
        facts = {"months_of_work": Fact(6.0, at), "stage_since": Fact("2020-01-01", date(2020, 1, 1))}
        return report_of(replace(numbers, facts=facts)).asks

    assert asked(TODAY - timedelta(days=90)) == ()
    assert asked(TODAY - timedelta(days=91)) == ("months_of_work",)


def test_rows_are_split_into_what_lacks_now_and_what_comes_later() -> None:
    rows = (
        Row(id="a", title="A", state="pass", evidence="", from_stage=Stage.POC),
        Row(id="b", title="B", state="warn", evidence="", from_stage=Stage.MVP),
        Row(id="c", title="C", state="fail", evidence="", from_stage=Stage.MVP),
        Row(id="d", title="D", state="fail", evidence="", from_stage=Stage.ALPHA),
        Row(id="e", title="E", state="fail", evidence="", from_stage=Stage.BETA),
        Row(id="f", title="F", state="not_applicable", evidence="", from_stage=Stage.MVP),
    )
    made = report_on(app(setup=Setup(Stage.MVP)), rows, Checked(""), NOW)
    assert [row.id for row in made.lacking] == ["c", "b"]
    assert [row.id for row in made.coming] == ["d"]
    assert made.following is Stage.ALPHA
    last = report_on(app(setup=Setup(Stage.PRODUCTION)), rows, Checked(""), NOW)
    assert (last.following, last.coming) == (None, ())


def test_the_last_stage_has_no_next_one() -> None:
    made = report_of(app(setup=Setup(Stage.PRODUCTION)))
    assert values(made)["next_stage"] is None
    assert "and not before" not in markdown(made)


def test_what_users_wrote_is_quoted_and_never_read_as_markdown() -> None:
    liked = Liked(up=3, down=1, complaints=("[too slow](https://evil.example) `x`",))
    made = report_of(replace(app(spread(calls(5)), users=people(5)), liked=liked))
    assert "- `` [too slow](https://evil.example) `x` ``" in markdown(made)
    assert made.figures["ratings"].text.startswith("75 % of 4 say that an answer was good (30 to 95 %)")


@pytest.mark.parametrize("stage", Stage)
def test_the_page_has_each_stage_as_the_command_says_it(stage: Stage) -> None:
    words = STAGES[stage]
    page = PAGE.read_text("utf-8").splitlines()
    assert f"| `{stage}` | {words.users} | {words.question} | {words.takes} |" in page
    assert f"| `{stage}` | {words.focus} | {words.not_yet} |" in page
