"""Fail when a Python file has more than 500 lines or a function more than 60, under the folders given."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60


def main() -> int:
    """Print one line per file or function that is too long; return the exit code."""
    findings = [finding for folder in sys.argv[1:] for finding in check(Path(folder))]
    print("\n".join(findings) or "sizes: every file and function is within its limit")
    return 1 if findings else 0


def check(folder: Path) -> Iterator[str]:
    """Yield what is too long in the Python files of a folder, as `path:line: reason`."""
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = len(source.splitlines())
        if lines > FILE_LINES_MAX:
            yield f"{path}:1: the file has {lines} lines, the limit is {FILE_LINES_MAX}"
        for function, lines in _functions(ast.parse(source, str(path))):
            if lines > FUNCTION_LINES_MAX:
                reason = f"{function.name} has {lines} lines, the limit is {FUNCTION_LINES_MAX}"
                yield f"{path}:{function.lineno}: {reason}"


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None  # ast.parse always sets it
            yield node, node.end_lineno - node.lineno + 1


if __name__ == "__main__":
    sys.exit(main())
