"""seawall route: what would be tried for a model, in which order and why."""

import json
from typing import Any

from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place, fake_key

PROVIDERS = """
[providers.near]
base_url = "http://127.0.0.1:1/v1"
models = ["large", "small", "odd"]
api_key_env = ["NEAR_KEY", "NEAR_KEY_2"]
[providers.far]
kind = "anthropic"
base_url = "http://127.0.0.1:2/v1"
models = ["large"]
api_key_env = "FAR_KEY"
[providers.home]
base_url = "http://127.0.0.1:3/v1"
dialects = ["responses", "chat"]
models = ["tiny"]
free = true
[prices.large]
input_usd_per_mtok = "2"
output_usd_per_mtok = "8"
[prices.small]
input_usd_per_mtok = "0.5"
output_usd_per_mtok = "1.5"
"""
ALIASES = """
[models.smart]
targets = [{ model = "near/large", weight = 3 }, { model = "far/large", weight = 1 }]
fallbacks = ["near/odd", "gone/x", "home/tiny"]
[models.small]
targets = ["small", "home/tiny"]
"""
KEYS = {name: fake_key() for name in ("NEAR_KEY", "NEAR_KEY_2", "FAR_KEY")}


def targets(desk: Desk, *words: str) -> list[dict[str, Any]]:
    """Return what would be tried, as a program reads it."""
    found: list[dict[str, Any]] = desk.values("route", *words, **KEYS)["targets"]
    return found


def test_the_demo_model_is_a_model_like_any_other(desk: Desk) -> None:
    shown = desk.values("route", "demo")
    assert (shown["model"], shown["alias"]) == ("demo", False)
    [only] = shown["targets"]
    assert (only["try"], only["provider"], only["model"], only["share_percent"]) == (1, "demo", "demo", 100)
    assert not desk.data.exists()


def test_an_alias_shows_its_alternatives_with_their_shares_and_then_its_fallbacks(
    desk: Desk, place: Place
) -> None:
    place.write("seawall.toml", PROVIDERS + ALIASES)
    found = targets(desk, "smart")
    assert [(t["try"], t["provider"], t["key"], t["model"], t["share_percent"]) for t in found] == [
        (1, "near", 1, "large", 37.5),
        (1, "near", 2, "large", 37.5),
        (1, "far", 1, "large", 25.0),
        (None, "near", 1, "odd", None),
        (None, "gone", 1, "x", None),
        (2, "home", 1, "tiny", 100.0),
    ]
    assert "price" in found[3]["skipped"]
    assert "No provider here serves" in found[4]["skipped"]
    assert [t["free"] for t in found] == [False, False, False, False, False, True]


def test_an_alias_with_the_name_of_a_real_model_stands_for_it(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS + ALIASES)
    found = targets(desk, "small")
    assert [(t["try"], t["provider"], t["key"]) for t in found] == [
        (1, "near", 1),
        (1, "near", 2),
        (2, "home", 1),
    ]


def test_each_target_says_in_which_dialect_it_is_asked(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS)
    dialects = {name: targets(desk, name)[0]["dialects"] for name in ("near/large", "far/large", "home/tiny")}
    assert dialects == {
        "near/large": {
            "chat": "chat",
            "responses": "chat",
            "messages": "chat",
            "embeddings": "embeddings",
        },
        "far/large": {
            "chat": "messages",
            "responses": "messages",
            "messages": "messages",
            "embeddings": None,
        },
        "home/tiny": {
            "chat": "chat",
            "responses": "responses",
            "messages": "responses",
            "embeddings": None,
        },
    }


def test_prices_and_retries_are_exact(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS + "[retries]\nattempts = 2\nwait_s_max = 1.5\n")
    shown = desk.values("route", "near/small", **KEYS)
    [first, _] = shown["targets"]
    assert (first["input_usd_per_mtok"], first["output_usd_per_mtok"], first["price_source"]) == (
        "0.50",
        "1.50",
        "configuration",
    )
    assert shown["retries"] == {"attempts": 2, "wait_s_max": 1.5, "backoff_s": 0.25}


def test_a_key_of_a_caller_narrows_the_plan(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS + ALIASES)
    desk.add_key("narrow", models=["far/large", "small"])
    skipped = {t["provider"]: t["skipped"] for t in targets(desk, "smart", "--key", "narrow")}
    assert (skipped["near"], skipped["far"]) == (
        "The price of near/odd is not known, so its cost cannot be bounded. The operator can state it in"
        ' seawall.toml under [prices."near/odd"].',
        None,
    )
    assert skipped["home"] == "the key narrow may not use it"
    assert {t["skipped"] for t in targets(desk, "small", "--key", "narrow")} == {None}


def test_a_model_that_nobody_serves_ends_with_its_reason(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS)
    done = desk.finish("route", "nothing", "--json", **KEYS)
    assert done.exit_code == 1
    [only] = json.loads(done.stdout)["targets"]
    assert only["skipped"] == "No provider here serves nothing. GET /v1/models lists what there is."
    shown = desk.finish("route", "nothing", **KEYS)
    assert (shown.exit_code, " ".join(shown.stdout.split())) == (
        1,
        "nothing, a model - nothing not tried"
        " No provider here serves nothing. GET /v1/models lists what there is.",
    )


def test_a_caller_that_is_not_known_ends_with_one_sentence(desk: Desk) -> None:
    desk.add_key("known")
    assert "there is no key with the id or name other" in desk.run("route", "demo", "--key", "other", code=1)


def test_people_read_it_from_top_to_bottom(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS + ALIASES)
    lines = [line.rstrip() for line in desk.run("route", "smart", **KEYS).splitlines()]
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert text.startswith(
        "smart, an alias\n\n1. near/large\n  share     75 % of the calls\n"
        "  dialects  chat, embeddings unchanged; responses, messages as chat\n"
        "  price     $2.00 in, $8.00 out per million tokens (configuration)\n"
        "  keys      2, among which calls are spread evenly\n"
    )
    assert "\n1. far/large\n  share     25 % of the calls\n" in text
    assert "\n2. home/tiny\n  when      nothing before it answered\n" in text
    assert "  price     declared free\n" in text
    assert "\nWhere one fails\n  retries  up to 1 more try on the same," in text


def test_a_single_target_has_no_next_one(desk: Desk, place: Place) -> None:
    shown = desk.run("route", "demo")
    assert "\nWhere it fails\n  retries  up to 1 more try on the same," in shown
    assert "next" not in shown
    place.write("seawall.toml", "[retries]\nattempts = 0\n")
    assert "\n  retries  none\n" in "\n".join(map(str.rstrip, desk.run("route", "demo").splitlines())) + "\n"


def test_the_keys_of_one_provider_are_each_others_next(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS)
    assert "the next in this order, unless an answer has begun" in desk.run("route", "near/large", **KEYS)


def test_keys_and_control_sequences_are_never_shown(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDERS)
    for words in (("near/large",), ("near/large", "--json")):
        assert KEYS["NEAR_KEY"] not in desk.run("route", *words, **KEYS)
    assert "\x1b" not in desk.finish("route", "a\x1b[2Jb", **KEYS).output
