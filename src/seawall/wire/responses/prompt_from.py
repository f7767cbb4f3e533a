"""Reads a responses request into a Prompt.

What says nothing to the model is left out: the ids and the status of items, `phase`, the log probabilities
and annotations of earlier answers, and fields about the answer that we give ourselves (`store`, ...).
Reference: the OpenAI API reference, "Responses", read 2026-11.
"""

from typing import Any

from seawall.core.call import Request
from seawall.core.errors import InvalidRequest
from seawall.core.pieces import ToolKind
from seawall.wire.fields import Fields, unknown
from seawall.wire.prompt import (
    Option,
    OutputFormat,
    Part,
    Prompt,
    Reasoning,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from seawall.wire.responses.fields import check_prices
from seawall.wire.responses.items import type_of
from seawall.wire.responses.parts import read_content, read_result
from seawall.wire.responses.request import ENCRYPTED
from seawall.wire.seals import read_seal

_SILENT = (
    "background",
    "conversation",
    "context_management",
    "input",
    "max_tool_calls",  # It limits only tools that the provider runs.
    "model",
    "moderation",
    "previous_response_id",
    "prompt",
    "background_options",
    "store",
    "stream",
    "stream_options",
    "truncation",
    "safety_identifier",
    "user",
    "max_output_tokens",
)
"""Fields that are read elsewhere, were refused by `check_prices`, or are about our own answer."""

_MODES = {"auto": ToolChoice("auto"), "none": ToolChoice("none"), "required": ToolChoice("required")}
_SILENT_IMAGE = "message.input_image.image_url"


def read_prompt(request: Request) -> Prompt:
    """Read the request; raises what `check_prices` raises, and Untranslatable for what is not known here."""
    check_prices(request.body)
    body = Fields(request.body, "")
    for name in _SILENT:
        body.take(name)
    tools = tuple(_read_tool(fields) for fields in body.objects("tools"))
    choice = _read_choice(body)
    parallel = body.boolean("parallel_tool_calls")
    thinking = _read_thinking(body)
    output, verbosity = _read_text(body)
    options = {} if verbosity is None else {"verbosity": Option(verbosity, "text.verbosity")}
    turns = (*_read_instructions(body), *_read_input(request.body))
    _read_include(body)
    options.update({name: Option(value, name) for name, value in body.rest().items()})
    return Prompt(
        model=request.model,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        max_tokens=request.cap.tokens,
        stream=request.stream,
        output=output,
        thinking=thinking,
        end_user=request.end_user,
        options=options,
    )


def _read_instructions(body: Fields) -> tuple[Turn, ...]:
    content = body.take("instructions")
    if not content:
        return ()
    return (Turn("system", tuple(read_content(content, "instructions")), path="instructions"),)


def _read_input(body: dict[str, Any]) -> tuple[Turn, ...]:
    given = body.get("input")
    if isinstance(given, str):
        return (Turn("user", tuple(read_content(given, "input")), path="input"),)
    turns = _Turns()
    for index, item in enumerate(given or ()):
        _read_item(Fields(item, f"input[{index}]"), type_of(item), turns)
    return turns.done()


class _Turns:
    """Gathers items into turns: what the assistant said in a row is one, and so are the results of tools."""

    __slots__ = ("_parts", "_path", "_role", "_turns")

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._role: Any = None
        self._path = ""
        self._parts: list[Part] = []

    def add(self, role: Any, parts: list[Part], path: str) -> None:
        """Add an item's parts."""
        if role != self._role or role not in ("assistant", "tool"):
            self._close()
            self._role, self._path = role, path
        self._parts += parts

    def done(self) -> tuple[Turn, ...]:
        """Return all turns."""
        self._close()
        return tuple(self._turns)

    def _close(self) -> None:
        if self._role is not None:
            self._turns.append(Turn(self._role, tuple(self._parts), path=self._path))
        self._role, self._parts = None, []


def _read_item(item: Fields, kind: Any, turns: _Turns) -> None:
    item_id = item.take("id")
    for name in ("type", "status", "phase"):
        item.take(name)
    path = item.path
    if kind == "message":
        role = item.needed_text("role")
        turns.add(role, read_content(item.take("content"), item.at("content")), path)
    elif kind in ("function_call", "custom_tool_call"):
        turns.add("assistant", [_read_call(item, kind)], path)
    elif kind in ("function_call_output", "custom_tool_call_output"):
        result = ToolResult(
            id=item.needed_text("call_id"),
            parts=tuple(read_result(item.take("output"), item.at("output"))),
            kind="custom" if kind == "custom_tool_call_output" else "function",
            path=path,
        )
        turns.add("tool", [result], path)
    elif kind == "reasoning":
        thoughts = _read_reasoning(item, item_id)
        if thoughts:  # A turn without parts is an empty message, which Anthropic refuses.
            turns.add("assistant", thoughts, path)
    elif kind == "item_reference":
        raise InvalidRequest(f"{path} names an item that is not stored here.", param=path)
    else:
        raise unknown(item.at("type"))
    item.end()


def _read_call(item: Fields, kind: str) -> ToolUse:
    is_custom = kind == "custom_tool_call"
    name: ToolKind = "custom" if is_custom else "function"
    caller = item.take("caller")
    if caller not in (None, {"type": "direct"}):
        raise unknown(item.at("caller"))
    return ToolUse(
        id=item.needed_text("call_id"),
        name=item.needed_text("name"),
        arguments=item.needed_text("input" if is_custom else "arguments"),
        kind=name,
        path=item.path,
    )


def _read_reasoning(item: Fields, item_id: Any) -> list[Part]:
    """Read reasoning: its text if there is one, else its summary; a summary beside the text stands alone.

    Without any text and without seal nothing is left to be said.
    """
    summary, content = _paragraphs(item, "summary"), _paragraphs(item, "content")
    sealed = item.text("encrypted_content")
    seal = None
    if sealed:
        seal = read_seal(sealed, "openai", item_id=item_id if isinstance(item_id, str) else "")
    parts: list[Part] = []
    if summary and content:
        parts.append(Reasoning(summary, is_summary=True, path=item.path))
    if summary or content or seal:
        is_summary = bool(summary) and not content
        parts.append(Reasoning(content or summary, is_summary=is_summary, seal=seal, path=item.path))
    return parts


def _paragraphs(item: Fields, name: str) -> tuple[str, ...]:
    texts = []
    for part in item.objects(name):
        part.take("type")
        texts.append(part.needed_text("text"))
        part.end()
    return tuple(texts)


def _read_tool(fields: Fields) -> Tool:
    """Read a tool; `strict: false` says what other dialects mean by leaving it out."""
    kind = fields.take("type")
    is_custom = kind == "custom"
    if fields.take("defer_loading") or fields.take("async"):
        raise unknown(fields.path)
    tool = Tool(
        name=fields.needed_text("name"),
        description=fields.text("description"),
        schema=_format(fields) if is_custom else fields.schema("parameters"),
        strict=None if is_custom else fields.boolean("strict") or None,
        kind="custom" if is_custom else "function",
        path=fields.path,
        cache=fields.cache(),
    )
    fields.end()
    return tool


def _format(fields: Fields) -> dict[str, Any] | None:
    form = fields.schema("format")
    return None if form == {"type": "text"} else form


def _read_choice(body: Fields) -> ToolChoice | None:
    value = body.take("tool_choice")
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _MODES:
            raise InvalidRequest(
                "tool_choice must be auto, none, required or an object.", param="tool_choice"
            )
        return _MODES[value]
    choice = Fields(value, "tool_choice")
    kind = choice.needed_text("type")
    if kind in ("function", "custom"):
        found = ToolChoice("named", (choice.needed_text("name"),))
    elif kind == "allowed_tools":
        mode = choice.text("mode")
        names = tuple(_read_allowed(tool) for tool in choice.objects("tools"))
        found = ToolChoice("allowed", names, is_required=mode == "required")
    else:
        raise unknown(choice.at("type"))
    choice.end()
    return found


def _read_allowed(tool: Fields) -> str:
    if tool.text("type") not in ("function", "custom"):
        raise unknown(tool.at("type"))
    name = tool.needed_text("name")
    tool.end()
    return name


def _read_text(body: Fields) -> tuple[OutputFormat | None, Any]:
    """Read `text`: the shape of the answer, and the verbosity."""
    value = body.take("text")
    if value is None:
        return None, None
    text = Fields(value, "text")
    form = text.take("format")
    verbosity = text.take("verbosity")
    text.end()
    return None if form is None else _read_format(Fields(form, "text.format")), verbosity


def _read_format(form: Fields) -> OutputFormat | None:
    kind = form.needed_text("type")
    found = None
    if kind == "json_schema":
        found = OutputFormat(
            "json_schema",
            schema=form.schema("schema"),
            name=form.text("name"),
            strict=form.boolean("strict"),
            description=form.text("description"),
            path=form.path,
        )
    elif kind == "json_object":
        found = OutputFormat("json_object", path=form.path)
    elif kind != "text":
        raise unknown(form.at("type"))
    form.end()
    return found


def _read_thinking(body: Fields) -> Thinking | None:
    value = body.take("reasoning")
    if value is None:
        return None
    reasoning = Fields(value, "reasoning")
    effort = reasoning.text("effort")
    summary = reasoning.text("summary")
    summary = reasoning.text("generate_summary") or summary
    if reasoning.take("mode") not in (None, "standard"):
        raise unknown(reasoning.at("mode"))
    if reasoning.take("context") not in (None, "auto"):
        raise unknown(reasoning.at("context"))
    reasoning.end()
    if effort is None and summary is None:
        return None
    is_on = effort != "none"
    return Thinking(is_on, effort if is_on else None, summary=summary, path="reasoning")


def _read_include(body: Fields) -> None:
    """Refuse what an answer in another dialect cannot hold; the other things come anyway."""
    for index, name in enumerate(body.take("include") or ()):
        if name not in (ENCRYPTED, _SILENT_IMAGE):
            raise unknown(f"include[{index}]")
