"""What other vendors send: anything. It is passed on as it came, or it is an error; the money is never guessed low."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fixtures.gateways import RunningApp, marked, price, running
from tests.fixtures.odd_vendor import DONE, OddVendor, answer, chunk, stream, usage, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 100
ERROR = {"error": {"message": "no", "code": "vendor_says_no", "type": "odd", "param": None}}
END = chunk("", "stop")


class Desk:
    """A gateway before a vendor that says whatever a test wants."""

    def __init__(self, app: RunningApp, vendor: OddVendor) -> None:
        self.app, self._vendor = app, vendor

    def vendor_says(self, data: bytes, *, closes: bool = False) -> None:
        """Choose the answer to everything from now on."""
        self._vendor.answer, self._vendor.closes = data, closes

    async def call(self, marker: str, **fields: Any) -> httpx.Response:
        """Make a call."""
        return await self.app.chat(marked(marker, max_tokens=CAP, **fields))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Run one gateway for all of these vendors."""
    cached = price("fake-gpt", cached_read_usd_per_mtok="1.00")
    folder = tmp_path_factory.mktemp("odd")
    settings = {name.replace(".", "__"): value for name, value in cached.items()}
    async with (
        OddVendor() as vendor,
        running(
            folder, providers__mock__base_url=vendor.base_url, budget__daily_usd="100", **settings
        ) as app,
    ):
        yield Desk(app, vendor)


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


USAGES = [
    (usage(10, 2), 10 * 10_000 + 2 * 30_000),
    (usage(10, 2, total_tokens=12), 10 * 10_000 + 2 * 30_000),
    (usage(10, None, total_tokens=12), 10 * 10_000 + 2 * 30_000),
    (usage(10, 2, prompt_tokens_details=None, completion_tokens_details=None), 160_000),
    (usage(10, 2, prompt_tokens_details={"cached_tokens": 4}), 6 * 10_000 + 4 * 1_000 + 2 * 30_000),
    (usage(10, 2, prompt_tokens_details={"cached_tokens": 12}), 12 * 1_000 + 2 * 30_000),
    (usage(10, 5, completion_tokens_details={"reasoning_tokens": 3}), 10 * 10_000 + 5 * 30_000),
]


@pytest.mark.parametrize(("said", "cost"), USAGES)
@pytest.mark.parametrize("streamed", [False, True])
async def test_usage_is_priced_by_the_bucket(
    desk: Desk, marker: str, said: Any, cost: int, streamed: bool
) -> None:
    data = (
        stream(chunk(), END, {"choices": [], "usage": said}, DONE) if streamed else whole(answer(usage=said))
    )
    desk.vendor_says(data)
    assert (await desk.call(marker, stream=streamed)).status_code == 200
    row = await desk.app.row(marker)
    assert (row.cost, row.overage) == (cost, 0)


UNUSABLE = [
    None,
    "none",
    {},
    usage(None, None),
    usage(None, 2),
    usage(-1, 2),
    usage(10, -2),
    usage(0, 0),
    usage(10, 0),
    usage(0, 2),
    usage(10.5, 2),
    usage("10", "2"),
    usage([], {}),
    usage(10, 2, prompt_tokens_details={"cached_tokens": -5}),
    usage(10, 2, prompt_tokens_details="many"),
]


@pytest.mark.parametrize("said", UNUSABLE, ids=str)
@pytest.mark.parametrize("streamed", [False, True])
async def test_usage_that_cannot_be_true_is_metered(
    desk: Desk, marker: str, said: Any, streamed: bool
) -> None:
    data = (
        stream(chunk(), END, {"choices": [], "usage": said}, DONE) if streamed else whole(answer(usage=said))
    )
    desk.vendor_says(data)
    assert (await desk.call(marker, stream=streamed)).status_code == 200
    row = await desk.app.row(marker)
    assert row.usage is not None and not row.usage.exact
    assert 18 * 10_000 + 30_000 <= row.cost <= row.held


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_error_inside_an_answer_of_status_200(desk: Desk, marker: str, streamed: bool) -> None:
    desk.vendor_says(stream(ERROR, DONE) if streamed else whole(ERROR))
    assert code_of(await desk.call(marker, stream=streamed)) == (502, "vendor_says_no")
    row = await desk.app.row(marker)
    assert row.held >= row.cost >= CAP * 30_000


async def test_an_error_in_the_middle_of_a_stream(desk: Desk, marker: str) -> None:
    desk.vendor_says(stream(chunk(), ERROR, DONE))
    response = await desk.call(marker, stream=True)
    assert response.status_code == 200
    assert "vendor_says_no" in response.text.splitlines()[-2]
    assert "[DONE]" not in response.text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"<html>", b"{", b"\xff\xfe", b'{"choices":5}',
        pytest.param(b"[" * 5_000, id="deep"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_answer(desk: Desk, marker: str, body: bytes) -> None:
    desk.vendor_says(whole(body))
    response = await desk.call(marker)
    row = await desk.app.row(marker)
    assert row.held >= row.cost >= 18 * 10_000
    if body != b'{"choices":5}':
        assert code_of(response) == (502, "upstream_unavailable")


@pytest.mark.parametrize(
    "frame",
    [
        b"data: {\n\n", b"data: []\n\n", b"data: null\n\n", b"data: \xff\n\n",
        pytest.param(b"data: " + b"[" * 5_000 + b"\n\n", id="deep"),
    ],
)  # fmt: skip
async def test_an_event_that_is_no_event_breaks_the_stream(desk: Desk, marker: str, frame: bytes) -> None:
    desk.vendor_says(stream(chunk(), frame, END, DONE))
    response = await desk.call(marker, stream=True)
    assert "upstream_unavailable" in response.text.splitlines()[-2]
    assert "[DONE]" not in response.text
    row = await desk.app.row(marker)
    assert row.held >= row.cost >= CAP * 30_000


ODD_FRAMES = [
    b": comment\n\n",
    b"event: ping\ndata: {}\n\n",
    b"id: 7\nretry: 10\n\n",
    b'data:{"choices":[]}\n\n',
    b'data: {"choices":\ndata: []}\n\n',
    b'data: {"choices":[]}\r\n\r\n',
    b"\n\n",
    b'data: {"choices":[{"index":0,"delta":{"content":null,"x":[1]},"finish_reason":null}],"y":"\xc3\xbc"}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":["a","list"]}}]}\n\n',
    b'data: {"choices":[{"delta":"text"}]}\n\n',
]


@pytest.mark.parametrize("frame", ODD_FRAMES)
async def test_frames_are_passed_on_as_they_came(desk: Desk, marker: str, frame: bytes) -> None:
    desk.vendor_says(stream(chunk(), frame, END, {"choices": [], "usage": usage(10, 2)}, DONE))
    response = await desk.call(marker, stream=True)
    assert frame in response.content
    assert response.content.endswith(DONE)
    assert (await desk.app.row(marker)).cost == 160_000


async def test_unknown_fields_of_a_whole_answer_are_passed_on(desk: Desk, marker: str) -> None:
    body = b'{"choices" : [ ], "x": {"deep":[1.0, "\xc3\xbc", 1e2]}, "usage":{"prompt_tokens":10,"completion_tokens":2}}'
    desk.vendor_says(whole(body))
    assert (await desk.call(marker)).content == body


async def test_a_stream_may_end_with_its_connection(desk: Desk, marker: str) -> None:
    data = stream(chunk(), END, {"choices": [], "usage": usage(10, 2)}, DONE)
    plain = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b"".join(
        line + b"\n\n" for line in data.split(b"\r\n") if line.startswith(b"data")
    ).replace(b"\n\n\n\n", b"\n\n")
    desk.vendor_says(plain, closes=True)
    response = await desk.call(marker, stream=True)
    assert response.text.endswith("data: [DONE]\n\n")
    assert (await desk.app.row(marker)).cost == 160_000


async def test_a_stream_without_done_is_complete_once_it_has_finished(desk: Desk, marker: str) -> None:
    desk.vendor_says(stream(chunk(), END, {"choices": [], "usage": usage(10, 2)}))
    response = await desk.call(marker, stream=True)
    assert response.text.endswith("data: [DONE]\n\n")
    assert (await desk.app.row(marker)).cost == 160_000


async def test_interim_answers_are_passed_over(desk: Desk, marker: str) -> None:
    desk.vendor_says(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n" + whole(answer())
    )
    assert (await desk.call(marker)).status_code == 200
    assert (await desk.app.row(marker)).cost == 160_000


async def test_an_answer_that_nobody_asked_for_reaches_nobody(desk: Desk, marker: str) -> None:
    desk.vendor_says(whole(answer("first")) + whole(answer("second")))
    said = [(await desk.call(marker)).json()["choices"][0]["message"]["content"] for _ in range(3)]
    assert said == ["first", "first", "first"]


@pytest.mark.parametrize(
    ("headers", "passed_on"),
    [
        ("retry-after: 12\r\n", "12"),
        ("retry-after: 0.2\r\n", "1"),
        ("retry-after-ms: 1500\r\n", "2"),
        ("retry-after: 0\r\n", "0"),
        ("retry-after: -5\r\n", None),
        ("retry-after: nan\r\n", None),
        ("retry-after: 1e9\r\n", None),
        ("retry-after: soon\r\n", None),
        ("retry-after: Sat, 21 Nov 2015 12:00:00 GMT\r\n", None),
        ("retry-after: Sat, 99 Nov 2015 12:00:00 GMT\r\n", None),
    ],
)
async def test_retry_after_passes_through(
    desk: Desk, marker: str, headers: str, passed_on: str | None
) -> None:
    desk.vendor_says(whole(ERROR, status="429 Too Many Requests", headers=headers))
    response = await desk.call(marker)
    assert code_of(response) == (429, "vendor_says_no")
    assert response.headers.get("retry-after") == passed_on


async def test_retry_after_may_be_a_date(desk: Desk, marker: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    desk.vendor_says(whole(ERROR, status="429 Too Many Requests", headers=f"retry-after: {date}\r\n"))
    response = await desk.call(marker)
    assert 300 < int(response.headers["retry-after"]) <= 600


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>Bad gateway at 10.1.2.3</html>", "upstream_refused"),
        (b"", "upstream_refused"),
        ({"error": "plain text"}, "upstream_refused"),
        ({"error": {"message": 5, "code": 77}}, "77"),
        ({"message": "no", "code": "top_level"}, "top_level"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "upstream_refused"),
        ([], "upstream_refused"),
        (b"x" * 70_000, "upstream_refused"),
        (b"[" * 5_000, "upstream_refused"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_errors_of_any_shape_are_refusals_that_cost_nothing(
    desk: Desk, marker: str, body: Any, code: str
) -> None:
    desk.vendor_says(whole(body, status="422 Unprocessable Entity"))
    response = await desk.call(marker)
    assert code_of(response) == (422, code)
    assert "10.1.2.3" not in response.text
    assert (await desk.app.row(marker)).cost == 0


@pytest.mark.parametrize(
    "status", ["201 Created", "204 No Content", "301 Moved", "399 Odd", "600 Beyond", "999 Far"]
)
async def test_a_status_that_means_nothing_is_an_error_and_costs_the_hold(
    desk: Desk, marker: str, status: str
) -> None:
    data = (
        whole(answer(), status=status) if not status.startswith("204") else b"HTTP/1.1 204 No Content\r\n\r\n"
    )
    desk.vendor_says(data)
    assert code_of(await desk.call(marker)) == (502, "upstream_unavailable")
    row = await desk.app.row(marker)
    assert row.held >= row.cost >= CAP * 30_000
