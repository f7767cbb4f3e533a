"""The composition root: settings in, a gateway and its application out. It alone knows everyone."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seawall import accounts, alerts, homes, monitoring, notifying, tasks
from seawall.accounts import Accounts, Carry, Surveyed, alias_notes, price_book, routing_of
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
from seawall.jobs.alerting import DIGEST_S
from seawall.pipeline.shaping import Shaper
from seawall.providers.demo import DEMO_PRICE
from seawall.providers.profile import Headers
from seawall.providers.router import ModelRouter
from seawall.providers.tokens import Tokenizer
from seawall.server.access_log import AccessLog
from seawall.server.admin_advice import AdvicePages
from seawall.server.app import App, Desk
from seawall.server.body import BodyLimits
from seawall.settings import Settings, SettingsError
from seawall.summing import LOOK_S
from seawall.upkeep import TRIM_S, Upkeep
from seawall.working import Periodic, working_of

if TYPE_CHECKING:
    from seawall.identity.tokens import Tokens

log = logging.getLogger("seawall.app")

FIRST_KEY_NAME = "default"
ADMIN_KEY_FILE = "admin.key"
ADMIN_KEY_CHARS_MIN = 16


class Seawall:
    """One gateway with everything it owns; `asgi` is the application that a server runs.

    `found` are the providers with what told us of them, `notes` what the operator should know. `now` tells
    the Unix time, which an administrator may set; `clock` counts seconds and never jumps. `worker` is the
    number of this process where there are several, `queues` are those of which it does jobs, `None` for all.
    `carry` is for providers that are not reached by the network.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        worker: int | None = None,
        queues: tuple[str, ...] | None = None,
        carry: Carry | None = None,
    ) -> None:
        self.settings = settings
        folder = prepare_folder(settings.data_dir)
        stated = settings.admin_key
        self.admin_key = stated.get_secret_value() if stated else read_admin_key(folder)
        self._tokenizer = Tokenizer()
        found = Accounts(settings, self._tokenizer, self._tell_demo, carry)
        self.prices = price_book(settings)
        routing = routing_of(settings)
        self.router = ModelRouter(found.offers(), self.prices, routing, now=now, clock=time.monotonic)
        self._accounts, self.found = found.opened, found.found
        self.notes = [*found.notes, *alias_notes(settings, self.router)]
        self.store = homes.open_store(settings, folder)
        self._access_log = AccessLog(style=settings.log_style(), is_on=settings.log.access, worker=worker)
        house = settings.house_terms()
        self._make_identity(house, now, clock)
        self._valkey = homes.open_valkey(settings)
        self._cache = homes.open_cache(settings, folder, now, self._valkey)
        self.guard = LocalGuard(learned=_learned(settings))
        self._recorder = monitoring.recorder_of(self.router)
        self.gateway = self._make_gateway(house, now, clock)
        parts = monitoring.parts_of(settings, self.store, self.router, lambda: len(self.asgi.calls.running))
        self.metrics = monitoring.metrics_of(settings, self.gateway, self._recorder, parts, worker)
        self.asgi = App(
            self.gateway,
            desk=Desk(self.admin_key, partial(_open_advice, settings, self.store, now)),
            limits=_body_limits(settings),
            metrics=self.metrics,
            on_start=self.start,
            on_stop=self.stop,
        )
        self._upkeep = Upkeep(
            self.gateway,
            self.store,
            identity=self.identity,
            prices=self.prices,
            cache=self._cache,
            settings=settings,
        )
        self.notices = notifying.notices_of(settings, now)
        self.gateway.news_of = self.notices.news_of
        self.alerting = alerts.alerting_of(settings, self.gateway, self.store, now)
        self.working = working_of(
            settings, self.gateway, self.store, queues=queues, periodic=self._periodic()
        )
        self.dispatcher = notifying.dispatcher_of(settings, self.store, now)

    def _periodic(self) -> list[Periodic]:
        """Return what one process of all does, and how often."""
        found = [
            Periodic("retention", TRIM_S, self._upkeep.trim),
            Periodic("traffic", LOOK_S, self._upkeep.sums.catch_up),
        ]
        if self.alerting is not None:
            found.append(Periodic("digest", DIGEST_S, self.alerting.tell_digest))
        return found

    def _make_gateway(
        self, house: HouseTerms, now: Callable[[], float], clock: Callable[[], float]
    ) -> Gateway:
        settings = self.settings
        return Gateway(
            identity=self.identity,
            router=self.router,
            ledger=self.store.ledger,
            counters=homes.open_counters(self._valkey),
            call_log=self.store.call_log,
            idempotent=self.store.idempotent,
            directory=self.store.directory,
            conversations=self.store.conversations,
            jobs=self.store.jobs,
            feedback=self.store.feedback,
            job_rules=settings.jobs.rules(),
            state_keep_s=settings.state.keep_s,
            lines=Lines(),
            limits=settings.limits_of_calls(),
            now=now,
            clock=clock,
            proxies=tuple(settings.behind_proxy),
            tell=monitoring.telling(self._access_log, self._recorder),
            new_id=CallIds(),
            support_contact=settings.support_contact,
            house=house,
            breaker=LoopBreaker(settings.loop.rules()),
            guard=self.guard,
            answers=self._cache.answers,
            cache_rules=settings.cache.rules(),
            telling=settings.progress.telling(),
            tasks=tasks.targets_of(settings),
            event_channels=alerts.channels_of(settings, "user.tier_changed"),
            tell_others=self._valkey.tell_others if self._valkey is not None else lambda: None,
        )

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

    async def prepare(self) -> str | None:
        """Settle what dead processes left and make the first key; returns it where it is new.

        Run this before anybody can call: from then on the ledger is at or above the provider's bill.
        """
        recovered = await self.gateway.ledger.reap()
        salt = await self.gateway.directory.salt()
        self.guard.use_secret(salt)
        if self.settings.log.shapes:
            self.gateway.shape_of = Shaper(salt).shape_of
        if recovered:
            log.warning(
                "calls of a stopped gateway were settled in full", extra={"fields": {"calls": recovered}}
            )
        if await self.gateway.directory.keys():
            return None
        record, key = records.make({"name": FIRST_KEY_NAME}, self.gateway.now())
        await self.gateway.directory.put(record)
        return key

    async def start(self) -> None:
        """Begin everything that goes on beside the calls, jobs among it."""
        if any(guard.looks_at_input for guard in self.gateway.house.guards.values()):
            await asyncio.to_thread(self.guard.warm)
        if self._valkey is not None:
            self._valkey.on_change(self._upkeep.look)
            await self._valkey.start(await self.gateway.directory.salt())
        self._upkeep.start()
        self.metrics.start()
        self.dispatcher.start()
        await self.working.start()
        if self.alerting is not None:
            self.alerting.start()

    async def stop(self) -> None:
        """End it, and let go of everything; what runs may come to its end."""
        await self.working.stop()
        await self._upkeep.stop()
        if self._valkey is not None:
            await self._valkey.stop()
        await self.metrics.stop()
        if self.alerting is not None:
            await self.alerting.stop()
        await self.dispatcher.stop()
        await self.close()

    async def close(self) -> None:
        """Write what waits and let go of everything."""
        for account in self._accounts:
            await account.close()
        if self._tokens is not None:
            await self._tokens.close()
        self._access_log.flush()
        with suppress(SeawallError):  # When a key was last used is not worth a failure.
            await self._upkeep.note_use()
        await asyncio.to_thread(self._cache.close)
        if not await asyncio.to_thread(self.store.close):
            log.error("something was still held; the next start settles it in full")

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


def _open_advice(settings: Settings, store: homes.Store, now: Callable[[], float]) -> AdvicePages:
    """Load what makes advice; most gateways are never asked for any."""
    from seawall.advice_pages import pages_of  # noqa: PLC0415 - see above

    return pages_of(settings, store, now)


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


def survey(settings: Settings) -> list[Surveyed]:
    """List what a gateway with these settings would find to call; opens and calls nothing."""
    return accounts.survey(settings, price_book(settings))


def explain_route(settings: Settings, model: str) -> Explained:
    """Say what would be tried for a model, in order, without calling anything."""
    return accounts.explain_route(settings, price_book(settings), model, time.time)


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
