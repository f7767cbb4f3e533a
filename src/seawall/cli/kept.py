"""The answers that the cache keeps, for commands: in Valkey where one is stated, else in a file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from seawall.cli.opening import stop

if TYPE_CHECKING:
    from seawall.settings import Settings
    from seawall.stores.memory.answers import AnswerFile

MB = 1024 * 1024


@asynccontextmanager
async def kept_answers(settings: "Settings", salt: bytes) -> "AsyncIterator[AnswerFile | None]":
    """Open what is kept for all gateways, `None` where nothing is; `salt` is that of the store.

    Ends with one sentence where Valkey is out of reach: what lies there could not be forgotten.
    """
    if settings.valkey_url is None:
        async with _file(settings) as file:
            yield file
        return
    from seawall.settings.growing import hide_password
    from seawall.stores.valkey.store import Unreachable, shared_answers

    try:
        async with shared_answers(settings.valkey_url, salt) as shared:
            yield shared
    except (Unreachable, ValueError) as error:
        stop(f"valkey_url {hide_password(settings.valkey_url)} cannot be used ({error}).")


@asynccontextmanager
async def _file(settings: "Settings") -> "AsyncIterator[AnswerFile | None]":
    from seawall.stores.sqlite.answers import FILE, SqliteAnswers

    if not (settings.data_dir / FILE).exists():
        yield None
        return
    file = SqliteAnswers(settings.data_dir, bytes_max=int(settings.cache.disk_mb_max * MB))
    try:
        await file.was_cleared()  # By then it is open.
        yield file
    finally:
        await asyncio.to_thread(file.close)
