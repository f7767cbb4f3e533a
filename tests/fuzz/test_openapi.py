"""Requests made up from our published description, valid and not: nothing fails, and every answer is as described."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from tests.fixtures.fuzzing import PATIENT_S, Target, target_in
from tests.fixtures.gateways import ADMIN_KEY

SPECIFICATION = Path(__file__).parents[2] / "docs" / "openapi.json"
HOOKS = Path(__file__).with_name("openapi_hooks.py")
UNTRUE_CHECKS = "positive_data_acceptance,negative_data_rejection"
"""What no description can say: which model there is, what a vendor refuses, and that unknown fields travel on."""

Explorer = Callable[..., Awaitable[None]]


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Target]:
    async with target_in(tmp_path, PATIENT_S) as made:
        yield made


async def explore_as_caller(target: Target, folder: Path, *options: str) -> None:
    """Make requests to every address that a virtual key opens; raises where an answer is not as described."""
    before = target.mock.total().requests
    await _run(target, target.key, folder, "--exclude-path-regex=^/(admin|metrics)", *options)
    assert target.mock.total().requests > before, "none of them got as far as the provider"
    await target.assert_unharmed()


async def explore_as_operator(target: Target, folder: Path, *options: str) -> None:
    """Make requests to every address that the admin key opens; the key of the target may be revoked by then."""
    await _run(target, ADMIN_KEY, folder, "--include-path-regex=^/(admin|metrics)", *options)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{target.port}", trust_env=False) as http:
        shown = {"authorization": f"Bearer {ADMIN_KEY}"}
        made = await http.post("/admin/v1/keys", json={"name": "after"}, headers=shown)
    target.key = made.raise_for_status().json()["key"]
    await target.assert_unharmed()


async def _run(target: Target, key: str, folder: Path, *options: str) -> None:
    """Run it in a process of its own: the library is made for that, and warns of what it imports."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", SPECIFICATION, *options),
        *("--url", f"http://127.0.0.1:{target.port}", "--header", f"Authorization: Bearer {key}"),
        *("--exclude-checks", UNTRUE_CHECKS, "--generation-with-security-parameters", "false"),
        *("--request-timeout", "20", "--warnings", "off", "--no-color"),
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS.stem, "PYTHONPATH": str(HOOKS.parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-8_000:]


explorers = pytest.mark.parametrize("explore", [explore_as_caller, explore_as_operator])
SHORT = ("--phases=examples,coverage,fuzzing", "--generation-deterministic", "--max-examples", "12", "--max-time", "12")  # fmt: skip


@pytest.mark.timeout(600)
@explorers
async def test_every_answer_is_as_the_description_says(
    target: Target, tmp_path: Path, explore: Explorer
) -> None:
    await explore(target, tmp_path, *SHORT)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", ["1", "2"])
@explorers
async def test_every_answer_of_very_many_is_as_the_description_says(
    target: Target, tmp_path: Path, explore: Explorer, seed: str
) -> None:
    await explore(target, tmp_path, "--max-examples", "300", "--max-time", "400", "--seed", seed)
