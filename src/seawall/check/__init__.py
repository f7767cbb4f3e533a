"""The audit of a developer's own repository: leaked secrets, open endpoints, the checklist of the stage."""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seawall.check.options import Options
    from seawall.check.report import Report

__all__ = ["check"]


def check(path: str | PathLike[str] = ".", options: "Options | None" = None) -> "Report":
    """Audit a folder and return what was found; `seawall.check.options.Options` has the choices.

    The audited code is read, never imported or run, and nothing leaves this machine. Raises
    `seawall.check.options.CannotRun` with one sentence where that cannot be done.
    """
    from pathlib import Path  # noqa: PLC0415 - importing seawall.check costs nothing

    from seawall.check.audit import audit  # noqa: PLC0415
    from seawall.check.options import Options  # noqa: PLC0415

    return audit(Path(path), options or Options())
