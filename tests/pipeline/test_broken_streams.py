"""Vendors that break off, fall silent or talk nonsense, in each dialect, before clients of each dialect.

The client hears a clean error in its own dialect, the ledger books what may have been billed, and a connection
in the middle of an answer is never used again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.proving.mock_answers import LEAKS
from tests.fixtures.gateways import PROVIDER_KEY
from tests.fixtures.mock_calls import until
from tests.fixtures.pairs import (
    DEAREST_INPUT,
    OUTPUT_RATE,
    PAIRS,
    Hall,
    assert_is_error,
    assert_stream_broke,
    hall_in,
    what_the_sdk_does,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 50
GONE = (502, "upstream_unavailable")
SILENT = (504, "upstream_timeout")
VENDORS_CODE = {"fake-gpt": "server_error", "fake-claude": "overloaded_error", "fake-resp": "server_error"}
"""What each vendor calls the error that it sends inside a stream."""

BROKE_OFF = "The provider broke off its answer."
UNREADABLE = "The provider sent an event that cannot be read."
IN_THE_MIDDLE = "The provider's stream ended in the middle of the answer."
TOO_SLOW = "The provider took too long. Try again, or ask for a shorter answer."
BEGAN_TOO_LATE = "The provider took too long to begin its answer."
CALL_TOO_LONG = "The whole call took longer than this gateway allows."

WHOLE_BROKEN = ["reset", "reset0", "eof", "eof0", "short", "badhttp", "hugehead600000"]
STREAM_BROKEN = ["reset0", "eof0", "badhttp", "hugehead600000"]
SILENCES = [(False, each) for each in ("hole", "d60000", "stall0", "stall")]
SILENCES += [(True, each) for each in ("hole", "d60000", "stall0")]

MID_STREAM = [
    ("reset1", BROKE_OFF),
    ("reset5", BROKE_OFF),
    ("reset5-greedy", BROKE_OFF),
    ("eof1", BROKE_OFF),
    ("eof5", BROKE_OFF),
    ("eof5-split", BROKE_OFF),
    ("reset5-reason", BROKE_OFF),
    ("badjson", UNREADABLE),
    ("badjson-odd", UNREADABLE),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one in which every connection to the vendor is broken in the end."""
    async with hall_in(tmp_path_factory.mktemp("broken")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def tidy_hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one whose vendor ends its bodies properly, so that its connections stay."""
    async with hall_in(tmp_path_factory.mktemp("tidy")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def impatient_hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one that waits a fifth of a second for a vendor."""
    folder = tmp_path_factory.mktemp("impatient")
    async with hall_in(folder, timeouts__first_byte_s=0.2, timeouts__between_events_s=0.2) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stalling_hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one that waits a fifth of a second for the next event, and long for the first."""
    async with hall_in(tmp_path_factory.mktemp("stalling"), timeouts__between_events_s=0.2) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def eager_hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one that waits two seconds for the first token: enough to be sent, wherever that is slow."""
    async with hall_in(tmp_path_factory.mktemp("eager"), timeouts__first_token_s=2) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hurried_hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """Run one whose calls have two seconds altogether."""
    async with hall_in(tmp_path_factory.mktemp("hurried"), timeouts__call_s=2) as made:
        yield made


async def assert_charged_in_full(hall: Hall, marker: str, told: tuple[int, str]) -> None:
    """Check that the one row of a call says how it failed, and that it costs what the vendor may bill."""
    row, seen = await hall.row(marker), await hall.seen(marker)
    assert (row.outcome, row.status, row.code) == ("failed", *told)
    assert row.usage is not None and not row.usage.exact
    assert row.usage.input >= seen.input_tokens
    assert row.usage.output == CAP
    assert row.cost == row.usage.input * DEAREST_INPUT[row.model] + CAP * OUTPUT_RATE
    assert seen.cost <= row.cost <= row.held
    assert row.overage == 0


async def assert_connection_is_closed(hall: Hall) -> None:
    await until(lambda: hall.app.mock.open_connections == 0)
    assert hall.app.mock.overlaps == 0


def assert_nothing_leaks(answer: httpx.Response, hall: Hall) -> None:
    head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    secrets = [*LEAKS, PROVIDER_KEY, "127.0.0.1", f":{hall.app.mock.port}", "req_mock", "Traceback"]
    assert [secret for secret in secrets if secret in head + answer.text] == []


@pytest.mark.parametrize(
    ("stream", "mocked"), [(False, each) for each in WHOLE_BROKEN] + [(True, each) for each in STREAM_BROKEN]
)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_vendor_that_breaks_before_the_first_event_is_a_status(
    hall: Hall, marker: str, pair: tuple[str, str], stream: bool, mocked: str
) -> None:
    answer = await hall.call(pair, f"m-{marker}", mocked, **asked(stream=stream))
    row = await hall.row(f"m-{marker}")
    assert_is_error(pair[0], answer, GONE, row.id)
    assert what_the_sdk_does(pair[0], answer, stream=stream) == "InternalServerError"
    assert_nothing_leaks(answer, hall)
    await assert_charged_in_full(hall, f"m-{marker}", GONE)
    await assert_connection_is_closed(hall)


@pytest.mark.parametrize(("stream", "mocked"), SILENCES)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_vendor_that_is_silent_before_the_first_event_is_a_status(
    impatient_hall: Hall, marker: str, pair: tuple[str, str], stream: bool, mocked: str
) -> None:
    answer = await impatient_hall.call(pair, f"m-{marker}", mocked, **asked(stream=stream))
    row = await impatient_hall.row(f"m-{marker}")
    assert_is_error(pair[0], answer, SILENT, row.id)
    assert what_the_sdk_does(pair[0], answer, stream=stream) in ("InternalServerError", "GatewayTimeoutError")
    await assert_charged_in_full(impatient_hall, f"m-{marker}", SILENT)
    assert (await impatient_hall.seen(f"m-{marker}")).peer_left_at is not None
    await assert_connection_is_closed(impatient_hall)


@pytest.mark.parametrize(("mocked", "message"), MID_STREAM)
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_stream_that_breaks_in_the_middle_ends_with_an_error(
    hall: Hall, marker: str, pair: tuple[str, str], mocked: str, message: str
) -> None:
    answer = await hall.call(pair, f"m-{marker}", mocked, **asked(stream=True))
    row = await hall.row(f"m-{marker}")
    assert_stream_broke(pair[0], answer, (GONE[1], message), row.id)
    assert_nothing_leaks(answer, hall)
    await assert_charged_in_full(hall, f"m-{marker}", GONE)
    await assert_connection_is_closed(hall)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_stream_that_stalls_in_the_middle_ends_with_an_error(
    stalling_hall: Hall, marker: str, pair: tuple[str, str]
) -> None:
    answer = await stalling_hall.call(pair, f"m-{marker}", "stall5", **asked(stream=True))
    row = await stalling_hall.row(f"m-{marker}")
    assert_stream_broke(pair[0], answer, (SILENT[1], TOO_SLOW), row.id)
    await assert_charged_in_full(stalling_hall, f"m-{marker}", SILENT)
    assert (await stalling_hall.seen(f"m-{marker}")).peer_left_at is not None
    await assert_connection_is_closed(stalling_hall)


@pytest.mark.parametrize("mocked", ["redacted-stall1", "d60000"])
async def test_streams_whose_first_token_is_late_end_with_an_error(
    eager_hall: Hall, marker: str, mocked: str
) -> None:
    await assert_all_run_out_of_time(eager_hall, f"m-{marker}", mocked, BEGAN_TOO_LATE)


@pytest.mark.parametrize("mocked", ["full-g60", "stall5"])
async def test_streams_past_their_deadline_end_with_an_error(
    hurried_hall: Hall, marker: str, mocked: str
) -> None:
    await assert_all_run_out_of_time(hurried_hall, f"m-{marker}", mocked, CALL_TOO_LONG)


async def assert_all_run_out_of_time(hall: Hall, marker: str, mocked: str, message: str) -> None:
    """Make a call of each pair, all at once, and check that each ends with this error."""
    streamed = asked(stream=True)
    calls = [hall.call(pair, f"{marker}{number}", mocked, **streamed) for number, pair in enumerate(PAIRS)]
    answers = await asyncio.gather(*calls)
    for number, (pair, answer) in enumerate(zip(PAIRS, answers, strict=True)):
        row = await hall.row(f"{marker}{number}")
        if answer.status_code == 200:
            assert_stream_broke(pair[0], answer, (SILENT[1], message), row.id)
        else:
            assert_is_error(pair[0], answer, SILENT, row.id)
            assert answer.json()["error"]["message"] == message
        await assert_charged_in_full(hall, f"{marker}{number}", SILENT)
        assert (await hall.seen(f"{marker}{number}")).peer_left_at is not None
    await assert_connection_is_closed(hall)


@pytest.mark.parametrize("mocked", ["end1", "end5", "end5-greedy", "end5-split", "end5-odd"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_body_that_ends_too_early_ends_the_stream_with_an_error(
    tidy_hall: Hall, marker: str, pair: tuple[str, str], mocked: str
) -> None:
    answer = await tidy_hall.call(pair, f"m-{marker}", mocked, **asked(stream=True))
    row = await tidy_hall.row(f"m-{marker}")
    assert_stream_broke(pair[0], answer, (GONE[1], IN_THE_MIDDLE), row.id)
    await assert_charged_in_full(tidy_hall, f"m-{marker}", GONE)
    assert tidy_hall.app.mock.overlaps == 0


@pytest.mark.parametrize("mocked", ["error1", "error5", "failed5", "error5-greedy"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_an_error_inside_a_stream_is_told_in_the_words_of_the_client(
    tidy_hall: Hall, marker: str, pair: tuple[str, str], mocked: str
) -> None:
    answer = await tidy_hall.call(pair, f"m-{marker}", mocked, **asked(stream=True))
    row, code = await tidy_hall.row(f"m-{marker}"), VENDORS_CODE[pair[1]]
    assert_stream_broke(pair[0], answer, (code, None), row.id)
    assert_nothing_leaks(answer, tidy_hall)
    await assert_charged_in_full(tidy_hall, f"m-{marker}", (502, code))


@pytest.mark.parametrize("mocked", ["end0", "error0"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_stream_of_nothing_is_a_status(
    tidy_hall: Hall, marker: str, pair: tuple[str, str], mocked: str
) -> None:
    answer = await tidy_hall.call(pair, f"m-{marker}", mocked, **asked(stream=True))
    told = GONE if mocked == "end0" else (502, VENDORS_CODE[pair[1]])
    assert_is_error(pair[0], answer, told, (await tidy_hall.row(f"m-{marker}")).id)
    assert what_the_sdk_does(pair[0], answer, stream=True) == "InternalServerError"
    await assert_charged_in_full(tidy_hall, f"m-{marker}", told)


@pytest.mark.parametrize("client", ["chat", "responses", "messages"])
async def test_a_whole_response_that_failed_is_a_status(tidy_hall: Hall, marker: str, client: str) -> None:
    answer = await tidy_hall.call((client, "fake-resp"), f"m-{marker}", "failed", **asked(stream=False))
    assert_is_error(client, answer, (502, "server_error"), (await tidy_hall.row(f"m-{marker}")).id)
    await assert_charged_in_full(tidy_hall, f"m-{marker}", (502, "server_error"))


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_after_broken_answers_the_next_one_is_whole(
    hall: Hall, marker: str, pair: tuple[str, str]
) -> None:
    for number, mocked in enumerate(("reset5", "badjson", "eof5")):
        await hall.call(pair, f"m-{marker}{number}", mocked, **asked(stream=True))
    answer = await hall.call(pair, f"m-{marker}", "s9-close", **asked(stream=True))
    assert what_the_sdk_does(pair[0], answer, stream=True) == ""
    row, seen = await hall.row(f"m-{marker}"), await hall.seen(f"m-{marker}")
    assert (row.outcome, row.cost, row.overage) == ("ok", seen.cost, 0)
    assert hall.app.mock.overlaps == 0


def asked(*, stream: bool) -> dict[str, Any]:
    return {"cap": CAP, **({"stream": True} if stream else {})}
