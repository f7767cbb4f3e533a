"""The example apps, run as they stand: before, one user spends everybody's money; after, five calls and a reason."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fixtures.clients import PATIENCE_S, PROVIDER_KEY
from tests.fixtures.gateways import NOON, RunningApp, Start
from tests.fixtures.node_clients import NODE, NodePrograms
from tests.fixtures.servers import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = "gpt-5-mini"


@contextmanager
def running(command: list[str], cwd: Path, port: int, **environ: str) -> Iterator[str]:
    """Run an app until the block ends; yields its address."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PORT": str(port), **environ}
    with subprocess.Popen(
        command, cwd=cwd, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            until = time.monotonic() + PATIENCE_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < until, process.communicate()[
                        0
                    ].decode()
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/ask"
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def fastapi(name: str, folder: Path, port: int) -> tuple[list[str], Path]:
    command = [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port), "--log-level", "warning"]
    return [*command, "--app-dir", str(EXAMPLES / "fastapi")], folder


@pytest.fixture
async def gateway(start: Start) -> RunningApp:
    """Return a gateway with the limits of a first day in front of the mock provider.

    For its limits the time stands still: however long ten questions take, they come within ten seconds.
    """
    return await start(
        clock=lambda: NOON,
        **{
            "limits.per_user": "5/10 seconds",
            "providers.mock.models": [MODEL],
            f"prices.{MODEL}.input_usd_per_mtok": "0.40",
            f"prices.{MODEL}.output_usd_per_mtok": "1.60",
        },
    )


async def ask_ten_times(url: str) -> list[httpx.Response]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        shown = {"x-user": "ada"}
        return [await client.post(url, json={"text": "Hi"}, headers=shown) for _ in range(10)]


def check_before(answers: list[httpx.Response], app: RunningApp) -> None:
    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(app.mock.requests) == 10


def check_after(answers: list[httpx.Response], app: RunningApp) -> None:
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 5
    assert all(answer.json()["answer"] for answer in answers[:5])
    assert re.fullmatch(
        r"That was a little too fast\. Please try again in \d+ seconds?\.", answers[5].json()["problem"]
    )
    assert 1 <= int(answers[5].headers["retry-after"]) <= 10
    assert len(app.mock.requests) == 5


async def test_fastapi_before(gateway: RunningApp, tmp_path: Path) -> None:
    port = free_port()
    command, cwd = fastapi("before", tmp_path, port)
    environ = {"OPENAI_BASE_URL": gateway.mock.base_url, "OPENAI_API_KEY": PROVIDER_KEY}
    with running(command, cwd, port, **environ) as url:
        check_before(await ask_ten_times(url), gateway)


async def test_fastapi_after(gateway: RunningApp, tmp_path: Path) -> None:
    port = free_port()
    command, cwd = fastapi("after", tmp_path, port)
    base_url = f"http://127.0.0.1:{gateway.port}/v1"
    with running(command, cwd, port, OPENAI_BASE_URL=base_url, OPENAI_API_KEY=gateway.key) as url:
        check_after(await ask_ten_times(url), gateway)


def express(name: str, node: NodePrograms, folder: Path) -> list[str]:
    """Put the script where its packages are found."""
    (folder / "node_modules").symlink_to(node.folder / "node_modules")
    script = folder / f"{name}.mjs"
    script.write_bytes((EXAMPLES / "express" / f"{name}.mjs").read_bytes())
    return [str(NODE), str(script)]


async def test_express_before(gateway: RunningApp, node: NodePrograms, tmp_path: Path) -> None:
    port, command = free_port(), express("before", node, tmp_path)
    environ = {"OPENAI_BASE_URL": gateway.mock.base_url, "OPENAI_API_KEY": PROVIDER_KEY}
    with running(command, tmp_path, port, **environ) as url:
        check_before(await ask_ten_times(url), gateway)


async def test_express_after(gateway: RunningApp, node: NodePrograms, tmp_path: Path) -> None:
    port, command = free_port(), express("after", node, tmp_path)
    base_url = f"http://127.0.0.1:{gateway.port}/v1"
    with running(command, tmp_path, port, OPENAI_BASE_URL=base_url, OPENAI_API_KEY=gateway.key) as url:
        check_after(await ask_ten_times(url), gateway)
