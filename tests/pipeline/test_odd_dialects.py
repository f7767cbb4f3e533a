"""Vendors of every dialect that say too little, the wrong things, or lies about what they bill."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.core.ledger import CallRow
from tests.fixtures.gateways import all_dialects, running
from tests.fixtures.odd_dialects import SAYS, Chat, Messages, named, plain
from tests.fixtures.odd_vendor import DONE, OddVendor, stream, whole
from tests.fixtures.pairs import (
    CLIENTS,
    DEAREST_INPUT,
    OUTPUT_RATE,
    PAIRS,
    Hall,
    assert_is_error,
    assert_stream_broke,
    body_of,
    what_the_sdk_does,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 50
GONE = (502, "upstream_unavailable")
BILL = 10 * 10_000 + 2 * OUTPUT_RATE
"""What ten tokens of input and two of output cost."""

Pair = tuple[str, str]


class Desk:
    """A gateway before one vendor that speaks all dialects, and says whatever a test wants."""

    def __init__(self, hall: Hall, vendor: OddVendor) -> None:
        self._hall, self._vendor = hall, vendor

    async def call(
        self, pair: Pair, marker: str, says: bytes, *, stream: bool, closes: bool = False, **fields: Any
    ) -> tuple[httpx.Response, CallRow]:
        """Make a call that gets these bytes; returns the answer and the call's row."""
        self._vendor.answer, self._vendor.closes = says, closes
        asked = {"stream": True} if stream else {}
        answer = await self._hall.post(pair[0], body_of(*pair, marker, cap=CAP, **asked, **fields), marker)
        return answer, await self._hall.row(marker)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Run one for all of these vendors."""
    async with OddVendor() as vendor:
        stated = all_dialects(vendor.base_url) | {"providers__mock__base_url": vendor.base_url}
        folder = tmp_path_factory.mktemp("odd")
        async with running(folder, budget__daily_usd="999999999.00", **stated) as app:
            yield Desk(Hall(app, {}), vendor)


def in_full(row: CallRow) -> int:
    """Return what is charged where the vendor's bill is not known: the counted input, and the cap."""
    assert row.usage is not None and not row.usage.exact
    return row.usage.input * DEAREST_INPUT[row.model] + CAP * OUTPUT_RATE


def assert_broke(client: str, answer: httpx.Response, row: CallRow) -> None:
    """Check that a call failed cleanly, whether its client has heard the beginning already or not."""
    if answer.status_code == 200:
        assert_stream_broke(client, answer, (GONE[1], None), row.id)
    else:
        assert_is_error(client, answer, GONE, row.id)
    assert (row.outcome, row.status, row.code) == ("failed", *GONE)
    assert (row.cost, row.overage) == (in_full(row), 0)
    assert row.cost <= row.held


NOTHING: dict[str, Callable[[Any], bytes]] = {
    "no events": lambda says: stream(),
    "no body": lambda says: whole(b""),
    "only DONE": lambda says: stream(DONE),
    "a page": lambda says: whole(b"<html>Welcome</html>"),
    "a whole answer": lambda says: whole(says.whole(says.usage(10, 2))),
    "null": lambda says: stream(b"data: null\n\n"),
    "a list": lambda says: stream(b"data: []\n\n"),
    "no text": lambda says: stream(b"data: \xff\xfe\n\n"),
}
UNFINISHED: dict[str, tuple[Callable[[Any], bytes], bool]] = {
    "only the opening": (lambda says: stream(says.opening()), False),
    "the opening and DONE": (lambda says: stream(says.opening(), DONE), False),
    "the opening, cut": (lambda says: stream(says.opening(), end=b""), True),
    "text, cut": (lambda says: stream(says.opening(), says.text(), end=b""), True),
    "text, and half an event": (
        lambda says: stream(says.opening(), says.text(), says.ending(says.usage(10, 2))[:30]),
        False,
    ),
    "a comment": (lambda says: stream(b": still here\n\n"), False),
    "a ping": (lambda says: stream(b'event: ping\ndata: {"type": "ping"}\n\n'), False),
}


@pytest.mark.parametrize("named_case", NOTHING)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_stream_that_is_no_stream_is_a_status(
    desk: Desk, marker: str, pair: Pair, named_case: str
) -> None:
    answer, row = await desk.call(pair, marker, NOTHING[named_case](SAYS[pair[1]]), stream=True)
    assert answer.status_code == 502
    assert_broke(pair[0], answer, row)


@pytest.mark.parametrize("named_case", UNFINISHED)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_stream_that_only_begins_never_looks_complete(
    desk: Desk, marker: str, pair: Pair, named_case: str
) -> None:
    says, closes = UNFINISHED[named_case]
    answer, row = await desk.call(pair, marker, says(SAYS[pair[1]]), stream=True, closes=closes)
    assert_broke(pair[0], answer, row)


@pytest.mark.parametrize("said", [5, ["x"], {"a": 1}, None, True], ids=str)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_text_of_a_wrong_type_is_passed_on_or_an_error(
    desk: Desk, marker: str, pair: Pair, said: Any
) -> None:
    says = SAYS[pair[1]]
    frames = stream(says.opening(), says.text(said), says.ending(says.usage(10, 2)))
    answer, row = await desk.call(pair, marker, frames, stream=True)
    if row.outcome == "ok":
        assert (row.cost, row.overage) == (BILL, 0)
    else:
        assert_broke(pair[0], answer, row)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"{", b"\xff", b"[" * 5_000], ids=str)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_whole_answer_that_cannot_be_read_is_a_status(
    desk: Desk, marker: str, pair: Pair, body: bytes
) -> None:
    answer, row = await desk.call(pair, marker, whole(body), stream=False)
    assert answer.status_code == 502
    assert_broke(pair[0], answer, row)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_object_that_is_no_answer_is_not_translated_and_costs_the_hold(
    desk: Desk, marker: str, pair: Pair
) -> None:
    answer, row = await desk.call(pair, marker, whole({}), stream=False)
    is_same = SPOKEN[pair[1]] == pair[0]
    assert answer.status_code == (200 if is_same else 502)
    assert (row.cost, row.overage) == (in_full(row), 0)


SPOKEN = {"fake-gpt": "chat", "fake-claude": "messages", "fake-resp": "responses"}


@pytest.mark.parametrize("stream_asked", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_error_in_place_of_an_answer_is_a_status(
    desk: Desk, marker: str, pair: Pair, stream_asked: bool
) -> None:
    error = {"type": "error", "error": {"type": "odd", "message": "no", "code": "vendor_says_no"}}
    says = (
        stream(named(error) if pair[1] == "fake-claude" else plain(error)) if stream_asked else whole(error)
    )
    answer, row = await desk.call(pair, marker, says, stream=stream_asked)
    assert_is_error(pair[0], answer, (502, "vendor_says_no"), row.id)
    assert (row.cost, row.overage) == (in_full(row), 0)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_empty_answer_with_usage_is_an_answer(
    desk: Desk, marker: str, pair: Pair, streamed: bool
) -> None:
    says = SAYS[pair[1]]
    told = says.usage(10, 2)
    data = stream(says.opening(), says.ending(told)) if streamed else whole(says.whole(told, ""))
    answer, row = await desk.call(pair, marker, data, stream=streamed)
    assert what_the_sdk_does(pair[0], answer, stream=streamed) == ""
    assert (row.outcome, row.cost) == ("ok", BILL)


def lies(says: Any) -> list[Any]:
    """Return usages that cannot be true, in a vendor's words."""
    return [
        None,
        {},
        says.usage(None, 2),
        says.usage(None, None),
        says.usage(0, 0),
        says.usage(0, 2),
        says.usage(10, 0),
        says.usage(-1, 2),
        says.usage(10, -2),
        says.usage(10.5, 2),
        says.usage("10", "2"),
        says.usage([], {}),
        says.usage(True, False),
    ]


@pytest.mark.parametrize("number", range(13))
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_usage_that_cannot_be_true_is_metered(
    desk: Desk, marker: str, pair: Pair, streamed: bool, number: int
) -> None:
    says = SAYS[pair[1]]
    told = lies(says)[number]
    data = stream(_opening(says), says.text(), says.ending(told)) if streamed else whole(says.whole(told))
    answer, row = await desk.call(pair, marker, data, stream=streamed)
    assert answer.status_code == 200
    assert row.usage is not None and not row.usage.exact
    assert row.cost == row.usage.input * DEAREST_INPUT[pair[1]] + row.usage.output * OUTPUT_RATE
    assert row.usage.input > 10 and 1 <= row.usage.output <= CAP
    assert row.cost <= row.held


def _opening(says: Any) -> bytes:
    """Open a stream; a message without a figure that could be taken for the input."""
    opening: bytes = says.opening({}) if says is Messages else says.opening()
    return opening


@pytest.mark.parametrize("tokens", [10**6, 10**12, 2**63, 10**30])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_usage_beyond_all_bounds_is_booked_and_told_as_overage(
    desk: Desk, marker: str, pair: Pair, tokens: int
) -> None:
    says = SAYS[pair[1]]
    _, row = await desk.call(pair, marker, whole(says.whole(says.usage(10, tokens))), stream=False)
    told = min(tokens, 10**12)
    assert row.cost == 10 * 10_000 + told * OUTPUT_RATE
    assert row.overage == row.cost - row.held > 0


TWICE: dict[str, Callable[[Any], list[bytes]]] = {
    "fake-gpt": lambda says: [
        plain({"choices": [], "usage": says.usage(10, 1)}), says.ending(says.usage(10, 2)),
    ],
    "fake-claude": lambda says: [
        named({"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 1}}),
        says.ending(says.usage(10, 2)),
    ],
    "fake-resp": lambda says: [
        named({"type": "response.in_progress", "sequence_number": 9,
               "response": says.whole(says.usage(10, 1)) | {"status": "in_progress"}}),
        says.ending(says.usage(10, 2)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_of_two_usages_the_later_one_counts(desk: Desk, marker: str, pair: Pair) -> None:
    says = SAYS[pair[1]]
    data = stream(says.opening(), says.text(), *TWICE[pair[1]](says))
    _, row = await desk.call(pair, marker, data, stream=True)
    assert (row.outcome, row.cost) == ("ok", BILL)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_usage_only_where_a_message_begins_is_no_bill(desk: Desk, marker: str, client: str) -> None:
    data = stream(
        Messages.opening({"input_tokens": 10, "output_tokens": 1}), Messages.text(), Messages.ending(None)
    )
    _, row = await desk.call((client, "fake-claude"), marker, data, stream=True)
    assert row.usage is not None and not row.usage.exact
    assert row.usage.input > 10
    assert BILL <= row.cost <= row.held


@pytest.mark.parametrize("told", [{"output_tokens": 2}, {"input_tokens": 10, "output_tokens": 2}], ids=str)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_message_without_its_beginning_is_billed_by_all_that_is_known(
    desk: Desk, marker: str, client: str, told: dict[str, int]
) -> None:
    _, row = await desk.call((client, "fake-claude"), marker, stream(Messages.ending(told)), stream=True)
    if "input_tokens" in told:
        assert row.cost == BILL
    else:
        assert row.cost == in_full(row)


@pytest.mark.parametrize("client", CLIENTS)
async def test_figures_of_the_end_stand_over_those_of_the_beginning(
    desk: Desk, marker: str, client: str
) -> None:
    first = {"input_tokens": 1, "cache_creation_input_tokens": 4, "output_tokens": 1}
    last = {"input_tokens": 10, "cache_creation_input_tokens": None, "output_tokens": 2}
    data = stream(Messages.opening(first), Messages.text(), Messages.ending(last))
    _, row = await desk.call((client, "fake-claude"), marker, data, stream=True)
    assert row.cost == 10 * 10_000 + 4 * 12_500 + 2 * OUTPUT_RATE


@pytest.mark.parametrize("client", CLIENTS)
async def test_reasoning_outside_of_the_completion_is_billed(desk: Desk, marker: str, client: str) -> None:
    told = Chat.usage(10, 2, total_tokens=40, completion_tokens_details={"reasoning_tokens": 28})
    _, row = await desk.call((client, "fake-gpt"), marker, whole(Chat.whole(told)), stream=False)
    assert row.cost == 10 * 10_000 + 30 * OUTPUT_RATE
