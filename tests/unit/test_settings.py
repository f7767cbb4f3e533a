"""What load_settings accepts, which source wins, and how it explains itself."""

from pathlib import Path

import pytest
from tests.fixtures.settings import Place, fake_key

from seawall.core.contracts import Limits
from seawall.core.money import NANO, Money, Price, Rate, Rates
from seawall.core.policy import Budget
from seawall.core.stages import Stage
from seawall.settings import SettingsError, describe_settings

DOLLAR = Money(NANO)

EXAMPLE = """\
stage = "poc"
[budget]
daily_usd = "5.00"
monthly_usd = "50.00"
[providers.mock]
kind = "openai"
base_url = "http://127.0.0.1:9900/v1"
api_key_env = "MOCK_API_KEY"
models = ["fake-gpt", "fake-embed"]
[prices."fake-gpt"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
max_output_tokens = 4096
context_tokens = 128000
[limits]            # accepted now; later issues enforce what is not "off"
per_user = "off"
per_ip = "off"
[cache]
enabled = false
[retries]
attempts = 0
"""

ALIAS = '[models.fast]\ntargets = ["mock/fake-gpt"]\n'


def test_nothing_stated_gives_the_defaults_of_a_proof_of_concept(place: Place) -> None:
    settings = place.load()
    assert settings.stage is Stage.POC
    assert settings.global_budget() == Budget(daily=DOLLAR)
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8787)
    assert settings.server.body_bytes_max == 8 * 1024 * 1024
    assert settings.server.header_bytes_max == 32 * 1024
    assert settings.data_dir == place.cwd / ".seawall"
    assert settings.log.keep_days == 7
    assert settings.limits_of_calls() == Limits()
    assert settings.providers == {}
    assert settings.price_overrides() == {}
    assert settings.admin_key is None
    assert settings.notes() == []


def test_the_example_is_read_whole(place: Place) -> None:
    settings = place.load(EXAMPLE)
    assert settings.global_budget() == Budget(daily=Money(5 * DOLLAR), monthly=Money(50 * DOLLAR))
    assert settings.providers["mock"].model_dump() == {
        "kind": "openai",
        "base_url": "http://127.0.0.1:9900/v1",
        "api_key_env": ["MOCK_API_KEY"],
        "dialects": None,
        "models": ["fake-gpt", "fake-embed"],
        "max_tokens_field": None,
        "stops_on_disconnect": False,
        "free": False,
    }
    assert settings.price_overrides() == {
        "fake-gpt": Price(
            rates=Rates(input=Rate(10 * NANO), output=Rate(30 * NANO)),
            max_output_tokens=4096,
            context_tokens=128_000,
            source="configuration",
        )
    }
    assert settings.notes() == []


def test_every_field_of_a_price_reaches_the_ledger(place: Place) -> None:
    settings = place.load(
        '[prices."gpt-9.1"]\ninput_usd_per_mtok = 0.1\noutput_usd_per_mtok = 2\n'
        'cached_read_usd_per_mtok = "0"\n'
        'cached_write_usd_per_mtok = "0.000000001"\naudio_input_usd_per_mtok = "4"\n'
        'audio_output_usd_per_mtok = "5"\nimage_tokens_max = 900\nreasoning = true\n'
    )
    assert settings.prices["gpt-9.1"].price() == Price(
        rates=Rates(
            input=Rate(NANO // 10),
            output=Rate(2 * NANO),
            cached_read=Rate(0),
            cached_write=Rate(1),
            audio_input=Rate(4 * NANO),
            audio_output=Rate(5 * NANO),
            cached_write_1h=Rate(2 * NANO // 10),
        ),
        image_tokens_max=900,
        reasons=True,
        source="configuration",
    )


def test_times_and_hang_ups_reach_the_pipeline(place: Place) -> None:
    settings = place.load(
        '[spending]\nhold_wait_s = 1\nundeclared_output_tokens = 99\non_disconnect = "drain"\n'
        "[timeouts]\nconnect_s = 2.5\nfirst_byte_s = 3\nfirst_token_s = 6\nbetween_events_s = 4\ncall_s = 5\n"
    )
    assert settings.limits_of_calls() == Limits(
        hold_wait_s=1,
        connect_s=2.5,
        first_byte_s=3,
        first_token_s=6,
        between_events_s=4,
        call_s=5,
        undeclared_output_tokens=99,
        drain_on_disconnect=True,
    )


@pytest.mark.parametrize(
    ("stage", "budget", "keep_days"),
    [
        ("poc", Budget(daily=DOLLAR), 7),
        ("mvp", Budget(daily=Money(5 * DOLLAR), monthly=Money(50 * DOLLAR)), 30),
        ("alpha", Budget(daily=Money(20 * DOLLAR)), 30),
        ("beta", Budget(daily=Money(100 * DOLLAR)), 30),
    ],
)
def test_the_stage_chooses_defaults(place: Place, stage: str, budget: Budget, keep_days: int) -> None:
    settings = place.load(f'stage = "{stage}"')
    assert (settings.global_budget(), settings.log.keep_days) == (budget, keep_days)
    assert settings.sources["log.keep_days"] == f"default for stage {stage}"


def test_a_stated_period_leaves_the_default_of_the_others(place: Place) -> None:
    settings = place.load('stage = "mvp"\n[budget]\ndaily_usd = "off"\nlifetime_usd = 900\n')
    assert settings.global_budget() == Budget(monthly=Money(50 * DOLLAR), lifetime=Money(900 * DOLLAR))


def test_production_with_a_stated_budget_keeps_calls_for_ninety_days(place: Place) -> None:
    settings = place.load(
        'stage = "production"\n[budget]\nmonthly_usd = "0"\n[limits]\nper_user = "100/hour"\n'
    )
    assert (settings.global_budget(), settings.log.keep_days) == (Budget(monthly=Money(0)), 90)


def test_the_strongest_source_wins_and_each_is_named(place: Place) -> None:
    place.write(".env", "# keys\n\nSEAWALL_SERVER_PORT=3\nexport SEAWALL_LOG_LEVEL='debug'\n")
    settings = place.load(
        'data_dir = "files"\n[server]\nhost = "file"\nport = 4\nheaders_max = 50\n[log]\nlevel = "error"\n',
        {"SEAWALL_SERVER_PORT": "2", "SEAWALL_SERVER__HOST": "env", "SEAWALL_STAGE": "mvp"},
        server__port=1,
        server__host=None,
        data_dir="data",
    )
    sources = settings.sources
    assert (settings.server.port, sources["server.port"]) == (1, "--port")
    assert (settings.data_dir, sources["data_dir"]) == (place.cwd / "data", "--data")
    assert (settings.server.host, sources["server.host"]) == ("env", "environment SEAWALL_SERVER__HOST")
    assert (settings.log.level, sources["log.level"]) == ("debug", ".env line 4 (SEAWALL_LOG_LEVEL)")
    assert (settings.server.headers_max, sources["server.headers_max"]) == (50, "seawall.toml line 5")
    assert (settings.stage, sources["stage"]) == (Stage.MVP, "environment SEAWALL_STAGE")
    assert (settings.budget.monthly_usd, sources["budget.monthly_usd"]) == (
        Money(50 * DOLLAR),
        "default for stage mvp",
    )
    assert sources["server.grace_s"] == "default"


def test_an_empty_variable_counts_as_not_set(place: Place) -> None:
    place.write(".env", "SEAWALL_SERVER_PORT=\nSEAWALL_STAGE\n")
    settings = place.load("[server]\nport = 9", {"SEAWALL_SERVER_PORT": " ", "SEAWALL_CONFIG": ""})
    assert (settings.server.port, settings.stage) == (9, Stage.POC)


@pytest.mark.parametrize("name", ["SEAWALL_BUDGET_DAILY_USD", "SEAWALL_BUDGET__DAILY_USD"])
def test_variables_reach_fixed_sections_with_one_or_two_underscores(place: Place, name: str) -> None:
    settings = place.load(environ={name: "0.25"})
    assert settings.global_budget() == Budget(daily=Money(NANO // 4))


def test_both_spellings_of_a_variable_must_agree(place: Place) -> None:
    environ = {"SEAWALL_LOG_ACCESS": "false", "SEAWALL_LOG__ACCESS": "false"}
    assert place.load(environ=environ).log.access is False
    assert place.refuses(environ=environ | {"SEAWALL_LOG__ACCESS": "true"}) == (
        "environment SEAWALL_LOG__ACCESS and environment SEAWALL_LOG_ACCESS disagree; keep one of them."
    )


def test_variables_state_whole_providers_and_prices(place: Place) -> None:
    settings = place.load(
        environ={
            "SEAWALL_PROVIDERS__MOCK__BASE_URL": "https://api.example.com/v1//",
            "SEAWALL_PROVIDERS__MOCK__MODELS": "a, b",
            "SEAWALL_PROVIDERS__OTHER_ONE__BASE_URL": "http://[::1]:8000",
            "SEAWALL_PROVIDERS__OTHER_ONE__MODELS": '["c"]',
            "SEAWALL_PROVIDERS__OTHER_ONE__FREE": "true",
            "SEAWALL_PRICES__A__INPUT_USD_PER_MTOK": "1",
            "SEAWALL_PRICES__A__OUTPUT_USD_PER_MTOK": "2",
        }
    )
    assert {name: (p.base_url, p.models, p.free) for name, p in settings.providers.items()} == {
        "mock": ("https://api.example.com/v1", ["a", "b"], False),
        "other_one": ("http://[::1]:8000", ["c"], True),
    }
    assert settings.price_overrides()["a"].rates == Rates(input=Rate(NANO), output=Rate(2 * NANO))


def test_variables_find_the_names_of_the_file(place: Place) -> None:
    settings = place.load(
        '[providers.My-Mock]\nbase_url = "http://a"\nmodels = ["gpt-4.1"]\n'
        '[prices."x-1"]\ninput_usd_per_mtok = "1"\noutput_usd_per_mtok = "1"\n',
        {
            "SEAWALL_PROVIDERS__MY_MOCK__FREE": "true",
            "SEAWALL_PRICES__X_1__INPUT_USD_PER_MTOK": "7",
            "SEAWALL_PRICES__GPT_4_1__INPUT_USD_PER_MTOK": "1",
            "SEAWALL_PRICES__GPT_4_1__OUTPUT_USD_PER_MTOK": "1",
        },
    )
    assert settings.providers["My-Mock"].free is True
    assert settings.prices["x-1"].input_usd_per_mtok == 7 * NANO
    assert set(settings.prices) == {"x-1", "gpt-4.1"}


def test_a_variable_that_could_mean_two_names_is_refused(place: Place) -> None:
    message = place.refuses(
        '[providers.a-b]\nbase_url = "http://a"\n[providers.a_B]\nbase_url = "http://b"\n',
        {"SEAWALL_PROVIDERS__A_B__FREE": "true"},
    )
    assert message == (
        "environment SEAWALL_PROVIDERS__A_B__FREE could mean a-b or a_B; state it in the file instead."
    )


def test_the_file_is_named_by_option_then_variable(place: Place) -> None:
    place.write("a.toml", "[server]\nport = 1")
    place.write("b.toml", "[server]\nport = 2")
    environ = {"SEAWALL_CONFIG": "b.toml"}
    assert place.load("[server]\nport = 3", environ, config=Path("a.toml")).server.port == 1
    assert place.load(environ=environ).server.port == 2
    assert place.load().server.port == 3


def test_names_of_models_are_not_taken_for_keys(place: Place) -> None:
    models = ["xai-grok-4-fast-reasoning", "pplx-7b-online", "task-sk-1", "sw-coder-mini"]
    settings = place.load(f'[providers.a]\nbase_url = "http://a"\nmodels = {models}')
    assert settings.providers["a"].models == models


def test_secrets_come_from_environment_then_dotenv_then_folder(place: Place) -> None:
    place.write(".env", f"A_KEY=dotenv-a\nB_KEY='dotenv-b$1'\nSEAWALL_ADMIN_KEY={'m' * 16}\n")
    for name in ("A_KEY", "B_KEY", "C_KEY"):
        place.write(f"secrets/{name}", f"file-{name}\n")
    environ = {"SEAWALL_SECRETS_DIR": "secrets", "A_KEY": " environ-a ", "B_KEY": ""}
    settings = place.load('[providers.a]\nbase_url = "http://a"\napi_key_env = "C_KEY"', environ)
    found = settings.environment
    assert [found.get(name) for name in ("A_KEY", "B_KEY", "C_KEY", "D_KEY", "../.env")] == [
        "environ-a",
        "dotenv-b$1",
        "file-C_KEY",
        None,
        None,
    ]
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == "m" * 16
    shown = repr(found) + repr(settings) + str(settings.explain()) + str(settings.admin_key)
    assert not any(text in shown for text in ("environ-a", "dotenv-b", "file-C_KEY", "mmmm"))
    assert (settings.sources["SEAWALL_ADMIN_KEY"], settings.sources["C_KEY"]) == (
        ".env SEAWALL_ADMIN_KEY",
        "secrets folder, file C_KEY",
    )


def test_the_admin_key_may_come_from_the_secrets_folder(place: Place) -> None:
    place.write("secrets/SEAWALL_ADMIN_KEY", "s" * 20 + "\n")
    key = place.load(environ={"SEAWALL_SECRETS_DIR": "secrets"}).admin_key
    assert key is not None
    assert key.get_secret_value() == "s" * 20


def test_a_secret_over_two_lines_is_refused_and_not_repeated(place: Place) -> None:
    secrets = place.load(environ={"A_KEY": "first\nsecond"}).environment
    with pytest.raises(SettingsError) as caught:
        secrets.get("A_KEY")
    assert str(caught.value) == (
        "environment A_KEY: this secret holds characters that no key can have; copy it again, on one line."
    )


def test_a_variable_that_is_no_setting_is_noted_with_the_nearest_name(place: Place) -> None:
    place.write(".env", "SEAWALL_PORT=5\nnot a line\n")
    settings = place.load(
        environ={
            "SEAWALL_BUDGET_DALY_USD": fake_key(),
            "SEAWALL_X": "1",
            "SEAWALL_PROVIDERS__A__API_KEY": "1",
        }
    )
    assert settings.notes() == [
        ".env line 2 is not understood and has no effect; write NAME=value.",
        "environment SEAWALL_BUDGET_DALY_USD is not a setting and has no effect; did you mean"
        " SEAWALL_BUDGET_DAILY_USD?",
        "environment SEAWALL_PROVIDERS__A__API_KEY is not a setting and has no effect; did you mean"
        " SEAWALL_PROVIDERS__A__API_KEY_ENV?",
        "environment SEAWALL_X is not a setting and has no effect.",
        ".env line 1 (SEAWALL_PORT) is not a setting and has no effect; did you mean SEAWALL_SERVER_PORT?",
    ]


def test_explain_lists_every_setting_with_value_and_source(place: Place) -> None:
    rows = {row.name: row for row in place.load(EXAMPLE + ALIAS).explain()}
    assert {name: (row.value_text, row.source) for name, row in rows.items() if "." not in name} == {
        "stage": ("poc", "seawall.toml line 1"),
        "support_contact": ("not set", "default"),
        "data_dir": (str(place.cwd / ".seawall"), "default"),
        "time_zone": ("UTC", "default"),
        "default_tier": ("not set", "default"),
        "upgrade_url": ("not set", "default"),
        "database_url": ("not set", "default"),
        "valkey_url": ("not set", "default"),
        "behind_proxy": ("none", "default"),
        "SEAWALL_ADMIN_KEY": ("not set", "not stated"),
        "MOCK_API_KEY": ("not set", "not stated"),
    }
    assert rows["budget.daily_usd"][1:3] == ("5.00", "seawall.toml line 3")
    assert rows["budget.lifetime_usd"][1:3] == ("off", "default")
    assert rows["providers.mock.models"][1:3] == ("fake-gpt, fake-embed", "seawall.toml line 9")
    assert rows["prices.fake-gpt.input_usd_per_mtok"][1:3] == ("10.00", "seawall.toml line 11")
    assert rows["limits.global"][1:3] == ("10000/second", "default for stage poc")
    assert all(row.help for row in rows.values())
    described = {f"{row.section}.{row.name}".lstrip(".") for row in describe_settings()}
    places = {
        "providers.mock": "providers.NAME",
        "models.fast": "models.NAME",
        "prices.fake-gpt": "prices.MODEL",
    }
    described = {
        name
        for name in described
        if not name.startswith(
            ("tiers.", "model_limits.", "issuers.", "guards.", "tasks.", "webhooks.", "facts.")
        )
    }
    named = {name for name in rows if not name.isupper()}
    for stated, placeholder in places.items():
        named = {name.replace(stated, placeholder) for name in named}
    assert named == described


def test_the_password_of_a_store_belongs_in_the_environment(place: Place) -> None:
    url = "postgresql://app:hunter2@db.example.com/seawall"
    with pytest.raises(
        SettingsError, match=r"^seawall.toml line 1: database_url holds a password"
    ) as refused:
        place.load(f'database_url = "{url}"')
    assert "hunter2" not in str(refused.value)
    settings = place.load("", {"SEAWALL_DATABASE_URL": url})
    assert settings.database_url == url
    [row] = [row for row in settings.explain() if row.name == "database_url"]
    assert row.value_text == "postgresql://app@db.example.com/seawall"


@pytest.mark.parametrize(
    "stated",
    ['database_url = "mysql://db/x"', 'valkey_url = "http://localhost"', "[tls]\ncert = 'a.pem'",
     "[tls]\nauto = ['no domain']", "[backup]\nevery = 'often'", "[backup]\nevery = '1s'"],
)  # fmt: skip
def test_settings_of_a_grown_gateway_that_cannot_be(place: Place, stated: str) -> None:
    with pytest.raises(SettingsError, match=r"^seawall.toml line"):
        place.load(stated)


def test_settings_cannot_be_changed(place: Place) -> None:
    settings = place.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.stage = Stage.MVP


@pytest.mark.parametrize(
    "stated",
    [
        "api.example.com,www.example.com",
        "api.example.com, API.example.com., www.example.com",
        '["api.example.com", "www.example.com"]',
    ],
)
def test_domains_of_a_variable_are_several(place: Place, stated: str) -> None:
    assert place.load("", {"SEAWALL_TLS_AUTO": stated}).tls.auto == ["api.example.com", "www.example.com"]
