"""Questions about stored responses that every database answers in the same words, and what bounds them.

Places of values are written `?` or `:name`. Every question names its owner: what is another's is not filtered
out afterwards, it is never read.
"""

from collections.abc import Iterable
from typing import Any

from seawall.core.errors import TooLarge
from seawall.core.state import Owner, StoredResponse

ID_CHARS_MAX = 256
"""Nothing is found under a longer id."""
HISTORY_RESPONSES_MAX = 1_000
HISTORY_BYTES_MAX = 64 * 1024 * 1024
"""No more is put together in memory at once."""
FORGET_ROWS = 50
DELETE_BYTES_MAX = 32 * 1024 * 1024
"""A batch of deletions stops at about this much."""

# One response by its id.
GET = """
SELECT number, created_at, expires_at, previous_id FROM responses
WHERE owner = (SELECT number FROM owners WHERE key_id = :key_id AND end_user = :end_user)
  AND id = :id AND is_whole = 1 AND expires_at > :at_s"""
# A response and all before it, the newest first, as far as they are there.
CHAIN = """
WITH RECURSIVE chain (number, previous_id, bytes, depth, owner) AS (
    SELECT number, previous_id, bytes, 1, owner FROM responses
    WHERE owner = (SELECT number FROM owners WHERE key_id = :key_id AND end_user = :end_user)
      AND id = :id AND is_whole = 1 AND expires_at > :at_s
    UNION ALL
    SELECT one.number, one.previous_id, one.bytes, depth + 1, one.owner
    FROM chain JOIN responses AS one ON one.owner = chain.owner AND one.id = chain.previous_id
    WHERE depth < :most AND is_whole = 1 AND expires_at > :at_s
)
SELECT number, previous_id, bytes FROM chain ORDER BY depth"""
# The number under which an owner is known.
FIND_OWNER = "SELECT number FROM owners WHERE key_id = ? AND end_user = ?"
# A response of the same owner and id gives way to the new one.
REPLACE = "DELETE FROM responses WHERE owner = ? AND id = ?"
ADD = (
    "INSERT INTO responses (owner, id, previous_id, created_at, expires_at, bytes, is_whole)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number"
)
# The oldest of what has expired.
EXPIRED = "SELECT number, bytes FROM responses WHERE expires_at <= :at_s ORDER BY expires_at LIMIT :most"
# What belongs to a key, to an end user, or to both together.
_OWNED = "SELECT responses.number, bytes FROM responses JOIN owners ON owners.number = owner WHERE "
OF_KEY = _OWNED + "key_id = :key_id LIMIT :most"
OF_END_USER = _OWNED + "end_user = :end_user LIMIT :most"
OF_BOTH = _OWNED + "key_id = :key_id AND end_user = :end_user LIMIT :most"

Names = dict[str, object]
Row = tuple[Any, ...]


def is_id(text: str) -> bool:
    """Say whether something can be stored under this id."""
    return 0 < len(text) <= ID_CHARS_MAX and text.isascii() and text.isprintable()


def names_of(owner: Owner, at_s: float) -> Names:
    """Return what a question says of an owner at a moment."""
    return {"key_id": owner.key_id, "end_user": owner.end_user, "at_s": at_s}


def what_belongs_to(key_id: str | None, end_user: str | None) -> tuple[str, Names]:
    """Return the question for what belongs to a key, to an end user or to both, a batch at a time."""
    assert key_id is not None or end_user is not None
    both = key_id is not None and end_user is not None
    statement = OF_BOTH if both else OF_KEY if end_user is None else OF_END_USER
    return statement, {"key_id": key_id, "end_user": end_user, "most": FORGET_ROWS}


def check_chain(chain: list[Row]) -> bool:
    """Say whether a chain goes back to its beginning; raises TooLarge where it is too long."""
    is_cut = bool(chain) and chain[-1][1] is not None
    if is_cut and len(chain) == HISTORY_RESPONSES_MAX:
        raise too_long()
    check_size(size for _, _, size in chain)
    return bool(chain) and not is_cut


def check_size(sizes: Iterable[int]) -> None:
    """Raise TooLarge where responses are together more than is put together at once."""
    if sum(sizes) > HISTORY_BYTES_MAX:
        raise too_long()


def batch_of(found: list[Row]) -> list[int]:
    """Return the numbers of as many responses as are deleted at once."""
    numbers: list[int] = []
    size = 0
    for number, content_bytes in found:
        if numbers and size + content_bytes > DELETE_BYTES_MAX:
            break
        numbers.append(number)
        size += content_bytes
    return numbers


def item_ids_of(response: StoredResponse) -> list[str]:
    """Return under which ids the items of a response are found."""
    return sorted({item.id for item in (*response.input, *response.output) if is_id(item.id)})


def too_long() -> TooLarge:
    """Return what is said of a conversation that has grown too long."""
    return TooLarge(
        "What is stored of this conversation is more than 1,000 answers or 64 MB. Send what matters of it as "
        "input, without previous_response_id.",
        param="previous_response_id",
    )
