"""The attempts of a call: which provider next, and whether there is a next one."""

import asyncio
from collections.abc import Iterator
from types import TracebackType

from seawall.core.call import Call, Ending, Sending
from seawall.core.contracts import Gateway, Reply
from seawall.core.errors import InvalidRequest, SeawallError
from seawall.core.routing import Failure, Planned, Retry, Stop, error_to_tell, nothing_ready

OFF_LOOP_BYTES = 256 * 1024
"""From here on a request is translated and checked in a thread: several ms of Python."""


def attempts(call: Call, gateway: Gateway, reply: Reply) -> "Iterator[Trying]":
    """Yield a bracket for each attempt, until one succeeds or nothing else may be tried.

    The bracket chooses the provider, and swallows a failure that another attempt may mend: nothing has left
    for the client, the error can be retried elsewhere or here, and there is time. Every attempt is held and
    settled by itself. Raises what the last attempt raised.
    """
    call.deadline = call.task.get_loop().time() + gateway.limits.call_s
    trying = Trying(call, gateway, reply)
    while trying.goes_on:
        yield trying


class Trying:
    """One attempt after the other; entered anew for each."""

    __slots__ = (
        "_call",
        "_errors",
        "_gateway",
        "_planned",
        "_reply",
        "_rest",
        "_retried",
        "_wait_s",
        "goes_on",
    )

    def __init__(self, call: Call, gateway: Gateway, reply: Reply) -> None:
        self._call, self._gateway, self._reply = call, gateway, reply
        self._rest = call.plan
        self._planned: Planned | None = None
        self._errors: list[SeawallError] = []
        self._retried = 0
        self._wait_s = 0.0
        self.goes_on = True

    async def __aenter__(self) -> None:
        """Choose the provider and put the request into a dialect that it speaks.

        Raises what stands against the last provider: Untranslatable, UnpricedField, UpstreamUnavailable.
        """
        self.goes_on = False
        if self._wait_s:
            await asyncio.sleep(self._wait_s)
        call = self._call
        self._planned = planned = await self._choose()
        call.route, call.attempt = planned.route, None
        call.number += 1
        if planned.why:
            call.decided(
                "plan_route", "allow", f"{planned.route.account}/{planned.route.model}: {planned.why}"
            )

    async def _choose(self) -> Planned:
        """Take the planned provider, or where it cannot be asked the next one."""
        call, router = self._call, self._gateway.router
        assert call.request is not None
        while self._planned is not None or self._rest:
            planned = self._planned
            if planned is None:
                planned, self._rest = self._rest[0], self._rest[1:]
            self._planned = None
            if not router.admit(planned.route):
                if not self._errors:
                    self._errors.append(nothing_ready(()))
                continue
            try:
                call.sending = await self._prepare(planned)
            except InvalidRequest as error:
                router.note(planned.route, error)
                self._errors.append(error)
                call.decided("plan_route", "skip", f"{planned.route.account}: {error.message}")
                continue
            return planned
        raise error_to_tell(self._errors)

    async def _prepare(self, planned: Planned) -> Sending:
        """Put the request into the provider's dialect; a large one beside the event loop."""
        request, prepared = self._call.guarded or self._call.request, self._call.prepared
        assert request is not None
        if prepared is not None and prepared[0] is planned:
            return prepared[1]
        prepare = self._gateway.router.provider(planned.route).prepare
        if request.raw_bytes > OFF_LOOP_BYTES:
            return await asyncio.to_thread(prepare, request, planned.route)
        return prepare(request, planned.route)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Learn from the attempt, and swallow its error where another one follows."""
        planned, call, router = self._planned, self._call, self._gateway.router
        assert planned is not None
        router.note(planned.route, error)
        if not isinstance(error, SeawallError) or self._reply.has_begun or call.client_left:
            return False
        self._errors.append(error)
        failure = Failure(
            error=error,
            ending=call.attempt.ending if call.attempt else Ending.NOT_SENT,
            retried=self._retried,
            left_s=call.deadline - call.task.get_loop().time(),
        )
        step = router.after_failure(failure, planned, self._rest)
        if isinstance(step, Stop):
            return False
        self._planned, self._wait_s = None, 0.0
        if isinstance(step, Retry):
            self._planned, self._wait_s = planned, step.wait_s
            self._retried += 1
        again = "The same" if isinstance(step, Retry) else "The next"
        call.decided("attempts", "retry", f"{planned.route.account}: {error.message} {again} is tried.")
        call.attempt = None  # It is settled: who leaves from now on leaves nothing that could be read on.
        call.reopen()
        self.goes_on = True
        return True
