"""What the owner says of the app: how it is read, and what is said of nonsense."""

from datetime import date
from pathlib import Path

import pytest
from tests.fixtures.settings import Place

from seawall.core.facts import FACTS, Fact, read_fact

PAGE = Path(__file__).parents[2] / "docs" / "stages.md"
TODAY = date(2026, 11, 27)

ERRORS = [
    (
        "[facts.serverz]\nvalue = 3\nat = 2026-11-01",
        "seawall.toml line 1: no fact is named serverz; did you mean servers?",
    ),
    (
        "[facts.servers]\nvalue = 3.5\nat = 2026-11-01",
        "seawall.toml line 2: facts.servers.value must be a whole number.",
    ),
    (
        "[facts]\nservers = { value = -1, at = 2026-11-01 }",
        "seawall.toml line 2: facts.servers.value must be from 0 to 100,000.",
    ),
    (
        "[facts.page_s]\nvalue = { a = 1 }\nat = 2026-11-01",
        "seawall.toml line 2: facts.page_s.value must be a number, true or false, a text, or a list of texts.",
    ),
    ("[facts.page_s]\nvalue = 3.5", "seawall.toml line 1: facts.page_s.at is missing and must be stated."),
    (
        "[facts.page_s]\nvalue = 3.5\nat = 2999-11-01",
        "seawall.toml line 3: facts.page_s.at must not be in the future.",
    ),
    (
        '[facts.page_s]\nvalue = 3.5\nat = "today"',
        "seawall.toml line 3: facts.page_s.at must be a date such as 2026-11-27.",
    ),
    (
        "[facts.stage_since]\nvalue = 2999-01-01\nat = 2026-11-01",
        "seawall.toml line 2: facts.stage_since.value must not be in the future.",
    ),
    (
        '[facts.has_ci]\nvalue = "maybe"\nat = 2026-11-01',
        "seawall.toml line 2: facts.has_ci.value must be true or false.",
    ),
    (
        "[facts.tried]\nvalue = 3\nat = 2026-11-01",
        'seawall.toml line 2: facts.tried.value must be a list such as ["a", "b"]; a list of nothing is [].',
    ),
]


@pytest.mark.parametrize(("toml", "expected"), ERRORS, ids=range(len(ERRORS)))
def test_a_mistake_in_a_fact_is_named_with_its_line(place: Place, toml: str, expected: str) -> None:
    assert place.refuses(toml) == expected


def test_facts_keep_the_type_that_their_question_asks_for(place: Place) -> None:
    settings = place.load(
        "[facts]\nservers = { value = 3, at = 2026-11-01 }\npage_s = { value = 2, at = 2026-11-02 }\n"
        "must_not_lose = { value = [], at = 2026-11-03 }\nhas_ci = { value = true, at = 2026-11-04 }\n"
        "stage_since = { value = 2026-10-01, at = 2026-11-05 }\ndatabase = { value = 'postgres', at = 2026-11-06 }"
    )
    assert settings.known_facts() == {
        "servers": Fact(3, date(2026, 11, 1)),
        "page_s": Fact(2.0, date(2026, 11, 2)),
        "must_not_lose": Fact((), date(2026, 11, 3)),
        "has_ci": Fact(True, date(2026, 11, 4)),
        "stage_since": Fact("2026-10-01", date(2026, 11, 5)),
        "database": Fact("postgres", date(2026, 11, 6)),
    }


def test_a_variable_may_state_a_fact(place: Place) -> None:
    stated = {"SEAWALL_FACTS__TRIED__VALUE": "caching, quotas", "SEAWALL_FACTS__TRIED__AT": "2026-11-01"}
    assert place.load(environ=stated).known_facts() == {
        "tried": Fact(("caching", "quotas"), date(2026, 11, 1))
    }


def test_a_fact_is_old_after_ninety_days() -> None:
    fact = Fact(1, date(2026, 11, 27))
    assert (fact.is_old(date(2027, 2, 25)), fact.is_old(date(2027, 2, 26))) == (False, True)


@pytest.mark.parametrize("name", FACTS)
def test_the_example_of_a_question_answers_it_and_stands_on_the_page(name: str) -> None:
    question = FACTS[name]
    read_fact(name, question.example, TODAY)
    line = f"| `{name}` | {question.text} | {question.kind}, such as `{question.example}` |"
    assert line in PAGE.read_text("utf-8").splitlines()
