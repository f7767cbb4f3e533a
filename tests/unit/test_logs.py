"""A log line holds what is on the list and nothing else, and the redactor sees all of it last."""

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import seawall
from seawall.core.errors import Overloaded
from seawall.server.logs import FIELDS, JsonFormatter, TextFormatter
from seawall.server.unhandled import trace_of

PROMPT = "My mother's maiden name is Ashworth"
SECRETS = {
    "an OpenAI key": "sk-" + "proj-" + "a1B2" * 10,
    "a virtual key": "sw-" + "a1B2c3D4" * 5,
    "a bearer token": "Bearer " + "a1B2c3D4" * 5,
    "a login token": "eyJ" + "hbGciOiJI" * 3 + ".e30." + "c2ln" * 8,
    "an address": "203.0.113.77",
    "an IPv6 address": "2001:db8:1:2::77",
    "a mail address": "ada@example.com",
    "the address of a database": "postgresql://seawall:hunter2@db.internal:5432/seawall",
    "a path": "/home/ada/app/.seawall/seawall.db",
}


def line(*, name: str = "seawall.test", message: str = "something happened", **more: Any) -> dict[str, Any]:
    """Return a line as it is written in JSON."""
    record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (), more.pop("exc_info", None))
    record.__dict__.update(more)
    written: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return written


def raised(error: BaseException) -> tuple[type[BaseException], BaseException, Any]:
    """Return an error as it is when it is caught."""
    try:
        raise error
    except BaseException as caught:
        return type(caught), caught, caught.__traceback__


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("name", ["seawall.test", "uvicorn.error", "asyncio"])
def test_no_secret_gets_into_a_line(secret: str, name: str) -> None:
    shown = line(
        name=name,
        message=f"it said {secret}.",
        fields={"why": f"it said {secret}.", "kind": secret, "provider": secret},
        exc_info=raised(OSError(5, f"it said {secret}.")),
    )
    assert secret.removeprefix("Bearer ") not in json.dumps(shown)
    assert shown["why"].startswith("it said [") or "Bearer [" in shown["why"]


def test_a_field_that_is_not_listed_is_left_out() -> None:
    shown = line(fields={"id": "call_1", "prompt": PROMPT, "body": {"a": PROMPT}})
    del shown["at"]
    assert shown == {"level": "error", "message": "something happened", "id": "call_1"}


def test_what_an_error_of_a_library_says_is_left_out() -> None:
    try:
        try:
            int(PROMPT)
        except ValueError as error:
            raise KeyError(PROMPT) from error
    except KeyError as error:
        trace = trace_of(error)
        shown = line(exc_info=(KeyError, error, error.__traceback__))
    assert "Ashworth" not in json.dumps(shown) + trace
    kinds = [text for text in trace.splitlines() if ":" not in text]
    assert kinds == ["builtins.ValueError", "builtins.KeyError"]
    assert "tests/unit/test_logs.py:" in trace


def test_what_asyncio_says_of_a_lost_error_is_left_out() -> None:
    message = f"Task exception was never retrieved\nfuture: <Task exception=ValueError({PROMPT!r})>"
    assert line(name="asyncio", message=message)["message"] == "Task exception was never retrieved"


def test_our_own_words_and_those_of_the_system_are_told() -> None:
    assert trace_of(raised(Overloaded())[1]).endswith(
        "seawall.core.errors.Overloaded: This gateway cannot take the call right now. Try again in a moment."
    )
    assert trace_of(raised(OSError(28, "No space left on device"))[1]).endswith(
        "builtins.OSError: No space left on device"
    )


def test_nobody_can_make_a_line_of_their_own() -> None:
    record = logging.LogRecord("seawall.test", logging.ERROR, __file__, 1, "call failed", (), None)
    record.__dict__["fields"] = {"why": "one\n12:00:00 info    all is well", "id": "call_1\r\x1b[2J"}
    text = TextFormatter().format(record)
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


def test_every_field_that_the_code_gives_is_on_the_list() -> None:
    given = {name for path in Path(seawall.__file__).parent.rglob("*.py") for name in fields_in(path)}
    assert {"id", "why", "calls"} <= given
    assert sorted(given - FIELDS) == []


def fields_in(path: Path) -> Iterator[str]:
    """Yield the names in every dictionary that is given as `fields` to a log line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and [ast.unparse(key) for key in node.keys if key] == ["'fields'"]:
            [value] = node.values
            if isinstance(value, ast.Dict):
                yield from (key.value for key in value.keys if isinstance(key, ast.Constant))


PROGRAM = """
import asyncio, gc, logging, sys, threading, warnings
from seawall.server.logs import set_up_logging

class Loud:
    def __del__(self):
        raise ValueError(SAID)

async def lose():
    async def fail():
        raise ValueError(SAID)
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    del task
    gc.collect()

SAID = sys.argv[1]
set_up_logging(style="json", level="info")
thread = threading.Thread(target=lambda: int(SAID))
thread.start()
thread.join()
asyncio.run(lose())
Loud()
warnings.warn("old", DeprecationWarning, stacklevel=1)
raise RuntimeError(SAID)
"""


def test_what_nobody_handled_is_a_line_like_all_others() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM, PROMPT], check=False, capture_output=True, text=True
    )
    lines = [json.loads(text) for text in done.stderr.splitlines()]
    assert [(each["level"], each["message"]) for each in lines] == [
        ("critical", "a thread ended by an error that nobody handled"),
        ("error", "Task exception was never retrieved"),
        ("error", "an error could not be raised"),
        ("warning", "<string>:24: DeprecationWarning: old"),
        ("critical", "the process ends by an error that nobody handled"),
    ]
    assert "Ashworth" not in done.stderr
    assert done.returncode == 1
