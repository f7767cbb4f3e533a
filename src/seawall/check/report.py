"""The result of an audit, as all formats show it."""

from enum import StrEnum

from msgspec import Struct, field

from seawall.check.findings import Finding

SCHEMA = "https://seawall.dev/schemas/check-1.json"
"""Names the published JSON schema (`docs/schemas/check-1.json`)."""

ANSWERED = "Answer it in seawall.toml:"
"""The line of `Row.how` behind which the lines of an answer by hand stand, at its end."""


class State(StrEnum):
    """What a row of the checklist came to; `MANUAL` waits for the developer's answer in `seawall.toml`."""

    PASS = "pass"  # noqa: S105 - a state, not a password
    FAIL = "fail"
    WARN = "warn"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    MANUAL = "manual"


class Row(Struct, frozen=True, kw_only=True):
    """One row of the checklist of the stage.

    `required` says whether the grade depends on it at this stage. `evidence` is a sentence about what was
    seen; `path` and `line` say where, or are empty and 0. `why` says why it matters at this stage and not
    before, `how` how to do it in this app. `counts` is False where a row that fails has no say in the exit
    code: the baseline knows it, or what it fails by was not asked for.
    """

    row: str
    title: str
    state: State
    required: bool
    never_skip: bool = False
    evidence: str = ""
    path: str = ""
    line: int = 0
    why: str = ""
    how: str = ""
    counts: bool = True


class Report(Struct, frozen=True, kw_only=True):
    """Everything that an audit found. `folder` is a name, never an absolute path.

    `findings` count, the errors first; `suppressed` were ignored inline or stand in the baseline. `too_early`
    is what is there and not needed at this stage. `notices` are single lines about what could not be read.
    `stack` names the frameworks and hosts that were recognised. Without a checklist `grade` is empty.
    """

    folder: str
    stage: str
    grade: str
    findings: list[Finding]
    suppressed: list[Finding] = field(default_factory=list)
    checklist: list[Row] = field(default_factory=list)
    too_early: list[Finding] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    files: int = 0
    commits: int = 0
    took_ms: int = 0
