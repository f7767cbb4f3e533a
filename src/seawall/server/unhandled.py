"""Sends to the log what would be printed raw otherwise: errors that nobody handled, and warnings.

What a library says in an error of its own may quote what it was given, and that may be a prompt. So a trace
has the types of errors and the places in the code; words only of our own errors and of the operating system.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from seawall.core.errors import SeawallError

log = logging.getLogger("seawall.unhandled")

CHAIN_MAX = 10
FRAMES_MAX = 30
PARTS_SHOWN = 3


def log_unhandled() -> None:
    """Take over from the interpreter, for all threads of this process."""
    sys.excepthook = _of_main
    threading.excepthook = _of_thread
    sys.unraisablehook = _of_nowhere
    logging.captureWarnings(capture=True)


def trace_of(error: BaseException) -> str:
    """Write an error with those that led to it, the first cause first: places in the code and types."""
    return "\n".join(line for each in reversed(list(_chain(error))) for line in _lines(each))


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    for _ in range(CHAIN_MAX):
        if at is None:
            return
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]:
        place = "/".join(Path(frame.filename).parts[-PARTS_SHOWN:])
        yield f"{place}:{frame.lineno} {frame.name}"
    kind = type(error)
    words = error.message if isinstance(error, SeawallError) else ""
    if isinstance(error, OSError):
        words = error.strerror or ""
    yield f"{kind.__module__}.{kind.__qualname__}{': ' if words else ''}{words}"


def _of_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("the process ends by an error that nobody handled", exc_info=(kind, error, trace))


def _of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        error = (told.exc_type, told.exc_value, told.exc_traceback)
        log.critical("a thread ended by an error that nobody handled", exc_info=error)


def _of_nowhere(told: "sys.UnraisableHookArgs") -> None:
    if told.exc_value is not None:
        error = (told.exc_type, told.exc_value, told.exc_traceback)
        log.error("an error could not be raised", exc_info=error)
