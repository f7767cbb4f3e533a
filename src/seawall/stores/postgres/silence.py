"""Hangs up on a server that is silent: libpq would wait for it as long as the connection stands."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

LOOK_S = 0.5


class SilenceGuard:
    """Watches the one connection of a thread from another thread; that one starts with the first work."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._lock = threading.Lock()
        self._watched: tuple[psycopg.Connection[Any], float] | None = None
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limited(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """Let the work inside take `after_s` seconds; after that it fails with an OperationalError."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="seawall-silence", daemon=True)
            self._thread.start()
        self._watched = (connection, time.monotonic() + self._after_s)
        try:
            yield
        finally:
            with self._lock:
                self._watched = None

    def close(self) -> None:
        """Stop watching."""
        self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_S):
            with self._lock:
                if self._watched is not None and time.monotonic() > self._watched[1]:
                    _hang_up(self._watched[0])
                    self._watched = None


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as line, suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
