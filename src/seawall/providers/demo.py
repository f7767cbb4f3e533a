"""The built-in `demo` model: an OpenAI-compatible vendor inside the process, for first minutes and for tests.

A word in the last user message makes it misbehave, so that an app can be tried against it:

- `demo:429`: status 429 with `Retry-After: 1`.
- `demo:500`, `demo:503`: that status.
- `demo:slow`, `demo:slow=2`: 5 (or 2) seconds before the first event of a stream, or before a whole answer.
- `demo:pace=0.1`: that many seconds between two events of a stream.
- `demo:cut`: the answer breaks off in the middle.
- `demo:no-usage`: the answer reports no usage.
- `demo:long`: an answer of about 2,000 tokens.
- `demo:tool`: a tool call, if the request brings a tool.
- `demo:json`: a JSON object.
- `demo:refuse`: an answer that ends with `content_filter`.

Invariants:
- The same request with the same facts gives the same bytes: id and time come from the hash of the body.
- No choice is longer than the cap that was sent; where one was cut, `finish_reason` is `length`.
- Usage is counted from the texts read and sent, by `demo_answers.count_tokens`; a tool's name is one token.
- Of the request headers only the gateway's facts are read, and nothing leaves the process.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice, takewhile
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from seawall.core.call import Json
from seawall.core.money import Price, Rate, Rates
from seawall.providers import demo_answers as answers
from seawall.providers.exchange import Broken, Exchange, Outgoing

# The rates of gpt-4o-mini since 2024-07-18, still the same in genai-prices 0.2.3 (read 2026-11-21).
DEMO_PRICE = Price(
    rates=Rates(input=Rate(150_000_000), output=Rate(600_000_000)),
    max_output_tokens=4_096,
    context_tokens=128_000,
    source="what a small model costs",
    as_of="2026-11-21",
)
FACTS_HEADER = "seawall-demo-facts"

_OUTPUT_MAX = 4_096
_HEAVY_BODY_BYTES = 65_536  # above this a body is read in a thread
_YEAR_2026 = 1_767_225_600  # every answer is "created" within 194 days after its beginning
_WORD = re.compile(r"\bdemo:(429|50[03]|slow|pace|cut|no-usage|long|tool|json|refuse)\b(?:=(\d{1,3}\.?\d*))?")
_FAILURES = {
    "429": (429, "rate_limit_exceeded", "You asked for a rate limit with demo:429. Try again in a second."),
    "500": (500, "server_error", "You asked for a failure with demo:500."),
    "503": (503, "overloaded", "You asked for an outage with demo:503."),
}
_USE_TOOLS = re.compile(" (use a|use the|both|all|all the) tools? ")
_ALL_TOOLS = re.compile(" all (the )?tools ")
_Sleep = Callable[[float], Awaitable[object]]


class DemoTransport:
    """Answers in process; `pace_s` lies between two events of a stream, and tests bring their own `sleep`."""

    hidden: tuple[str, ...] = ()

    def __init__(self, *, pace_s: float = 0.02, sleep: _Sleep = asyncio.sleep) -> None:
        self._pace_s = pace_s
        self._sleep = sleep

    @asynccontextmanager
    async def exchange(self, outgoing: Outgoing) -> AsyncIterator[Exchange]:
        """Answer one request; `chunks` raises Broken where the request asks for that."""
        outgoing.on_sent()
        is_heavy = len(outgoing.body) > _HEAVY_BODY_BYTES
        answer = await asyncio.to_thread(_answer, outgoing) if is_heavy else _answer(outgoing)
        await self._sleep(answer.wait_s)
        answer.sleep = self._sleep
        answer.pace_s = self._pace_s if answer.pace_s is None else answer.pace_s
        yield answer

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class _Answer(Struct):
    """An Exchange that is decided before it begins; `body` has one part, or the events of a stream."""

    status: int
    headers: Mapping[str, str]
    body: Iterable[bytes]
    is_cut: bool = False
    wait_s: float = 0.0
    pace_s: float | None = None
    sleep: _Sleep = asyncio.sleep

    async def chunks(self) -> AsyncIterator[bytes]:
        for number, part in enumerate(self.body):
            if number:
                await self.sleep(self.pace_s or 0.0)
            yield part
        if self.is_cut:
            raise Broken("the demo model was asked to break off")


class _Refused(Exception):
    """The answer is an error: status, code and message."""


class _Function(Struct):
    name: str
    parameters: Json | None = None

    def arguments(self) -> str:
        return _json(answers.instance_of({"type": "object", **(self.parameters or {})}))


class _Message(Struct):
    role: str
    content: str | list[Json] | None = None
    tool_calls: list[Json] | None = None

    def text(self) -> str:
        parts = [{"text": self.content}] if isinstance(self.content, str) else self.content or []
        return " ".join(part["text"] for part in parts if isinstance(part.get("text"), str))


class _Ask(Struct):
    """The fields of a request that the demo model understands; it ignores all others."""

    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: Json | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    tools: list[Json] | None = None
    tool_choice: str | Json | None = None
    parallel_tool_calls: bool | None = None
    response_format: Json | None = None

    def question(self) -> str:
        return next((message.text() for message in reversed(self.messages) if message.role == "user"), "")

    def texts(self) -> Iterator[str]:
        yield from (message.text() for message in self.messages)
        extras = (*(message.tool_calls for message in self.messages), self.tools, self.response_format)
        yield from (_json(extra) for extra in extras if extra)


class _Reply(Struct, frozen=True):
    """An answer before it is written down; each of `deltas` is one token, and all choices say the same."""

    head: Json
    deltas: list[Json]
    finish: str
    choices: int
    usage: Json | None


def _answer(outgoing: Outgoing) -> _Answer:
    facts = msgspec.json.decode(dict(outgoing.headers).get(FACTS_HEADER, "{}"), type=answers.Facts)
    try:
        if not outgoing.path.endswith("/chat/completions"):
            raise _Refused(404, "not_found", "The demo model serves chat completions only.")
        ask = msgspec.json.decode(outgoing.body, type=_Ask)
        words = dict(_WORD.findall(ask.question()))
        if failures := [failure for word, failure in _FAILURES.items() if word in words]:
            raise _Refused(*failures[0])
        reply = _reply(ask, words, facts, hashlib.sha256(outgoing.body).hexdigest())
    except _Refused as refused:
        return _error(*refused.args)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _error(400, "invalid_request", f"The request could not be read: {error}.")
    except answers.Impossible as why:
        return _error(400, "unsupported_schema", f"The demo model cannot follow this JSON schema: {why}.")
    if ask.stream:
        events = _events(reply, wants_usage=bool((ask.stream_options or {}).get("include_usage")))
        body: Iterable[bytes] = islice(events, 1 + len(reply.deltas) // 2) if "cut" in words else events
    else:
        whole = _whole(reply)
        body = [whole[: len(whole) // 2] if "cut" in words else whole]
    return _Answer(
        200,
        {"content-type": "text/event-stream; charset=utf-8" if ask.stream else "application/json"},
        body,
        is_cut="cut" in words,
        wait_s=float(words["slow"] or 5) if "slow" in words else 0.0,
        pace_s=float(words["pace"]) if words.get("pace") else None,
    )


def _error(status: int, code: str, message: str) -> _Answer:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    kind = "rate_limit_error" if status == 429 else kind
    error = {"message": message, "type": kind, "param": None, "code": code}
    headers = {"content-type": "application/json"} | ({"retry-after": "1"} if status == 429 else {})
    return _Answer(status, headers, [msgspec.json.encode({"error": error})])


def _reply(ask: _Ask, words: dict[str, str], facts: answers.Facts, digest: str) -> _Reply:
    deltas, finish = _say(ask, words, facts, digest)
    cap = min(filter(None, (ask.max_tokens, ask.max_completion_tokens, _OUTPUT_MAX)))
    said = list(islice(deltas, cap + 1))
    finish = "length" if len(said) > cap else finish
    read, choices = sum(map(answers.count_tokens, ask.texts())), ask.n or 1
    made = choices * min(len(said), cap)
    usage = {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}
    head = {"id": f"chatcmpl-{digest[:29]}", "created": _YEAR_2026 + int(digest[:6], 16), "model": ask.model}
    return _Reply(head, said[:cap], finish, choices, None if "no-usage" in words else usage)


def _say(ask: _Ask, words: dict[str, str], facts: answers.Facts, digest: str) -> tuple[Iterable[Json], str]:
    results = [m.text() for m in takewhile(lambda message: message.role == "tool", reversed(ask.messages))]
    functions = [] if results or "refuse" in words else _functions_to_call(ask, is_told="tool" in words)
    wants, question = ask.response_format or {}, ask.question()
    if functions:
        return _called(functions, digest), "tool_calls"
    if "refuse" in words:
        text = "You asked for a refusal, so the answer stops here."
    elif wants.get("type") == "json_schema":
        text = _json(answers.instance_of((wants.get("json_schema") or {}).get("schema", True)))
    elif "json" in words or wants.get("type") == "json_object":
        text = _json({"model": ask.model, "question": answers.echo(question), "spent_usd": "0.00"})
    elif results:
        text = answers.describe_results(results[::-1])
    elif "long" in words:
        text = answers.tell_at_length()
    else:
        remark = "Your call brought no tool that I may use." if "tool" in words else ""
        text = answers.describe(_WORD.sub("", question), facts, remark)
    finish = "content_filter" if "refuse" in words else "stop"
    return ({"content": piece} for piece in answers.pieces_of(text)), finish


def _functions_to_call(ask: _Ask, *, is_told: bool) -> list[_Function]:
    tools = [tool["function"] for tool in ask.tools or [] if "function" in tool]
    offered = {function.name: function for function in msgspec.convert(tools, list[_Function])}
    choice, question = ask.tool_choice or "auto", _plain(ask.question())
    if isinstance(choice, dict):
        chosen = [offered[name] for name in offered if choice.get("function") == {"name": name}]
    else:
        named = [name for name in offered if _plain(name) in question]
        is_told = is_told or bool(named) or choice == "required" or bool(_USE_TOOLS.search(question))
        if choice == "none" or not is_told:
            return []
        count = len(offered) if _ALL_TOOLS.search(question) else 2 if " both " in question else 1
        order = sorted(offered, key=lambda name: name not in named)
        chosen = [offered[name] for name in order[: 1 if ask.parallel_tool_calls is False else count]]
    if not chosen and choice != "auto":
        raise _Refused(400, "invalid_value", "'tool_choice' asks for a function that 'tools' does not have.")
    return chosen


def _called(functions: list[_Function], digest: str) -> Iterator[Json]:
    for index, function in enumerate(functions):
        start = {"index": index, "id": f"call_{digest[:20]}{index}", "type": "function"}
        yield {"tool_calls": [{**start, "function": {"name": function.name, "arguments": ""}}]}
        for piece in answers.pieces_of(function.arguments()):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _whole(reply: _Reply) -> bytes:
    text, calls = "", list[Json]()
    for delta in reply.deltas:
        text += delta.get("content", "")
        for part in delta.get("tool_calls", ()):
            if "id" in part:
                calls.append({key: part[key] for key in ("id", "type")} | {"function": {**part["function"]}})
            else:
                calls[-1]["function"]["arguments"] += part["function"]["arguments"]
    said = {"content": None, "tool_calls": calls} if calls else {"content": text}
    message = {"role": "assistant", **said, "refusal": None}
    choice = {"message": message, "logprobs": None, "finish_reason": reply.finish}
    choices = [{"index": index, **choice} for index in range(reply.choices)]
    body = {**reply.head, "object": "chat.completion", "choices": choices}
    return msgspec.json.encode(body | ({"usage": reply.usage} if reply.usage else {}))


def _events(reply: _Reply, *, wants_usage: bool) -> Iterator[bytes]:
    usage = {"usage": None} if wants_usage and reply.usage else {}
    head = {**reply.head, "object": "chat.completion.chunk", **usage}
    opening = {"role": "assistant", "content": "" if "content" in reply.deltas[0] else None, "refusal": None}
    for index in range(reply.choices):
        for delta in (opening, *reply.deltas, {}):
            finish = None if delta else reply.finish
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield f"data: {_json({**head, 'choices': [choice]})}\n\n".encode()
    if usage:
        yield f"data: {_json({**head, 'choices': [], 'usage': reply.usage})}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _plain(text: str) -> str:
    """Return only the words, with a space on every side."""
    return f" {' '.join(re.findall('[a-z0-9]+', text.lower()))} "
