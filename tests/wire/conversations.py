"""Hypothesis strategies for whole conversations in the words of one dialect or of several at once."""

import base64
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from seawall.core.pieces import Seal, SealOrigin
from seawall.wire.prompt import (
    AudioPart,
    CacheMark,
    FilePart,
    ImagePart,
    Option,
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
)

TARGETS = {
    "chat": Target("m", vendor="openai", seal_origin="openai"),
    "responses": Target("m", vendor="openai", seal_origin="openai"),
    "messages": Target("m", vendor="anthropic", seal_origin="anthropic"),
}
OPENROUTER = Target("m", vendor="openrouter", takes_reasoning=True)


class Words(Struct, frozen=True):
    """What a conversation may hold, so that the dialect can say all of it.

    `dialects` are those that have to say it; `seals` are the origins of reasoning that may be in it.
    """

    dialects: frozenset[str]
    seals: tuple[SealOrigin, ...] = ()
    has_cache: bool = False
    has_openai: bool = True

    def all_in(self, *dialects: str) -> bool:
        """Say whether nobody but these has to say it."""
        return self.dialects <= set(dialects)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.text("abcXYZ019_-", min_size=1, max_size=8)
ids = st.text("abcXYZ019_-", min_size=1, max_size=8).map("call_".__add__)
base64s = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
some_base64 = st.binary(min_size=1, max_size=9).map(lambda data: base64.b64encode(data).decode())
urls = names.map("https://a.example/{}".format)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(texts, values, max_size=3)
schemas = objects.map(lambda fields: {**fields, "type": "object"})


@st.composite
def caches(draw: st.DrawFn, words: Words) -> CacheMark | None:
    if not words.has_cache:
        return None
    ttls = [None, "5m", "1h"] if words.all_in("messages") else [None, "5m"]
    return draw(st.none() | st.builds(CacheMark, st.sampled_from(ttls)))


@st.composite
def text_parts(draw: st.DrawFn, words: Words) -> TextPart:
    return TextPart(draw(some_text), cache=draw(caches(words)))


@st.composite
def image_parts(draw: st.DrawFn, words: Words) -> ImagePart:
    detail = draw(st.sampled_from([None, "low", "high"])) if words.all_in("chat", "responses") else None
    cache = draw(caches(words))
    if draw(st.booleans()):
        return ImagePart(url=draw(urls), detail=detail, cache=cache)
    kinds = st.sampled_from(["image/png", "image/jpeg"])
    return ImagePart(media_type=draw(kinds), data=draw(some_base64), detail=detail, cache=cache)


@st.composite
def file_parts(draw: st.DrawFn, words: Words) -> FilePart:
    named = names.map("{}.pdf".format)  # OpenAI wants a name for every file.
    name, cache = draw(named | st.none() if words.all_in("messages") else named), draw(caches(words))
    if "chat" not in words.dialects and draw(st.booleans()):
        return FilePart(name, url=draw(urls), cache=cache)
    if draw(st.booleans()):
        return FilePart(name, media_type="text/plain", data=draw(texts), cache=cache)
    return FilePart(name, media_type="application/pdf", data=draw(some_base64), cache=cache)


@st.composite
def user_turns(draw: st.DrawFn, words: Words, *, is_alone: bool = True) -> Turn:
    """What the user said; only where no tool result stands beside it can that be nothing."""
    name = draw(st.none() | names) if words.all_in("chat") else None
    if draw(st.booleans()):
        return Turn("user", (TextPart(draw(texts if is_alone else some_text)),), name)
    kinds: list[st.SearchStrategy[Part]] = [text_parts(words), image_parts(words), file_parts(words)]
    if words.all_in("chat"):
        kinds.append(st.builds(AudioPart, some_base64, st.sampled_from(["wav", "mp3"])))
    return Turn("user", tuple(draw(st.lists(st.one_of(kinds), min_size=1, max_size=3))), name)


@st.composite
def reasonings(draw: st.DrawFn, words: Words) -> Reasoning:
    origin = draw(st.sampled_from(words.seals))
    data = draw(some_base64)
    if origin == "openai":
        paragraphs = tuple(draw(st.lists(some_text, max_size=2)))
        return Reasoning(paragraphs, is_summary=bool(paragraphs), seal=Seal("openai", data, id=draw(ids)))
    if draw(st.booleans()):
        return Reasoning(seal=Seal(origin, data, is_redacted=True))
    return Reasoning((draw(some_text),), seal=Seal(origin, data))


@st.composite
def tool_uses(draw: st.DrawFn, words: Words) -> ToolUse:
    if words.all_in("chat", "responses") and words.has_openai and draw(st.booleans()):
        return ToolUse(draw(ids), draw(names), draw(texts), kind="custom")
    arguments = draw(st.just("") | objects.map(msgspec.json.encode).map(bytes.decode))
    return ToolUse(draw(ids), draw(names), arguments)


@st.composite
def tool_results(draw: st.DrawFn, use: ToolUse, words: Words) -> ToolResult:
    kinds: list[st.SearchStrategy[Any]] = [text_parts(words)]
    if "chat" not in words.dialects:
        kinds += [image_parts(words), file_parts(words)]
    parts = draw(st.lists(st.one_of(kinds), max_size=2))
    is_error = words.all_in("messages") and draw(st.booleans())
    cache = draw(caches(words)) if words.all_in("messages") else None
    return ToolResult(use.id, tuple(parts), is_error, use.kind, cache=cache)


@st.composite
def answered_turns(draw: st.DrawFn, words: Words) -> list[Turn]:
    """What the assistant said, its tool calls answered."""
    parts: list[Part] = draw(st.lists(reasonings(words), max_size=2)) if words.seals else []
    parts += draw(st.lists(st.builds(TextPart, some_text), max_size=2))
    if words.all_in("chat", "responses") and words.has_openai:
        parts += draw(st.lists(st.builds(Refusal, some_text), max_size=1))
    uses = draw(st.lists(tool_uses(words), max_size=3, unique_by=lambda use: use.id))
    parts += uses
    turns = [Turn("assistant", tuple(parts or [TextPart(draw(some_text))]))]
    if uses:
        results = tuple(draw(tool_results(use, words)) for use in uses)
        turns.append(Turn("tool", results))
    return turns


@st.composite
def conversations(draw: st.DrawFn, words: Words) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    if draw(st.booleans()):
        has_developer = words.all_in("chat", "responses") and words.has_openai
        role = draw(st.sampled_from(["system", "developer"] if has_developer else ["system"]))
        turns.append(Turn(role, tuple(draw(st.lists(text_parts(words), min_size=1, max_size=2)))))
    for _ in range(draw(st.integers(1, 3))):
        turns.append(draw(user_turns(words, is_alone=not turns or turns[-1].role != "tool")))
        turns += draw(answered_turns(words))
    if draw(st.booleans()):
        turns.append(draw(user_turns(words, is_alone=turns[-1].role != "tool")))
    return tuple(turns)


@st.composite
def tool_lists(draw: st.DrawFn, words: Words) -> tuple[Tool, ...]:
    described, strict = st.none() | texts, st.sampled_from([None, True])
    marks = caches(words)
    kinds = [st.builds(Tool, names, described, schemas, strict, cache=marks)]
    if words.all_in("chat", "responses") and words.has_openai:
        grammar = st.fixed_dictionaries(
            {"type": st.just("grammar"), "definition": texts, "syntax": st.just("lark")}
        )
        kinds.append(
            st.builds(Tool, names, described, st.none() | grammar, kind=st.just("custom"), cache=marks)
        )
    return tuple(draw(st.lists(st.one_of(kinds), max_size=3, unique_by=lambda tool: tool.name)))


@st.composite
def choices(draw: st.DrawFn, tools: tuple[Tool, ...], words: Words) -> ToolChoice | None:
    if not tools:
        return None
    name = draw(st.sampled_from(tools)).name
    found = [
        None,
        ToolChoice("auto"),
        ToolChoice("none"),
        ToolChoice("required"),
        ToolChoice("named", (name,)),
    ]
    if words.all_in("chat", "responses") and words.has_openai:
        found += [ToolChoice("allowed", (name,), is_required=draw(st.booleans()))]
    return draw(st.sampled_from(found))


@st.composite
def thinkings(draw: st.DrawFn, words: Words) -> Thinking | None:
    if words.all_in("chat", "responses"):
        efforts = st.sampled_from(["minimal", "low", "medium", "high", "xhigh"])
        summaries = st.none()
        if words.all_in("responses"):
            summaries = st.sampled_from([None, "auto", "concise", "detailed"])
        found = (
            st.none()
            | st.just(Thinking(is_on=False))
            | st.builds(Thinking, effort=efforts, summary=summaries)
        )
    elif words.all_in("messages"):
        display = st.sampled_from([None, "auto", "omitted"])
        found = (
            st.none()
            | st.builds(Thinking, budget_tokens=st.integers(1024, 64_000), summary=display)
            | st.builds(Thinking, is_adaptive=st.just(True), summary=display)
        )
    else:
        found = st.none() | st.just(Thinking(is_on=False))
    return draw(found)


@st.composite
def option_sets(draw: st.DrawFn, words: Words) -> dict[str, Option]:
    known: dict[str, st.SearchStrategy[Any]] = {"temperature": st.floats(0, 1), "top_p": st.floats(0, 1)}
    if "responses" not in words.dialects:
        known["stop"] = st.lists(some_text, min_size=1, max_size=3)
    if words.all_in("messages"):
        known["top_k"] = st.integers(1, 100)
    if words.all_in("chat"):
        known |= {"seed": st.integers(0, 9), "frequency_penalty": st.floats(0.1, 2)}
    if words.all_in("chat", "responses") and words.has_openai:
        known |= {"verbosity": st.sampled_from(["low", "high"]), "prompt_cache_key": some_text}
    chosen = draw(st.fixed_dictionaries({}, optional=known))
    return {name: Option(value, "") for name, value in chosen.items()}


@st.composite
def prompts(draw: st.DrawFn, words: Words) -> Prompt:
    """Whole requests that every one of the dialects can say."""
    tools = draw(tool_lists(words))
    output = None
    if draw(st.booleans()):
        strict = st.sampled_from([None, True, False]) if "messages" not in words.dialects else st.just(True)
        output = OutputFormat("json_schema", draw(schemas), draw(names), draw(strict))
    return Prompt(
        model="m",
        turns=draw(conversations(words)),
        tools=tools,
        tool_choice=draw(choices(tools, words)),
        parallel_tools=draw(st.sampled_from([None, True, False])) if tools else None,
        max_tokens=draw(st.none() | st.integers(16, 10_000)),
        stream=draw(st.booleans()),
        output=output,
        thinking=draw(thinkings(words)),
        end_user=draw(st.none() | names),
        options=draw(option_sets(words)),
    )


def normal(prompt: Prompt, words: Words) -> Prompt:
    """Return what a prompt says, in one form: paths aside, and what the dialects do not distinguish.

    - Arguments are compared as JSON values; none are an empty object.
    - An empty text beside other parts, or as a tool's result, says nothing.
    - `parallel_tools` true, `strict` false and the tool choice "auto" are the defaults.
    - Cache marks are lost where no dialect has them; so are the labels of a schema with Anthropic.
    """
    output, choice, parallel = prompt.output, prompt.tool_choice, prompt.parallel_tools
    if output is not None:
        output = replace(output, path="")
        if "messages" in words.dialects:
            output = replace(output, name=None, strict=True)
    if choice is not None:
        choice = None if choice.mode == "auto" else replace(choice, path="")
    if choice is not None and choice.mode == "none":
        parallel = None
    return replace(
        prompt,
        turns=tuple(_normal_turn(turn) for turn in prompt.turns),
        tools=tuple(
            replace(tool, path="", strict=tool.strict or None, description=tool.description)
            for tool in prompt.tools
        ),
        tool_choice=choice,
        parallel_tools=False if parallel is False else None,
        output=output,
        thinking=prompt.thinking and replace(prompt.thinking, path=""),
        options={name: Option(option.value, "") for name, option in prompt.options.items()},
    )


def _normal_turn(turn: Turn) -> Turn:
    parts = [normal_part(part) for part in turn.parts]
    return replace(turn, parts=tuple(parts), path="")


def normal_part(part: Part) -> Part:
    """Return a part without its path, in the form in which parts are compared."""
    part = replace(part, path="")
    if isinstance(part, ToolUse) and part.kind == "function":
        return replace(
            part, arguments=msgspec.json.encode(msgspec.json.decode(part.arguments or "{}")).decode()
        )
    if isinstance(part, ToolResult):
        parts = tuple(replace(each, path="") for each in part.parts if each != TextPart("", each.path))
        return replace(part, parts=parts)
    return part
