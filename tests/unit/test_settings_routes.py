"""What can be stated about routing: aliases, keys, dialects, retries, the breaker; and what is refused."""

import pytest
from tests.fixtures.settings import Place

from seawall.core.routing import Alternative, HealthRules, RetryRules
from seawall.settings import describe_settings

PROVIDER = '[providers.a]\nbase_url = "http://a"\n'


def test_nothing_stated_is_one_retry_a_breaker_and_no_alias(place: Place) -> None:
    settings = place.load()
    assert settings.aliases() == {}
    assert settings.retry_rules() == RetryRules()
    assert settings.health_rules() == HealthRules()


def test_names_alone_are_tried_in_their_order(place: Place) -> None:
    settings = place.load(
        '[models.fast]\ntargets = ["openai/mini", "groq/llama"]\nfallbacks = ["local/big"]\n'
    )
    assert settings.aliases() == {
        "fast": (
            Alternative("openai/mini", 1.0, 0, "seawall.toml line 2"),
            Alternative("groq/llama", 1.0, 1, "seawall.toml line 2"),
            Alternative("local/big", 1.0, 2, "seawall.toml line 3"),
        )
    }


def test_targets_with_weights_are_alternatives_before_the_fallbacks(place: Place) -> None:
    settings = place.load(
        "[models.smart]\ntargets = [\n"
        '  { model = "openai/gpt-5", weight = 3 },\n  { model = "azure/gpt-5", weight = 1 },\n]\n'
        'fallbacks = ["anthropic/opus", "groq/llama"]\n'
    )
    assert [(each.model, each.weight, each.tier) for each in settings.aliases()["smart"]] == [
        ("openai/gpt-5", 3.0, 0),
        ("azure/gpt-5", 1.0, 0),
        ("anthropic/opus", 1.0, 1),
        ("groq/llama", 1.0, 2),
    ]
    [targets] = [row for row in settings.explain() if row.name == "models.smart.targets"]
    assert targets[1:3] == ("openai/gpt-5 (weight 3), azure/gpt-5 (weight 1)", "seawall.toml line 2")


def test_a_name_may_be_that_of_a_real_model_and_stand_for_it(place: Place) -> None:
    settings = place.load('[models."gpt-4.1"]\ntargets = ["gpt-4.1"]\nfallbacks = ["groq/llama"]\n')
    assert [each.model for each in settings.aliases()["gpt-4.1"]] == ["gpt-4.1", "groq/llama"]


def test_a_variable_states_an_alias(place: Place) -> None:
    settings = place.load(
        '[models."gpt-4.1"]\ntargets = ["x"]\n',
        {
            "SEAWALL_MODELS__FAST__TARGETS": "openai/mini, groq/llama",
            "SEAWALL_MODELS__GPT_4_1__TARGETS": '["y"]',
        },
    )
    assert {name: [each.model for each in found] for name, found in settings.aliases().items()} == {
        "fast": ["openai/mini", "groq/llama"],
        "gpt-4.1": ["y"],
    }
    assert settings.aliases()["fast"][0].origin == "environment SEAWALL_MODELS__FAST__TARGETS"


@pytest.mark.parametrize(
    ("stated", "variables"),
    [
        ("", ()),
        ('api_key_env = "A_KEY"', ("A_KEY",)),
        ('api_key_env = ["A_KEY", "B_KEY"]', ("A_KEY", "B_KEY")),
    ],
)
def test_a_provider_has_a_key_or_several_or_none(
    place: Place, stated: str, variables: tuple[str, ...]
) -> None:
    settings = place.load(PROVIDER + stated)
    assert settings.providers["a"].key_variables == variables
    assert [row.name for row in settings.explain() if row.name.isupper()] == ["SEAWALL_ADMIN_KEY", *variables]


def test_variables_state_keys_and_dialects(place: Place) -> None:
    environ = {
        "SEAWALL_PROVIDERS__A__API_KEY_ENV": "A_KEY,B_KEY",
        "SEAWALL_PROVIDERS__A__KIND": "anthropic",
        "SEAWALL_PROVIDERS__A__DIALECTS": "messages,chat,messages",
    }
    stated = place.load(PROVIDER, environ).providers["a"]
    assert (stated.key_variables, stated.kind, stated.dialects) == (
        ("A_KEY", "B_KEY"),
        "anthropic",
        ["messages", "chat"],
    )


def test_retries_and_the_breaker_reach_route_planning(place: Place) -> None:
    settings = place.load(
        "[retries]\nattempts = 3\nwait_s_max = 2\nbackoff_s = 0.5\n[breaker]\nfailures = 2\ncooldown_s = 7\n"
    )
    assert settings.retry_rules() == RetryRules(attempts=3, wait_s_max=2.0, base_s=0.5)
    assert settings.health_rules() == HealthRules(failures=2, cooldown_s=7.0, cooldown_s_max=70.0)


def test_retries_and_the_breaker_can_be_switched_off(place: Place) -> None:
    settings = place.load("[retries]\nattempts = 0\n[breaker]\nfailures = 0\n")
    assert (settings.retry_rules().attempts, settings.health_rules().failures) == (0, 0)


def test_every_time_has_its_unit(place: Place) -> None:
    units = {f"{row.section}.{row.name}": row.unit for row in describe_settings()}
    names = ("retries.wait_s_max", "retries.backoff_s", "breaker.cooldown_s", "timeouts.first_token_s")
    assert {units[name] for name in names} == {"seconds"}


ERRORS = [
    ("[models.fast]", "seawall.toml line 1: models.fast.targets is missing and must be stated."),
    ("[models.fast]\ntargets = []", "seawall.toml line 2: models.fast.targets must not be empty."),
    (
        "[models.fast]\ntargets = 5",
        'seawall.toml line 2: models.fast.targets must be a list such as ["openai/gpt-5", "groq/llama-4"], or of'
        ' tables such as { model = "openai/gpt-5", weight = 3 }.',
    ),
    (
        '[models.fast]\ntargets = ["a", 5]',
        'seawall.toml line 2: models.fast.targets must be a list such as ["openai/gpt-5", "groq/llama-4"], or of'
        ' tables such as { model = "openai/gpt-5", weight = 3 }.',
    ),
    (
        '[models.fast]\ntargets = [{ model = "a", weight = 0 }]',
        "seawall.toml line 2: models.fast.targets.0.weight must be at least 1.",
    ),
    (
        '[models.fast]\ntargets = [{ model = "a", weight = 1.5 }]',
        "seawall.toml line 2: models.fast.targets.0.weight must be a whole number.",
    ),
    (
        "[models.fast]\ntargets = [{ weight = 1 }]",
        "seawall.toml line 2: models.fast.targets.0.model is missing and must be stated.",
    ),
    (
        '[models.fast]\ntargets = [{ model = "a", wait = 1 }]',
        "seawall.toml line 2: unknown setting models.fast.targets.0.wait.",
    ),
    (
        '[models.fast]\ntargets = [{ model = "a", weight = 2 }, "b"]',
        "seawall.toml line 1: models.fast must have a weight for each of its targets, or for none of them.",
    ),
    (
        '[models.fast]\ntargets = ["a"]\nfallbacks = ["b", "a"]',
        "seawall.toml line 1: models.fast names the same model twice.",
    ),
    (
        f"[models.fast]\ntargets = {[f'm{n}' for n in range(9)]}",
        "seawall.toml line 2: models.fast.targets is too long: at most 8.",
    ),
    (
        '[models.fast]\ntarget = ["a"]',
        "seawall.toml line 2: unknown setting models.fast.target; did you mean targets?",
    ),
    (
        '[models.fast]\ntargets = ["a"]\n[models."top.1"]\ntargets = ["x"]\nfallbacks = ["b", "fast"]',
        'seawall.toml line 5: models."top.1" stands for fast, which is an alias itself; name the models that it'
        " stands for, each with its provider, as in openai/gpt-5.",
    ),
    (
        '[models.gpt-4.1]\ntargets = ["a"]',
        'seawall.toml line 1: a name with a dot in it needs quotes: write [models."gpt-4.1"].',
    ),
    (
        PROVIDER + 'api_key_env = ["A_KEY", "A_KEY"]',
        "seawall.toml line 3: providers.a.api_key_env names a variable twice.",
    ),
    (
        PROVIDER + "api_key_env = []",
        "seawall.toml line 3: providers.a.api_key_env must not be empty.",
    ),
    (
        PROVIDER + "api_key_env = [5]",
        "seawall.toml line 3: providers.a.api_key_env must be the name of an environment variable, or a list"
        ' such as ["A_KEY", "B_KEY"].',
    ),
    (
        PROVIDER + 'dialects = ["chat", "grpc"]',
        "seawall.toml line 3: providers.a.dialects must be a list of one or more of chat, responses, embeddings,"
        " messages, each in quotes.",
    ),
    (
        PROVIDER + "dialects = []",
        "seawall.toml line 3: providers.a.dialects must be a list of one or more of chat, responses, embeddings,"
        " messages, each in quotes.",
    ),
    ("[retries]\nwait_s_max = -1", "seawall.toml line 2: retries.wait_s_max must be at least 0."),
    ("[breaker]\ncooldown_s = 0", "seawall.toml line 2: breaker.cooldown_s must be more than 0."),
    ("[breaker]\nfailures = true", "seawall.toml line 2: breaker.failures must be a number."),
]


@pytest.mark.parametrize(("toml", "expected"), ERRORS)
def test_a_mistake_is_named_with_its_line(place: Place, toml: str, expected: str) -> None:
    assert place.refuses(toml) == expected


def test_a_list_of_variables_never_repeats_what_it_holds(place: Place) -> None:
    assert "hunter2" not in place.refuses(PROVIDER + 'api_key_env = ["A_KEY", "hunter2"]')
