"""Log lines: one JSON object (or one readable line) each, redacted, on standard error."""

import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import msgspec

from seawall.core.redact import redact
from seawall.server.unhandled import log_unhandled, trace_of

FIELDS = frozenset(
    {
        "again_in_s", "calls", "ends", "exit_code", "holds", "id", "kind", "names", "nanos", "next_try_s",
        "provider", "variable", "why", "worker",
    }
)  # fmt: skip
"""What a line may say beside its message; a field that is not listed is left out."""
OWN_FIELDS = frozenset({"id", "names"})
"""Fields that hold nothing but our own ids, and names from the configuration."""
TEXT_CHARS_MAX = 2_000

_encode = msgspec.json.Encoder().encode


class JsonFormatter(logging.Formatter):
    """Writes moment, level, message and the fields that were given, redacted."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return _encode(_fields(self, record)).decode()


class TextFormatter(logging.Formatter):
    """Writes the same for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return line_of(_fields(self, record))


def set_up_logging(*, style: str, level: str, worker: int | None = None) -> None:
    """Send all log lines to standard error in one style; `worker` is added where there are several."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    if worker is not None:
        handler.addFilter(partial(_mark, worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    log_unhandled()


def moment_of(at_s: float) -> str:
    """Write a moment in Unix seconds as the log does, for example 2026-11-21T12:00:00.000Z."""
    return f"{_second(int(at_s))}.{int(at_s * 1000) % 1000:03d}Z"


def line_of(fields: dict[str, Any]) -> str:
    """Write the fields of a line for a person."""
    moment, level, message = fields.pop("at"), fields.pop("level"), fields.pop("message")
    trace = fields.pop("trace", None)
    rest = " ".join(f"{name}={_one_line(value)}" for name, value in fields.items() if value is not None)
    rest = rest if trace is None else f"{rest}\n{trace}"
    return f"{moment[11:19]} {level:7} {_one_line(message)} {rest}".rstrip()


def _one_line(value: object) -> str:
    """Write a value so that nobody who chose it can make a line of their own of it."""
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


@lru_cache(maxsize=4)
def _second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()[:19]


def _mark(worker: int, record: logging.LogRecord) -> bool:
    record.worker = worker
    return True


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    """Return what a line says; every text of it passes the redactor last, whoever wrote it."""
    fields: dict[str, Any] = {
        "at": moment_of(record.created),
        "level": record.levelname.lower(),
        "message": redact(_message_of(record)[:TEXT_CHARS_MAX]),
    }
    if "worker" in record.__dict__:
        fields["worker"] = record.__dict__["worker"]
    for name, value in getattr(record, "fields", {}).items():
        if name in FIELDS:
            fields[name] = _plain(value) if name in OWN_FIELDS else _redacted(value)
    if record.exc_info and record.exc_info[1] is not None:
        fields["trace"] = redact(trace_of(record.exc_info[1]))
    return fields


def _message_of(record: logging.LogRecord) -> str:
    """Return the message; of a library's only the first line, since asyncio adds what an error says to it."""
    message = record.getMessage()
    return message if record.name.startswith("seawall.") else message.partition("\n")[0]


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else str(value)


def _redacted(value: object) -> object:
    """Let numbers pass, and texts without what must not be in a log."""
    if value is None or isinstance(value, int | float):
        return value
    return redact(str(value)[:TEXT_CHARS_MAX])
