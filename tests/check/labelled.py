"""The labelled apps: put one into a folder as a developer would have it, and score a report against its labels."""

import json
import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct, field

from seawall.check.findings import Finding
from seawall.check.report import Report
from tests.check.made_up import made_up

APPS = Path(__file__).parent / "apps"
NEAR = 3
"""A finding counts as found up to this many lines from its label, as the issue says."""

_PLACEHOLDER = re.compile(r"\{\{((?:key|hex|jwt|text):[a-z0-9:_-]+|password(?::\d+)?|pem)\}\}")
_FILES_OF_OURS = ("expected.json", "steps.json")
_WHOLE_FILE = {"env-committed", "env-not-ignored", "hardcoded-secret-history", "too-early"}
"""What lies in a file as such: its line says nothing, or is a line of a former commit."""


class Place(Struct, frozen=True, omit_defaults=True):
    """Another place or category where a careful reviewer might put the same problem."""

    path: str
    line: int
    category: str = ""


class Label(Struct, frozen=True, omit_defaults=True):
    """A true problem; `or` names the places that are as good as `path` and `line`."""

    path: str
    line: int
    category: str
    note: str = ""
    places: tuple[Place, ...] = field(name="or", default=())


class Labels(Struct, frozen=True):
    """What a careful reviewer says about an app: `findings` must be found, `may` count neither way."""

    stage: str
    stack: list[str]
    clean: bool
    findings: list[Label]
    may: list[Label]


class Score(Struct, frozen=True):
    """A report against the labels: findings that are right and wrong, labels that were found and missed."""

    true: list[Finding]
    false: list[Finding]
    found: list[Label]
    missed: list[Label]


def names(folder: Path = APPS) -> list[str]:
    """List the labelled apps of a folder, in order."""
    return sorted(path.parent.name for path in folder.glob("*/expected.json"))


def labels(name: str, folder: Path = APPS) -> Labels:
    """Read the labels of an app; raise `msgspec.ValidationError` where they are not of the known form."""
    return msgspec.json.decode((folder / name / "expected.json").read_bytes(), type=Labels)


def materialise(name: str, into: Path, folder: Path = APPS) -> Path:
    """Write an app into a new folder below `into`, with secrets filled in and a git history, and return it.

    A leading underscore in a name stands for a dot. `steps.json` may hold `before`, the commits that came first
    (`message` and `files`: path to text, or null to remove), and `untracked`, the files that were never added.
    """
    target = into / name
    target.mkdir(parents=True)
    _git(target, "init", "--quiet", "--initial-branch=main")
    steps = json.loads(path.read_text()) if (path := folder / name / "steps.json").exists() else {}
    for number, step in enumerate(steps.get("before", [])):
        for path_in_app, text in step["files"].items():
            _write(target / path_in_app, text, name)
        _commit(target, step["message"], number)
    for entry in target.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for source in sorted((folder / name).rglob("*")):
        parts = source.relative_to(folder / name).parts
        if source.is_file() and parts[0] not in _FILES_OF_OURS:
            _write(target.joinpath(*map(_dotted, parts)), source.read_text(encoding="utf-8"), name)
    untracked = [f":(exclude){path}" for path in steps.get("untracked", [])]
    _commit(
        target,
        "Tidy up" if steps.get("before") else "Initial commit",
        len(steps.get("before", [])),
        untracked,
    )
    return target


def score(report: Report, expected: Labels) -> Score:
    """Compare all findings of a report, those about what came too early included, with the labels.

    Several findings may match one label, and one finding several labels. What matches only a `may` is in neither list.
    """
    findings = [*report.findings, *report.too_early]
    true = [one for one in findings if any(_matches(one, label) for label in expected.findings)]
    allowed = [one for one in findings if any(_matches(one, label) for label in expected.may)]
    return Score(
        true=true,
        false=[one for one in findings if one not in true and one not in allowed],
        found=[label for label in expected.findings if any(_matches(one, label) for one in findings)],
        missed=[label for label in expected.findings if not any(_matches(one, label) for one in findings)],
    )


def _matches(finding: Finding, label: Label) -> bool:
    for place in (Place(label.path, label.line), *label.places):
        category = place.category or label.category
        if finding.rule != category or finding.path != place.path:
            continue
        if category in _WHOLE_FILE or place.line == 0 or abs(finding.line - place.line) <= NEAR:
            return True
    return False


def _dotted(part: str) -> str:
    return "." + part[1:] if part.startswith("_") and not part.startswith("__") else part


def _write(path: Path, text: str | None, app: str) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_PLACEHOLDER.sub(partial(_fill, app), text), encoding="utf-8")


def _fill(app: str, placeholder: re.Match[str]) -> str:
    return made_up(placeholder[1], app)


def _commit(target: Path, message: str, number: int, untracked: list[str] | None = None) -> None:
    _git(target, "add", "--all", "--", ".", *(untracked or []))
    _git(
        target,
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        message,
        date=f"2026-03-{number + 1:02}T12:00:00+00:00",
    )


def _git(target: Path, *arguments: str, date: str = "2026-03-01T12:00:00+00:00") -> None:
    person = {"NAME": "Sam Weekend", "EMAIL": "sam@weekend.example"}
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()},
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
    subprocess.run(["git", *arguments], cwd=target, env=environment, check=True, capture_output=True)
