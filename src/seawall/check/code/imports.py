"""Which file of the app an import means: by Python's rules, Node.js's, TypeScript's, and workspaces."""

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

JS_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro")
CONFIGS_MAX = 200

_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_USUAL_ALIASES = (
    ("@/", ("src/", "", "app/")),
    ("~/", ("src/", "", "app/")),
    ("$lib/", ("src/lib/",)),
    ("#/", ("",)),
    ("#layers/", ("layers/",)),
    ("#shared/", ("shared/",)),
    ("#server/", ("server/",)),
    ("~~/", ("",)),
    ("@@/", ("",)),
)


class Imports:
    """Finds the file behind an import; `text` reads a file of the app, `paths` are all of them."""

    def __init__(self, paths: Iterable[str], text: Callable[[str], str | None]) -> None:
        self._paths = frozenset(paths)
        self._text = text
        self._aliases: list[tuple[str, str, list[str]]] | None = None
        self._packages: dict[str, str] = {}
        self._python: dict[tuple[str, str, int], str | None] = {}

    def python(self, importer: str, module: str, level: int) -> str | None:
        """Return the path of a Python module, or of the package's `__init__.py`; None outside the app."""
        key = importer, module, level
        if key not in self._python:
            self._python[key] = self._find_python(importer, module, level)
        return self._python[key]

    def _find_python(self, importer: str, module: str, level: int) -> str | None:
        tail = module.replace(".", "/")
        folder = posixpath.dirname(importer)
        if level:
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            return self._python_at(posixpath.join(folder, tail) if tail else folder)
        for start in (*_ancestors(folder), "src"):
            found = self._python_at(posixpath.join(start, tail))
            if found is not None and found != importer:
                return found
        return None

    def submodule(self, package_init: str, name: str) -> str | None:
        """Return the path of a module inside a package, given the package's `__init__.py`."""
        return self._python_at(posixpath.join(posixpath.dirname(package_init), name))

    def javascript(self, importer: str, module: str) -> str | None:
        """Return the path of a JavaScript or TypeScript module; None outside the app."""
        if module.startswith("."):
            return self._javascript_at(
                posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
            )
        for candidate in self._aliased(importer, module):
            found = self._javascript_at(candidate)
            if found is not None:
                return found
        return None

    def _python_at(self, path: str) -> str | None:
        for candidate in (f"{path}.py", f"{path}/__init__.py" if path else "__init__.py"):
            if candidate in self._paths:
                return candidate
        return None

    def _javascript_at(self, path: str) -> str | None:
        if path in self._paths and path.endswith(JS_SUFFIXES):
            return path
        stem, suffix = posixpath.splitext(path)
        bases = [path, posixpath.join(path, "index"), posixpath.join(path, "src/index")]
        if suffix in {".js", ".jsx", ".mjs", ".cjs"}:  # TypeScript writes the name of the file it becomes.
            bases.insert(0, stem)
        return next((base + end for base in bases for end in JS_SUFFIXES if base + end in self._paths), None)

    def _aliased(self, importer: str, module: str) -> Iterator[str]:
        if self._aliases is None:
            self._aliases = list(self._read_configs())
        for folder, prefix, targets in self._aliases:
            if importer.startswith(folder) and (module.startswith(prefix) if prefix else True):
                rest = module[len(prefix) :]
                yield from (posixpath.normpath(posixpath.join(folder, target + rest)) for target in targets)
        for usual, places in _USUAL_ALIASES:
            if module.startswith(usual):
                rest = module[len(usual) :]
                for start in _ancestors(posixpath.dirname(importer)):
                    yield from (posixpath.join(start, place + rest) for place in places)
        for name, folder in self._packages.items():
            if module == name or module.startswith(name + "/"):
                rest = module[len(name) :].lstrip("/")
                yield posixpath.join(folder, rest) if rest else folder
                yield posixpath.join(folder, "src", rest) if rest else posixpath.join(folder, "src/index")

    def _read_configs(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield (folder, prefix, targets) of all tsconfig files, and learn the workspace's packages."""
        configs = [
            p
            for p in self._paths
            if posixpath.basename(p) in {"tsconfig.json", "jsconfig.json", "package.json"}
        ]
        for path in sorted(configs, key=lambda p: (-p.count("/"), p))[:CONFIGS_MAX]:
            config = _loose_json(self._text(path) or "")
            folder = posixpath.dirname(path)
            start = folder + "/" if folder else ""
            if path.endswith("package.json"):
                name = config.get("name")
                if folder and isinstance(name, str):
                    self._packages[name] = folder
                continue
            options = config.get("compilerOptions")
            if not isinstance(options, dict):
                continue
            base = options.get("baseUrl")
            base = posixpath.normpath(base) + "/" if isinstance(base, str) else ""
            base = "" if base == "./" else base
            listed = options.get("paths")
            for alias, targets in listed.items() if isinstance(listed, dict) else ():
                if isinstance(targets, list):
                    names = [
                        base + t.removeprefix("./").removesuffix("*") for t in targets if isinstance(t, str)
                    ]
                    yield start, alias.removesuffix("*"), names
            if isinstance(options.get("baseUrl"), str):
                yield start, "", [base]


def _ancestors(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _loose_json(text: str) -> dict[str, object] | dict[str, str]:
    """Read JSON with comments and trailing commas, as TypeScript's configuration is written."""
    plain = _TRAILING_COMMA.sub(r"\1", _COMMENT.sub(lambda found: found[1] or "", text[:1_000_000]))
    try:
        read = json.loads(plain)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
