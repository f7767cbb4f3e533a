"""Puts advice together, from the settings, the store and the machine: for commands and for the admin API.

Invariants:
- Nothing here writes or waits for a call: whatever is read comes from the store's readers.
- What takes long to compute runs in a thread, so that the calls of a gateway go on meanwhile.
"""

import asyncio
import gc
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from seawall import accounts
from seawall.advice import things
from seawall.advice.numbers import Fact, JobNumbers, Liked, Machine, Numbers, Rates, Setup
from seawall.advice.replays import Replays
from seawall.advice.report.report import Report, parts_of
from seawall.advice.report.stages import lines
from seawall.advice.stages import Checked, report_on
from seawall.advice.what_if import CALLS_MAX, WhatIf, replay
from seawall.advice.words import Advice, Verdict
from seawall.alerts import channels_of
from seawall.core.facts import FACTS
from seawall.core.money import Price
from seawall.core.rates import format_rate
from seawall.core.traffic import Hour, UserFigures
from seawall.homes import Store
from seawall.providers.prices import PriceBook
from seawall.settings import Settings
from seawall.summing import hours_until_now

HOUR_S = 3_600
DAY_S = 86_400
DAY_HOURS = 24
DAYS = 30
DAYS_MAX = 366
MB = 1024 * 1024
FREED_AT_ONCE = 500
SAID_MAX = 20
"""How many comments of people are looked at, of either kind."""

_MEMORY = Path("/proc/meminfo")
_ASKS_FACT = re.compile(r"seawall facts set ([a-z_]+)")


def setup_of(settings: Settings) -> Setup:
    """Return what is switched on now, as the configuration says."""
    budget, cache = settings.budget, settings.cache
    aliases = settings.aliases().values()
    return Setup(
        stage=settings.stage,
        has_cache=cache.enabled,
        cache_keep_days=float(cache.keep_days) if cache.enabled else 0.0,
        log_keep_days=float(settings.log.keep_days),
        guard_mode=settings.guard.mode,
        user_limits=tuple(format_rate(rate) for rate in settings.limits.per_user or ()),
        tiers=len(settings.tiers),
        has_daily_budget=budget.daily_usd is not None,
        has_monthly_budget=budget.monthly_usd is not None,
        has_user_budget=any(tier.daily_usd or tier.monthly_usd for tier in settings.tiers.values()),
        providers=tuple(each.name for each in _survey(settings) if each.has_key),
        has_fallback=any(len(alternatives) > 1 for alternatives in aliases),
        workers=settings.server.workers,
        has_postgres=settings.database_url is not None,
        has_valkey=settings.valkey_url is not None,
        gateways=max(1, settings.valkey.gateways),
        job_concurrency=settings.jobs.concurrency,
        tasks=len(settings.tasks),
        has_alerts=bool(channels_of(settings)),
        has_backups=settings.backup.every is not None,
        has_tls=settings.tls.mode != "off" or bool(settings.behind_proxy),
        undeclared_output_tokens=settings.spending.undeclared_output_tokens,
    )


def facts_of(settings: Settings) -> Mapping[str, Fact]:
    """Return what the owner says that no ledger can know."""
    return settings.known_facts()


def machine(folder: Path) -> Machine:
    """Look at this machine: cores that this process may use, memory, load, and room beside the data."""
    memory = _memory()
    return Machine(
        cores=_cores(),
        memory_mb=memory.get("MemTotal"),
        free_mb=memory.get("MemAvailable"),
        load=_load(),
        disk_free_mb=_disk_free_mb(folder),
    )


async def gather(settings: Settings, store: Store, now: float, days: int = DAYS) -> Numbers:
    """Return the app in numbers over some days until now; raises Overloaded where the store is down."""
    until_hour = int(now // HOUR_S) + 1
    first_hour = until_hour - days * DAY_HOURS
    since = float(first_hour * HOUR_S)
    hours = await hours_until_now(store, first_hour, now)
    users = await store.traffic.users(first_hour, until_hour)
    known = [hour for hour in (users.first_hour, *(each.hour for each in hours[:1])) if hour is not None]
    seen_h = now / HOUR_S - min(known) if known else 0.0
    setup = await asyncio.to_thread(setup_of, settings)
    models = {model for hour in hours for model in hour.models}
    rates = await asyncio.to_thread(rates_of, settings, models)
    return Numbers(
        days=days,
        days_seen=min(float(days), max(0.0, seen_h) / DAY_HOURS),
        until_hour=until_hour,
        hours=hours,
        users=users,
        setup=setup,
        facts=facts_of(settings),
        machine=await asyncio.to_thread(machine, settings.data_dir),
        jobs=await _jobs(settings, store, since),
        liked=await _liked(store, since),
        rates=rates,
        unshaped=_is_unshaped(hours),
    )


def nothing_yet(settings: Settings, now: float, days: int = DAYS) -> Numbers:
    """Return the numbers of an app that has no data yet."""
    return Numbers(
        days=days,
        days_seen=0.0,
        until_hour=int(now // HOUR_S) + 1,
        hours=(),
        users=UserFigures(0, 0, (), (), 0, 0, None),
        setup=setup_of(settings),
        facts=facts_of(settings),
        machine=machine(settings.data_dir),
    )


async def study(settings: Settings, store: Store, now: float, days: int = DAYS) -> tuple[Numbers, Replays]:
    """Return the app in numbers, and its calls replayed; raises Overloaded where the store is down."""
    with _no_collection():
        numbers = await gather(settings, store, now, days)
        return numbers, await replays(store, numbers, now)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: with a hundred thousand calls in memory each look takes 50 ms."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


async def replays(store: Store, numbers: Numbers, now: float) -> Replays:
    """Replay the newest calls of the span, as far as they were kept in such a form."""
    since_ms = (numbers.until_hour - numbers.days * DAY_HOURS) * HOUR_S * 1_000
    asked = await store.traffic.asked(since_ms=since_ms, until_ms=int(now * 1_000) + 1, at_most=CALLS_MAX)
    what = WhatIf.of(numbers, is_part=len(asked) == CALLS_MAX)
    replayed = await asyncio.to_thread(replay, asked, what)
    while asked:  # Let go of at once they would hold up every call of a gateway for 60 ms.
        del asked[-FREED_AT_ONCE:]
        await asyncio.sleep(0)
    return replayed


async def advise(
    settings: Settings, store: Store, now: float, thing: str | None = None, days: int = DAYS
) -> list[Advice]:
    """Advise on one thing by whatever name, or on everything there is advice on."""
    numbers, replayed = await study(settings, store, now, days)
    if thing is not None:
        return [await asyncio.to_thread(advise_on, thing, numbers, replayed)]
    return await asyncio.to_thread(advise_all, numbers, replayed)


def advise_all(numbers: Numbers, replayed: Replays) -> list[Advice]:
    """Advise on everything there is advice on."""
    return [of(numbers, replayed) for of in things.THINGS.values()]


def advise_on(thing: str, numbers: Numbers, replayed: Replays) -> Advice:
    """Advise on one thing by its name; one that is not known gets the general questions."""
    return things.advise(thing, numbers, replayed)


def report_of(
    numbers: Numbers, advices: Sequence[Advice], now: float, *, shows_names: bool = False
) -> Report:
    """Put a report together, as it is written down."""
    return Report(
        at=datetime.fromtimestamp(now, UTC),
        numbers=numbers,
        parts=parts_of(advices),
        stage_lines=tuple(lines(report_on(numbers, (), Checked(""), now))),
        shows_names=shows_names,
    )


def facts_to_ask(advices: Iterable[Advice], facts: Mapping[str, Fact], today: date) -> list[str]:
    """Return the facts whose lack keeps a verdict from being given, and those behind one that are old."""
    lacking: list[str] = []
    old: list[str] = []
    for advice in advices:
        for figure in (figure for step in advice.steps for figure in step.figures):
            asked = _ASKS_FACT.search(figure.query)
            if asked is None or asked.group(1) not in FACTS:
                continue
            fact = facts.get(asked.group(1))
            if fact is None and not figure.is_measured and advice.verdict is Verdict.CANNOT_TELL:
                lacking.append(asked.group(1))
            elif fact is not None and fact.is_old(today):
                old.append(asked.group(1))
    return [*dict.fromkeys((*lacking, *old))]


def rates_of(settings: Settings, seen: Iterable[str]) -> dict[str, Rates]:
    """Return the prices of the models that can be called now, and of those that were, by name."""
    found = {
        name: _rates(price)
        for each in _survey(settings)
        for name, price in each.models.items()
        if price is not None and not each.is_free
    }
    book = accounts.price_book(settings)
    for model in seen:
        price = None if model in found else _price(book, model)
        if price is not None:
            found[model] = _rates(price)
    return found


def _survey(settings: Settings) -> list[accounts.Surveyed]:
    return accounts.survey(settings, accounts.price_book(settings))


def _price(book: PriceBook, model: str) -> Price | None:
    """Return the price of a model that no provider serves any more: that of the first vendor who lists it."""
    for vendor in ("", *book.table().vendors):
        price = book.find(vendor, model) or book.find(vendor, model, kind="embedding")
        if price is not None:
            return price
    return None


def _rates(price: Price) -> Rates:
    rates = price.rates
    return Rates(rates.input, rates.output, rates.cached_read, rates.cached_write)


async def _jobs(settings: Settings, store: Store, since: float) -> JobNumbers:
    """Count jobs; those that came to a good end are counted since ever, for no sum is kept by day."""
    figures = await store.jobs.figures(since, settings.jobs.rules())
    done = [sums for sums in figures.sums if sums.state == "completed"]
    completed = sum(sums.jobs for sums in done)
    return JobNumbers(
        completed=completed,
        failed=sum(each.jobs for each in figures.failed),
        waiting=figures.waiting,
        mean_run_s=sum(sums.ran_s for sums in done) / completed if completed else None,
    )


async def _liked(store: Store, since: float) -> Liked:
    ratings = await store.feedback.ratings(since)
    said = {
        rating: [
            each.comment
            for each in await store.feedback.newest(rating=rating, before=None, limit=SAID_MAX)
            if each.comment and each.at >= since
        ]
        for rating in ("up", "down")
    }
    return Liked(
        up=sum(each.up for each in ratings),
        down=sum(each.down for each in ratings),
        complaints=tuple(said["down"]),
        praise=tuple(said["up"]),
    )


def _is_unshaped(hours: Iterable[Hour]) -> bool:
    """Say whether calls were made, and none of them was kept in a form that can be replayed."""
    models = [model for hour in hours for model in hour.models.values()]
    return bool(models) and not any(model.shaped for model in models)


def _cores() -> int:
    """Return how many cores this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> dict[str, int]:
    """Read how much memory there is, in MB; nothing where the system does not say."""
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    parts = [line.split() for line in lines]
    return {part[0].rstrip(":"): int(part[1]) // 1024 for part in parts if part[-1] == "kB"}


def _load() -> float | None:
    """Return how many programs ran at once in the last five minutes."""
    try:
        return os.getloadavg()[1]
    except OSError:
        return None


def _disk_free_mb(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free // MB
    except OSError:
        return None
