"""Turns, written as the messages of chat completions."""

from typing import Any

from seawall.core.pieces import Seal
from seawall.wire.chat.parts import TARGET, say_cache, say_part
from seawall.wire.chat.reasoning import PARAGRAPHS, Detail, details_of
from seawall.wire.chat.tools import OPENAI, check_custom
from seawall.wire.prompt import (
    Part,
    Reasoning,
    Refusal,
    Target,
    TextPart,
    ToolResult,
    ToolUse,
    Turn,
    cannot_say,
)


def say_turns(turns: tuple[Turn, ...], target: Target, notes: dict[str, str]) -> list[dict[str, Any]]:
    """Write the messages; every result of a tool is one of its own.

    Raises Untranslatable for what the dialect, or the target's vendor, has no words for.
    """
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "tool":
            messages += [
                _say_result(part, target, notes) for part in turn.parts if isinstance(part, ToolResult)
            ]
            continue
        named = {} if turn.name is None else {"name": turn.name}
        if turn.role == "assistant":
            messages.append({"role": "assistant", **named, **_say_assistant(turn, target, notes)})
            continue
        role: str = turn.role
        if role == "developer" and target.vendor not in OPENAI:
            role = "system"
            notes[f"{turn.path}.role"] = "developer is said as system"
        if turn.role != "user":
            _check_texts(turn.parts)
        messages.append({"role": role, **named, "content": _say_content(turn.parts, target, notes)})
    return messages


def _say_content(parts: tuple[Part, ...], target: Target, notes: dict[str, str]) -> Any:
    """Write a message's content: as a plain text where that says it all."""
    said = [say_part(part, target, notes) for part in parts]
    if not said:
        return ""
    if len(said) == 1 and said[0].keys() == {"type", "text"}:
        return said[0]["text"]
    return said


def _check_texts(parts: tuple[Part, ...]) -> None:
    for part in parts:
        if not isinstance(part, TextPart):
            raise cannot_say(part.path, TARGET)


def _say_result(result: ToolResult, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    _check_texts(result.parts)
    if result.is_error:
        if not any(isinstance(part, TextPart) and part.text for part in result.parts):
            raise cannot_say(f"{result.path}.is_error", TARGET, "an error without a text is nothing there")
        notes["is_error"] = "said in the text only"
    content = _say_content(result.parts, target, notes)
    if result.cache is not None and not content:
        notes["cache_control"] = "a result without a text cannot carry it there"
    cache = say_cache(result.cache, target, notes) if content else {}
    if cache and isinstance(content, str):
        content = [{"type": "text", "text": content, **cache}]
    elif cache:
        content[-1] |= cache
    return {"role": "tool", "tool_call_id": result.id, "content": content}


def _say_assistant(turn: Turn, target: Target, notes: dict[str, str]) -> dict[str, Any]:
    """Write what the assistant said: a message has one place each for reasoning, words and tool calls."""
    thoughts: list[Reasoning] = []
    words: list[Part] = []
    calls: list[ToolUse] = []
    signatures: dict[str, str] = {}
    for part in turn.parts:
        if isinstance(part, Reasoning):
            if _is_googles(part.seal, target):
                assert part.seal is not None
                signatures[part.seal.id] = part.seal.data
                continue
            if words or calls:
                notes[turn.path] = "reasoning is said before the text and the tool calls"
            thoughts.append(part)
        elif isinstance(part, ToolUse):
            calls.append(part)
        else:
            if calls:
                notes[turn.path] = "text is said before the tool calls"
            words.append(_known_word(part, target, notes))
    message = _say_words(words, target, notes)
    if message["content"] is None and not calls and "refusal" not in message:
        message["content"] = ""
    _add_thoughts(message, thoughts, target)
    if calls:
        message["tool_calls"] = [_say_call(call, signatures, target, notes) for call in calls]
    if "" in signatures:
        message["extra_content"] = _signed(signatures.pop(""))
    for part in turn.parts:
        if isinstance(part, Reasoning) and part.seal is not None and part.seal.id in signatures:
            raise cannot_say(part.path, TARGET, "the tool call that it belongs to is missing")
    return message


def _is_googles(seal: Seal | None, target: Target) -> bool:
    return seal is not None and seal.origin == "google" == target.seal_origin and bool(seal.data)


def _known_word(part: Part, target: Target, notes: dict[str, str]) -> Part:
    """Return a text or refusal as the vendor knows it: a refusal is OpenAI's; for others it is text."""
    if isinstance(part, Refusal) and target.vendor not in OPENAI:
        notes["refusal"] = "said as text"
        return TextPart(part.text, part.path)
    if isinstance(part, TextPart | Refusal):
        return part
    raise cannot_say(part.path, TARGET)


def _say_words(words: list[Part], target: Target, notes: dict[str, str]) -> dict[str, Any]:
    if not words:
        return {"content": None}
    last = words[-1]
    if isinstance(last, Refusal) and not any(isinstance(word, Refusal) for word in words[:-1]):
        content = _say_content(tuple(words[:-1]), target, notes) if words[:-1] else None
        return {"content": content, "refusal": last.text}
    return {"content": _say_content(tuple(words), target, notes)}


def _add_thoughts(message: dict[str, Any], thoughts: list[Reasoning], target: Target) -> None:
    """Put reasoning where its vendor expects it; another vendor's seal cannot be said."""
    is_openrouter = target.vendor == "openrouter"
    for thought in thoughts:
        has_seal = thought.seal is not None and bool(thought.seal.data)
        if has_seal and not is_openrouter and thought.seal.origin != target.seal_origin:  # type: ignore[union-attr] # has_seal says that there is one
            raise cannot_say(thought.path, TARGET, "it is the reasoning of another vendor")
    has_seals = any(thought.seal is not None and thought.seal.data for thought in thoughts)
    if has_seals or (is_openrouter and len(thoughts) > 1):
        details: list[Detail] = []
        for thought in thoughts:
            seal = thought.seal if thought.seal is not None and thought.seal.data else None
            details += details_of(
                thought.texts, seal, is_summary=thought.is_summary, first_index=len(details)
            )
        message["reasoning_details"] = [detail.said() for detail in details]
        return
    text = PARAGRAPHS.join((PARAGRAPHS if each.is_summary else "").join(each.texts) for each in thoughts)
    if not text:
        return
    if target.vendor != "mistral":
        message["reasoning_content"] = text
        return
    content = message["content"]
    texts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    message["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}, *texts]


def _say_call(
    call: ToolUse, signatures: dict[str, str], target: Target, notes: dict[str, str]
) -> dict[str, Any]:
    if call.cache is not None:
        notes["cache_control"] = "a tool call cannot carry it there"
    said: dict[str, Any] = {"id": call.id, "type": call.kind}
    if call.kind == "custom":
        check_custom(target, call.path)
        said["custom"] = {"name": call.name, "input": call.arguments}
    else:
        said["function"] = {"name": call.name, "arguments": call.arguments or "{}"}
    if call.id in signatures:
        said["extra_content"] = _signed(signatures.pop(call.id))
    return said


def _signed(signature: str) -> dict[str, Any]:
    return {"google": {"thought_signature": signature}}
