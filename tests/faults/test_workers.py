"""Several workers on one port, one Postgres and one Valkey: they are one gateway, and so they start and end."""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from seawall.core.money import parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.crews import is_alive
from tests.fixtures.gateways import ADMIN_KEY, marked
from tests.fixtures.mock_calls import LONGER, o200k, until
from tests.fixtures.processes import LOG, Process, configure, served
from tests.fixtures.raw_http import Answer, Peer, peer_of

KEYS, USERS = "/admin/v1/keys", "/admin/v1/users"
HOLD_WAIT_S = 25
"""For so long a call waits for money that is only held for others: no machine is too slow to use it all."""
BURST = 160
"""So many that a worker which sleeps for half a second does not lose its share to the other."""
OPEN = """
default_tier = "free"
[limits]
per_user = "off"
per_ip = "off"
[loop]
calls = 0
calls_unnamed = 0
[valkey]
timeout_s = 10
[tiers.free]
tokens_per_day = 100000000
[tiers.small]
requests_per_day = 1
"""


class Place:
    """A folder and stores for a gateway with two workers before a mock provider."""

    def __init__(self, folder: Path, mock: MockProvider, stores: dict[str, str]) -> None:
        self.folder, self.mock, self._stores = folder, mock, stores

    def configure(self, *, budget: str = "5.00", grace_s: int = 1, above: str = OPEN) -> None:
        """Write the configuration; `above` is what it begins with."""
        configure(self.folder, self.mock, budget=budget, grace_s=grace_s)
        file = self.folder / "seawall.toml"
        file.write_text(above + file.read_text(encoding="utf-8"), encoding="utf-8")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Process]:
        """Run it until the block ends; no worker is left behind."""
        async with served(self.folder, "--workers", "2", **self._stores) as process:
            pids = process.workers()
            yield process
        await until(lambda: not any(map(is_alive, pids)))

    def lines(self, message: str) -> list[dict[str, Any]]:
        """Return what was logged with this message."""
        text, _, _ = (self.folder / LOG).read_text(encoding="utf-8").rpartition("\n")  # Whole lines only.
        found = [json.loads(line) for line in text.splitlines()]
        return [line for line in found if line["message"] == message]

    async def worker_of(self, answer: Answer) -> int:
        """Return which worker answered a call."""
        call_id = answer.headers["x-request-id"]

        def found() -> list[int]:
            return [line["worker"] for line in self.lines("call") if line["id"] == call_id]

        await until(lambda: bool(found()))
        return found()[0]


@pytest.fixture
async def place(tmp_path: Path, database_url: str, valkey_url: str) -> AsyncIterator[Place]:
    async with MockProvider(count=o200k()) as mock:
        place = Place(
            tmp_path, mock, {"SEAWALL_DATABASE_URL": database_url, "SEAWALL_VALKEY_URL": valkey_url}
        )
        place.configure()
        yield place


async def call(peer: Peer, key: str | None, marker: str = "one", mocked: str = "", **fields: Any) -> Answer:
    """Make a whole call."""
    peer.ask(marked(marker, mocked, **{"max_tokens": 20, **fields}), key)
    return await peer.answer()


async def admin(peer: Peer, method: str, path: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the admin API."""
    peer.ask(fields, ADMIN_KEY, method=method, path=path)
    answer = await peer.answer()
    assert answer.status < 300, answer.body
    found: dict[str, Any] = json.loads(answer.body) if answer.body else {}
    return found


async def was_finished(peer: Peer) -> bool:
    """Read a stream and say whether it came to its end."""
    try:
        await peer.until(b"data: [DONE]")
    except (EOFError, ConnectionError):
        return False
    return True


async def takes_calls(process: Process) -> bool:
    """Say whether anybody takes a connection."""
    try:
        (await Peer.connect(process.port)).leave()
    except ConnectionError:
        return False
    return True


async def pair(process: Process, place: Place, stack: AsyncExitStack) -> tuple[Peer, Peer]:
    """Connect to both workers."""
    found: dict[int, Peer] = {}
    async with asyncio.timeout(LONGER * 2):
        while len(found) < 2:
            peer = await stack.enter_async_context(peer_of(process.port))
            number = await place.worker_of(await call(peer, process.key))
            found.setdefault(number, peer)
    return found[1], found[2]


async def seen(ask: Callable[[], Awaitable[Answer]], status: int) -> Answer:
    """Ask until the answer has this status."""
    async with asyncio.timeout(LONGER):
        while (answer := await ask()).status != status:
            pass
    return answer


async def test_a_burst_of_connections_is_shared_by_the_workers(place: Place) -> None:
    async with place.serve() as process, AsyncExitStack() as stack:
        connected = [stack.enter_async_context(peer_of(process.port)) for _ in range(BURST)]
        peers = await asyncio.gather(*connected)
        await asyncio.gather(*(call(peer, process.key) for peer in peers))
        await until(lambda: len(place.lines("call")) == BURST)
        shares = Counter(line["worker"] for line in place.lines("call"))
        assert sorted(shares) == [1, 2]
        assert min(shares.values()) >= BURST // 4


async def test_keys_that_are_made_rotated_or_revoked_at_one_worker_are_so_at_the_other(place: Place) -> None:
    async with place.serve() as process, AsyncExitStack() as stack:
        one, other = await pair(process, place, stack)
        made = await admin(one, "POST", KEYS, {"name": "app"})
        assert (await call(other, made["key"])).status == 200
        turned = await admin(one, "POST", f"{KEYS}/{made['id']}/rotate", {"overlap_s": 0})
        await seen(lambda: call(other, made["key"]), 401)
        assert (await call(other, turned["key"])).status == 200
        await admin(one, "DELETE", f"{KEYS}/{made['id']}")
        await seen(lambda: call(other, turned["key"]), 401)


async def test_users_that_are_moved_or_blocked_at_one_worker_are_so_at_the_other(place: Place) -> None:
    async with place.serve() as process, AsyncExitStack() as stack:
        one, other = await pair(process, place, stack)
        assert (await call(other, process.key, "mover")).status == 200
        await admin(one, "PATCH", f"{USERS}/mover", {"tier": "small"})
        await seen(lambda: call(other, process.key, "mover"), 429)
        await admin(one, "PATCH", f"{USERS}/mover", {"tier": "free"})
        await seen(lambda: call(other, process.key, "mover"), 200)
        await admin(one, "PATCH", f"{USERS}/mover", {"blocked": True})
        await seen(lambda: call(other, process.key, "mover"), 403)


async def test_a_limit_is_one_limit_for_all_workers(place: Place) -> None:
    place.configure(above=OPEN.replace('per_user = "off"', 'per_user = "20/hour"'))
    async with place.serve() as process, AsyncExitStack() as stack:
        one, other = await pair(process, place, stack)

        async def ask(peer: Peer) -> list[int]:
            return [(await call(peer, process.key, "eager")).status for _ in range(29)]

        firsts = [(await call(peer, process.key, "eager")).status for peer in (one, other)]
        assert firsts == [200, 200]
        answers = await asyncio.gather(ask(one), ask(other))
        assert Counter([*firsts, *answers[0], *answers[1]]) == {200: 20, 429: 40}


@pytest.mark.timeout(240)
async def test_500_calls_at_two_workers_stay_within_one_budget(place: Place) -> None:
    place.configure(budget="0.90", grace_s=5, above=f"{OPEN}[spending]\nhold_wait_s = {HOLD_WAIT_S}\n")
    dice = random.Random(7)
    kinds = ["full", "full-nousage", "full-reset9", "full-eof20", "full-d30", "e500"]

    async def ask(process: Process, number: int) -> None:
        async with peer_of(process.port) as peer:
            body = marked(f"call{number}", dice.choice(kinds), max_tokens=600, stream=dice.random() < 0.7)
            peer.ask(body, process.key)
            with suppress(EOFError, ConnectionError, TimeoutError):
                async with asyncio.timeout(LONGER * 6):
                    await peer.answer()

    async with place.serve() as process:
        await asyncio.gather(*(ask(process, number) for number in range(500)))
        await until(lambda: place.mock.open_calls == 0)
        assert len({line["worker"] for line in place.lines("call")}) == 2
        spend = await process.spend()
        assert place.mock.bill <= spend["lifetime_usd"] <= parse_usd("0.90")
        assert spend["lifetime_usd"] > parse_usd("0.72")
        assert spend["held_usd"] == 0
        assert await process.stop() == 0


async def test_a_worker_that_is_killed_loses_its_calls_and_no_money(place: Place) -> None:
    async with place.serve() as process, AsyncExitStack() as stack:
        one, other = await pair(process, place, stack)
        for peer in (one, other):
            peer.ask(marked("long", "s500-g20", stream=True, max_tokens=2_000), process.key)
            await peer.until(b'"content":"[')
        before = process.workers()
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: len(set(process.workers()) - set(before)) == 1)
        assert sorted([await was_finished(one), await was_finished(other)]) == [False, True]
        await until(lambda: place.mock.open_calls == 0)
        async with asyncio.timeout(LONGER * 6):
            while await process.crashed() == 0:
                await asyncio.sleep(0.1)
        spend = await process.spend()
        assert spend["held_usd"] == 0
        assert place.mock.bill <= spend["lifetime_usd"]
        [died] = place.lines("a worker died and is started again")
        assert died["exit_code"] == -signal.SIGKILL
        assert await process.stop() == 0


async def test_streams_at_all_workers_are_finished_when_the_gateway_is_told_to_stop(place: Place) -> None:
    place.configure(grace_s=20)
    async with place.serve() as process, AsyncExitStack() as stack:
        peers = await pair(process, place, stack)
        for peer in peers:
            peer.ask(marked("long", "s100-g10", stream=True, max_tokens=2_000), process.key)
            await peer.until(b'"content":"[')
        process.ask_to_stop()
        for peer in peers:
            assert (await peer.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        assert await process.stop() == 0
    assert "Traceback" not in (place.folder / LOG).read_text(encoding="utf-8")


async def test_a_second_signal_ends_workers_that_have_calls_to_finish(place: Place) -> None:
    place.configure(grace_s=600)
    async with place.serve() as process, AsyncExitStack() as stack:
        peers = await pair(process, place, stack)
        for peer in peers:
            peer.ask(marked("long", "full-g1000", stream=True, max_tokens=2_000), process.key)
            await peer.until(b'"content":"[')
        pids = process.workers()
        process.ask_to_stop()
        while await takes_calls(process):
            pass
        assert all(map(is_alive, pids))
        process.ask_to_stop(signal.SIGINT)
        await until(lambda: not any(map(is_alive, pids)))


async def test_workers_of_a_supervisor_that_is_killed_finish_and_end(place: Place) -> None:
    place.configure(grace_s=20)
    async with place.serve() as process, AsyncExitStack() as stack:
        peers = await pair(process, place, stack)
        for peer in peers:
            peer.ask(marked("long", "s100-g10", stream=True, max_tokens=2_000), process.key)
            await peer.until(b'"content":"[')
        pids = process.workers()
        await process.kill()
        for peer in peers:
            assert (await peer.rest()).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        await until(lambda: not any(map(is_alive, pids)))
    async with place.serve() as again:
        assert again.key is None  # It was shown once, by the first gateway on this database.
        spend = await again.spend()
        assert (spend["lifetime_usd"], spend["held_usd"]) == (place.mock.bill, 0)
        assert await again.crashed() == 0


async def calls_counted(peer: Peer) -> int:
    """Scrape the worker behind a connection; returns how many calls its page has."""
    peer.ask(None, ADMIN_KEY, method="GET", path="/metrics")
    page = (await peer.answer()).body.decode()
    found = [line for line in page.splitlines() if line.startswith("seawall_calls_total{")]
    assert page.count("\nseawall_process_start_time_seconds{") in (1, 2)
    return sum(round(float(line.rpartition(" ")[2])) for line in found)


async def test_whichever_worker_is_scraped_tells_the_figures_of_both_and_never_fewer(place: Place) -> None:
    async with place.serve() as process, AsyncExitStack() as stack:
        peers = await pair(process, place, stack)
        shown = [0]
        for number in range(12):
            await call(peers[number % 3 % 2], process.key)
            shown.append(await calls_counted(peers[number % 2]))
        assert shown == sorted(shown)
        async with asyncio.timeout(LONGER * 2):
            for peer in peers:
                while await calls_counted(peer) < len(place.lines("call")) or len(place.lines("call")) < 14:
                    await asyncio.sleep(0.05)
        counted = [await calls_counted(peer) for peer in peers]
        assert counted == [len(place.lines("call"))] * 2
