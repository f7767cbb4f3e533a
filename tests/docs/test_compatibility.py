"""The tables of docs/compatibility.md are true: each cell is tried, and no field of the client libraries is missing."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_type_hints

import msgspec
import pytest
from anthropic.types.beta.message_create_params import MessageCreateParamsBase as BetaMessage
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.embedding_create_params import EmbeddingCreateParams
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

from seawall.core.call import Attempt, Route
from seawall.core.errors import (
    ClientGone,
    InvalidRequest,
    NotYetSupported,
    SeawallError,
    UnpricedField,
    Untranslatable,
    UpstreamRefused,
    UpstreamUnavailable,
    VendorError,
)
from seawall.core.money import Money, Price, Rate, Rates
from seawall.providers.profile import VendorProfile, write_body
from seawall.providers.tokens import Tokenizer
from seawall.providers.vendor import VendorProvider
from seawall.providers.vendors import VENDORS
from seawall.server.endpoints import ENDPOINTS
from seawall.wire.anthropic_errors import error_type
from seawall.wire.chat import writer as chat_writer
from seawall.wire.messages import writer as messages_writer
from seawall.wire.responses import writer as responses_writer
from seawall.wire.translation import DIALECTS
from tests.docs.compatibility_samples import BARE, BETWEEN_VENDORS, CONTENT, FIELDS, THOUGHT
from tests.docs.pages import read_page
from tests.docs.test_error_pages import KINDS

PAGE = read_page("docs/compatibility.md")
PROFILES = {vendor.name: vendor.profile for vendor in VENDORS}
TARGETS = {
    "to chat completions": ("groq", "chat"),
    "to responses": ("openai", "responses"),
    "to messages": ("anthropic", "messages"),
}
"""By the head of a column: a vendor, and the dialect in which it is asked."""

MODELS = {"openai": "gpt-5", "anthropic": "claude-opus-4-6"}
OUTPUT_CAP = 1_500
REFUSALS = {"refused": Untranslatable, "refused: price": UnpricedField, "not yet": NotYetSupported}
HEADERS = {"betas"}
"""Parameters of the libraries that they send as a header."""

_SECTIONS = {
    "chat": ("Chat completions: fields", "Chat completions: in messages"),
    "responses": ("Responses: fields", "Responses: in input"),
    "messages": ("Messages: fields", "Messages: in messages"),
}


class Cell(NamedTuple):
    """One cell: in which dialect its row is asked, what the row is, the head of its column, what it says."""

    dialect: str
    row: str
    column: str
    says: str


class Sent(NamedTuple):
    """What a vendor gets, and what the client is told of it."""

    body: dict[str, Any]
    notes: dict[str, str]


def table(heading: str) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the first table below a heading."""
    text = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines, heading
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows


def cells(kind: int) -> Iterator[Cell]:
    """Yield the cells of all tables of fields (0), or of what stands in messages (1)."""
    for dialect, headings in _SECTIONS.items():
        head, rows = table(headings[kind])
        for row in rows:
            for column, says in zip(head, row, strict=True):
                if column in TARGETS:
                    yield Cell(dialect, row[0], column, says)


def send(vendor: str, dialect: str, patch: dict[str, Any], *, to: str) -> Sent:
    """Return what a vendor gets of a request; raises what the gateway would answer."""
    profile = msgspec.structs.replace(PROFILES[vendor], dialects=(to,))
    body = {**BARE[dialect], **patch}
    request = DIALECTS[dialect].read_request(body, raw_bytes=len(json.dumps(body)), messages_max=100)
    route = Route(vendor, MODELS.get(vendor, "m"), Price(Rates(input=Rate(1), output=Rate(1)), source="test"))
    sending = _provider(vendor, profile).prepare(request, route)
    attempt = Attempt(
        route, sending.request, held=Money(1), input_bound=1, output_cap=OUTPUT_CAP, lowered_from=None
    )
    return Sent(json.loads(write_body(sending.request, attempt, profile)), sending.notes)


class _NoTransport:
    """Stands where a connection would be; nothing is sent here."""

    hidden: tuple[str, ...] = ()


def _provider(vendor: str, profile: VendorProfile) -> VendorProvider:
    return VendorProvider(vendor, profile, _NoTransport(), Tokenizer(), api_key=None)  # type: ignore[arg-type] # never asked


def check(sent: Sent, says: str, patch: dict[str, Any]) -> None:
    """Compare what was sent with what a cell says of a patch that is passed, said otherwise, or left out."""
    words, _, note = says.partition(", ")
    assert bool(sent.notes) == (note == "noted"), sent.notes
    if words == "ours":
        return
    if words == "passes":
        assert {name: sent.body.get(name) for name in patch} == patch
        return
    if words == "left out" and patch.keys() & {"messages", "input"}:
        assert THOUGHT in json.dumps(patch)
        assert THOUGHT not in json.dumps(sent.body)
        return
    if words == "left out":
        assert not patch.keys() & sent.body.keys()
        return
    assert words.startswith("as "), says
    for name in re.findall(r"`([\w.]+)`", words):
        assert _stands(name, sent.body), f"{name} is not in {sent.body}"


def _stands(name: str, value: Any) -> bool:
    """Say whether a path leads somewhere, or a name stands anywhere: as a key, a type or a role."""
    if isinstance(value, dict):
        first, _, rest = name.partition(".")
        if first in value and (not rest or _stands(rest, value[first])):
            return True
        if name in (value.get("type"), value.get("role")):
            return True
        return "." not in name and any(_stands(name, each) for each in value.values())
    return isinstance(value, list) and any(_stands(name, each) for each in value)


@pytest.mark.parametrize("cell", list(cells(0)), ids=lambda cell: f"{cell.dialect}-{cell.column}-{cell.row}")
def test_what_becomes_of_a_field_is_what_the_table_says(cell: Cell) -> None:
    vendor, to = TARGETS[cell.column]
    patch = FIELDS[cell.dialect][cell.row]
    if cell.says not in REFUSALS:
        check(send(vendor, cell.dialect, patch, to=to), cell.says, patch)
        return
    with pytest.raises(InvalidRequest) as refusal:
        send(vendor, cell.dialect, patch, to=to)
    assert type(refusal.value) is REFUSALS[cell.says]
    assert (refusal.value.param or "").startswith(tuple(patch)), "the refusal names another field"


@pytest.mark.parametrize("cell", list(cells(1)), ids=lambda cell: f"{cell.dialect}-{cell.column}-{cell.row}")
def test_what_becomes_of_a_message_is_what_the_table_says(cell: Cell) -> None:
    vendor, to = TARGETS[cell.column]
    patch = CONTENT[cell.dialect][cell.row]
    if cell.says not in REFUSALS:
        check(send(vendor, cell.dialect, patch, to=to), cell.says, patch)
        return
    with pytest.raises(InvalidRequest) as refusal:
        send(vendor, cell.dialect, patch, to=to)
    assert type(refusal.value) is REFUSALS[cell.says]
    assert re.match("messages|input", refusal.value.param or ""), "the refusal names no place"


HEAD, VENDOR_ROWS = table("Vendors of chat completions")


@pytest.mark.parametrize("row", VENDOR_ROWS, ids=lambda row: row[0])
def test_what_a_vendor_of_chat_completions_is_told_is_what_the_table_says(row: list[str]) -> None:
    dialect, patch = BETWEEN_VENDORS[row[0]]
    for vendors, says in zip(HEAD[1:], row[1:], strict=True):
        for vendor in re.findall(r"`(\w+)`", vendors):
            if says in REFUSALS:
                with pytest.raises(REFUSALS[says]):
                    send(vendor, dialect, patch, to="chat")
            else:
                check(send(vendor, dialect, patch, to="chat"), says, patch)


def test_the_tables_have_a_row_for_each_sample_and_no_other() -> None:
    for dialect, (fields, content) in _SECTIONS.items():
        assert [row[0] for row in table(fields)[1]] == list(FIELDS[dialect])
        assert [row[0] for row in table(content)[1]] == list(CONTENT[dialect])
    assert [row[0] for row in VENDOR_ROWS] == list(BETWEEN_VENDORS)


def test_every_vendor_that_speaks_chat_completions_has_its_column() -> None:
    named = re.findall(r"`(\w+)`", " ".join(HEAD))
    assert sorted(named) == sorted(vendor.name for vendor in VENDORS if "chat" in vendor.profile.dialects)


@pytest.mark.parametrize(
    ("heading", "types"),
    [
        ("Chat completions: fields", [CompletionCreateParamsStreaming]),
        ("Responses: fields", [ResponseCreateParamsStreaming]),
        ("Messages: fields", [MessageCreateParamsStreaming, BetaMessage, MessageCountTokensParams]),
        ("Embeddings: fields", [EmbeddingCreateParams]),
    ],
)
def test_every_field_that_the_client_libraries_can_send_has_a_row(heading: str, types: list[type]) -> None:
    fields = {name for each in types for name in get_type_hints(each, include_extras=True)}
    rows = {found[1] for row in table(heading)[1] if (found := re.match(r"`(\w+)`", row[0]))}
    assert sorted(fields - rows - HEADERS) == []


def test_every_endpoint_has_its_row() -> None:
    rows = " ".join(row[0] for row in table("Endpoints")[1])
    assert [path for path in ENDPOINTS if f"`POST {path}`" not in rows] == []


def test_the_reasons_of_the_end_are_those_that_the_writers_write() -> None:
    rows = {row[0].strip("`"): row[1:] for row in table("Why an answer ends")[1]}
    for reason, words in messages_writer._REASONS.items():
        chat = chat_writer.FINISHES.get(reason, reason)
        because = responses_writer.INCOMPLETE.get(reason)
        said = "`completed`" if because is None else f"`incomplete`: `{because}`"
        assert rows[reason] == [f"`{chat}`", said, f"`{words}`"]


ERRORS = [kind for kind in KINDS.values() if kind not in (UpstreamRefused, ClientGone)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
def test_every_error_has_its_status_and_types(kind: type[SeawallError]) -> None:
    rows = {row[0]: row[1:] for row in table("Errors")[1]}
    made = kind()
    assert rows[f"`{kind.code}`"] == [str(kind.status), f"`{made.wire_kind}`", f"`{error_type(made)}`"]


def test_what_providers_answer_has_its_status_and_types() -> None:
    rows = {row[0]: row[1:] for row in table("Errors")[1]}
    full = UpstreamUnavailable(vendor_status=529)
    assert rows["the provider's 529"] == [str(full.wire_status), f"`{full.kind}`", f"`{error_type(full)}`"]
    refused = UpstreamRefused(429, VendorError(kind="requests"), retry_after_s=None, private="")
    assert refused.wire_status == 429
    assert (refused.wire_kind, error_type(refused)) == ("requests", "rate_limit_error")
