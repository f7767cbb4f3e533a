"""What the demo model says: its sentences, its tokens, and values made up for a JSON schema.

Invariants:
- Pure and deterministic: the same arguments give the same answer.
- Everything ends: a schema has a size, and its walk a depth and a number of steps, that it may not exceed.
"""

import functools
import operator
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import Struct

from seawall.core.call import Json

SCHEMA_BYTES_MAX = 65_536
_STEPS_MAX = 1_000
_DEPTH_MAX = 40
_STRING_CHARS_MAX = 2_000
_NAME_CHARS_MAX = 40
_ECHO_CHARS_MAX = 80
_QUOTE_CHARS_MAX = 200
_QUOTES_MAX = 3

_MARK = r"[!-/:-@\[-`{-~]"
_LETTER = r"[^\s!-@\[-`{-~]"
_TOKEN = re.compile(rf"{_MARK}?{_LETTER}{{1,24}}(?:'(?:s|t|re|ve|m|ll|d)\b)?|[0-9]{{1,3}}|{_MARK}{{1,64}}")

_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T12:00:00Z",
    "duration": "PT1M",
    "email": "demo@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_HINTS = {"properties": "object", "required": "object", "items": "array", "minimum": "number"}
_NUMBER_LIMITS = {
    "minimum": operator.ge,
    "exclusiveMinimum": operator.gt,
    "maximum": operator.le,
    "exclusiveMaximum": operator.lt,
}


class Facts(Struct, frozen=True):
    """What the gateway did before it asked the demo model; every fact may be missing."""

    key_name: str | None = None
    output_cap: int | None = None
    lowered_from: int | None = None
    input_tokens_bound: int | None = None
    would_hold_usd: str | None = None
    daily_budget_usd: str | None = None


class Impossible(Exception):
    """No value can be made up for this schema; says why."""


def describe(question: str, facts: Facts, remark: str = "") -> str:
    """Tell a developer what the gateway did with the question, and what to do next."""
    opening = f'You asked: "{echo(question)}"' if question.strip() else "Hello!"
    sentences = [
        opening,
        "I am the demo model that comes with Seawall: no provider was called and nothing was spent.",
        *_describe_steps(facts),
        remark,
        "Next step: give Seawall, not your app, a provider's key (OPENAI_API_KEY in its .env file) "
        "and restart it.",
    ]
    return " ".join(filter(None, sentences))


def describe_results(results: list[str]) -> str:
    """Quote what the tools returned."""
    quotes = [f'"{_shorten(result.strip(), _QUOTE_CHARS_MAX)}"' for result in results[:_QUOTES_MAX]]
    return (
        f"Your {'tool' if len(quotes) == 1 else 'tools'} returned {' and '.join(quotes)}. A real model would "
        "now turn that into an answer. I am the demo model: no provider was called and nothing was spent."
    )


def tell_at_length() -> str:
    """Return a long answer, about 2,000 tokens, to watch a stream with."""
    waves = (f"Wave {n}: the wall held, the budget stayed dry, and nothing was spent." for n in range(1, 121))
    return " ".join(["Here is the long answer that you asked for.", *waves, "That was the last wave."])


def echo(question: str) -> str:
    """Return the beginning of the question on one line."""
    return _shorten(" ".join(question[: 10 * _ECHO_CHARS_MAX].split()), _ECHO_CHARS_MAX)


def count_tokens(text: str) -> int:
    """Count tokens by the demo model's own rule, close to OpenAI's figures for English.

    A token is a word of up to 24 letters with at most one mark before it and its contraction ('s) after it,
    or up to three digits, or up to 64 marks in a row. Spaces are free.
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def pieces_of(text: str) -> Iterator[str]:
    """Cut a text into its tokens, the space before each included; spaces at its end are left out."""
    start = 0
    for found in _TOKEN.finditer(text.rstrip()):
        yield text[start : found.end()]
        start = found.end()


def instance_of(schema: Any) -> Any:
    """Make up a small value that is valid for a JSON schema; raises Impossible.

    Required properties only, where the schema says which are; one item for an array that may hold one.
    """
    if len(msgspec.json.encode(schema)) > SCHEMA_BYTES_MAX:
        raise Impossible("it is too large")
    try:
        return _Inventor(schema).value(schema)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise Impossible("it is not a JSON schema") from None


def _describe_steps(facts: Facts) -> Iterator[str]:
    if facts.key_name:
        yield f'Your key "{_shorten(facts.key_name, _NAME_CHARS_MAX)}" was checked first.'
    if facts.would_hold_usd is not None:
        budget = f" of today's ${facts.daily_budget_usd}" if facts.daily_budget_usd is not None else ""
        yield f"Then the budget: a real call would have had ${facts.would_hold_usd}{budget} set aside."
    if facts.input_tokens_bound is not None and facts.output_cap is not None:
        yield f"That is enough for {facts.input_tokens_bound} tokens in and {facts.output_cap} out."
    if facts.lowered_from is not None and facts.output_cap is not None:
        yield f"You allowed {facts.lowered_from} output tokens; Seawall lowered that to {facts.output_cap}."


def _shorten(text: str, chars_max: int) -> str:
    if len(text) <= chars_max:
        return text
    beginning = text[: chars_max - 2]
    return f"{beginning.rpartition(' ')[0] or beginning} …"


class _Inventor:
    """Walks one schema; remembers which references are open, so that a recursive one can be left out."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = 0
        self._open = ["#"]

    def value(self, schema: Any, name: str = "", nth: int = 0, depth: int = 0) -> Any:
        """Return a value for a part of the schema; `nth` makes the items of an array differ."""
        self._steps += 1
        if self._steps > _STEPS_MAX or depth > _DEPTH_MAX:
            raise Impossible("it is too large")
        schema = {} if schema is True else schema
        if schema is False:
            raise Impossible("a part of it allows nothing")
        if "$ref" in schema:
            return self._referred(schema, name, nth, depth)
        if "allOf" in schema:
            parts = [self._target(part["$ref"]) if "$ref" in part else part for part in schema["allOf"]]
            self._steps += len(parts)
            joined = functools.reduce(_joined, parts, _without(schema, "allOf"))
            return self.value(joined, name, nth, depth + 1)
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else schema["enum"][nth % len(schema["enum"])]
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._one_of(_without(schema, word), schema[word], name, nth, depth)
        return self._typed(schema, name, nth, depth)

    def _referred(self, schema: Json, name: str, nth: int, depth: int) -> Any:
        if schema["$ref"] in self._open:
            raise Impossible("it refers to itself without an end")
        self._open.append(schema["$ref"])
        joined = _joined(self._target(schema["$ref"]), _without(schema, "$ref"))
        try:
            return self.value(joined, name, nth, depth + 1)
        finally:
            self._open.pop()

    def _target(self, reference: str) -> Any:
        head, *path = reference.split("/")
        target = self._root if head == "#" else None
        for part in path:
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        if target is None:
            raise Impossible("it has a $ref that leads nowhere")
        return target

    def _one_of(self, rest: Json, options: list[Any], name: str, nth: int, depth: int) -> Any:
        why = Impossible("it leaves no choice")
        for option in sorted(options, key=lambda option: option == {"type": "null"}):
            try:
                return self.value(_joined(rest, option), name, nth, depth + 1)
            except Impossible as error:
                why = error
            if self._steps > _STEPS_MAX:
                break
        raise why

    def _typed(self, schema: Json, name: str, nth: int, depth: int) -> Any:
        kind = schema.get("type") or next((_HINTS[word] for word in _HINTS if word in schema), "string")
        match kind:
            case list():
                return self._one_of(schema, [{"type": one} for one in kind], name, nth, depth)
            case "object":
                return self._object(schema, nth, depth + 1)
            case "array":
                return self._array(schema, name, depth + 1)
            case "string":
                return _string(schema, name, nth)
            case "integer" | "number":
                return _number(schema, nth, is_whole=kind == "integer")
            case "boolean":
                return nth % 2 == 0
            case "null":
                return None
        raise Impossible("it has a type that JSON does not have")

    def _object(self, schema: Json, nth: int, depth: int) -> Json:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        others = schema.get("additionalProperties", True)
        made: Json = {}
        for key in required if "required" in schema else properties:
            try:
                made[key] = self.value(properties.get(key, others), key, nth, depth)
            except Impossible:
                if key in required:
                    raise
        while len(made) < schema.get("minProperties", 0):
            made[f"demo{len(made) + 1}"] = self.value(others, "", nth, depth)
        return made

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        first, least = schema.get("prefixItems", []), schema.get("minItems", 0)
        made: list[Any] = []
        for nth in range(min(max(least, len(first), 1), schema.get("maxItems", _STEPS_MAX))):
            item = first[nth] if nth < len(first) else schema.get("items", True)
            try:
                made.append(self.value(item, name, nth, depth))
            except Impossible:
                if nth < least:
                    raise
                break
        return made


def _without(schema: Json, word: str) -> Json:
    return {key: value for key, value in schema.items() if key != word}


def _joined(first: Any, second: Any) -> Any:
    """Return a schema that asks for what both ask for, as far as merging can say that."""
    if isinstance(first, bool) or isinstance(second, bool):
        return False if first is False or second is False else second if first is True else first
    joined = {**first, **second}
    if "properties" in first and "properties" in second:
        joined["properties"] = {**first["properties"], **second["properties"]}
    for word in {"required", "allOf"} & first.keys() & second.keys():
        joined[word] = [*first[word], *second[word]]
    return joined


def _string(schema: Json, name: str, nth: int) -> str:
    if "pattern" in schema:
        raise Impossible("it has a pattern, which only a real model can follow")
    least, most = schema.get("minLength", 0), schema.get("maxLength", _STRING_CHARS_MAX)
    words = ("demo", name.replace("_", " ")[:_NAME_CHARS_MAX], str(nth + 1) if nth else "")
    plain = " ".join(filter(None, words))[:most].ljust(min(least, _STRING_CHARS_MAX), ".")
    made = _FORMATS.get(schema.get("format", ""), plain)
    if not least <= len(made) <= most:
        raise Impossible("it has a string that cannot be that long or that short")
    return made


def _number(schema: Json, nth: int, *, is_whole: bool) -> int | float:
    # repr keeps strings out: "1e999999999" would take for ever to become a Fraction.
    limits = {word: Fraction(repr(schema[word])) for word in _NUMBER_LIMITS if word in schema}
    step = Fraction(repr(schema.get("multipleOf", int(is_whole))))
    step = Fraction(step.numerator) if is_whole else step
    middle = sum(limits.values(), Fraction(0)) / max(1, len(limits))
    for start in (Fraction(1), *limits.values(), middle):
        near = start + nth * (step or 1)
        near = -(-near // step) * step if step else near
        for value in (near, near + (step or 1), near - (step or 1)):
            if all(_NUMBER_LIMITS[word](value, limit) for word, limit in limits.items()):
                return int(value) if value.denominator == 1 else float(value)
    raise Impossible("it has a number that fits no limits")
