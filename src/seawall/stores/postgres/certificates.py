"""Fetched certificates in Postgres, where every gateway finds them; an advisory lock says which one fetches.

The lock belongs to a session, so all goes over one connection: where that breaks, the lock is taken anew, or
another gateway has it by then.
"""

import hashlib
from collections.abc import Mapping

from seawall.core.certificates import Kept
from seawall.stores.postgres.connection import Line, Pool

_READ = b"SELECT account_key, certificate FROM certificates WHERE issuer = %s"
# What is not given stays.
_KEEP = b"""
INSERT INTO certificates (issuer, account_key, certificate) VALUES (%s, %s, %s)
ON CONFLICT (issuer) DO UPDATE SET
    account_key = coalesce(excluded.account_key, certificates.account_key),
    certificate = coalesce(excluded.certificate, certificates.certificate)"""
_ANSWER = b"SELECT answer FROM certificate_answers WHERE issuer = %s AND token = %s"
_WITHDRAW = b"DELETE FROM certificate_answers WHERE issuer = %s"
_PUBLISH = b"INSERT INTO certificate_answers (issuer, token, answer) VALUES (%s, %s, %s)"
# A session that has it already gets it again.
_HOLD = b"SELECT pg_try_advisory_lock(%s)"


class PostgresCertificates:
    """What one issuer has given; see `core.certificates.Certificates`. The schema must be up to date."""

    def __init__(self, url: str, issuer: str) -> None:
        self._pool = Pool(url, size=1)
        self._issuer = issuer
        digest = hashlib.sha256(f"seawall certificates {issuer}".encode()).digest()
        self._lock = int.from_bytes(digest[:8], signed=True)

    async def read(self) -> Kept:
        """Return what is kept."""

        async def work(connection: Line) -> Kept:
            row = await (await connection.execute(_READ, (self._issuer,))).fetchone()
            return Kept() if row is None else Kept(account_key=row[0], certificate=row[1])

        return await self._pool.run(work)

    async def keep(self, kept: Kept) -> None:
        """Keep this from now on."""

        async def work(connection: Line) -> None:
            await connection.execute(_KEEP, (self._issuer, kept.account_key, kept.certificate))

        await self._pool.run(work)

    async def answer(self, token: str) -> str | None:
        """Return what the issuer must read at a token."""

        async def work(connection: Line) -> str | None:
            row = await (await connection.execute(_ANSWER, (self._issuer, token))).fetchone()
            return None if row is None else str(row[0])

        return await self._pool.run(work)

    async def publish(self, answers: Mapping[str, str]) -> None:
        """Replace all answers to the issuer."""

        async def work(connection: Line) -> None:
            async with connection.transaction():
                await connection.execute(_WITHDRAW, (self._issuer,))
                for token, answer in answers.items():
                    await connection.execute(_PUBLISH, (self._issuer, token, answer))

        await self._pool.run(work)

    async def hold(self) -> bool:
        """Take the lock, or keep it."""

        async def work(connection: Line) -> bool:
            row = await (await connection.execute(_HOLD, (self._lock,))).fetchone()
            return row is not None and bool(row[0])

        return await self._pool.run(work)

    async def close(self) -> None:
        """Give the lock back."""
        self._pool.close()
