"""What a dialect has to offer: the contracts between wire, providers and server.

A dialect is a package (`chat`, `messages`, `responses`) of these modules:

| Module | Holds |
|---|---|
| `request` | `read_request`: a client's body to a Request; `write_request`: the same body for the vendor |
| `answer` | the fast readers, for a client that speaks the same dialect: what is billed, frames untouched |
| `passing` | `Passing`: the writer for such a client |
| `prompt` | `read_prompt` and `write_prompt`: the body to a Prompt and back |
| `reader` | `PieceReader` and `read_pieces`: a vendor's answer to pieces |
| `writer` | `Writer`: pieces to an answer for the client |
"""

from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from seawall.core.call import Event, Request
from seawall.core.errors import SeawallError
from seawall.core.money import Usage
from seawall.core.pieces import Finished, Piece, ReasoningPiece, RefusalPiece, TextPiece, ToolPiece
from seawall.core.state import StoredItem


class Reading(Struct, frozen=True):
    """What an answer or frame says: its event, and the vendor's error where it is one.

    An error's event may carry the usage that came with it. `is_end` marks the frame after which nothing more
    belongs to the answer.
    """

    event: Event
    error: Any = None
    is_end: bool = False


class FrameReader(Protocol):
    """Reads the frames of one stream from a vendor, one after the other."""

    @property
    def is_complete(self) -> bool:
        """Say whether the answer would be complete if the body ended cleanly here."""

    def read(self, data: bytes, frame: bytes) -> Reading:
        """Read one frame; `data` is what it carries, `frame` the whole of it with its closing blank line.

        Raises msgspec.DecodeError (UnicodeDecodeError is one of its causes and may come too) where the data
        cannot be what it should be.
        """


class Answering(Struct, frozen=True):
    """What a writer has to know of the call: the client's request, and how the answer is to be called.

    `answer_id` is without the dialect's own prefix (`chatcmpl-`, `msg_`, `resp_`), `created_at` in Unix
    seconds, `model` as the vendor is asked for it; `output_cap` is what the vendor was told.
    """

    request: Request
    answer_id: str
    created_at: int
    model: str
    output_cap: int


class AnswerWriter(Protocol):
    """Writes one answer in the client's dialect, from events; streams and whole answers alike.

    Feed every event to `write`, in a stream sending what it returns; then call `end` for the rest of a
    stream, or `whole` for the body of a whole answer. An event with `finish` and neither `raw` nor pieces was
    made by us because the stream was cut: the writer closes what is open and says so in its dialect.
    """

    def write(self, event: Event) -> bytes:
        """Take an event; returns frames for the client, b"" where there is nothing to say yet."""

    def end(self) -> bytes:
        """Return the frames that end a stream which came to a clean end."""

    def whole(self) -> bytes:
        """Return the body of a whole answer."""


@runtime_checkable
class KeepingWriter(AnswerWriter, Protocol):
    """A writer whose answer can be stored; what it offers is there once the last event was written.

    Its `end` may be called more than once, and says the same each time.
    """

    def fail(self, error: SeawallError) -> bytes:
        """Return the frames that end a stream by an error."""

    def response(self) -> bytes:
        """Return the response object as the client gets it."""

    def output_items(self) -> tuple[StoredItem, ...]:
        """Return its output items."""


def event_of(
    pieces: tuple[Piece, ...], *, usage: Usage | None = None, raw: bytes = b"", last: bool = False
) -> Event:
    """Return the event of some pieces, with everything that was generated put where the meters look."""
    text = reasoning = tool = ""
    finish = None
    for piece in pieces:
        if isinstance(piece, TextPiece | RefusalPiece):
            text += piece.text
        elif isinstance(piece, ReasoningPiece):
            reasoning += piece.text
        elif isinstance(piece, ToolPiece):
            tool += piece.name + piece.arguments
        elif isinstance(piece, Finished):
            finish = piece.reason
    return Event(
        raw=raw,
        text=text,
        reasoning=reasoning,
        tool=tool,
        finish=finish,
        usage=usage,
        last=last,
        pieces=pieces,
    )
