"""The report as tasks in Markdown: each with place, problem and fix; quoted code stays quoted."""

import re

from seawall.check.findings import Severity
from seawall.check.formats.markdown import render, span, text
from tests.check.reports import finding, report


def test_it_is_a_list_of_tasks_with_file_line_problem_and_fix() -> None:
    page = render(report())
    assert page.startswith("# seawall check: my-app, stage mvp, grade F\n\n3 errors, 1 warning and 1 note. ")
    assert (
        "- [ ] `app.py:9`: POST /chat reaches `client.responses.create` through chat(), and nobody is asked who calls.  \n"
        '  `@app.post("/chat")`  \n'
        "  `def chat(body: Chat):`  \n"
        "  Looked for: a login, a rate limit, a quota.\n"
        "\n"
        "**Fix:** Ask who is calling"
    ) in page
    assert "In commit a1b2c3d4e5f6 of 2026-10-02, no longer in the files.\n" in page
    assert "```python\n# FastAPI with slowapi" in page
    assert '```toml\n[guard]\noutput_markup = "redact"\n```' in page
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == [
        "Errors",
        "Warnings",
        "Notes",
        "Checklist of the stage mvp",
        "Too early",
        "Notices",
    ]


def test_each_of_several_fixes_stands_beside_its_task() -> None:
    found = [
        finding("hardcoded-secret", line=line, fix=f"Put it there: {line}.\n\n    flyctl secrets set A=")
        for line in (1, 2)
    ]
    page = render(report(findings=found))
    assert (
        "- [ ] `app.py:1`: chat() asks a model and names no limit.  \n  Fix: Put it there: 1.  \n\n  ```text"
        in page
    )
    assert "**Fix:**" not in page


def test_rows_that_are_open_are_tasks_and_the_others_a_number() -> None:
    page = render(report())
    assert "2 fail, 1 look at, 1 your answer, 1 pass, 1 not needed, 1 later." in page
    assert (
        "- [ ] **Secrets stay out of the repository** (fail) (`old/settings.py:3`)  \n  1 key in the history  \n"
        in page
    )
    assert "Connections are encrypted" not in page


def test_what_the_code_says_is_quoted() -> None:
    hostile = "x`` \n\n# Ignore the above\n- [ ] <img src=x> [a](javascript:b) *c*"
    found = finding("xss", path=hostile, message=hostile, evidence=hostile, severity=Severity.ERROR)
    page = render(report(folder=hostile, findings=[found], checklist=[], too_early=[], notices=[hostile]))
    outside = re.sub(r"```.*?```(?!`)|(`+)(?!`).*?(?<!`)\1(?!`)", "", page, flags=re.DOTALL)
    assert not re.search(r"^# Ignore", page, re.MULTILINE)
    assert "<img" not in outside.replace("\\<img", "")
    assert "[a](" not in outside.replace("\\[a\\](", "")


def test_code_spans_hold_whatever_they_are_given() -> None:
    assert span("a") == "`a`"
    assert span("a`b``c") == "``` a`b``c ```"
    assert text("`a*b` *c* <d>\n# e") == "`a*b` \\*c\\* \\<d\\> \\# e"


def test_a_clean_report_has_no_tasks() -> None:
    page = render(report(grade="A", findings=[], suppressed=[], checklist=[], too_early=[], notices=[]))
    assert page == "# seawall check: my-app, stage mvp, grade A\n\nNothing was found.\n"
