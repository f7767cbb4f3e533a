"""What the caller of an audit may choose."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from seawall.core.stages import Stage

Progress = Callable[[str, int, int], None]
"""Is told how far long work has come: what is being done, and how many of how many (0 where nobody knows)."""


class CannotRun(Exception):
    """There is nothing to audit, or a choice cannot be met; the message is one sentence for people."""


class Options(Struct, frozen=True, kw_only=True):
    """Choices of one audit; each default is what `seawall check` does without options.

    `stage` and `config` that are `None` mean: as `seawall.toml` in the audited folder says, else the stage
    poc. `staged` audits what `git commit` would take instead of the files as they lie there. `select` keeps
    these rules only, `ignore` leaves rules out; both hold rule ids or the names of groups (see
    `catalogue.expand`). Findings that stand in the `baseline` are suppressed; `None` means the one that the
    configuration names, else `baseline.FILE` in the folder where it exists. With `accept` none is suppressed
    by a baseline: a new one is about to be written.
    """

    stage: Stage | None = None
    staged: bool = False
    history: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: Path | None = None
    accept: bool = False
    config: Path | None = None
