"""The writer's connection to the SQLite file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from seawall.stores.sqlite.batch import LedgerBatch, Memory
from seawall.stores.sqlite.connection import open_file
from seawall.stores.writer import Operation

_FILE_TROUBLE = (apsw.BusyError, apsw.FullError, apsw.IOError, apsw.ReadOnlyError)


class SqliteEngine:
    """See `stores.writer.Engine`; `process` is whose holds are placed, `memory` what they are."""

    def __init__(self, path: Path, process: str, memory: Memory) -> None:
        self._connection = open_file(path)
        self._process, self._memory = process, memory

    def transact(self, operations: Sequence[Operation]) -> list[Any]:
        """Run operations in one transaction, which takes the lock at once and never fails half way for it."""
        batch = LedgerBatch(self._connection, self._process, self._memory)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [operation(batch) for operation in operations]
            batch.flush()
            self._connection.execute("COMMIT")
        except BaseException:
            # The error keeps the cursor alive; a question half read would keep the file as it is now, so that
            # nothing could be written once another process has.
            batch.cursor.close(force=True)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            batch.failed()
            raise
        batch.committed()
        return results

    def why_down(self, error: BaseException) -> str | None:
        """Return what is wrong with the file."""
        return f"{type(error).__name__}: {error}" if isinstance(error, apsw.Error) else None

    def is_trouble(self, error: BaseException) -> bool:
        """Say whether the file itself cannot be written."""
        return isinstance(error, _FILE_TROUBLE)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
