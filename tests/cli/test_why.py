"""seawall why: what became of one call."""

import msgspec
import pytest

from seawall.core.money import Money, Usage
from seawall.core.policy import Decision
from tests.fixtures.desk import Desk


def lines_of(output: str) -> list[str]:
    return [" ".join(line.split()) for line in output.splitlines()]


def decisions(*made: Decision) -> bytes:
    return msgspec.json.encode(made)


def test_an_answered_call_shows_everything(desk: Desk) -> None:
    record, _ = desk.add_key("app")
    desk.add_call(
        "call_01",
        key_id=record.id,
        end_user="user 7",
        stream=True,
        first_ms=210.4,
        usage=Usage(input=1200, output=456, cached_read=1000, reasoning=400),
        held=Money(20_000_000),
        cost=Money(12_000_000),
        decisions=decisions(
            Decision(step="hold_budget", verdict="allow", why="enough is left", took_ms=1.25),
            Decision(step="settle", verdict="complete", why="as the provider says"),
        ),
    )
    output = desk.run("why", "call_01")
    lines = lines_of(output)
    assert lines[:2] == ["call_01", "answered"]
    for line in (
        f"key app ({record.id})",
        "end user user 7",
        "model gpt at mock",
        "endpoint /v1/chat/completions, streamed",
        "took 1.5 s, first piece after 210 ms",
        "tokens 1,200 in (1,000 read from cache), 456 out (400 reasoning)",
        "held $0.02",
        "cost $0.012",
        "hold_budget allow enough is left 1.2 ms",
        "settle complete as the provider says -",
    ):
        assert line in lines
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"outcome": "left", "status": 499, "code": "client_gone"},
            "the client left before the answer was complete",
        ),
        (
            {"outcome": "crashed", "status": 500, "code": "gateway_stopped"},
            "the gateway stopped in the middle; it may have been billed, so all that was held counts",
        ),
        (
            {"outcome": "failed", "status": 504, "code": "upstream_timeout"},
            "failed: the provider took too long (504 upstream_timeout)",
        ),
        (
            {"outcome": "failed", "status": 429, "code": "slow_down"},
            "failed: the provider answered with an error (429 slow_down)",
        ),
        (
            {"outcome": "failed", "status": 404, "code": "model_not_found"},
            "failed: the provider answered with an error (404 model_not_found)",
        ),
    ],
)
def test_the_ending_is_a_plain_sentence(desk: Desk, fields: dict[str, object], sentence: str) -> None:
    desk.add_call("call_01", **fields)
    assert desk.values("why", "last")["summary"] == sentence


def test_a_refusal_says_what_its_code_means(desk: Desk) -> None:
    desk.add_refused("call_01", status=402, code="budget_exhausted")
    assert desk.values("why", "last")["summary"] == "refused: the budget is spent (402 budget_exhausted)"


def test_the_step_that_refused_knows_best(desk: Desk) -> None:
    why = "The daily budget of this gateway is spent."
    refused = decisions(Decision(step="hold_budget", verdict="refuse", why=why))
    desk.add_refused("call_01", status=402, code="budget_exhausted", decisions=refused)
    sentence = "refused: the daily budget of this gateway is spent (402 budget_exhausted)"
    assert desk.values("why", "last")["summary"] == sentence


def test_json_is_what_the_admin_api_says_with_a_summary(desk: Desk) -> None:
    row = desk.add_refused("call_01", status=404, code="model_not_found")
    values = desk.values("why", "call_01")
    assert (values["id"], values["key_id"], values["key_name"]) == (row.id, "key_1", None)
    assert (values["cost_usd"], values["usage"], values["decisions"]) == ("0.00", None, [])


@pytest.mark.parametrize("wanted", ["call_0a1", "call_0a", "0a1", "last"])
def test_the_beginning_of_an_id_is_enough(desk: Desk, wanted: str) -> None:
    desk.add_refused("call_00ff")
    desk.add_refused("call_0a1f")
    assert desk.values("why", wanted)["id"] == "call_0a1f"


def test_a_beginning_that_two_ids_have_is_not_enough(desk: Desk) -> None:
    desk.add_refused("call_01")
    desk.add_refused("call_02")
    assert (
        desk.run("why", "call_0", code=2)
        == "seawall: several calls begin with call_0; give more of the id.\n"
    )


@pytest.mark.parametrize("wanted", ["call_none", "call_01~", "\x1b[2J", ""])
def test_an_unknown_id_is_one_sentence(desk: Desk, wanted: str) -> None:
    desk.add_key("app")
    said = desk.run("why", wanted, code=1)
    assert said.startswith("seawall: there is no call ")
    assert said.endswith(
        "it may be running still, or older than 7 days (log.keep_days);"
        " a call without a valid key is in the log only, and one to an unknown address nowhere.\n"
    )
    assert "\x1b" not in said


def test_last_of_none_says_so(desk: Desk) -> None:
    desk.add_key("app")
    assert desk.run("why", "last", code=1) == "seawall: no calls are on record yet.\n"


def test_what_a_caller_wrote_cannot_steer_the_terminal(desk: Desk) -> None:
    desk.add_refused("call_01", model="gpt\x1b[2J", end_user="eve\r\x07")
    output = desk.run("why", "last")
    assert "gpt\ufffd[2J" in output
    assert "eve\ufffd\ufffd" in output
