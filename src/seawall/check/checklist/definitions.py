"""The rows of the checklist as `rows.toml` states them, read on first use."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal as OneOf

from msgspec import Struct, convert

from seawall.core.stages import Stage

STAGES = tuple(Stage)
"""From the first to the last."""

BY_HAND = '[check.manual]\n{row} = {{by = "YOUR NAME", at = {today}, note = "what you saw"}}'
"""The lines of seawall.toml that answer a row."""


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row: what it asks, from which stage on, why then, how to do it, and how it is judged.

    `how` is by name of a framework, host or language, and `any`. `answer` rows can be answered in
    seawall.toml, for `days`. The head of `rows.toml` explains the rest.
    """

    id: str
    title: str
    shown: Stage
    required: Stage
    judge: str
    why: str
    not_before: str
    judged: str
    how: dict[str, str]
    never_skip: bool = False
    rules: tuple[str, ...] = ()
    fails_on: OneOf["error", "warning"] = "error"
    needs: str = ""
    clean: str = ""
    answer: bool = False
    days: int = 365
    seawall: str = ""

    def is_shown(self, stage: Stage) -> bool:
        """Say whether the list of a stage has this row."""
        return STAGES.index(self.shown) <= STAGES.index(stage)

    def is_required(self, stage: Stage) -> bool:
        """Say whether the grade of a stage depends on this row."""
        return STAGES.index(self.required) <= STAGES.index(stage)

    def how_for(self, stack: list[str]) -> str:
        """Return how to do it in this app: for its framework or host, else its language, else anywhere."""
        languages = ("python", "javascript")
        special = [name for name in stack if name in self.how and name not in languages]
        spoken = [name for name in stack if name in self.how and name in languages]
        chosen = self.how[next(iter([*special, *spoken]), "any")]
        return f"{chosen}\nSeawall: {self.seawall}" if self.seawall else chosen


@cache
def definitions() -> dict[str, Definition]:
    """Return every row by its id, in the order in which people read them."""
    text = resources.files("seawall.check.checklist").joinpath("rows.toml").read_text("utf-8")
    return {name: convert({"id": name, **table}, Definition) for name, table in tomllib.loads(text).items()}
