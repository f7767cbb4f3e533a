"""What keeps a store bounded, as a Protocol."""

from typing import Protocol


class Retention(Protocol):
    """Keeps sums and accounts bounded, a batch at a time. Raises Overloaded where the store is down."""

    async def fold_hours(self, before_hour: int, *, at_most: int) -> int:
        """Add sums by hour up to their UTC day, the oldest first; returns how many rows went into others.

        `before_hour` counts hours from 1970 and begins a day. No total changes.
        """

    async def fold_users(self, before_hour: int, *, at_most: int) -> int:
        """Add the sums of users up to those of their key and model, in the same manner."""

    async def trim_accounts(self, before_day: str, *, at_most: int) -> int:
        """Look at so many accounts and drop those whose period ended before a day, where nothing is held.

        Each look goes on from the one before; after the last account the first comes again. Returns how many
        of those seen were over.
        """
