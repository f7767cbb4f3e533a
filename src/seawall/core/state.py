"""What Seawall keeps of an answer so that a later call can go on from it: responses and their items.

Invariants:
- Everything belongs to one owner, the virtual key and the end user that made it; nobody else can tell that
  it is there.
- What is stored is what the client saw and sent; a provider keeps nothing for us.
"""

from msgspec import Struct


class Owner(Struct, frozen=True):
    """Whose it is: a virtual key, and the end user it spoke for ("" where it named none)."""

    key_id: str
    end_user: str = ""


class StoredItem(Struct, frozen=True):
    """One item of a conversation: a message, a tool call, its result, or reasoning; `body` is its JSON."""

    id: str
    body: bytes


class StoredResponse(Struct, frozen=True, kw_only=True):
    """One stored response. Times in Unix seconds.

    `body` is the response object as the client got it. `input` holds the items of this call alone: those
    before it are found by `previous_id`. `frames` are the events of its stream as they were sent, empty where
    it was not streamed.
    """

    id: str
    owner: Owner
    created_at: float
    expires_at: float
    body: bytes
    previous_id: str | None = None
    input: tuple[StoredItem, ...] = ()
    output: tuple[StoredItem, ...] = ()
    frames: bytes = b""
