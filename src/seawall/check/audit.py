"""One audit from beginning to end: files, secrets, code, checklist, and what is left after sifting."""

import gc
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from seawall.check.baseline import usual_place
from seawall.check.checklist import Evidence, checklist, grade
from seawall.check.checklist.definitions import definitions
from seawall.check.checklist.stack import stack
from seawall.check.code.analysis import Analysis
from seawall.check.code.project import Project
from seawall.check.excluding import leave_out, left_out
from seawall.check.files import Files, walk, walk_staged
from seawall.check.findings import Finding
from seawall.check.git import GitError
from seawall.check.options import CannotRun, Options, Progress
from seawall.check.quoting import with_evidence
from seawall.check.report import Report, Row, State
from seawall.check.secrets import scan
from seawall.check.settings import FILE, FILE_CHARS_MAX, BadSettings, CheckSettings, read_settings
from seawall.check.sifting import Sifted, Sifter
from seawall.core.stages import Stage

GARBAGE_THRESHOLDS = (100_000, 20, 1_000)
"""Trees of code are large and hold no garbage: looking through them again and again took half of the time."""
DEPTH_MAX = 6_000
"""How deep calls may go while code is followed; Python's own limit of 1,000 is for small programs."""


def audit(root: Path, options: Options, progress: Progress | None = None) -> Report:
    """Audit a folder; nothing of it is imported or run, and nothing leaves the machine.

    Raises CannotRun where there is no such folder, or where a choice or `seawall.toml` cannot be used.
    """
    started = time.perf_counter()
    tell = progress or _silent
    with _files(root, options, tell) as files, _room():
        settings = settings_of(root, options)
        options = _with_settings(options, settings, root)
        leave_out(files, settings.exclude, settings.path)
        sifter = Sifter(options, files.text)
        stage = options.stage or Stage.POC
        secrets = scan(files, history=options.history and not options.staged, progress=tell)
        analysis = Analysis(Project(files.paths, files.read))
        found = [*secrets.findings, *analysis.run(tell)]
        found = sifter.beside_code(_here(found, files, settings))
        evidence = Evidence(
            files=files,
            project=analysis.project,
            findings=found,
            entries=[entry for _, entry in analysis.entries],
            settings=settings,
            history_read=secrets.commits is not None,
        )
        # Of what is staged, a part of the app, and of nothing at all a checklist would say nothing true.
        is_judged = not options.staged and bool(files.paths or secrets.commits)
        rows, early = checklist(evidence, stage) if is_judged else ([], [])
        early = sifter.asked_for(sifter.beside_code(early))
        sifted = sifter.sift(found, files.paths)
        return Report(
            folder=files.root.name,
            stage=stage.value,
            grade=grade(rows) if rows else "",
            findings=with_evidence(sifted.kept, files.text),
            suppressed=with_evidence(sifted.suppressed, files.text),
            checklist=_counting(rows, sifted, evidence, options),
            too_early=early,
            notices=[*files.notices, *settings.notices, *analysis.notices, *sifted.notices],
            stack=stack(files),
            files=len(files.paths if files.staged is None else files.staged.intersection(files.paths)),
            commits=secrets.commits or 0,
            took_ms=round((time.perf_counter() - started) * 1000),
        )


def _here(found: list[Finding], files: Files, settings: CheckSettings) -> list[Finding]:
    """Return the findings in files that are looked at; the history has others as well."""
    is_left_out = left_out(settings.exclude)
    if is_left_out is not None:
        found = [finding for finding in found if not is_left_out(finding.path)]
    if files.staged is not None:
        found = [finding for finding in found if finding.path in files.staged]
    return found


def _counting(rows: list[Row], sifted: Sifted, evidence: Evidence, options: Options) -> list[Row]:
    """Mark the rows that fail and have no say in the exit code.

    These are all where only some rules were asked for, and else those that the baseline knows, and those that
    do not fail by what is left of the findings.
    """
    failing = {row.row for row in rows if row.state is State.FAIL}
    if options.select:
        silent = failing
    elif len(sifted.kept) < len(evidence.findings):
        left, _ = checklist(replace(evidence, findings=sifted.kept), options.stage or Stage.POC)
        silent = failing - {row.row for row in left if row.state is State.FAIL}
    else:
        silent = set()
    silent |= failing & sifted.rows
    return [replace(row, counts=False) if row.row in silent else row for row in rows]


@contextmanager
def _room() -> Iterator[None]:
    """Make room for large trees of code: deep calls, and no search for garbage, of which there is none."""
    thresholds, depth = gc.get_threshold(), sys.getrecursionlimit()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    sys.setrecursionlimit(max(depth, DEPTH_MAX))
    try:
        yield
    finally:
        sys.setrecursionlimit(depth)
        gc.set_threshold(*thresholds)


def _files(root: Path, options: Options, progress: Progress) -> Files:
    try:
        if options.staged:
            return walk_staged(root)
        return walk(root, lambda number: progress("looking for files", number, 0))
    except (NotADirectoryError, FileNotFoundError):
        raise CannotRun(f"{root} is not a folder.") from None
    except OSError as error:
        raise CannotRun(f"{root} cannot be read ({error.strerror}).") from None
    except GitError as error:
        raise CannotRun(f"--staged cannot be answered here. {error}") from None


def settings_of(root: Path, options: Options) -> CheckSettings:
    """Read `[check]` of the configuration file; without one everything is as by default. Raises CannotRun."""
    path = options.config or root / FILE
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CannotRun(f"{path} is not a file.")
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(FILE_CHARS_MAX + 1)
    except OSError as error:
        if options.config is None and isinstance(error, FileNotFoundError):
            return CheckSettings()
        raise CannotRun(f"{path} cannot be read ({error.strerror}).") from None
    try:
        return read_settings(text, rows=definitions(), path=path.name)
    except BadSettings as error:
        raise CannotRun(str(error)) from None


def _with_settings(options: Options, settings: CheckSettings, root: Path) -> Options:
    """Return the choices of the command line over those of the file."""
    usual = usual_place(root, settings.baseline)
    is_named = bool(settings.baseline) or usual.is_file()
    return replace(
        options,
        stage=options.stage or settings.stage,
        history=options.history and settings.history,
        select=options.select or settings.select,
        ignore=(*options.ignore, *settings.ignore),
        baseline=options.baseline or (usual if is_named else None),
    )


def _silent(doing: str, done: int, total: int) -> None:
    """Tell nobody."""
