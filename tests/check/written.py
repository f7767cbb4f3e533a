"""Small apps written inside a test, as the audit sees them."""

from textwrap import dedent

from seawall.check.code.entries import Entry
from seawall.check.code.entries_python import PythonEntries
from seawall.check.code.ir import Attr, Call, Expr, Literal, Name
from seawall.check.code.project import Project


def project_of(files: dict[str, str]) -> Project:
    """Return a project of these files."""
    contents = {path: dedent(text).encode() for path, text in files.items()}
    return Project(contents, contents.get)


def entries_of(files: dict[str, str]) -> list[Entry]:
    """Return the entries of all files, in order of path and line."""
    project = project_of(files)
    finder = PythonEntries(project)
    found = [entry for module in project.modules() for entry in finder.of(module)]
    return sorted(found, key=lambda entry: (entry.path, entry.line, entry.route or ""))


def entry_of(files: dict[str, str] | str) -> Entry:
    """Return the only entry."""
    (entry,) = entries_of({"app.py": files} if isinstance(files, str) else files)
    return entry


def applied(entry: Entry) -> list[str]:
    """Return what runs before a handler, as names."""
    return [spelled(expr) for _, expr in entry.applied]


def spelled(expr: Expr) -> str:
    """Write an expression shortly."""
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        return f"{spelled(expr.base)}.{expr.name}"
    if isinstance(expr, Call):
        return f"{spelled(expr.callee)}({', '.join(map(spelled, expr.args))})"
    return repr(expr.value) if isinstance(expr, Literal) else type(expr).__name__
