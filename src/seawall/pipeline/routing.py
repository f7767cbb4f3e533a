"""Which provider serves the call, and whether this caller may use that model."""

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import ModelNotAllowed


async def choose_route(call: Call, gateway: Gateway) -> None:
    """Find the provider and the price of the model that is asked for.

    Raises ModelNotAllowed, UnknownModel, UnpricedModel, and UnpricedField for a field that changes the
    price beyond any bound. Nothing here can be down: prices and models are in memory.
    """
    assert call.request is not None and call.policy is not None
    call.route = gateway.router.route(call.request.model)
    if not call.policy.allows(call.route.provider, call.route.model):
        raise ModelNotAllowed(param="model")
    gateway.router.provider(call.route.provider).check_fields(call.request, call.route)
