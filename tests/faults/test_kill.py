"""kill -9 at random moments under load: what was billed is not forgotten, and the rest of the budget still holds."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from seawall.core.money import Money, parse_usd
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import ADMIN_KEY, PROVIDER_KEY, marked
from tests.fixtures.mock_calls import LONGER, o200k, until

BUDGET = parse_usd("0.60")
CALLERS = 24
WAYS = ["full", "full-g2", "full-d20", "full-nousage", "full-reset5", "full-g1-greedy"]

CONFIG = """
[server]
grace_s = 1
[budget]
daily_usd = "0.60"
[providers.mock]
base_url = "{base_url}"
api_key_env = "MOCK_API_KEY"
models = ["fake-gpt"]
[prices."fake-gpt"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
max_output_tokens = 4096
context_tokens = 128000
"""


class Process:
    """A gateway of its own that can be killed."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, key: str | None) -> None:
        self._process, self.port, self.key = process, port, key

    async def kill(self) -> None:
        """Kill it at once."""
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int | None:
        """Ask it to stop, as an operator does; returns its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), LONGER * 4)

    async def spend(self) -> dict[str, Money]:
        """Ask the admin API what the only key has spent."""
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(
                f"http://127.0.0.1:{self.port}/admin/v1/keys",
                headers={"authorization": f"Bearer {ADMIN_KEY}"},
            )
        [key] = answer.raise_for_status().json()["data"]
        return {name: parse_usd(amount) for name, amount in key["spend"].items()}


@asynccontextmanager
async def gateway(folder: Path) -> AsyncIterator[Process]:
    """Run `seawall serve` in a folder until the block ends; nothing is left behind."""
    environ = {**os.environ, "MOCK_API_KEY": PROVIDER_KEY, "SEAWALL_ADMIN_KEY": ADMIN_KEY}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from seawall.cli.main import main; main()", "serve", "--port", "0",
        cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    port, key = 0, None
    try:
        async for line in process.stdout:
            text = line.decode().strip()
            if text.startswith("Seawall is listening on"):
                port = int(text.rpartition(":")[2].partition("/")[0])
            if text.startswith("OPENAI_API_KEY="):
                key = text.partition("=")[2]
            if not text and port:
                break
        yield Process(process, port, key)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def caller(port: int, key: str, dice: random.Random, numbers: Any) -> None:
    """Make calls of all kinds, one after the other, until the gateway is gone or the budget is spent."""
    async with httpx.AsyncClient(trust_env=False, timeout=LONGER * 2) as http:
        for number in numbers:
            body = marked(f"call{number}", dice.choice(WAYS), max_tokens=300, stream=dice.random() < 0.7)
            with suppress(httpx.HTTPError):
                answer = await http.post(
                    f"http://127.0.0.1:{port}/v1/chat/completions",
                    json=body,
                    headers={"authorization": f"Bearer {key}"},
                )
                if answer.status_code == 402:
                    return
                continue
            return


async def kill_under_load(folder: Path, mock: MockProvider, key: str | None, dice: random.Random) -> str:
    """Start, load, kill at a random moment; returns the key."""
    async with gateway(folder) as process:
        shown = key or process.key
        assert shown is not None
        numbers = iter(range(10**6))
        load = [asyncio.create_task(caller(process.port, shown, dice, numbers)) for _ in range(CALLERS)]
        await until(lambda: mock.open_calls > 0 or all(task.done() for task in load))
        await asyncio.wait(load, timeout=dice.uniform(0.0, 0.4))
        await process.kill()
        await asyncio.gather(*load)
    return shown


async def prove(folder: Path, *, kills: int, seed: int) -> None:
    dice = random.Random(seed)
    key: str | None = None
    async with MockProvider(count=o200k()) as mock:
        (folder / "seawall.toml").write_text(CONFIG.format(base_url=mock.base_url), encoding="utf-8")
        for _ in range(kills):
            key = await kill_under_load(folder, mock, key, dice)
            async with gateway(folder) as process:
                spend = await process.spend()  # At once: nothing has to settle first.
                await until(lambda: mock.open_calls == 0)
                assert spend["lifetime_usd"] >= mock.bill, json.dumps(spend)
                assert spend["held_usd"] == 0
                assert await process.stop() == 0
        assert key is not None
        async with gateway(folder) as process:
            numbers = iter(range(10**6, 10**6 + 2_000))
            await asyncio.gather(*(caller(process.port, key, dice, numbers) for _ in range(CALLERS)))
            await until(lambda: mock.open_calls == 0)
            spend = await process.spend()
        assert mock.bill <= BUDGET
        assert mock.bill <= spend["lifetime_usd"]


@pytest.mark.timeout(240)
async def test_three_kills_forget_nothing_and_the_rest_of_the_budget_holds(tmp_path: Path) -> None:
    await prove(tmp_path, kills=3, seed=1)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
async def test_twenty_kills_forget_nothing_and_the_rest_of_the_budget_holds(
    tmp_path: Path, seed: int
) -> None:
    await prove(tmp_path, kills=5, seed=seed)
