"""Where a stranger's request enters an app written in Python."""

from seawall.check.code.bindings import Bindings
from seawall.check.code.entries import Entry
from seawall.check.code.entries_decorated import DECORATED_WORDS, Decorated
from seawall.check.code.entries_django import DJANGO_WORDS, Django
from seawall.check.code.entries_params import Parameters
from seawall.check.code.entries_registered import REGISTERED_WORDS, Registered
from seawall.check.code.entries_routes import Routes
from seawall.check.code.entries_sites import WEB_WORDS, Sites
from seawall.check.code.ir import Module
from seawall.check.code.project import Project

WORDS = (*WEB_WORDS, *DJANGO_WORDS, *DECORATED_WORDS, *REGISTERED_WORDS)
"""A file without any of these announces no handler."""


class PythonEntries:
    """Finds the entries of all files of a project, reading its apps and routers once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        bindings = Bindings(project)
        parameters = Parameters(bindings)
        self._routes = Routes(bindings, parameters, Sites(bindings, parameters))
        self._django = Django(bindings)
        self._decorated = Decorated(bindings, parameters)
        self._registered = Registered(bindings)

    def of(self, module: Module) -> list[Entry]:
        """Return the entries that a file declares; the handler may stand in another file."""
        found: list[Entry] = []
        if module.language != "python":
            return found
        for entry in self._routes.of(module):
            if entry.framework == "ninja":
                entry.applied[:0] = self._django.middleware
            found.append(entry)
        found += self._django.of(module)
        found += self._decorated.of(module)
        found += self._registered.of(module)
        return _once(found)

    def all(self) -> list[Entry]:
        """Return the entries of all files, in order of path and line; each handler once."""
        found = [entry for module in self._project.modules(*WORDS) for entry in self.of(module)]
        return sorted(_once(found), key=lambda entry: (entry.path, entry.line))


def _once(found: list[Entry]) -> list[Entry]:
    """Keep one entry of each handler: the least protected, which is what a stranger takes."""
    kept: dict[int, Entry] = {}
    for entry in found:
        known = kept.setdefault(id(entry.handler), entry)
        if len(entry.applied) < len(known.applied):
            kept[id(entry.handler)] = entry
    return list(kept.values())


def entries(project: Project, module: Module) -> list[Entry]:
    """Return the entries that one file declares; what is read of the whole project is kept with it."""
    finder = project.kept.get(__name__)
    if not isinstance(finder, PythonEntries):
        finder = project.kept[__name__] = PythonEntries(project)
    return finder.of(module)
