"""What vendors say that a call used, read from the usage objects of every dialect.

Invariants:
- `None` means that nothing usable was said: the caller meters instead. It is never read as zero.
- A figure that is negative, or of another type than documented, makes the whole object unusable.
- No figure is believed beyond TOKENS_MAX; what that many tokens cost still fits into the ledger.

References, read 2026-11: the API references of OpenAI (chat completions, responses, embeddings), Anthropic
(messages) and Google (generateContent, UsageMetadata), and the extractors of genai-prices 0.2.3.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from seawall.core.money import Usage

TOKENS_MAX = 10**12

T = TypeVar("T")


class _CachedDetails(Struct):
    audio_tokens: int | None = None


class _InputDetails(Struct):
    cached_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_tokens: int | None = None
    cached_tokens_details: _CachedDetails | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class ChatUsage(Struct):
    """The usage object of a chat completion, as far as it is read."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    cached_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None


def chat_usage(value: Any) -> Usage | None:
    """Read the usage of a chat completion, as OpenAI and those who follow it write it.

    Some vendors count reasoning in the total and not in the completion (xAI, Gemini's OpenAI endpoint): the
    larger figure is billed. Cached tokens stand in `prompt_tokens_details`; else in `prompt_cache_hit_tokens`
    (DeepSeek) or `cached_tokens` (Moonshot). Cache writes are OpenAI's and OpenRouter's.
    """
    return read_chat_usage(_read(value, ChatUsage))


def read_chat_usage(told: ChatUsage | None) -> Usage | None:
    """Read a usage object that is decoded already; see `chat_usage`."""
    if told is None or told.prompt_tokens is None:
        return None
    details = told.prompt_tokens_details or _InputDetails()
    return _usage(
        told.prompt_tokens,
        told.completion_tokens,
        told.total_tokens,
        details,
        told.completion_tokens_details or _OutputDetails(),
        cached=_first(details.cached_tokens, told.prompt_cache_hit_tokens, told.cached_tokens),
    )


class _Responses(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


def responses_usage(value: Any) -> Usage | None:
    """Read the usage of a response in OpenAI's Responses API; `input_tokens` includes what was cached."""
    told = _read(value, _Responses)
    if told is None or told.input_tokens is None:
        return None
    details = told.input_tokens_details or _InputDetails()
    return _usage(
        told.input_tokens,
        told.output_tokens,
        told.total_tokens,
        details,
        told.output_tokens_details or _OutputDetails(),
        cached=details.cached_tokens,
    )


class _CacheCreation(Struct):
    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class _ServerTools(Struct):
    web_search_requests: int | None = None


class _Thinking(Struct):
    thinking_tokens: int | None = None


class _Iteration(Struct):
    type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None


class _Messages(_Iteration):
    server_tool_use: _ServerTools | None = None
    output_tokens_details: _Thinking | None = None
    iterations: list[_Iteration] | None = None


BESIDE = ("compaction", "advisor_message")
"""Iterations whose tokens are not in Anthropic's sums (anthropic-sdk-python, BetaUsage, read 2026-11)."""


def messages_usage(value: Any) -> Usage | None:
    """Read the usage of one of Anthropic's messages, whose `input_tokens` leaves out what was cached.

    In a stream its parts come in `message_start` and in `message_delta`: hand in the two objects as one,
    with what came later on top, leaving out its nulls.
    """
    told = _read(value, _Messages)
    if told is None or told.input_tokens is None or told.output_tokens is None:
        return None
    beside = [each for each in told.iterations or () if each.type in BESIDE]
    columns = [_figures(each) for each in (told, *beside)]
    reasoning = (told.output_tokens_details or _Thinking()).thinking_tokens or 0
    searches = (told.server_tool_use or _ServerTools()).web_search_requests or 0
    if min(reasoning, searches, *(figure for column in columns for figure in column)) < 0:
        return None
    plain, output, read, written, hour = (sum(figures) for figures in zip(*columns, strict=True))
    return _clamped(
        input=plain + read + written,
        output=output,
        cached_read=read,
        cached_write=written,
        cached_write_1h=hour,
        reasoning=reasoning,
        web_searches=searches,
    )


def _figures(told: _Iteration) -> tuple[int, int, int, int, int]:
    """Return plain input, output, cached read, cached write and how much of that is kept for an hour."""
    kept = told.cache_creation or _CacheCreation()
    minutes, hour = kept.ephemeral_5m_input_tokens or 0, kept.ephemeral_1h_input_tokens or 0
    written = told.cache_creation_input_tokens or 0
    if min(minutes, hour, written) < 0:
        return 0, 0, 0, -1, 0
    return (
        told.input_tokens or 0,
        told.output_tokens or 0,
        told.cache_read_input_tokens or 0,
        max(written, minutes + hour),
        hour,
    )


def embeddings_usage(value: Any) -> Usage | None:
    """Read the usage of embeddings, which have input only; some vendors tell only the total."""
    told = _read(value, ChatUsage)
    tokens = _first(told.prompt_tokens, told.total_tokens) if told else None
    if tokens is None or tokens < 0:
        return None
    return Usage(input=min(tokens, TOKENS_MAX))


class _Modality(Struct, rename="camel"):
    modality: str | None = None
    token_count: int | None = None


class _Gemini(Struct, rename="camel"):
    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    prompt_tokens_details: list[_Modality] | None = None
    tool_use_prompt_tokens_details: list[_Modality] | None = None
    cache_tokens_details: list[_Modality] | None = None
    candidates_tokens_details: list[_Modality] | None = None


def gemini_usage(value: Any) -> Usage | None:
    """Read the `usageMetadata` of Google's generateContent.

    The prompt includes what was cached; what hosted tools read and what the model thought come on top of
    prompt and candidates. A field that would be zero is left out.
    """
    told = _read(value, _Gemini)
    if told is None or told.prompt_token_count is None:
        return None
    tools, cached = told.tool_use_prompt_token_count or 0, told.cached_content_token_count or 0
    reasoning = told.thoughts_token_count or 0
    figures = [
        told.prompt_token_count,
        tools,
        told.candidates_token_count or 0,
        reasoning,
        cached,
        *(each.token_count or 0 for part in _details(told) for each in part),
    ]
    if min(figures) < 0:
        return None
    asked, made, kept = told.prompt_tokens_details, told.candidates_tokens_details, told.cache_tokens_details
    return _clamped(
        input=told.prompt_token_count + tools,
        output=(told.candidates_token_count or 0) + reasoning,
        cached_read=cached,
        reasoning=reasoning,
        audio_input=_of(asked, "AUDIO") + _of(told.tool_use_prompt_tokens_details, "AUDIO"),
        audio_output=_of(made, "AUDIO"),
        cached_audio_read=_of(kept, "AUDIO"),
        image_output=None if made is None else _of(made, "IMAGE"),
    )


def _details(told: _Gemini) -> list[list[_Modality]]:
    every = (
        told.prompt_tokens_details,
        told.tool_use_prompt_tokens_details,
        told.cache_tokens_details,
        told.candidates_tokens_details,
    )
    return [each for each in every if each]


def _of(details: list[_Modality] | None, modality: str) -> int:
    return sum(each.token_count or 0 for each in details or () if each.modality == modality)


def _read(value: Any, form: type[T]) -> T | None:
    """Return the object in its form, `None` where it is another thing."""
    if not isinstance(value, dict):
        return None
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError:
        return None


def _first(*figures: int | None) -> int | None:
    return next((each for each in figures if each is not None), None)


def _usage(
    input_tokens: int,
    output_tokens: int | None,
    total_tokens: int | None,
    inputs: _InputDetails,
    outputs: _OutputDetails,
    *,
    cached: int | None,
) -> Usage | None:
    """Put the figures of OpenAI's dialects together; `None` where one is missing or negative."""
    if output_tokens is None and total_tokens is None:
        return None
    cached_audio = inputs.cached_tokens_details and inputs.cached_tokens_details.audio_tokens
    return _clamped(
        input=input_tokens,
        output=max(output_tokens or 0, (total_tokens or 0) - input_tokens),
        cached_read=cached or 0,
        cached_write=inputs.cache_write_tokens or 0,
        reasoning=outputs.reasoning_tokens or 0,
        audio_input=inputs.audio_tokens or 0,
        audio_output=outputs.audio_tokens or 0,
        cached_audio_read=cached_audio or 0,
        image_output=outputs.image_tokens,
    )


def _clamped(**figures: int | None) -> Usage | None:
    """Return the usage that these figures are, `None` where one is negative."""
    known = {name: figure for name, figure in figures.items() if figure}
    if known and min(known.values()) < 0:
        return None
    if known and max(known.values()) > TOKENS_MAX:
        known = {name: min(figure, TOKENS_MAX) for name, figure in known.items()}
    if figures.get("image_output") == 0:
        known["image_output"] = 0
    return Usage(**known)  # type: ignore[arg-type]  # `exact` is a bool.
