"""Call, Request, Text and Event: what travels through the pipeline."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct

from seawall.core.errors import ClientGone, Overloaded, SeawallError
from seawall.core.money import FREE, Money, Price, Usage
from seawall.core.policy import Decision, Policy, Principal

Origin = Literal["system", "user", "assistant", "tool", "retrieved"]
Json = dict[str, Any]


class Text(Struct, frozen=True):
    """One piece of text in a request: where it stands in the body, who wrote it, what it says."""

    path: str
    origin: Origin
    content: str


class OutputCap(Struct, frozen=True):
    """How many output tokens the client asked for; `field` is the name it used, `tokens` per choice."""

    field: str | None = None
    tokens: int | None = None
    choices: int = 1


class Request(Struct, frozen=True):
    """One request as a dialect reads it; `body` is the truth, the other fields are readings of it.

    `raw_bytes` is the size of the body as it arrived. `images`, `image_bytes`, `audio_bytes` and `files`
    count what is billed by other measures than text. `wants_usage` says whether the client asked for the
    usage frame of a stream.
    """

    dialect: str
    body: Json
    raw_bytes: int
    model: str
    stream: bool
    cap: OutputCap
    texts: tuple[Text, ...] = ()
    schemas: tuple[Any, ...] = ()
    images: int = 0
    image_bytes: int = 0
    audio_bytes: int = 0
    files: int = 0
    wants_audio: bool = False
    wants_usage: bool = True
    end_user: str | None = None


class Event(Struct, frozen=True):
    """One step of an answer, the same for every vendor.

    `raw` is the frame (stream) or body (whole answer) as it came, to be forwarded when the dialects
    match; empty where the event is not for the client. `text`, `reasoning` and `tool` are what was
    generated. `last` marks the clean end.
    """

    raw: bytes = b""
    text: str = ""
    reasoning: str = ""
    tool: str = ""
    finish: str | None = None
    usage: Usage | None = None
    last: bool = False


class Ending(StrEnum):
    """How an attempt at a provider ended, as far as its bill is concerned (money.md, 10-12)."""

    NOT_SENT = "not_sent"
    COMPLETE = "complete"
    CUT = "cut"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CLIENT_LEFT = "client_left"


class Route(Struct, frozen=True):
    """One way to serve a call: which provider, under which model name, at which price.

    `listed` is what it would cost where nothing is booked (the demo model).
    """

    provider: str
    model: str
    price: Price
    listed: Price | None = None


class Attempt:
    """One request to a provider and what is known of its bill.

    `hold_budget` makes it with the bounds that were held; `call_provider` fills in the rest.
    Tokens everywhere: `input_bound` is what was held for, `output_cap` is what the provider was told,
    per choice.
    """

    __slots__ = (
        "created",
        "ending",
        "generated",
        "held",
        "input_bound",
        "lowered_from",
        "output_cap",
        "route",
        "usage",
    )

    def __init__(
        self, route: Route, *, held: Money, input_bound: int, output_cap: int, lowered_from: int | None
    ) -> None:
        self.route = route
        self.held = held
        self.input_bound = input_bound
        self.output_cap = output_cap
        self.lowered_from = lowered_from
        self.ending = Ending.NOT_SENT
        self.usage: Usage | None = None
        self.generated: list[str] = []
        self.created = 0

    def note_sent(self) -> None:
        """Note that from now on the provider may bill something."""
        self.ending = Ending.UNKNOWN


def first_id_at(at_ms: int) -> str:
    """Return what every call id of this millisecond begins with: ids sort by time."""
    return f"call_{at_ms:012x}"


class CallIds:
    """Makes ids for calls: the millisecond, 64 random bits of this process, and a number."""

    __slots__ = ("_numbers", "_process")

    def __init__(self) -> None:
        self._process = os.urandom(8).hex()
        self._numbers = itertools.count()

    def __call__(self, at_s: float) -> str:
        """Return the id of a call that arrives at this moment, in Unix seconds."""
        return f"{first_id_at(int(at_s * 1000))}{self._process}{next(self._numbers):06x}"


class Call:
    """One request on its way through the pipeline; the only type that changes.

    | Step | Writes |
    |---|---|
    | server | id, task, endpoint, received_at, credentials, read, client_left |
    | authenticate | principal, policy |
    | read_request | request |
    | choose_route | route |
    | hold_budget | attempt, cost, overage, listed_cost, usage, recorded |
    | call_provider | attempt's fields, first_event_at |
    | record | outcome, status, code |

    `received_at` and `first_event_at` are Unix seconds; `task` is the one that takes the call through.
    """

    __slots__ = (
        "attempt",
        "client_left",
        "code",
        "cost",
        "credentials",
        "decisions",
        "endpoint",
        "first_event_at",
        "id",
        "listed_cost",
        "outcome",
        "overage",
        "policy",
        "principal",
        "read",
        "received_at",
        "recorded",
        "request",
        "route",
        "status",
        "task",
        "usage",
    )

    def __init__(
        self,
        call_id: str,
        *,
        task: "asyncio.Task[Any]",
        endpoint: str,
        received_at: float,
        credentials: str | None,
        read: Callable[[], Awaitable[Request]],
    ) -> None:
        self.id = call_id
        self.task = task
        self.endpoint = endpoint
        self.received_at = received_at
        self.credentials = credentials
        self.read = read
        self.principal: Principal | None = None
        self.policy: Policy | None = None
        self.request: Request | None = None
        self.route: Route | None = None
        self.attempt: Attempt | None = None
        self.decisions: list[Decision] = []
        self.usage: Usage | None = None
        self.cost: Money = FREE
        self.overage: Money = FREE
        self.listed_cost: Money = FREE
        self.first_event_at: float | None = None
        self.outcome = "open"
        self.status = 200
        self.code: str | None = None
        self.client_left = False
        self.recorded = False

    def decided(self, step: str, verdict: str, why: str, took_ms: float = 0.0) -> None:
        """Note what a step decided and why; `seawall why` prints these."""
        self.decisions.append(Decision(step=step, verdict=verdict, why=why, took_ms=took_ms))

    def ended(self, error: BaseException | None) -> None:
        """Note how the call ended; the first ending counts."""
        if self.outcome != "open":
            return
        if error is None:
            self.outcome = "ok"
        elif isinstance(error, SeawallError):
            self.outcome = error.outcome
            self.status = error.wire_status
            self.code = error.wire_code
            self.decided("answer", "refuse" if error.outcome == "refused" else error.outcome, error.message)
        elif isinstance(error, asyncio.CancelledError):
            told = ClientGone if self.client_left else Overloaded
            self.outcome, self.status, self.code = told.outcome, told.status, told.code
        else:
            self.outcome, self.status, self.code = "failed", 500, "internal_error"
