"""The page of the advice explains every thing, and has every threshold with its source."""

import re
from pathlib import PurePosixPath

import pytest

from seawall.advice import thresholds
from seawall.advice.things import THINGS, advise
from seawall.advice.thresholds import HOURS, RULES, WORTH_USD_MONTH, Rule
from seawall.advice.words import QUESTIONS, Verdict
from seawall.core.facts import FACTS
from tests.advice.apps import NOTHING, app
from tests.docs.pages import ROOT, anchors_of, read_page

PAGE = "docs/advice.md"


def test_every_threshold_is_in_the_table_with_its_source() -> None:
    lines = read_page(PAGE).splitlines()
    rows = [f"| {r.text} | {r.value:,g} {r.unit} | {r.source} | {r.refined_by} |" for r in RULES]
    assert [row for row in rows if row not in lines] == []
    first = lines.index(rows[0])
    assert lines[first : first + len(rows)] == rows


def test_no_threshold_is_left_out() -> None:
    assert {rule for rule in vars(thresholds).values() if isinstance(rule, Rule)} == set(RULES)


def test_what_was_measured_stands_where_it_was_measured() -> None:
    measured = [rule.value for rule in RULES if rule.source == thresholds.MEASURED]
    assert len(measured) == 3
    assert [value for value in measured if f"{value:,g}" not in read_page("docs/performance.md")] == []


def test_what_an_effort_must_save_is_in_the_table() -> None:
    rows = [f"| {effort} | {HOURS[effort]:g} | ${usd:,} |" for effort, usd in WORTH_USD_MONTH.items()]
    assert [row for row in rows if row not in read_page(PAGE)] == []


@pytest.mark.parametrize("thing", THINGS)
def test_every_thing_is_explained_in_the_sentence_that_the_advice_says(thing: str) -> None:
    advice = advise(thing, app(), NOTHING)
    section = re.split(r"^##+ ", read_page(PAGE).partition(f"### {thing}\n")[2], flags=re.MULTILINE)[0]
    words = " ".join(section.split())
    assert words.startswith(advice.term)
    assert words.endswith(f"Effort: {advice.effort}.")


@pytest.mark.parametrize("thing", [*THINGS, "anything else"])
def test_an_advice_links_to_a_place_that_there_is(thing: str) -> None:
    page, _, anchor = advise(thing, app(), NOTHING).link.partition("#")
    path = (ROOT / "docs" / page).relative_to(ROOT).as_posix()
    assert (ROOT / PurePosixPath(path)).is_file()
    assert not anchor or anchor in anchors_of(path)


def test_questions_verdicts_and_facts_are_all_named() -> None:
    page = read_page(PAGE)
    named = [*QUESTIONS, *(f"| {verdict} |" for verdict in Verdict), *(f"`{fact}`" for fact in FACTS)]
    assert [words for words in named if words not in page] == []
