"""Every error code has its page, and every page says what the code says."""

import json
import re
from collections.abc import Iterator

import pytest

from seawall.core import errors
from seawall.core.errors import SeawallError
from tests.docs.pages import ROOT, blocks_of, headings_of, read_page

FOLDER = "docs/errors"
SECTIONS = ["What happened", "Why", "What you can do", "What the operator can do"]


def kinds(kind: type[SeawallError] = SeawallError) -> Iterator[type[SeawallError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from kinds(below)


KINDS = {kind.code: kind for kind in kinds()}


def page_of(code: str) -> str:
    return f"{FOLDER}/{code}.md"


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    pages = {path.stem for path in (ROOT / FOLDER).glob("*.md")} - {"README"}
    assert pages == set(KINDS)


def test_the_list_holds_every_code_with_its_status() -> None:
    rows = re.findall(
        r"^\| \[`(\w+)`\]\((\w+)\.md\) \| (\d{3}) \|", read_page(f"{FOLDER}/README.md"), re.MULTILINE
    )
    assert sorted(rows) == sorted((code, code, str(kind.status)) for code, kind in KINDS.items())


@pytest.mark.parametrize("code", KINDS)
def test_the_page_has_the_status_type_and_message_of_its_class(code: str) -> None:
    kind, text = KINDS[code], read_page(page_of(code))
    quoted = " ".join(line.removeprefix("> ") for line in text.splitlines() if line.startswith("> "))
    assert text.startswith(f"# `{code}`\n")
    assert re.findall(r"^- Status: (\d{3})", text, re.MULTILINE) == [str(kind.status)]
    assert re.findall(r"^- Type: `(\w+)`", text, re.MULTILINE) == [kind.kind]
    assert quoted == " ".join((kind.__doc__ or "").split())


@pytest.mark.parametrize("code", KINDS)
def test_the_page_says_what_happened_why_and_what_to_do(code: str) -> None:
    assert headings_of(page_of(code))[1:5] == SECTIONS


@pytest.mark.parametrize("code", [code for code in KINDS if blocks_of(page_of(code))])
def test_the_example_is_a_body_as_it_is_sent(code: str) -> None:
    [block] = blocks_of(page_of(code))
    error = json.loads(block.text)["error"]
    assert list(error) == ["message", "type", "param", "code", "call_id"]
    if code != "upstream_refused":  # There both are the provider's own.
        assert (error["type"], error["code"]) == (KINDS[code].kind, code)
