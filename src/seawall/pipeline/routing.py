"""Which providers serve the call, in which order, and whether this caller may use that model."""

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import ModelNotAllowed, Refusal
from seawall.core.routing import Planned
from seawall.pipeline.limiting import limit_failed


async def plan_route(call: Call, gateway: Gateway) -> None:
    """Find the providers of the model that is asked for, in the order in which they will be tried.

    Raises ModelNotAllowed, UnknownModel, UnpricedModel, and UpstreamUnavailable where every provider of the
    model is known to be down; RateLimited for more of these refusals than the caller's limits allow. Nothing
    here can be down itself: prices and models are in memory.
    """
    try:
        call.plan = _plan(call, gateway)
    except Refusal:
        await limit_failed(call, gateway)
        raise
    call.route = call.plan[0].route


def _plan(call: Call, gateway: Gateway) -> tuple[Planned, ...]:
    assert call.request is not None and call.policy is not None
    plan = gateway.router.plan(call.request)
    if not call.policy.allows_every_model:
        asked, allows = call.request.model, call.policy.allows
        plan = tuple(each for each in plan if allows(each.route.provider, each.route.model, asked))
    if not plan:
        raise ModelNotAllowed(param="model")
    return plan
