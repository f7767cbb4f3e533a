"""Reads a JSON body strictly: what two readers could understand differently is refused, field named."""

import json
import math
from typing import Any, NoReturn

import msgspec

from seawall.core.errors import InvalidRequest

_decode = msgspec.json.Decoder().decode


def parse_object(raw: bytes, *, depth_max: int) -> dict[str, Any]:
    """Return the JSON object in `raw`.

    Raises InvalidRequest for anything that is not one JSON object in valid UTF-8, and for duplicate keys,
    NaN, infinities, lone surrogates and nesting deeper than `depth_max`.
    """
    try:
        value = _decode(raw)
        colons = _count_colons(value, depth_max)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _explain(raw, depth_max)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    # Every key has one colon and every other colon stands in a string. A duplicate key loses at least one of
    # them in decoding, so equal counts prove that there is none, at a fraction of the cost of a slow parse.
    if colons != raw.count(b":") or b"\\u003" in raw:
        _refuse_duplicates(raw)
    return value


def _count_colons(node: Any, depth_left: int) -> int:
    """Count keys, and colons inside strings; raises RecursionError where the nesting is too deep."""
    if depth_left <= 0:
        raise RecursionError
    total = 0
    if isinstance(node, dict):
        total = len(node)
        for key, value in node.items():
            if ":" in key:
                total += key.count(":")
            if isinstance(value, str):
                total += value.count(":")
            elif isinstance(value, dict | list):
                total += _count_colons(value, depth_left - 1)
        return total
    for value in node if isinstance(node, list) else ():
        if isinstance(value, str):
            total += value.count(":")
        elif isinstance(value, dict | list):
            total += _count_colons(value, depth_left - 1)
    return total


class _Duplicate:
    def __init__(self, key: str) -> None:
        self.key = key


class _NotANumber:
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    return _Duplicate(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value] # add returns None


def _parse_slowly(raw: bytes) -> Any:
    text = raw.decode("utf-8", "surrogateescape")
    return json.loads(text, object_pairs_hook=_pairs, parse_constant=lambda _: _NotANumber())


def _refuse_duplicates(raw: bytes) -> None:
    where: list[str | int] = []
    fault = _find_fault(_parse_slowly(raw), where)
    if fault is not None:
        raise _refusal(fault, where)


def _explain(raw: bytes, depth_max: int) -> NoReturn:
    """Say why a body could not be read, naming the field where there is one."""
    try:
        value = _parse_slowly(raw)
    except RecursionError:
        raise InvalidRequest(f"The body is nested more than {depth_max} levels deep.") from None
    except ValueError as error:
        place = (
            f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise InvalidRequest(f"The body is not valid JSON{place}.") from None
    where: list[str | int] = []
    try:
        fault = _find_fault(value, where)
    except RecursionError:
        fault = None
    if fault is None:
        raise InvalidRequest(f"The body is nested more than {depth_max} levels deep.")
    raise _refusal(fault, where)


def _find_fault(node: Any, where: list[str | int]) -> str | None:
    """Return what is wrong with the first thing that must not be there, and leave its place in `where`."""
    fault = _fault_of(node)
    if fault is not None:
        if isinstance(node, _Duplicate):
            where.append(node.key)
        return fault
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        where.append(name)
        fault = _find_fault(child, where)
        if fault is not None:
            return fault
        where.pop()
    return None


def _fault_of(node: Any) -> str | None:
    """Say what is wrong with one value, its children aside."""
    if isinstance(node, _Duplicate):
        return "stands in the body twice"
    if isinstance(node, _NotANumber) or (isinstance(node, float) and not math.isfinite(node)):
        return "is not a finite number"
    if isinstance(node, str) and not _is_clean(node):
        return "holds text that is not valid Unicode"
    if isinstance(node, dict) and not all(map(_is_clean, node)):
        return "has a key that is not valid Unicode"
    return None


def _refusal(fault: str, where: list[str | int]) -> InvalidRequest:
    """Name the place of a fault as code would: messages[0].content."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
    return InvalidRequest(f"{_printable(path) or 'The body'} {fault}.", param=_printable(path) or None)


def _is_clean(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")[:200]
