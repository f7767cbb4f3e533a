"""Advice for the admin API: made one at a time, kept for a minute, and written in the form that is asked for.

What is heavy runs in a thread, so that the calls of the gateway go on meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from seawall.advice.numbers import Liked, Numbers
from seawall.advice.replays import Replays
from seawall.advice.report import written
from seawall.advice.words import Advice
from seawall.advising import advise_all, advise_on, report_of, study
from seawall.core.errors import Conflict
from seawall.homes import Store
from seawall.providers.price_table import BadPriceTable
from seawall.server.admin_advice import AdvicePages
from seawall.settings import Settings
from seawall.staging import stage_report

KEPT_S = 60.0
"""For how long advice is kept for those who ask again."""
NO_PRICES = (
    "There is no advice without prices, and their table in the data folder of this gateway cannot be read;"
    " `seawall doctor` says what is wrong with it."
)


def pages_of(settings: Settings, store: Store, now: Callable[[], float]) -> AdvicePages:
    """Return what makes advice for the admin API."""
    advising = Advising(settings, store, now)
    return AdvicePages(report=advising.report, advice=advising.advice, stage=advising.stage)


class Made(Struct, frozen=True):
    """Advice that was made for the admin API; `at` is when, in Unix seconds."""

    at: float
    days: int
    numbers: Numbers
    replayed: Replays
    advices: tuple[Advice, ...]


class Advising:
    """Advice for the admin API, as text in one of its forms; one is made at a time, and kept for a minute."""

    def __init__(self, settings: Settings, store: Store, now: Callable[[], float]) -> None:
        self._settings, self._store, self._now = settings, store, now
        self._lock = asyncio.Lock()
        self._kept: Made | None = None

    async def report(self, days: int, form: str) -> str:
        """Write the report on the app."""
        made = await self._make(days)
        return await asyncio.to_thread(
            lambda: written.report(report_of(made.numbers, made.advices, made.at), form)
        )

    async def advice(self, thing: str, days: int, form: str) -> str:
        """Write the advice on one thing."""
        made = await self._make(days)
        return written.advice(await asyncio.to_thread(advise_on, thing, made.numbers, made.replayed), form)

    async def stage(self, form: str) -> str:
        """Write where the app is; what users said is left out, and no repository is looked at."""
        async with self._lock:
            with _with_prices():
                found = await stage_report(self._settings, self._store, self._now(), None)
        liked = Liked(found.liked.up, found.liked.down)
        return written.stage(replace(found, liked=liked), form)

    async def _make(self, days: int) -> Made:
        async with self._lock:
            now, kept = self._now(), self._kept
            if kept is None or kept.days != days or not 0 <= now - kept.at < KEPT_S:
                with _with_prices():
                    numbers, replayed = await study(self._settings, self._store, now, days)
                advices = await asyncio.to_thread(advise_all, numbers, replayed)
                self._kept = kept = Made(now, days, numbers, replayed, tuple(advices))
            return kept


@contextmanager
def _with_prices() -> Iterator[None]:
    """Refuse what needs prices that cannot be read; the calls go on by those that are in force."""
    try:
        yield
    except BadPriceTable as error:
        raise Conflict(NO_PRICES) from error
