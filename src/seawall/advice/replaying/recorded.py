"""The calls that a replay goes over, and the days that they are from."""

from collections.abc import Sequence

from msgspec import Struct

from seawall.core.traffic import Asked

DAY_MS = 86_400_000
NEWEST = "Only the newest calls are replayed."
WARMED = "Only the newest calls are replayed: their first half fills what is kept, the second half counts."


class Recorded(Struct, frozen=True):
    """Calls, the oldest first, and the days that those of them are from that count.

    `is_part` says that they are the newest of more calls. Then what a cache keeps has to be filled first:
    `counted_from` is where the calls begin that count.
    """

    calls: Sequence[Asked]
    days: float
    is_part: bool = False
    counted_from: int = 0

    @classmethod
    def of(cls, calls: Sequence[Asked], days: float, *, is_part: bool) -> "Recorded":
        """Take the calls of so many days, or the newest of them, which are of fewer."""
        return cls(calls, days_between(calls), is_part=True) if is_part and calls else cls(calls, days)

    def compared(self) -> "Recorded":
        """Return the calls since shapes are kept, which can be compared: of a part the second half counts."""
        if not self.calls:
            return self
        first = next((number for number, call in enumerate(self.calls) if call.shape is not None), 0)
        calls = self.calls[first:]
        if self.is_part:
            half = len(calls) // 2
            return Recorded(calls, days_between(calls[half:]), True, half)
        days = self.days - days_between(self.calls[: first + 1])
        return Recorded(calls, max(1.0, days)) if first else self

    @property
    def counted(self) -> Sequence[Asked]:
        """Return the calls that count."""
        return self.calls[self.counted_from :] if self.counted_from else self.calls

    def assumed(self, *sentences: str) -> tuple[str, ...]:
        """Return what a replay assumes, with a word on the calls where they are a part."""
        if not self.is_part:
            return sentences
        return (*sentences, WARMED if self.counted_from else NEWEST)


def days_between(calls: Sequence[Asked]) -> float:
    """Return how many days lie between the first call and the last."""
    return (calls[-1].at_ms - calls[0].at_ms) / DAY_MS
