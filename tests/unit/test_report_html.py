"""The report as a page: what is drawn, and what a name of a caller's choice cannot do to it."""

from html.parser import HTMLParser

import msgspec
from tests.fixtures.reports import AT, advice_of, numbers_of, report_of

from seawall.advice.readiness import Row
from seawall.advice.report import html, stage_page
from seawall.advice.report.report import Part
from seawall.advice.stages import Checked, report_on
from seawall.advice.words import Verdict
from seawall.core.stages import Stage
from seawall.core.traffic import UserFigures

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section", "h1", "h2", "h3", "p",
    "ul", "ol", "li", "strong", "br", "code", "pre", "span", "details", "summary", "meter", "div", "a", "figure",
    "figcaption", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "line", "text", "polyline", "circle",
}  # fmt: skip


class Read(HTMLParser):
    """Collects tags, attributes and texts of a page, and checks that what is opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_the_page_is_well_formed_and_runs_and_loads_nothing() -> None:
    read = Read(html.render(report_of()))
    assert read.open == []
    assert read.tags <= ALLOWED
    assert not {name for name in read.attributes if name.startswith("on") or name in ("src", "style")}


def test_markup_in_the_name_of_a_model_or_a_user_is_shown_and_does_nothing() -> None:
    page = html.render(report_of(numbers_of(model=HOSTILE, user=HOSTILE), shows_names=True))
    read = Read(page)
    assert read.tags <= ALLOWED
    assert HOSTILE in read.texts
    assert "<script" not in page


def test_nobody_is_named_unless_the_owner_asks_for_it() -> None:
    masked, named = html.render(report_of()), html.render(report_of(shows_names=True))
    assert "ada" not in masked
    assert "user 1" in masked
    assert "<td>ada</td><td>12</td><td>2</td><td>$0.05</td>" in named


def test_each_chart_is_there_with_its_numbers_as_a_table() -> None:
    texts = Read(html.render(report_of())).texts
    for title in ("Cost by day", "Users by day", "How long people wait", "Cost by model"):
        assert title in texts
    assert "The dearest day was 2026-11-25 with $0.04." in texts
    assert "Most came on 2026-11-25: 2." in texts
    assert "7 of 15 calls waited 5 s or more until their answer began." in texts


def test_calls_stand_for_users_where_no_call_names_one() -> None:
    nobody = UserFigures(0, 0, (), (), unnamed=17, keys=1, first_hour=None)
    texts = Read(html.render(report_of(msgspec.structs.replace(numbers_of(), users=nobody)))).texts
    assert "Calls by day" in texts
    assert "Who costs most" not in texts


def test_a_day_on_which_nothing_cost_anything_is_drawn_too() -> None:
    numbers = numbers_of()
    free = [msgspec.structs.replace(hour, models={}) for hour in numbers.hours]
    texts = Read(html.render(report_of(msgspec.structs.replace(numbers, hours=free)))).texts
    assert "Nothing cost anything." in texts
    assert "Cost by model" not in texts


def test_an_empty_ledger_draws_nothing_and_says_so() -> None:
    texts = Read(html.render(report_of(msgspec.structs.replace(numbers_of(), hours=())))).texts
    assert "No call is on record yet, so there is nothing to draw." in texts
    assert "Cost by day" not in texts


def test_how_far_it_is_to_the_number_at_which_a_thing_becomes_due_is_shown() -> None:
    watched = Part("watch", "Watch", (advice_of("postgres", Verdict.NOT_YET, way=(47, 1000)),))
    page = html.render(report_of(parts=(watched,)))
    assert 'Due when there are 1,000 users a day.<br><meter min="0" max="100" value="5">' in page


def test_the_page_of_a_stage_names_what_lacks_and_what_is_for_later() -> None:
    rows = (
        Row(id="budget", title="There is a limit", state="pass", evidence="$1.00 a day."),
        Row(id="alerts", title=f"Alerts {HOSTILE}", state="fail", evidence="Nobody is told.", how="State `[mail]`."),
        Row(id="copies", title="Backups are made", state="fail", evidence="None.", from_stage=Stage.ALPHA),
    )  # fmt: skip
    page = stage_page.render(report_on(numbers_of(), rows, Checked("No code was looked at."), AT.timestamp()))
    read = Read(page)
    assert read.open == []
    assert read.tags <= ALLOWED
    assert "<script" not in page
    tags = [text for text in read.texts if text in ("fail", "there", "later")]
    assert tags == ["fail", "there", "later"]
    assert "State <code>[mail]</code>." in page


def test_one_piece_of_advice_is_a_page_of_its_own() -> None:
    read = Read(html.render_advice(advice_of("caching", Verdict.DO_NOW)))
    assert read.open == []
    assert "Caching" in read.texts
    assert "[cache]\nenabled = true" in read.texts
