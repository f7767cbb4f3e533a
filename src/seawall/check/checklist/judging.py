"""The checklist of a stage: each row judged by what is in the repository, by findings, and by answers."""

from collections.abc import Callable
from datetime import timedelta

from seawall.check.checklist import building, limiting, running, spending
from seawall.check.checklist.definitions import BY_HAND, Definition, definitions
from seawall.check.checklist.facts import missing
from seawall.check.checklist.survey import (
    Evidence,
    Judgement,
    Spot,
    Survey,
    failed,
    not_applicable,
    passed,
    waiting,
    warned,
)
from seawall.check.checklist.too_early import too_early
from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.report import ANSWERED, Row, State
from seawall.core.stages import Stage


def checklist(evidence: Evidence, stage: Stage) -> tuple[list[Row], list[Finding]]:
    """Judge every row that a stage shows; the findings are notes about what is there too early."""
    survey = Survey(evidence)
    rows = [_row(each, survey, stage) for each in definitions().values() if each.is_shown(stage)]
    return rows, list(too_early(survey, stage))


def _row(row: Definition, survey: Survey, stage: Stage) -> Row:
    judgement = _judge(row, survey, stage)
    how = row.how_for(survey.stack)
    if row.answer and judgement.state in (State.MANUAL, State.FAIL, State.WARN):
        how += f"\n{ANSWERED}\n" + BY_HAND.format(row=row.id, today=survey.evidence.today)
    return Row(
        row=row.id,
        title=row.title,
        state=judgement.state,
        required=row.is_required(stage),
        never_skip=row.never_skip,
        evidence=judgement.evidence,
        path=judgement.path,
        line=judgement.line,
        why=f"{row.why} {row.not_before}",
        how=how,
    )


def _judge(row: Definition, survey: Survey, stage: Stage) -> Judgement:
    absence = missing(survey, row.needs) if not survey.found(*row.rules) else None
    if absence is not None:
        if survey.foreign is not None and row.needs != "dependencies":
            return Judgement(
                state=State.UNKNOWN,
                evidence=f"Most of it is {survey.foreign}, which the audit does not read.",
            )
        return not_applicable(absence)
    if row.judge == "findings":
        judgement = _by_findings(row, survey)
    elif row.judge == "manual":
        judgement = waiting("Nobody has answered this yet.")
    elif row.judge == "budget":
        judgement = spending.budget(survey, stage)
    else:
        judgement = JUDGES[row.judge](survey)
    return _answered(row, survey, judgement) if row.answer else judgement


def _answered(row: Definition, survey: Survey, judgement: Judgement) -> Judgement:
    """Let an answer by hand stand where nothing better was seen; it grows old."""
    answer = survey.settings.answers.get(row.id)
    # A loop without an end that was found is a fact, whatever was vouched for.
    is_settled = judgement.state is State.PASS or (row.never_skip and judgement.state is State.FAIL)
    if answer is None or is_settled:
        return judgement
    spot = Spot(survey.settings.path, answer.line)
    said = f"{answer.by}, {answer.at}" + (f": {answer.note}" if answer.note else ".")
    today = survey.evidence.today
    if answer.at > today + timedelta(days=1):
        return warned(f"The answer is dated in the future ({said})", spot)
    if answer.at + timedelta(days=row.days) < today:
        return warned(f"The answer is older than {row.days} days: look again ({said})", spot)
    return passed(f"Answered by {said}", spot)


def _by_findings(row: Definition, survey: Survey) -> Judgement:
    found = survey.found(*row.rules)
    grave = [
        each
        for each in found
        if each.confidence is not Confidence.LOW
        and (
            each.severity is Severity.ERROR
            or (row.fails_on == "warning" and each.severity is Severity.WARNING)
        )
    ]
    light = [each for each in found if each.severity is not Severity.NOTE]
    if grave:
        return failed(_tell(grave), Spot(grave[0].path, grave[0].line))
    if light:
        return warned(_tell(light), Spot(light[0].path, light[0].line))
    return passed(row.clean)


def _tell(found: list[Finding]) -> str:
    """Repeat the first finding's sentence, and how many more there are."""
    return found[0].message + (f" (and {len(found) - 1} more)" if len(found) > 1 else "")


def _history(survey: Survey) -> Judgement:
    found = [each for each in survey.found("hardcoded-secret-history") if each.severity is Severity.ERROR]
    certain = [each for each in found if each.confidence is not Confidence.LOW]
    if certain:
        where = f" (commit {certain[0].commit[:12]})" if certain[0].commit else ""
        return failed(f"{_tell(certain)}{where}", Spot(certain[0].path, certain[0].line))
    if found:
        return warned(_tell(found), Spot(found[0].path, found[0].line))
    if survey.evidence.files.tracked is None:
        return not_applicable("There is no git repository, so there is no history.")
    if not survey.evidence.history_read:
        return Judgement(state=State.UNKNOWN, evidence="The history was not read this time.")
    return passed("No secret was found in the history.")


JUDGES: dict[str, Callable[[Survey], Judgement]] = {
    "history": _history,
    "llm_endpoints": spending.llm_endpoints,
    "spending_limit": spending.spending_limit,
    "rate_limits": limiting.rate_limits,
    "budget_alerts": spending.budget_alerts,
    "provider_fallback": spending.provider_fallback,
    "timeouts": spending.timeouts,
    "streaming": spending.streaming,
    "error_tracking": running.error_tracking,
    "health_check": running.health_check,
    "monitoring": running.monitoring,
    "structured_logs": running.structured_logs,
    "log_privacy": running.log_privacy,
    "graceful_shutdown": running.graceful_shutdown,
    "load_test": running.load_test,
    "on_call": running.on_call,
    "tests": building.tests,
    "ci": building.ci,
    "setup": building.setup,
    "dependency_pins": building.dependency_pins,
    "dependency_updates": building.dependency_updates,
    "migrations": building.migrations,
    "backups": building.backups,
    "licence": building.licence,
    "incident_contact": building.incident_contact,
    "privacy_notice": building.privacy_notice,
}
"""What `judge` in rows.toml can name, beside "findings", "manual" and "budget"."""
