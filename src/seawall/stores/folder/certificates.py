"""Fetched certificates as files that only their owner can read; a lock says which process fetches.

Invariants:
- A file is replaced by renaming, so whoever reads it finds the old or the new one, whole.
- The lock is the operating system's: it ends with its process, however that ends.
"""

import asyncio
import fcntl
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from seawall.core.certificates import Kept
from seawall.core.errors import Overloaded

ACCOUNT_FILE = "account.pem"
CERTIFICATE_FILE = "certificate.pem"
LOCK_FILE = "holder"
_ANSWERS = "answers"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")


class FolderCertificates:
    """What one issuer has given, in a folder of its own; see `core.certificates.Certificates`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None

    async def read(self) -> Kept:
        """Return what is kept."""
        return await asyncio.to_thread(self._read)

    async def keep(self, kept: Kept) -> None:
        """Write the files whose content is another one."""
        await asyncio.to_thread(self._keep, kept)

    async def answer(self, token: str) -> str | None:
        """Return what the issuer must read at a token."""
        if _TOKEN.fullmatch(token) is None:
            return None
        found = await asyncio.to_thread(_read_file, self._folder / _ANSWERS / token)
        return None if found is None else found.decode()

    async def publish(self, answers: Mapping[str, str]) -> None:
        """Replace all answers to the issuer."""
        await asyncio.to_thread(self._publish, answers)

    async def hold(self) -> bool:
        """Take the lock, or keep it."""
        if self._lock is None:
            self._lock = await asyncio.to_thread(self._try_lock)
        return self._lock is not None

    async def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _read(self) -> Kept:
        return Kept(
            account_key=_read_file(self._folder / ACCOUNT_FILE),
            certificate=_read_file(self._folder / CERTIFICATE_FILE),
        )

    def _keep(self, kept: Kept) -> None:
        before = self._read()
        for name, old, new in (
            (ACCOUNT_FILE, before.account_key, kept.account_key),
            (CERTIFICATE_FILE, before.certificate, kept.certificate),
        ):
            if new is not None and new != old:
                write_private(self._folder / name, new)

    def _publish(self, answers: Mapping[str, str]) -> None:
        folder = self._folder / _ANSWERS
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in folder.iterdir():
                if path.name not in answers:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise _down(error) from error
        for token, answer in answers.items():
            assert _TOKEN.fullmatch(token), "tokens are base64url (RFC 8555, 8.3)"
            write_private(folder / token, answer.encode())

    def _try_lock(self) -> int | None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._folder / LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _down(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError as error:
            os.close(file)
            raise _down(error) from error
        return file


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all at once and durably; raises Overloaded.

    Folders that are missing are made.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(file)
        beside.rename(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _down(error) from error


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _down(error) from error


def _down(error: OSError) -> Overloaded:
    return Overloaded(retry_after_s=1.0, private=f"{error.filename or 'the folder'}: {error.strerror}")
