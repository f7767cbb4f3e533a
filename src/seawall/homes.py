"""Which home each store has, chosen by the URLs of the settings: embedded, or shared by several gateways."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from seawall.core.certificates import Certificates
from seawall.core.contracts import Counters
from seawall.settings import Settings, SettingsError
from seawall.stores.folder.certificates import FolderCertificates
from seawall.stores.memory.answers import MemoryAnswers
from seawall.stores.memory.counters import MemoryCounters
from seawall.stores.sqlite.answers import SqliteAnswers
from seawall.stores.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from seawall.stores.postgres.store import PostgresStore
    from seawall.stores.valkey.store import ValkeyStore

MB = 1024 * 1024

Store: TypeAlias = "SqliteStore | PostgresStore"
"""The ledger and all that lies beside it."""


class Cache(Struct, frozen=True):
    """The cache of answers; `answers` is `None` where nothing is kept."""

    answers: MemoryAnswers | None = None
    file: SqliteAnswers | None = None

    async def look(self) -> None:
        """Forget what is in memory where another process has cleared the file."""
        if self.file is not None and await self.file.was_cleared():
            assert self.answers is not None
            self.answers.drop()

    def close(self) -> None:
        """Write what waits and let go."""
        if self.file is not None:
            self.file.close()


def open_store(settings: Settings, folder: Path) -> Store:
    """Open the ledger and all that lies beside it; raises OSError where it cannot be used."""
    if settings.database_url is None:
        return SqliteStore(folder)
    from seawall.stores.postgres.store import PostgresStore  # noqa: PLC0415 - the driver, for those who use it

    return PostgresStore(settings.database_url)


def open_valkey(settings: Settings) -> "ValkeyStore | None":
    """Return what gateways share beside the ledger, where an address is stated; raises SettingsError."""
    if settings.valkey_url is None:
        return None
    from seawall.stores.valkey.store import ValkeyStore  # noqa: PLC0415 - 60 ms for those who have none

    stated = settings.valkey
    try:
        return ValkeyStore(settings.valkey_url, timeout_s=stated.timeout_s, gateways=stated.gateways)
    except ValueError as error:
        raise SettingsError(f"{settings.sources['valkey_url']}: valkey_url {error}.") from error


def open_counters(valkey: "ValkeyStore | None") -> Counters:
    """Return what counts for the rate limits."""
    return MemoryCounters() if valkey is None else valkey.counters


def open_cache(
    settings: Settings, folder: Path, now: Callable[[], float], valkey: "ValkeyStore | None"
) -> Cache:
    """Open the cache of answers, where one is wanted; raises OSError where it cannot be used."""
    stated = settings.cache
    if not stated.enabled:
        return Cache()
    if valkey is not None:
        rules, bytes_max = stated.rules(), int(stated.memory_mb_max * MB)
        return Cache(
            valkey.open_answers(
                bytes_max=bytes_max,
                keep_s=rules.keep_s,
                answer_bytes_max=rules.answer_bytes_max if stated.persist else 0,
                now=now,
            )
        )
    file = SqliteAnswers(folder, bytes_max=int(stated.disk_mb_max * MB)) if stated.persist else None
    answers = MemoryAnswers(
        bytes_max=int(stated.memory_mb_max * MB), keep_s=stated.rules().keep_s, file=file, now=now
    )
    return Cache(answers, file)


def open_certificates(settings: Settings, folder: Path) -> Certificates:
    """Return where fetched certificates are kept, for all gateways of a folder or of a database.

    Raises OSError where a database cannot be used.
    """
    if settings.database_url is None:
        return FolderCertificates(folder)
    # The driver, for those who use it.
    from seawall.stores.postgres.certificates import PostgresCertificates  # noqa: PLC0415
    from seawall.stores.postgres.connection import migrate  # noqa: PLC0415

    migrate(settings.database_url)
    return PostgresCertificates(settings.database_url, folder.name)
