"""Where a stranger's request enters an app written in JavaScript or TypeScript."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

from seawall.check.code.entries import Entry
from seawall.check.code.entries_actions import ACTION_WORDS, Actions
from seawall.check.code.entries_express import Express
from seawall.check.code.entries_files import Files
from seawall.check.code.entries_messages import MESSAGE_WORDS, Messages
from seawall.check.code.entries_nest import NEST_WORDS, Nest
from seawall.check.code.entries_served import SERVED_WORDS, Served
from seawall.check.code.ir import Module
from seawall.check.code.javascript_registrations import read_routers
from seawall.check.code.project import Project


class _Kind(Protocol):
    def of(self, module: Module) -> Iterator[Entry]: ...


class JavaScriptEntries:
    """Finds the entries of all files of a project, reading its routers once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        # A file without any of the words announces no handler of that kind.
        self._kinds: tuple[tuple[re.Pattern[str] | None, _Kind], ...] = (
            (None, Files(project)),
            (None, Express(read_routers(project))),
            (ACTION_WORDS, Actions(project)),
            (NEST_WORDS, Nest(project)),
            (SERVED_WORDS, Served(project)),
            (MESSAGE_WORDS, Messages(project)),
        )

    def of(self, module: Module) -> list[Entry]:
        """Return the entries that a file declares; the handler may stand in another file."""
        if module.language != "javascript":
            return []
        text = self._project.text(module.path) or ""
        found: list[Entry] = []
        for words, kind in self._kinds:
            if words is None or words.search(text):
                found += kind.of(module)
        return _once(found)


def _once(found: list[Entry]) -> list[Entry]:
    """Keep one entry of each handler: the least protected, which is what a stranger takes."""
    kept: dict[int, Entry] = {}
    for entry in found:
        known = kept.setdefault(id(entry.handler), entry)
        if len(entry.applied) < len(known.applied):
            kept[id(entry.handler)] = entry
    return list(kept.values())


@lru_cache(maxsize=1)
def _of_project(project: Project) -> JavaScriptEntries:
    return JavaScriptEntries(project)


def entries(project: Project, module: Module) -> list[Entry]:
    """Return the entries that one file declares; what is known of the project is kept for the next file."""
    return _of_project(project).of(module)
