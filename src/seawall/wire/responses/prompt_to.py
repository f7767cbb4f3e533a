"""Writes a Prompt as a responses request.

Reference: the OpenAI API reference, "Responses", read 2026-11.
"""

import re
from typing import Any

from seawall.wire.prompt import (
    OutputFormat,
    Part,
    Prompt,
    Reasoning,
    Target,
    TextPart,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
    Written,
    cannot_say,
    refuse_options,
    without_bare_reasoning,
)
from seawall.wire.responses.parts import TARGET, note_cache, say_parts
from seawall.wire.responses.request import ENCRYPTED

_SAID = frozenset(
    {
        "temperature",
        "top_p",
        "verbosity",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
        "metadata",
        "service_tier",
        "stream_options",  # Usage comes at the end of every stream.
    }
)
_AS_THEY_ARE = (
    "temperature",
    "top_p",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
)
_SILENT: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "n": (1,),
    "presence_penalty": (0,),
    "stop": ([], ()),
    "store": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
}
_ORDINARY_TIERS = (None, "auto", "default", "standard_only")
_LOW_BUDGET, _MEDIUM_BUDGET = 2_048, 8_192
_CAP_MIN = 16
_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]")


def write_prompt(prompt: Prompt, target: Target) -> Written:
    """Write the body; raises Untranslatable, by the path in the client's body, for what cannot be said."""
    refuse_options(prompt, _SAID, _SILENT, TARGET)
    notes: dict[str, str] = {}
    body: dict[str, Any] = {"model": target.model}
    turns = without_bare_reasoning(prompt, notes).turns
    if _is_instructions(turns):
        first, *rest = turns
        assert isinstance(first.parts[0], TextPart)
        note_cache(first.parts[0], notes)
        body["instructions"], turns = first.parts[0].text, tuple(rest)
    body["input"] = [item for turn in turns for item in _say_turn(turn, target, notes)]
    if prompt.tools:
        body["tools"] = [_say_tool(tool, notes) for tool in prompt.tools]
    if prompt.tool_choice is not None:
        body["tool_choice"] = _say_choice(prompt.tool_choice, prompt.tools)
    if prompt.parallel_tools is not None:
        body["parallel_tool_calls"] = prompt.parallel_tools
    if prompt.max_tokens is not None:
        if prompt.max_tokens < _CAP_MIN:
            raise cannot_say("max_tokens", TARGET, f"it takes no less than {_CAP_MIN}")
        body["max_output_tokens"] = prompt.max_tokens
    if prompt.stream:
        body["stream"] = True
    if prompt.end_user is not None:
        body["safety_identifier"] = prompt.end_user
    if prompt.thinking is not None:
        body.update(_say_thinking(prompt.thinking, notes))
    body.update(_say_text(prompt, notes))
    body.update(_say_options(prompt, notes))
    return Written(body, notes)


def _is_instructions(turns: tuple[Turn, ...]) -> bool:
    """Say whether the first turn is the only one of its kind at the beginning, and plain text."""
    if not turns or turns[0].role != "system" or turns[0].name is not None:
        return False
    is_alone = len(turns) == 1 or turns[1].role not in ("system", "developer")
    return is_alone and len(turns[0].parts) == 1 and isinstance(turns[0].parts[0], TextPart)


def _say_turn(turn: Turn, target: Target, notes: dict[str, str]) -> list[dict[str, Any]]:
    if turn.name is not None:
        raise cannot_say(f"{turn.path}.name", TARGET)
    if turn.role == "tool":
        return [_say_result(part, notes) for part in turn.parts if isinstance(part, ToolResult)]
    if turn.role != "assistant":
        return [{"type": "message", "role": turn.role, "content": say_parts(turn.parts, notes)}]
    items: list[dict[str, Any]] = []
    said: list[Part] = []
    for part in turn.parts:
        if not isinstance(part, ToolUse | Reasoning):
            said.append(part)
            continue
        items += _say_message(said, notes)
        said = []
        if isinstance(part, ToolUse):
            items.append(_say_call(part, notes))
        else:
            items.append(_say_reasoning(part, target))
    return items + _say_message(said, notes)


def _say_message(parts: list[Part], notes: dict[str, str]) -> list[dict[str, Any]]:
    if not parts:
        return []
    content = say_parts(tuple(parts), notes, is_answer=True)
    return [{"type": "message", "role": "assistant", "content": content}]


def _say_call(call: ToolUse, notes: dict[str, str]) -> dict[str, Any]:
    note_cache(call, notes)
    if call.kind == "custom":
        return {"type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": call.arguments}
    arguments = call.arguments or "{}"
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}


def _say_result(result: ToolResult, notes: dict[str, str]) -> dict[str, Any]:
    note_cache(result, notes)
    if result.is_error:
        if not any(isinstance(part, TextPart) and part.text for part in result.parts):
            raise cannot_say(f"{result.path}.is_error", TARGET, "there is no text that could say it")
        notes["is_error"] = "said in the text only"
    kind = "custom_tool_call_output" if result.kind == "custom" else "function_call_output"
    output = say_parts(result.parts, notes) if result.parts else ""
    return {"type": kind, "call_id": result.id, "output": output}


def _say_reasoning(reasoning: Reasoning, target: Target) -> dict[str, Any]:
    """Write earlier reasoning, which only its own vendor can read again."""
    seal = reasoning.seal
    assert seal is not None  # Reasoning without a seal has been left out.
    if seal.origin != (target.seal_origin or "openai"):
        raise cannot_say(reasoning.path, TARGET, "it is the reasoning of another vendor")
    item: dict[str, Any] = {"type": "reasoning", **({"id": seal.id} if seal.id else {}), "summary": []}
    if reasoning.is_summary:
        item["summary"] = [{"type": "summary_text", "text": text} for text in reasoning.texts]
    elif reasoning.texts:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in reasoning.texts]
    return {**item, "encrypted_content": seal.data}


def _say_tool(tool: Tool, notes: dict[str, str]) -> dict[str, Any]:
    """Write a tool; without a word on it a function would be strict there, and its schema changed."""
    note_cache(tool, notes)
    said: dict[str, Any] = {"type": tool.kind, "name": tool.name}
    if tool.description is not None:
        said["description"] = tool.description
    if tool.kind == "custom":
        return said if tool.schema is None else {**said, "format": tool.schema}
    return {**said, "parameters": tool.schema, "strict": bool(tool.strict)}


def _say_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> Any:
    if choice.mode in ("auto", "none", "required"):
        return choice.mode
    kinds = {tool.name: tool.kind for tool in tools}
    named = [{"type": kinds.get(name, "function"), "name": name} for name in choice.names]
    if choice.mode == "named":
        return named[0]
    return {
        "type": "allowed_tools",
        "mode": "required" if choice.is_required else "auto",
        "tools": named,
    }


def _say_thinking(thinking: Thinking, notes: dict[str, str]) -> dict[str, Any]:
    """Write how much to reason; reasoning that is wanted comes back sealed, for a later turn to show it."""
    said: dict[str, Any] = {}
    effort = thinking.effort if thinking.is_on else "none"
    if effort is None and thinking.budget_tokens is not None:
        budget = thinking.budget_tokens
        effort = "low" if budget <= _LOW_BUDGET else "medium" if budget <= _MEDIUM_BUDGET else "high"
        notes["thinking.budget_tokens"] = f"said as effort {effort}"
    elif effort is None and thinking.is_adaptive:
        notes["thinking"] = "how much is left to the provider's default"
    if effort is not None:
        said["effort"] = effort
    if thinking.summary not in (None, "omitted"):
        said["summary"] = thinking.summary
    if effort in (None, "none"):
        return {"reasoning": said} if said else {}
    return {"reasoning": said, "include": [ENCRYPTED]}


def _say_text(prompt: Prompt, notes: dict[str, str]) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if prompt.output is not None:
        text["format"] = _say_format(prompt.output, notes)
    verbosity = prompt.options.get("verbosity")
    if verbosity is not None and verbosity.value is not None:
        text["verbosity"] = verbosity.value
    return {"text": text} if text else {}


def _say_format(output: OutputFormat, notes: dict[str, str]) -> dict[str, Any]:
    if output.kind == "json_object":
        return {"type": "json_object"}
    name = output.name
    if name is None:
        title = (output.schema or {}).get("title")
        name = _NOT_NAME.sub("_", title)[:64] if isinstance(title, str) and title else "answer"
        notes["format.name"] = f"the schema is called {name}"
    said: dict[str, Any] = {"type": "json_schema", "name": name, "schema": output.schema}
    if output.strict is not None:
        said["strict"] = output.strict
    if output.description is not None:
        said["description"] = output.description
    return said


def _say_options(prompt: Prompt, notes: dict[str, str]) -> dict[str, Any]:
    options = prompt.options
    tier = options.get("service_tier")
    if tier is not None and tier.value not in _ORDINARY_TIERS:
        raise cannot_say(tier.path, TARGET, "tiers are the vendors' own")
    metadata = options.get("metadata")
    if metadata is not None and metadata.value:
        notes["metadata"] = "says nothing to the model and is not sent on"
    return {
        name: options[name].value
        for name in _AS_THEY_ARE
        if name in options and options[name].value is not None
    }
