"""Brings a database up to date: one that others have written is copied first."""

import logging
import time
from pathlib import Path

import apsw

from seawall.stores.sqlite.backups import FOLDER, contents_of, make_folder, only_one, place_for
from seawall.stores.sqlite.connection import migrate, newest_schema, open_file
from seawall.stores.sqlite.copying import CopyFailed, Course, copy_database
from seawall.stores.sqlite.marks import check_marks

log = logging.getLogger("seawall.store")


def bring_up_to_date(path: Path, *, heeds_marks: bool = True) -> None:
    """Make the database, or run the migrations that it has not seen; what is in it is copied before.

    Raises OSError: where the file is of a newer Seawall, where the copy failed, where it cannot be used, and
    where its data is being moved, unless that does not matter.
    """
    try:
        connection = open_file(path)
        try:
            schema, newest = int(connection.pragma("user_version")), newest_schema()
            if schema > newest:
                raise OSError(
                    f"{path.name} was written by a newer Seawall: its schema is {schema}, and this one knows"
                    f" {newest}; go back to that version, or restore a backup from before the upgrade"
                )
            if heeds_marks:
                check_marks(connection)
            if 0 < schema < newest:
                _copy_and_migrate(path, connection)
            else:
                migrate(connection)
        finally:
            connection.close()
    except apsw.Error as error:
        raise OSError(f"{path.name}: {error}") from error


def _copy_and_migrate(path: Path, connection: apsw.Connection) -> None:
    folder, now = path.parent / FOLDER, time.time()
    with only_one(path.parent, waits=True):
        schema, newest = int(connection.pragma("user_version")), newest_schema()
        if schema == newest:
            return  # Another process was faster.
        target = place_for(folder, f"before-{schema + 1:04d}", now)
        try:
            make_folder(folder)
            copy_database(path, target, contents_of({}, now), Course())
        except CopyFailed as error:
            raise OSError(
                f"its schema is to be brought from {schema} to {newest}, and the copy that is made before"
                f" failed: {error.why}"
            ) from error
        migrate(connection)
    fields = {"schema": newest, "copy": target.name}
    log.warning(
        "the schema was brought up to date; a copy of the file before is kept", extra={"fields": fields}
    )
