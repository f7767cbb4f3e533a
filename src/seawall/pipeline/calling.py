"""Calls the provider and watches what comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seawall.core.call import Attempt, Call, Ending, Event
from seawall.core.contracts import Gateway, Reply
from seawall.core.deadline import Deadline
from seawall.core.errors import Blocked, ClientGone, UpstreamTimeout
from seawall.pipeline.metering import CutMeter, generated_text


@asynccontextmanager
async def call_provider(call: Call, gateway: Gateway, reply: Reply) -> AsyncIterator[AsyncIterator[Event]]:
    """Send the call and yield the events of the answer; the provider's connection is closed on every exit.

    Raises UpstreamError. What the ending means for the bill is noted in `call.attempt`. The deadline of the
    whole call holds for all of its attempts together, that of the first token for each stream.
    """
    attempt = call.attempt
    assert attempt is not None
    provider = gateway.router.provider(attempt.route)
    left_s = call.deadline - call.task.get_loop().time()
    patience_s = min(left_s, gateway.limits.first_token_s) if attempt.request.stream else left_s
    await reply.tell("thinking")
    deadline = Deadline(call.task, patience_s)
    try:
        with deadline:
            async with provider.open(call, attempt) as events:
                yield _watch(events, call, attempt, gateway, deadline)
    except TimeoutError as error:
        if patience_s < left_s and not attempt.created:
            raise UpstreamTimeout("The provider took too long to begin its answer.") from error
        raise UpstreamTimeout("The whole call took longer than this gateway allows.") from error
    except (asyncio.CancelledError, ClientGone, Blocked):
        if attempt.ending is Ending.UNKNOWN:
            attempt.ending = Ending.CLIENT_LEFT
        raise


async def _watch(
    events: AsyncIterator[Event], call: Call, attempt: Attempt, gateway: Gateway, deadline: Deadline
) -> AsyncIterator[Event]:
    """Pass events on, note usage and generated text, and cut a stream that runs past its cap."""
    request = attempt.request
    meter = (
        CutMeter(attempt, request.cap.choices, gateway.router.provider(attempt.route))
        if request.stream
        else None
    )
    async for event in events:
        if call.first_event_at is None:
            call.first_event_at = call.clock()
        if event.usage is not None:
            attempt.usage = event.usage
        if event.finish is not None:
            attempt.finish = event.finish
        if event.tool:
            attempt.has_tools = True
        if meter is not None and meter.is_over(event):
            attempt.ending = Ending.CUT
            call.decided("call_provider", "cut", f"the provider went on past {attempt.output_cap} tokens")
            yield Event(finish="length")
            yield Event(last=True)
            return
        text = generated_text(event)
        if text:
            if not attempt.created and request.stream:
                deadline.move(call.deadline - call.task.get_loop().time())
            attempt.generated.append(text)
            attempt.created += 1
        yield event
