"""Messages between the gateways of one store, so that each hears at once what another has changed.

A message may be lost, so nothing hangs on it: what has changed stands in the ledger's store, which every
gateway looks at by itself. Whoever could have missed some, because it was not connected, is told so.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable

from valkey.asyncio.connection import Connection

from seawall.core.ending import end
from seawall.stores.valkey.connection import (
    CONNECT_S,
    RETRY_S,
    TROUBLE,
    Link,
    close,
    connection_of,
    reason_of,
)
from seawall.stores.valkey.names import Names

log = logging.getLogger("seawall.valkey")

QUIET_S = 5.0
"""After so long without a message the server is asked whether it is still there."""

Heard = Callable[[str], object]


class Wakes:
    """One channel, from `start` to `stop`, on a connection of its own: it only ever listens.

    A message is a word that says what it is about, and a detail. `is_listening` says whether they arrive.
    """

    def __init__(
        self, url: str, link: Link, names: Names, *, retry_s: float = RETRY_S, quiet_s: float = QUIET_S
    ) -> None:
        self._connection, self._link, self._names = connection_of(url), link, names
        self._retry_s, self._quiet_s = retry_s, quiet_s
        self.is_listening, self._tried = False, asyncio.Event()
        self._sender = secrets.token_hex(8)
        self._heard: dict[str, Heard] = {}
        self._missed: list[Callable[[], None]] = []
        self._listening: asyncio.Task[None] | None = None

    def on(self, about: str, heard: Heard) -> None:
        """Call this with the detail of every message about something that another gateway sends."""
        self._heard[about] = heard

    def on_missed(self, missed: Callable[[], None]) -> None:
        """Call this whenever messages may have been lost, the first time too."""
        self._missed.append(missed)

    def tell(self, about: str, detail: str = "") -> None:
        """Tell all other gateways; nobody waits, and while the server is down nobody hears."""
        self._link.tell("PUBLISH", self._names.of("wakes"), f"{self._sender} {about} {detail}")

    async def start(self) -> None:
        """Begin to listen; returns when that has succeeded or failed once, in a second at most."""
        self._listening = asyncio.create_task(self._keep())
        self._listening.add_done_callback(lambda _: self._tried.set())
        await self._tried.wait()

    async def stop(self) -> None:
        """Listen no more."""
        await end(self._listening)

    async def _keep(self) -> None:
        connection = self._connection
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    await connection.connect()  # type: ignore[no-untyped-call] # has no types
                    await connection.send_command("SUBSCRIBE", self._names.of("wakes"))
                    await connection.read_response()
                self.is_listening = True
                for missed in self._missed:
                    missed()
                self._tried.set()
                await self._listen(connection)
            except TROUBLE as error:
                log.debug("messages of other gateways do not arrive: %s", reason_of(error))
            finally:
                self.is_listening = False
                self._tried.set()
                await close(connection)
            await asyncio.sleep(self._retry_s)

    async def _listen(self, connection: Connection) -> None:
        """Pass messages on until the connection breaks; raises TimeoutError where nothing comes any more."""
        was_asked = False
        while True:
            pushed = await connection.read_response(timeout=self._quiet_s, disconnect_on_error=False)
            if pushed is None:
                if was_asked:
                    raise TimeoutError
                await connection.send_command("PING")
            was_asked = pushed is None
            if isinstance(pushed, list) and pushed[0] == b"message":
                self._pass_on(pushed[2].decode(errors="replace"))

    def _pass_on(self, message: str) -> None:
        sender, _, rest = message.partition(" ")
        about, _, detail = rest.partition(" ")
        heard = self._heard.get(about)
        if heard is not None and sender != self._sender:
            heard(detail)
