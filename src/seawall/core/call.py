"""Call, Request, Text and Event: what travels through the pipeline."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from seawall.core.answers import CacheNote, CacheWish
from seawall.core.errors import ClientGone, Overloaded, SeawallError
from seawall.core.limits import Mark
from seawall.core.money import FREE, Money, Price, Usage
from seawall.core.pieces import Piece
from seawall.core.policy import Credentials, Decision, Policy, Principal
from seawall.core.state import StoredItem

if TYPE_CHECKING:
    from seawall.core.jobs import Job, JobHold
    from seawall.core.routing import Planned

Origin = Literal["system", "user", "assistant", "tool", "retrieved"]
Json = dict[str, Any]
Spoken = tuple[int, str, str]
"""One text of an event: the choice, what it is (`text`, `reasoning`, `name`, `tool`) and which, the text."""


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
    count what is billed by other measures than text, `tokens` what came as tokens already. `wants_usage` says
    whether the client asked for the usage frame of a stream. `headers` travel on where the dialect stays.
    `has_long_cache` says that input may be written to a cache that is kept for an hour, at a higher price.
    `state` is what the request says of stored responses, `is_background` that it asks to be done later.
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
    tokens: int = 0
    wants_usage: bool = True
    has_long_cache: bool = False
    end_user: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    state: "State | None" = None
    is_background: bool = False


class State(Struct, frozen=True):
    """What a request says of stored responses.

    It goes on from `previous_id`, it names stored items by `references`, and its answer `is_kept` or not.
    `resume` takes the items before and those named, and returns the request with all of them in its body; it
    raises StateNotFound where a named one is missing. `items` are the request's own, each with an id.
    """

    previous_id: str | None
    references: tuple[str, ...]
    is_kept: bool
    items: tuple[StoredItem, ...]
    resume: Callable[[tuple[StoredItem, ...], dict[str, StoredItem]], Request]


class Event(Struct, frozen=True):
    """One step of an answer, the same for every vendor.

    `raw` is the frame (stream) or body (whole answer) as it came, to be forwarded when the dialects
    match; empty where the event is not for the client. `text`, `reasoning` and `tool` are what was
    generated, by the choice of that number; `said` has its texts one by one where they are not just these.
    `kind` is the frame's own type in dialects that name it. `last` marks the clean end. `pieces` are filled
    in only where the answer has to be written in another dialect.
    """

    raw: bytes = b""
    text: str = ""
    reasoning: str = ""
    tool: str = ""
    finish: str | None = None
    usage: Usage | None = None
    last: bool = False
    kind: str = ""
    pieces: tuple[Piece, ...] = ()
    choice: int = 0
    said: tuple[Spoken, ...] = ()


class Ending(StrEnum):
    """How an attempt at a provider ended, as far as its bill is concerned (money.md, 10-12)."""

    NOT_SENT = "not_sent"
    COMPLETE = "complete"
    CUT = "cut"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CLIENT_LEFT = "client_left"


class Route(Struct, frozen=True):
    """One way to serve a call: which provider, by which of its keys, under which model name, at which price.

    `listed` is what it would cost where nothing is booked (the demo model).
    """

    provider: str
    model: str
    price: Price
    listed: Price | None = None
    key: int = 1

    @property
    def account(self) -> str:
        """Return the name of the account: the provider's own, and from the second key on its number."""
        return self.provider if self.key == 1 else f"{self.provider}#{self.key}"


class Sending(Struct, frozen=True):
    """What a provider is asked: the request in a dialect it speaks, and what had to be said differently."""

    request: Request
    notes: dict[str, str] = {}


class Attempt:
    """One request to a provider and what is known of its bill.

    `hold_budget` makes it with the bounds that were held; `call_provider` fills in the rest. Tokens
    everywhere: `input_bound` is what was held for, `output_cap` is what the provider was told, per choice.
    `request` is what the provider gets, in the dialect that it speaks. `began_at` is on the loop's clock.
    `finish` is why the model stopped, in the words of the provider's dialect, `has_tools` that it called a
    tool.
    """

    __slots__ = (
        "began_at",
        "created",
        "ending",
        "finish",
        "generated",
        "has_tools",
        "held",
        "input_bound",
        "lowered_from",
        "output_cap",
        "request",
        "route",
        "usage",
    )

    def __init__(
        self,
        route: Route,
        request: Request,
        *,
        held: Money,
        input_bound: int,
        output_cap: int,
        lowered_from: int | None,
    ) -> None:
        self.began_at = 0.0
        self.route = route
        self.request = request
        self.held = held
        self.input_bound = input_bound
        self.output_cap = output_cap
        self.lowered_from = lowered_from
        self.ending = Ending.NOT_SENT
        self.usage: Usage | None = None
        self.generated: list[str] = []
        self.created = 0
        self.finish: str | None = None
        self.has_tools = False

    def note_sent(self) -> None:
        """Note that from now on the provider may bill something."""
        self.ending = Ending.UNKNOWN


class Try(Struct, frozen=True, omit_defaults=True):
    """One attempt as it is kept with its call: `seawall why` prints these. Money in nano-dollars."""

    provider: str
    model: str
    dialect: str
    ending: str
    held: Money
    cost: Money
    exact: bool
    took_ms: float
    why: str = ""


def first_id_at(at_ms: int) -> str:
    """Return what every call id of this millisecond begins with: ids sort by time."""
    return f"call_{at_ms:012x}"


def moment_of(call_id: str) -> int | None:
    """Return the millisecond in which a call came, as its id says; `None` for an id of another make."""
    moment = call_id.removeprefix("call_")[:12]
    try:
        return int(moment, 16) if len(moment) == 12 else None
    except ValueError:
        return None


class CallIds:
    """Makes ids for calls: the millisecond, 64 random bits of this process, and a number."""

    __slots__ = ("_numbers", "_process")

    def __init__(self) -> None:
        self._process = os.urandom(8).hex()
        self._numbers = itertools.count()

    def __call__(self, at_s: float) -> str:
        """Return the id of a call that arrives at this moment, in Unix seconds."""
        return f"{first_id_at(int(at_s * 1000))}{self._process}{next(self._numbers):06x}"


class Deferral(Struct, frozen=True):
    """What a request's headers say of doing it later: whether, and under which key it may come again.

    `mail_to` is who is mailed when it is done, "" for nobody.
    """

    is_wanted: bool = False
    idempotency_key: str | None = None
    mail_to: str = ""


NO_WISH = CacheWish()
NO_DEFERRAL = Deferral()


class Call:
    """One request on its way through the pipeline; the only type that changes.

    | Step | Writes |
    |---|---|
    | server | id, task, endpoint, received_at, credentials, read, is_large, wish, deferral, client_left |
    | authenticate | principal, policy |
    | read_request | request, asked |
    | know_user | principal, policy, request |
    | plan_route | plan |
    | limit_rate | marks, is_limited_locally |
    | make_once | is_repeated |
    | recall_state | request |
    | guard_input | guarded, is_clean |
    | recall | cache, prepared, question, saved |
    | attempts | deadline, route, sending, number |
    | hold_budget | attempt, cost, overage, listed_cost, usage, tries, recorded, counted |
    | call_provider | attempt's fields, first_event_at |
    | guard_output | is_clean |
    | accept | job, is_repeated |
    | record | outcome, status, code, shape |

    `received_at` is in Unix seconds; `began_at`, `first_event_at` and `deadline` are on the clock of the
    loop, which nobody can set. `task` is the one that takes the call through. `cost`, `overage` and
    `listed_cost` are of all attempts together, `tries` has a line for each that was held for. `wish` is what
    the client says of the cache, `cache` what that did, `saved` what an answer from it would have cost;
    `prepared` is the request for the first target, where it is made already, `question` all of it that
    changes the answer, where the cache was asked and it is short. `guarded` is the request as it may leave,
    where the guard has changed it, and `is_clean` says that the guard has found nothing in the call.
    `is_large` says that the body is too large to be parsed for somebody who will be refused, `marks` how the
    rate limits stand, `is_limited_locally` that they are a share that this gateway counts while it cannot ask
    others. `asked` is the request as it was read, `deferral` what its headers say of doing it later, `job`
    what it was accepted as, which `is_repeated` where that was before; `job_hold` is the money of a job that
    is done now. `recorded` says that the row on disk is up to date, `counted` that it is in the sums by hour,
    `shape` is what it looked like. `read` reads the body for the caller that it is given. Nothing in here may
    lead back to the call: it would lie about, with its texts, until the garbage is collected.
    """

    __slots__ = (
        "asked",
        "attempt",
        "began_at",
        "cache",
        "client_left",
        "code",
        "cost",
        "counted",
        "credentials",
        "deadline",
        "decisions",
        "deferral",
        "endpoint",
        "first_event_at",
        "guarded",
        "id",
        "is_clean",
        "is_large",
        "is_limited_locally",
        "is_repeated",
        "job",
        "job_hold",
        "listed_cost",
        "marks",
        "number",
        "outcome",
        "overage",
        "plan",
        "policy",
        "prepared",
        "principal",
        "question",
        "read",
        "received_at",
        "recorded",
        "request",
        "route",
        "saved",
        "sending",
        "shape",
        "status",
        "task",
        "tries",
        "usage",
        "wish",
    )

    def __init__(
        self,
        call_id: str,
        *,
        task: "asyncio.Task[Any]",
        endpoint: str,
        received_at: float,
        credentials: Credentials,
        read: Callable[[Principal], Awaitable[Request]],
    ) -> None:
        self.id = call_id
        self.task = task
        self.endpoint = endpoint
        self.received_at = received_at
        self.began_at = task.get_loop().time()
        self.credentials = credentials
        self.read = read
        self.principal: Principal | None = None
        self.policy: Policy | None = None
        self.request: Request | None = None
        self.asked: Request | None = None
        self.guarded: Request | None = None
        self.is_clean = True
        self.is_large = False
        self.wish = NO_WISH
        self.deferral = NO_DEFERRAL
        self.job: Job | None = None
        self.job_hold: JobHold | None = None
        self.is_repeated = False
        self.cache: CacheNote | None = None
        self.prepared: tuple[Planned, Sending] | None = None
        self.question = b""
        self.saved: Money = FREE
        self.marks: Callable[[], list[Mark]] | None = None
        self.is_limited_locally = False
        self.plan: tuple[Planned, ...] = ()
        self.route: Route | None = None
        self.sending: Sending | None = None
        self.number = 0
        self.deadline = 0.0
        self.attempt: Attempt | None = None
        self.tries: list[Try] = []
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
        self.shape: str | None = None
        self.recorded = False
        self.counted = False

    def clock(self) -> float:
        """Return the time on the loop's clock."""
        return self.task.get_loop().time()

    def took_ms(self) -> float:
        """Return how long the call has taken so far."""
        return round((self.clock() - self.began_at) * 1000, 3)

    def decided(self, step: str, verdict: str, why: str, took_ms: float = 0.0) -> None:
        """Note what a step decided and why; `seawall why` prints these."""
        self.decisions.append(Decision(step=step, verdict=verdict, why=why, took_ms=took_ms))

    @property
    def is_deferred(self) -> bool:
        """Say whether the call is to be done later: its headers or its body ask for that."""
        return self.deferral.is_wanted or (self.asked is not None and self.asked.is_background)

    @property
    def hold_id(self) -> str:
        """Return the id of the present attempt's hold."""
        return self.id if self.number <= 1 else f"{self.id}.{self.number}"

    def reopen(self) -> None:
        """Go on after an attempt that failed: another one follows, and its error is not the answer."""
        self.outcome, self.status, self.code = "open", 200, None
        self.recorded = False
        self.decisions = [decision for decision in self.decisions if decision.step != "answer"]

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
