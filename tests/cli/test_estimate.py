"""seawall estimate: what requests would cost, with the prices of here, of a table and of a file."""

import json
import time
from pathlib import Path

import pytest

from seawall.core.call import first_id_at
from seawall.core.traffic import TOKENS, Hour, ModelSums, count_in
from seawall.homes import Store
from seawall.providers import prices
from tests.fixtures.desk import Desk

OLD = str(Path(__file__).parents[2] / "examples" / "prices" / "old.toml")
COSTS_OF_OLD = {
    "gpt-3.5-turbo": "10.00",
    "gpt-4-turbo": "200.00",
    "claude-3-sonnet": "90.00",
    "claude-3-haiku": "7.50",
}
SIZES = ("--requests", "10000", "--input", "500", "--output", "500")


def test_old_prices_give_the_known_table_to_the_cent(desk: Desk) -> None:
    values = desk.values("estimate", *SIZES, "--prices", OLD)
    assert {row["model"]: row["cost_usd"] for row in values["data"]} == COSTS_OF_OLD
    assert values["traditional_usd"] == "0.01"
    rows = [line.split() for line in desk.run("estimate", *SIZES, "--prices", OLD).splitlines()]
    assert ["gpt-4-turbo", "$200.00", "$125.00", "$350.00"] in rows
    assert ["gpt-4-turbo", "██████████", "$6,000.00", "$3,750.00", "to", "$10,500.00"] in rows


def test_a_month_of_requests_is_not_thirty_of_them(desk: Desk) -> None:
    [day] = desk.values("estimate", *SIZES, "--prices", OLD, "--model", "claude-3-haiku")["data"]
    [month] = desk.values("estimate", *SIZES, "--prices", OLD, "--model", "claude-3-haiku", "--per", "month")[
        "data"
    ]
    assert (day["month_usd"], month["month_usd"]) == ("225.00", "7.50")


def test_what_prices_prints_can_be_read_back(desk: Desk, tmp_path: Path) -> None:
    then = tmp_path / "then.json"
    then.write_text(json.dumps(desk.values("prices", "openai/gpt-4o")), encoding="utf-8")
    values = desk.values("estimate", *SIZES, "--prices", str(then), "--model", "openai/gpt-4o")
    assert values["data"] == desk.values("estimate", *SIZES, "--model", "openai/gpt-4o")["data"]
    assert "has no price of gpt-4" in desk.run("estimate", "--prices", str(then), "--model", "gpt-4", code=1)


def test_a_whole_table_can_be_named_and_shows_what_is_well_known(desk: Desk) -> None:
    table = str(Path(prices.__file__).with_name("prices.json"))
    here = desk.values("estimate", *SIZES)["data"]
    found = desk.values("estimate", *SIZES, "--prices", table)["data"]
    assert sorted(row["model"] for row in found) == sorted(row["model"] for row in here)
    [row] = desk.values("estimate", *SIZES, "--prices", table, "--model", "openai/gpt-4o")["data"]
    assert row["cost_usd"] == "62.50"


def test_without_a_model_well_known_ones_are_compared_the_cheapest_first(desk: Desk) -> None:
    rows = desk.values("estimate")["data"]
    assert 4 <= len(rows) <= 8
    assert [float(row["cost_usd"]) for row in rows] == sorted(float(row["cost_usd"]) for row in rows)
    assert {row["prices_as_of"] for row in rows} != {None}


def test_models_that_can_be_called_here_go_first(desk: Desk) -> None:
    Path("seawall.toml").write_text(
        '[providers.own]\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["mine"]\n\n'
        '[prices.mine]\ninput_usd_per_mtok = "1"\noutput_usd_per_mtok = "2"\n\n'
        '[models.fast]\ntargets = ["own/mine"]\n',
        encoding="utf-8",
    )
    [row] = desk.values("estimate", *SIZES)["data"]
    assert (row["vendor"], row["model"], row["cost_usd"], row["prices_as_of"]) == (
        "own",
        "mine",
        "15.00",
        None,
    )
    [alias] = desk.values("estimate", *SIZES, "--model", "fast")["data"]
    assert (alias["model"], alias["cost_usd"]) == ("fast", "15.00")
    assert "Prices of the configuration." in desk.run("estimate")


def test_of_a_provider_that_a_key_enables_the_well_known_are_shown(desk: Desk) -> None:
    rows = desk.values("estimate", OPENAI_API_KEY="sk-not-live", GEMINI_API_KEY="not-live")["data"]
    assert {row["vendor"] for row in rows} == {"openai", "gemini"}
    assert len(rows) == 3


def test_assumptions_are_said_in_words(desk: Desk) -> None:
    output = " ".join(
        desk.run("estimate", "--turns", "10", "--cache-hits", "12.5", "--prompt-cache", "50", "--prices", OLD)
        .replace("\n", " ")
        .split()
    )
    assert "Short answers are of 250 tokens, long ones of 1,000." in output
    assert "The last one has 9,500 tokens in." in output
    assert "The gateway's cache answers 12.5 % of the requests for nothing." in output
    assert (
        "No price for that is known of gpt-3.5-turbo, gpt-4-turbo, claude-3-sonnet, claude-3-haiku." in output
    )
    assert "1,000 tokens are about 750 words of English, one to two pages." in output
    assert "To an API without a model, 10,000 requests cost about $0.01." in output


def test_more_than_a_model_takes_is_marked(desk: Desk) -> None:
    output = desk.run("estimate", "--model", "gpt-4o", "--input", "200000")
    assert "gpt-4o *" in output
    assert "* is more than the model takes in" in output


@pytest.mark.parametrize("words", [(), ("--turns", "1000", "--requests", "1000000000"), ("--prices", OLD)])
def test_lines_fit_a_terminal(desk: Desk, words: tuple[str, ...]) -> None:
    assert max(map(len, desk.run("estimate", *words).splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cache-hits", "101"), "--cache-hits must be a number from 0 to 100"),
        (("--prompt-cache", "1.234"), "--prompt-cache must be a number from 0 to 100"),
        (("--cache-hits", "nan"), "--cache-hits must be a number from 0 to 100"),
        (("--prices", "none.json"), "none.json cannot be read"),
        (("--prices", "."), "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(desk: Desk, words: tuple[str, ...], said: str) -> None:
    assert said in desk.run("estimate", *words, code=2)


@pytest.mark.parametrize("text", ["{", "[]", '{"data": [{"vendor": "a", "model": "b"}]}', "{}"])
def test_a_file_without_prices_is_named(desk: Desk, text: str) -> None:
    Path("bad.json").write_text(text, encoding="utf-8")
    assert "bad.json holds no prices" in desk.run("estimate", "--prices", "bad.json", code=2)


@pytest.mark.parametrize("rates", [{"input": "x", "output": "1"}, {"input": "1"}, {"input": "1", "in": "2"}])
def test_a_rate_that_is_none_is_named(desk: Desk, rates: dict[str, str]) -> None:
    row = {"vendor": "a", "model": "b", "usd_per_mtok": rates}
    Path("bad.json").write_text(json.dumps({"data": [row]}), encoding="utf-8")
    assert "bad.json holds no prices: a/b: " in desk.run("estimate", "--prices", "bad.json", code=2)


@pytest.mark.parametrize(("name", "text"), [("none.toml", ""), ("none.json", '{"data": []}')])
def test_a_file_that_states_nothing_is_named(desk: Desk, name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")
    assert desk.run("estimate", "--prices", name, code=2) == f"seawall: {name} holds no prices.\n"


def test_a_model_without_a_price_is_named(desk: Desk) -> None:
    assert "no price of no-such is known" in desk.run("estimate", "--model", "no-such", code=1)


def put_hours(desk: Desk, calls: int, hits: int) -> None:
    """Sum up so many calls of 300 tokens in and 100 out in this hour, and hits of the cache beside them."""
    sums = ModelSums(calls=calls, input=300 * calls, output=100 * calls, cached_read=75 * calls)
    for _ in range(calls):
        count_in(sums.outputs, TOKENS, 100)
    hour = Hour(int(time.time()) // 3600, calls=calls + hits, hits=hits, models={"m": sums} if calls else {})

    async def work(store: Store) -> None:
        await store.traffic.put([hour], hour.hour + 1)

    desk.in_store(work)


def test_the_apps_own_calls_stand_for_what_is_not_said(desk: Desk) -> None:
    put_hours(desk, calls=150, hits=50)
    words = ("estimate", "--from-usage", "--prices", OLD)
    values = desk.values(*words)
    assert {name: values[name] for name in ("requests", "input_tokens", "output_tokens", "from_calls")} == {
        "requests": 200,
        "input_tokens": 300,
        "output_tokens": 100,
        "from_calls": 150,
    }
    assert (values["cache_hits_percent"], values["prompt_cache_percent"]) == ("25", "25")
    assert desk.values(*words, "--per", "month")["requests"] == 6_000
    said = desk.values(*words, "--requests", "7", "--input", "8", "--output", "10", "--cache-hits", "0")
    assert (said["requests"], said["input_tokens"], said["short_output_tokens"]) == (7, 8, 5)
    output = " ".join(desk.run(*words).split())
    assert "From 150 calls of a day in your ledger" in output
    assert "The cache answered 50 more." in output


def test_few_calls_are_a_first_guess_and_none_are_said(desk: Desk) -> None:
    put_hours(desk, calls=3, hits=0)
    assert "Few calls: a first guess." in " ".join(desk.run("estimate", "--from-usage").split())
    put_hours(desk, calls=0, hits=1)
    assert "no call has reached a provider in the last 31 days" in desk.run(
        "estimate", "--from-usage", code=1
    )


def test_calls_that_are_not_summed_up_yet_count_as_well(desk: Desk) -> None:
    yesterday = int(time.time() - 90_000) * 1000
    attempts = b'[{"provider": "mock", "model": "gpt", "ending": "answered"}]'
    desk.add_call(f"{first_id_at(yesterday)}a", at_ms=yesterday, attempts=attempts)
    desk.add_call(f"{first_id_at(int(time.time() * 1000))}b", attempts=attempts)
    values = desk.values("estimate", "--from-usage")
    assert (values["from_calls"], values["input_tokens"], values["output_tokens"]) == (2, 1_200, 30)
