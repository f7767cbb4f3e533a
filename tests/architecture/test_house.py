"""The rules of the house that a linter does not know."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "seawall"
MODULES = {
    path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"), str(path))
    for path in sorted(SOURCE.rglob("*.py"))
}

VAGUE_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
AUDIT = {
    "ahocorasick_rs",
    "msgspec",
    "rich",
    "tree_sitter",
    "tree_sitter_javascript",
    "tree_sitter_typescript",
}
SERVER_SIDE = {
    "apsw",
    "procrastinate",
    "pydantic",
    "pydantic_settings",
    "splintr",
    "starlette",
    "uvicorn",
    "uvloop",
}


def test_files_and_functions_are_short() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "check_size.py"), str(SOURCE)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_names_say_what_a_module_holds() -> None:
    assert [module for module in MODULES if VAGUE_NAMES & set(Path(module).with_suffix("").parts)] == []


def test_modules_open_with_a_docstring() -> None:
    assert [module for module, tree in MODULES.items() if not ast.get_docstring(tree)] == []


def test_what_is_public_has_a_docstring() -> None:
    assert [
        f"{module}:{node.lineno} {node.name}"
        for module, tree in MODULES.items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ] == []


def test_only_the_server_and_the_jobs_catch_everything() -> None:
    """But for what is kept of a call for advice alone: nothing of that may come between it and its money."""
    assert [
        f"{module}:{line}"
        for module, tree in MODULES.items()
        if not module.startswith(("server/", "jobs/", "stores/writer.py", "pipeline/recording.py"))
        for line in catches_of_everything(tree)
    ] == []


def test_the_core_imports_only_the_standard_library_and_msgspec() -> None:
    allowed = {*sys.stdlib_module_names, "msgspec", "seawall"}
    assert [
        f"{module} {name}"
        for module, tree in MODULES.items()
        if module.startswith("core/")
        for name in imports(tree)
        if name not in allowed
    ] == []


def test_the_audit_knows_nothing_of_the_gateway_but_its_stages() -> None:
    assert [
        f"{module} {name}"
        for module, tree in MODULES.items()
        if module.startswith("check/") and module != "check/__main__.py"
        for name in (*imports(tree), *own_imports(tree))
        if name not in {*sys.stdlib_module_names, *AUDIT, "seawall", "seawall.core.stages"}
        and not name.startswith("seawall.check")
    ] == []


def test_the_command_line_starts_without_the_server() -> None:
    program = f"""
import sys
from seawall.cli.main import main
sys.argv = ["seawall", "--help"]
try:
    main()
finally:
    print(*sorted({SERVER_SIDE} & set(sys.modules)), file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.split()) == (0, [])


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node


def catches_of_everything(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or "Exception" in names(node.type)):
            yield node.lineno


def names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def own_imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of ours that are imported, by their whole names; the package itself is not told."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("seawall."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("seawall."):
            yield node.module
