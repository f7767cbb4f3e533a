"""Writes a Prompt as a messages request."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from seawall.core.errors import InvalidRequest
from seawall.wire.json_body import parse_object
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    OutputFormat,
    Part,
    Prompt,
    Reasoning,
    Refusal,
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

TARGET = "Anthropic's messages"
ARGUMENTS_DEPTH_MAX = 128
BUDGETS = {
    "minimal": 1_024,
    "low": 1_024,
    "medium": 4_096,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 32_000,
}
"""What an effort is worth in tokens, for models that do not think adaptively."""

BUDGET_TOKENS_MIN = 1_024
_EFFORTS = ((2_048, "low"), (8_192, "medium"))
"""Up to how many tokens of a budget an effort is said in its place."""

_SAID = frozenset({"temperature", "top_p", "top_k", "stop", "stream_options", "include", "metadata"})
_SILENT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "store": (False,),
    "background": (False,),
    "truncation": ("disabled",),
    "verbosity": ("medium",),
    "service_tier": ("auto", "default", "standard_only"),
}
_HINTS = {
    "prompt_cache_key": "the provider has no such key; it caches where cache_control says so",
    "prompt_cache_retention": "the provider caches where cache_control says so",
    "prompt_cache_options": "the provider caches where cache_control says so",
    "user": "the provider is told one end user: safety_identifier",
}
"""Options that say nothing to the model, and what takes their place."""


def write_prompt(prompt: Prompt, target: Target) -> Written:
    """Write a request for Anthropic; a declared output cap stands in `max_tokens`, else there is none.

    Raises Untranslatable for the first thing that the dialect has no words for.
    """
    return _Writer(prompt, target).write()


class _Writer:
    def __init__(self, prompt: Prompt, target: Target) -> None:
        self._prompt = prompt
        self._target = target
        self._notes: dict[str, str] = {}

    def write(self) -> Written:
        prompt = self._prompt = without_bare_reasoning(self._prompt, self._notes)
        body: dict[str, Any] = {"model": self._target.model}
        if prompt.max_tokens is not None:
            body["max_tokens"] = prompt.max_tokens
        leading = 0
        while leading < len(prompt.turns) and prompt.turns[leading].role in ("system", "developer"):
            leading += 1
        if leading:
            body["system"] = self._system(prompt.turns[:leading])
        body["messages"] = self._messages(prompt.turns[leading:])
        if prompt.tools:
            body["tools"] = [self._tool(tool) for tool in prompt.tools]
            self._tool_choice(body)
        elif prompt.tool_choice is not None and prompt.tool_choice.mode not in ("auto", "none"):
            raise cannot_say(prompt.tool_choice.path, TARGET, "there are no tools")
        self._output(body)
        self._thinking(body)
        self._options(body)
        if prompt.end_user is not None:
            body["metadata"] = {"user_id": prompt.end_user}
        if prompt.stream:
            body["stream"] = True
        return Written(body, self._notes)

    def _options(self, body: dict[str, Any]) -> None:
        options = self._prompt.options
        for name in _HINTS.keys() & options.keys():
            if options[name].value is not None:
                self._notes[name] = _HINTS[name]
        refuse_options(self._prompt, _SAID | _HINTS.keys(), _SILENT, TARGET)
        for name in ("temperature", "top_p", "top_k"):
            option = options.get(name)
            if option is None or option.value is None:
                continue
            if name == "temperature" and isinstance(option.value, int | float) and option.value > 1:
                raise cannot_say(option.path, TARGET, "it must lie between 0 and 1")
            body[name] = option.value
        stop = options.get("stop")
        if stop is not None and stop.value:
            body["stop_sequences"] = list(stop.value)
        include = options.get("include")
        if include is not None and any(each != "reasoning.encrypted_content" for each in include.value or ()):
            raise cannot_say(include.path, TARGET)
        metadata = options.get("metadata")
        if metadata is not None and metadata.value:
            self._notes["metadata"] = "left out: it says nothing to the model"

    def _system(self, turns: Sequence[Turn]) -> str | list[dict[str, Any]]:
        parts = []
        for turn in turns:
            self._refuse_name(turn)
            for part in turn.parts:
                if not isinstance(part, TextPart):
                    raise cannot_say(part.path, TARGET, "a system prompt is text only")
                parts.append(part)
        return self._content(parts)

    def _messages(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        """Write the turns after the system prompt; tool results and what the user says are one message."""
        messages: list[tuple[str, list[Part]]] = []
        for turn in turns:
            self._refuse_name(turn)
            if turn.role in ("system", "developer"):
                if not self._target.takes_late_system:
                    raise cannot_say(turn.path, TARGET, "system prompts must come first")
                messages.append(("system", list(turn.parts)))
                continue
            role = "assistant" if turn.role == "assistant" else "user"
            if role == "user" and messages and messages[-1][0] == "user":
                messages[-1][1].extend(turn.parts)
            else:
                messages.append((role, list(turn.parts)))
        return [{"role": role, "content": self._content(parts)} for role, parts in messages]

    def _refuse_name(self, turn: Turn) -> None:
        if turn.name is not None:
            raise cannot_say(f"{turn.path}.name", TARGET, "participants have no names")

    def _content(self, parts: Sequence[Part]) -> str | list[dict[str, Any]]:
        """Write parts: a single plain text as it is, else blocks; empty texts beside others say nothing."""
        if len(parts) == 1 and isinstance(parts[0], TextPart) and parts[0].cache is None:
            return parts[0].text
        return [self._block(part) for part in parts if not _is_empty(part) or len(parts) == 1]

    def _block(self, part: Part) -> dict[str, Any]:
        if isinstance(part, TextPart):
            return _marked({"type": "text", "text": part.text}, part.cache)
        if isinstance(part, ImagePart):
            return _marked({"type": "image", "source": self._image(part)}, part.cache)
        if isinstance(part, FilePart):
            title = {} if part.name is None else {"title": part.name}
            return _marked({"type": "document", "source": self._file(part), **title}, part.cache)
        if isinstance(part, ToolUse):
            return self._tool_use(part)
        if isinstance(part, ToolResult):
            return self._tool_result(part)
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, Refusal):
            self._notes["refusal"] = "said as text"
            return {"type": "text", "text": part.text}
        assert isinstance(part, AudioPart)
        raise cannot_say(part.path, TARGET, "the provider takes no sound")

    def _image(self, part: ImagePart) -> dict[str, Any]:
        if part.detail not in (None, "auto"):
            raise cannot_say(part.path, TARGET, "images have no detail to choose")
        if part.data:
            return {"type": "base64", "media_type": part.media_type, "data": part.data}
        if part.url.startswith("https://"):
            return {"type": "url", "url": part.url}
        raise cannot_say(part.path, TARGET, "images come as data or from an https address")

    def _file(self, part: FilePart) -> dict[str, Any]:
        if part.url:
            return {"type": "url", "url": part.url}
        if part.media_type == "text/plain":
            return {"type": "text", "media_type": "text/plain", "data": part.data}
        if part.media_type == "application/pdf":
            return {"type": "base64", "media_type": "application/pdf", "data": part.data}
        raise cannot_say(part.path, TARGET, "documents are PDF or plain text")

    def _tool_use(self, part: ToolUse) -> dict[str, Any]:
        if part.kind != "function":
            raise cannot_say(part.path, TARGET, "tools take JSON objects")
        given = _arguments(part) if part.arguments.strip() else {}
        return _marked({"type": "tool_use", "id": part.id, "name": part.name, "input": given}, part.cache)

    def _tool_result(self, part: ToolResult) -> dict[str, Any]:
        if part.kind != "function":
            raise cannot_say(part.path, TARGET, "tools take JSON objects")
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": part.id}
        if part.parts:
            block["content"] = self._content(part.parts)
        if part.is_error:
            block["is_error"] = True
        return _marked(block, part.cache)

    def _reasoning(self, part: Reasoning) -> dict[str, Any]:
        seal = part.seal
        assert seal is not None  # Reasoning without a seal has been left out.
        if seal.origin != (self._target.seal_origin or "anthropic"):
            raise cannot_say(part.path, TARGET, "it is reasoning of another vendor")
        if seal.is_redacted:
            return {"type": "redacted_thinking", "data": seal.data}
        return {"type": "thinking", "thinking": "".join(part.texts), "signature": seal.data}

    def _tool(self, tool: Tool) -> dict[str, Any]:
        if tool.kind != "function":
            raise cannot_say(tool.path, TARGET, "tools take JSON objects")
        said: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            said["description"] = tool.description
        schema = tool.schema or {"properties": {}}
        said["input_schema"] = schema if "type" in schema else {"type": "object", **schema}
        if tool.strict is not None:
            said["strict"] = tool.strict
        return _marked(said, tool.cache)

    def _tool_choice(self, body: dict[str, Any]) -> None:
        choice = self._prompt.tool_choice or ToolChoice("auto")
        if choice.mode == "allowed":
            raise cannot_say(choice.path, TARGET, "some of the tools cannot be named; send only those")
        said: dict[str, Any] = {"type": _CHOICES[choice.mode]}
        if choice.mode == "named":
            said["name"] = choice.names[0]
        if self._prompt.parallel_tools is False and choice.mode != "none":
            said["disable_parallel_tool_use"] = True
        if self._prompt.tool_choice is not None or len(said) > 1:
            body["tool_choice"] = said

    def _output(self, body: dict[str, Any]) -> None:
        output = self._prompt.output
        if output is None:
            return
        if output.kind != "json_schema" or output.schema is None:
            raise cannot_say(output.path, TARGET, "JSON comes only with a schema")
        self._note_labels(output)
        body["output_config"] = {"format": {"type": "json_schema", "schema": output.schema}}

    def _note_labels(self, output: OutputFormat) -> None:
        if output.name is not None or output.description is not None:
            self._notes[output.path] = "name and description are left out: the schema says it all"

    def _thinking(self, body: dict[str, Any]) -> None:
        thinking = self._prompt.thinking
        if thinking is None:
            return
        effort = None if thinking.effort == "none" else thinking.effort
        if not thinking.is_on:
            body["thinking"] = {"type": "disabled"}
        elif thinking.is_adaptive or self._target.is_adaptive:
            body["thinking"] = {"type": "adaptive", **self._display(thinking)}
            effort = effort or self._effort_of_budget(thinking)
        elif thinking.budget_tokens is not None or effort is not None or thinking.summary is None:
            budget = self._budget(thinking)
            body["thinking"] = {"type": "enabled", "budget_tokens": budget, **self._display(thinking)}
            if thinking.budget_tokens is None:
                return
        else:
            self._notes[thinking.path] = "no reasoning is asked for, so that there is none to show"
        if effort is not None:
            if effort == "minimal":
                self._notes[thinking.path] = "minimal is said as low, the provider's least"
                effort = "low"
            body["output_config"] = {**body.get("output_config", {}), "effort": effort}

    def _effort_of_budget(self, thinking: Thinking) -> str | None:
        """Return the effort that stands for a budget: newer models refuse budgets."""
        budget = thinking.budget_tokens
        if budget is None:
            return None
        effort = next((word for most, word in _EFFORTS if budget <= most), "high")
        self._notes[thinking.path] = f"said as the effort {effort}, for the model thinks adaptively"
        return effort

    def _budget(self, thinking: Thinking) -> int:
        """Return the tokens to think with, fewer than the answer may have altogether."""
        if thinking.budget_tokens is not None:
            return thinking.budget_tokens
        budget, most = BUDGETS.get(thinking.effort or "medium"), self._prompt.max_tokens
        if budget is None:
            raise cannot_say(thinking.path, TARGET, "there is no such effort")
        if most is not None and most <= BUDGET_TOKENS_MIN:
            raise cannot_say(
                thinking.path, TARGET, f"thinking needs more than {BUDGET_TOKENS_MIN} output tokens"
            )
        self._notes[thinking.path] = "said as thinking.budget_tokens"
        return budget if most is None else min(budget, most - 1)

    def _display(self, thinking: Thinking) -> dict[str, str]:
        if thinking.summary is None:
            return {}
        if thinking.summary == "omitted":
            return {"display": "omitted"}
        if thinking.summary != "auto":
            self._notes["summary"] = "the provider has one kind of summary"
        return {"display": "summarized"}


_CHOICES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}


def _is_empty(part: Part) -> bool:
    return isinstance(part, TextPart) and not part.text and part.cache is None


def _marked(block: dict[str, Any], mark: CacheMark | None) -> dict[str, Any]:
    if mark is not None:
        ttl = {} if mark.ttl is None else {"ttl": mark.ttl}
        block["cache_control"] = {"type": "ephemeral", **ttl}
    return block


def _arguments(part: ToolUse) -> dict[str, Any]:
    """Return a tool's arguments as an object that says exactly what the text says.

    Raises Untranslatable where it is no JSON object, or holds a number that would come out different.
    """
    raw = part.arguments.encode()
    try:
        given = parse_object(raw, depth_max=ARGUMENTS_DEPTH_MAX)
        if b"." in raw or b"e" in raw or b"E" in raw:
            _decode_exactly(raw)
    except (InvalidRequest, msgspec.ValidationError) as error:
        raise cannot_say(part.path, TARGET, "its arguments are no JSON object that can be kept") from error
    return given


def _exact_float(text: str) -> float:
    value = float(text)
    if Decimal(text) != Decimal(repr(value)):
        raise ValueError("a number has more digits than can be kept")
    return value


_decode_exactly = msgspec.json.Decoder(float_hook=_exact_float).decode
