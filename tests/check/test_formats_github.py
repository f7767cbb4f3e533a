"""Annotations of GitHub Actions: one line each, and nothing in the code can forge another."""

import re

from seawall.check.formats.github import render
from tests.check.reports import finding, report


def parsed(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner does."""
    commands = []
    for line in text.splitlines():
        found = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        if found:
            named = dict(part.split("=", 1) for part in found[2].split(","))
            commands.append(
                (found[1], {name: unescaped(value) for name, value in named.items()}, unescaped(found[3]))
            )
    return commands


def unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_each_finding_is_an_annotation_at_its_line() -> None:
    commands = parsed(render(report()))
    kinds = [(kind, named.get("file"), named.get("line")) for kind, named, _ in commands]
    assert kinds == [
        ("error", "app.py", "9"),
        ("error", "old/settings.py", None),
        ("error", "web/page.tsx", "1"),
        ("warning", "app.py", "10"),
        ("notice", "app.py", None),
        ("notice", "k8s/app.yaml", None),
        ("notice", None, None),
    ]
    _, named, said = commands[0]
    assert (
        named["title"]
        == "Anybody can make you pay: an open endpoint reaches a model (unprotected-llm-endpoint)"
    )
    assert named["endLine"] == "10"
    assert said.splitlines()[1] == "Looked for: a login, a rate limit, a quota."
    assert said.splitlines()[-1] == "https://seawall.dev/rules/unprotected-llm-endpoint"


def test_the_last_line_says_the_grade() -> None:
    last = render(report()).splitlines()[-1]
    assert (
        last
        == 'seawall check: Grade F. One thing that no stage skips fails: "Secrets stay out of the repository".'
    )


def test_what_the_code_says_stays_data() -> None:
    hostile = "a,line=1::b\n::error::forged\r%0A::warning::x"
    text = render(
        report(
            findings=[finding(path=hostile, message=hostile, fix=hostile)], too_early=[], notices=[hostile]
        )
    )
    assert [
        line
        for line in text.splitlines()
        if not line.startswith(
            ("::warning file=a%2Cline=1%3A%3Ab%0A", "::notice title=seawall check::a,line", "seawall check: ")
        )
    ] == []
    [(_, named, said), _] = parsed(text)
    assert named["file"].startswith("a,line=1::b\n::error::forged")
    assert "%0A::warning::x" in said
