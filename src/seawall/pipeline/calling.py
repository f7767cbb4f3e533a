"""Calls the provider and watches what comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seawall.core.call import Call, Ending, Event
from seawall.core.contracts import Gateway
from seawall.core.deadline import Deadline
from seawall.core.errors import ClientGone, UpstreamTimeout
from seawall.pipeline.metering import CutMeter, generated_text


@asynccontextmanager
async def call_provider(call: Call, gateway: Gateway) -> AsyncIterator[AsyncIterator[Event]]:
    """Send the call and yield the events of the answer; the provider's connection is closed on every exit.

    Raises UpstreamError. What the ending means for the bill is noted in `call.attempt`.
    """
    attempt = call.attempt
    assert attempt is not None
    provider = gateway.router.provider(attempt.route.provider)
    try:
        with Deadline(call.task, gateway.limits.call_s):
            async with provider.open(call, attempt) as events:
                yield _watch(events, call, gateway)
    except TimeoutError as error:
        raise UpstreamTimeout("The whole call took longer than this gateway allows.") from error
    except (asyncio.CancelledError, ClientGone):
        if attempt.ending is Ending.UNKNOWN:
            attempt.ending = Ending.CLIENT_LEFT
        raise


async def _watch(events: AsyncIterator[Event], call: Call, gateway: Gateway) -> AsyncIterator[Event]:
    """Pass events on, note usage and generated text, and cut a stream that runs past its cap."""
    attempt = call.attempt
    assert attempt is not None and call.request is not None
    meter = CutMeter(attempt, call.request.cap.choices, gateway.router.provider(attempt.route.provider))
    async for event in events:
        if call.first_event_at is None:
            call.first_event_at = gateway.now()
        if event.usage is not None:
            attempt.usage = event.usage
        if call.request.stream and meter.is_over(event):
            attempt.ending = Ending.CUT
            call.decided("call_provider", "cut", f"the provider went on past {attempt.output_cap} tokens")
            yield Event(finish="length")
            yield Event(last=True)
            return
        text = generated_text(event)
        if text:
            attempt.generated.append(text)
            attempt.created += 1
        yield event
