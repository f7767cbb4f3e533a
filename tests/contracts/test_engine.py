"""What the engine promises on both homes: every carrier is brought to one worker, and none is lost."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from seawall.core.errors import Overloaded
from seawall.jobs.engine import SCHEDULES, Engine, Schedule, every
from seawall.jobs.patient import PatientJobManager
from seawall.stores.carriers import ToCarry
from seawall.stores.postgres.store import PostgresStore
from seawall.stores.sqlite.engine_connector import FETCH
from seawall.stores.sqlite.store import SqliteStore
from tests.fixtures.carriers import Store, Undone, calls, change, drop, put
from tests.fixtures.ledgers import Home, PostgresHome, Process
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.servers import PostgresServer

TICK = 1_795_262_400


class Hands:
    """Does jobs: notes their names, and waits at a gate that is open unless a test closes it."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self.running = self.peak = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, job_id: str, carrier: int) -> None:
        name = job_id.removeprefix("job_")
        self.begun.append(name)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await self.gate.wait()
            self.ended.append(name)
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        finally:
            self.running -= 1


class Engines:
    """The engines of a test, stopped at its end."""

    def __init__(self) -> None:
        self._started: list[Engine] = []

    async def start(self, store: Store, hands: Hands, **terms: Any) -> Engine:
        connector = terms.pop("connector", None) or store.engine_connector()
        engine = Engine(connector, hands, **{"concurrency": 4, "stall_s": 30.0, **terms})
        await engine.start()
        self._started.append(engine)
        return engine

    async def stop(self) -> None:
        for engine in self._started:
            await engine.stop(0)


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    started = Engines()
    yield started
    await started.stop()


@pytest.fixture
def hands() -> Hands:
    return Hands()


async def empty(home: Home) -> None:
    """Wait until no carrier is left."""
    async with asyncio.timeout(LONGER):
        while await home.count("procrastinate_jobs"):
            await asyncio.sleep(0.01)


async def manager_of(store: Store) -> JobManager:
    connector = store.engine_connector()
    await connector.open_async()
    return JobManager(connector)


async def age_workers(store: Store) -> None:
    """Let every worker look as if nobody had heard of it for years."""
    long_ago = "0" if isinstance(store, SqliteStore) else "'epoch'"
    await change(store, f"UPDATE procrastinate_workers SET last_heartbeat = {long_ago}")


async def test_what_is_rolled_back_is_not_run(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    await engines.start(process.store, hands)
    with pytest.raises(Undone):
        await put(process.store, *calls("one"), fails=True)
    await put(process.store, *calls("two"))
    await empty(home)
    assert hands.ended == ["two"]


async def test_the_highest_priority_goes_first_and_then_the_oldest(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    await put(process.store, *calls("usual", "later"))
    await put(process.store, *calls("urgent", priority=9))
    await engines.start(process.store, hands, concurrency=1)
    await empty(home)
    assert hands.ended == ["urgent", "usual", "later"]


async def test_a_job_is_never_run_twice_at_once(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    await put(process.store, *calls("one", "one", "other"))
    await engines.start(process.store, hands)
    await until(lambda: "other" in hands.begun)
    assert hands.begun == ["one", "other"]
    hands.gate.set()
    await empty(home)
    assert sorted(hands.ended) == ["one", "one", "other"]


async def test_two_engines_do_each_of_forty_jobs_once_and_say_nothing(
    home: Home, process: Process, engines: Engines, hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other, others = home.open(), Hands()
    try:
        await engines.start(process.store, hands)
        await engines.start(other.store, others)
        names = [f"{number:02}" for number in range(40)]
        await put(process.store, *calls(*names[:20]))
        await put(other.store, *calls(*names[20:]))
        await empty(home)
        assert sorted(hands.ended + others.ended) == names
        await engines.stop()
    finally:
        other.store.close()
    assert [record for record in caplog.records if record.name.startswith("procrastinate")] == []


async def test_no_more_than_so_many_run_at_once(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    await put(process.store, *calls(*"abcdefgh"))
    await engines.start(process.store, hands, concurrency=3)
    await until(lambda: hands.running == 3)
    hands.gate.set()
    await empty(home)
    assert (sorted(hands.ended), hands.peak) == (list("abcdefgh"), 3)


async def test_an_engine_without_concurrency_takes_nothing(home: Home, process: Process) -> None:
    engine = Engine(process.store.engine_connector(), Hands(), concurrency=0, stall_s=30.0)
    await engine.start()
    await put(process.store, *calls("one"))
    await engine.stop(0)
    assert await home.ask("SELECT status FROM procrastinate_jobs") == [("todo",)]


async def test_an_engine_takes_from_its_queues_only(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    await put(process.store, *calls("call", priority=9), ToCarry("job_task", "tasks"))
    await engines.start(process.store, hands, queues=["tasks"])
    await until(lambda: hands.ended == ["task"])
    assert ("job_call", "todo") in await home.ask("SELECT lock, status FROM procrastinate_jobs")


async def test_what_a_silent_worker_was_at_is_told_and_may_be_taken_from_it(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    engine = await engines.start(process.store, hands, stall_s=3_000.0)
    [carrier] = await put(process.store, *calls("one"))
    await until(lambda: hands.running == 1)
    assert await engine.stalled() == []
    await age_workers(process.store)
    assert await engine.stalled() == [carrier]
    await drop(process.store, [carrier])
    assert await engine.stalled() == []
    hands.gate.set()
    await put(process.store, *calls("two"))
    await empty(home)
    assert hands.ended == ["one", "two"]


async def test_a_worker_that_was_taken_for_dead_is_there_again(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    engine = await engines.start(process.store, hands, stall_s=0.3)
    await put(process.store, *calls("one"))
    await empty(home)
    await change(process.store, "DELETE FROM procrastinate_workers")
    await put(process.store, *calls("two"))
    await empty(home)
    assert hands.ended == ["one", "two"]
    await engine.stop(0)
    assert await home.count("procrastinate_workers") == 0


async def test_a_worker_that_ends_while_it_says_that_it_is_alive_is_on_no_list(
    home: Home, process: Process
) -> None:
    connector = process.store.engine_connector()
    await connector.open_async()
    jobs = PatientJobManager(connector)
    worker = await jobs.register_worker()
    says = jobs.update_heartbeat
    await asyncio.gather(says(worker), jobs.unregister_worker(worker), *(says(worker) for _ in range(3)))
    assert await home.count("procrastinate_workers") == 0
    await connector.close_async()


async def test_stopping_waits_for_what_runs_and_takes_nothing_new(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    engine = await engines.start(process.store, hands, concurrency=1)
    await put(process.store, *calls("one"))
    await until(lambda: hands.running == 1)
    stopping = asyncio.create_task(engine.stop(LONGER))
    await put(process.store, *calls("two"))
    hands.gate.set()
    await stopping
    assert hands.ended == ["one"]
    assert await home.ask("SELECT lock, status FROM procrastinate_jobs") == [("job_two", "todo")]


async def test_what_does_not_end_in_time_is_cancelled(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    engine = await engines.start(process.store, hands)
    await put(process.store, *calls("one"))
    await until(lambda: hands.running == 1)
    await engine.stop(0)
    assert (hands.ended, hands.cancelled) == ([], ["one"])
    assert await home.count("procrastinate_jobs") == 0


class Deaf(BaseAsyncConnector):
    """Passes everything on, and does not hear the answer to the first fetch that found something."""

    def __init__(self, connector: BaseAsyncConnector, trouble: Exception) -> None:
        self._connector, self._trouble = connector, trouble
        self.is_deaf = True

    async def open_async(self, pool: object = None) -> None:
        await self._connector.open_async()

    async def close_async(self) -> None:
        await self._connector.close_async()

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        await self._connector.execute_query_async(query, **arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        answer = await self._connector.execute_query_one_async(query, **arguments)
        if query == FETCH and self.is_deaf and answer["id"] is not None:
            self.is_deaf = False
            raise self._trouble
        return answer

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return await self._connector.execute_query_all_async(query, **arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        await self._connector.listen_notify(on_notification, channels)


@pytest.mark.parametrize("trouble", [Overloaded(), ConnectorException()], ids=["sqlite's", "postgres's"])
async def test_a_job_whose_fetching_was_committed_unheard_is_found_again(
    home: Home, process: Process, engines: Engines, hands: Hands, trouble: Exception
) -> None:
    deaf = Deaf(process.store.engine_connector(), trouble)
    await put(process.store, *calls("one", "two"))
    await engines.start(process.store, hands, connector=deaf)
    await empty(home)
    assert (hands.ended, deaf.is_deaf) == (["one", "two"], False)


class Late(Deaf):
    """Hears which carriers are being done only when the first of them has ended."""

    def __init__(self, connector: BaseAsyncConnector, hands: Hands, home: Home) -> None:
        super().__init__(connector, Overloaded())
        self._hands, self._home = hands, home

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        answer = await super().execute_query_all_async(query, **arguments)
        if answer and self._hands.begun and not self._hands.gate.is_set():
            self._hands.gate.set()
            while await self._home.count("procrastinate_jobs") > 1:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)  # By then whoever noted its end has heard that it is noted.
        return answer


async def test_a_job_that_ends_while_unheard_ones_are_looked_for_is_not_done_again(
    home: Home, process: Process, engines: Engines, hands: Hands
) -> None:
    hands.gate.clear()
    await put(process.store, *calls("one", "two"))
    late = Late(process.store.engine_connector(), hands, home)
    await engines.start(process.store, hands, connector=late)
    await empty(home)
    assert (hands.ended, hands.gate.is_set()) == (["one", "two"], True)


async def is_put(store: Store, *rows: ToCarry) -> bool:
    """Put carriers, where the database is there."""
    try:
        return bool(await put(store, *rows))
    except Overloaded:
        return False


async def test_jobs_go_on_when_the_database_is_back(
    own_server: PostgresServer, engines: Engines, hands: Hands
) -> None:
    store = PostgresStore(url := own_server.create())
    hands.gate.clear()
    await engines.start(store, hands)
    await put(store, *calls("one"))
    await until(lambda: hands.running == 1)
    own_server.stop()
    hands.gate.set()
    await until(lambda: hands.ended == ["one"])
    own_server.start()
    async with asyncio.timeout(LONGER):
        while not await is_put(store, *calls("two")):
            await asyncio.sleep(0.01)
    home = PostgresHome(url)
    async with asyncio.timeout(2 * LONGER):
        while await home.count("procrastinate_jobs"):
            await asyncio.sleep(0.01)
    assert hands.ended == ["one", "two"]
    await engines.stop()
    home.close()
    store.close()


async def test_of_two_engines_one_does_what_is_due_at_a_tick(
    home: Home, process: Process, engines: Engines
) -> None:
    ran: list[float] = []

    async def run() -> None:
        ran.append(time.time())

    other, schedule = home.open(), Schedule("look", every(1), run)
    begun = int(time.time()) - 1
    await engines.start(process.store, Hands(), schedules=[schedule])
    await engines.start(other.store, Hands(), schedules=[schedule])
    await until(lambda: len(ran) >= 3)
    await engines.stop()
    other.store.close()
    [(last,)] = await home.ask("SELECT max(defer_timestamp) FROM procrastinate_periodic_defers")
    assert len(ran) <= last - begun + 1


def tick_of(timestamp: int, lock: str = "look") -> Job:
    return Job(
        queue=SCHEDULES, lock=lock, queueing_lock=lock, task_name=lock, task_kwargs={"timestamp": timestamp}
    )


async def defer(manager: JobManager, timestamp: int) -> int | None:
    """Put what is due at a tick; `None` where somebody did, or the last one's still waits."""
    try:
        return await manager.defer_periodic_job(tick_of(timestamp), "", timestamp)
    except AlreadyEnqueued:
        return None


async def test_a_tick_is_seen_to_once_and_left_out_while_the_last_one_waits(process: Process) -> None:
    manager = await manager_of(process.store)
    first, second = await defer(manager, TICK), await defer(manager, TICK)
    assert (first is not None, second) == (True, None)
    assert await defer(manager, TICK + 60) is None
    worker = await manager.register_worker()
    job = await manager.fetch_job([SCHEDULES], worker)
    assert job is not None and (job.id, job.task_kwargs) == (first, {"timestamp": TICK})
    third = await defer(manager, TICK + 120)
    assert third is not None
    assert await manager.fetch_job([SCHEDULES], worker) is None  # The last one's still runs.
    await drop(process.store, [job.id or 0])
    job = await manager.fetch_job([SCHEDULES], worker)
    assert job is not None and job.id == third
    await manager.connector.close_async()


async def test_what_a_silent_worker_did_for_a_schedule_is_dropped(home: Home, process: Process) -> None:
    manager = await manager_of(process.store)
    await defer(manager, TICK)
    await manager.fetch_job([SCHEDULES], await manager.register_worker())
    await age_workers(process.store)
    engine = Engine(manager.connector, Hands(), concurrency=0, stall_s=30.0)  # type: ignore[arg-type] # an async one
    assert await engine.stalled() == []
    assert await home.count("procrastinate_jobs") == 0
    await manager.connector.close_async()


async def test_a_worker_that_starts_takes_silent_ones_off_the_list(home: Home, process: Process) -> None:
    manager = await manager_of(process.store)
    gone = await manager.register_worker()
    [carrier] = await put(process.store, *calls("one"))
    assert await manager.fetch_job(["calls"], gone) is not None
    await age_workers(process.store)
    here = await manager.register_worker()
    assert await manager.prune_stalled_workers(30.0) == [gone]
    assert [job.id for job in await manager.get_stalled_jobs(seconds_since_heartbeat=30.0)] == [carrier]
    assert await manager.fetch_job(["calls"], here) is None
    await manager.unregister_worker(here)
    assert await home.count("procrastinate_workers") == 0
    await manager.connector.close_async()


@pytest.mark.files
async def test_what_sqlite_cannot_do_for_procrastinate_is_said(home: Home, process: Process) -> None:
    manager = await manager_of(process.store)
    with pytest.raises(NotImplementedError, match="procrastinate asks what SQLite cannot do for it: SELECT"):
        await manager.get_job_status_async(1)


def test_a_gateway_starts_without_procrastinate() -> None:
    program = "import sys, seawall.app; sys.exit('procrastinate' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_intervals_are_written_as_cron() -> None:
    written = {seconds: every(seconds) for seconds in (1, 10, 60, 300, 3_600, 7_200, 86_400)}
    assert written == {
        1: "* * * * * */1", 10: "* * * * * */10", 60: "* * * * *", 300: "*/5 * * * *", 3_600: "0 * * * *",
        7_200: "0 */2 * * *", 86_400: "0 0 * * *",
    }  # fmt: skip


@pytest.mark.parametrize("seconds", [-1, 0, 7, 90, 5_400, 172_800])
def test_an_interval_that_divides_nothing_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"^{seconds} seconds divide neither"):
        every(seconds)
