"""Keeps several workers serving from the same sockets: starts them, starts again what dies, ends all.

Invariants:
- The supervisor holds no gateway and never sees a call: it has little that could fail.
- Workers are clean interpreters in process groups of their own: a terminal's signals reach it alone.
- Every worker has a channel that ends with the supervisor, even after kill -9; then it drains and ends.
- The first worker starts alone, since it may bring the database up to date and make the first key.
- Once told to stop, nothing is started any more; what has not ended in time is killed.
"""

import asyncio
import logging
import os
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from seawall.server.channel import packed, read_message
from seawall.server.sharing import Loads

log = logging.getLogger("seawall.supervisor")

START_S = 60.0
STEADY_S = 10.0
"""A worker that served for so long is started again at once; one that died sooner has to wait."""
WAIT_S, WAIT_S_MAX = 0.5, 30.0
HARD_S = 3.0
"""After a second signal, how long workers have to end by themselves."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLEAN = (0, *(-number for number in STOP_SIGNALS))
"""How a worker that was told to stop may end: one that does not serve yet just dies of it."""


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Plan(Struct, frozen=True):
    """What is supervised: a worker for each place in `loads`.

    They run `command` with the number of their channel behind it. `sockets` are handed down with
    the same numbers, and so is the memory of `loads`. Workers that are told to stop have `stop_s` seconds;
    one that does not serve after `start_s` is killed.
    """

    command: tuple[str, ...]
    sockets: tuple[socket.socket, ...]
    loads: Loads
    stop_s: float
    start_s: float = START_S

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Return what is handed down."""
        return (self.loads.descriptor, *(sock.fileno() for sock in self.sockets))


class Worker:
    """One process; `number` is that of its place, which its successor takes over."""

    def __init__(self, number: int, process: Process, line: Line) -> None:
        self.number, self._process, (self._reader, self._writer) = number, process, line
        self.greeting: str | None = None
        self._ready_at = 0.0

    @classmethod
    async def start(cls, number: int, plan: Plan, order: bytes) -> "Worker":
        """Start a process and hand it its order."""
        mine, its = socket.socketpair()
        with its:
            process = await asyncio.create_subprocess_exec(
                *plan.command,
                str(its.fileno()),
                stdin=DEVNULL,
                pass_fds=(its.fileno(), *plan.descriptors),
                process_group=0,
            )
        reader, writer = await asyncio.open_connection(sock=mine)
        writer.write(packed(order))
        return cls(number, process, (reader, writer))

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended: minus the signal that killed it, `None` while it lives."""
        return self._process.returncode

    async def serves(self, start_s: float) -> bool:
        """Wait until it serves or has ended; says which. One that takes too long is killed."""
        try:
            async with asyncio.timeout(start_s):
                message = await read_message(self._reader)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            message = None
        if message is None:
            await self.ended()
            return False
        self.greeting, self._ready_at = message.decode(), asyncio.get_running_loop().time()
        return True

    async def ended(self) -> int:
        """Wait until it has ended; returns its exit code."""
        code = await self._process.wait()
        self._writer.close()
        return code

    def was_steady(self) -> bool:
        """Say whether it served for a while."""
        return self.greeting is not None and asyncio.get_running_loop().time() - self._ready_at >= STEADY_S

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it still lives."""
        # Popen.send_signal would look whether it has ended, and take the exit code from who waits for it.
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Supervisor:
    """Runs a plan; `order_of` says what a worker is told, `on_ready` is given the first worker's greeting."""

    def __init__(self, plan: Plan, order_of: Callable[[int], bytes], on_ready: Callable[[str], None]) -> None:
        self._plan, self._order_of, self._on_ready = plan, order_of, on_ready
        self._workers: dict[int, Worker] = {}
        self._stopping = asyncio.Event()
        self._told: list[Worker] = []

    async def run(self) -> int:
        """Supervise until a signal comes; returns the exit code.

        That is 0 after a clean stop, the first worker's own where it could not start, and 1 where a worker
        died while it started or had to be killed.
        """
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._stop)
        code = await self._start_all()
        if code is not None:
            return await self._end(code)
        greeting = self._workers[1].greeting
        assert greeting is not None
        self._on_ready(greeting)
        keepers = [loop.create_task(self._keep(worker)) for worker in self._workers.values()]
        await self._stopping.wait()
        await asyncio.gather(*keepers)
        return await self._end(0)

    def forward(self, number: signal.Signals) -> None:
        """Pass a signal on to every worker whenever it comes; call this in the running loop."""

        def to_all() -> None:
            for worker in self._workers.values():
                worker.signal(number)

        asyncio.get_running_loop().add_signal_handler(number, to_all)

    async def _start_all(self) -> int | None:
        """Start all workers and wait until they serve; returns an exit code where that is not to be."""
        first = await self._start(1)
        if not await first.serves(self._plan.start_s):
            code = first.exit_code
            # With a code of its own it has said why, in one sentence.
            return code if code is not None and code > 0 else self._gave_up(first)
        for number in range(2, self._plan.loads.count + 1):
            if self._stopping.is_set():
                return 0
            await self._start(number)
        for worker in self._workers.values():
            if worker is not first and not await worker.serves(self._plan.start_s):
                return self._gave_up(worker)
        return None

    def _gave_up(self, worker: Worker) -> int:
        if self._stopping.is_set():
            return 0
        fields = {"worker": worker.number, "exit_code": worker.exit_code}
        log.error("a worker died while it started, so nothing is served", extra={"fields": fields})
        return 1

    async def _start(self, number: int) -> Worker:
        worker = await Worker.start(number, self._plan, self._order_of(number))
        self._workers[number] = worker
        if self._stopping.is_set():  # The signal came while it was being started.
            worker.signal(signal.SIGTERM)
            self._told.append(worker)
        return worker

    async def _keep(self, worker: Worker) -> None:
        """Start a worker again whenever it dies, the later the more often it died at once."""
        failures = 0
        while True:
            code = await worker.ended()
            self._plan.loads.leave(worker.number)
            if self._stopping.is_set():
                return
            failures = 0 if worker.was_steady() else failures + 1
            wait_s = min(WAIT_S * 2 ** (failures - 1), WAIT_S_MAX) if failures else 0.0
            fields = {"worker": worker.number, "exit_code": code, "again_in_s": wait_s}
            log.error("a worker died and is started again", extra={"fields": fields})
            if await self._is_stopped_within(wait_s):
                return
            worker = await self._start(worker.number)
            if await worker.serves(self._plan.start_s):
                log.info("a worker serves again", extra={"fields": {"worker": worker.number}})

    async def _is_stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return self._stopping.is_set()
        return True

    def _stop(self) -> None:
        """Let workers finish what they do; the second time, end them."""
        is_second = self._stopping.is_set()
        self._stopping.set()
        for sock in self._plan.sockets:
            sock.close()  # Or clients would go on to connect, and wait for nobody.
        self._told = self._told or [w for w in self._workers.values() if w.exit_code is None]
        for worker in self._told:
            worker.signal(signal.SIGINT if is_second else signal.SIGTERM)
        asyncio.get_running_loop().call_later(HARD_S if is_second else self._plan.stop_s, self._kill)

    def _kill(self) -> None:
        for worker in self._told:
            if worker.exit_code is None:
                log.error("a worker did not end and was killed", extra={"fields": {"worker": worker.number}})
                worker.signal(signal.SIGKILL)

    async def _end(self, code: int) -> int:
        """Wait for the end of all workers."""
        if not self._stopping.is_set():
            self._stop()
        codes = [await worker.ended() for worker in self._told]
        return code or int(any(found not in CLEAN for found in codes))
