"""Here the event loop is the one that `seawall serve` runs on."""

from tests.pipeline.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
