"""The connection to Valkey or Redis: one for all that this process asks it.

Invariants:
- What is asked in one turn of the event loop leaves together, without a transaction; answers come in the
  order of the questions.
- Nobody waits for longer than the time-out: where the oldest question has no answer by then, the server is
  taken to be down and all that wait are told. While it is known to be down nobody waits at all.
- A server that is down is tried again every second, beside the calls.
- An error in the place of an answer is trouble of the server as well: it is full, only reads, or is no longer
  the first of its kind. Only a script that it has lost is sent to it once more.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from valkey.asyncio.connection import Connection, SSLConnection, parse_url
from valkey.exceptions import NoScriptError, ValkeyError

from seawall.core.ending import end

log = logging.getLogger("seawall.valkey")

Word = str | bytes | int
Reply = bytes | int | None | list["Reply"]

RETRY_S = 1.0
CONNECT_S = 1.0
"""No call waits for a connection."""
STALL_S = 0.005
"""By so much the event loop may be late before what has come meanwhile is read first."""
WAITING_MAX = 10_000
TROUBLE = (ValkeyError, OSError, TimeoutError, ValueError, RuntimeError)
"""What a connection may raise; RuntimeError comes from uvloop, where the other side has just closed it."""
_OPTIONS = frozenset({"db", "username", "password", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})


class Unreachable(Exception):
    """The server is down, or did not answer in time."""


class Script(Struct, frozen=True):
    """A script in Lua; `sha` is the name under which a server keeps it."""

    text: str
    sha: str

    @classmethod
    def of(cls, text: str) -> "Script":
        """Name a script as the protocol does, by its SHA-1."""
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class _Question:
    """What was asked, since when, and who waits for the answer."""

    __slots__ = ("answer", "orphan", "script", "since_s", "words")

    def __init__(
        self,
        words: tuple[Word, ...],
        answer: "asyncio.Future[Reply] | None",
        since_s: float,
        script: Script | None = None,
        orphan: Callable[[Reply], None] | None = None,
    ) -> None:
        self.words, self.answer, self.since_s = words, answer, since_s
        self.script, self.orphan = script, orphan

    def settle(self, reply: Reply) -> None:
        if self.answer is None:
            return
        if not self.answer.done():
            self.answer.set_result(reply)
        elif self.orphan is not None:
            self.orphan(reply)

    def fail(self, why: str) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(Unreachable(why))


class Link:
    """One server, reached or not, from `start` to `stop`.

    `is_up` says whether it is worth asking. Raises ValueError for an address that cannot be used.
    """

    def __init__(self, url: str, *, timeout_s: float, retry_s: float = RETRY_S) -> None:
        self._connection = connection_of(url)
        self._timeout_s, self._retry_s = timeout_s, retry_s
        self.is_up = False
        self._scripts: list[Script] = []
        self._greetings: list[Callable[[], Sequence[tuple[Word, ...]]]] = []
        self._listeners: list[Callable[[bool], None]] = []
        self._waiting: deque[_Question] = deque()
        self._sent: deque[_Question] = deque()
        self._asked, self._dropped, self._tried = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._last_chance: _Question | None = None
        self._keeping: asyncio.Task[None] | None = None

    def use(self, *scripts: Script) -> None:
        """Have these scripts on the server from its first moment."""
        self._scripts += scripts

    def greet(self, greeting: Callable[[], Sequence[tuple[Word, ...]]]) -> None:
        """Send these commands first on every new connection; the server is up once it has answered them."""
        self._greetings.append(greeting)

    def listen(self, listener: Callable[[bool], None]) -> None:
        """Hear whenever the server is there and whenever it is gone; at the start once, however it is."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Begin to reach the server; returns when that has succeeded or failed once, in a second at most."""
        self._keeping = asyncio.create_task(self._keep())
        self._keeping.add_done_callback(lambda _: self._tried.set())
        await self._tried.wait()

    async def stop(self) -> None:
        """Let go of it; whoever still waits is told that it is down."""
        await end(self._keeping)
        self._fail_all("stopped")
        self.is_up = False

    def ask(self, *words: Word, orphan: Callable[[Reply], None] | None = None) -> "asyncio.Future[Reply]":
        """Ask the server; raises Unreachable at once where it is down, the future does where it is late.

        `orphan` gets the answer where nobody waits for it any more.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        self._put(_Question(words, answer, loop.time(), orphan=orphan), loop)
        return answer

    def run(
        self,
        script: Script,
        keys: Sequence[Word],
        words: Sequence[Word],
        orphan: Callable[[Reply], None] | None = None,
    ) -> "asyncio.Future[Reply]":
        """Ask by a script, in the same manner."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()
        asked = ("EVALSHA", script.sha, len(keys), *keys, *words)
        self._put(_Question(asked, answer, loop.time(), script, orphan), loop)
        return answer

    def tell(self, *words: Word) -> None:
        """Tell the server something; nobody waits. What is told is lost only together with the connection."""
        self._tell(_Question(words, None, asyncio.get_running_loop().time()))

    def tell_script(self, script: Script, keys: Sequence[Word], words: Sequence[Word]) -> None:
        """Tell it by a script, in the same manner."""
        asked = ("EVALSHA", script.sha, len(keys), *keys, *words)
        self._tell(_Question(asked, None, asyncio.get_running_loop().time(), script))

    def drop(self, why: str) -> None:
        """Take the server to be down, and begin anew with it."""
        if not self.is_up:
            return
        self.is_up = False
        self._dropped.set()
        self._fail_all(why)
        log.warning(
            "Valkey is down: this gateway counts limits by itself until it is back",
            extra={"fields": {"why": why}},
        )
        self._call_listeners()

    def _tell(self, question: _Question) -> None:
        if not self.is_up:
            return
        try:
            self._put(question, asyncio.get_running_loop())
        except Unreachable:
            self.drop("too much is told at once")

    def _put(self, question: _Question, loop: asyncio.AbstractEventLoop) -> None:
        if not self.is_up or len(self._waiting) + len(self._sent) >= WAITING_MAX:
            raise Unreachable("down" if not self.is_up else "too much is asked at once")
        self._waiting.append(question)
        self._asked.set()
        if self._alarm is None:
            self._look_at(question.since_s + self._timeout_s, loop)

    def _look_at(self, due_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self._due_s = due_s
        self._alarm = loop.call_at(due_s, self._look)

    def _look(self) -> None:
        """Find out whether the oldest question has waited for too long, and not for this process itself.

        Where the event loop was late, and once in any case, what has arrived is read first.
        """
        self._alarm = None
        oldest = self._sent[0] if self._sent else self._waiting[0] if self._waiting else None
        if oldest is None:
            return
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        late_s = now_s - oldest.since_s - self._timeout_s
        if late_s < 0:
            self._look_at(now_s - late_s, loop)
            return
        was_in_time = now_s - self._due_s <= STALL_S
        if was_in_time and (late_s > 2 * STALL_S or oldest is self._last_chance):
            self.drop("it did not answer in time")
            return
        self._last_chance = oldest
        self._look_at(now_s + STALL_S, loop)

    async def _keep(self) -> None:
        """Reach the server, serve those who ask, and begin anew whenever that ends."""
        is_first, connection = True, self._connection
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await connection.connect()  # type: ignore[no-untyped-call] # has no types
                    await self._greet(connection)
                await self._serve(connection, is_first=is_first)
            except TROUBLE as error:
                self._give_up(reason_of(error), is_first=is_first)
            finally:
                await close(connection)
            is_first = False
            await asyncio.sleep(self._retry_s)

    async def _greet(self, connection: Connection) -> None:
        """Send what has to come first; raises ValkeyError where any of it is refused."""
        commands: list[tuple[Word, ...]] = [("SCRIPT", "LOAD", script.text) for script in self._scripts]
        for greeting in self._greetings:
            commands += greeting()
        commands.append(("PING",))
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        for _ in commands:
            await connection.read_response()

    async def _serve(self, connection: Connection, *, is_first: bool) -> None:
        """Serve until the server is dropped; raises what broke the connection."""
        self._asked.clear()
        self._dropped.clear()
        self.is_up = True
        log.log(
            logging.INFO if is_first else logging.WARNING,
            "Valkey is there: limits are shared" if is_first else "Valkey is back: limits are shared again",
        )
        self._call_listeners()
        self._tried.set()
        work = (self._read(connection), self._write(connection), self._dropped.wait())
        tasks: list[asyncio.Task[Any]] = [asyncio.ensure_future(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, connection: Connection) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            batch = [*self._waiting]
            self._waiting.clear()
            self._sent.extend(batch)
            packed = connection.pack_commands([question.words for question in batch])
            await connection.send_packed_command(packed, check_health=False)

    async def _read(self, connection: Connection) -> None:
        while True:
            try:
                reply = await connection.read_response()
            except NoScriptError:
                self._send_again(self._next())
            else:
                self._next().settle(reply)

    def _next(self) -> _Question:
        """Return the question to the answer that has come; raises ConnectionError where nobody has asked."""
        if not self._sent:  # It was dropped this very moment, or it says what nobody wants to know.
            raise ConnectionError
        return self._sent.popleft()

    def _send_again(self, question: _Question) -> None:
        """Send a script that the server has lost, with its text; it keeps it from then on."""
        assert question.script is not None
        question.words = ("EVAL", question.script.text, *question.words[2:])
        self._waiting.append(question)
        self._asked.set()

    def _give_up(self, why: str, *, is_first: bool) -> None:
        """Note that a connection has broken, or that the first one could not be made."""
        if self.is_up:
            self.drop(why)
        elif is_first:
            log.warning(
                "Valkey cannot be reached: this gateway counts limits by itself until it can",
                extra={"fields": {"why": why}},
            )
            self._call_listeners()
            self._tried.set()

    def _fail_all(self, why: str) -> None:
        failed = [*self._sent, *self._waiting]
        self._sent.clear()
        self._waiting.clear()
        self._last_chance = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for question in failed:
            question.fail(why)

    def _call_listeners(self) -> None:
        for listener in self._listeners:
            listener(self.is_up)


def connection_of(url: str) -> Connection:
    """Make a connection to an address, still closed; raises ValueError where the address cannot be used.

    With TLS the server's certificate and name are verified, whatever the address says.
    """
    unknown = [name for name, _ in parse_qsl(urlsplit(url).query) if name not in _OPTIONS]
    if unknown:
        raise ValueError(f"has an option that is not known: {unknown[0]}")
    options: dict[str, Any] = dict(parse_url(url))
    kind: type[Connection] = options.pop("connection_class", Connection)
    if issubclass(kind, SSLConnection):
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    return kind(**options, socket_timeout=None, socket_connect_timeout=CONNECT_S, socket_keepalive=True)


async def close(connection: Connection) -> None:
    """Close a connection, in whatever state it is."""
    with suppress(*TROUBLE):
        await connection.disconnect(nowait=True)


def reason_of(error: BaseException) -> str:
    """Say in a word why a server could not be used: the kind of trouble, never what it wrote."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return type(error.__cause__ or error.__context__ or error).__name__
