"""The processes of the soak: gateways that are watched, killed and started again (Linux only)."""

import asyncio
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from gateways import environment, free_port

from seawall.core.money import parse_usd

ADMIN_KEY = "the-admin-key-of-the-soak"
START_MAX_S = 60.0
ROWS = 1_000

CONFIG = """\
{stores}
[server]
grace_s = 5
[budget]
daily_usd = "100000.00"
[timeouts]
connect_s = 2
first_byte_s = 10
first_token_s = 10
between_events_s = 10
[breaker]
cooldown_s = 2
[limits]
per_user = "100000/second"
per_ip = "off"
per_key = "100000/second"
[loop]
calls = 100000
calls_unnamed = 100000
[cache]
enabled = true
memory_mb_max = 4
disk_mb_max = 8
[providers.chat]
base_url = "{provider}"
api_key_env = "MOCK_API_KEY"
models = ["fake-gpt"]
[providers.messages]
kind = "anthropic"
base_url = "{provider}"
api_key_env = "MOCK_API_KEY"
dialects = ["messages"]
models = ["fake-claude"]
[providers.responses]
base_url = "{provider}"
api_key_env = "MOCK_API_KEY"
dialects = ["responses", "embeddings"]
models = ["fake-resp", "fake-embed"]
"""

PRICE = """\
[prices."{model}"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
max_output_tokens = 4096
context_tokens = 128000
"""


def configure(folder: Path, provider: str, stores: str) -> None:
    """Write the configuration that all gateways share; `stores` are lines for its top."""
    models = ("fake-gpt", "fake-claude", "fake-resp", "fake-embed")
    prices = "".join(PRICE.format(model=model) for model in models)
    text = CONFIG.format(stores=stores, provider=provider) + prices
    (folder / "seawall.toml").write_text(text, encoding="utf-8")


class GatewayProcess:
    """One `seawall serve` on a port that it keeps over its restarts."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.log = folder / "log"
        self.port = free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-c", "from seawall.cli.main import main; main()", "serve"]
        environ = environment() | {"MOCK_API_KEY": "mock-key-of-the-soak", "SEAWALL_ADMIN_KEY": ADMIN_KEY}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a few milliseconds, between two calls
                [*command, "--port", str(self.port)],
                cwd=self.folder,
                env=environ,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(START_MAX_S):
            while not await self.is_up():
                if self._process.poll() is not None:
                    raise RuntimeError(f"a gateway did not start: {self.log.read_text()[-2000:]}")
                await asyncio.sleep(0.1)

    async def is_up(self) -> bool:
        """Say whether it answers."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                return (await http.get(f"{self.root}/healthz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def kill(self) -> None:
        """Kill it at once."""
        assert self._process is not None
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    async def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await asyncio.to_thread(self._process.wait, 60)

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def limit_files(self, size: int | None) -> None:
        """Let none of its files grow beyond a size, as on a disk without room; `None` gives the room back."""
        assert self._process is not None
        limit = resource.RLIM_INFINITY if size is None else size
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def rss_kb(self) -> int:
        """Return its resident memory with that of its children, in KiB."""
        assert self._process is not None
        return sum(_rss_of(pid) for pid in _tree(self._process.pid))

    def key(self) -> str:
        """Return the first virtual key, which only a first start prints."""
        found = re.search(r"OPENAI_API_KEY=(\S+)", self.log.read_text())
        assert found is not None, "the folder is not new"
        return found[1]

    async def rows(self) -> list[dict[str, Any]]:
        """Return every call on record, by the admin API."""
        rows: list[dict[str, Any]] = []
        while True:
            before = f"&before={rows[-1]['id']}" if rows else ""
            page = (await self.ask(f"/calls?limit={ROWS}{before}"))["data"]
            rows += page
            if len(page) < ROWS:
                return rows

    async def spends(self) -> list[dict[str, int]]:
        """Return what each key has spent, in nano-dollars."""
        keys = (await self.ask("/keys"))["data"]
        return [{name: parse_usd(usd) for name, usd in key["spend"].items()} for key in keys]

    async def ask(self, path: str) -> Any:
        """Ask the admin API."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            headers = {"authorization": f"Bearer {ADMIN_KEY}"}
            answer = await http.get(f"{self.root}/admin/v1{path}", headers=headers)
        return answer.raise_for_status().json()


def _rss_of(pid: int) -> int:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(below for child in children for below in _tree(int(child)))]
