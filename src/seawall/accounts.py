"""Who can be called, from the settings and the environment: for the gateway, and for those who only ask."""

import logging
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from seawall.core.call import Attempt, Call
from seawall.core.errors import SeawallError
from seawall.core.money import Price
from seawall.core.routing import Alternative, Explained, ExplainedTarget, Target
from seawall.identity.keys import PREFIX
from seawall.providers import price_table
from seawall.providers.demo import DEMO_PRICE, DemoTransport
from seawall.providers.exchange import Transport
from seawall.providers.http_client import HttpTransport
from seawall.providers.prices import PriceBook
from seawall.providers.profile import Headers, VendorProfile
from seawall.providers.router import KINDS, ModelRouter, Offer, Routing
from seawall.providers.tokens import Tokenizer
from seawall.providers.vendor import VendorProvider
from seawall.providers.vendors import ANTHROPIC, VENDORS, Vendor, address_of, vendor_at
from seawall.settings import ProviderSettings, Settings
from seawall.wire.chat.request import CapField

log = logging.getLogger("seawall.app")

TellDemo = Callable[[Call, Attempt], Headers]
Carry = Callable[[str], Transport]


class Found(Struct, frozen=True):
    """A provider that can be called, and what told us of it."""

    name: str
    because: str


class Surveyed(Struct, frozen=True):
    """A provider that can be called, as `seawall doctor` shows it, with the price of each model it names.

    `models` is empty where it serves whatever has a stated price; a price of `None` is not known.
    `key_variable` names the variable of its key, `None` where it needs none.
    """

    name: str
    because: str
    key_variable: str | None
    has_key: bool
    is_free: bool
    models: dict[str, Price | None]


class Enabled(Struct, frozen=True):
    """A vendor that the environment enables, where it is and with which key."""

    vendor: Vendor
    base_url: str
    key: str | None
    because: str


class Accounts:
    """Makes an offer of every provider that can be called; `opened` are all accounts, to be closed.

    `carry` makes what brings calls to an address, where that is not the network.
    """

    def __init__(
        self,
        settings: Settings,
        tokenizer: Tokenizer,
        tell_demo: TellDemo | None = None,
        carry: Carry | None = None,
    ) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._tell_demo = tell_demo
        self._carry = carry or self._by_network
        self.opened: list[VendorProvider] = []
        self.found: list[Found] = []
        self.notes: list[str] = []

    def offers(self) -> list[Offer]:
        """List what can be called: stated providers, vendors that were found, the demo model."""
        settings = self._settings
        offers = [self._stated(name, stated) for name, stated in settings.providers.items()]
        enabled, notes = enabled_vendors(settings)
        self.notes += notes
        for each in enabled:
            vendor = each.vendor
            account = self._open(vendor.name, vendor.profile, self._carry(each.base_url), each.key)
            offers.append(
                Offer(
                    vendor.name,
                    (account,),
                    vendor.profile.vendor,
                    is_free=vendor.is_local,
                    needs_prefix=vendor.is_local,
                    begins=vendor.begins,
                )
            )
            self.found.append(Found(vendor.name, each.because))
        if settings.demo.enabled:
            profile = VendorProfile("demo", ("chat",), stops_on_disconnect=True)
            transport = DemoTransport(pace_s=settings.demo.pace_s)
            demo = VendorProvider(
                "demo", profile, transport, self._tokenizer, api_key=None, tell=self._tell_demo
            )
            offers.append(Offer("demo", (demo,), models=("demo",), listed=DEMO_PRICE))
        return offers

    def _stated(self, name: str, stated: ProviderSettings) -> Offer:
        profile = profile_of(stated)
        variables = stated.key_variables
        keys = [key for key in (_stated_key(self._settings, name, each) for each in variables) if key]
        transport_keys: list[str | None] = [*keys] if keys else [None]
        accounts = tuple(
            self._open(
                name if number == 1 else f"{name}#{number}", profile, self._carry(stated.base_url), key
            )
            for number, key in enumerate(transport_keys, 1)
        )
        models = None if stated.models is None else tuple(stated.models)
        self.found.append(Found(name, "configuration"))
        return Offer(name, accounts, profile.vendor, models, is_free=stated.free)

    def _by_network(self, base_url: str) -> Transport:
        limits = self._settings.limits_of_calls()
        return HttpTransport(
            base_url,
            connect_s=limits.connect_s,
            first_byte_s=limits.first_byte_s,
            between_s=limits.between_events_s,
        )

    def _open(
        self, name: str, profile: VendorProfile, transport: Transport, key: str | None
    ) -> VendorProvider:
        account = VendorProvider(
            name,
            profile,
            transport,
            self._tokenizer,
            api_key=key,
        )
        self.opened.append(account)
        return account


def routing_of(settings: Settings) -> Routing:
    """Return what the operator decides about routing."""
    return Routing(settings.aliases(), settings.retry_rules(), settings.health_rules())


def profile_of(stated: ProviderSettings) -> VendorProfile:
    """Return how a stated provider is spoken to: as its vendor is, where the address is known."""
    known = vendor_at(stated.base_url)
    if known is not None:
        profile = known.profile
    elif stated.kind == "anthropic":
        profile = msgspec.structs.replace(ANTHROPIC, vendor="", seal_origin="anthropic")
    else:
        profile = VendorProfile("")
    return msgspec.structs.replace(
        profile,
        dialects=tuple(stated.dialects) if stated.dialects else profile.dialects,
        cap_field=CapField(stated.max_tokens_field, is_only_one=True)
        if stated.max_tokens_field
        else profile.cap_field,
        stops_on_disconnect=stated.stops_on_disconnect or profile.stops_on_disconnect,
    )


def enabled_vendors(settings: Settings) -> tuple[list[Enabled], list[str]]:
    """Find the vendors that the environment enables and the configuration does not state itself.

    A key of our own under a vendor's variable is meant for the app: it is never sent to the vendor. The
    second list says so, and names addresses that cannot be one.
    """
    keys = settings.environment
    found, notes = [], []
    for vendor in VENDORS:
        if vendor.name in settings.providers:
            continue
        first = keys.get(vendor.key_variable)
        key = keys.get(vendor.key_variable, other_than=PREFIX)
        if first != key:
            notes.append(
                f"{keys.where(vendor.key_variable)} is a key of Seawall and passed over: it belongs into "
                "your app's .env, the provider's key here."
            )
        stated = keys.get(vendor.base_url_variable) if vendor.base_url_variable else None
        base_url = address_of(vendor, stated)
        if key is None and not (vendor.is_local and stated):
            continue
        variable = vendor.base_url_variable if vendor.is_local else vendor.key_variable
        if base_url is None or not _is_address(base_url):
            notes.append(f"{vendor.name} is passed over: {vendor.base_url_variable} must say its address.")
            continue
        found.append(Enabled(vendor, base_url, key, keys.where(variable, other_than=PREFIX) or ""))
    return found, notes


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def price_book(settings: Settings) -> PriceBook:
    """Return the prices that count: stated ones, then the table of the data folder or the built-in one.

    Raises BadPriceTable where the one of the data folder cannot be read: nothing falls back in silence.
    """
    book = PriceBook(settings.price_overrides(), path=settings.data_dir / price_table.FILE_NAME)
    book.reload()
    return book


def survey(settings: Settings, book: PriceBook) -> list[Surveyed]:
    """List what a gateway with these settings would find to call; opens and calls nothing.

    Raises SettingsError for a key that cannot be one.
    """
    found = []
    for name, stated in settings.providers.items():
        models = _prices_of(book, name, profile_of(stated).vendor, stated.models)
        variables = stated.key_variables
        has_key = not variables or any(settings.environment.get(each) for each in variables)
        shown = ", ".join(variables) or None
        found.append(Surveyed(name, "configuration", shown, has_key, stated.free, models))
    for each in enabled_vendors(settings)[0]:
        vendor = each.vendor
        models = {} if vendor.is_local else _prices_of(book, vendor.name, vendor.profile.vendor, None)
        variable = vendor.base_url_variable if vendor.is_local else vendor.key_variable
        found.append(Surveyed(vendor.name, each.because, variable, True, vendor.is_local, models))
    return found


def explain_route(settings: Settings, book: PriceBook, model: str, now: Callable[[], float]) -> Explained:
    """Say what would be tried for a model, in order, without calling anything."""
    accounts = Accounts(settings, Tokenizer())
    router = ModelRouter(
        accounts.offers(),
        book,
        routing_of(settings),
        now=now,
        clock=now,
    )
    targets: list[ExplainedTarget] = []
    for each in router.alternatives(model):
        try:
            targets += [_explained(router, target) for target in _reach(router, model, each)]
        except SeawallError as error:
            provider, _, name = each.model.rpartition("/")
            targets.append(ExplainedTarget(provider, name, tier=each.tier, skipped=error.message))
    targets.sort(key=lambda target: (target.tier, -target.weight))
    return Explained(model, model in router.aliases(), tuple(targets), router.rules)


def alias_notes(settings: Settings, router: ModelRouter) -> list[str]:
    """Say which alternatives of aliases nobody serves: they are passed over in silence when a call comes."""
    notes = []
    for name, alternatives in settings.aliases().items():
        for each in alternatives:
            try:
                _reach(router, name, each)
            except SeawallError as error:
                notes.append(f"the alias {name} is not served by {each.model}: {error.message}")
    return notes


def _reach(router: ModelRouter, model: str, each: Alternative) -> tuple[Target, ...]:
    """Return how one alternative is served, for chat or else for embeddings."""
    try:
        return router.reach(model, each)
    except SeawallError:
        with suppress(SeawallError):
            return router.reach(model, each, "embedding")
        raise


CLIENT_DIALECTS = ("chat", "responses", "messages", "embeddings")


def _explained(router: ModelRouter, target: Target) -> ExplainedTarget:
    route = target.route
    provider = router.provider(route)
    return ExplainedTarget(
        provider=route.provider,
        model=route.model,
        key=route.key,
        tier=target.tier,
        weight=target.weight,
        dialects={dialect: provider.reached_by(dialect) for dialect in CLIENT_DIALECTS},
        price=route.listed or route.price,
        is_free=route.listed is None and not route.price.rates.output and not route.price.rates.input,
        why=target.why,
    )


def _prices_of(book: PriceBook, name: str, vendor: str, models: list[str] | None) -> dict[str, Price | None]:
    """Look prices up as the router does."""
    names = book.models(vendor) if models is None else models
    found: dict[str, Price | None] = {}
    for model in names:
        prices = (book.find(seller, model, kind=kind) for kind in KINDS for seller in (name, vendor))
        found[model] = next((price for price in prices if price is not None), None)
    return found


def _stated_key(settings: Settings, name: str, variable: str) -> str | None:
    """Return a key of a stated provider; where its variable is empty a line in the log says so."""
    key = settings.environment.get(variable)
    if key is None:
        log.warning(
            "the key of a provider is not set",
            extra={"fields": {"provider": name, "variable": variable}},
        )
    return key
