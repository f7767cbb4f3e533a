"""How commands change the configuration file: the change is tried first, then written as a whole."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.cli.opening import stop

if TYPE_CHECKING:
    from seawall.core.facts import FactValue
    from seawall.core.stages import Stage
    from seawall.settings import Settings
    from seawall.settings.config_file import ConfigFile


class Change:
    """A changed configuration that is not written yet: the file, its new text, and what would be in force."""

    def __init__(self, file: "ConfigFile", before: str | None, text: str, settings: "Settings") -> None:
        self.file = file
        self.settings = settings
        self.is_new = before is None
        self._before, self._text = before, text

    @property
    def has_effect(self) -> bool:
        """Say whether the file would say anything else."""
        return self._text != self._before

    def write(self) -> None:
        """Write it, or end with the sentence that says why it cannot be."""
        from seawall.settings import SettingsError

        try:
            self.file.write(self._text, before=self._before)
        except SettingsError as error:
            stop(str(error))


def try_change(config: Path | None, edit: Callable[[str], str], *, stage: "Stage") -> Change:
    """Return a change of the configuration file that loads, or end with the sentence that says why not.

    Where there is no file, the change is made to what `seawall init` would write for the stage.
    """
    from seawall.check.starting import settings_text
    from seawall.settings import SettingsError, config_file, load_settings
    from seawall.settings.toml_edits import CannotEdit

    environ, cwd = dict(os.environ), Path.cwd()
    try:
        file = config_file(config, environ, cwd)
        before = file.read()
        text = edit(settings_text(stage) if before is None else before)
        return Change(file, before, text, load_settings(config, {}, environ, cwd, text=text))
    except CannotEdit as error:
        stop(f"{file.shown} was not changed: {error}.")
    except SettingsError as error:
        stop(str(error))


def state_fact(settings: "Settings", config: Path | None, name: str, value: "FactValue") -> Change:
    """Write what the owner says of the app into the configuration file, with the date of today."""
    from datetime import UTC, date, datetime

    from seawall.core.facts import FACTS, FactKind
    from seawall.settings.toml_edits import TomlValue, put_values

    is_date = FACTS[name].kind is FactKind.DATE
    said: dict[str, TomlValue] = {
        "value": date.fromisoformat(str(value)) if is_date else value,
        "at": datetime.now(UTC).date(),
    }
    change = try_change(config, lambda text: put_values(text, ("facts", name), said), stage=settings.stage)
    change.write()
    return change
