"""Secrets: where keys are looked up.

Invariants:
- No value that is looked up here appears in a repr, a message or an explanation.
- A name is checked before it becomes the name of a file.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from seawall.settings.problems import SettingsError

ADMIN_KEY = "SEAWALL_ADMIN_KEY"
NAMED_SECRETS = {"tasks": "SEAWALL_TASK_{}_SECRET", "webhooks": "SEAWALL_WEBHOOK_{}_SECRET"}
"""The variables with the secrets of sections of which there may be several; the name is in the braces."""
PREVIOUS = "_PREVIOUS"
"""What the variable of the secret before ends in, while it is being replaced."""
SECRET_BYTES_MAX = 65_536
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


def secret_variable(section: str, name: str) -> str:
    """Return the variable with the secret of one of several sections."""
    return NAMED_SECRETS[section].format(re.sub(r"[^A-Za-z0-9]", "_", name).upper())


class Secrets:
    """Looks a secret up by the name of its variable: environment, then `.env`, then the secrets folder."""

    __slots__ = ("_dotenv", "_environ", "_folder")

    def __init__(self, environ: Mapping[str, str], dotenv: Mapping[str, str], folder: Path | None) -> None:
        self._environ = environ
        self._dotenv = dotenv
        self._folder = folder

    def __repr__(self) -> str:
        return "Secrets(values are not shown)"

    def get(self, name: str, *, other_than: str | None = None) -> str | None:
        """Return the secret, or `None` where it is stated nowhere; an empty one counts as not stated.

        One that begins with `other_than` is passed over: the next source is asked.

        Raises SettingsError for a secret that cannot be read, or that cannot travel in a header.
        """
        found = self._find(name, other_than)
        if found is None:
            return None
        source, value = found
        if not value.isascii() or not value.isprintable():
            raise SettingsError(
                f"{source}: this secret holds characters that no key can have; copy it again, on one line."
            )
        return value

    def where(self, name: str, *, other_than: str | None = None) -> str | None:
        """Say where the secret is stated, never what it is."""
        found = self._find(name, other_than)
        return None if found is None else found[0]

    def _find(self, name: str, other_than: str | None) -> tuple[str, str] | None:
        for source, values in (("environment", self._environ), (".env", self._dotenv)):
            value = values.get(name, "").strip()
            if value and not (other_than and value.startswith(other_than)):
                return f"{source} {name}", value
        if self._folder is None or _VARIABLE.fullmatch(name) is None:
            return None
        value = _read_secret(self._folder / name, name)
        return (f"secrets folder, file {name}", value) if value else None


def _read_secret(path: Path, name: str) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(SECRET_BYTES_MAX + 1)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            f"The file {name} in the secrets folder cannot be read; make it text that this user may read."
        ) from None
    if len(text) > SECRET_BYTES_MAX:
        raise SettingsError(f"The file {name} in the secrets folder is far too long to hold one secret.")
    return text.strip()
