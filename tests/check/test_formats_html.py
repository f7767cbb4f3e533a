"""The report as one page: complete in itself, everything escaped, nothing that runs."""

import re
from html.parser import HTMLParser

import pytest

from seawall.check.formats.html import render
from seawall.check.report import Row, State
from tests.check.reports import finding, report

VOID = ("meta", "br")


class Reader(HTMLParser):
    """Notes tags and attributes, and whether everything that is opened is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.said += data


def test_the_page_is_well_formed_and_says_it_all() -> None:
    read = Reader(render(report()))
    assert read.open == []
    for part in (
        "my-app",
        "stage mvp · FastAPI, Next.js, Docker",
        'One thing that no stage skips fails: "Secrets stay out of the repository".',
        "app.py:9 POST /chat reaches client.responses.create through chat()",
        "Looked for: a login, a rate limit, a quota.",
        "In commit a1b2c3d4e5f6 of 2026-10-02, no longer in the files.",
        "limiter = Limiter(key_func=get_remote_address)",
        "Kubernetes, for a first version.",
        "2 ignored",
        "data/dump.sql is larger than 2 MB",
        "42 files and 17 commits in 231 ms.",
    ):
        assert part in read.said


def test_errors_are_open_and_everything_else_is_folded() -> None:
    folded = [
        attrs for tag, attrs in Reader(render(report())).tags if tag == "details" and attrs.get("class")
    ]
    assert [("open" in attrs, attrs["class"]) for attrs in folded] == [
        (True, "rule error"),
        (True, "rule error"),
        (True, "rule error"),
        (False, "rule warning"),
        (False, "rule note"),
    ]


def test_the_page_needs_nothing_and_runs_nothing() -> None:
    page = render(report())
    read = Reader(page)
    names = {tag for tag, _ in read.tags}
    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert all(not name.startswith("on") for _, attrs in read.tags for name in attrs)
    policy = next(attrs["content"] for tag, attrs in read.tags if attrs.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    links = [attrs["href"] for tag, attrs in read.tags if tag == "a"]
    assert all(link is not None and link.startswith("https://seawall.dev/rules/") for link in links)
    assert not re.search(r"url\(|@import", page)


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "`</code><b>`", "&lt;b&gt;"]
)
def test_what_the_code_says_stays_text(hostile: str) -> None:
    found = finding(
        path=hostile, message=hostile, evidence=hostile, looked_for=(hostile,), fix=f"{hostile}\n\n    {hostile}",
        commit=hostile, committed_at=hostile, reason=hostile, kind=hostile,
    )  # fmt: skip
    row = Row(
        row="r",
        title=hostile,
        state=State.FAIL,
        required=True,
        evidence=hostile,
        path=hostile,
        why=hostile,
        how=hostile,
    )
    page = render(
        report(
            folder=hostile, stack=[hostile], findings=[found], suppressed=[found], too_early=[found], notices=[hostile],
            checklist=[row], grade=hostile, stage=hostile,
        )
    )  # fmt: skip
    usual = {tag for tag, _ in Reader(render(report())).tags}
    read = Reader(page)
    assert {tag for tag, _ in read.tags} <= usual
    assert read.open == []
    assert hostile.replace("`", "") in read.said.replace("`", "")


def test_many_places_are_folded() -> None:
    page = render(report(findings=[finding(path=f"f{number}.py") for number in range(50)]))
    assert "30 more places" in page
    assert "f49.py" in page
