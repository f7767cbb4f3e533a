"""Prompts written as requests of the Responses API and read again: nothing is lost, nothing invented."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.pieces import Seal
from seawall.wire.prompt import (
    FilePart,
    ImagePart,
    Option,
    OutputFormat,
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
from seawall.wire.responses.prompt import read_prompt, write_prompt
from seawall.wire.responses.request import read_request

TARGET = Target("gpt-test", vendor="openai", takes_reasoning=True, seal_origin="openai")


def without_paths(value: Any) -> Any:
    """Return a prompt in plain values, its paths left out: they name places in another body."""
    if isinstance(value, msgspec.Struct):
        fields = {name: without_paths(getattr(value, name)) for name in value.__struct_fields__}
        fields.pop("path", None)
        return type(value).__name__, fields
    if isinstance(value, dict):
        return {name: without_paths(each) for name, each in value.items()}
    return [without_paths(each) for each in value] if isinstance(value, tuple | list) else value


def there_and_back(prompt: Prompt) -> Prompt:
    body = json.loads(json.dumps(write_prompt(prompt, TARGET).body))
    return read_prompt(read_request(body, raw_bytes=10, messages_max=1_000))


TEXTS = st.text(min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
SCHEMAS = st.dictionaries(NAMES, TEXTS | st.integers() | st.booleans(), max_size=2)
TEXT = st.builds(TextPart, TEXTS)
IMAGE = st.builds(ImagePart, url=NAMES.map("https://example.com/{}".format), detail=st.sampled_from([None, "low", "high"])) | st.builds(
    ImagePart, media_type=st.just("image/png"), data=NAMES
)  # fmt: skip
FILE = (
    st.builds(FilePart, name=NAMES | st.none(), url=NAMES.map("https://example.com/{}".format))
    | st.builds(FilePart, name=NAMES, media_type=st.just("text/plain"), data=TEXTS)
    | st.builds(FilePart, name=NAMES, media_type=st.just("application/pdf"), data=NAMES)
)
SEEN = TEXT | IMAGE | FILE


def parts_of(part: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(part, min_size=1, max_size=most).map(tuple)


SEALS = st.builds(Seal, st.just("openai"), NAMES, NAMES.map("rs_{}".format))
REASONING = st.builds(Reasoning, parts_of(TEXTS), st.booleans(), SEALS) | st.builds(
    Reasoning, st.just(()), st.just(False), SEALS
)
KINDS = st.sampled_from(["function", "custom"])
USE = st.builds(ToolUse, NAMES, NAMES, TEXTS, KINDS)
SAID = parts_of(TEXT | st.builds(Refusal, TEXTS) | REASONING | USE, 5)
RESULT = st.builds(ToolResult, NAMES, st.lists(SEEN, max_size=3).map(tuple), kind=KINDS)
EXCHANGE = st.tuples(
    st.builds(Turn, st.just("user"), parts_of(SEEN)),
    st.builds(Turn, st.just("assistant"), SAID),
    st.builds(Turn, st.just("tool"), parts_of(RESULT)),
)
TURNS = st.tuples(
    st.lists(st.builds(Turn, st.sampled_from(["system", "developer"]), parts_of(TEXT)), max_size=2),
    st.lists(EXCHANGE, max_size=2),
    st.builds(Turn, st.just("user"), parts_of(SEEN)),
).map(lambda parts: (*parts[0], *(turn for exchange in parts[1] for turn in exchange), parts[2]))
TOOLS = st.builds(
    Tool, NAMES, TEXTS | st.none(), SCHEMAS | st.none(), st.sampled_from([None, True])
) | st.builds(Tool, NAMES, TEXTS | st.none(), SCHEMAS | st.none(), kind=st.just("custom"))
CHOICES = st.sampled_from([None, *(ToolChoice(mode) for mode in ("auto", "none", "required"))]) | st.builds(
    ToolChoice, st.just("allowed"), parts_of(NAMES), st.booleans()
)
SHAPES = st.none() | st.just(OutputFormat("json_object")) | st.builds(
    OutputFormat, st.just("json_schema"), SCHEMAS, NAMES, st.booleans() | st.none(), TEXTS | st.none()
)  # fmt: skip
THINKING = (
    st.none()
    | st.just(Thinking(is_on=False))
    | st.builds(
        Thinking, effort=st.sampled_from(["minimal", "low", "max"]), summary=st.sampled_from([None, "auto"])
    )
)
OPTIONS = st.dictionaries(
    st.sampled_from(["temperature", "top_p", "verbosity", "prompt_cache_key"]),
    st.builds(Option, TEXTS, st.just("")),
)
PROMPTS = st.builds(
    Prompt,
    model=st.just("gpt-test"),
    turns=TURNS,
    tools=st.lists(TOOLS, max_size=2).map(tuple),
    tool_choice=CHOICES,
    parallel_tools=st.booleans() | st.none(),
    max_tokens=st.integers(16, 10**6) | st.none(),
    stream=st.booleans(),
    output=SHAPES,
    thinking=THINKING,
    end_user=NAMES | st.none(),
    options=OPTIONS,
)


@given(PROMPTS)
def test_a_prompt_goes_there_and_back(prompt: Prompt) -> None:
    assert without_paths(there_and_back(prompt)) == without_paths(prompt)
