"""Here the event loop is the one that `seawall serve` runs on, and what touches money runs on both homes."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

ON_BOTH_HOMES = {
    f"tests.pipeline.test_{name}"
    for name in (
        "admin", "admin_advice", "admin_figures", "admin_jobs", "alerts", "attempts", "background", "broken_streams", "budget_under_load", "budgets",
        "conversations_go_on", "dispatching", "feedback", "holding", "leaving", "money_attacks", "quotas", "repeating", "settling", "state",
        "stored", "users",
    )
}  # fmt: skip
"""The modules whose every test runs on the SQLite file and then on Postgres."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of some modules on both homes of the ledger."""
    if "places" in metafunc.fixturenames and metafunc.module.__name__ in ON_BOTH_HOMES:
        metafunc.parametrize("places", ["sqlite", "postgres"], indirect=True, scope="module")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every test of this folder on uvloop."""
    return {"uvloop": uvloop.new_event_loop}
