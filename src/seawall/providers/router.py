"""Which models there are, who serves them, and at which price."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.call import Route
from seawall.core.contracts import Provider
from seawall.core.errors import UnknownModel, UnpricedModel
from seawall.core.money import Price, Rate, Rates
from seawall.core.periods import DAY_S
from seawall.core.redact import redact
from seawall.providers.prices import PriceBook

REMEMBERED_MAX = 10_000
NAME_SHOWN = 100
NOTHING = Rates(input=Rate(0), output=Rate(0))
FREE_PRICE = Price(NOTHING, source="declared free in the configuration")


class Offer(Struct, frozen=True):
    """One provider and what it serves.

    `models` is the operator's list; `None` means every model of the vendor whose price is known.
    `vendor` names the vendor in the price table, "" where it is not known. `listed` is for the demo model,
    which books nothing and tells what it would have cost.
    """

    provider: Provider
    vendor: str = ""
    models: tuple[str, ...] | None = None
    is_free: bool = False
    listed: Price | None = None


class ModelRouter:
    """See `core.contracts.Router`. The first offer that serves a model gets it."""

    def __init__(self, offers: Sequence[Offer], prices: PriceBook, now: Callable[[], float]) -> None:
        self._now = now
        self._offers = {offer.provider.name: offer for offer in offers}
        self._prices = prices
        self._routes: dict[tuple[int, str], Route] = {}

    def provider(self, name: str) -> Provider:
        """Return the provider of a route."""
        return self._offers[name].provider

    def route(self, model: str) -> Route:
        """Return how to serve "model" or "provider/model"; raises UnknownModel or UnpricedModel.

        Routes are remembered for a day: a price may begin on a date.
        """
        today = int(self._now()) // DAY_S
        route = self._routes.get((today, model))
        if route is None:
            route = self._find(model)
            if len(self._routes) >= REMEMBERED_MAX:
                self._routes.clear()
            self._routes[today, model] = route
        return route

    def models(self) -> list[Route]:
        """List every model that can be named, each once, in the order of the offers."""
        found: dict[str, Route] = {}
        for offer in self._offers.values():
            names = offer.models
            if names is None:
                stated = self._prices.stated(offer.provider.name)
                names = tuple(dict.fromkeys([*stated, *self._prices.models(offer.vendor)]))
            for name in names:
                price = self._price(offer, name)
                if price is not None and name not in found:
                    found[name] = Route(offer.provider.name, name, price, offer.listed)
        return list(found.values())

    def _find(self, model: str) -> Route:
        unpriced = False
        for offer, name in self._candidates(model):
            price = self._price(offer, name)
            if price is not None:
                return Route(offer.provider.name, name, price, offer.listed)
            unpriced = True
        if unpriced:
            raise UnpricedModel(
                f"The price of {model} is not known, so its cost cannot be bounded. "
                f'The operator can state it in seawall.toml under [prices."{model}"].',
                param="model",
            )
        raise self._unknown(model)

    def _unknown(self, model: str) -> UnknownModel:
        name = redact(model[:NAME_SHOWN])
        if all(offer.listed is not None for offer in self._offers.values()):
            hint = "This gateway has no provider yet: put a provider's key into its .env and restart it."
        else:
            hint = "GET /v1/models lists what there is."
        return UnknownModel(f"No provider here serves {name}. {hint}", param="model")

    def _candidates(self, model: str) -> list[tuple[Offer, str]]:
        """List (offer, name of the model there) in order: named providers, listed models, known vendors."""
        candidates = []
        prefix, _, rest = model.partition("/")
        if rest and prefix in self._offers:
            offer = self._offers[prefix]
            if offer.models is None or rest in offer.models:
                candidates.append((offer, rest))
        offers = self._offers.values()
        candidates += [
            (offer, model) for offer in offers if offer.models is not None and model in offer.models
        ]
        candidates += [
            (offer, model) for offer in offers if offer.models is None and self._price(offer, model)
        ]
        return candidates

    def _price(self, offer: Offer, model: str) -> Price | None:
        if offer.listed is not None:
            return replace(offer.listed, rates=NOTHING, tiers=())
        if offer.is_free:
            return replace(self._prices.find(offer.vendor, model) or FREE_PRICE, rates=NOTHING, tiers=())
        return self._prices.find(offer.vendor, model, provider=offer.provider.name)
