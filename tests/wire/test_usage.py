"""Usage objects of every dialect, as vendors write them: read whole, or not at all."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.money import Usage
from seawall.wire.chat.answer import read_answer
from seawall.wire.usage import (
    TOKENS_MAX,
    chat_usage,
    embeddings_usage,
    gemini_usage,
    messages_usage,
    responses_usage,
)

Reader = Callable[[Any], Usage | None]
READERS: tuple[Reader, ...] = (
    chat_usage, responses_usage, messages_usage, embeddings_usage, gemini_usage,
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            Usage(input=10, output=5),
            id="plain",
        ),
        pytest.param(
            {
                "prompt_tokens": 100,
                "completion_tokens": 9,
                "total_tokens": 409,
                "completion_tokens_details": {"reasoning_tokens": 300},
            },
            Usage(input=100, output=309, reasoning=300),
            id="xAI: reasoning beside the completion",
        ),
        pytest.param(
            {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109},
            Usage(input=35, output=74),
            id="Gemini: thoughts in the total alone",
        ),
        pytest.param(
            {"prompt_tokens": 35, "total_tokens": 40}, Usage(input=35, output=5), id="only the total"
        ),
        pytest.param(
            {
                "prompt_tokens": 90,
                "completion_tokens": 7,
                "total_tokens": 97,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 26,
            },
            Usage(input=90, output=7, cached_read=64),
            id="DeepSeek: hits of the cache",
        ),
        pytest.param(
            {"prompt_tokens": 90, "completion_tokens": 7, "cached_tokens": 64},
            Usage(input=90, output=7, cached_read=64),
            id="Moonshot: cached at the top",
        ),
        pytest.param(
            {
                "prompt_tokens": 90,
                "completion_tokens": 7,
                "cached_tokens": 64,
                "prompt_tokens_details": {"cached_tokens": 32},
            },
            Usage(input=90, output=7, cached_read=32),
            id="the details go first",
        ),
        pytest.param(
            {
                "queue_time": 0.03,
                "prompt_tokens": 90,
                "prompt_time": 0.001,
                "completion_tokens": 7,
                "total_tokens": 97,
                "total_time": 0.2,
                "prompt_tokens_details": {"cached_tokens": 50},
            },
            Usage(input=90, output=7, cached_read=50),
            id="Groq: times beside the tokens",
        ),
        pytest.param(
            {
                "prompt_tokens": 64,
                "completion_tokens": 6,
                "total_tokens": 70,
                "num_cached_tokens": 32,
                "prompt_audio_seconds": {},
            },
            Usage(input=64, output=6),
            id="Mistral: what its engine cached is not what it bills as cached",
        ),
        pytest.param(
            {
                "prompt_tokens": 500,
                "completion_tokens": 20,
                "total_tokens": 520,
                "cost": 0.0042,
                "is_byok": False,
                "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 300, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0},
            },
            Usage(input=500, output=20, cached_read=100, cached_write=300, image_output=0),
            id="OpenRouter: cache writes",
        ),
        pytest.param(
            {
                "prompt_tokens": 90,
                "completion_tokens": 7,
                "total_tokens": 97,
                "prompt_tokens_details": None,
                "completion_tokens_details": None,
            },
            Usage(input=90, output=7),
            id="Fireworks: details that are null",
        ),
        pytest.param(
            {
                "prompt_tokens": 90,
                "completion_tokens": 70,
                "prompt_tokens_details": {
                    "audio_tokens": 60,
                    "cached_tokens": 50,
                    "cached_tokens_details": {"audio_tokens": 40},
                },
                "completion_tokens_details": {"audio_tokens": 55},
            },
            Usage(input=90, output=70, cached_read=50, audio_input=60, audio_output=55, cached_audio_read=40),
            id="audio, some of it cached",
        ),
    ],
)
def test_chat_usage_knows_the_ways_of_vendors(told: dict[str, Any], usage: Usage) -> None:
    assert chat_usage(told) == usage


def test_responses_usage_includes_what_was_cached() -> None:
    told = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 140,
    }
    assert responses_usage(told) == Usage(input=100, output=40, cached_read=60, cached_write=20, reasoning=30)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        pytest.param(
            {
                "input_tokens": 10,
                "cache_read_input_tokens": 200,
                "cache_creation_input_tokens": 70,
                "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 40},
                "output_tokens": 5,
                "output_tokens_details": {"thinking_tokens": 2},
                "server_tool_use": {"web_search_requests": 3},
                "service_tier": "standard",
            },
            Usage(
                input=280, output=5, cached_read=200, cached_write=70, cached_write_1h=40, reasoning=2,
                web_searches=3,
            ),
            id="everything",
        ),
        pytest.param(
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": None,
                "cache_creation_input_tokens": None,
                "cache_creation": None,
                "server_tool_use": None,
            },
            Usage(input=10, output=5),
            id="nulls",
        ),
        pytest.param(
            {"input_tokens": 1, "output_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 9}},
            Usage(input=10, output=1, cached_write=9, cached_write_1h=9),
            id="writes told in their parts alone",
        ),
        pytest.param(
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "iterations": [
                    {"type": "compaction", "input_tokens": 900, "output_tokens": 50},
                    {"type": "message", "input_tokens": 10, "output_tokens": 5},
                ],
            },
            Usage(input=910, output=55),
            id="a compaction is billed beside the sums",
        ),
    ],
)  # fmt: skip
def test_messages_usage_adds_what_was_cached_to_the_input(told: dict[str, Any], usage: Usage) -> None:
    assert messages_usage(told) == usage


def test_embeddings_have_input_only() -> None:
    assert embeddings_usage({"prompt_tokens": 8, "total_tokens": 8}) == Usage(input=8)
    assert embeddings_usage({"total_tokens": 8}) == Usage(input=8)
    assert embeddings_usage({"prompt_tokens": 8, "completion_tokens": 0}) == Usage(input=8)


def test_gemini_counts_tools_and_thoughts_on_top() -> None:
    told = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 20,
        "cachedContentTokenCount": 60,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 40,
        "totalTokenCount": 190,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 10},
            {"modality": "AUDIO", "tokenCount": 90},
        ],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 25}],
    }
    assert gemini_usage(told) == Usage(
        input=120,
        output=70,
        cached_read=60,
        reasoning=40,
        audio_input=90,
        cached_audio_read=60,
        image_output=25,
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("told", [None, {}, [], "12", 7, {"total_tokens": "12"}, {"usage": {}}])
def test_what_says_nothing_is_not_read_as_zero(read: Reader, told: Any) -> None:
    assert read(told) is None


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (chat_usage, {"prompt_tokens": 10}),
        (chat_usage, {"completion_tokens": 10, "total_tokens": 20}),
        (chat_usage, {"prompt_tokens": 10, "completion_tokens": "5"}),
        (chat_usage, {"prompt_tokens": True, "completion_tokens": 5}),
        (chat_usage, {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": [1]}),
        (responses_usage, {"output_tokens": 10}),
        (messages_usage, {"input_tokens": 10}),
        (messages_usage, {"output_tokens": 10, "cache_read_input_tokens": 5}),
        (gemini_usage, {"candidatesTokenCount": 5}),
    ],
)
def test_half_a_usage_is_none(read: Reader, told: Any) -> None:
    assert read(told) is None


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (chat_usage, {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}),
        (responses_usage, {"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 1}}),
        (messages_usage, {"input_tokens": 1, "output_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 1}}),
        (messages_usage, {"input_tokens": 1, "output_tokens": 1, "iterations": [{"type": "compaction", "input_tokens": 1}]}),
        (embeddings_usage, {"prompt_tokens": 10}),
        (gemini_usage, {"promptTokenCount": 10, "cachedContentTokenCount": 5}),
        (gemini_usage, {"promptTokenCount": 10, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}]}),
    ],
)  # fmt: skip
def test_no_figure_is_negative_or_without_end(read: Reader, told: dict[str, Any]) -> None:
    assert read(told) is not None
    for path in paths(told):
        assert read(changed(told, path, -1)) is None
        huge = read(changed(told, path, 10**30))
        assert huge is not None
        assert all(figure is None or 0 <= figure <= TOKENS_MAX for figure in msgspec.structs.astuple(huge))


def paths(told: Any, *above: str | int) -> list[tuple[str | int, ...]]:
    """Return the way to every number."""
    if isinstance(told, int):
        return [above]
    if isinstance(told, str):
        return []
    items = told.items() if isinstance(told, dict) else enumerate(told)
    return [path for name, each in items for path in paths(each, *above, name)]


def changed(told: Any, path: tuple[str | int, ...], figure: int) -> Any:
    """Return a copy with another number at one place."""
    copy = json.loads(json.dumps(told))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = figure
    return copy


figures = st.none() | st.integers(-2, 10**13)
some_told = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": figures,
        "completion_tokens": figures,
        "total_tokens": figures,
        "prompt_tokens_details": st.none()
        | st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("cached_tokens", "audio_tokens", "cache_write_tokens"), figures)
        ),
        "prompt_cache_hit_tokens": figures,
        "cached_tokens": figures,
        "completion_tokens_details": st.none()
        | st.fixed_dictionaries({}, optional=dict.fromkeys(("reasoning_tokens", "audio_tokens"), figures)),
    },
)


@given(some_told)
def test_the_fast_way_reads_a_chat_usage_as_this_one_does(told: dict[str, Any]) -> None:
    assert read_answer(json.dumps({"choices": [], "usage": told}).encode()).event.usage == chat_usage(told)
