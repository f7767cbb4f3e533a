"""POST /v1/chat/completions: the hot route, plain ASGI."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from seawall.core.call import Call, Request
from seawall.core.contracts import Gateway
from seawall.core.deadline import Deadline
from seawall.core.errors import ClientGone, Overloaded, SeawallError
from seawall.pipeline.answer import answer
from seawall.server.body import BodyLimits, Receive, read_json
from seawall.server.protocol import ON_DISCONNECT
from seawall.server.replies import ChatReply, Send
from seawall.wire import openai_chat

log = logging.getLogger("seawall.server")

ENDPOINT = "/v1/chat/completions"
FAIL_S = 5.0


def bearer_of(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the bearer token of a request; of two different ones neither counts."""
    found: str | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            if scheme.lower() != "bearer" or (found is not None and token != found):
                return None
            found = token.strip()
    return found


async def _fail(reply: ChatReply, error: SeawallError, task: "asyncio.Task[Any]") -> None:
    """Tell the client, for a moment: one that does not read keeps nothing here."""
    try:
        with Deadline(task, FAIL_S):
            await reply.fail(error)
    except TimeoutError:
        log.warning("a client did not take its error")


class ChatRoute:
    """Takes one request through the pipeline, and is told when the client leaves."""

    def __init__(self, gateway: Gateway, limits: BodyLimits) -> None:
        self._gateway = gateway
        self._limits = limits
        self.running: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        try:
            await self._serve(scope, receive, send, task)
        finally:
            self.running.discard(task)

    async def _serve(
        self, scope: dict[str, Any], receive: Receive, send: Send, task: "asyncio.Task[Any]"
    ) -> None:
        now = self._gateway.now()

        async def read() -> Request:
            body, size = await read_json(scope["headers"], receive, self._limits)
            return openai_chat.read_request(body, raw_bytes=size, messages_max=self._limits.messages_max)

        def client_left() -> None:
            if reply.is_done or call.client_left:
                return
            call.client_left = True
            if self._gateway.limits.drain_on_disconnect and call.attempt is not None:
                reply.is_deaf = True
                return
            task.cancel()

        call = Call(
            self._gateway.new_id(now),
            task=task,
            endpoint=ENDPOINT,
            received_at=now,
            credentials=bearer_of(scope["headers"]),
            read=read,
        )
        reply = ChatReply(call, send, self._gateway.support_contact)
        listeners: set[Callable[[], None]] = scope["extensions"][ON_DISCONNECT]
        listeners.add(client_left)
        try:
            await answer(call, self._gateway, reply)
        except ClientGone:
            return
        except SeawallError as error:
            if error.private:
                log.warning("call failed", extra={"fields": {"id": call.id, "why": error.private}})
            await _fail(reply, error, task)
        except asyncio.CancelledError:
            if not call.client_left:  # The server is stopping and its time of grace is over.
                stopping = Overloaded("This gateway is stopping. Try again in a moment.", retry_after_s=1.0)
                await _fail(reply, stopping, task)
        except Exception:
            log.exception("call failed", extra={"fields": {"id": call.id}})
            await _fail(reply, SeawallError(), task)
        finally:
            listeners.discard(client_left)

    async def drain(self, timeout_s: float) -> None:
        """Wait until every running call has settled, at most so long."""
        deadline = time.monotonic() + timeout_s
        while self.running and time.monotonic() < deadline:
            await asyncio.wait(self.running, timeout=deadline - time.monotonic())
