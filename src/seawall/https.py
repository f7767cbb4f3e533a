"""Puts HTTPS together from the settings: stated files, fetched certificates, or one for this machine."""

import asyncio
import importlib.util
import logging
import re
import shlex
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from seawall import homes
from seawall.core.ending import end
from seawall.core.errors import Overloaded
from seawall.identity.certificates import BadCertificate, read_pair
from seawall.identity.local_certificates import make_authority, make_local_certificate
from seawall.server.binding import Sockets
from seawall.server.protocol import RequestLimits
from seawall.server.redirect import RedirectApp, redirecting
from seawall.server.serving import Secured
from seawall.server.tls import LiveTls, PairFiles, day_of
from seawall.settings import Settings
from seawall.stores.folder.certificates import CERTIFICATE_FILE, write_private

log = logging.getLogger("seawall.app")

DAY_S = 86_400
LOCAL_LOOK_S = 3_600.0
NEAR_S = 14 * DAY_S
"""An end that is so near is a problem, where the certificate should have been renewed by then."""
LOCAL_LEFT_S = 30 * DAY_S
"""A certificate for this machine that lives no longer than this is made anew."""

LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
FOLDER = "tls"
AUTHORITY_FILE = "local-ca.pem"
AUTHORITY_KEY_FILE = "local-ca.key"
LOCAL_FILE = "local.pem"


class NoHttps(Exception):
    """Why there is no HTTPS, in one sentence without its full stop."""


class Https(Struct, frozen=True):
    """HTTPS as it is served: the names of its certificate, and what to tell people of it, by lines."""

    secured: Secured
    names: tuple[str, ...]
    told: tuple[str, ...]

    def host_for(self, bound: str) -> str:
        """Return by which name clients can call; that is the address where the certificate is for it too."""
        called = [name for name in self.names if not _is_address(name) and "*" not in name]
        return bound if bound in self.names or not called else called[0]


@asynccontextmanager
async def https_of(
    settings: Settings, sockets: Sockets, limits: RequestLimits, tell: Callable[[str], None]
) -> AsyncIterator[Https | None]:
    """Bring up what the settings ask for, and keep it fresh until the block ends; `None` for plain HTTP.

    `tell` says to people why a start takes time. Raises NoHttps.
    """
    tls = settings.tls
    async with AsyncExitStack() as stack:
        if tls.mode == "off":
            yield None
            return
        try:
            if tls.mode == "auto":
                live = await stack.enter_async_context(_fetched(settings, sockets, limits, tell))
            else:
                assert tls.cert is not None and tls.key is not None
                live = LiveTls(PairFiles(tls.cert, tls.key))
        except BadCertificate as error:
            raise NoHttps(str(error)) from error
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, live.ask_again)
        stack.callback(loop.remove_signal_handler, signal.SIGHUP)
        await stack.enter_async_context(_running(live.watch()))
        names = live.facts.names
        # Browsers would keep a promise for localhost against everything else that runs there.
        hsts_s = 0 if set(names) <= LOCAL_NAMES else tls.hsts_days * DAY_S
        secured = Secured(live.context, limits.head_timeout_s, hsts_s)
        yield Https(secured, names, (f"{', '.join(names)}, until {day_of(live.facts.ends_at)}",))


@asynccontextmanager
async def local_https(settings: Settings, limits: RequestLimits) -> AsyncIterator[Https]:
    """Bring up HTTPS with a certificate that is made here, for this machine alone; raises NoHttps."""
    folder = settings.data_dir / FOLDER
    try:
        make_local_files(folder, time.time())
        live = LiveTls(PairFiles(folder / LOCAL_FILE, folder / LOCAL_FILE))
    except (BadCertificate, Overloaded, OSError) as error:
        raise NoHttps(f"the certificate for this machine cannot be made ({_why(error)})") from error
    async with _running(live.watch()), _running(_remake(folder)):
        secured = Secured(live.context, limits.head_timeout_s)
        yield Https(secured, live.facts.names, _how_to_trust(folder / AUTHORITY_FILE))


def certificate_problems(settings: Settings, now: float) -> list[str]:
    """Say what is wrong with the certificate that a gateway with these settings would serve, or soon will be.

    One that has not been fetched yet is no problem.
    """
    tls = settings.tls
    if tls.mode == "off":
        return []
    if tls.cert is not None and tls.key is not None:
        files = PairFiles(tls.cert, tls.key)
    else:
        fetched = _fetched_folder(settings) / CERTIFICATE_FILE
        files = PairFiles(fetched, fetched)
        if not fetched.exists():
            return []
    try:
        facts = LiveTls(files, now=lambda: now).facts
    except BadCertificate as error:
        return [str(error)]
    left_s = facts.ends_at - now
    # Whoever renews does so when a third of the life is left.
    if left_s > (facts.ends_at - facts.starts_at) / 4 or left_s > NEAR_S:
        return []
    return [f"the certificate {files.cert} ends on {day_of(facts.ends_at)} and has not been renewed"]


def make_local_files(folder: Path, now: float) -> None:
    """Make the authority of this machine and its certificate where they are missing or end soon.

    Raises OSError, and Overloaded where they cannot be written.
    """
    authority, key, pair = (folder / name for name in (AUTHORITY_FILE, AUTHORITY_KEY_FILE, LOCAL_FILE))
    if not _lives(authority, key, now + LOCAL_LEFT_S + 365 * DAY_S):
        made, made_key = make_authority(now)
        write_private(key, made_key)
        write_private(authority, made)
        pair.unlink(missing_ok=True)
    if not _lives(pair, pair, now + LOCAL_LEFT_S):
        write_private(pair, make_local_certificate(authority.read_bytes(), key.read_bytes(), now))


@asynccontextmanager
async def _fetched(
    settings: Settings, sockets: Sockets, limits: RequestLimits, tell: Callable[[str], None]
) -> AsyncIterator[LiveTls]:
    """Answer the issuer on the plain port, get a certificate or use the kept one, and renew it in time."""
    if importlib.util.find_spec("acme") is None:
        raise NoHttps('automatic certificates need the acme library: pip install "seawall[acme]"')
    from seawall.jobs.acme import AcmeTerms, NotIssued  # noqa: PLC0415 - an extra
    from seawall.jobs.certificates import CertificateKeeper  # noqa: PLC0415 - an extra

    tls = settings.tls
    terms = AcmeTerms(
        domains=tuple(tls.auto),
        directory_url=tls.directory_url,
        email=tls.email,
        ca=tls.ca,
        http_port=tls.http_port,
    )
    folder = _fetched_folder(settings)
    path = folder / CERTIFICATE_FILE
    try:
        certificates = await asyncio.to_thread(homes.open_certificates, settings, folder)
    except OSError as error:
        raise NoHttps(f"the database cannot be used ({_why(error)})") from error
    keeper = CertificateKeeper(terms, certificates, lambda pem: _write_new(path, pem))
    try:
        assert sockets.http is not None
        hosts = [*terms.domains, *_address_of(sockets.main)]
        port = sockets.main.getsockname()[1]
        redirect = RedirectApp(hosts, port, certificates.answer)
        async with redirecting(redirect, sockets.http, limits):
            try:
                await keeper.obtain(tell)
            except (NotIssued, Overloaded) as error:
                raise NoHttps(
                    f"there is no certificate for {', '.join(terms.domains)}: {_why(error)}"
                ) from error
            live = LiveTls(PairFiles(path, path))
            async with _running(keeper.keep_fresh()):
                yield live
    finally:
        await certificates.close()


def _how_to_trust(authority: Path) -> tuple[str, ...]:
    file = shlex.quote(str(authority))
    return (
        "for this machine only; to have your app trust it:",
        f"    export SSL_CERT_FILE={file}  # Python, curl",
        f"    export NODE_EXTRA_CA_CERTS={file}  # Node.js",
        "    browsers: import that file as an authority, or accept the warning once",
    )


async def _remake(folder: Path) -> None:
    while True:
        await asyncio.sleep(LOCAL_LOOK_S)
        try:
            make_local_files(folder, time.time())
        except (OSError, Overloaded) as error:
            why = {"why": _why(error)}
            log.error("the certificate for this machine cannot be made anew", extra={"fields": why})


@asynccontextmanager
async def _running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run something that never ends by itself, until the block ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await end(task)


def _lives(cert: Path, key: Path, moment: float) -> bool:
    """Say whether a pair is there, whole, and still valid at a moment."""
    try:
        facts = read_pair(cert.read_bytes(), key.read_bytes(), moment)
    except (FileNotFoundError, BadCertificate):
        return False
    return bool(facts)


def _write_new(path: Path, pem: bytes) -> None:
    """Write a fetched certificate where it can be loaded from, unless it is there."""
    if not path.exists() or path.read_bytes() != pem:
        write_private(path, pem)


def _address_of(bound: socket.socket) -> list[str]:
    """Return the address that a socket is bound to; nothing where that is every one of this machine."""
    address = str(bound.getsockname()[0])
    return [] if address in {"0.0.0.0", "::"} else [address]  # noqa: S104 - compared, not bound


def _fetched_folder(settings: Settings) -> Path:
    """Return where lies what an issuer gave: that of a trial issuer is never taken for a real one's."""
    issuer = urlsplit(settings.tls.directory_url).netloc.lower()
    return settings.data_dir / FOLDER / (re.sub(r"[^a-z0-9.-]", "_", issuer).strip(".") or "issuer")


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def _why(error: Exception) -> str:
    return str(getattr(error, "private", None) or getattr(error, "strerror", None) or error)
