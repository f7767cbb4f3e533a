"""Which providers serve the call, in which order, and whether this caller may use that model."""

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import ModelNotAllowed


async def plan_route(call: Call, gateway: Gateway) -> None:
    """Find the providers of the model that is asked for, in the order in which they will be tried.

    Raises ModelNotAllowed, UnknownModel, UnpricedModel, and UpstreamUnavailable where every provider of the
    model is known to be down. Nothing here can be down itself: prices and models are in memory.
    """
    assert call.request is not None and call.policy is not None
    plan = gateway.router.plan(call.request)
    call.plan = tuple(
        p for p in plan if call.policy.allows(p.route.provider, p.route.model, call.request.model)
    )
    if not call.plan:
        raise ModelNotAllowed(param="model")
    call.route = call.plan[0].route
