"""GET /v1/models: what a key may use, with prices and limits, in the client's dialect."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seawall.core.call import Route as ModelRoute
from seawall.core.contracts import Gateway
from seawall.core.errors import UnknownModel, UnpricedModel
from seawall.core.money import Kind, Price, format_usd
from seawall.core.policy import Policy
from seawall.core.routing import Target
from seawall.server.cold import json_response, policy_of

KINDS: tuple[Kind, ...] = ("chat", "embedding")
_NO_TIME = "1970-01-01T00:00:00Z"


class Named(Struct, frozen=True):
    """A model by a name under which it can be called: its own, or an alias."""

    name: str
    route: ModelRoute


def model_routes(gateway: Gateway) -> list[Route]:
    """Return the routes of the list of models."""

    async def models(request: Request) -> Response:
        policy = await policy_of(request, gateway)
        found = list(_allowed(gateway, policy))
        if _is_anthropic(request):
            return json_response(_anthropic_list(found))
        return json_response({"object": "list", "data": [_model(each) for each in found]})

    async def model(request: Request) -> Response:
        policy = await policy_of(request, gateway)
        wanted = request.path_params["model"]
        for each in _allowed(gateway, policy):
            if wanted in (each.name, f"{each.route.provider}/{each.name}"):
                return json_response(_anthropic_model(each) if _is_anthropic(request) else _model(each))
        raise UnknownModel(param="model")

    return [
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/models/{model:path}", model, methods=["GET"]),
    ]


def _is_anthropic(request: Request) -> bool:
    return "anthropic-version" in request.headers


def _allowed(gateway: Gateway, policy: Policy) -> Iterator[Named]:
    """Yield aliases first, then every model that the caller may use."""
    aliases = gateway.router.aliases()
    for alias in aliases:
        targets = _targets(gateway, alias)
        usable = [t.route for t in targets if policy.allows(t.route.provider, t.route.model, alias)]
        if usable:
            yield Named(alias, usable[0])
    for route in gateway.router.models():
        if route.model not in aliases and policy.allows(route.provider, route.model):
            yield Named(route.model, route)


def _targets(gateway: Gateway, alias: str) -> tuple[Target, ...]:
    """Return what an alias stands for, whatever that makes; nothing where none of it can be called."""
    for kind in KINDS:
        with suppress(UnknownModel, UnpricedModel):
            return gateway.router.targets(alias, kind)
    return ()


def _model(named: Named) -> dict[str, Any]:
    price: Price = named.route.listed or named.route.price
    rates = price.rates
    stands_for = {} if named.name == named.route.model else {"stands_for": named.route.model}
    return {
        "id": named.name,
        "object": "model",
        "created": 0,
        "owned_by": named.route.provider,
        **stands_for,
        "input_usd_per_mtok": format_usd(rates.input),
        "output_usd_per_mtok": format_usd(rates.output),
        "cached_input_usd_per_mtok": None if rates.cached_read is None else format_usd(rates.cached_read),
        "max_output_tokens": price.max_output_tokens,
        "context_tokens": price.context_tokens,
    }


def _anthropic_list(found: list[Named]) -> dict[str, Any]:
    data = [_anthropic_model(each) for each in found]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def _anthropic_model(named: Named) -> dict[str, Any]:
    """Write a model as Anthropic's libraries expect it, with what only we say beside it."""
    ours = {name: value for name, value in _model(named).items() if name not in ("object", "created")}
    return {"type": "model", "display_name": named.name, "created_at": _NO_TIME, **ours}
