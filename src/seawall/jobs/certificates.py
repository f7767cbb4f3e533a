"""Keeps a certificate that is fetched by ACME: gets it, renews it in time, and tells when another got it.

Invariants:
- Only the process that holds the right to fetch talks to the issuer; the others read what it keeps.
- What is kept is replaced by a whole, newer certificate or not at all: trouble with the issuer never takes
  the old one away.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from msgspec import Struct

from seawall.core.certificates import Certificates, Kept
from seawall.core.errors import Overloaded
from seawall.identity.certificates import BadCertificate, CertificateFacts, read_pair
from seawall.jobs.acme import AcmeTerms, NotIssued, begin_order, finish_order, make_account_key

log = logging.getLogger("seawall.jobs")

T = TypeVar("T")


class Pace(Struct, frozen=True):
    """How often things are looked at, in seconds.

    After a failure the next try waits `retry_s`, and twice as long each time, up to `retry_s_max`: an issuer
    allows few failures an hour. `apart_s` lies between two certificates even where a clock is wrong. `wait_s`
    is how long a start waits for another process that is fetching.
    """

    look_s: float = 10.0
    retry_s: float = 600.0
    retry_s_max: float = 6 * 3600.0
    apart_s: float = 3600.0
    wait_s: float = 180.0


class CertificateKeeper:
    """Gets and renews the certificate of some domains; `use` is given each new one, as PEM.

    A third of its life before the end, and a little earlier by chance so that not everybody comes at once, a
    certificate is renewed. `now` counts Unix seconds, `clock` those between tries.
    """

    def __init__(
        self,
        terms: AcmeTerms,
        certificates: Certificates,
        use: Callable[[bytes], None],
        *,
        pace: Pace | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terms, self._certificates, self._use = terms, certificates, use
        self._pace = pace or Pace()
        self._now, self._clock = now, clock
        self._used: bytes | None = None
        self._early = random.SystemRandom().uniform(0, 1 / 30)
        self._failures = 0
        self._next_try = 0.0

    async def obtain(self, tell: Callable[[str], None]) -> None:
        """Use the certificate that is kept, or get one; returns once there is one.

        `tell` says to people why it takes time. Raises NotIssued, and Overloaded where the store is down.
        """
        deadline = self._clock() + self._pace.wait_s
        while True:
            kept = await self._certificates.read()
            if self._facts(kept) is not None:
                break
            if await self._certificates.hold():
                tell(
                    f"Getting a certificate for {', '.join(self._terms.domains)} from {self._terms.issuer}; "
                    "this takes a few seconds and agrees to its terms ..."
                )
                kept = await self._fetch(await self._certificates.read())
                break
            if self._clock() > deadline:
                raise NotIssued("another gateway is getting the certificate and does not finish")
            await asyncio.sleep(min(1.0, self._pace.look_s))
        self._take(kept)

    async def keep_fresh(self) -> None:
        """Renew the certificate in time and use what other processes got, until cancelled."""
        while True:
            await asyncio.sleep(self._pace.look_s)
            try:
                await self._look()
            except NotIssued as error:
                self._failed(str(error))
            except Overloaded as error:
                log.error("the store of certificates is down", extra={"fields": {"why": error.private}})
            except Exception:
                log.exception("the certificate could not be looked after")
                self._failed("an error of our own")

    async def _look(self) -> None:
        kept = await self._certificates.read()
        self._take(kept)
        if not self._is_due(kept) or self._clock() < self._next_try:
            return
        if not await self._certificates.hold():
            return
        kept = await self._certificates.read()  # Who held it before may have renewed it meanwhile.
        if self._is_due(kept):
            try:
                kept = await self._fetch(kept)
            except Overloaded as error:  # No order may follow at once: an issuer gives few in a week.
                raise NotIssued(f"it cannot be kept ({error.private})") from error
            self._next_try = self._clock() + self._pace.apart_s
        self._failures = 0
        self._take(kept)

    async def _fetch(self, kept: Kept) -> Kept:
        """Get a new certificate and keep it."""
        if kept.account_key is None:
            kept = Kept(account_key=make_account_key(), certificate=kept.certificate)
            await self._certificates.keep(kept)
        account_key, terms = kept.account_key, self._terms
        assert account_key is not None
        order = await _in_thread(lambda: begin_order(terms, account_key))
        try:
            await self._certificates.publish(order.answers)
            pem = await _in_thread(lambda: finish_order(terms, order))
        finally:
            await self._certificates.publish({})
        fetched = Kept(account_key=account_key, certificate=pem)
        if self._facts(fetched) is None:
            raise NotIssued(f"{terms.issuer} gave a certificate that is not the one asked for")
        await self._certificates.keep(fetched)
        log.info("a certificate was issued", extra={"fields": {"names": list(terms.domains)}})
        return fetched

    def _take(self, kept: Kept) -> None:
        """Use what is kept where it is another one and can be used."""
        if kept.certificate is not None and kept.certificate != self._used and self._facts(kept) is not None:
            self._use(kept.certificate)
            self._used = kept.certificate

    def _is_due(self, kept: Kept) -> bool:
        facts = self._facts(kept)
        if facts is None:
            return True
        life = facts.ends_at - facts.starts_at
        return self._now() >= facts.ends_at - life * (1 / 3 + self._early)

    def _facts(self, kept: Kept) -> CertificateFacts | None:
        """Return what the kept certificate says; `None` where it is missing, has ended or lacks a domain."""
        if kept.certificate is None:
            return None
        try:
            facts = read_pair(kept.certificate, kept.certificate, self._now())
        except BadCertificate:
            return None
        return facts if set(self._terms.domains) <= set(facts.names) else None

    def _failed(self, why: str) -> None:
        wait_s = min(self._pace.retry_s_max, self._pace.retry_s * 2 ** min(self._failures, 20))
        wait_s *= random.SystemRandom().uniform(0.8, 1.2)
        self._failures += 1
        self._next_try = self._clock() + wait_s
        log.error(
            "the certificate could not be renewed; the old one stays",
            extra={"fields": {"why": why, "next_try_s": round(wait_s)}},
        )


async def _in_thread(work: Callable[[], T]) -> T:
    """Run what blocks in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type] # `T` may itself be optional

    def run() -> None:
        try:
            result, failed = work(), None
        except Exception as error:  # It belongs to who waits.
            result, failed = None, error
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(settle, result, failed)

    Thread(target=run, name="acme", daemon=True).start()
    return await done
