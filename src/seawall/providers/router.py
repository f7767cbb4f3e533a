"""Which models there are, who serves them, at which price, and in which order they are tried."""

import random
import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.call import Request, Route
from seawall.core.contracts import Provider
from seawall.core.errors import UnknownModel, UnpricedModel
from seawall.core.money import Kind, Price, Rate, Rates
from seawall.core.periods import DAY_S
from seawall.core.redact import redact
from seawall.core.routing import (
    Alternative,
    Failure,
    HealthRules,
    Next,
    Planned,
    Readiness,
    Retry,
    RetryRules,
    State,
    Stop,
    Target,
    after_failure,
    outcome_of,
    plan,
    spread,
)
from seawall.providers.health import Health
from seawall.providers.prices import PriceBook

REMEMBERED_MAX = 10_000
NAME_SHOWN = 100
NOTHING = Rates(input=Rate(0), output=Rate(0))
FREE_PRICE = Price(NOTHING, source="declared free in the configuration")
KINDS: tuple[Kind, ...] = ("chat", "embedding")
_NO_NAME = re.compile(r"-$|^ft:|\.ft-|:extended$")
"""Rows of the price table that stand for many names and are none themselves."""

UNBILLED_DIALECTS = frozenset({"count_tokens"})
"""What vendors answer for nothing (Anthropic, "Token counting", read 2026-11)."""


class Offer(Struct, frozen=True):
    """One provider and what it serves; `accounts` are one for each of its keys, in order.

    `models` is the operator's list; `None` means every model of the vendor whose price is known.
    `vendor` names the vendor in the price table, "" where it is not known. `listed` is for the demo model,
    which books nothing and tells what it would have cost. `needs_prefix` says that a model is served from
    here only where it is named as "provider/model": whatever it is called is not known beforehand. `begins`
    are the beginnings of the names that it serves, where the price table has others of its vendor.
    """

    name: str
    accounts: tuple[Provider, ...]
    vendor: str = ""
    models: tuple[str, ...] | None = None
    is_free: bool = False
    listed: Price | None = None
    needs_prefix: bool = False
    begins: tuple[str, ...] = ()


class Routing(Struct, frozen=True):
    """What the operator decides: what aliases stand for, when to try again, when to leave one alone."""

    aliases: Mapping[str, tuple[Alternative, ...]] = {}
    retries: RetryRules = RetryRules()
    breaker: HealthRules = HealthRules()


class ModelRouter:
    """See `core.contracts.Router`. The first offer that serves a model gets it.

    `now` is in Unix seconds, for prices; `clock` in monotonic ones, for breakers.
    """

    def __init__(
        self,
        offers: Sequence[Offer],
        prices: PriceBook,
        routing: Routing,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._now = now
        self._clock = clock
        self._offers = {offer.name: offer for offer in offers}
        self._accounts = {
            (offer.name, key): account for offer in offers for key, account in enumerate(offer.accounts, 1)
        }
        self._prices = prices
        self._aliases = dict(routing.aliases)
        self._targets: dict[tuple[int, int, str, Kind], tuple[Target, ...]] = {}
        self.rules = routing.retries
        self.health = Health(routing.breaker)
        self._draw = random.SystemRandom().random

    def provider(self, route: Route) -> Provider:
        """Return the provider of a route, by the key that it names."""
        return self._accounts[route.provider, route.key]

    def plan(self, request: Request) -> tuple[Planned, ...]:
        """Return how to serve a request, in the order in which it will be tried."""
        targets = self.targets(request.model, "embedding" if request.dialect == "embeddings" else "chat")
        planned = plan(targets, readiness=self._readiness, draw=self._draw)
        if request.dialect in UNBILLED_DIALECTS:
            return tuple(replace(each, route=_unbilled(each.route)) for each in planned)
        return planned

    def targets(self, model: str, kind: Kind = "chat") -> tuple[Target, ...]:
        """Return every way to serve a name: an alias, "model" or "provider/model".

        They are remembered for a day, as a price may begin on a date, and until the table of prices changes.
        Raises UnknownModel or UnpricedModel.
        """
        place = (int(self._now()) // DAY_S, self._prices.version, model, kind)
        targets = self._targets.get(place)
        if targets is None:
            targets = self._find_targets(model, kind)
            if len(self._targets) >= REMEMBERED_MAX:
                self._targets.clear()
            self._targets[place] = targets
        return targets

    def admit(self, route: Route) -> bool:
        """Say whether an attempt may begin now; see `Health.admit`. The demo model is never shut."""
        return route.listed is not None or self.health.admit(route, self._clock())

    def note(self, route: Route, error: BaseException | None) -> None:
        """Learn how an attempt ended."""
        if route.listed is None:
            self.health.note(route, outcome_of(error), self._clock())

    def after_failure(self, failure: Failure, at: Planned, rest: Sequence[Planned]) -> Retry | Next | Stop:
        """Decide what follows a failed attempt."""
        return after_failure(failure, at, rest, rules=self.rules, draw=self._draw)

    def models(self) -> list[Route]:
        """List every model that can be named, each once, in the order of the offers, embeddings last."""
        found: dict[str, Route] = {}
        for kind in KINDS:
            for offer in self._offers.values():
                names = offer.models
                if names is None:
                    stated = self._prices.stated(offer.name)
                    names = tuple(dict.fromkeys([*stated, *self._prices.models(offer.vendor, kind=kind)]))
                for name in names:
                    if offer.models is None and _NO_NAME.search(name):
                        continue
                    price = self._price(offer, name, kind)
                    if price is not None and name not in found:
                        found[name] = Route(offer.name, name, price, offer.listed)
        return list(found.values())

    def names(self) -> frozenset[str]:
        """Return every name that is listed: by the configuration, by the table of prices, as an alias."""
        found = set(self._aliases)
        for offer in self._offers.values():
            found.update(offer.models or self._prices.stated(offer.name))
            if offer.models is None:
                found.update(name for kind in KINDS for name in self._prices.models(offer.vendor, kind=kind))
        return frozenset(found)

    def accounts(self) -> list[tuple[str, bool]]:
        """List every account by its name, and whether nothing is known against it."""
        known = self.health.snapshot(self._clock())
        against = {each.account for each in known if not each.model and each.state is not State.READY}
        names = [name if key == 1 else f"{name}#{key}" for name, key in self._accounts]
        return [(name, name not in against) for name in names]

    def aliases(self) -> list[str]:
        """List the names that stand for other models."""
        return list(self._aliases)

    def alternatives(self, model: str) -> tuple[Alternative, ...]:
        """Return what a name stands for: an alias's models, or the model itself."""
        return self._aliases.get(model) or (Alternative(model),)

    def reach(self, name: str, each: Alternative, kind: Kind = "chat") -> tuple[Target, ...]:
        """Return the targets of one alternative of a name; raises UnknownModel or UnpricedModel."""
        why = f"{redact(name[:NAME_SHOWN])} stands for it" if name in self._aliases else ""
        route = self.find(each.model, kind)
        target = Target(route, each.weight, each.tier, why)
        return spread(target, len(self._offers[route.provider].accounts))

    def _readiness(self, route: Route) -> Readiness:
        return self.health.readiness(route, self._clock())

    def _find_targets(self, model: str, kind: Kind) -> tuple[Target, ...]:
        targets: list[Target] = []
        failed: UnknownModel | UnpricedModel | None = None
        for each in self.alternatives(model):
            try:
                targets += self.reach(model, each, kind)
            except (UnknownModel, UnpricedModel) as error:
                failed = failed or error
        if not targets:
            assert failed is not None
            raise failed
        return tuple(targets)

    def find(self, model: str, kind: Kind = "chat") -> Route:
        """Return who serves "model" or "provider/model"; raises UnknownModel or UnpricedModel."""
        unpriced = False
        for offer, name in self._candidates(model, kind):
            price = self._price(offer, name, kind)
            if price is not None:
                return Route(offer.name, name, price, offer.listed)
            unpriced = True
        if unpriced:
            raise UnpricedModel(
                f"The price of {redact(model[:NAME_SHOWN])} is not known, so its cost cannot be bounded. "
                f'The operator can state it in seawall.toml under [prices."{redact(model[:NAME_SHOWN])}"].',
                param="model",
            )
        raise self._unknown(model, kind)

    def _unknown(self, model: str, kind: Kind) -> UnknownModel:
        name = redact(model[:NAME_SHOWN])
        other: Kind = "chat" if kind == "embedding" else "embedding"
        if any(self._price(offer, found, other) for offer, found in self._candidates(model, other)):
            hint = "makes no embeddings" if kind == "embedding" else "makes embeddings: POST /v1/embeddings"
            return UnknownModel(f"{name} {hint}.", param="model")
        if all(offer.listed is not None for offer in self._offers.values()):
            hint = "There is only the model demo yet: put a provider's key into its .env and restart it."
        else:
            hint = "GET /v1/models lists what there is."
        return UnknownModel(f"No provider here serves {name}. {hint}", param="model")

    def _candidates(self, model: str, kind: Kind) -> list[tuple[Offer, str]]:
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
            (offer, model)
            for offer in offers
            if offer.models is None and not offer.needs_prefix and self._price(offer, model, kind)
        ]
        return candidates

    def _price(self, offer: Offer, model: str, kind: Kind) -> Price | None:
        if offer.listed is not None:
            return replace(offer.listed, rates=NOTHING, tiers=())
        if offer.begins and not model.startswith(offer.begins):
            return None
        if offer.is_free:
            return replace(
                self._prices.find(offer.vendor, model, kind=kind) or FREE_PRICE, rates=NOTHING, tiers=()
            )
        price = self._prices.find(offer.vendor, model, provider=offer.name, kind=kind)
        if price is not None and offer.accounts[0].reached_by("messages") == "messages":
            return _with_cache_writes(price)
        return price


def _with_cache_writes(price: Price) -> Price:
    """Price what a vendor of Anthropic's dialect writes to its cache, where nobody has stated it.

    A write costs 1.25 times the input, one for an hour twice (Anthropic, "Prompt caching", read 2026-11).
    """
    rates = price.rates
    return replace(
        price,
        rates=replace(
            rates,
            cached_write=rates.cached_write
            if rates.cached_write is not None
            else Rate(-(-rates.input * 5 // 4)),
            cached_write_1h=Rate(2 * rates.input) if rates.cached_write_1h is None else rates.cached_write_1h,
        ),
    )


def _unbilled(route: Route) -> Route:
    return replace(route, price=replace(route.price, rates=NOTHING, tiers=()), listed=None)
