"""What the audit found: one place in the code, one rule, one sentence."""

from enum import StrEnum
from typing import Literal as OneOf

from msgspec import Struct


class Severity(StrEnum):
    """How much a finding matters; errors and the rows of the stage decide the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(StrEnum):
    """How sure the audit is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem. No field ever holds a secret: `message` and `evidence` are masked where they are made.

    `path` is relative to the audited folder, with slashes; lines count from 1, and 0 means the whole file.
    `message` says what is wrong here, in one sentence that names the app's own functions. `looked_for` lists
    what would have been enough and was not found. `fix` is only set where it is more precise than the fix of
    the rule. `kind` names the provider or kind of a secret, `hash` is its salted hash (16 hex digits),
    `commit` with `committed_at` (ISO date) and `in_tree` tell where the history holds it.

    `fingerprint` (16 hex digits) stays the same while the lines around move; `sifting` sets it.
    `suppressed_by` says why a finding does not count, and `reason` what the developer wrote beside it.
    """

    rule: str
    path: str
    line: int
    message: str
    severity: Severity
    confidence: Confidence = Confidence.HIGH
    end_line: int = 0
    evidence: str = ""
    looked_for: tuple[str, ...] = ()
    fix: str = ""
    kind: str = ""
    hash: str = ""
    commit: str = ""
    committed_at: str = ""
    in_tree: bool = True
    fingerprint: str = ""
    suppressed_by: OneOf["", "inline", "baseline"] = ""
    reason: str = ""
