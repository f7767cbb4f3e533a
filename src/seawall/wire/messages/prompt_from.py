"""Reads a messages request as a Prompt.

What a Prompt has no field for goes into its options under the path where it stands, so that no writer can
leave it out in silence. Not so what says nothing to other vendors: `service_tier` within the list price,
`eager_input_streaming` (they always stream arguments as they come) and the defaults of every field.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs

from seawall.core.call import Json, Request
from seawall.core.errors import InvalidRequest
from seawall.wire.prompt import (
    CacheMark,
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
    Part,
    Prompt,
    Reasoning,
    TextPart,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from seawall.wire.seals import read_seal

encode = msgspec.json.Encoder().encode

_SAID = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "stream",
        "stop_sequences",
        "metadata",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
    }
)
"""Fields that have one of their own in a Prompt."""

_SILENT: dict[str, tuple[Any, ...]] = {
    "service_tier": ("auto", "standard_only"),
    "speed": ("standard",),
    "inference_geo": ("global",),
    "context_management": ({}, {"edits": []}),
    "mcp_servers": ([],),
    "fallbacks": ([],),
    "strict": (),
    "caller": ({"type": "direct"},),
    "allowed_callers": (["direct"], []),
    "defer_loading": (False,),
    "input_examples": ([],),
    "citations": ({}, {"enabled": False}, []),
    "transformations": ({}, {"oversized_image": "downsize"}),
}
"""Values that say no more than leaving the field out."""


def read_prompt(request: Request) -> Prompt:
    """Return what a messages request says, in no dialect.

    Expects a request that `read_request` took; raises InvalidRequest for what it did not have to look at.
    """
    return _Reader(request).read()


class _Reader:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._body = request.body
        self._options: dict[str, Option] = {}

    def read(self) -> Prompt:
        body, request = self._body, self._request
        turns = self._system()
        for index, message in enumerate(body["messages"]):
            turns += self._message(message, f"messages[{index}]")
        mark = _cache(body)
        if mark is not None:
            _mark_last(turns, mark)
        tools = [self._tool(tool, f"tools[{index}]") for index, tool in enumerate(body.get("tools") or ())]
        choice, parallel = self._tool_choice()
        self._top_level()
        return Prompt(
            model=request.model,
            turns=tuple(turns),
            tools=tuple(tool for tool in tools if tool is not None),
            tool_choice=choice,
            parallel_tools=parallel,
            max_tokens=request.cap.tokens,
            stream=request.stream,
            output=self._output(),
            thinking=self._thinking(),
            end_user=(body.get("metadata") or {}).get("user_id") or None,
            options=self._options,
        )

    def _top_level(self) -> None:
        body = self._body
        for name in ("temperature", "top_p", "top_k"):
            value = body.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise InvalidRequest(f"{name} must be a number.", param=name)
        if body.get("stop_sequences"):
            self._options["stop"] = Option(body["stop_sequences"], "stop_sequences")
        self._rest(body.get("metadata") or {}, "metadata.", frozenset({"user_id"}))
        self._rest(body, "", _SAID)

    def _rest(self, holder: Json, path: str, said: frozenset[str]) -> None:
        """Keep as options what nobody has read: under its path, which is the name of those at the top."""
        for name, value in holder.items():
            if name not in said and value is not None and value not in _SILENT.get(name, ()):
                self._options[f"{path}{name}"] = Option(value, f"{path}{name}")

    def _system(self) -> list[Turn]:
        system = self._body.get("system")
        if isinstance(system, str):
            return [Turn("system", (TextPart(system, "system"),), path="system")]
        if not system:
            return []
        parts = [self._text(block, f"system[{index}]") for index, block in enumerate(system)]
        return [Turn("system", tuple(parts), path="system")]

    def _message(self, message: Json, path: str) -> list[Turn]:
        """Read a message: one turn, or for tool results between other parts one for each run of either."""
        self._rest(message, f"{path}.", frozenset({"role", "content"}))
        role, content = message["role"], message["content"]
        if isinstance(content, str):
            return [Turn(role, (TextPart(content, f"{path}.content"),), path=path)]
        runs: list[tuple[bool, list[Part]]] = []
        for index, block in enumerate(content):
            part = self._part(block, f"{path}.content[{index}]")
            if part is None:
                continue
            is_result = isinstance(part, ToolResult)
            if not runs or runs[-1][0] != is_result:
                runs.append((is_result, []))
            runs[-1][1].append(part)
        if role == "assistant" and any(is_result for is_result, _ in runs):
            raise InvalidRequest(f"{path} must not hold tool results.", param=f"{path}.role")
        turns = [Turn("tool" if is_result else role, tuple(parts), path=path) for is_result, parts in runs]
        if role == "user" and any(isinstance(p, ToolUse | Reasoning) for t in turns for p in t.parts):
            raise InvalidRequest(f"{path} must not hold what the assistant says.", param=f"{path}.role")
        return turns or [Turn(role, (), path=path)]

    def _part(self, block: Json, path: str) -> Part | None:
        """Read one block; `None` for one that only its own vendor understands, which becomes an option."""
        read = self._parts().get(block["type"])
        if read is None:
            self._options[path] = Option(block, path)
            return None
        return read(block, path)

    def _parts(self) -> dict[str, Callable[[Json, str], Part | None]]:
        return {
            "text": self._text,
            "image": self._image,
            "document": self._document,
            "tool_use": self._tool_use,
            "tool_result": self._tool_result,
            "thinking": self._reasoning,
            "redacted_thinking": self._redacted,
        }

    def _text(self, block: Json, path: str) -> TextPart:
        self._rest(block, f"{path}.", frozenset({"type", "text", "cache_control"}))
        return TextPart(block["text"], path, _cache(block))

    def _image(self, block: Json, path: str) -> ImagePart | None:
        self._rest(block, f"{path}.", frozenset({"type", "source", "cache_control"}))
        source = block["source"]
        if source["type"] == "url":
            return ImagePart(url=source["url"], path=path, cache=_cache(block))
        if source["type"] == "base64":
            media_type = _media_type(source, path)
            return ImagePart(media_type=media_type, data=source["data"], path=path, cache=_cache(block))
        self._options[f"{path}.source"] = Option(source, f"{path}.source")
        return None

    def _document(self, block: Json, path: str) -> FilePart | None:
        self._rest(block, f"{path}.", frozenset({"type", "source", "title", "cache_control"}))
        source, name, cache = block["source"], block.get("title") or None, _cache(block)
        if source["type"] == "url":
            return FilePart(name, url=source["url"], path=path, cache=cache)
        if source["type"] in ("base64", "text"):
            media_type = _media_type(source, path)
            return FilePart(name, media_type=media_type, data=source["data"], path=path, cache=cache)
        self._options[f"{path}.source"] = Option(source, f"{path}.source")
        return None

    def _tool_use(self, block: Json, path: str) -> ToolUse:
        self._rest(block, f"{path}.", frozenset({"type", "id", "name", "input", "cache_control"}))
        arguments = encode(block["input"]).decode() if block["input"] else ""
        return ToolUse(block["id"], block["name"], arguments, path=path, cache=_cache(block))

    def _tool_result(self, block: Json, path: str) -> ToolResult:
        self._rest(
            block, f"{path}.", frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"})
        )
        content = block.get("content")
        parts: list[TextPart | ImagePart | FilePart] = []
        if isinstance(content, str):
            parts.append(TextPart(content, f"{path}.content"))
        for index, inner in enumerate(content if isinstance(content, list) else ()):
            part = self._part(inner, f"{path}.content[{index}]")
            if isinstance(part, TextPart | ImagePart | FilePart):
                parts.append(part)
        is_error = block.get("is_error") or False
        if not isinstance(is_error, bool):
            raise InvalidRequest(f"{path}.is_error must be true or false.", param=f"{path}.is_error")
        return ToolResult(
            block["tool_use_id"], tuple(parts), is_error=is_error, path=path, cache=_cache(block)
        )

    def _reasoning(self, block: Json, path: str) -> Reasoning:
        self._rest(block, f"{path}.", frozenset({"type", "thinking", "signature"}))
        texts = (block["thinking"],) if block["thinking"] else ()
        seal = read_seal(block["signature"], "anthropic") if block["signature"] else None
        is_summary = seal is not None and seal.origin == "openai"
        return Reasoning(texts, is_summary=is_summary, seal=seal, path=path)

    def _redacted(self, block: Json, path: str) -> Reasoning:
        self._rest(block, f"{path}.", frozenset({"type", "data"}))
        seal = read_seal(block["data"], "anthropic", is_redacted=True)
        return Reasoning(is_summary=seal.origin == "openai", seal=seal, path=path)

    def _tool(self, tool: Json, path: str) -> Tool | None:
        if tool.get("type") not in (None, "custom"):
            self._options[f"{path}.type"] = Option(tool["type"], f"{path}.type")
            return None
        self._rest(tool, f"{path}.", _TOOL)
        name, schema, description = tool.get("name"), tool.get("input_schema"), tool.get("description")
        if not isinstance(name, str) or not name:
            raise InvalidRequest(f"{path}.name must be a text.", param=f"{path}.name")
        if not isinstance(schema, dict):
            raise InvalidRequest(f"{path}.input_schema must be an object.", param=f"{path}.input_schema")
        if description is not None and not isinstance(description, str):
            raise InvalidRequest(f"{path}.description must be a text.", param=f"{path}.description")
        strict = tool.get("strict")
        if strict is not None and not isinstance(strict, bool):
            raise InvalidRequest(f"{path}.strict must be true or false.", param=f"{path}.strict")
        return Tool(name, description, schema, strict, path=path, cache=_cache(tool))

    def _tool_choice(self) -> tuple[ToolChoice | None, bool | None]:
        choice = self._body.get("tool_choice")
        if choice is None:
            return None, None
        kind, name = choice.get("type"), choice.get("name")
        self._rest(choice, "tool_choice.", frozenset({"type", "name", "disable_parallel_tool_use"}))
        parallel = False if choice.get("disable_parallel_tool_use") else None
        if kind == "tool" and isinstance(name, str):
            return ToolChoice("named", (name,)), parallel
        if kind == "auto":
            return ToolChoice("auto"), parallel
        if kind == "any":
            return ToolChoice("required"), parallel
        if kind == "none":
            return ToolChoice("none"), parallel
        raise InvalidRequest(
            "tool_choice.type must be auto, any, none, or tool with a name.", param="tool_choice.type"
        )

    def _output(self) -> OutputFormat | None:
        """Read the shape of the answer; Anthropic always holds the model to it."""
        config = self._body.get("output_config") or {}
        self._rest(config, "output_config.", frozenset({"format", "effort"}))
        path = "output_config.format" if config.get("format") is not None else "output_format"
        form = config.get("format") or self._body.get("output_format")
        if form is None:
            return None
        if not isinstance(form, dict) or form.get("type") != "json_schema":
            raise InvalidRequest(f"{path}.type must be json_schema.", param=f"{path}.type")
        schema = form.get("schema")
        if not isinstance(schema, dict):
            raise InvalidRequest(f"{path}.schema must be an object.", param=f"{path}.schema")
        self._rest(form, f"{path}.", frozenset({"type", "schema"}))
        return OutputFormat("json_schema", schema, strict=True, path=path)

    def _thinking(self) -> Thinking | None:
        thinking = self._body.get("thinking") or {}
        effort = (self._body.get("output_config") or {}).get("effort")
        if effort is not None and effort not in _EFFORTS:
            raise InvalidRequest(
                f"output_config.effort must be one of {', '.join(_EFFORTS)}.", param="output_config.effort"
            )
        if not thinking:
            return None if effort is None else Thinking(effort=effort, path="output_config.effort")
        kind, budget = thinking.get("type"), thinking.get("budget_tokens")
        if kind not in ("enabled", "adaptive", "disabled"):
            self._options["thinking.type"] = Option(kind, "thinking.type")
        self._rest(thinking, "thinking.", frozenset({"type", "budget_tokens", "display"}))
        if kind == "enabled" and (isinstance(budget, bool) or not isinstance(budget, int)):
            raise InvalidRequest(
                "thinking.budget_tokens must be a whole number.", param="thinking.budget_tokens"
            )
        return Thinking(
            is_on=kind != "disabled",
            effort=effort,
            budget_tokens=budget if kind == "enabled" else None,
            is_adaptive=kind == "adaptive",
            summary=self._display(thinking.get("display")),
            path="thinking",
        )

    def _display(self, display: Any) -> str | None:
        if display == "summarized":
            return "auto"
        if display in (None, "omitted"):
            return display  # type: ignore[no-any-return] # one of the two values above
        self._options["thinking.display"] = Option(display, "thinking.display")
        return None


_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_TOOL = frozenset(
    {"type", "name", "description", "input_schema", "strict", "cache_control", "eager_input_streaming"}
)


def _media_type(source: Json, path: str) -> str:
    media_type = source.get("media_type")
    if not isinstance(media_type, str):
        raise InvalidRequest(f"{path}.source.media_type must be a text.", param=f"{path}.source.media_type")
    return media_type


def _cache(holder: Json) -> CacheMark | None:
    mark = holder.get("cache_control")
    return None if mark is None else CacheMark(mark.get("ttl"))


def _mark_last(turns: list[Turn], mark: CacheMark) -> None:
    """Put the mark of the whole request where it means: on the last part that can bear one."""
    for at in range(len(turns) - 1, -1, -1):
        parts = turns[at].parts
        for number in range(len(parts) - 1, -1, -1):
            part = parts[number]
            if isinstance(part, TextPart | ImagePart | FilePart | ToolUse | ToolResult):
                marked = structs.replace(part, cache=part.cache or mark)
                parts = (*parts[:number], marked, *parts[number + 1 :])
                turns[at] = structs.replace(turns[at], parts=parts)
                return
