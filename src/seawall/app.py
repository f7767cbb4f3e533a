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
from typing import TYPE_CHECKING

import msgspec

from seawall import accounts, alerts
from seawall.accounts import Accounts, Surveyed, alias_notes, routing_of
from seawall.core.call import Attempt, Call, CallIds
from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.core.lines import Lines
from seawall.core.looping import LoopBreaker
from seawall.core.money import Usage as TokenUsage
from seawall.core.money import cost_of, format_usd
from seawall.core.routing import Explained
from seawall.core.terms import HouseTerms, IssuerTerms
from seawall.guards.guard import LocalGuard
from seawall.guards.topics import Profile, read_profile
from seawall.identity import records
from seawall.identity.callers import Callers
from seawall.identity.keys import VirtualKeys
from seawall.identity.policies import Policies
from seawall.providers import price_table
from seawall.providers.demo import DEMO_PRICE
from seawall.providers.price_table import BadPriceTable
from seawall.providers.prices import PriceBook
from seawall.providers.profile import Headers
from seawall.providers.router import ModelRouter
from seawall.providers.tokens import Tokenizer
from seawall.server.access_log import AccessLog
from seawall.server.app import App
from seawall.server.body import BodyLimits
from seawall.settings import Settings, SettingsError
from seawall.stores.memory.answers import MemoryAnswers
from seawall.stores.memory.counters import MemoryCounters
from seawall.stores.sqlite.answers import SqliteAnswers
from seawall.stores.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from seawall.identity.tokens import Tokens

log = logging.getLogger("seawall.app")

FIRST_KEY_NAME = "default"
ADMIN_KEY_FILE = "admin.key"
ADMIN_KEY_CHARS_MIN = 16
WATCH_S = 0.5
REAP_S = 10.0
TRIM_S = 60.0
TRIM_ROWS = 500
TRIM_ANSWERS = 50
DAY_MS = 86_400_000
MB = 1024 * 1024


class Seawall:
    """One gateway with everything it owns; `asgi` is the application that a server runs.

    `found` are the providers with what told us of them, `notes` what the operator should know.
    """

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        folder = prepare_folder(settings.data_dir)
        stated = settings.admin_key
        self.admin_key = stated.get_secret_value() if stated else read_admin_key(folder)
        self._tokenizer = Tokenizer()
        found = Accounts(settings, self._tokenizer, self._tell_demo)
        self.prices = price_book(settings)
        self.router = ModelRouter(
            found.offers(),
            self.prices,
            routing_of(settings),
            now=now,
            clock=time.monotonic,
        )
        self._accounts, self.found, self.notes = (
            found.opened,
            found.found,
            [*found.notes, *alias_notes(settings, self.router)],
        )
        self.store = SqliteStore(folder)
        self._access_log = AccessLog(style=log_style(settings), is_on=settings.log.access)
        house = settings.house_terms()
        clock = time.monotonic if now is time.time else now
        self._make_identity(house, now, clock)
        self._make_cache(folder, now)
        self.guard = LocalGuard(learned=_learned(settings))
        self.gateway = Gateway(
            identity=self.identity,
            router=self.router,
            ledger=self.store.ledger,
            counters=MemoryCounters(),
            call_log=self.store.call_log,
            directory=self.store.directory,
            conversations=self.store.conversations,
            state_keep_s=settings.state.keep_s,
            lines=Lines(),
            limits=settings.limits_of_calls(),
            now=now,
            clock=clock,
            proxies=tuple(settings.behind_proxy),
            tell=self._access_log,
            new_id=CallIds(),
            support_contact=settings.support_contact,
            house=house,
            breaker=LoopBreaker(settings.loop.rules()),
            guard=self.guard,
            answers=self.answers,
            cache_rules=settings.cache.rules(),
            event_channels=alerts.channels_of(settings, "user.tier_changed"),
        )
        self.asgi = App(
            self.gateway,
            admin_key=self.admin_key,
            limits=_body_limits(settings),
            on_start=self._start,
            on_stop=self._stop,
        )
        self._watcher: asyncio.Task[None] | None = None
        self.alerting = alerts.alerting_of(settings, self.gateway, self.store, now)

    def _make_identity(self, house: HouseTerms, now: Callable[[], float], clock: Callable[[], float]) -> None:
        policies, issuers = Policies(house), self.settings.issuer_terms()
        self._tokens = _tokens_of(issuers, now, clock)
        self.identity = Callers(
            VirtualKeys(self.store.directory, policies, now),
            self.store.directory,
            policies,
            self._tokens,
            issuers,
        )

    def _make_cache(self, folder: Path, now: Callable[[], float]) -> None:
        cache = self.settings.cache
        self._answer_file: SqliteAnswers | None = None
        self.answers: MemoryAnswers | None = None
        if not cache.enabled:
            return
        if cache.persist:
            self._answer_file = SqliteAnswers(folder, bytes_max=int(cache.disk_mb_max * MB))
        self.answers = MemoryAnswers(
            bytes_max=int(cache.memory_mb_max * MB),
            keep_s=cache.rules().keep_s,
            file=self._answer_file,
            now=now,
        )

    async def prepare(self) -> str | None:
        """Settle what dead processes left and make the first key; returns it where it is new.

        Run this before anybody can call: from then on the ledger is at or above the provider's bill.
        """
        recovered = await self.gateway.ledger.reap()
        self.guard.use_secret(await self.gateway.directory.salt())
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
        if any(guard.looks_at_input for guard in self.gateway.house.guards.values()):
            await asyncio.to_thread(self.guard.warm)
        self._watcher = asyncio.create_task(self._watch())
        if self.alerting is not None:
            self.alerting.start()

    async def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        if self.alerting is not None:
            await self.alerting.stop()
        await self.close()

    async def close(self) -> None:
        """Write what waits and let go of everything."""
        for account in self._accounts:
            await account.close()
        if self._tokens is not None:
            await self._tokens.close()
        self._access_log.flush()
        with suppress(SeawallError):  # When a key was last used is not worth a failure.
            await self._note_use()
        if self._answer_file is not None:
            await asyncio.to_thread(self._answer_file.close)
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
                    self.gateway.lockouts.forget()
                if self._answer_file is not None and await self._answer_file.was_cleared():
                    assert self.answers is not None
                    self.answers.drop()
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
        try:
            if self.prices.reload():
                log.info("the table of prices was read anew")
        except BadPriceTable as error:
            log.error(
                "the table of prices is damaged; the old one stays", extra={"fields": {"why": str(error)}}
            )
        await self._note_use()

    async def _note_use(self) -> None:
        used = self.identity.keys.take_last_used()
        if used:
            await self.gateway.directory.touch(used)

    async def _trim(self) -> None:
        """Delete old calls and expired answers, in small batches so that no call has to wait for it."""
        oldest_ms = int(self.gateway.now() * 1000) - self.settings.log.keep_days * DAY_MS
        is_more = True
        while is_more:
            is_more = await self.store.call_log.trim(oldest_ms, at_most=TRIM_ROWS) == TRIM_ROWS
        while await self.store.conversations.trim(self.gateway.now(), at_most=TRIM_ANSWERS):
            pass

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


def _tokens_of(
    issuers: dict[str, IssuerTerms], now: Callable[[], float], clock: Callable[[], float]
) -> "Tokens | None":
    """Return what verifies login tokens; the cryptography that it takes is loaded only where it is needed."""
    if not issuers:
        return None
    from seawall.identity.tokens import Tokens  # noqa: PLC0415 - 50 ms and 10 MB for those who have none
    from seawall.providers.fetching import fetch  # noqa: PLC0415 - as above

    return Tokens(issuers.values(), fetch, now=now, clock=clock)


def _learned(settings: Settings) -> Profile | None:
    """Read what `seawall guard learn` has learned; raises SettingsError where that cannot be read."""
    try:
        return read_profile(settings.guard.topics_profile)
    except OSError as error:
        raise SettingsError(f"guard.topics_profile cannot be used ({error.strerror or error}).") from error


def _body_limits(settings: Settings) -> BodyLimits:
    server = settings.server
    return BodyLimits(
        bytes_max=server.body_bytes_max,
        depth_max=server.json_depth_max,
        messages_max=server.messages_max,
    )


def log_style(settings: Settings) -> str:
    """Return how log lines are written: as stated, else for people at a terminal and as JSON elsewhere."""
    is_stated = not settings.sources["log.format"].startswith("default")
    return settings.log.format if is_stated or not sys.stderr.isatty() else "text"


def survey(settings: Settings) -> list[Surveyed]:
    """List what a gateway with these settings would find to call; opens and calls nothing."""
    return accounts.survey(settings, price_book(settings))


def explain_route(settings: Settings, model: str) -> Explained:
    """Say what would be tried for a model, in order, without calling anything."""
    return accounts.explain_route(settings, price_book(settings), model, time.time)


def price_book(settings: Settings) -> PriceBook:
    """Return the prices that count: stated ones, then the table of the data folder or the built-in one.

    Raises BadPriceTable where the one of the data folder cannot be read: nothing falls back in silence.
    """
    book = PriceBook(settings.price_overrides(), path=settings.data_dir / price_table.FILE_NAME)
    book.reload()
    return book


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
