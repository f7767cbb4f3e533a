"""A report as one page that needs nothing else: own style, light and dark, folding without scripts.

Invariant: whatever comes from the audited repository is escaped here, and the page may run and load nothing
(see
`_POLICY`).
"""

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from seawall.check.catalogue import Rule, rule
from seawall.check.findings import Finding, Severity
from seawall.check.formats import reading
from seawall.check.formats.reading import Group
from seawall.check.report import Report, Row

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_GRADES = {"A": "good", "B": "fair", "C": "fair"}
PLACES_OPEN = 20


def render(report: Report) -> str:
    """Write a report as a page."""
    title = f"seawall check: {escape(reading.one_line(report.folder))}"
    style = files("seawall.check.formats").joinpath("page.css").read_text("utf-8")
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
    )
    return f"{head}<body>\n<main>\n{''.join(_parts(report))}</main>\n</body>\n</html>\n"


def _parts(report: Report) -> Iterator[str]:
    yield _header(report)
    groups = reading.groups(report.findings)
    if groups:
        yield '<section aria-labelledby="found">\n<h2 id="found">What to mend</h2>\n'
        yield from (_group(group, report) for group in groups)
        yield "</section>\n"
    if report.checklist:
        yield _checklist(report)
    if report.too_early:
        items = "".join(f"<li>{_place(each)} {_line(each.message)}</li>\n" for each in report.too_early)
        yield (
            "<section>\n<h2>Too early</h2>\n<p>It works; this stage does not need it yet.</p>\n"
            f"<ul>\n{items}</ul>\n</section>\n"
        )
    if report.suppressed:
        items = "".join(
            f"<li>{_place(each)} <code>{_line(each.rule)}</code> {_line(each.reason)}</li>\n"
            for each in report.suppressed
        )
        count = len(report.suppressed)
        yield f"<details>\n<summary>{count} ignored</summary>\n<ul>\n{items}</ul>\n</details>\n"
    if report.notices:
        items = "".join(f"<li>{_line(notice)}</li>\n" for notice in report.notices)
        yield f"<section>\n<h2>Notices</h2>\n<ul>\n{items}</ul>\n</section>\n"
    yield f"<footer>{_line(reading.seen(report))}. Secrets are masked.</footer>\n"


def _header(report: Report) -> str:
    stack = f" · {', '.join(map(_line, report.stack))}" if report.stack else ""
    grade = ""
    if report.grade:
        kind = _GRADES.get(report.grade, "bad")
        grade = (
            f'<p class="grade {kind}" aria-label="Grade {_line(report.grade)}">{_line(report.grade)}</p>\n'
        )
    sentences = dict.fromkeys((reading.verdict(report), reading.summary(report)))
    said = "".join(f"<p>{_line(sentence)}</p>\n" for sentence in sentences)
    start = reading.first(report)
    if start is not None:
        said += f"<p>Start with {_place(start)}: {_line(rule(start.rule).title)}.</p>\n"
    return (
        f"<header>\n{grade}<div>\n<h1>{_line(report.folder)}</h1>\n"
        f"<p>stage {_line(report.stage)}{stack}</p>\n{said}</div>\n</header>\n"
    )


def _group(group: Group, report: Report) -> str:
    of = group.rule
    is_open = " open" if group.severity is Severity.ERROR else ""
    is_same = len({finding.looked_for for finding in group.findings}) == 1
    places = [_finding(finding, shows_looked_for=not is_same) for finding in group.findings]
    looked_for = _looked_for(group.findings[0]) if is_same else ""
    shown, more = "".join(places[:PLACES_OPEN]), "".join(places[PLACES_OPEN:])
    if more:
        count = len(places) - PLACES_OPEN
        shown += (
            f"<li><details>\n<summary>{count} more places</summary>\n<ul>\n{more}</ul>\n</details></li>\n"
        )
    number = f' <span class="count">{len(places)}</span>' if len(places) > 1 else ""
    return (
        f'<details class="rule {group.severity.value}"{is_open}>\n<summary><span class="tag">'
        f"{group.severity.value}</span> {_line(of.title)}{number}</summary>\n"
        f'<ul class="places">\n{shown}</ul>\n{looked_for}{_prose(of.why)}{_fix(group, report)}'
        f"{_tags(of)}</details>\n"
    )


def _finding(finding: Finding, *, shows_looked_for: bool) -> str:
    parts = [f"{_place(finding)} {_line(finding.message)}"]
    evidence = reading.evidence_lines(finding)
    if evidence:
        parts.append(f"<pre><code>{escape(chr(10).join(evidence))}</code></pre>")
    commit = reading.since(finding)
    if commit:
        parts.append(f'<p class="small">In {escape(commit)}.</p>')
    if shows_looked_for:
        parts.append(_looked_for(finding))
    if finding.confidence != "high":
        parts.append(f'<p class="small">Confidence: {finding.confidence.value}.</p>')
    return f"<li>{''.join(parts)}</li>\n"


def _looked_for(finding: Finding) -> str:
    looked = ", ".join(map(_line, finding.looked_for))
    return f'<p class="small">Looked for: {looked}.</p>' if looked else ""


def _fix(group: Group, report: Report) -> str:
    fixes = reading.fixes(group.findings).values()
    made = "<h3>How to mend it</h3>\n" + "".join(_prose(fix) for fix in fixes)
    if not any(finding.fix for finding in group.findings):
        codes = dict.fromkeys(
            reading.fix_code(group.rule, each.path, report.stack) for each in group.findings
        )
        made += "".join(f"<pre><code>{escape(code)}</code></pre>\n" for _, code in codes if code)
    if group.rule.seawall:
        made += f"<h3>Where Seawall closes it</h3>\n{_prose(group.rule.seawall)}"
    return made


def _tags(of: Rule) -> str:
    tags = ", ".join(map(escape, of.tags))
    link = f'<a href="{escape(of.page)}" rel="noreferrer">{of.id}</a>'
    return f'<p class="small">{" · ".join(filter(None, (link, tags)))}</p>\n'


def _checklist(report: Report) -> str:
    rows = reading.rows(report)
    still = "".join(_row(row) for row in rows if reading.is_open(row))
    done = [_row(row) for row in rows if not reading.is_open(row)]
    listed = f'<ul class="rows">\n{still}</ul>\n' if still else ""
    folded = (
        f'<details>\n<summary>{len(done)} that pass or are not needed</summary>\n<ul class="rows">\n'
        f"{''.join(done)}</ul>\n</details>\n"
        if done
        else ""
    )
    stage = _line(report.stage)
    head = f"<h2>Checklist of the stage {stage}</h2>\n<p>{reading.row_counts(report)}.</p>\n"
    return f"<section>\n{head}{listed}{folded}</section>\n"


def _row(row: Row) -> str:
    where = f" {_place(row)}" if row.path else ""
    kind = "unknown" if reading.is_later(row) else row.state.value
    texts = f'<p class="small">{_line(row.evidence)}</p>' if row.evidence else ""
    for form, part in reading.ways(row):
        texts += f"<pre><code>{escape(part)}</code></pre>" if form == "code" else f"<p>{_line(part)}</p>"
    texts += f'<p class="small">{_line(row.why)}</p>' if row.why else ""
    return (
        f'<li><span class="state {kind}">{reading.state_word(row)}</span>'
        f"<div><strong>{_line(row.title)}</strong>{where}{texts}</div></li>\n"
    )


def _place(of: Finding | Row) -> str:
    return f'<code class="place">{escape(reading.place(of))}</code>'


def _prose(text: str) -> str:
    """Return paragraphs as markup: code in backticks and blocks of code as code, everything else as text."""
    made = []
    for kind, part in reading.paragraphs(reading.printable(text)):
        if kind == "code":
            made.append(f"<pre><code>{escape(part)}</code></pre>\n")
        else:
            made.append(f"<p>{_line(part)}</p>\n")
    return "".join(made)


def _line(text: str) -> str:
    """Return a text as one escaped line; what stands in backticks is code."""
    parts = escape(reading.one_line(text)).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
