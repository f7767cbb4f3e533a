"""The pieces of an answer, the same in every dialect: what one dialect reads and another one writes.

Invariants:
- An answer is a sequence of blocks; all pieces of a block carry its number. Numbers begin at 0 and grow in
  the order in which blocks begin; pieces of several tool blocks may come in turns.
- A block is of one kind. The first piece of a tool block carries its id and name, later ones only arguments.
- `Began` comes first and once where the vendor says anything of it, `Finished` last and once.
- Only answers with one choice are made of pieces.
"""

from typing import Literal

from msgspec import Struct

SealOrigin = Literal["anthropic", "openai", "google", "openrouter"]
ToolKind = Literal["function", "custom"]
FinishReason = Literal[
    "stop", "length", "tool_calls", "content_filter", "refusal", "stop_sequence", "context_window", "pause"
]


class Seal(Struct, frozen=True):
    """What a vendor wants back byte-identical with its reasoning: a signature, or the reasoning encrypted.

    `origin` is who made it and alone can read it. `is_redacted` marks reasoning that has no readable text
    beside it (Anthropic's `redacted_thinking`). `id` is the vendor's name for the item: OpenAI's reasoning
    item, or the tool call that Google's thought signature belongs to.
    """

    origin: SealOrigin
    data: str
    id: str = ""
    is_redacted: bool = False


class Began(Struct, frozen=True):
    """The answer has begun; `id` and `model` are the vendor's words."""

    id: str = ""
    model: str = ""


class TextPiece(Struct, frozen=True):
    """Visible text."""

    block: int
    text: str


class RefusalPiece(Struct, frozen=True):
    """Text with which the model declines (OpenAI's `refusal`)."""

    block: int
    text: str


class ReasoningPiece(Struct, frozen=True):
    """Reasoning, or with `is_summary` a summary of it; `part` numbers the paragraphs of a summary."""

    block: int
    text: str
    is_summary: bool = False
    part: int = 0


class SealPiece(Struct, frozen=True):
    """Closes a reasoning block with the vendor's seal; redacted reasoning is a block of only this."""

    block: int
    seal: Seal


class ToolPiece(Struct, frozen=True):
    """A tool call: `arguments` is a piece of JSON text, for a custom tool of its plain input."""

    block: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    kind: ToolKind = "function"


class Finished(Struct, frozen=True):
    """The model has finished, and why; `stop_sequence` is the text at which it stopped."""

    reason: FinishReason
    stop_sequence: str | None = None


Piece = Began | TextPiece | RefusalPiece | ReasoningPiece | SealPiece | ToolPiece | Finished
