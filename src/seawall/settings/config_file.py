"""The configuration file as a file: where it is, what it says, and how it is written as a whole."""

import codecs
import os
from pathlib import Path

from msgspec import Struct

from seawall.settings.problems import SettingsError
from seawall.settings.sources import read_text


class ConfigFile(Struct, frozen=True):
    """Where the configuration stands; `shown` is for people, and one that is named must be there."""

    path: Path
    shown: str
    is_named: bool = False

    def read(self) -> str | None:
        """Return what it says, `None` where there is none and none has to be; raises SettingsError."""
        return read_text(self.path, self.shown) if self.is_named or self.path.exists() else None

    def write(self, text: str, *, before: str | None) -> None:
        """Write the whole file at once, so that a reader sees the old one or the new one.

        `before` is what it said when the change was made; raises SettingsError where it says something else
        by now, or cannot be written. A link stays one, and what is linked to is changed.
        """
        if self.read() != before:
            raise SettingsError(f"{self.shown} has changed meanwhile; nothing was written.")
        try:
            _replace(self.path.resolve(), text)
        except OSError as error:
            raise SettingsError(f"{self.shown} cannot be written ({error.strerror}).") from None


def _replace(target: Path, text: str) -> None:
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    is_new = not target.exists()
    has_mark = not is_new and target.read_bytes().startswith(codecs.BOM_UTF8)
    try:
        with scratch.open("xb") as file:
            file.write(text.encode("utf-8-sig" if has_mark else "utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if not is_new:
            scratch.chmod(target.stat().st_mode & 0o7777)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
