"""The hot routes: every endpoint that makes a call, plain ASGI."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from seawall.core.call import Call, Request
from seawall.core.contracts import Gateway
from seawall.core.deadline import Deadline
from seawall.core.errors import ClientGone, InvalidRequest, Overloaded, SeawallError
from seawall.core.policy import Credentials, Principal
from seawall.pipeline.answer import answer
from seawall.pipeline.attempts import OFF_LOOP_BYTES
from seawall.server.accepted import tell_accepted
from seawall.server.body import OFF_LOOP_BYTES as LARGE_BYTES
from seawall.server.body import BodyLimits, Receive, read_json
from seawall.server.browsers import of_browser
from seawall.server.cors import cors_headers
from seawall.server.credentials import credentials_of, end_user_of
from seawall.server.endpoints import Endpoint, vendor_headers
from seawall.server.progress import Send
from seawall.server.protocol import ON_DISCONNECT
from seawall.server.replies import CallReply
from seawall.server.wishes import wishes_of

log = logging.getLogger("seawall.server")

FAIL_S = 5.0
NOTHING_SHOWN = Credentials()


def is_large(headers: list[tuple[bytes, bytes]]) -> bool:
    """Say whether a body is announced that is read beside the event loop, or one of any size."""
    for name, value in headers:
        if name == b"content-length":
            return value.isdigit() and int(value) > LARGE_BYTES
        if name == b"transfer-encoding":
            return True
    return False


def _with_end_user(request: Request, user: str | None) -> Request:
    """Set the end user that the header names; raises InvalidRequest where the body names another one."""
    if user is None or user == request.end_user:
        return request
    if request.end_user is not None:
        raise InvalidRequest("seawall-user and the body name two different end users.", param="seawall-user")
    return replace(request, end_user=user)


async def _fail(reply: CallReply, error: SeawallError, task: "asyncio.Task[Any]") -> None:
    """Tell the client, for a moment: one that does not read keeps nothing here."""
    try:
        with Deadline(task, FAIL_S):
            await reply.fail(error)
    except TimeoutError:
        log.warning("a client did not take its error")


class CallRoute:
    """Takes requests through the pipeline, and is told when a client leaves."""

    def __init__(self, gateway: Gateway, limits: BodyLimits) -> None:
        self._gateway = gateway
        self._limits = limits
        self.running: set[asyncio.Task[Any]] = set()

    async def __call__(self, endpoint: Endpoint, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        try:
            await self._serve(endpoint, scope, receive, send, task)
        finally:
            self.running.discard(task)

    async def _serve(
        self,
        endpoint: Endpoint,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        task: "asyncio.Task[Any]",
    ) -> None:
        now = self._gateway.now()
        headers: list[tuple[bytes, bytes]] = scope["headers"]

        def client_left() -> None:
            if reply.is_done or call.client_left:
                return
            call.client_left = True
            reply.stop_progress()
            if self._gateway.limits.drain_on_disconnect and call.attempt is not None:
                reply.is_deaf = True
                return
            task.cancel()

        call = Call(
            self._gateway.new_id(now),
            task=task,
            endpoint=endpoint.path,
            received_at=now,
            credentials=NOTHING_SHOWN,
            read=partial(self._read, endpoint, headers, receive),
        )
        reply = CallReply(call, endpoint, send, self._gateway.support_contact)
        listeners: set[Callable[[], None]] = scope["extensions"][ON_DISCONNECT]
        listeners.add(client_left)
        try:
            call.is_large = is_large(headers)
            wishes = wishes_of(headers)
            call.wish, call.deferral = wishes.cache, wishes.deferral
            if wishes.progress:
                reply.show_progress(self._gateway.telling)
            call.credentials = shown = credentials_of(scope, self._gateway.proxies)
            if shown.origin is not None:
                reply.cors = await cors_headers(shown.origin, shown.secret, self._gateway)
            await answer(call, self._gateway, reply)
            if call.job is not None:
                await tell_accepted(call, endpoint, send, reply.cors, self._gateway)
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
            reply.stop_progress()
            listeners.discard(client_left)

    async def _read(
        self,
        endpoint: Endpoint,
        headers: list[tuple[bytes, bytes]],
        receive: Receive,
        caller: Principal,
    ) -> Request:
        """Read a request in the dialect of its endpoint; a large one beside the event loop."""
        body, size = await read_json(headers, receive, self._limits)
        make = partial(
            endpoint.read_request,
            body,
            raw_bytes=size,
            messages_max=self._limits.messages_max,
            headers=vendor_headers(endpoint, headers),
        )
        request = await asyncio.to_thread(make) if size > OFF_LOOP_BYTES else make()
        if caller.is_browser:
            return of_browser(request)
        return _with_end_user(request, end_user_of(headers))

    async def drain(self, timeout_s: float) -> None:
        """Wait until every running call has settled, at most so long."""
        deadline = time.monotonic() + timeout_s
        while self.running and time.monotonic() < deadline:
            await asyncio.wait(self.running, timeout=deadline - time.monotonic())
