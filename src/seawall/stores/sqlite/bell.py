"""Tells the worker of this process that there is something to carry; others look at the file now and then."""

import asyncio
import threading


class Bell:
    """Rung by the writer thread after a commit, heard by the loops that listen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard_by: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}

    def listen(self) -> asyncio.Event:
        """Return an event that is set whenever the bell rings, in the loop that runs now."""
        event = asyncio.Event()
        with self._lock:
            self._heard_by[event] = asyncio.get_running_loop()
        return event

    def leave(self, event: asyncio.Event) -> None:
        """Listen no more."""
        with self._lock:
            self._heard_by.pop(event, None)

    def ring(self) -> None:
        """Set the events of all that listen."""
        with self._lock:
            for event, loop in self._heard_by.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(event.set)
