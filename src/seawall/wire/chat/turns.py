"""The messages of chat completions, read as turns."""

from typing import Any, cast

from seawall.core.errors import InvalidRequest
from seawall.core.pieces import Seal
from seawall.wire.chat.blocks import reasonings_of
from seawall.wire.chat.parts import read_content
from seawall.wire.chat.reasoning import ENCRYPTED, SUMMARY, TEXT, Detail
from seawall.wire.fields import Fields, unknown
from seawall.wire.prompt import (
    AudioPart,
    FilePart,
    ImagePart,
    Part,
    Reasoning,
    Refusal,
    Role,
    TextPart,
    ToolResult,
    ToolUse,
    Turn,
)

_SYSTEM = (TextPart,)
_USER = (TextPart, ImagePart, FilePart, AudioPart)
_ASSISTANT = (TextPart, Refusal, Reasoning)
_TOOL = (TextPart, ImagePart, FilePart)


def read_turns(body: Fields) -> tuple[Turn, ...]:
    """Read `messages`; neighbouring messages with results of tools become one turn.

    Raises InvalidRequest for what cannot be right, Untranslatable for what is not known.
    """
    turns: list[Turn] = []
    called = _Called()
    for message in body.objects("messages"):
        role = message.needed_text("role")
        name = None if role in ("tool", "function") else message.text("name")
        if role in ("system", "developer"):
            turns.append(Turn(cast(Role, role), _content(message, _SYSTEM), name, message.path))
        elif role == "user":
            turns.append(Turn("user", _content(message, _USER), name, message.path))
        elif role == "assistant":
            turns.append(Turn("assistant", _read_assistant(message, called), name, message.path))
        elif role in ("tool", "function"):
            result = _read_result(message, role, called)
            if turns and turns[-1].role == "tool":
                turns[-1] = Turn("tool", (*turns[-1].parts, result), path=turns[-1].path)
            else:
                turns.append(Turn("tool", (result,), path=message.path))
        else:
            raise unknown(message.at("role"))
        message.end()
    return tuple(turns)


class _Called:
    """The calls so far by their ids, and the id of the last `function_call`, which had none."""

    def __init__(self) -> None:
        self.uses: dict[str, ToolUse] = {}
        self.legacy = ""


def _content(message: Fields, allowed: tuple[type, ...]) -> tuple[Part, ...]:
    parts = read_content(message)
    for part in parts:
        if not isinstance(part, allowed):
            raise unknown(part.path)
    return tuple(parts)


def _read_result(message: Fields, role: str, called: _Called) -> ToolResult:
    name = message.text("name")
    call_id = called.legacy if role == "function" else message.needed_text("tool_call_id")
    use = called.uses.get(call_id)
    if (use is None and role == "function") or (use is not None and name not in (None, use.name)):
        raise InvalidRequest(
            f"{message.at('name')} is not the name of the call that it answers.", param=message.at("name")
        )
    cache = message.cache()
    parts = cast("tuple[TextPart | ImagePart | FilePart, ...]", _content(message, _TOOL))
    kind = "function" if use is None else use.kind
    return ToolResult(call_id, parts, kind=kind, path=message.path, cache=cache)


def _read_assistant(message: Fields, called: _Called) -> tuple[Part, ...]:
    thoughts = _read_reasoning(message)
    said = list(_content(message, _ASSISTANT))
    refusal = message.text("refusal")
    if refusal:
        said.append(Refusal(refusal, message.at("refusal")))
    calls: list[Part] = []
    for call in message.objects("tool_calls"):
        calls += _read_call(call, called)
    legacy = message.take("function_call")
    if legacy is not None:
        function = Fields(legacy, message.at("function_call"))
        called.legacy = f"call_function_{len(called.uses)}"
        name, arguments = function.needed_text("name"), function.text("arguments") or ""
        use = ToolUse(called.legacy, name, arguments, path=function.path)
        called.uses[called.legacy] = use
        calls.append(use)
        function.end()
    if len(said) == 1 and isinstance(said[0], TextPart) and not said[0].text and (thoughts or calls):
        said = []  # An empty text beside something else: many clients send it for null.
    return (*thoughts, *said, *calls)


def _read_call(call: Fields, called: _Called) -> list[Part]:
    """Read a tool call, after Google's signature where it has one."""
    call.take("index")  # Clients put calls together from deltas and leave it standing.
    call_id = call.needed_text("id")
    kind = call.text("type") or "function"
    if kind == "custom":
        custom = call.inner("custom")
        use = ToolUse(
            call_id,
            custom.needed_text("name"),
            custom.needed_text("input"),
            kind="custom",
            path=call.path,
        )
        custom.end()
    elif kind == "function":
        function = call.inner("function")
        use = ToolUse(call_id, function.needed_text("name"), function.text("arguments") or "", path=call.path)
        function.end()
    else:
        raise unknown(call.at("type"))
    called.uses[call_id] = use
    signature = _signature(call)
    call.end()
    return [*_signed(signature, call_id, call.at("extra_content")), use]


def _read_reasoning(message: Fields) -> list[Part]:
    """Read what the model thought: the list with seals where it has text, before the plain text."""
    plain = {name: message.text(name) for name in ("reasoning_content", "reasoning", "thinking")}
    details = [_read_detail(each) for each in message.objects("reasoning_details")]
    found: list[Part] = list(reasonings_of(details, message.at("reasoning_details")))
    if not any(each.readable for each in details):
        texts = dict.fromkeys(text for text in plain.values() if text)
        path = next((message.at(name) for name, text in plain.items() if text), "")
        found = [*(Reasoning((text,), path=path) for text in texts), *found]
    return found + _signed(_signature(message), "", message.at("extra_content"))


def _read_detail(fields: Fields) -> Detail:
    """Read one entry; a `text` or `summary` beside data of an unknown format stays with it."""
    detail = Detail(
        type=fields.needed_text("type"),
        text=fields.text("text"),
        summary=fields.text("summary"),
        data=fields.text("data"),
        signature=fields.text("signature"),
        id=fields.text("id"),
        format=fields.text("format"),
        index=fields.whole("index"),
    )
    if detail.type not in (TEXT, SUMMARY, ENCRYPTED):
        raise unknown(fields.at("type"))
    fields.end()
    return detail


def _signature(fields: Fields) -> str | None:
    extra: Any = fields.take("extra_content")
    if extra is None:
        return None
    outer = Fields(extra, fields.at("extra_content"))
    google = outer.inner("google")
    signature = google.text("thought_signature")
    google.end()
    outer.end()
    return signature


def _signed(signature: str | None, call_id: str, path: str) -> list[Part]:
    if not signature:
        return []
    return [Reasoning(seal=Seal("google", signature, id=call_id, is_redacted=True), path=path)]
