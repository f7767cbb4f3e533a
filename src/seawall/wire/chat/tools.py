"""Tools, tool choice and the shape of the answer in chat completions, read and written.

A custom tool's format is kept in the flat form of the Responses API: chat completions put a grammar into an
object of its own.
"""

import re
from typing import Any

from seawall.core.errors import InvalidRequest
from seawall.core.pieces import ToolKind
from seawall.wire.chat.parts import TARGET, say_cache
from seawall.wire.fields import Fields, unknown
from seawall.wire.prompt import CacheMark, OutputFormat, Prompt, Target, Tool, ToolChoice, cannot_say

_MODES: dict[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "none": ToolChoice("none"),
    "required": ToolChoice("required"),
    "any": ToolChoice("required"),  # Mistral's word.
}
_NOT_NAME = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)

OPENAI = ("openai", "azure")
"""Vendors that know every field of the dialect."""


def read_tools(body: Fields) -> tuple[Tool, ...]:
    """Read `tools`, and `functions` of before there were tools."""
    tools = [_read_tool(fields) for fields in body.objects("tools")]
    return (*tools, *(_read_function(fields, None) for fields in body.objects("functions")))


def _read_tool(fields: Fields) -> Tool:
    kind = fields.text("type") or "function"
    cache = fields.cache()
    if kind == "function":
        tool = _read_function(fields.inner("function"), cache)
    elif kind == "custom":
        custom = fields.inner("custom")
        tool = Tool(
            name=custom.needed_text("name"),
            description=custom.text("description"),
            schema=_read_format(custom),
            kind="custom",
            path=fields.path,
            cache=cache,
        )
        custom.end()
    else:
        raise unknown(fields.at("type"))
    fields.end()
    return tool


def _read_function(fields: Fields, cache: CacheMark | None) -> Tool:
    tool = Tool(
        name=fields.needed_text("name"),
        description=fields.text("description"),
        schema=fields.schema("parameters"),
        strict=fields.boolean("strict"),
        path=fields.path.removesuffix(".function"),
        cache=cache,
    )
    fields.end()
    return tool


def _read_format(custom: Fields) -> dict[str, Any] | None:
    form = custom.schema("format")
    if form is None or form == {"type": "text"}:
        return None
    fields = Fields(form, custom.at("format"))
    if fields.needed_text("type") != "grammar":
        raise unknown(fields.at("type"))
    grammar = fields.inner("grammar")
    flat = {
        "type": "grammar",
        "definition": grammar.needed_text("definition"),
        "syntax": grammar.needed_text("syntax"),
    }
    grammar.end()
    fields.end()
    return flat


def say_tool(tool: Tool, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    """Write one tool; raises Untranslatable for a custom one where the vendor has none."""
    cache = say_cache(tool.cache, target, notes)
    named: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        named["description"] = tool.description
    if tool.kind == "custom":
        check_custom(target, tool.path)
        if tool.schema is not None:
            named["format"] = _nested_format(tool.schema)
        return {"type": "custom", "custom": named, **cache}
    if tool.schema is not None:
        named["parameters"] = tool.schema
    if tool.strict is not None:
        named["strict"] = tool.strict
    return {"type": "function", "function": named, **cache}


def _nested_format(flat: dict[str, Any]) -> dict[str, Any]:
    if flat.get("type") != "grammar":
        return flat
    return {"type": "grammar", "grammar": {name: each for name, each in flat.items() if name != "type"}}


def check_custom(target: Target, path: str) -> None:
    """Raise Untranslatable where the vendor has no custom tools."""
    if target.vendor not in (*OPENAI, ""):
        raise cannot_say(path, TARGET, "only OpenAI has custom tools")


def read_choice(body: Fields) -> ToolChoice | None:
    """Read `tool_choice`, or the older `function_call`."""
    choice, path = body.take("tool_choice"), body.at("tool_choice")
    if choice is None:
        choice, path = body.take("function_call"), body.at("function_call")
        if isinstance(choice, dict):
            function = Fields(choice, path)
            named = ToolChoice("named", (function.needed_text("name"),), path=path)
            function.end()
            return named
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in _MODES:
            raise InvalidRequest(f"{path} must be auto, none, required or a tool.", param=path)
        mode = _MODES[choice]
        return ToolChoice(mode.mode, path=path)
    return _read_named(Fields(choice, path))


def _read_named(fields: Fields) -> ToolChoice:
    kind = fields.text("type") or "function"
    if kind in ("function", "custom"):
        choice = ToolChoice("named", (_named(fields, kind),), path=fields.path)
    elif kind == "allowed_tools":
        allowed = fields.inner("allowed_tools")
        mode = allowed.needed_text("mode")
        names = tuple(
            _named(each, each.text("type") or "function", is_last=True) for each in allowed.objects("tools")
        )
        allowed.end()
        choice = ToolChoice("allowed", names, is_required=mode == "required", path=fields.path)
    else:
        raise unknown(fields.at("type"))
    fields.end()
    return choice


def _named(fields: Fields, kind: str, *, is_last: bool = False) -> str:
    inner = fields.inner(kind)
    name = inner.needed_text("name")
    inner.end()
    if is_last:
        fields.end()
    return name


def say_choice(choice: ToolChoice, prompt: Prompt, target: Target) -> Any:
    """Write a tool choice; the kinds of the tools that it names are those of the prompt's own."""
    if choice.mode in ("auto", "none", "required"):
        return choice.mode
    kinds: dict[str, ToolKind] = {tool.name: tool.kind for tool in prompt.tools}
    named = []
    for name in choice.names:
        kind = kinds.get(name, "function")
        if kind == "custom":
            check_custom(target, choice.path)
        named.append({"type": kind, kind: {"name": name}})
    if choice.mode == "named":
        return named[0]
    if target.vendor not in (*OPENAI, ""):
        raise cannot_say(choice.path, TARGET, "only OpenAI can narrow the tools down by tool_choice")
    mode = "required" if choice.is_required else "auto"
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}


def read_output(body: Fields) -> OutputFormat | None:
    """Read `response_format`; plain text is what there is without it."""
    value = body.take("response_format")
    if value is None:
        return None
    fields = Fields(value, body.at("response_format"))
    kind = fields.needed_text("type")
    output = None
    if kind == "json_object":
        output = OutputFormat("json_object", path=fields.path)
    elif kind == "json_schema":
        form = fields.inner("json_schema")
        output = OutputFormat(
            "json_schema",
            schema=form.schema("schema"),
            name=form.needed_text("name"),
            strict=form.boolean("strict"),
            description=form.text("description"),
            path=fields.path,
        )
        form.end()
    elif kind != "text":
        raise unknown(fields.at("type"))
    fields.end()
    return output


def say_output(output: OutputFormat, notes: dict[str, str]) -> dict[str, Any]:
    """Write `response_format`; a schema without a name gets its title's, for there has to be one."""
    if output.kind == "json_object":
        return {"type": "json_object"}
    name = output.name
    if name is None:
        title = (output.schema or {}).get("title")
        name = _NOT_NAME.sub("_", title)[:64] if isinstance(title, str) and title else "answer"
        notes[f"{output.path}.name"] = f"the schema is called {name}"
    form = {
        "name": name,
        "description": output.description,
        "schema": output.schema,
        "strict": output.strict,
    }
    said = {field: value for field, value in form.items() if value is not None}
    return {"type": "json_schema", "json_schema": said}
