"""TLS for the listening socket, whose certificate can be exchanged while connections are served.

Invariants:
- A pair is loaded into a context of its own; only a whole, matching pair that is valid now gets into use.
- The exchange is one assignment: no handshake ever meets a certificate without its key, and whatever happens
  to the files, the pair in use stays as it was.
- TLS 1.2 and newer with the ciphers that Python takes from OpenSSL; HTTP/1.1 is all that is offered.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from seawall.identity.certificates import BadCertificate, CertificateFacts, read_pair

log = logging.getLogger("seawall.server")

LOOK_S = 1.0
FILE_BYTES_MAX = 1024 * 1024

Stamp = tuple[tuple[int, int, int, int] | None, ...]


class PairFiles(Struct, frozen=True):
    """The files of a certificate with its chain and of its key, as PEM; both may be one."""

    cert: Path
    key: Path

    def stamp(self) -> Stamp:
        """Return what changes whenever one of the files is replaced or written to."""
        return tuple(_stamp(path) for path in dict.fromkeys((self.cert, self.key)))

    def named(self, sentence: str) -> str:
        """Write the names of the files into a sentence, as the operator stated them."""
        return sentence.replace("{cert}", str(self.cert)).replace("{key}", str(self.key))


class LiveTls:
    """The TLS of a server: `context` stays the same while the certificate behind it is exchanged.

    Raises BadCertificate where the files cannot be used; `facts` are those of the certificate in use.
    """

    def __init__(self, files: PairFiles, *, now: Callable[[], float] = time.time) -> None:
        self._files, self._now = files, now
        self._used = self._doubted = self._told = files.stamp()
        self._inner, self.facts = _load(files, now())
        self.context = make_context()
        self.context.sni_callback = self._choose

    def look(self) -> None:
        """Load the files where they are not those in use; what is wrong is logged, once for each change.

        A bad pair is tried at every look: it may be of tomorrow, or only its permissions may change. Between
        the writing of one file and of the other nothing is said: it is no accident where the next look finds
        the same.
        """
        stamp = self._files.stamp()
        if stamp == self._used:
            return
        try:
            self._use(stamp)
        except BadCertificate as error:
            if stamp == self._doubted != self._told:
                self._told = stamp
                log.error(
                    "the new certificate cannot be used; the old one stays",
                    extra={"fields": {"why": str(error), "ends": day_of(self.facts.ends_at)}},
                )
            self._doubted = stamp

    def ask_again(self) -> None:
        """Have the next look load the files, changed or not, and say at once what is wrong with them."""
        self._used = self._told = ()
        self._doubted = self._files.stamp()

    async def watch(self, look_s: float = LOOK_S) -> None:
        """Look again and again, until cancelled; in a thread, since a network drive may be slow."""
        while True:
            await asyncio.sleep(look_s)
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                log.exception("the files of the certificate could not be looked at")

    def _use(self, stamp: Stamp) -> None:
        self._inner, self.facts = _load(self._files, self._now())
        self._used = stamp
        log.info(
            "a certificate was loaded",
            extra={"fields": {"names": list(self.facts.names), "ends": day_of(self.facts.ends_at)}},
        )

    def _choose(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _outer: ssl.SSLContext
    ) -> None:
        """Give a new connection the pair in use; OpenSSL asks with and without a server name."""
        connection.context = self._inner


def make_context() -> ssl.SSLContext:
    """Return a context for a server, without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def day_of(moment: float) -> str:
    """Write a moment in Unix seconds as its day (UTC)."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def _load(files: PairFiles, now: float) -> tuple[ssl.SSLContext, CertificateFacts]:
    """Read and judge both files; raises BadCertificate with their names in its sentence."""
    cert_pem = _read(files.cert, "certificate")
    key_pem = cert_pem if files.key == files.cert else _read(files.key, "key")
    context = make_context()
    try:
        facts = read_pair(cert_pem, key_pem, now)
        context.load_cert_chain(files.cert, files.key, password=str)  # An empty one: never ask a terminal.
    except BadCertificate as error:
        raise BadCertificate(files.named(str(error))) from None
    except (ssl.SSLError, OSError) as error:
        why = getattr(error, "reason", None) or error.strerror
        raise BadCertificate(files.named(f"OpenSSL refuses {{cert}} with {{key}} ({why})")) from None
    return context, facts


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX)
    except FileNotFoundError:
        raise BadCertificate(f"the {what} {path} does not exist") from None
    except OSError as error:
        raise BadCertificate(f"the {what} {path} cannot be read ({error.strerror})") from None


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
