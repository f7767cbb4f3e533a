"""Lowers Python files and notebooks into the common form; the code is parsed, never imported or run."""

import ast
import warnings

from seawall.check.code.ir import Module, Stmt
from seawall.check.code.notebook import Cell, code_cells, without_magics
from seawall.check.code.python_newer import in_older_syntax
from seawall.check.code.python_stmt import Statements

SOURCE_BYTES_MAX = 4_000_000
NOTEBOOK_BYTES_MAX = 50_000_000
"""Notebooks carry their pictures; what is parsed of them is small."""


def lower(path: str, source: bytes) -> Module | None:
    """Lower a file; None if it is not Python 3 (3.14 at the newest), nested too deeply or over 4 MB.

    A coding declaration (PEP 263) and a byte order mark are honoured.
    """
    if len(source) > SOURCE_BYTES_MAX:
        return None
    tree = _parse(source) or _parse_newer(source)
    return None if tree is None else _module(path, [tree])


def lower_notebook(path: str, source: bytes) -> Module | None:
    """Lower the code cells of a notebook as one file, with the lines of the .ipynb; None if it holds none.

    Magics and shell lines say nothing; a cell that still cannot be read is left out.
    """
    if len(source) > NOTEBOOK_BYTES_MAX:
        return None
    cells = code_cells(source.decode("utf-8-sig", "replace"))
    if not cells:
        return None
    trees = [tree for cell in cells if (tree := _cell_tree(cell)) is not None]
    return _module(path, trees) if trees else None


def _module(path: str, trees: list[ast.Module]) -> Module | None:
    statements = Statements()
    body: list[Stmt] = []
    try:
        for tree in trees:
            body += statements.module(tree)
    except RecursionError:
        return None
    return Module(path, "python", body, statements.imports, reexports=statements.stars)


def _parse(source: bytes | str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            # Old escapes in the audited code are not the reader's business.
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError):
        # ValueError: a null byte. MemoryError: what the parser says of too deep a nesting.
        return None


def _parse_newer(source: bytes) -> ast.Module | None:
    """Parse a file whose syntax may be newer than this interpreter's."""
    try:
        older = in_older_syntax(source.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None
    return None if older is None else _parse(older)


def _cell_tree(cell: Cell) -> ast.Module | None:
    if sum(map(len, cell.lines)) > SOURCE_BYTES_MAX:
        return None
    plain = "\n".join(without_magics(cell.lines))
    tree = _parse("\n".join(cell.lines)) or _parse(plain) or _parse_newer(plain.encode("utf-8", "replace"))
    if tree is None:
        return None
    last = len(cell.numbers) - 1
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr | ast.excepthandler | ast.pattern | ast.arg):
            node.end_lineno = cell.numbers[min((node.end_lineno or node.lineno) - 1, last)]
            node.lineno = cell.numbers[min(node.lineno - 1, last)]
    return tree
