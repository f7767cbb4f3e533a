"""The access log: one line per call on standard error, without texts, secrets or addresses.

Lines are gathered for a tenth of a second and written together: a system call for each would cost more than
everything else that is done for the line. Several workers may write to one pipe: what is written at once is
no more than a pipe takes in one piece, or lines of one could tear those of another.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from select import PIPE_BUF

import msgspec

from seawall.core.call import Call
from seawall.core.redact import redact
from seawall.server.logs import line_of, moment_of

GATHER_S = 0.1
MODEL_CHARS_MAX = 100

_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, omit_defaults=True):
    at: str
    level: str
    message: str
    id: str
    key: str | None
    model: str | None
    provider: str | None
    status: int
    outcome: str
    code: str | None
    took_ms: float
    input: int | None
    output: int | None
    cost_nanos: int
    worker: int | None = None


class AccessLog:
    """Gathers lines and writes them; `style` is json or text. Switched off it does nothing.

    `worker` is the number of this process where there are several.
    """

    def __init__(self, *, style: str, is_on: bool, worker: int | None = None) -> None:
        self._style = style
        self._is_on = is_on
        self._worker = worker
        self._lines: list[_Line] = []

    def __call__(self, call: Call, now: float) -> None:
        """Add the line of a call that has ended at `now`, in Unix seconds."""
        if not self._is_on:
            return
        if not self._lines:
            asyncio.get_running_loop().call_later(GATHER_S, self.flush)
        usage = call.usage
        self._lines.append(
            _Line(
                at=moment_of(now),
                level="info",
                message="call",
                id=call.id,
                key=call.principal.key_id if call.principal else None,
                model=_model_of(call),
                provider=call.route.provider if call.route else None,
                status=call.status,
                outcome=call.outcome,
                code=call.code,
                took_ms=round(call.took_ms(), 1),
                input=usage.input if usage else None,
                output=usage.output if usage else None,
                cost_nanos=call.cost,
                worker=self._worker,
            )
        )

    def flush(self) -> None:
        """Write what was gathered."""
        lines, self._lines = self._lines, []
        write: Callable[[_Line], str] = _json if self._style == "json" else _text
        for piece in _pieces(write(line) + "\n" for line in lines):
            sys.stderr.write(piece)
            sys.stderr.flush()


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Join whole lines into pieces that a pipe takes at once."""
    piece: list[str] = []
    size = 0
    for line in lines:
        line_bytes = len(line.encode())
        if piece and size + line_bytes > PIPE_BUF:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += line_bytes
    if piece:
        yield "".join(piece)


def _model_of(call: Call) -> str | None:
    """Return the model; one that nobody here serves is whatever the caller wrote."""
    if call.request is None:
        return None
    return call.request.model if call.route is not None else redact(call.request.model[:MODEL_CHARS_MAX])


def _json(line: _Line) -> str:
    return _encode(line).decode()


def _text(line: _Line) -> str:
    return line_of(msgspec.structs.asdict(line))
