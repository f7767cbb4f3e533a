"""Reads the SQLite file beside the writer thread, so that a long question never delays a hold."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from seawall.stores.down import StoreDown
from seawall.stores.sqlite.connection import open_reader

T = TypeVar("T")


class Reader:
    """One read-only connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: apsw.Connection | None = None
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seawall-reader")

    async def run(self, question: Callable[[apsw.Connection], T]) -> T:
        """Ask in a thread and return the answer; raises Overloaded where the file cannot be read."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, question)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        self._thread.shutdown(wait=False)

    def _run(self, question: Callable[[apsw.Connection], T]) -> T:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = open_reader(self._path)
                return question(self._connection)
            except apsw.Error as error:
                raise StoreDown(f"{type(error).__name__}: {error}") from error
