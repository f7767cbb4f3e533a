"""The report at a terminal: errors first, what to do beside each, 80 columns, nothing that a terminal obeys."""

import re

import pytest
from rich.cells import cell_len

from seawall.check.catalogue import rules
from seawall.check.findings import Confidence, Severity
from seawall.check.formats.terminal import explain, render
from tests.check.reports import ANSWER, checklist, finding, report


def test_the_report_reads_from_what_matters_most() -> None:
    text = render(report())
    order = [
        "seawall check my-app · stage mvp · FastAPI, Next.js, Docker",
        "Grade F: 3 errors, 1 warning and 1 note.\n",
        "Start with old/settings.py:3: A secret in the history of the repository.",
        "ERROR A secret in the history of the repository",
        "  old/settings.py:3  An OpenAI key stood here.",
        "    | api_key = sk-p…9f",
        "    in commit a1b2c3d4e5f6 of 2026-10-02, no longer in the files",
        "  Fix        Make a new key at https://platform.openai.com/api-keys and revoke",
        "ERROR Anybody can make you pay",
        "    looked for: a login, a rate limit, a quota",
        "    limiter = Limiter(key_func=get_remote_address)",
        '    per_user = ["5/10 seconds", "30/hour"]',
        "  More       https://seawall.dev/rules/unprotected-llm-endpoint",
        "The answer is shown as raw HTML. (medium confidence)",
        'import ReactMarkdown from "react-markdown";',
        "WARNING A model call without a limit on its answer",
        "NOTE The system prompt sets no borders",
        "Checklist of the stage mvp: 2 fail, 1 look at, 1 your answer, 1 pass, 1 not",
        "       fail  Secrets stay out of the repository  old/settings.py:3\n       fail  Users have limits\n",
        "             Add a limit.",
        "your answer  The provider has a limit of its own",
        "      later  Backups are made\n",
        "say so in seawall.toml:\n    [check.manual]\n    provider-limit = {by =",
        "Too early: it works, but this stage does not need it yet",
        "  k8s/app.yaml  Kubernetes, for a first version.",
        "  data/dump.sql is larger than 2 MB and was not read.",
        'Grade F  One thing that no stage skips fails: "Secrets stay out of the',
        "3 errors, 1 warning and 1 note, 2 ignored; 42 files and 17 commits in 231 ms.\nStart with old/settings.py:3",
    ]
    at = 0
    for part in order:
        assert part in text[at:], part
        at = text.index(part, at)


def test_what_passes_is_a_number_unless_all_is_asked_for() -> None:
    assert "Connections are encrypted" not in render(report())
    told = render(report(), verbose=True)
    assert "       pass  Connections are encrypted\n             no http:// address\n" in told
    assert "  app.py:4  xss: only our own pages\n" in told
    assert "CWE-306, CWE-770, OWASP-LLM10:2025, ASVS-5.0-2.4.1" in told


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_of_prose_is_wider_than_the_terminal(width: int, verbose: bool) -> None:
    codes = {
        line.strip()
        for of in rules().values()
        for code in (of.fix_python, of.fix_javascript, of.seawall)
        for line in code.splitlines()
    }
    codes |= set(ANSWER.splitlines())
    wide = [
        line
        for line in render(report(), width=width, verbose=verbose).splitlines()
        if cell_len(line) > min(width, 80)
    ]
    assert [line for line in wide if line.strip() not in codes] == []


def test_many_places_are_shown_in_part_unless_all_are_asked_for() -> None:
    many = report(findings=[finding(path=f"f{number:02}.py") for number in range(9)])
    assert "(9 places)" in render(many)
    assert "f05.py" not in render(many)
    assert "  and 4 more; --verbose shows all\n" in render(many)
    assert "f08.py" in render(many, verbose=True)


def test_what_was_looked_for_everywhere_is_said_once() -> None:
    same = [finding(line=line, looked_for=("a login",)) for line in (1, 2, 3)]
    assert render(report(findings=same)).count("looked for: a login\n") == 1
    other = [*same, finding(line=4, looked_for=("a limit",))]
    assert render(report(findings=other)).count("looked for: a login\n") == 3


def test_the_hosts_are_listed_once_and_every_variable_is_named() -> None:
    fixes = [
        f"Read `{name}`. Replace it. It goes here:\n\n    Vercel  vercel env add {name}" for name in "ABC"
    ]
    keys = [finding("hardcoded-secret", line=at, fix=fix) for at, fix in enumerate(fixes, 1)]
    text = render(report(findings=keys))
    assert text.count("vercel env add") == 1
    assert "  Fix        Read `A`. Replace it. It goes here:\n    Vercel  vercel env add A\n" in text
    assert "  Fix        Read `B`. Replace it.\n  Fix        Read `C`. Replace it.\n" in text
    assert render(report(findings=keys), verbose=True).count("vercel env add") == 3


def test_it_starts_with_an_error_that_is_sure() -> None:
    found = [
        finding("hardcoded-secret", line=1, severity=Severity.ERROR, confidence=Confidence.MEDIUM),
        finding("xss", line=2, severity=Severity.ERROR),
    ]
    assert render(report(findings=found)).count("Start with app.py:2: ") == 2
    assert render(report(findings=found[:1])).count("Start with app.py:1: ") == 2
    assert "Start with" not in render(report(findings=[finding()]))


def test_names_and_code_cannot_send_anything_to_the_terminal() -> None:
    hostile = "\x1b[2J\x1b]0;x\x07\u202e[red]\r\x00"
    found = finding(
        path=f"a{hostile}.py",
        message=f"m{hostile}",
        evidence=f"e{hostile}\n" * 9,
        looked_for=(f"l{hostile}",),
        fix=f"f{hostile}",
        commit=f"c{hostile}",
        committed_at=hostile,
    )
    text = render(
        report(folder=hostile, stack=[hostile], findings=[found], notices=[hostile], too_early=[found]),
        verbose=True,
    )
    assert set(re.findall(r"[^\x20-\x7e\n·…\ufffd]", text)) == set()
    assert "[red]" in text
    assert text.count("    | ") == 3


def test_colours_are_there_where_they_are_wanted() -> None:
    assert "\x1b[" not in render(report())
    assert "\x1b[1;31mERROR" in render(report(), color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", render(report(), color=True)) == render(report())


def test_a_clean_report_is_short() -> None:
    rows = [row for row in checklist() if row.state in ("pass", "not_applicable")]
    clean = report(
        grade="A",
        findings=[],
        suppressed=[],
        checklist=rows,
        too_early=[],
        notices=[],
        commits=0,
        took_ms=1234,
    )
    assert render(clean) == (
        "seawall check my-app · stage mvp · FastAPI, Next.js, Docker\n\n"
        "Checklist of the stage mvp: 1 pass, 1 not needed\n\n"
        "Grade A  Everything that the stage mvp asks for is there.\n"
        "Nothing was found; 42 files in 1.2 s.\n"
    )


def test_a_part_of_an_app_has_no_grade() -> None:
    text = render(
        report(grade="", checklist=[], findings=[finding("xss", severity=Severity.ERROR)], suppressed=[])
    )
    assert "Grade" not in text
    assert "1 error; 42 files" in text


@pytest.mark.parametrize("name", rules())
def test_every_rule_explains_itself(name: str) -> None:
    of = rules()[name]
    text = explain(of)
    assert text.startswith(f"{of.severity.value.upper()} {of.title}")
    assert max(map(cell_len, text.splitlines())) <= 80
    assert f"seawall: ignore[{of.id}] reason" in " ".join(text.split())
    for code in (of.example_bad, of.example_good, of.fix_python, of.fix_javascript):
        assert all(line in text for line in code.strip("\n").splitlines())
