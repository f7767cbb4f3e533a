"""The glossary has the words of the house, each once and in order, and links to a heading arrive there."""

import re
from pathlib import PurePosixPath

import pytest

from tests.docs.pages import ROOT, all_pages, anchors_of, headings_of, read_page

GLOSSARY = "docs/glossary.md"
WORDS = {
    "account", "admin key", "alias", "attempt", "breaker", "budget", "call", "caller", "cap", "carrier", "data folder",
    "dead letter", "decision", "dialect", "end user", "gateway", "gateway process", "hold", "job", "lane", "ledger", "operator", "output cap", "overage",
    "period", "piece", "policy", "price", "provider", "provider key", "quota", "refusal", "run", "scope", "seal", "settle",
    "stage", "stored state", "stream", "target", "task", "tier", "token", "translation", "usage", "vendor", "virtual key",
    "void", "worker",
}  # fmt: skip
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)")


def test_the_glossary_explains_the_words_of_the_house_once_and_in_order() -> None:
    terms = headings_of(GLOSSARY)[1:]
    assert [word for word in sorted(WORDS) if word not in terms] == []
    assert terms == sorted(set(terms))


def test_words_that_the_glossary_refers_to_have_an_entry() -> None:
    terms = set(headings_of(GLOSSARY))
    forms = {term for word in terms for term in (word, f"{word}s", f"{word}d", f"{word}ed")}
    referred = {
        " ".join(word.split())
        for word in re.findall(r"\*([a-z ]+)\*", read_page(GLOSSARY).partition("###")[2])
    }
    assert sorted(referred - forms) == []


@pytest.mark.parametrize("page", list(all_pages()))
def test_links_to_a_heading_arrive_there(page: str) -> None:
    lost = []
    for target, anchor in LINK.findall(read_page(page)):
        path = (ROOT / PurePosixPath(page).parent / target).resolve() if target else ROOT / page
        if not path.is_file() or anchor not in anchors_of(path.relative_to(ROOT).as_posix()):
            lost.append(f"{target}#{anchor}")
    assert lost == []
