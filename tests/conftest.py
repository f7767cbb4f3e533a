"""What all tests share: the fixtures of tests/fixtures, and REQUIRE_ALL=1, under which a skip fails."""

import logging
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

# No time limit on an example: machines are noisy. The same examples everywhere: a red run can be run again.
hypothesis.settings.register_profile("seawall", deadline=None, derandomize=True)
hypothesis.settings.load_profile("seawall")

pytest_plugins = sorted(
    f"tests.fixtures.{path.stem}" for path in Path(__file__).parent.glob("fixtures/[!_]*.py")
)
pytest.register_assert_rewrite(*pytest_plugins)  # They may import one another, in any order.


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Undo what a command that ran in this process has made of the log: the next test may listen to it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test that skips itself into a failure."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself into a failure."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 forbids skipping: {report.longreprtext}"
