"""Where an app is, as Markdown and as plain values.

Invariant: what users wrote stands in code spans alone.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from seawall.advice.readiness import Row, State
from seawall.advice.report.markdown import span, text
from seawall.advice.report.values import Json, figure_values
from seawall.advice.stage_words import STAGES
from seawall.advice.stages import StageReport, Suggestion

COMMENTS_SHOWN = 5
STATE_WORDS: dict[State, str] = {
    "fail": "fail",
    "warn": "look at",
    "manual": "your answer",
    "unknown": "not known",
    "pass": "there",
    "not_applicable": "not needed",
}
"""The words for the states of a row, what to do first in front."""


def markdown(report: StageReport) -> str:
    """Write a report as Markdown, for an issue or an assistant."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: StageReport) -> Iterator[str]:
    words = report.words
    yield f"# seawall stage: {report.stage}, {words.question}"
    yield "\n".join(f"- {text(line)}" for line in lines(report))
    for warning in report.warnings:
        yield f"> {text(warning)}"
    yield f"**Focus:** {text(words.focus)}"
    yield f"**Do not worry about:** {text(words.not_yet)}"
    if report.lacking:
        yield f"## What {report.stage} still lacks"
        yield "\n".join(_item(row) for row in report.lacking)
    else:
        yield f"Everything that {report.stage} asks for is there."
    yield text(report.checked.note)
    if report.checked.too_early:
        yield "## There, and not needed yet"
        yield "\n".join(f"- {text(each)}" for each in report.checked.too_early)
    if report.coming:
        yield f"## What {report.following} will need, and not before"
        yield "\n".join(f"- {text(row.title)}. {text(row.why)}".rstrip() for row in report.coming)
    yield from _comments(report)
    yield "## The five stages"
    yield "\n".join(
        [
            "| Stage | Users | Question | Takes |",
            "|---|---|---|---|",
            *(f"| {name} | {each.users} | {each.question} | {each.takes} |" for name, each in STAGES.items()),
        ]
    )


def lines(report: StageReport) -> list[str]:
    """Return where the app is, a sentence each."""
    found = [f"{name}: {figure.text}" for name, figure in report.figures.items()]
    found.append(f"time: {report.stay.text}")
    if report.suggestion is not None:
        found.append(suggested(report.suggestion))
    return found


def suggested(suggestion: Suggestion) -> str:
    """Write a suggestion as a sentence."""
    way = "up" if suggestion.is_up else "down"
    return (
        f"Move {way} to {suggestion.to}: {suggestion.reason}. `seawall stage set {suggestion.to}` shows what"
        " would change."
    )


def _item(row: Row) -> str:
    state = STATE_WORDS[row.state]
    how = text(" ".join(row.how.split()))
    return f"- [ ] **{state}** {text(row.title)}. {text(row.evidence)} {how}".rstrip()


def _comments(report: StageReport) -> Iterator[str]:
    for title, comments in (("loved", report.liked.praise), ("complained about", report.liked.complaints)):
        if comments:
            yield f"## What people {title}"
            yield "\n".join(f"- {span(comment)}" for comment in comments[:COMMENTS_SHOWN])


def values(report: StageReport) -> dict[str, Json]:
    """Return a report as plain values for programs; the names of the fields stay as they are."""
    words, stay, suggestion = report.words, report.stay, report.suggestion
    return {
        "at": datetime.fromtimestamp(report.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "days": report.days,
        "stage": report.stage.value,
        "question": words.question,
        "users": words.users,
        "focus": words.focus,
        "not_yet": words.not_yet,
        "figures": {name: figure_values(figure) for name, figure in report.figures.items()},
        "since": None if stay.since is None else stay.since.isoformat(),
        "days_at_stage": stay.days,
        "since_is_stated": stay.is_stated,
        "usual": words.takes,
        "suggestion": None
        if suggestion is None
        else {
            "to": suggestion.to.value,
            "way": "up" if suggestion.is_up else "down",
            "reason": suggestion.reason,
        },
        "warnings": list(report.warnings),
        "grade": report.checked.grade or None,
        "repository": report.checked.note,
        "rows": [_row(row) for row in report.asked],
        "next_stage": None if report.following is None else report.following.value,
        "next_rows": [_row(row) for row in report.coming],
        "too_early": list(report.checked.too_early),
        "liked": report.liked.up,
        "disliked": report.liked.down,
        "praise": list(report.liked.praise),
        "complaints": list(report.liked.complaints),
        "asks": list(report.asks),
        "stages": {
            name.value: {
                "users": each.users,
                "question": each.question,
                "focus": each.focus,
                "not_yet": each.not_yet,
                "takes": each.takes,
            }
            for name, each in STAGES.items()
        },
    }


def _row(row: Row) -> Json:
    return {
        "row": row.id,
        "title": row.title,
        "state": row.state,
        "evidence": row.evidence,
        "how": row.how,
        "why": row.why,
        "where": row.where,
        "from_stage": row.from_stage.value,
        "is_never_skip": row.is_never_skip,
    }
