"""A report for people at a terminal: what to mend first stands first, in at most 80 columns."""

import io

from rich.console import Console
from rich.text import Text

from seawall.check.catalogue import Rule, rule
from seawall.check.findings import Finding, Severity
from seawall.check.formats import reading
from seawall.check.formats.reading import Group
from seawall.check.report import Report, Row, State

WIDTH_MAX = 80
WIDTH_MIN = 40
LABEL_CHARS = 13
ROW_CHARS = 13
PLACES_SHOWN = 5
NOTICES_SHOWN = 8

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}
_ROW_STYLES = {State.FAIL: "bold red", State.WARN: "yellow", State.MANUAL: "cyan", State.PASS: "green"}


def render(report: Report, *, width: int = WIDTH_MAX, color: bool = False, verbose: bool = False) -> str:
    """Write a report for a terminal of so many columns; `verbose` leaves nothing out."""
    page = _Page(max(WIDTH_MIN, min(width, WIDTH_MAX)), color=color)
    _head(page, report)
    for group in reading.groups(report.findings):
        _group(page, group, report, verbose=verbose)
    if report.checklist:
        _checklist(page, report, verbose=verbose)
    _too_early(page, report.too_early)
    if report.suppressed and verbose:
        _suppressed(page, report.suppressed)
    if report.notices:
        _notices(page, report.notices, verbose=verbose)
    _foot(page, report, verbose=verbose)
    return page.text()


def explain(of: Rule, *, width: int = WIDTH_MAX, color: bool = False) -> str:
    """Write the page of a rule for a terminal."""
    page = _Page(max(WIDTH_MIN, min(width, WIDTH_MAX)), color=color)
    page.line((f"{of.severity.value.upper()} ", _STYLES[of.severity]), (of.title, "bold"), f" ({of.id})")
    for label, text in (("Looks for", of.what), ("Why", of.why)):
        page.gap()
        page.labelled(label, text)
    for label, code in (("Found", of.example_bad), ("Fine", of.example_good)):
        if code:
            page.gap()
            page.labelled(label, "")
            page.code(code.strip("\n"))
    page.gap()
    page.labelled("Fix", of.fix)
    for language, code in (("Python", of.fix_python), ("JavaScript", of.fix_javascript)):
        if code:
            page.gap()
            page.labelled(language, "")
            page.code(code.strip("\n"))
    if of.seawall:
        page.gap()
        page.labelled("Seawall", of.seawall)
    page.gap()
    page.labelled("Tags", ", ".join(of.tags) or "none")
    page.labelled("Page", of.page)
    page.labelled("Ignore", f"seawall: ignore[{of.id}] reason, in a comment on the line or above it")
    return page.text()


class _Page:
    """Lines of text, wrapped at their indent."""

    def __init__(self, width: int, *, color: bool) -> None:
        self._file = io.StringIO()
        self._console = Console(
            file=self._file,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 2) -> None:
        """Write a paragraph; its second line and those after it stand further in."""
        whole = Text.assemble(*parts)
        width = self._console.width - indent - hang
        for number, line in enumerate(whole.wrap(self._console, width)):
            line.rstrip()
            self._print(" " * (indent + (hang if number else 0)), line)

    def beside(self, head: tuple[str, str], *parts: str | tuple[str, str]) -> None:
        """Write a paragraph beside a word."""
        indent = len(head[0])
        for number, line in enumerate(
            Text.assemble(*parts).wrap(self._console, self._console.width - indent)
        ):
            line.rstrip()
            self._print(" " * indent if number else head, line)

    def labelled(self, label: str, text: str) -> None:
        """Write paragraphs beside a label; code stands by itself, further out, where it has room."""
        head = f"  {label}"
        if not text:
            self._print((head, "dim"))
        for kind, part in reading.paragraphs(reading.printable(text)):
            if kind == "code":
                self.code(part)
                continue
            for line in Text(part).wrap(self._console, self._console.width - LABEL_CHARS):
                line.rstrip()
                self._print((head.ljust(LABEL_CHARS), "dim"), line)
                head = ""

    def code(self, text: str) -> None:
        for line in reading.printable(text).split("\n"):
            self._print("    ", (line, "cyan"))

    def gap(self) -> None:
        self._console.print()

    def _print(self, *parts: "str | tuple[str, str] | Text") -> None:
        """Write one line as it is: a command must survive being copied, whatever the width."""
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._file.getvalue().split("\n"))


def _head(page: _Page, report: Report) -> None:
    stack = f" · {', '.join(map(reading.one_line, report.stack[:6]))}" if report.stack else ""
    page.line(("seawall check ", "bold"), reading.one_line(report.folder), f" · stage {report.stage}{stack}")
    if report.findings:
        grade = (f"Grade {report.grade}", _grade_style(report)) if report.grade else ""
        page.line(grade, f"{': ' if report.grade else ''}{reading.summary(report)}")
        _start(page, report)


def _start(page: _Page, report: Report) -> None:
    """Say what to do first, where there is an error; at the end again, which is what a screen shows."""
    first = reading.first(report)
    if first is not None:
        page.line(("Start with ", "bold"), f"{reading.place(first)}: {rule(first.rule).title}.")


def _grade_style(report: Report) -> str:
    return "bold green" if report.grade == "A" else "bold yellow" if report.grade in "BC" else "bold red"


def _group(page: _Page, group: Group, report: Report, *, verbose: bool) -> None:
    page.gap()
    count = f" ({len(group.findings)} places)" if len(group.findings) > 1 else ""
    page.line(
        (f"{group.severity.value.upper()} ", _STYLES[group.severity]), (group.rule.title, "bold"), count
    )
    shown = group.findings if verbose else group.findings[:PLACES_SHOWN]
    looked_for = {finding.looked_for for finding in shown}
    for finding in shown:
        _finding(page, finding, shows_looked_for=len(looked_for) > 1)
    if len(looked_for) == 1:
        _looked_for(page, shown[0])
    if len(shown) < len(group.findings):
        page.line(f"and {len(group.findings) - len(shown)} more; --verbose shows all", indent=2)
    if verbose or group.severity is Severity.ERROR:
        page.labelled("Why", group.rule.why)
    _fix(page, group._replace(findings=shown), report, verbose=verbose)
    if group.rule.seawall and (verbose or group.severity is not Severity.NOTE):
        page.labelled("Seawall", group.rule.seawall)
    page.labelled("More", group.rule.page)
    if verbose and group.rule.tags:
        page.labelled("Tags", ", ".join(group.rule.tags))


def _finding(page: _Page, finding: Finding, *, shows_looked_for: bool) -> None:
    sure = "" if finding.confidence == "high" else f" ({finding.confidence.value} confidence)"
    page.line((reading.place(finding), "bold"), f"  {reading.one_line(finding.message)}{sure}", indent=2)
    for line in reading.evidence_lines(finding):
        page.line(("| ", "dim"), line, indent=4)
    commit = reading.since(finding)
    if commit:
        page.line((f"in {commit}", "dim"), indent=4)
    if shows_looked_for:
        _looked_for(page, finding)


def _looked_for(page: _Page, finding: Finding) -> None:
    if finding.looked_for:
        looked = ", ".join(map(reading.one_line, finding.looked_for))
        page.line((f"looked for: {looked}", "dim"), indent=4)


def _fix(page: _Page, group: Group, report: Report, *, verbose: bool) -> None:
    """Write each fix once; the code of the rule follows where the finding has no fix of its own.

    A note shows code only to who asks for everything.
    """
    fixes = reading.fixes(group.findings)
    for fix in fixes if verbose else fixes.values():
        page.labelled("Fix", fix)
    if any(finding.fix for finding in group.findings):
        return
    if group.severity is Severity.NOTE and not verbose:
        return
    codes = dict.fromkeys(reading.fix_code(group.rule, each.path, report.stack) for each in group.findings)
    for _, code in codes:
        if code:
            page.code(code)


def _checklist(page: _Page, report: Report, *, verbose: bool) -> None:
    page.gap()
    page.line((f"Checklist of the stage {report.stage}", "bold"), f": {reading.row_counts(report)}")
    answers = []
    for row in reading.rows(report):
        if verbose or reading.is_open(row):
            is_asked = reading.is_open(row) and row.required and not reading.is_told(row, report)
            _row(page, row, is_asked=is_asked, verbose=verbose)
            answers += [reading.answer(row)] if is_asked else []
    _answers(page, list(filter(None, answers)))


def _row(page: _Page, row: Row, *, is_asked: bool, verbose: bool) -> None:
    """Write a row; how to mend it is left out where the finding says so, or where nothing asks for it."""
    style = "dim" if reading.is_later(row) else _ROW_STYLES.get(row.state, "dim")
    where = f"  {reading.place(row)}" if row.path else ""
    title = reading.one_line(row.title)
    page.beside((f"{reading.state_word(row).rjust(11)}  ", style), title, (where, "bold"))
    if row.evidence and (is_asked or verbose):
        page.line((reading.one_line(row.evidence), "dim"), indent=ROW_CHARS, hang=0)
    if is_asked or verbose:
        for kind, part in reading.ways(row, with_answer=False):
            if kind == "code":
                page.code(part)
            else:
                page.line(part, indent=ROW_CHARS, hang=0)
    if row.why and verbose:
        page.line((reading.one_line(row.why), "dim"), indent=ROW_CHARS, hang=0)


def _answers(page: _Page, answers: list[str]) -> None:
    """Write the lines with which rows are answered by hand together, to be copied."""
    if not answers:
        return
    page.gap()
    page.line("Where you have done it already, or it is done elsewhere, say so in seawall.toml:", hang=0)
    page.code("\n".join(["[check.manual]", *answers]))


def _too_early(page: _Page, findings: list[Finding]) -> None:
    if not findings:
        return
    page.gap()
    page.line(("Too early", "bold"), ": it works, but this stage does not need it yet")
    for finding in findings:
        page.line((reading.place(finding), "bold"), f"  {reading.one_line(finding.message)}", indent=2)


def _suppressed(page: _Page, findings: list[Finding]) -> None:
    page.gap()
    page.line(("Ignored", "bold"))
    for finding in findings:
        why = "baseline" if finding.suppressed_by == "baseline" else reading.one_line(finding.reason)
        page.line((reading.place(finding), "bold"), f"  {finding.rule}: {why}", indent=2)


def _notices(page: _Page, notices: list[str], *, verbose: bool) -> None:
    page.gap()
    page.line(("Notices", "bold"))
    shown = notices if verbose else notices[:NOTICES_SHOWN]
    for notice in shown:
        page.line(reading.one_line(notice), indent=2)
    if len(shown) < len(notices):
        page.line(f"and {len(notices) - len(shown)} more; --verbose shows all", indent=2)


def _foot(page: _Page, report: Report, *, verbose: bool) -> None:
    page.gap()
    if report.grade:
        page.line((f"Grade {report.grade}", _grade_style(report)), f"  {reading.verdict(report)}")
    ignored = f", {len(report.suppressed)} ignored" if report.suppressed else ""
    page.line((f"{reading.summary(report)[:-1]}{ignored}; {reading.seen(report)}.", "dim"))
    _start(page, report)
    if report.findings and not verbose:
        page.line(("More about a rule: seawall check --explain RULE", "dim"))
        page.line(("For a coding assistant: seawall check --format markdown", "dim"))
