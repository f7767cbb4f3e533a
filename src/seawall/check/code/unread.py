"""Says which files of an app are code that could not be read, and why, one line each."""

import ast
import warnings
from collections.abc import Iterator

from seawall.check.code.project import Project

SHOWN = 5
"""So many files are named; a tree of Python 2 would hide everything else."""


def notices(project: Project, paths: list[str]) -> Iterator[str]:
    """Yield a line for each of some files that were looked at and could not be read as code."""
    whys = [(path, why) for path in paths if (why := _why(path, project.read(path) or b""))]
    for path, why in whys[:SHOWN]:
        yield f"{path} could not be read as code: {why}."
    if len(whys) > SHOWN:
        more = len(whys) - SHOWN
        yield f"{more} more {'file' if more == 1 else 'files'} could not be read as code."


def _why(path: str, source: bytes) -> str:
    """Return the reason in a few words; nothing where there is nothing to read."""
    if not source.strip() or path.endswith((".ipynb", ".d.ts", ".d.mts", ".d.cts")):
        return ""
    if b"\0" in source:
        return "it holds null bytes, as programs and pictures do"
    if not path.endswith((".py", ".pyw")):
        return "it is too large"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno} " if error.lineno else ""
        return f"{where}is not valid Python 3 ({str(error.msg)[:80]})"
    except (ValueError, RecursionError, MemoryError, LookupError):
        pass
    return "it is nested too deeply"
