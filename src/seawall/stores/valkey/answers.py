"""The cache of answers that many gateways share, behind the small one in the memory of each.

Invariants:
- Nothing here raises or waits for longer than the time-out: a server that is down holds nothing.
- Every answer ends by itself, and one that is too large is not kept.
- An answer carries the token of the time it was made in. Clearing changes the token first and deletes then,
  so nothing that was on its way comes back; without a token nothing is served.
- Who is forgotten is looked for in every answer: an index could be lost, and a person with it.
- What could not be forgotten because the server was down is forgotten as soon as it is back, and nothing is
  served until then.
"""

import asyncio
import logging
import secrets
import zlib
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from seawall.core.answers import KeptAnswer
from seawall.core.ending import end
from seawall.stores.valkey.connection import Link, Reply, Unreachable
from seawall.stores.valkey.names import Names
from seawall.stores.valkey.wakes import Wakes

log = logging.getLogger("seawall.cache")

CLEARED, FORGOTTEN = "answers.cleared", "answers.forgotten"
"""What other gateways are told of; the second with the user in hexadecimal digits."""
PLAIN_BYTES_MAX = 2_048
"""Up to here an answer is kept as it is: to set up a compression costs more than it saves."""
SCANNED_AT_ONCE = 500
USERS_OWED_MAX = 10_000
_TOKEN_CHARS = 16
_USER_BYTES = 32
_HEAD_BYTES = _TOKEN_CHARS + _USER_BYTES
_ZLIB = b"\x78"
"""How compressed answers begin (RFC 1950); plain ones, maps of msgpack, begin with 0x80 or more."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(KeptAnswer).decode


class ValkeyAnswers:
    """See `stores.memory.answers.AnswerFile`. Token, user and answer lie together under a hash of the key.

    With `answer_bytes_max` 0 nothing is kept here, and gateways tell one another what to forget all the same.
    """

    def __init__(
        self, link: Link, names: Names, wakes: Wakes, *, keep_s: float, answer_bytes_max: int
    ) -> None:
        self._link, self._names, self._wakes = link, names, wakes
        self._keep_ms, self._bytes_max = max(1, round(keep_s * 1000)), answer_bytes_max
        self._token: bytes | None = None
        self._owed: set[bytes] = set()
        self._owes_all = False
        self._paying: asyncio.Task[None] | None = None
        link.listen(self._note)

    def holds(self, key: bytes) -> bool:
        """Say whether it is worth asking for a key."""
        return self._bytes_max > 0 and self._link.is_up and not self._owes

    async def read(self, key: bytes) -> KeptAnswer | None:
        """Return what is kept under a key."""
        with suppress(Unreachable):
            token, data = _texts(
                await self._link.ask("MGET", self._names.of("token"), self._names.hashed("answer", key))
            )
            self._token = token or await self._begin()
            if token is not None and data is not None and data[:_TOKEN_CHARS] == token:
                return _unpack(data[_HEAD_BYTES:])
        return None

    def write(self, key: bytes, answer: KeptAnswer) -> None:
        """Take an answer, to be written soon; before anything was asked for nothing is known to write."""
        if self._token is None or self._owes or len(answer.body) > self._bytes_max:
            return
        data = self._token + answer.user.rjust(_USER_BYTES, b"\0") + _pack(answer)
        self._link.tell("SET", self._names.hashed("answer", key), data, "PX", self._keep_ms)

    async def clear(self) -> int:
        """Forget everything; returns how many answers. Other gateways forget what is in their memory."""
        try:
            return await self._clear()
        except Unreachable:
            self._owes_all = True
            log.warning("the shared cache is down; it is cleared as soon as it is back")
            return 0

    async def forget_user(self, user: bytes) -> int:
        """Forget what was made for an end user; returns how many answers."""
        try:
            return await self._forget(user)
        except Unreachable:
            if len(self._owed) < USERS_OWED_MAX:
                self._owed.add(user)
            else:
                self._owes_all = True
            log.warning("the shared cache is down; who was forgotten leaves it as soon as it is back")
            return 0

    def measure(self) -> tuple[int, int]:
        """Return nothing: what others keep there is not counted."""
        return 0, 0

    async def stop(self) -> None:
        """Break off what is owed."""
        await end(self._paying)

    @property
    def _owes(self) -> bool:
        return self._owes_all or bool(self._owed)

    def _note(self, is_up: bool) -> None:
        self._token = None
        if is_up and self._owes and (self._paying is None or self._paying.done()):
            self._paying = asyncio.create_task(self._pay())

    async def _pay(self) -> None:
        """Forget what is owed; where the server goes again in the midst of it, the rest stays owed."""
        with suppress(Unreachable):
            if self._owes_all:
                await self._clear()
                self._owes_all = False
            for user in [*self._owed]:
                await self._forget(user)
                self._owed.discard(user)

    async def _begin(self) -> bytes | None:
        """Make a token on a server that has none, and return it; or that of whoever was faster."""
        name = self._names.of("token")
        self._link.tell("SET", name, _new_token(), "NX")
        [token] = _texts([await self._link.ask("GET", name)])
        return token

    async def _clear(self) -> int:
        self._token = _new_token()
        await self._link.ask("SET", self._names.of("token"), self._token)
        self._wakes.tell(CLEARED)
        return await self._sweep(None)

    async def _forget(self, user: bytes) -> int:
        count = await self._sweep(user)
        self._wakes.tell(FORGOTTEN, user.hex())
        return count

    async def _sweep(self, user: bytes | None) -> int:
        """Delete all answers, or those of a user; raises Unreachable."""
        cursor, count = b"0", 0
        while True:
            pattern = self._names.of("answer") + ":*"
            reply = await self._link.ask("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED_AT_ONCE)
            assert isinstance(reply, list) and isinstance(reply[0], bytes)
            cursor, keys = reply[0], [key for key in _texts(reply[1]) if key is not None]
            if user is not None:
                keys = await self._of_user(keys, user)
            if keys:
                gone = await self._link.ask("UNLINK", *keys)
                count += gone if isinstance(gone, int) else 0
            if cursor == b"0":
                return count

    async def _of_user(self, keys: Sequence[bytes], user: bytes) -> list[bytes]:
        asked = [self._link.ask("GETRANGE", key, _TOKEN_CHARS, _HEAD_BYTES - 1) for key in keys]
        found = await asyncio.gather(*asked)
        padded = user.rjust(_USER_BYTES, b"\0")
        return [key for key, whose in zip(keys, found, strict=True) if whose == padded]


def _new_token() -> bytes:
    return secrets.token_hex(_TOKEN_CHARS // 2).encode()


def _texts(reply: Reply) -> list[bytes | None]:
    assert isinstance(reply, list)
    return [each if isinstance(each, bytes) else None for each in reply]


def _pack(answer: KeptAnswer) -> bytes:
    plain = _encode(answer)
    return plain if len(plain) <= PLAIN_BYTES_MAX else zlib.compress(plain, 1)


def _unpack(data: bytes) -> KeptAnswer | None:
    """Read an answer; `None` where another version of Seawall has written it."""
    with suppress(msgspec.DecodeError, zlib.error):
        return _decode(zlib.decompress(data) if data.startswith(_ZLIB) else data)
    return None
