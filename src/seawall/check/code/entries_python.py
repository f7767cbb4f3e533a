"""Where a stranger's request enters an app written in Python."""

from seawall.check.code.bindings import Bindings
from seawall.check.code.entries import Entry
from seawall.check.code.entries_django import Django
from seawall.check.code.entries_params import Parameters
from seawall.check.code.entries_routes import Routes
from seawall.check.code.entries_sites import Sites
from seawall.check.code.ir import Module
from seawall.check.code.project import Project


class PythonEntries:
    """Finds the entries of all files of a project, reading its apps and routers once."""

    def __init__(self, project: Project) -> None:
        bindings = Bindings(project)
        parameters = Parameters(bindings)
        self._routes = Routes(bindings, parameters, Sites(bindings, parameters))
        self._django = Django(bindings)

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
        return found


def entries(project: Project, module: Module) -> list[Entry]:
    """Return the entries that one file declares; for many files, keep a `PythonEntries`."""
    return PythonEntries(project).of(module)
