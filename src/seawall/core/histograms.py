"""A histogram: how many values fell under each of a few bounds; and those of the commits of a ledger."""

from bisect import bisect_left

COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
COMMIT_OPERATIONS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_000.0)


class Histogram:
    """Counts values by the first of `bounds` that they do not exceed; the last count is of all others.

    One thread or loop observes; another may read meanwhile, and then sees a value in the counts a moment
    before it is in the sum.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Commits:
    """What the writer of a ledger has done: how long transactions took, how many operations shared one."""

    __slots__ = ("failed", "operations", "seconds")

    def __init__(self) -> None:
        self.seconds = Histogram(COMMIT_SECONDS)
        self.operations = Histogram(COMMIT_OPERATIONS)
        self.failed = 0

    def note(self, seconds: float, operations: int) -> None:
        """Count a transaction that was committed."""
        self.seconds.observe(seconds)
        self.operations.observe(operations)
