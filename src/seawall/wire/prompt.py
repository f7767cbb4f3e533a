"""A request in no dialect: what chat completions, responses and messages say in common, and what not.

Every dialect has a reader (its body to a Prompt) and a writer (a Prompt to its body). Nothing is dropped:
what a reader does not know goes into `options` under its own name, and a writer refuses what it cannot say,
by the path in the client's own body.

Invariants:
- `Turn`s are in the order of the conversation. A `tool` turn holds `ToolResult`s and nothing else, a turn of
  another role holds none; `ToolUse`, `Reasoning` and `Refusal` stand in `assistant` turns only.
- Tool arguments are JSON text; an empty text stands for an empty object.
- `path` is where something stands in the client's body, as in `messages[2].content[0]`.
"""

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.errors import Untranslatable
from seawall.core.pieces import Seal, ToolKind

Role = Literal["system", "developer", "user", "assistant", "tool"]


class CacheMark(Struct, frozen=True):
    """Anthropic's `cache_control`: everything up to here should be cached; `ttl` is "5m", "1h" or `None`."""

    ttl: str | None = None


class TextPart(Struct, frozen=True):
    """Text."""

    text: str
    path: str = ""
    cache: CacheMark | None = None


class ImagePart(Struct, frozen=True):
    """A picture, by `url`, or as `data` (base64) of a `media_type`; `detail` is OpenAI's."""

    url: str = ""
    media_type: str = ""
    data: str = ""
    detail: str | None = None
    path: str = ""
    cache: CacheMark | None = None


class FilePart(Struct, frozen=True):
    """A document by `url`, or as `data`: base64, or the text itself where `media_type` is text/plain."""

    name: str | None = None
    url: str = ""
    media_type: str = ""
    data: str = ""
    path: str = ""
    cache: CacheMark | None = None


class AudioPart(Struct, frozen=True):
    """Sound as base64; `format` is "wav" or "mp3"."""

    data: str
    format: str
    path: str = ""


class Refusal(Struct, frozen=True):
    """What the assistant said in declining."""

    text: str
    path: str = ""


class Reasoning(Struct, frozen=True):
    """What the assistant thought before: the `texts` are one reasoning, or the paragraphs of its summary."""

    texts: tuple[str, ...] = ()
    is_summary: bool = False
    seal: Seal | None = None
    path: str = ""


class ToolUse(Struct, frozen=True):
    """A tool call of the assistant; `id` is what its result refers to."""

    id: str
    name: str
    arguments: str
    kind: ToolKind = "function"
    path: str = ""
    cache: CacheMark | None = None


class ToolResult(Struct, frozen=True):
    """What a tool answered to the call `id`."""

    id: str
    parts: tuple["TextPart | ImagePart | FilePart", ...]
    is_error: bool = False
    kind: ToolKind = "function"
    path: str = ""
    cache: CacheMark | None = None


Part = TextPart | ImagePart | FilePart | AudioPart | Refusal | Reasoning | ToolUse | ToolResult


class Turn(Struct, frozen=True):
    """One message; `name` is the participant's name where chat completions give one."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    path: str = ""


class Tool(Struct, frozen=True):
    """A tool that the model may call: `schema` is JSON Schema, for a custom tool its `format` or `None`."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    kind: ToolKind = "function"
    path: str = ""
    cache: CacheMark | None = None


class ToolChoice(Struct, frozen=True):
    """Which tools may or must be called; `names` come with "named" (one) and "allowed" (any of them)."""

    mode: Literal["auto", "none", "required", "named", "allowed"]
    names: tuple[str, ...] = ()
    is_required: bool = False
    path: str = "tool_choice"


class OutputFormat(Struct, frozen=True):
    """The shape of the answer: any JSON object, or one that fits a `schema`."""

    kind: Literal["json_object", "json_schema"]
    schema: dict[str, Any] | None = None
    name: str | None = None
    strict: bool | None = None
    description: str | None = None
    path: str = ""


class Thinking(Struct, frozen=True):
    """How much the model should reason.

    `effort` is one of minimal, low, medium, high, xhigh, max; `budget_tokens` is Anthropic's older way of
    saying it; `is_adaptive` leaves it to the model. `summary` asks for a visible summary ("auto", "concise",
    "detailed"; "omitted" asks for none). `is_on` is false where reasoning is switched off by name.
    """

    is_on: bool = True
    effort: str | None = None
    budget_tokens: int | None = None
    is_adaptive: bool = False
    summary: str | None = None
    path: str = ""


class Option(Struct, frozen=True):
    """A field that only some dialects have, as it was sent."""

    value: Any
    path: str


class Prompt(Struct, frozen=True):
    """A whole request.

    `options` holds everything that has no field here, under the name that the OpenAI dialects use where they
    have one (`temperature`, `top_p`, `stop` as a list of texts, `seed`, `metadata`, `user`, `service_tier`,
    `verbosity`, ...), Anthropic's own otherwise (`top_k`). `max_tokens` is the declared output cap.
    """

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    max_tokens: int | None = None
    stream: bool = False
    output: OutputFormat | None = None
    thinking: Thinking | None = None
    end_user: str | None = None
    options: dict[str, Option] = {}


class Target(Struct, frozen=True):
    """Whom a request is written for: what a writer must know of the model and the vendor.

    `takes_reasoning` says that assistant messages may carry `reasoning_content` and `reasoning_details`;
    `is_adaptive` that adaptive thinking is the model's way (Anthropic); `seal_origin` whose seals it reads;
    `takes_late_system` that a system prompt may stand in the middle of a conversation (Anthropic).
    """

    model: str
    vendor: str = ""
    takes_reasoning: bool = False
    is_adaptive: bool = False
    seal_origin: str = ""
    takes_late_system: bool = False


class Written(Struct, frozen=True):
    """A body in the target's dialect, and what had to be said in another way: field to explanation."""

    body: dict[str, Any]
    notes: dict[str, str] = {}


def cannot_say(path: str, target: str, why: str = "") -> Untranslatable:
    """Return the refusal of a field for which the target's dialect ("chat completions", ...) has no words."""
    reason = f": {why}" if why else ""
    return Untranslatable(
        f"{path} cannot be said to this model, which is reached by {target}{reason}.", param=path
    )


LEFT_OUT = {"reasoning": "earlier reasoning without a signature is left out"}
"""What is noted where it is."""


def without_bare_reasoning(prompt: Prompt, notes: dict[str, str]) -> Prompt:
    """Leave out earlier reasoning that has no seal, for a vendor that cannot take it; `notes` says so.

    It is text that its own vendor passes over as well, and no other can check. Sealed reasoning stays.
    """
    if not any(_is_bare(part) for turn in prompt.turns for part in turn.parts):
        return prompt
    notes |= LEFT_OUT
    turns = []
    for turn in prompt.turns:
        parts = tuple(part for part in turn.parts if not _is_bare(part))
        if parts or not turn.parts:
            turns.append(replace(turn, parts=parts))
    return replace(prompt, turns=tuple(turns))


def _is_bare(part: Part) -> bool:
    return isinstance(part, Reasoning) and (part.seal is None or not part.seal.data)


def refuse_options(
    prompt: Prompt, said: frozenset[str], silent: dict[str, tuple[Any, ...]], target: str
) -> None:
    """Raise Untranslatable for the first option that is not among `said`.

    `silent` lists, per option, the values that say no more than leaving it out.
    """
    for name, option in prompt.options.items():
        if name in said or option.value is None or option.value in silent.get(name, ()):
            continue
        raise cannot_say(option.path, target)
