"""Takes the code cells out of a notebook, and says on which line of the file each of their lines stands."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from json.decoder import JSONDecoder

from msgspec import Struct

_SPACE = re.compile(r"[ \t\r\n]*")
_MAGIC = re.compile(r"^(\s*)(?:(?:\w[\w, .\[\]]*=\s*)?(?:%{1,2}[A-Za-z]|!).*|[\w.]+\?{1,2}|\?{1,2}[\w.]+)$")
_JSON = JSONDecoder(strict=False)
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit")


class Cell(Struct):
    """A code cell: its lines without their ends, and the line of the file (from 1) for each."""

    lines: list[str]
    numbers: list[int]


def code_cells(text: str) -> list[Cell] | None:
    """List the code cells of a notebook in order; None if it is no notebook, or one of another language."""
    try:
        if not _speaks_python(text):
            return None
        return list(_cells(text))
    except (ValueError, RecursionError):
        return None


def without_magics(lines: list[str]) -> list[str]:
    """Turn what only IPython understands into `pass` with a comment; a cell of another language whole."""
    opening = next((line.strip() for line in lines if line.strip()), "")
    if opening.startswith("%%") and not opening.startswith(_PYTHON_CELLS):
        return ["#" for _ in lines]
    result: list[str] = []
    continues = False
    for line in lines:
        match = _MAGIC.match(line)
        if continues or match:
            continues = line.rstrip().endswith("\\")
            result.append("#" if match is None else f"{match[1]}pass  #")
        else:
            result.append(line)
    return result


def _speaks_python(text: str) -> bool:
    for key, at in _members(text, _skip(text, 0)):
        if key != "metadata":
            continue
        metadata = _JSON.raw_decode(text, at)[0]
        if not isinstance(metadata, dict):
            return True
        kernel, language = metadata.get("kernelspec"), metadata.get("language_info")
        named = [
            kernel.get("language") if isinstance(kernel, dict) else None,
            language.get("name") if isinstance(language, dict) else None,
        ]
        spoken = [name.lower() for name in named if isinstance(name, str)]
        return not spoken or any("python" in name for name in spoken)
    return True


def _cells(text: str) -> Iterator[Cell]:
    ends = [match.start() for match in re.finditer("\n", text)]
    for key, at in _members(text, _skip(text, 0)):
        if key != "cells":
            continue
        for start in _elements(text, at):
            places = dict(_members(text, start))
            kind = places.get("cell_type")
            if kind is None or "source" not in places or _JSON.raw_decode(text, kind)[0] != "code":
                continue
            cell = Cell([], [])
            for line, offset in _source(text, places["source"]):
                cell.lines.append(line)
                cell.numbers.append(bisect_right(ends, offset) + 1)
            yield cell


def _source(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield each line of a cell with its offset; the format allows a list of strings or one string."""
    starts = list(_elements(text, at)) if text[at] == "[" else [at]
    unfinished, opened = "", at
    for start in starts:
        if text[start] != '"':
            continue
        value = _JSON.raw_decode(text, start)[0]
        opened = start if not unfinished else opened
        *whole, rest = (unfinished + value).split("\n")
        for line in whole:
            yield line, opened
            opened = start
        unfinished = rest
    if unfinished:
        yield unfinished, opened


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield key and offset of the value of each member of the object at `at`."""
    if text[at : at + 1] != "{":
        raise json.JSONDecodeError("no object", text, at)
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        key, at = _JSON.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("no value", text, at)
        at = _skip(text, at + 1)
        yield key, at
        at = _next(text, at)


def _elements(text: str, at: int) -> Iterator[int]:
    """Yield the offset of each element of the array at `at`."""
    if text[at : at + 1] != "[":
        raise json.JSONDecodeError("no array", text, at)
    at = _skip(text, at + 1)
    while text[at : at + 1] not in ("]", ""):
        yield at
        at = _next(text, at)


def _next(text: str, at: int) -> int:
    """Step over the value at `at` and the comma after it."""
    at = _skip(text, _JSON.raw_decode(text, at)[1])
    return _skip(text, at + 1) if text[at : at + 1] == "," else at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
