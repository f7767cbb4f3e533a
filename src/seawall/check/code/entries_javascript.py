"""Where a stranger's request enters an app written in JavaScript or TypeScript."""

from functools import lru_cache

from seawall.check.code.entries import Entry
from seawall.check.code.entries_express import Express
from seawall.check.code.ir import Module
from seawall.check.code.javascript_registrations import read_routers
from seawall.check.code.project import Project


class JavaScriptEntries:
    """Finds the entries of all files of a project, reading its routers once."""

    def __init__(self, project: Project) -> None:
        self._express = Express(read_routers(project))

    def of(self, module: Module) -> list[Entry]:
        """Return the entries that a file declares; the handler may stand in another file."""
        if module.language != "javascript":
            return []
        return _once([*self._express.of(module)])


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
