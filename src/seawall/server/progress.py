"""Tells a client that waits for its stream how far the answer has come, where it asked for that.

Invariants:
- Whatever is sent goes out here, one whole frame at a time: nothing stands between two halves of another.
- A comment breaks every long silence, from the first event to the last frame and never after it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from seawall.core.jobs import Stage, Telling
from seawall.wire.progress import KEEP_ALIVE, PROGRESS, progress_frame

Send = Callable[[dict[str, Any]], Awaitable[None]]

_ALSO: dict[str, dict[str, Any]] = {
    "chat": {"object": PROGRESS, "choices": []},
    "messages": {"type": PROGRESS},
    "responses": {"type": PROGRESS},
}
"""What a dialect's client libraries look for in every event, whatever its name is."""


class Progress:
    """The progress of one stream; `send` takes the place of what it was given to send with."""

    def __init__(self, send: Send, telling: Telling, dialect: str) -> None:
        self._send, self._telling = send, telling
        self._also = _ALSO.get(dialect, {})
        self._told: set[Stage] = set()
        self._sent_at = 0.0
        self._beating: asyncio.Task[None] | None = None

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message of the answer; with the last one everything is said."""
        if message["type"] == "http.response.body" and not message["more_body"]:
            self.stop()
        self._sent_at = asyncio.get_running_loop().time()
        await self._send(message)

    async def tell(self, stage: Stage) -> None:
        """Tell a stage, once; from the first one on the line is kept open."""
        if stage in self._told:
            return
        self._told.add(stage)
        await self._write(progress_frame(stage, self._telling.labels.of(stage), **self._also))
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())

    def stop(self) -> None:
        """Send no more comments."""
        if self._beating is not None:
            self._beating.cancel()

    async def _beat(self) -> None:
        clock, longest_s = asyncio.get_running_loop().time, self._telling.heartbeat_s
        while True:
            left_s = self._sent_at + longest_s - clock()
            if left_s > 0:
                await asyncio.sleep(left_s)
            else:
                await self._write(KEEP_ALIVE)

    async def _write(self, frame: bytes) -> None:
        await self.send({"type": "http.response.body", "body": frame, "more_body": True})
