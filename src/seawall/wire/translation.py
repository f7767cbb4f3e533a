"""The hub of the dialects: which functions read and write each, and how a request gets from one to another.

Nothing here knows a dialect: a row of DIALECTS names the functions that `wire.dialect` asks for.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from seawall.core.call import Json, Request
from seawall.wire import embeddings
from seawall.wire.chat import answer as chat_answer
from seawall.wire.chat import passing as chat_passing
from seawall.wire.chat import prompt as chat_prompt
from seawall.wire.chat import reader as chat_reader
from seawall.wire.chat import request as chat_request
from seawall.wire.chat import writer as chat_writer
from seawall.wire.dialect import Answering, AnswerWriter, FrameReader, Reading
from seawall.wire.messages import answer as messages_answer
from seawall.wire.messages import counting
from seawall.wire.messages import passing as messages_passing
from seawall.wire.messages import prompt as messages_prompt
from seawall.wire.messages import reader as messages_reader
from seawall.wire.messages import request as messages_request
from seawall.wire.messages import writer as messages_writer
from seawall.wire.prompt import Prompt, Target, Written
from seawall.wire.responses import answer as responses_answer
from seawall.wire.responses import passing as responses_passing
from seawall.wire.responses import prompt as responses_prompt
from seawall.wire.responses import reader as responses_reader
from seawall.wire.responses import request as responses_request
from seawall.wire.responses import writer as responses_writer

_encode = msgspec.json.Encoder().encode


class ReadRequest(Protocol):
    """Reads a client's body; raises InvalidRequest naming the field that cannot be right."""

    def __call__(
        self, body: Json, *, raw_bytes: int, messages_max: int, headers: tuple[tuple[str, str], ...] = ()
    ) -> Request:
        """Return the request in `body`, which came as `raw_bytes` bytes."""


class MakeFrameReader(Protocol):
    """Makes a reader of frames that go to the client as they came."""

    def __call__(self, *, wants_usage: bool) -> FrameReader:
        """Return one that keeps back frames of only usage unless the client `wants_usage`."""


class Dialect(Struct, frozen=True):
    """One dialect: its functions, under the names that `wire.dialect` explains."""

    read_request: ReadRequest
    read_prompt: Callable[[Request], Prompt]
    write_prompt: Callable[[Prompt, Target], Written]
    frame_reader: MakeFrameReader
    read_answer: Callable[[bytes], Reading]
    passing: Callable[[Answering], AnswerWriter]
    piece_reader: Callable[[], FrameReader]
    read_pieces: Callable[[bytes], Reading]
    writer: Callable[[Answering], AnswerWriter]


DIALECTS: Mapping[str, Dialect] = {
    chat_request.DIALECT: Dialect(
        read_request=chat_request.read_request,
        read_prompt=chat_prompt.read_prompt,
        write_prompt=chat_prompt.write_prompt,
        frame_reader=chat_answer.ChatReader,
        read_answer=chat_answer.read_answer,
        passing=chat_passing.Passing,
        piece_reader=chat_reader.PieceReader,
        read_pieces=chat_reader.read_pieces,
        writer=chat_writer.Writer,
    ),
    messages_request.DIALECT: Dialect(
        read_request=messages_request.read_request,
        read_prompt=messages_prompt.read_prompt,
        write_prompt=messages_prompt.write_prompt,
        frame_reader=messages_answer.MessagesReader,
        read_answer=messages_answer.read_answer,
        passing=messages_passing.Passing,
        piece_reader=messages_reader.PieceReader,
        read_pieces=messages_reader.read_pieces,
        writer=messages_writer.Writer,
    ),
    responses_request.DIALECT: Dialect(
        read_request=responses_request.read_request,
        read_prompt=responses_prompt.read_prompt,
        write_prompt=responses_prompt.write_prompt,
        frame_reader=responses_answer.ResponsesReader,
        read_answer=responses_answer.read_answer,
        passing=responses_passing.Passing,
        piece_reader=responses_reader.PieceReader,
        read_pieces=responses_reader.read_pieces,
        writer=responses_writer.Writer,
    ),
}


_UNTRANSLATED: Mapping[str, Callable[[bytes], Reading]] = {
    embeddings.DIALECT: embeddings.read_answer,
    counting.DIALECT: counting.read_answer,
}
"""Dialects that are spoken to vendors of the same dialect only, and only in whole answers."""


class Translated(Struct, frozen=True):
    """A request in the vendor's dialect, and what had to be said in another way: field to explanation."""

    request: Request
    notes: dict[str, str] = {}


def translate(request: Request, target_dialect: str, target: Target, *, messages_max: int) -> Translated:
    """Return the request in the dialect of its target; the same one where that is its own dialect already.

    Raises Untranslatable, naming the client's field, for what the target's dialect has no words for, and
    whatever the reader of that dialect refuses. The new request bounds what the vendor gets: its texts, sizes
    and cap are those of the new body. State and end user stay the client's.
    """
    if target_dialect == request.dialect:
        return Translated(request)
    there = DIALECTS[target_dialect]
    written = there.write_prompt(DIALECTS[request.dialect].read_prompt(request), target)
    new = there.read_request(
        written.body, raw_bytes=len(_encode(written.body)), messages_max=messages_max, headers=()
    )
    new = msgspec.structs.replace(
        new,
        wants_usage=True,  # The answer is written anew: the client's own request says what it gets.
        state=request.state if new.state is None else new.state,
        end_user=request.end_user if new.end_user is None else new.end_user,
    )
    assert new.stream == request.stream
    return Translated(new, written.notes)


def make_writer(request: Request, answering: Answering, *, same: bool) -> AnswerWriter:
    """Return the writer of an answer to the client's `request`; `same` where the vendor's frames pass."""
    dialect = DIALECTS.get(request.dialect)
    if dialect is None:
        return embeddings.Passing(answering)
    return dialect.passing(answering) if same else dialect.writer(answering)


def make_reader(dialect: str, *, with_pieces: bool, wants_usage: bool) -> FrameReader:
    """Return the reader of a vendor's stream, for frames that pass or (`with_pieces`) are translated."""
    if with_pieces:
        return DIALECTS[dialect].piece_reader()
    return DIALECTS[dialect].frame_reader(wants_usage=wants_usage)


def read_whole(dialect: str, raw: bytes, *, with_pieces: bool) -> Reading:
    """Read a vendor's whole answer; raises msgspec.DecodeError where it is not one."""
    if dialect in _UNTRANSLATED:
        return _UNTRANSLATED[dialect](raw)
    if with_pieces:
        return DIALECTS[dialect].read_pieces(raw)
    return DIALECTS[dialect].read_answer(raw)
