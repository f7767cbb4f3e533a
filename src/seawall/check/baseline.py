"""Keeps what is known and accepted in a file of salted hashes, so that only what is new counts.

Invariant: a baseline holds rules, paths and hashes, never a value, a line of code or a line number. Its salt
is its own, so that the hashes of two baselines cannot be compared.
"""

import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from seawall.check.findings import Finding
from seawall.check.options import CannotRun

FILE = "seawall-baseline.json"
BYTES_MAX = 16 * 1024 * 1024
REASON = "it was there when the baseline was written"


class BadBaseline(CannotRun):
    """The file cannot be used; the message is a sentence for people."""


class Entry(Struct, frozen=True, order=True):
    """One finding that is known."""

    path: str
    rule: str
    hash: str


class Baseline(Struct, frozen=True, kw_only=True, rename={"salt": "id"}):
    """Everything that is known. In the file the salt is the `id`: scanners take a random `salt` for a key.

    `rows` are the rows of the checklist that failed.
    """

    version: int = 1
    salt: str
    findings: list[Entry]
    rows: list[str] = []


def read(file: Path) -> Baseline:
    """Read a baseline; raises BadBaseline."""
    try:
        with file.open("rb") as opened:
            data = opened.read(BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise BadBaseline(f"the baseline {file.name} cannot be read ({reason}).") from error
    if len(data) > BYTES_MAX:
        raise BadBaseline(f"the baseline {file.name} is larger than {BYTES_MAX // 1024 // 1024} MB.")
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except msgspec.MsgspecError as error:
        raise BadBaseline(f"{file.name} is no baseline: write a new one with --write-baseline.") from error
    if baseline.version != 1:
        raise BadBaseline(f"the baseline {file.name} was written by a newer seawall.")
    return baseline


def usual_place(root: Path, named: str = "") -> Path:
    """Return where the baseline of a folder is looked for: where its configuration says, or as usual."""
    return root / (named or FILE)


def make(findings: Iterable[Finding], rows: Iterable[str] = (), salt: str | None = None) -> Baseline:
    """Make a baseline of findings with fingerprints; with the salt of an old one hashes stay as they were."""
    salt = salt or secrets.token_hex(16)
    return Baseline(
        salt=salt, findings=sorted(_entry(finding, salt) for finding in findings), rows=sorted(rows)
    )


def write(file: Path, findings: Iterable[Finding], rows: Iterable[str] = ()) -> int:
    """Write what was found as the new baseline and return how many findings it holds; raises BadBaseline.

    A baseline that is already there lends its salt; a file that is none is not overwritten.
    """
    salt = read(file).salt if os.path.exists(file) else None
    baseline = make(findings, rows, salt)
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n")
    except OSError as error:
        reason = error.strerror or "no reason is known"
        raise BadBaseline(f"the baseline {file.name} cannot be written ({reason}).") from error
    return len(baseline.findings)


def split(
    findings: Iterable[Finding], baseline: Baseline
) -> tuple[list[Finding], list[Finding], list[Entry]]:
    """Return what is new, what is known, and which entries were not found again."""
    known = Counter(baseline.findings)
    new: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        entry = _entry(finding, baseline.salt)
        if known[entry] > 0:
            known[entry] -= 1
            suppressed.append(replace(finding, suppressed_by="baseline", reason=REASON))
        else:
            new.append(finding)
    return new, suppressed, sorted(known.elements())


def _entry(finding: Finding, salt: str) -> Entry:
    assert finding.fingerprint  # `fingerprints` comes first.
    digest = hashlib.sha256(f"{salt}\0{finding.fingerprint}".encode()).hexdigest()[:32]
    return Entry(path=finding.path, rule=finding.rule, hash=digest)
