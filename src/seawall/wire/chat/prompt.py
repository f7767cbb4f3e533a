"""Chat completions requests, read as prompts and written from them.

Reference: the OpenAI API reference, "Chat Completions", the types of its Python library 3.57, and the pages
of OpenRouter, DeepSeek, Mistral and Google on reasoning, read 2026-11.
"""

from typing import Any

from seawall.core.call import Request
from seawall.core.errors import InvalidRequest
from seawall.wire.chat.conversation import say_turns
from seawall.wire.chat.parts import TARGET
from seawall.wire.chat.tools import (
    OPENAI,
    read_choice,
    read_output,
    read_tools,
    say_choice,
    say_output,
    say_tool,
)
from seawall.wire.chat.turns import read_turns
from seawall.wire.fields import Fields
from seawall.wire.prompt import (
    Option,
    Prompt,
    Target,
    Thinking,
    Written,
    refuse_options,
    without_bare_reasoning,
)

_NOTHING: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "store": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
}
"""Values that say no more than leaving the field out."""

_SAID = frozenset(
    {
        "temperature",
        "top_p",
        "stop",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
    }
)
_SAID_BY = {
    "prompt_cache_key": OPENAI,
    "prompt_cache_options": OPENAI,
    "prompt_cache_retention": OPENAI,
    "service_tier": OPENAI,
    "user": OPENAI,  # Beside an end user of another name.
    "verbosity": (*OPENAI, "openrouter", ""),
    "top_k": ("openrouter", "together", "fireworks", "vllm"),
}
"""Options that only some vendors know."""

_HINTS = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
_SILENT: dict[str, tuple[Any, ...]] = {
    **_NOTHING,
    "service_tier": ("auto", "default", "standard_only"),
    "truncation": ("disabled",),
    "background": (False,),
    "store": (False, True),  # What a gateway stores is no matter of the vendor's.
}
_EFFORTS = ((2_048, "low"), (8_192, "medium"))
"""Up to how many tokens of a budget an effort is said in its place."""


def read_prompt(request: Request) -> Prompt:
    """Read a request; fields of the body that are not known become options under their own names.

    Raises InvalidRequest for what cannot be right, Untranslatable for unknown fields inside of messages,
    tools and the like.
    """
    body = Fields(request.body, "")
    for name in ("model", "max_completion_tokens", "max_tokens"):
        body.take(name)
    is_legacy = bool(request.body.get("functions"))
    prompt = Prompt(
        model=request.model,
        turns=read_turns(body),
        tools=read_tools(body),
        tool_choice=read_choice(body),
        parallel_tools=_read_parallel(body, is_legacy=is_legacy),
        max_tokens=request.cap.tokens,
        stream=bool(body.boolean("stream")),
        output=read_output(body),
        thinking=_read_thinking(body),
        end_user=body.text("safety_identifier") or body.text("user") or None,
        options=_read_options(body),
    )
    return prompt


def _read_parallel(body: Fields, *, is_legacy: bool) -> bool | None:
    """Read whether tools may be called together; with `functions` there is one call at a time."""
    parallel = body.boolean("parallel_tool_calls")
    return False if is_legacy or parallel is False else None


def _read_thinking(body: Fields) -> Thinking | None:
    """Read `reasoning_effort`, OpenRouter's `reasoning`, or the `thinking` of DeepSeek and others."""
    effort = body.text("reasoning_effort")
    reasoning, thinking = body.schema("reasoning"), body.schema("thinking")
    if effort is not None:
        if effort == "none":
            _refuse_second(body, thinking, "thinking")
            return Thinking(is_on=False, path="reasoning_effort")
        _refuse_second(body, reasoning, "reasoning")
        if thinking is not None and thinking != {"type": "enabled"}:
            _refuse_second(body, thinking, "thinking")
        return Thinking(effort=effort, path="reasoning_effort")
    if reasoning is not None:
        _refuse_second(body, thinking, "thinking")
        return _read_reasoning(Fields(reasoning, "reasoning"))
    if thinking is None:
        return None
    fields = Fields(thinking, "thinking")
    kind = fields.needed_text("type")
    budget_tokens = fields.whole("budget_tokens")
    fields.end()
    if kind not in ("enabled", "disabled", "adaptive", "auto"):
        raise InvalidRequest("thinking.type must be enabled, disabled or adaptive.", param="thinking.type")
    return Thinking(
        is_on=kind != "disabled",
        budget_tokens=budget_tokens,
        is_adaptive=kind in ("adaptive", "auto"),
        path="thinking",
    )


def _read_reasoning(fields: Fields) -> Thinking:
    is_on = fields.boolean("enabled") is not False
    effort = fields.text("effort")
    is_hidden = fields.boolean("exclude")
    budget_tokens = fields.whole("max_tokens")
    fields.end()
    return Thinking(
        is_on=is_on and effort != "none",
        effort=None if effort == "none" else effort,
        budget_tokens=budget_tokens,
        summary="omitted" if is_hidden else None,
        path="reasoning",
    )


def _refuse_second(body: Fields, value: Any, name: str) -> None:
    if value is not None:
        raise InvalidRequest(f"{name} and reasoning_effort say two things of one kind.", param=name)


def _read_options(body: Fields) -> dict[str, Option]:
    """Read what has no field in a prompt; values that say nothing are left out."""
    options: dict[str, Option] = {}
    stream_options = body.take("stream_options") or {}
    for name, value in stream_options.items():
        if name not in ("include_usage", "include_obfuscation") and value is not None:
            options[f"stream_options.{name}"] = Option(value, f"stream_options.{name}")
    stop = body.take("stop")
    if stop:
        options["stop"] = Option([stop] if isinstance(stop, str) else stop, "stop")
    for name, value in body.rest().items():
        if value not in _NOTHING.get(name, ()) and value != []:
            options[name] = Option(value, name)
    return options


def write_prompt(prompt: Prompt, target: Target) -> Written:
    """Write a request for a vendor that speaks chat completions.

    Raises Untranslatable, naming the client's field, for what the dialect or the vendor cannot say.
    """
    notes: dict[str, str] = {}
    if not target.takes_reasoning:
        prompt = without_bare_reasoning(prompt, notes)
    body: dict[str, Any] = {"model": target.model, "messages": say_turns(prompt.turns, target, notes)}
    if prompt.tools:
        body["tools"] = [say_tool(tool, target, notes) for tool in prompt.tools]
    if prompt.tool_choice is not None:
        body["tool_choice"] = say_choice(prompt.tool_choice, prompt, target)
    if prompt.parallel_tools is False:
        body["parallel_tool_calls"] = False
    if prompt.max_tokens is not None:
        body["max_completion_tokens"] = prompt.max_tokens
    if prompt.stream:
        body["stream"] = True
    if prompt.output is not None:
        body["response_format"] = say_output(prompt.output, notes)
    if prompt.thinking is not None:
        body |= _say_thinking(prompt.thinking, target, notes)
    if prompt.end_user is not None:
        body |= _say_end_user(prompt.end_user, target, notes)
    body |= _say_options(prompt, target, notes)
    return Written(body, notes)


def _say_thinking(thinking: Thinking, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    path = thinking.path or "thinking"
    if target.vendor == "openrouter":
        return _say_to_openrouter(thinking, notes)
    if thinking.summary is not None:
        notes[f"{path}.summary"] = "the provider decides what it shows of its reasoning"
    if not thinking.is_on:
        if target.vendor == "deepseek":
            return {"thinking": {"type": "disabled"}}
        return {"reasoning_effort": "none"}
    effort = thinking.effort
    if effort is None and thinking.budget_tokens is not None:
        tokens = thinking.budget_tokens
        effort = next((word for most, word in _EFFORTS if tokens <= most), "high")
        notes[f"{path}.budget_tokens"] = f"said as the effort {effort}"
    if effort is not None:
        return {"reasoning_effort": effort}
    notes[path] = "the provider decides how much to reason"
    return {}


def _say_to_openrouter(thinking: Thinking, notes: dict[str, str]) -> dict[str, Any]:
    if not thinking.is_on:
        return {"reasoning": {"enabled": False}}
    said: dict[str, Any] = {}
    if thinking.effort is not None:
        said["effort"] = thinking.effort
    elif thinking.budget_tokens is not None:
        said["max_tokens"] = thinking.budget_tokens
    else:
        said["enabled"] = True
    if thinking.summary == "omitted":
        said["exclude"] = True
    elif thinking.summary is not None:
        notes[f"{thinking.path}.summary"] = "the provider decides what it shows of its reasoning"
    return {"reasoning": said}


def _say_end_user(end_user: str, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    if target.vendor in OPENAI:
        return {"safety_identifier": end_user}
    if target.vendor == "mistral":
        notes["user"] = "the provider does not want to know it"
        return {}
    return {"user": end_user}


def _say_options(prompt: Prompt, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    said = set(_SAID)
    for name, vendors in _SAID_BY.items():
        if target.vendor in vendors:
            said.add(name)
    hints = {name for name in _HINTS if name in prompt.options and name not in said}
    for name in hints:
        notes[name] = "the provider caches by itself"
    metadata = prompt.options.get("metadata")
    if metadata is not None and metadata.value:
        notes["metadata"] = "it says nothing to the model"
        hints.add("metadata")
    refuse_options(prompt, frozenset(said | hints), _SILENT, TARGET)
    body: dict[str, Any] = {}
    for name, option in prompt.options.items():
        if name not in said or option.value is None or option.value in _SILENT.get(name, ()):
            continue
        body[name] = option.value
    return body
