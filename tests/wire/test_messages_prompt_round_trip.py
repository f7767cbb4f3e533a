"""Prompts as requests in Anthropic's dialect and back: nothing lost, nothing invented."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.pieces import Seal
from seawall.wire.messages.prompt import read_prompt, write_prompt
from seawall.wire.messages.request import read_request
from seawall.wire.prompt import (
    CacheMark,
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
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
)

CLAUDE = Target(model="claude-x", vendor="anthropic", seal_origin="anthropic")


def read(body: dict[str, Any]) -> Prompt:
    return read_prompt(read_request(body, raw_bytes=0, messages_max=100))


def bare(value: Any) -> Any:
    """Return a value without the paths, which say where something stood in the client's own body."""
    if isinstance(value, msgspec.Struct):
        fields = {name: bare(getattr(value, name)) for name in value.__struct_fields__}
        return type(value)(**(fields | {"path": ""} if "path" in fields else fields))
    if isinstance(value, tuple):
        return tuple(bare(each) for each in value)
    if isinstance(value, dict):
        return {name: bare(each) for name, each in value.items()}
    return value


WORDS = st.text(min_size=1, max_size=6)
MARKS = st.none() | st.builds(CacheMark, st.sampled_from([None, "5m", "1h"]))
TEXTS = st.builds(TextPart, WORDS, cache=MARKS)
IMAGES = st.builds(ImagePart, url=st.just("https://pictures.example/a.png"), cache=MARKS) | st.builds(
    ImagePart, media_type=st.just("image/png"), data=WORDS, cache=MARKS
)
FILES = (
    st.builds(FilePart, st.none() | WORDS, url=st.just("https://files.example/a.pdf"), cache=MARKS)
    | st.builds(FilePart, st.none() | WORDS, media_type=st.just("application/pdf"), data=WORDS, cache=MARKS)
    | st.builds(FilePart, st.none() | WORDS, media_type=st.just("text/plain"), data=WORDS, cache=MARKS)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = st.dictionaries(WORDS, VALUES, max_size=3).map(
    lambda given: msgspec.json.encode(given).decode() if given else ""
)
TOOL_USES = st.builds(ToolUse, WORDS, WORDS, ARGUMENTS, cache=MARKS)
RESULTS = st.builds(
    ToolResult,
    WORDS,
    st.lists(TEXTS | IMAGES | FILES, max_size=3).map(tuple),
    is_error=st.booleans(),
    cache=MARKS,
)
SEALS = st.builds(Seal, st.just("anthropic"), WORDS)
REASONINGS = st.builds(Reasoning, st.just(()) | WORDS.map(lambda text: (text,)), seal=SEALS) | st.builds(
    Reasoning, seal=st.builds(Seal, st.just("anthropic"), WORDS, is_redacted=st.just(True))
)


def turns_of(role: str, parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Turn]:
    return st.lists(parts, min_size=1, max_size=3).map(lambda found: Turn(role, tuple(found)))


USER = turns_of("user", TEXTS | IMAGES | FILES)
RESULT_TURN = turns_of("tool", RESULTS)
ASSISTANT = turns_of("assistant", TEXTS | TOOL_USES | REASONINGS)
EXCHANGE = st.tuples(
    st.one_of(USER.map(lambda t: (t,)), RESULT_TURN.map(lambda t: (t,)), st.tuples(RESULT_TURN, USER)),
    ASSISTANT,
).map(lambda pair: (*pair[0], pair[1]))
SYSTEM = st.lists(TEXTS, max_size=2).map(lambda found: (Turn("system", tuple(found)),) if found else ())
TURNS = st.tuples(SYSTEM, st.lists(EXCHANGE, max_size=3), USER).map(
    lambda found: (*found[0], *(turn for exchange in found[1] for turn in exchange), found[2])
)
TOOLS = st.builds(
    Tool,
    WORDS,
    st.none() | WORDS,
    st.dictionaries(WORDS, VALUES, max_size=2).map(lambda schema: {**schema, "type": "object"}),
    st.none() | st.booleans(),
    cache=MARKS,
)
EFFORTS = st.sampled_from([None, "low", "medium", "high", "xhigh", "max"])
SUMMARIES = st.sampled_from([None, "auto", "omitted"])
THINKING = (
    st.none()
    | st.builds(Thinking, is_on=st.just(False), effort=EFFORTS)
    | st.builds(Thinking, effort=EFFORTS, budget_tokens=st.integers(1_024, 9_999), summary=SUMMARIES)
    | st.builds(Thinking, effort=EFFORTS, is_adaptive=st.just(True), summary=SUMMARIES)
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 1).map(lambda value: Option(value, "")),
        "top_p": st.floats(0, 1).map(lambda value: Option(value, "")),
        "top_k": st.integers(1, 99).map(lambda value: Option(value, "")),
        "stop": st.lists(WORDS, min_size=1, max_size=2).map(lambda value: Option(value, "")),
    },
)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    """Draw what can be said in this dialect, each in the one way in which it is read."""
    tools = tuple(draw(st.lists(TOOLS, max_size=2)))
    modes = st.sampled_from([None, "auto", "required", "none", "named"])
    mode = draw(modes) if tools else None
    choice = None if mode is None else ToolChoice(mode, (tools[0].name,) if mode == "named" else ())
    can_be_single = mode is not None and mode != "none"
    return Prompt(
        model="claude-x",
        turns=draw(TURNS),
        tools=tools,
        tool_choice=choice,
        parallel_tools=False if can_be_single and draw(st.booleans()) else None,
        max_tokens=draw(st.none() | st.integers(1, 99_999)),
        stream=draw(st.booleans()),
        output=draw(
            st.none() | st.just(OutputFormat("json_schema", {"type": "object", "title": "T"}, strict=True))
        ),
        thinking=draw(THINKING),
        end_user=draw(st.none() | WORDS),
        options=draw(OPTIONS),
    )


@given(prompts())
def test_a_prompt_comes_back_as_it_was_written(prompt: Prompt) -> None:
    written = write_prompt(prompt, CLAUDE)
    assert written.notes == {}
    body = msgspec.json.decode(msgspec.json.encode(written.body))
    assert bare(read(body)) == bare(prompt)
