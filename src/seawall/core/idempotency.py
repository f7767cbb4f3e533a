"""Idempotency keys of calls: what comes again under its key is answered again, not made again.

Invariants:
- Of one owner's calls under one key one is made at a time; only its own answer is ever kept for it.
- What is kept is the whole answer as its client got it, of a call that ended cleanly. After anything else
  the key is free again.
- A key that was claimed by a process that died is free as soon as that is certain.
"""

from collections.abc import Awaitable
from typing import Protocol

from msgspec import Struct

from seawall.core.state import Owner


class Claim(Struct, frozen=True, kw_only=True):
    """A call that comes with a key, at a moment `at`; in Unix seconds.

    `request` is the SHA-256 of what is asked for. The claim ends at `until` if nobody has ended it before.
    """

    owner: Owner
    key: str
    request: bytes
    call_id: str
    at: float
    until: float


class Claimed(Struct, frozen=True):
    """The key is this call's: it is to be made, and the claim kept or released."""


class Running(Struct, frozen=True):
    """The call that has the key is not at its end."""


class Reused(Struct, frozen=True):
    """The key was used for another request."""


class Answered(Struct, frozen=True):
    """The answer that the call of this id got under the key."""

    call_id: str
    body: bytes


ClaimAnswer = Claimed | Running | Reused | Answered


class IdempotentAnswers(Protocol):
    """Claims and answers by owner and key. Moments in Unix seconds."""

    async def claim(self, claim: Claim) -> ClaimAnswer:
        """Claim a key, or say what stands under it; raises Overloaded where the store is down.

        Whoever is cancelled while it waits has claimed nothing.
        """

    async def keep(self, claim: Claim, body: bytes, expires_at: float) -> None:
        """Keep the answer of a claim that still stands; raises Overloaded where the store is down."""

    def release(self, claim: Claim) -> Awaitable[None]:
        """Free the key of a claim that has no answer.

        Handed over before it returns: leaving the awaitable does not undo it, and what cannot be written now
        is tried again until it can.
        """

    async def forget(self, key_id: str | None, end_user: str | None) -> int:
        """Forget everything of a key, of an end user, or of both together; returns how many answers."""

    async def trim(self, now: float, *, at_most: int) -> int:
        """Delete a batch of what has expired; returns how many went, 0 where nothing is left."""
