"""What load_settings says when something is wrong: one sentence, the place, never the value."""

from pathlib import Path

import pytest
from tests.fixtures.settings import Place, fake_key

from seawall.settings import SettingsError

FILE_ERRORS = [
    (
        '[budget]\ndaily_us = "5"',
        "seawall.toml line 2: unknown setting budget.daily_us; did you mean daily_usd?",
    ),
    ('[bugdet]\ndaily_usd = "5"', "seawall.toml line 1: unknown section [bugdet]; did you mean [budget]?"),
    ("x = 1", "seawall.toml line 1: unknown setting x."),
    (
        '[budget]\nstage = "mvp"',
        "seawall.toml line 2: unknown setting budget.stage; stage belongs at the top of the file, before"
        " the first"
        " [section].",
    ),
    ("port = 80", "seawall.toml line 1: unknown setting port; port belongs under [mail] or [server]."),
    (
        '[providers.a]\nbase_uri = "http://a"',
        "seawall.toml line 2: unknown setting providers.a.base_uri; did you mean base_url?",
    ),
    (
        '[prices.a]\ninput_usd = "1"',
        "seawall.toml line 2: unknown setting prices.a.input_usd; did you mean input_usd_per_mtok?",
    ),
    ("[log]\nenabled = true", "seawall.toml line 2: unknown setting log.enabled."),
    (
        '[prices.gpt-4.1]\ninput_usd_per_mtok = "1"',
        'seawall.toml line 1: a name with a dot in it needs quotes: write [prices."gpt-4.1"].',
    ),
    ("[server]\nport = 'web'", "seawall.toml line 2: server.port must be a whole number."),
    ("[server]\nport = 1.5", "seawall.toml line 2: server.port must be a whole number."),
    ("[server]\nport = true", "seawall.toml line 2: server.port must be a number."),
    ("[server]\nport = 65536", "seawall.toml line 2: server.port must be at most 65535."),
    ("[server]\nport = -1", "seawall.toml line 2: server.port must be at least 0."),
    ("[server]\nhost = 5", "seawall.toml line 2: server.host must be text in quotes."),
    ("[server]\nhost = ''", "seawall.toml line 2: server.host must not be empty."),
    ("[server]\ngrace_s = nan", "seawall.toml line 2: server.grace_s must be a number."),
    ("[timeouts]\ncall_s = 0", "seawall.toml line 2: timeouts.call_s must be more than 0."),
    (
        "[spending]\nundeclared_output_tokens = 9999999999",
        "seawall.toml line 2: spending.undeclared_output_tokens must be at most 1,000,000,000.",
    ),
    ("[log]\naccess = 'perhaps'", "seawall.toml line 2: log.access must be true or false."),
    ("[log]\nformat = 'xml'", 'seawall.toml line 2: log.format must be "json" or "text".'),
    (
        "stage = 'prod'",
        'seawall.toml line 1: stage must be "poc", "mvp", "alpha", "beta" or "production".',
    ),
    (
        "server = 5",
        "seawall.toml line 1: server must be a section, with its settings below its name in [brackets].",
    ),
    ('support_contact = "a\\nb"', "seawall.toml line 1: support_contact must be one line of plain text."),
    ("data_dir = ''", "seawall.toml line 1: data_dir must be the path of a folder."),
    (
        "[budget]\ndaily_usd = 'five'",
        'seawall.toml line 2: budget.daily_usd must be an amount in dollars such as "5.00", or "off".',
    ),
    (
        "[budget]\ndaily_usd = -1",
        'seawall.toml line 2: budget.daily_usd must be an amount in dollars such as "5.00", or "off".',
    ),
    (
        "[budget]\ndaily_usd = 1e999999",
        'seawall.toml line 2: budget.daily_usd must be an amount in dollars such as "5.00", or "off".',
    ),
    (
        '[prices.a]\ninput_usd_per_mtok = "1"',
        "seawall.toml line 1: prices.a.output_usd_per_mtok is missing and must be stated.",
    ),
    ("[providers.a]", "seawall.toml line 1: providers.a.base_url is missing and must be stated."),
    (
        '[providers.a]\nkind = "google"\nbase_url = "http://a"',
        'seawall.toml line 2: providers.a.kind must be "openai" or "anthropic".',
    ),
    (
        '[providers.demo]\nbase_url = "http://a"',
        "seawall.toml line 1: providers.demo is the name of the built-in model; choose another one.",
    ),
    (
        '[providers."a b"]\nbase_url = "http://a"',
        'seawall.toml line 1: providers."a b" must be a short name of letters, digits, - and _.',
    ),
    (
        '[providers.a]\nbase_url = "http://a"\nmodels = ["x",\n  5]',
        "seawall.toml line 3: providers.a.models.1 must be text in quotes.",
    ),
    (
        '[providers.a]\nbase_url = "http://a"\nmodels = 5',
        "seawall.toml line 3: providers.a.models must be a list of texts in quotes.",
    ),
    (
        'providers = { a = { base_url = "ftp://a" } }',
        'seawall.toml line 1: providers.a.base_url must be an address such as "https://api.example.com/v1".',
    ),
    (
        'providers.a.base_url = "https://a/v1?x=1"',
        "seawall.toml line 1: providers.a.base_url must be the plain address, without anything from ? or"
        " # on.",
    ),
    (
        '[limits]\nper_user = "lots"',
        'seawall.toml line 2: limits.per_user must be a rate such as "100/minute" or "10/second burst 20",'
        ' a list of them, or "off".',
    ),
    (
        "[retries]\nattempts = 6",
        "seawall.toml line 2: retries.attempts must be at most 5.",
    ),
    (
        "stage = 'mvp'\nstage = 'poc'",
        "seawall.toml is not valid TOML: Cannot overwrite a value (at line 2, column 14); texts need quotes,"
        " and each setting its own line.",
    ),
    (
        "[server]\nport = \nhost = 1",
        "seawall.toml is not valid TOML: Invalid value (at line 2, column 8); texts need quotes, and each"
        " setting"
        " its own line.",
    ),
    (
        'stage = "production"',
        "seawall.toml line 1: the stage production has no default budget; state at least one of daily_usd,"
        " monthly_usd and lifetime_usd under [budget].",
    ),
    (
        '[budget]\nmonthly_usd = "off"\ndaily_usd = "off"',
        'seawall.toml line 3: budget.daily_usd is "off" and no other period has a limit, but there must'
        " always be"
        " one; state an amount for daily_usd, monthly_usd or lifetime_usd.",
    ),
]


@pytest.mark.parametrize(("toml", "expected"), FILE_ERRORS)
def test_a_mistake_in_the_file_is_named_with_its_line(place: Place, toml: str, expected: str) -> None:
    assert place.refuses(toml) == expected


ENVIRONMENT_ERRORS = [
    (
        {"SEAWALL_SERVER_PORT": "web"},
        "environment SEAWALL_SERVER_PORT: server.port must be a whole number.",
    ),
    (
        {"SEAWALL_PROVIDERS__MOCK__FREE": "true"},
        "environment SEAWALL_PROVIDERS__MOCK__FREE: providers.mock.base_url is missing and must be stated.",
    ),
    (
        {"SEAWALL_STAGE": "production"},
        "environment SEAWALL_STAGE: the stage production has no default budget; state at least one of"
        " daily_usd,"
        " monthly_usd and lifetime_usd under [budget].",
    ),
    (
        {"SEAWALL_ADMIN_KEY": "short"},
        "environment SEAWALL_ADMIN_KEY is too short: an admin key needs at least 16 characters; leave it"
        " out to"
        " have one made.",
    ),
    (
        {"SEAWALL_CONFIG": "none.toml"},
        "none.toml (named by SEAWALL_CONFIG) does not exist; create it, or leave it out to start with the"
        " defaults.",
    ),
    (
        {"SEAWALL_SECRETS_DIR": "none"},
        "environment SEAWALL_SECRETS_DIR must be the path of a folder that exists.",
    ),
]


@pytest.mark.parametrize(("environ", "expected"), ENVIRONMENT_ERRORS)
def test_a_mistake_in_the_environment_names_the_variable(
    place: Place, environ: dict[str, str], expected: str
) -> None:
    assert place.refuses(environ=environ) == expected


def test_a_mistake_on_the_command_line_names_the_option(place: Place) -> None:
    with pytest.raises(SettingsError, match=r"^--port: server\.port must be at most 65535\.$"):
        place.load(server__port=70_000)


def test_a_file_that_cannot_be_read_is_named(place: Place) -> None:
    with pytest.raises(SettingsError, match=r"^no\.toml does not exist; create it"):
        place.load(config=Path("no.toml"))
    (place.cwd / "seawall.toml").mkdir()
    assert place.refuses() == "seawall.toml is a folder; name a file."


def test_a_file_that_is_not_text_is_named_with_its_line(place: Place) -> None:
    (place.cwd / "seawall.toml").write_bytes(b'stage = "poc"\nsupport_contact = "\xff"\n')
    assert place.refuses() == "seawall.toml line 2 is not UTF-8; save the file as UTF-8 text."


def test_a_file_that_is_far_too_large_is_refused(place: Place) -> None:
    assert place.refuses("#" * 300_000) == (
        "seawall.toml is larger than 256 KB; that cannot be a list of settings."
    )


@pytest.mark.parametrize("number", ["9" * 5000, "1e99999999999999999999"])
def test_a_number_that_is_far_too_long_is_refused(place: Place, number: str) -> None:
    assert place.refuses(f"[server]\nport = {number}") == (
        "seawall.toml holds a number that is far too long; write a shorter one."
    )


def test_a_file_that_is_nested_too_deeply_is_refused(place: Place) -> None:
    assert place.refuses("x = " + "[" * 100_000).startswith("seawall.toml is nested too deeply")


KEYS_IN_FILES = [
    ('[providers.a]\napi_key = "{key}"', "seawall.toml line 2 holds what looks like a key; "),
    ('[providers.a]\nbase_url = "http://a"\n# {key}', "seawall.toml line 3 holds what looks like a key; "),
    ('[providers."{key}"]\n', "seawall.toml line 1 holds what looks like a key; "),
    ("[providers.a\n{key}", "seawall.toml line 2 holds what looks like a key; "),
]


@pytest.mark.parametrize("start", ["sk-", "sk-ant-", "AIza", "gsk_", "xai-", "sw-"])
@pytest.mark.parametrize(("toml", "expected"), KEYS_IN_FILES)
def test_a_key_in_the_file_is_refused_and_not_repeated(
    place: Place, start: str, toml: str, expected: str
) -> None:
    message = place.refuses(toml.replace("{key}", fake_key(start)))
    assert message == expected + (
        "keys do not belong in this file: move it to the environment or to .env (for a provider,"
        " api_key_env names"
        " the variable), and rotate it if the file was ever committed or shared."
    )


def test_the_file_of_a_key_may_be_named_and_the_key_itself_not(place: Place) -> None:
    settings = place.load("[tls]\ncert = 'cert.pem'\nkey = 'private/key.pem'\n")
    assert (settings.tls.mode, settings.tls.key) == ("files", Path("private/key.pem"))
    pem = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"
    message = place.refuses(f'[tls]\ncert = \'cert.pem\'\nkey = """{pem}"""\n')
    assert message.startswith("seawall.toml line 3: tls.key is a key or is named like one; ")
    assert "hunter2" not in message


@pytest.mark.parametrize("name", ["api_key", "key", "token", "secret", "password", "Api-Key"])
def test_a_setting_named_like_a_key_is_refused_whatever_it_holds(place: Place, name: str) -> None:
    message = place.refuses(f'[providers.a]\nbase_url = "http://a"\n{name} = "hunter2"')
    assert message.startswith(f"seawall.toml line 3: providers.a.{name} is a key or is named like one; ")
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "toml",
    [
        '[providers.a]\nbase_url = "http://me:hunter2@a/v1"',
        '[providers.a]\nbase_url = "http://a"\napi_key_env = "hunter2"',
        'support_contact = ["hunter2"]',
        'hunter = "hunter2"',
        '[budget]\ndaily_usd = "hunter2"',
        'stage = "hunter2"',
    ],
)
def test_a_value_is_never_repeated(place: Place, toml: str) -> None:
    assert "hunter2" not in place.refuses(toml)
