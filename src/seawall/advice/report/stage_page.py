"""Where an app is and what its stage still lacks, as one page that needs nothing else.

Invariant: what users wrote is in no page; everything else is escaped here.
"""

from collections.abc import Iterator
from html import escape

from seawall.advice.readiness import Row, State
from seawall.advice.report.html import coded, page
from seawall.advice.report.stages import STATE_WORDS, lines
from seawall.advice.stage_words import STAGES
from seawall.advice.stages import StageReport

_KINDS: dict[State, str] = {
    "fail": "bad",
    "warn": "fair",
    "manual": "plain",
    "unknown": "plain",
    "pass": "good",
    "not_applicable": "quiet",
}


def render(report: StageReport) -> str:
    """Write a report as a page."""
    return page(f"seawall stage: {report.stage}", "".join(_parts(report)))


def _parts(report: StageReport) -> Iterator[str]:
    words = report.words
    yield (
        f"<header>\n<h1>{escape(report.stage)}: {escape(words.question)}</h1>\n"
        f'<p class="small">{escape(words.users)} · the last {report.days} days</p>\n</header>\n'
    )
    items = "".join(f"<li>{coded(line)}</li>\n" for line in lines(report))
    yield f"<ul>\n{items}</ul>\n"
    yield "".join(f"<p><strong>{coded(warning)}</strong></p>\n" for warning in report.warnings)
    yield f"<p><strong>Focus:</strong> {coded(words.focus)}</p>\n"
    yield f"<p><strong>Do not worry about:</strong> {coded(words.not_yet)}</p>\n"
    done = [row for row in report.asked if row.state == "pass"]
    yield _section(f"What {report.stage} still lacks", report.lacking, or_else="Everything is there.")
    if done:
        yield _section("What is there", tuple(done), or_else="")
    if report.coming:
        title = f"What {report.following} will need, and not before"
        yield _section(title, report.coming, or_else="", is_later=True)
    yield _stages(report)
    yield f"<footer>{coded(report.checked.note)}</footer>\n"


def _section(title: str, rows: tuple[Row, ...], *, or_else: str, is_later: bool = False) -> str:
    items = "".join(_row(row, is_later=is_later and row.is_open) for row in rows)
    inner = f'<ul class="brief">\n{items}</ul>\n' if items else f"<p>{escape(or_else)}</p>\n"
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}</section>\n"


def _row(row: Row, *, is_later: bool) -> str:
    how = coded(" ".join(row.how.split())) if row.is_open else ""
    texts = "".join(f'<p class="small">{each}</p>' for each in (coded(row.evidence), how) if each)
    kind, word = ("quiet", "later") if is_later else (_KINDS[row.state], STATE_WORDS[row.state])
    tag = f'<span class="tag {kind}">{word}</span>'
    return f"<li>{tag} <strong>{coded(row.title)}</strong>{texts}</li>\n"


def _stages(report: StageReport) -> str:
    rows = "".join(
        f"<tr><td>{_here(name, report)}</td><td>{escape(each.users)}</td><td>{escape(each.question)}</td>"
        f"<td>{escape(each.takes)}</td></tr>\n"
        for name, each in STAGES.items()
    )
    return (
        '<section>\n<h2>The five stages</h2>\n<div class="wide"><table class="words">\n'
        "<thead><tr><th>Stage</th><th>Users</th><th>Question</th><th>Takes</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
    )


def _here(name: str, report: StageReport) -> str:
    return f"<strong>{escape(name)}</strong>" if name == report.stage else escape(name)
