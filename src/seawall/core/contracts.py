"""What the pipeline needs from the outside, as Protocols, and the Gateway that holds them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from seawall.core.addresses import Network
from seawall.core.answers import CacheRules, CacheStats, KeptAnswer
from seawall.core.bodies import Change
from seawall.core.call import Attempt, Call, Event, Request, Route, Sending
from seawall.core.errors import SeawallError
from seawall.core.events import OPERATORS, Channel, Delivery
from seawall.core.events import Event as OperatorEvent
from seawall.core.feedback import FeedbackLog
from seawall.core.guarding import NO_FINDINGS, Guard
from seawall.core.idempotency import IdempotentAnswers
from seawall.core.jobs import JobRules, Jobs, JobWakes, NewsOf, Stage, Telling
from seawall.core.ledger import Account, Ask, CallRow, HoldAnswer, Settlement, Standing
from seawall.core.limits import Admitted, CountersState, Refused
from seawall.core.lines import Lines
from seawall.core.lockouts import Lockouts
from seawall.core.looping import LoopBreaker, LoopRules
from seawall.core.money import Kind, Money
from seawall.core.policy import Budget, Credentials, Limit, Policy, Principal, Quota, StatedLimit
from seawall.core.routing import Failure, Next, Planned, Retry, Stop, Target
from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.core.tasks import TaskTarget
from seawall.core.terms import HouseTerms

KeyKind = Literal["key", "publishable"]


class Reply(Protocol):
    """The way back to the client, in its own dialect.

    `has_begun` says whether the first byte of the answer has left: another provider is asked only before.
    """

    has_begun: bool

    async def send(self, event: Event) -> None:
        """Pass one event on; raises ClientGone where nobody listens any more."""

    async def tell(self, stage: Stage) -> None:
        """Tell how far the answer has come, where the client wants to know; that is none of its bytes."""

    async def finish(self) -> None:
        """End the answer cleanly."""

    async def fail(self, error: SeawallError) -> None:
        """End the answer with an error that cannot be taken for a complete answer."""

    def rewrite(self, event: Event, own: Mapping[str, str], change: Change) -> Event:
        """Return an event with other texts: `own` are whole ones of it, `change` is for all others."""

    def collect(self, at_end: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        """Remember from now on what is sent, so that it can be kept.

        `at_end` gets the whole answer before its last piece leaves.
        """

    def collected(self) -> bytes:
        """Return the whole answer as it was sent."""

    async def replay(self, kept: KeptAnswer, pace_s: float) -> None:
        """Send a kept answer in the form that this client asked for, and end it cleanly."""

    def keepsake(self, owner: Owner, expires_at: float) -> StoredResponse | None:
        """Return what is to be stored of the answer, once all of its events were sent."""


class Identity(Protocol):
    """Turns what a caller shows into who it is."""

    async def identify(self, shown: Credentials) -> tuple[Principal, Policy]:
        """Return the caller and its policy, as far as the end user has no part in it.

        Raises Unauthenticated, OriginNotAllowed, and Overloaded where the store is down.
        """

    async def know_user(
        self, principal: Principal, policy: Policy, named: str | None
    ) -> tuple[Principal, Policy]:
        """Add the end user: the one that a token or publishable key fixes, else the one that is `named`.

        Returns what was given where there is none. Raises Overloaded where the store is down.
        """

    async def knows_origin(self, origin: str) -> bool:
        """Say whether some key or issuer lists a web page; raises Overloaded where that cannot be read."""

    def limits_of_stranger(self, address: str) -> tuple[Limit, ...]:
        """Return the limits on failed attempts to log in from an address."""

    def forget(self) -> None:
        """Look everything up again: something has changed."""


class Provider(Protocol):
    """One vendor account that can be called."""

    name: str
    stops_on_disconnect: bool

    def reached_by(self, dialect: str) -> str | None:
        """Return the dialect in which a request of this one is sent, `None` where it cannot be."""

    def rough_input_tokens(self, request: Request, route: Route) -> int:
        """Bound the input tokens from sizes alone; never below what the vendor will bill."""

    async def count_input_tokens(self, request: Request, route: Route) -> int:
        """Bound the input tokens by counting; never above the rough bound."""

    def prepare(self, request: Request, route: Route) -> Sending:
        """Return the request in a dialect that the vendor speaks.

        Raises Untranslatable for a field that it has no words for, and UnpricedField for one that changes the
        price beyond any bound.
        """

    def count_output_tokens(self, text: str, route: Route) -> tuple[int, int]:
        """Return (never more, never less) than the vendor bills for this generated text."""

    def open(self, call: Call, attempt: Attempt) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Send the request and yield its events; closes the connection on every exit.

        Sets `attempt.ending` before anything is raised: NOT_SENT only when it is certain that nothing
        was sent. Raises UpstreamError.
        """


class Router(Protocol):
    """Knows which models there are and who serves them."""

    def plan(self, request: Request) -> tuple[Planned, ...]:
        """Return how to serve a request, in the order in which it will be tried.

        Raises UnknownModel or UnpricedModel, and UpstreamUnavailable where every provider of the model is
        known to be down.
        """

    def provider(self, route: Route) -> Provider:
        """Return the provider of a route."""

    def admit(self, route: Route) -> bool:
        """Say whether an attempt may begin now; ask immediately before it."""

    def note(self, route: Route, error: BaseException | None) -> None:
        """Learn how an attempt ended, for the plans to come; called once for each that was admitted."""

    def after_failure(self, failure: Failure, at: Planned, rest: Sequence[Planned]) -> Retry | Next | Stop:
        """Decide what follows an attempt that failed before anything had left; `rest` was not tried yet."""

    def models(self) -> list[Route]:
        """List every model that can be named, in a stable order."""

    def aliases(self) -> list[str]:
        """List the names that stand for other models."""

    def targets(self, model: str, kind: Kind = "chat") -> tuple[Target, ...]:
        """Return every way to serve a name; raises UnknownModel or UnpricedModel."""


class Counters(Protocol):
    """Counts how often and how much; see `stores.memory.counters` for the promises. Times by `Gateway.clock`.

    A home that can be down answers from a counter of its own meanwhile: a rate limit never refuses for that.
    """

    async def admit(self, limits: tuple[Limit, ...], now_s: float, tokens: int) -> Admitted | Refused:
        """Take one call, and so many tokens of input, from all limits or from none."""

    async def peek(self, limits: tuple[Limit, ...], now_s: float) -> Refused | None:
        """Say what stands against a call now, without taking anything; of several the longest wait."""

    def leave(self, admitted: Admitted) -> None:
        """Free the place of a call among those that run at once; once, however often it is asked."""

    async def settle(self, admitted: Admitted, now_s: float, tokens: int) -> None:
        """Put the tokens that were billed, input and output together, in the place of the estimate."""

    def state(self) -> CountersState:
        """Say where limits are counted now, and how often that had to change."""


class Ledger(Protocol):
    """Holds and settles money. `hold` returns once it is on disk; nothing here ever fails open."""

    async def hold(self, ask: Ask) -> HoldAnswer:
        """Place a hold on all accounts or on none; raises Overloaded where the store is down."""

    def settle(self, settlement: Settlement) -> Awaitable[None]:
        """Replace a hold by its cost and write the call's row; done once per hold id.

        Handed over before it returns: leaving the awaitable does not undo it, and what cannot be
        written now is tried again until it can.
        """

    def void(self, hold_id: str) -> Awaitable[None]:
        """Remove a hold of which nothing was sent, in the same manner."""

    async def standings(self, accounts: Sequence[Account]) -> list[Standing]:
        """Return how accounts stand, with everything that was handed over before; raises Overloaded."""

    async def reset(self, accounts: Sequence[Account]) -> None:
        """Give back what was used of quotas; what is held stays. Money is never given back."""

    async def reap(self) -> int:
        """Settle in full the holds of processes that are dead; returns how many."""

    async def check(self) -> None:
        """Raise Overloaded where nothing can be written."""


class Spend(Struct, frozen=True):
    """What a scope has spent in its present periods; `lifetime` is all that is settled."""

    daily: Money = Money(0)
    monthly: Money = Money(0)
    lifetime: Money = Money(0)
    held: Money = Money(0)
    overage: Money = Money(0)


class CallLog(Protocol):
    """One row per call, and the sums over them."""

    def write(self, row: CallRow) -> None:
        """Take the row of a call that never held money, to be written soon; raises Overloaded."""

    async def find(self, call_id: str) -> CallRow | None:
        """Return one call."""

    async def newest(self, *, key_id: str | None, before: str | None, limit: int) -> list[CallRow]:
        """Return the newest calls first; `before` is the id to go on from."""

    async def usage(self, *, by: str, since_ms: int, until_ms: int) -> list[dict[str, Any]]:
        """Return sums by `key`, `model` or `day`; money in nano-dollars."""

    async def spend(self, scope: str, at_s: float) -> Spend:
        """Return what a scope has spent in the periods that hold `at_s`."""

    async def saved(self, *, since_ms: int) -> tuple[int, Money]:
        """Return how many calls on record the cache answered since then, and what that saved."""

    async def active_users(self, *, since_ms: int, after: str, limit: int) -> list[dict[str, Any]]:
        """Return end users that called since then, by id, with their sums; `after` is an id to go on from."""


class UserRecord(Struct, frozen=True, kw_only=True):
    """What the operator has decided about one end user. Times in Unix seconds.

    `tier` goes before that of a token or key. `limits`, `quota` and `budget` go before those of the tier
    where they state anything: `None` leaves them to it. `may_mail` says whether the user may be mailed.
    """

    id: str
    created_at: float
    tier: str | None = None
    blocked_at: float | None = None
    note: str | None = None
    limits: tuple[StatedLimit, ...] | None = None
    quota: Quota | None = None
    budget: Budget | None = None
    may_mail: bool = True


class KeyRecord(Struct, frozen=True, kw_only=True):
    """A key as it is stored: never the key itself. Times in Unix seconds.

    `owner` is whose key it is, `tier` that of its users. `limits` are on the key itself, `trial` is the quota
    of each of its users who has no tier. `origins` are the web pages that may use a publishable key. `guard`
    names a profile of the guard.
    """

    id: str
    name: str
    hash: bytes
    created_at: float
    models: tuple[str, ...] | None = None
    budget: Budget = Budget()
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None
    previous_hash: bytes | None = None
    previous_until: float | None = None
    kind: KeyKind = "key"
    owner: str = ""
    tier: str | None = None
    limits: tuple[StatedLimit, ...] = ()
    trial: Quota | None = None
    origins: tuple[str, ...] = ()
    guard: str | None = None


class Directory(Protocol):
    """Who there is: virtual keys and end users, and what each may do."""

    async def find_by_hash(self, key_hash: bytes) -> KeyRecord | None:
        """Return the key with this SHA-256, the previous one of a rotation included."""

    async def get(self, key_id: str) -> KeyRecord | None:
        """Return one key."""

    async def keys(self) -> list[KeyRecord]:
        """Return all keys, oldest first."""

    async def put(self, record: KeyRecord) -> None:
        """Create a key."""

    async def change(self, key_id: str, how: Callable[[KeyRecord], KeyRecord]) -> KeyRecord | None:
        """Replace a key by what `how` makes of it, in one step; returns it, `None` where there is none."""

    def touch(self, last_used: dict[str, float]) -> Awaitable[None]:
        """Note when keys were last used."""

    async def find_user(self, user_id: str) -> UserRecord | None:
        """Return what is decided about a user; `None` where nothing is."""

    async def users(self) -> list[UserRecord]:
        """Return all users about whom anything is decided, by id."""

    async def change_user(
        self,
        user_id: str,
        how: Callable[[UserRecord | None], UserRecord],
        event: OperatorEvent | None = None,
        channels: Sequence[Channel] = (),
    ) -> UserRecord:
        """Replace a user by what `how` makes of it, in one step; what `how` raises changes nothing.

        An event is announced in the same transaction, where the tier has changed.
        """

    async def erase_user(self, user_id: str, alias: str) -> int:
        """Take a user's name and texts out of everything; the sums stay, under `alias`.

        Returns how many calls were theirs; raises Conflict while one of them is running.
        """

    async def salt(self) -> bytes:
        """Return random bytes of this data folder: what turns addresses into names that tell nothing."""

    async def version(self) -> int:
        """Return a number that changes when another process has changed anything."""


class Conversations(Protocol):
    """Stored responses and their items. An expired one is not there; neither is one of another owner.

    Everything raises Overloaded where the store is down. Moments in Unix seconds.
    """

    async def put(self, response: StoredResponse) -> None:
        """Keep a response; it is on disk when this returns."""

    async def get(self, response_id: str, owner: Owner, at_s: float) -> StoredResponse | None:
        """Return a response."""

    async def history(self, response_id: str, owner: Owner, at_s: float) -> tuple[StoredItem, ...] | None:
        """Return every item up to the end of a response, oldest first; `None` where any of it is missing.

        Raises TooLarge for a conversation that has grown beyond what is put together at once.
        """

    async def items(self, item_ids: tuple[str, ...], owner: Owner, at_s: float) -> dict[str, StoredItem]:
        """Return those of these items that are there, by id; of several with one id the newest."""

    async def delete(self, response_id: str, owner: Owner, at_s: float) -> bool:
        """Forget a response with its items; says whether it was there."""

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together; returns how many responses."""


class AnswerCache(Protocol):
    """Keeps answers for the same question. Nothing here raises: a cache that is down holds nothing."""

    async def get(self, key: bytes) -> KeptAnswer | None:
        """Return a kept answer that is not too old."""

    def put(self, key: bytes, answer: KeptAnswer) -> None:
        """Keep an answer; nobody waits for it to be written."""

    async def clear(self) -> int:
        """Forget everything; returns how many answers."""

    async def forget_user(self, user: bytes) -> int:
        """Forget what was made for an end user, by the SHA-256 of its id; returns how many answers."""

    def stats(self) -> CacheStats:
        """Return what is in the cache."""


class Outbox(Protocol):
    """Events and their deliveries: announced once, delivered by one process at a time. Raises Overloaded."""

    async def announce(self, events: Sequence[OperatorEvent], channels: Sequence[Channel]) -> int:
        """Put events on their way whose subjects were never announced; returns how many."""

    async def take(self, now: float, at_most: int, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Take so many deliveries of each channel that are due; nobody else gets them for a minute."""

    async def done(self, delivery_id: str, now: float) -> None:
        """Note that a delivery has arrived."""

    async def retry(self, delivery_id: str, next_at: float, why: str) -> None:
        """Note that a delivery failed and is tried again."""

    async def give_up(self, delivery_id: str, now: float, why: str) -> None:
        """Note that a delivery is tried no more."""

    async def note(self, delivery: Delivery, now: float, why: str | None = None) -> None:
        """Write down a delivery that was made by hand; with a `why` it failed, and is tried no more."""

    async def newest(self, channels: Sequence[Channel] = OPERATORS) -> list[Delivery]:
        """Return the newest deliveries of some channels first, whatever became of them."""

    async def trim(self, now: float) -> bool:
        """Forget a batch of what is old, and give up what nobody took; says whether there may be more."""


class Limits(Struct, frozen=True):
    """How long things may take, in seconds, and how much output an undeclared cap may want."""

    hold_wait_s: float = 5.0
    connect_s: float = 10.0
    first_byte_s: float = 120.0
    first_token_s: float = 120.0
    between_events_s: float = 120.0
    call_s: float = 600.0
    undeclared_output_tokens: int = 16_384
    drain_on_disconnect: bool = False


class Gateway(Struct):
    """Everything a call needs on its way; made once by `app.py`.

    `state_keep_s` says how long answers are stored for later calls, 0 where nothing is. `proxies` are those
    whose word on a caller's address counts, `house` is what the operator states for all. `now` is in Unix
    seconds, `clock` counts seconds and is never put back. `tell` writes a call's line in the access log,
    `new_id` names a call. `answers` is `None` where nothing is cached, `flights` are the calls that others
    wait for. `job_wakes` wakes those who follow a job that is done here, `telling` is how people are told of
    progress, `news_of` who hears of an end. `shape_of` says what a request
    looked like, for advice. `tell_others` tells gateways on the same stores that keys, users
    or tiers have changed.
    """

    identity: Identity
    router: Router
    ledger: Ledger
    counters: Counters
    call_log: CallLog
    idempotent: IdempotentAnswers
    directory: Directory
    conversations: Conversations
    jobs: Jobs
    feedback: FeedbackLog
    state_keep_s: float
    lines: Lines
    limits: Limits
    now: Callable[[], float]
    clock: Callable[[], float]
    tell: Callable[[Call, float], None]
    new_id: Callable[[float], str]
    support_contact: str | None = None
    proxies: tuple[Network, ...] = ()
    house: HouseTerms = HouseTerms(Budget())
    guard: Guard = NO_FINDINGS
    answers: AnswerCache | None = None
    cache_rules: CacheRules = CacheRules()
    job_rules: JobRules = JobRules()
    telling: Telling = Telling()
    job_wakes: JobWakes = field(default_factory=JobWakes)
    news_of: NewsOf = lambda job, ending: None
    event_channels: tuple[Channel, ...] = ()
    tell_others: Callable[[], None] = lambda: None
    flights: dict[bytes, Any] = field(default_factory=dict)
    breaker: LoopBreaker = field(default_factory=lambda: LoopBreaker(LoopRules(calls=0, calls_unnamed=0)))
    lockouts: Lockouts = field(default_factory=Lockouts)
    tasks: Mapping[str, TaskTarget] = field(default_factory=dict)
    shape_of: Callable[[Call, "Gateway"], str | None] = lambda call, gateway: None
