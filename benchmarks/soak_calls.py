"""The calls of the soak: every kind that a client or a provider can make of one, each known by its marker."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import httpx

from seawall.proving.mock_behaviour import Behaviour, read_suffixes
from seawall.proving.mock_connection import Seen

Dialect = Literal["chat", "responses", "messages", "embeddings"]

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
CAPS = {"chat": "max_tokens", "responses": "max_output_tokens", "messages": "max_tokens"}
MODELS = ("fake-gpt", "fake-claude", "fake-resp")
USERS = 200
REPEATED = 40
"""So many calls are asked again and again, for the cache."""
TIMEOUT_S = 90.0


class Way(NamedTuple):
    """What becomes of a call: what the provider does, whether it streams or is left, and its share."""

    mocked: str
    stream: bool
    leaves: bool = False
    weight: int = 1


WAYS = {
    "whole": Way("s40", False, weight=8),
    "stream": Way("s60-g5", True, weight=8),
    "slow stream": Way("s80-g50", True, weight=2),
    "without usage": Way("s40-nousage", True, weight=2),
    "slow head": Way("s20-d800", False),
    "reset": Way("s60-reset9", True),
    "reset, billed in full": Way("s60-reset9-greedy", True),
    "cut off": Way("s60-eof20", True),
    "ends early": Way("s60-end7", True),
    "never answers": Way("badhttp", False),
    "fails": Way("e500", False),
    "overloaded": Way("e529", False),
    "refuses": Way("e400", False),
    "leaves in a stream": Way("s200-g20-notice20", True, leaves=True, weight=2),
    "leaves at once": Way("s20-d400", False, leaves=True),
}


@dataclass
class Books:
    """What the load knows: the provider's behaviour by marker, whose each is, and the ids of its calls."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    """Markers of which some call told no id: the client or the gateway was gone before."""
    ends: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def script(self, seen: Seen) -> Behaviour | None:
        """Tell the mock provider how to behave."""
        return self.behaviours.get(marker_of(seen.raw))


def marker_of(raw: bytes) -> str:
    """Return the marker in a body, "" where there is none."""
    return raw.partition(b"[soak-")[2].partition(b"]")[0].decode("ascii", "replace")


class Caller:
    """Makes calls of all kinds to gateways, each an address with a key; the first one takes most."""

    def __init__(self, books: Books, gateways: list[tuple[str, str]], seed: int) -> None:
        self._books, self._gateways = books, gateways
        self._dice = random.Random(seed)
        self._number = 0
        self._http = httpx.AsyncClient(
            trust_env=False, timeout=TIMEOUT_S, limits=httpx.Limits(max_connections=None)
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def call(self) -> None:
        """Make the next call, and note how it ended."""
        dice, books = self._dice, self._books
        self._number += 1
        kind = dice.choices(list(WAYS), [way.weight for way in WAYS.values()])[0]
        marker, user = str(self._number), f"user{self._number % USERS}"
        if dice.random() < 0.1:
            kind, marker = "whole", f"again{dice.randrange(REPEATED)}"
            user = f"user{len(marker)}"
        way = WAYS[kind]
        books.behaviours[marker] = read_suffixes(way.mocked, Behaviour())
        books.users[marker] = user
        root, key = dice.choice(self._gateways) if dice.random() < 0.4 else self._gateways[0]
        path, body = self._body(marker, way)
        began = time.monotonic()
        try:
            end = await self._ask(self._http.build_request("POST", root + path, json=body), key, marker, way)
        except httpx.HTTPError as error:
            end = f"connection: {type(error).__name__}"
        took_s = time.monotonic() - began
        books.slowest_s = max(books.slowest_s, took_s)
        books.ends[end] += 1

    def _body(self, marker: str, way: Way) -> tuple[str, dict[str, Any]]:
        text = f"[soak-{marker}] Which of the seven seas is calm?"
        if way.mocked == "s40" and self._dice.random() < 0.1 and not marker.startswith("again"):
            return "/v1/embeddings", {"model": "fake-embed", "input": text}
        dialect = self._dice.choice(list(PATHS))
        model = self._dice.choice(MODELS)
        if marker.startswith("again"):
            dialect, model = "chat", "fake-gpt"
        body: dict[str, Any] = {"model": model, CAPS[dialect]: 300}
        body["input" if dialect == "responses" else "messages"] = [{"role": "user", "content": text}]
        if dialect == "responses":
            body["store"] = self._dice.random() < 0.2
        return PATHS[dialect], body | ({"stream": True} if way.stream else {})

    async def _ask(self, request: httpx.Request, key: str, marker: str, way: Way) -> str:
        request.headers.update({"authorization": f"Bearer {key}", "seawall-user": self._books.users[marker]})
        patience_s = self._dice.uniform(0.0, 1.5) if way.leaves else TIMEOUT_S
        try:
            async with asyncio.timeout(patience_s):
                answer = await self._http.send(request, stream=True)
                try:
                    self._note_id(marker, answer.headers)
                    text = (await answer.aread()).decode()
                finally:
                    await answer.aclose()
        except TimeoutError:
            self._books.unnamed.add(marker)
            return "left" if way.leaves else "client time-out"
        except httpx.HTTPError:
            self._books.unnamed.add(marker)
            raise
        if answer.status_code == 200:
            is_broken = way.stream and '"error"' in text and "upstream" in text
            return "broken stream" if is_broken else "answered"
        return f"{answer.status_code} {_code_of(answer)}"

    def _note_id(self, marker: str, headers: httpx.Headers) -> None:
        call_id = headers.get("x-request-id") or headers.get("request-id")
        if call_id is None:
            self._books.unnamed.add(marker)
        else:
            self._books.ids.setdefault(marker, []).append(call_id)


def _code_of(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError):
        return "no error body"
    return str(error.get("code") or error.get("type"))
