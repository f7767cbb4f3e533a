"""The whole product on one screen: what happens to a call, in order. Start reading here."""

from seawall.core.call import Call
from seawall.core.contracts import Gateway, Reply
from seawall.pipeline.accepting import accept
from seawall.pipeline.access import authenticate, know_user, read_request, refuse_locked_out
from seawall.pipeline.attempts import attempts
from seawall.pipeline.caching import recall
from seawall.pipeline.calling import call_provider
from seawall.pipeline.guarding import guard_input, guard_output
from seawall.pipeline.limiting import limit_rate
from seawall.pipeline.recording import record
from seawall.pipeline.repeating import make_once
from seawall.pipeline.routing import plan_route
from seawall.pipeline.spending import hold_budget
from seawall.pipeline.state import keep_state, recall_state


async def answer(call: Call, gateway: Gateway, reply: Reply) -> None:
    """Take one call through every step; each step returns, or raises a SeawallError.

    An attempt that fails before the first byte has left may be followed by another one, each with a hold of
    its own. The answer is complete for the client before its money is settled: nobody waits for the ledger
    twice.
    """
    async with record(call, gateway):  # one row per call, whatever happens
        await authenticate(call, gateway)
        await read_request(call, gateway)
        await know_user(call, gateway)
        await plan_route(call, gateway)
        async with limit_rate(call, gateway) as place:
            await refuse_locked_out(call, gateway)
            async with make_once(call, gateway, reply) as once:  # where it comes with an idempotency key
                if once.has_answered:
                    return
                await recall_state(call, gateway)  # what it goes on from
                await guard_input(call, gateway)
                if call.is_deferred:
                    await accept(call, gateway)  # as a job, which a worker will do
                    return
                async with recall(call, gateway, reply) as memory:  # from the cache, or by a call in flight
                    if memory.has_answered:
                        return
                    for attempt in attempts(call, gateway, reply):
                        async with (
                            attempt,
                            hold_budget(call, gateway),
                            call_provider(call, gateway, reply) as events,
                        ):
                            async for event in guard_output(events, call, gateway, reply):
                                await reply.send(event)
                            await keep_state(call, gateway, reply)
                            place.leave()  # From here on the client may ask again.
                            await reply.finish()
                            memory.keep()
