"""What a judge of the checklist looks through: evidence, and the questions that several rows ask of it.

Each question is asked once an audit and its answer kept. Nothing here decides about a row.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cached_property

from ahocorasick_rs import AhoCorasick
from msgspec import Struct, field

from seawall.check.checklist.libraries import DATABASE_PACKAGES, HINTS, MODEL_ADDRESS, MODEL_IMPORT
from seawall.check.checklist.manifests import Dependency, Manifests, read_manifests
from seawall.check.checklist.shapes import DEFAULT, NAMES, WORDS, Called
from seawall.check.checklist.stack import stack
from seawall.check.code.entries import Entry
from seawall.check.code.ir import Attr, Call, Expr, Index, Lambda, Literal, Module, Name
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of
from seawall.check.files import Files
from seawall.check.findings import Finding
from seawall.check.report import State
from seawall.check.settings import CheckSettings

TEXT_CHARS_MAX = 400_000
LINE_CHARS_MAX = 1_000
"""Of longer files and lines only this much is looked at; longer ones are data or a trap."""
NAMES_MAX = 12
NAME_CHARS_MAX = 80

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|__mocks__|spec|specs|e2e|cypress|fixtures|testing)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|tests)\.py$|\.(?:test|spec|e2e|cy|stories)\.[cm]?[jt]sx?$"
)
_ASIDE = re.compile(
    r"(?:^|/)(?:docs?|examples?|samples?|benchmarks?|alembic|migrations|node_modules|vendor|third_party)/"
)
_COMMENT = re.compile(r"\s*(?:#|//|;|\*|/\*|<!--|\{/\*)")
_FOREIGN = {
    ".go": "Go", ".rb": "Ruby", ".php": "PHP", ".java": "Java", ".kt": "Kotlin", ".cs": "C#", ".rs": "Rust",
    ".ex": "Elixir", ".swift": "Swift", ".dart": "Dart", ".scala": "Scala",
}  # fmt: skip
_READ = re.compile(r"\.(?:py|ipynb|[cm]?[jt]sx?|vue|svelte|astro)$")


class Evidence(Struct, frozen=True, kw_only=True):
    """What the audit knows when it comes to the checklist.

    `findings` are those that nobody ignores beside the code. `history_read` is False where the history was
    not looked at. `today` is the day against which answers by hand grow old.
    """

    files: Files
    project: Project
    findings: list[Finding] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    settings: CheckSettings = field(default_factory=CheckSettings)
    history_read: bool = True
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


class Spot(Struct, frozen=True):
    """Where something was seen, and what, in a few words without values."""

    path: str
    line: int
    what: str = ""


class Judgement(Struct, frozen=True, kw_only=True):
    """What a judge came to."""

    state: State
    evidence: str
    path: str = ""
    line: int = 0


def passed(evidence: str, spot: Spot | Dependency | None = None) -> Judgement:
    """Return that a row passes, and where that was seen."""
    return _judged(State.PASS, evidence, spot)


def failed(evidence: str, spot: Spot | Dependency | None = None) -> Judgement:
    """Return that a row fails."""
    return _judged(State.FAIL, evidence, spot)


def warned(evidence: str, spot: Spot | Dependency | None = None) -> Judgement:
    """Return that a row is half done."""
    return _judged(State.WARN, evidence, spot)


def waiting(evidence: str) -> Judgement:
    """Return that only the developer can know."""
    return _judged(State.MANUAL, evidence, None)


def not_applicable(evidence: str) -> Judgement:
    """Return that the app has nothing of the kind."""
    return _judged(State.NOT_APPLICABLE, evidence, None)


class Survey:
    """Looks through the evidence of one audit."""

    def __init__(self, evidence: Evidence) -> None:
        """Look at nothing yet."""
        self.evidence = evidence
        self.findings = evidence.findings
        self.entries = [each for each in evidence.entries if is_own(each.path)]
        self.settings = evidence.settings
        self._texts: dict[str, str] = {}

    @cached_property
    def manifests(self) -> Manifests:
        """Every package that the app asks for."""
        return read_manifests(self.evidence.files)

    @cached_property
    def stack(self) -> list[str]:
        """Frameworks and hosts."""
        return stack(self.evidence.files, self.manifests)

    @cached_property
    def paths(self) -> list[str]:
        """Every file of the audit."""
        return list(self.evidence.files.paths)

    @cached_property
    def sources(self) -> list[str]:
        """The app's own code: no tests, documentation, examples."""
        return [path for path in self.paths if _READ.search(path) and is_own(path)]

    @cached_property
    def tests(self) -> list[str]:
        """Files of tests."""
        return [path for path in self.paths if _READ.search(path) and _TEST.search(path)]

    @cached_property
    def foreign(self) -> str | None:
        """The language that the app is mostly written in, where the audit cannot read it."""
        counts: dict[str, int] = {}
        for path in self.paths:
            language = _FOREIGN.get("." + path.rpartition(".")[2])
            if language and is_own(path):
                counts[language] = counts.get(language, 0) + 1
        if not counts:
            return None
        name = max(counts, key=lambda language: counts[language])
        return name if counts[name] > len(self.sources) else None

    @cached_property
    def routes(self) -> list[Entry]:
        """What strangers can call: everything but the commands of the app's own people."""
        return [each for each in self.entries if each.kind != "command"]

    def text(self, path: str) -> str:
        """Return the (beginning of the) text of a file, empty where there is none."""
        if path not in self._texts:
            lines = (self.evidence.files.text(path) or "")[:TEXT_CHARS_MAX].splitlines()
            self._texts[path] = "\n".join(line[:LINE_CHARS_MAX] for line in lines)
        return self._texts[path]

    def like(self, shape: str) -> list[str]:
        """Return the paths in which a regular expression is found."""
        wanted = re.compile(shape)
        return [path for path in self.paths if wanted.search(path)]

    def own(self, shape: str) -> list[str]:
        """Return the paths of the app's own files in which a regular expression is found."""
        return [path for path in self.like(shape) if is_own(path)]

    def hint(self, name: str) -> Spot | None:
        """Return the first place in the app's own code of something that `HINTS` names."""
        return self._read[1].get(name)

    def search(self, paths: Iterable[str], shape: str) -> Spot | None:
        """Return the first line that holds a shape (case does not matter) and is no comment."""
        for path in paths:
            spot = _first_line(path, self.text(path), shape, re.IGNORECASE)
            if spot is not None:
                return spot
        return None

    def depends(self, *names: str) -> Dependency | None:
        """Return the first package of these names that a manifest asks for (`name*` is a beginning)."""
        return self.manifests.find(*names)

    @cached_property
    def modules(self) -> dict[str, Module]:
        """The app's own modules that hold a word which some row looks for, by path."""
        return self._read[0]

    @cached_property
    def touched(self) -> list[str]:
        """Files of code that are worth searching as text: those above, and those with routes."""
        return sorted({*self.modules, *(each.path for each in self.entries)})

    @cached_property
    def model_paths(self) -> dict[str, str]:
        """Where models are called: the files, and the library or address by which each is known."""
        imported, address = re.compile(MODEL_IMPORT), re.compile(MODEL_ADDRESS)
        found = {}
        for path, module in self.modules.items():
            name = next((name for name in _imports(module) if imported.match(name)), "")
            called = None if name else address.search(self.text(path))
            if name or called is not None:
                found[path] = name.split(".")[0] if called is None else called[0]
        return found

    @cached_property
    def database(self) -> Spot | None:
        """Where a database is used: in code, by a schema, or by a package that a manifest asks for."""
        spot = self.hint("database")
        if spot is not None:
            return spot
        schema = next(iter(self.like(r"(?:^|/)schema\.prisma$|(?:^|/)supabase/migrations/")), None)
        if schema is not None:
            return Spot(schema, 1, "schema")
        package = self.depends(*DATABASE_PACKAGES)
        return None if package is None else Spot(package.path, package.line, package.name)

    def module(self, path: str) -> Module | None:
        """Return a module of the app, also one without any of the words."""
        return self.modules.get(path) or self.evidence.project.module(path)

    def called(self, shape: Called) -> Spot | None:
        """Return the first call of the app's own code that has a shape."""
        wanted = re.compile(shape.origin)
        for name in (*sorted(shape.names), DEFAULT):
            for module, call in self._calls.get(name, ()):
                origin = self.origin(module, call.callee)
                if origin and wanted.search(origin) and shape.accept(call):
                    return Spot(module.path, call.line, _last_words(origin))
        return None

    def calls_named(self, name: str) -> list[tuple[Module, Call]]:
        """Return the calls of the app's own code whose last word is this; only words that a shape names."""
        return self._calls.get(name, [])

    def origin(self, module: Module, expr: Expr) -> str:
        """Return the canonical dotted name of an expression; `require("m")` in place is "m"."""
        required = _required(expr)
        return required or self.evidence.project.origin(module, expr)

    def found(self, *rules: str) -> list[Finding]:
        """Return the findings of some rules, in the order in which they were made."""
        return [each for each in self.findings if each.rule in rules]

    @cached_property
    def _calls(self) -> dict[str, list[tuple[Module, Call]]]:
        """Calls by the last word of what is called, for the words that some shape names."""
        calls: dict[str, list[tuple[Module, Call]]] = {}
        for module in self.modules.values():
            for call in calls_of(module):
                name = _name_of(module, call)
                if name in NAMES:
                    calls.setdefault(name, []).append((module, call))
        return calls

    @cached_property
    def _read(self) -> tuple[dict[str, Module], dict[str, Spot]]:
        """Read the app's own code once: modules with words of shapes, and the first place of each hint."""
        words = list(WORDS)
        hints = {}
        for name, (hinted, _) in HINTS.items():
            hints[name] = frozenset(range(len(words), len(words) + len(hinted)))
            words += hinted
        finder = AhoCorasick(words)
        modules: dict[str, Module] = {}
        spots: dict[str, Spot] = {}
        for path in self.sources:
            text = self.evidence.files.text(path) or ""
            seen = {found[0] for found in finder.find_matches_as_indexes(text, overlapping=True)}
            for name, own in hints.items():
                if name not in spots and not seen.isdisjoint(own):
                    spot = _first_line(path, self.text(path), HINTS[name][1])
                    if spot is not None:
                        spots[name] = spot
            is_wanted = any(index < len(WORDS) for index in seen)
            module = self.evidence.project.module(path) if is_wanted else None
            if module is not None:
                modules[path] = module
        return modules, spots


def _first_line(path: str, text: str, shape: str, flags: re.RegexFlag = re.NOFLAG) -> Spot | None:
    """Return the first line of a text that holds a shape and is no comment."""
    wanted = re.compile(shape, flags | re.MULTILINE)
    if not wanted.search(text):
        return None
    for number, line in enumerate(text.splitlines(), 1):
        found = wanted.search(line)
        if found and not _COMMENT.match(line):
            what = found[found.lastgroup] if found.lastgroup else found[0]
            return Spot(path, number, what.strip()[:60])
    return None


def _name_of(module: Module, call: Call) -> str:
    """Return the last word of what is called; what a library exports by default has a name of ours."""
    if _required(call.callee):
        return DEFAULT
    name = dotted(call.callee).rpartition(".")[2]
    bound = module.imports.get(name) if isinstance(call.callee, Name) else None
    return DEFAULT if bound is not None and bound.level == 0 and bound.name in (None, "default") else name


def _required(expr: Expr) -> str:
    """Return the library of `require("m")` where it is called in place, else nothing."""
    if isinstance(expr, Call) and isinstance(expr.callee, Name) and expr.callee.id == "require" and expr.args:
        name = expr.args[0]
        return str(name.value) if isinstance(name, Literal) else ""
    return ""


def _imports(module: Module) -> list[str]:
    """List the full names of what a module imports from elsewhere."""
    return [
        f"{bound.module}.{bound.name}" if bound.name else bound.module
        for bound in module.imports.values()
        if bound.level == 0
    ]


def is_own(path: str) -> bool:
    """Say whether a file is part of what runs: no test, example or documentation."""
    return not _TEST.search(path) and not _ASIDE.search(path)


def dotted(expr: Expr) -> str:
    """Write a name, attribute or call as it stands, without arguments; empty for anything else.

    Of a chain of calls only the last `NAMES_MAX` words are kept, and of a word its first characters.
    """
    words: list[str] = []
    while len(words) < NAMES_MAX:
        if isinstance(expr, Name):
            words.append(expr.id[:NAME_CHARS_MAX])
            break
        if isinstance(expr, Attr):
            words.append(expr.name[:NAME_CHARS_MAX])
            expr = expr.base
        elif isinstance(expr, Call):
            expr = expr.callee
        elif isinstance(expr, Index):
            expr = expr.base
        elif isinstance(expr, Lambda):
            words.append(expr.function.name[:NAME_CHARS_MAX])
            break
        else:
            break
    return ".".join(reversed(words))


def _judged(state: State, evidence: str, spot: Spot | Dependency | None) -> Judgement:
    if spot is None:
        return Judgement(state=state, evidence=evidence)
    return Judgement(state=state, evidence=evidence, path=spot.path, line=spot.line)


def _last_words(origin: str) -> str:
    """Shorten a dotted origin to what people recognise."""
    parts = origin.replace("()", "").split(".")
    return ".".join(part for part in parts[-2:] if part != "default") + "()"
