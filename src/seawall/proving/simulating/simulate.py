"""Simulates days of traffic before the user's own configuration: what it would have cost, with and without.

"With" is a whole gateway: its limits, quotas, budgets, loop breaker, guard, cache and ledger, at the pace of
the machine and the time of the simulation. "Without" is the same calls at the provider's price with nothing
in the way: each is answered in the length that it asks for, and nobody hears no. Only the provider, the data
folder and what would reach others are not the user's.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from seawall.accounts import price_book
from seawall.app import Seawall
from seawall.core.money import Money, Price
from seawall.core.policy import Credentials
from seawall.providers import price_table
from seawall.providers.prices import PriceBook
from seawall.proving.simulating.asking import Writer, user_of
from seawall.proving.simulating.driving import Asking, Clock, Driver
from seawall.proving.simulating.profiles import Profile
from seawall.proving.simulating.provider import BillingProvider
from seawall.proving.simulating.tally import Simulated, Tally
from seawall.proving.simulating.traffic import Planned, Span, heads_of, plan, users_for
from seawall.settings import (
    AlertSettings,
    BackupSettings,
    MailSettings,
    ProviderSettings,
    Settings,
)

PROVIDER, ADDRESS = "openai", "https://api.openai.com/v1"
"""As whom the provider of the simulation is known; nothing leaves the process."""
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, as in any temporary place
ROOM_BYTES = 2 * 1024**3


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be simulated; `until` is the moment before whose day it ends, in Unix seconds.

    `model` is asked in the place of the profile's own, and `keep` is where the ledger is left.
    """

    profile: Profile
    users: int
    days: int
    seed: int
    until: float
    model: str | None = None
    keep: Path | None = None


Tell = Callable[[int, int], None]
"""Is told how many calls there are in all, and how many of them are made."""


class NoPrice(Exception):
    """A model has no price, so nothing can be said of its cost."""


async def simulate(settings: Settings, wish: Wish, tell: Tell = lambda whole, made: None) -> Simulated:
    """Make all calls of a profile through a gateway with these settings; raises NoPrice."""
    profile, span = wish.profile, Span.until(wish.until, wish.days)
    users = users_for(profile, wish.users, span)
    writers = [Writer(crowd, wish.seed, wish.model) for crowd in profile.crowds]
    models = tuple(dict.fromkeys(writer.model for writer in writers))
    prices = prices_of(price_book(settings), models)
    provider, clock = BillingProvider(prices.__getitem__), Clock(span.begin)
    tally = Tally(span.begin, span.days)
    with TemporaryDirectory(prefix="seawall-", dir=_place()) as folder:
        data = Path(folder) / "data"
        _take_prices(settings, data)
        seawall = Seawall(
            _alone(settings, models, data), now=clock, clock=clock, carry=lambda address: provider
        )
        try:
            key = await seawall.prepare()
            assert key is not None, "the folder is new"
            await asyncio.to_thread(seawall.guard.warm)
            driver = Driver(seawall, Credentials(secret=key), provider, clock, tally)
            await driver.introduce(_named(profile, users))
            planned = plan(profile, users, span, wish.seed)
            began, busy = time.perf_counter(), time.process_time()
            await driver.run(_askings(profile, planned, writers), partial(tell, len(planned)))
            took_s, cpu_s = time.perf_counter() - began, time.process_time() - busy
            spend = await seawall.gateway.call_log.spend("global", span.end - 1)
        finally:
            await seawall.close()
        if wish.keep is not None:
            shutil.copytree(data, wish.keep, dirs_exist_ok=True)
    return Simulated(
        profile=profile,
        users=users,
        users_wanted=wish.users,
        seed=wish.seed,
        models=models,
        whole=tally.whole,
        days=tuple(tally.days),
        refused=tally.refusals(),
        dearest=tally.dearest(),
        damage={crowd.name: tally.by_crowd[crowd.name] for crowd in profile.crowds if crowd.does_damage},
        crowds=_heads(profile, users),
        hours={crowd.name: span.hours_of(crowd) for crowd in profile.crowds},
        bill=Money(provider.bill),
        ledger=spend.lifetime,
        held=spend.held,
        overage=spend.overage,
        took_s=took_s,
        cpu_s=cpu_s,
    )


def _askings(profile: Profile, planned: Sequence[Planned], writers: Sequence[Writer]) -> Iterator[Asking]:
    """Write the calls as they are wanted: a month of texts is more than memory should hold."""
    for call in planned:
        writer = writers[call.crowd]
        yield Asking(call.at, profile.crowds[call.crowd], writer.model, writer.write(call))


def prices_of(book: PriceBook, models: Sequence[str]) -> dict[str, Price]:
    """Return what the provider bills for each model; raises NoPrice."""
    found = {model: book.find(PROVIDER, model, provider=PROVIDER) for model in models}
    missing = [model for model, price in found.items() if price is None]
    if missing:
        raise NoPrice(missing[0])
    return {model: price for model, price in found.items() if price is not None}


def _alone(settings: Settings, models: Sequence[str], folder: Path) -> Settings:
    """Return the settings with a ledger and a provider of the simulation's own, and nobody to tell.

    Nothing of it may reach what gateways share, and nothing may leave.
    """
    provider = ProviderSettings.model_validate({"base_url": ADDRESS, "models": list(models)})
    return settings.model_copy(
        update={
            "providers": {PROVIDER: provider},
            "models": {},
            "data_dir": folder,
            "database_url": None,
            "valkey_url": None,
            "backup": BackupSettings(),
            "alerts": AlertSettings(),
            "mail": MailSettings(),
            "issuers": {},
            "tasks": {},
            "webhooks": {},
            "demo": settings.demo.model_copy(update={"enabled": False}),
            "log": settings.log.model_copy(update={"access": False}),
        }
    )


def _take_prices(settings: Settings, folder: Path) -> None:
    """Take the user's own table of prices along, where there is one."""
    table = settings.data_dir / price_table.FILE_NAME
    if table.exists():
        folder.mkdir(mode=0o700)
        shutil.copy(table, folder)


def _place() -> Path | None:
    """Return where the ledger lies meanwhile: in memory, where there is room; `None` for any other place.

    Commits stay durable as ever; in memory there is no disk to wait for.
    """
    if IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES:
        return IN_MEMORY
    return None


def _named(profile: Profile, users: int) -> list[str]:
    """List the callers whom the app names."""
    return [
        user_of(crowd, head)
        for crowd in profile.crowds
        if crowd.is_named
        for head in range(heads_of(crowd, users))
    ]


def _heads(profile: Profile, users: int) -> dict[str, int]:
    return {crowd.name: heads_of(crowd, users) for crowd in profile.crowds}
