"""Log lines: one JSON object (or one readable line) each, redacted, on standard error."""

import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import msgspec

from seawall.core.redact import redact

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


def moment_of(at_s: float) -> str:
    """Write a moment in Unix seconds as the log does, for example 2026-11-21T12:00:00.000Z."""
    return f"{_second(int(at_s))}.{int(at_s * 1000) % 1000:03d}Z"


def line_of(fields: dict[str, Any]) -> str:
    """Write the fields of a line for a person."""
    moment, level, message = fields.pop("at"), fields.pop("level"), fields.pop("message")
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    return f"{moment[11:19]} {level:7} {message} {rest}".rstrip()


@lru_cache(maxsize=4)
def _second(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()[:19]


def _mark(worker: int, record: logging.LogRecord) -> bool:
    record.worker = worker
    return True


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "at": moment_of(record.created),
        "level": record.levelname.lower(),
        "message": record.getMessage() if record.name.startswith("seawall.") else redact(record.getMessage()),
    }
    if "worker" in record.__dict__:
        fields["worker"] = record.__dict__["worker"]
    for name, value in getattr(record, "fields", {}).items():
        fields[name] = redact(value) if name == "why" and isinstance(value, str) else value
    if record.exc_info:
        fields["trace"] = redact(formatter.formatException(record.exc_info))
    return fields
