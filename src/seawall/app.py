"""The composition root: settings in, a gateway and its application out. It alone knows everyone."""

import asyncio
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from seawall.core.call import Attempt, Call, CallIds
from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.core.lines import Lines
from seawall.core.money import Price, cost_of, format_usd
from seawall.core.money import Usage as TokenUsage
from seawall.identity import records
from seawall.identity.keys import PREFIX, VirtualKeys
from seawall.providers.demo import DEMO_PRICE, DemoTransport
from seawall.providers.http_client import HttpTransport
from seawall.providers.openai import Headers, OpenAIProvider, VendorProfile
from seawall.providers.prices import PriceBook
from seawall.providers.router import ModelRouter, Offer
from seawall.providers.tokens import Tokenizer
from seawall.providers.vendors import VENDORS, Vendor, vendor_at
from seawall.server.access_log import AccessLog
from seawall.server.app import App
from seawall.server.body import BodyLimits
from seawall.settings import ProviderSettings, Settings
from seawall.stores.sqlite.store import SqliteStore
from seawall.wire.openai_chat import CapField

log = logging.getLogger("seawall.app")

FIRST_KEY_NAME = "default"
ADMIN_KEY_FILE = "admin.key"
ADMIN_KEY_CHARS_MIN = 16
WATCH_S = 0.5
REAP_S = 10.0
TRIM_S = 60.0
TRIM_ROWS = 500
DAY_MS = 86_400_000


class Found(msgspec.Struct, frozen=True):
    """A provider that can be called, and what told us of it."""

    name: str
    because: str


class Surveyed(msgspec.Struct, frozen=True):
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


class Seawall:
    """One gateway with everything it owns; `asgi` is the application that a server runs.

    `found` are the providers with what told us of them, `notes` what the operator should know.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        folder = prepare_folder(settings.data_dir)
        self.admin_key = (
            settings.admin_key.get_secret_value() if settings.admin_key else read_admin_key(folder)
        )
        self._tokenizer = Tokenizer()
        self._providers: list[OpenAIProvider] = []
        self.found: list[Found] = []
        self.notes: list[str] = []
        router = ModelRouter(self._offers(), PriceBook(settings.price_overrides()), now)
        self.store = SqliteStore(folder)
        self._access_log = AccessLog(style=log_style(settings), is_on=settings.log.access)
        self.identity = VirtualKeys(self.store.directory, settings.global_budget(), now)
        self.gateway = Gateway(
            identity=self.identity,
            router=router,
            ledger=self.store.ledger,
            call_log=self.store.call_log,
            directory=self.store.directory,
            lines=Lines(),
            limits=settings.limits_of_calls(),
            now=now,
            tell=self._access_log,
            new_id=CallIds(),
            support_contact=settings.support_contact,
        )
        self.asgi = App(
            self.gateway,
            admin_key=self.admin_key,
            limits=BodyLimits(
                bytes_max=settings.server.body_bytes_max,
                depth_max=settings.server.json_depth_max,
                messages_max=settings.server.messages_max,
            ),
            on_start=self._start,
            on_stop=self._stop,
        )
        self._watcher: asyncio.Task[None] | None = None

    async def prepare(self) -> str | None:
        """Settle what dead processes left and make the first key; returns it where it is new.

        Run this before anybody can call: from then on the ledger is at or above the provider's bill.
        """
        recovered = await self.gateway.ledger.reap()
        if recovered:
            log.warning(
                "calls of a stopped gateway were settled in full", extra={"fields": {"calls": recovered}}
            )
        if await self.gateway.directory.keys():
            return None
        record, key = records.make({"name": FIRST_KEY_NAME}, self.gateway.now())
        await self.gateway.directory.put(record)
        return key

    async def _start(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        await self.close()

    async def close(self) -> None:
        """Write what waits and let go of everything."""
        for provider in self._providers:
            await provider.close()
        self._access_log.flush()
        with suppress(SeawallError):  # When a key was last used is not worth a failure.
            await self._note_use()
        if not await asyncio.to_thread(self.store.close):
            log.error("something was still held; the next start settles it in full")

    async def _watch(self) -> None:
        """Notice what other processes changed, settle what dead ones left, keep the log bounded."""
        version, next_reap, next_trim = -1, 0.0, 0.0
        while True:
            try:
                self.store.check_place()
                seen = await self.gateway.directory.version()
                if seen != version:
                    version = seen
                    self.identity.forget()
                now = time.monotonic()
                if now >= next_reap:
                    next_reap = now + REAP_S
                    await self._every_ten_seconds()
                if now >= next_trim:
                    next_trim = now + TRIM_S
                    await self._trim()
            except (SeawallError, OSError) as error:
                why = getattr(error, "private", None) or type(error).__name__
                log.error("the store is down", extra={"fields": {"why": why}})
            await asyncio.sleep(WATCH_S)

    async def _every_ten_seconds(self) -> None:
        if await self.gateway.ledger.reap():
            self.gateway.lines.freed()
        await self._note_use()

    async def _note_use(self) -> None:
        used = self.identity.take_last_used()
        if used:
            await self.gateway.directory.touch(used)

    async def _trim(self) -> None:
        """Delete what is older than the log is kept, in small batches so that no call has to wait for it."""
        oldest_ms = int(self.gateway.now() * 1000) - self.settings.log.keep_days * DAY_MS
        is_more = True
        while is_more:
            is_more = await self.store.call_log.trim(oldest_ms, at_most=TRIM_ROWS) == TRIM_ROWS

    def _offers(self) -> list[Offer]:
        """List what can be called: stated providers, vendors whose key was found, the demo model."""
        settings = self.settings
        offers = [self._stated(name, stated) for name, stated in settings.providers.items()]
        keys, notes = vendor_keys(settings)
        self.notes += notes
        for vendor, key in keys:
            provider = self._openai(vendor.name, vendor.profile, vendor.base_url, key)
            offers.append(Offer(provider, vendor.profile.vendor))
            self.found.append(
                Found(vendor.name, settings.environment.where(vendor.key_variable, other_than=PREFIX) or "")
            )
        if settings.demo.enabled:
            transport = DemoTransport(pace_s=settings.demo.pace_s)
            profile = VendorProfile("demo", stops_on_disconnect=True)
            demo = OpenAIProvider(
                "demo", profile, transport, self._tokenizer, api_key=None, tell=self._tell_demo
            )
            offers.append(Offer(demo, models=("demo",), listed=DEMO_PRICE))
        return offers

    def _stated(self, name: str, stated: ProviderSettings) -> Offer:
        known = vendor_at(stated.base_url)
        profile = known.profile if known else VendorProfile("")
        profile = msgspec.structs.replace(
            profile,
            cap_field=CapField(stated.max_tokens_field, is_only_one=True)
            if stated.max_tokens_field
            else profile.cap_field,
            stops_on_disconnect=stated.stops_on_disconnect or profile.stops_on_disconnect,
        )
        key = settings_key(self.settings, name, stated)
        provider = self._openai(name, profile, stated.base_url, key)
        models = None if stated.models is None else tuple(stated.models)
        self.found.append(Found(name, "configuration"))
        return Offer(provider, profile.vendor, models, is_free=stated.free)

    def _openai(self, name: str, profile: VendorProfile, base_url: str, key: str | None) -> OpenAIProvider:
        limits = self.settings.limits_of_calls()
        transport = HttpTransport(
            base_url,
            connect_s=limits.connect_s,
            first_byte_s=limits.first_byte_s,
            between_s=limits.between_events_s,
        )
        provider = OpenAIProvider(name, profile, transport, self._tokenizer, api_key=key)
        self._providers.append(provider)
        return provider

    def _tell_demo(self, call: Call, attempt: Attempt) -> Headers:
        """Tell the demo model what the gateway did, for its answer; this never leaves the process."""
        assert call.principal is not None and call.request is not None
        bound = TokenUsage(input=attempt.input_bound, output=attempt.output_cap * call.request.cap.choices)
        daily = self.settings.global_budget().daily
        facts = {
            "key_name": call.principal.key_name,
            "output_cap": attempt.output_cap,
            "lowered_from": attempt.lowered_from,
            "input_tokens_bound": attempt.input_bound,
            "would_hold_usd": format_usd(cost_of(DEMO_PRICE, bound)),
            "daily_budget_usd": None if daily is None else format_usd(daily),
        }
        return (("seawall-demo-facts", msgspec.json.encode(facts).decode()),)


def log_style(settings: Settings) -> str:
    """Return how log lines are written: as stated, else for people at a terminal and as JSON elsewhere."""
    is_stated = not settings.sources["log.format"].startswith("default")
    return settings.log.format if is_stated or not sys.stderr.isatty() else "text"


def survey(settings: Settings) -> list[Surveyed]:
    """List what a gateway with these settings would find to call; opens and calls nothing.

    Raises SettingsError for a key that cannot be one.
    """
    book, keys = PriceBook(settings.price_overrides()), settings.environment
    found = []
    for name, stated in settings.providers.items():
        known = vendor_at(stated.base_url)
        models = _prices_of(book, name, known.profile.vendor if known else "", stated.models)
        variable = stated.api_key_env
        has_key = variable is None or keys.get(variable) is not None
        found.append(Surveyed(name, "configuration", variable, has_key, stated.free, models))
    for vendor, _ in vendor_keys(settings)[0]:
        variable = vendor.key_variable
        models = _prices_of(book, vendor.name, vendor.profile.vendor, None)
        found.append(
            Surveyed(
                vendor.name, keys.where(variable, other_than=PREFIX) or "", variable, True, False, models
            )
        )
    return found


def vendor_keys(settings: Settings) -> tuple[list[tuple[Vendor, str]], list[str]]:
    """Find the vendors whose key is in the environment and that the configuration does not state itself.

    A key of our own under a vendor's variable is meant for the app: it is never sent to the vendor. The
    second list says so.
    """
    found, notes = [], []
    for vendor in VENDORS:
        first = settings.environment.get(vendor.key_variable)
        key = settings.environment.get(vendor.key_variable, other_than=PREFIX)
        if first is None or vendor.name in settings.providers:
            continue
        if first != key:
            notes.append(f"{vendor.key_variable} in this terminal is a key of Seawall; it is passed over.")
        if key is not None:
            found.append((vendor, key))
    return found, notes


def _prices_of(book: PriceBook, name: str, vendor: str, models: list[str] | None) -> dict[str, Price | None]:
    """Look prices up as the router does."""
    names = book.models(vendor) if models is None else models
    return {model: book.find(name, model) or book.find(vendor, model) for model in names}


def settings_key(settings: Settings, name: str, stated: ProviderSettings) -> str | None:
    """Return the key of a stated provider; where its variable is empty a line in the log says so."""
    if stated.api_key_env is None:
        return None
    key = settings.environment.get(stated.api_key_env)
    if key is None:
        log.warning(
            "the key of a provider is not set",
            extra={"fields": {"provider": name, "variable": stated.api_key_env}},
        )
    return key


def prepare_folder(folder: Path) -> Path:
    """Make the data folder, readable by its owner only, and keep it out of version control."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def read_admin_key(folder: Path) -> str:
    """Return the admin key of a data folder, making it (mode 0600) at the first start."""
    path = folder / ADMIN_KEY_FILE
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        key = path.read_text(encoding="utf-8").strip()
        if len(key) < ADMIN_KEY_CHARS_MIN:
            raise OSError(f"{ADMIN_KEY_FILE} holds no key; delete it and a new one is made") from None
        return key
    key = f"sw-admin-{secrets.token_urlsafe(32)}"
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(key + "\n")
    return key
