"""Bodies that are wrong are refused with the field named; never a 500, a traceback or a path."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fixtures.gateways import RunningApp, running
from tests.fixtures.odd_vendor import OddVendor, answer, whole
from tests.fixtures.raw_http import peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = '"messages":[{"role":"user","content":"hi"}]'
BASE: dict[str, Any] = {"model": "fake-gpt", "messages": [{"role": "user", "content": "hi"}]}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def strict_app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
    """Run a gateway with small limits before a vendor that likes everything."""
    async with (
        OddVendor(whole(answer())) as vendor,
        running(
            tmp_path_factory.mktemp("strict"),
            providers__mock__base_url=vendor.base_url,
            budget__daily_usd="1000",
            server__body_mb_max=0.25,
            server__json_depth_max=16,
            server__messages_max=50,
        ) as app,
    ):
        yield app


async def send(app: RunningApp, body: bytes | str, **headers: str) -> httpx.Response:
    shown = {"authorization": f"Bearer {app.key}", "content-type": "application/json"} | headers
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return await app.http.post("/v1/chat/completions", content=raw, headers=shown)


def assert_refused(response: httpx.Response, status: int, code: str, param: str | None) -> None:
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    internals = ("Traceback", ".py", "/tmp", "line ", "msgspec", "Decode")
    assert [each for each in internals if each in error["message"] and "(line" not in error["message"]] == []


NOT_JSON = [
    b"", b" ", b"{", b"}", b"nul", b"hello", b"{'model':1}", b'{"model":}', b'{"model":1,}', b'{"a":1} x',
    b'{"a":1}{"b":2}', b'{"a":\x00}', b'{"a":"\n"}', b'\xef\xbb\xbf{"a":1}', b"\xff\xfe{", b'{"a":01}', b"{\"a\":1e}",
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON)
async def test_what_is_no_json_is_refused(strict_app: RunningApp, body: bytes) -> None:
    assert_refused(await send(strict_app, body), 400, "invalid_request", None)


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"text"', b"true", b'[{"model":"fake-gpt"}]'])
async def test_what_is_no_object_is_refused(strict_app: RunningApp, body: bytes) -> None:
    assert_refused(await send(strict_app, body), 400, "invalid_request", None)


TWO_READINGS = [
    ('{"model":"a","model":"b"}', "model"),
    ('{"model":"a","mod\\u0065l":"b"}', "model"),
    ('{"messages":[{"role":"user","role":"system"}]}', "messages[0].role"),
    ('{"x":{"y":[1,{"z":1,"z":2}]}}', "x.y[1].z"),
    ('{"x:y":1,"x:y":2}', "x:y"),
    ('{"x":"a:b","x":"c:d"}', "x"),
    ('{"":1,"":2}', ""),
    ('{"temperature":NaN}', "temperature"),
    ('{"temperature":Infinity}', "temperature"),
    ('{"x":[1,-Infinity]}', "x[1]"),
    ('{"temperature":1e999}', "temperature"),
    ('{"user":"\\ud800"}', "user"),
    ('{"user":"\\udc00\\ud800"}', "user"),
    ('{"messages":[{"role":"user","content":"\\udfff x"}]}', "messages[0].content"),
    ('{"x":{"\\ud800":1}}', "x"),
    (b'{"user":"\xff"}', "user"),
    (b'{"user":"\xed\xa0\x80"}', "user"),
    (b'{"user":"\xc0\xaf"}', "user"),
    (b'{"messages":[{"content":"\xf5\x80\x80\x80"}]}', "messages[0].content"),
]


@pytest.mark.parametrize(("body", "param"), TWO_READINGS, ids=lambda value: repr(value)[:40])
async def test_what_two_readers_could_understand_differently(
    strict_app: RunningApp, body: str | bytes, param: str
) -> None:
    assert_refused(await send(strict_app, body), 400, "invalid_request", param or None)


@pytest.mark.parametrize("depth", [17, 40, 1_000, 40_000])
@pytest.mark.parametrize("shape", ["[", '{"a":'])
async def test_what_is_nested_too_deeply(strict_app: RunningApp, depth: int, shape: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[shape]
    body = '{"x":' + shape * (depth - 1) + "1" + closing * (depth - 1) + "}"
    assert_refused(await send(strict_app, body), 400, "invalid_request", None)


async def test_what_is_nested_as_deeply_as_allowed(strict_app: RunningApp) -> None:
    body = '{"model":"fake-gpt",' + MESSAGES + ',"x":' + "[" * 15 + "1" + "]" * 15 + "}"
    assert (await send(strict_app, body)).status_code == 200


WRONG_TYPES = [
    ("model", [None, "", 5, True, [], {}, ["fake-gpt"], "x" * 257]),
    ("messages", [None, "", 5, True, [], {}, {"0": {}}, "hi"]),
    ("messages[0]", [None, "hi", 5, True, [], [{}]]),
    ("messages[0].role", [None, 5, True, [], {}]),
    ("messages[0].content", [5, 1.5, True, {}]),
    ("messages[0].content[0]", [None, "hi", 5, True, []]),
    ("stream", [5, 0, "true", [], {}, 1.5]),
    ("stream_options", [5, "x", True, []]),
    ("max_tokens", [0, -1, "5", 1.5, True, [], {}]),
    ("max_completion_tokens", [0, -1, "5", 1.5, True, [], {}]),
    ("n", [0, -1, 129, "5", 1.5, True, [], {}]),
    ("user", [5, True, [], {}]),
    ("safety_identifier", [5, True, [], {}]),
]
CASES = [(field, value) for field, values in WRONG_TYPES for value in values]


def body_with(field: str, value: Any) -> dict[str, Any]:
    """Return a good call in which one field is something else."""
    body: dict[str, Any] = json.loads(json.dumps(BASE))
    if field == "messages[0]":
        body["messages"] = [value]
    elif field == "messages[0].content[0]":
        body["messages"][0]["content"] = [value]
    elif field.startswith("messages[0]."):
        body["messages"][0][field.rpartition(".")[2]] = value
    else:
        body[field] = value
    return body


@pytest.mark.parametrize(("field", "value"), CASES, ids=[f"{field}={value!r:.20}" for field, value in CASES])
async def test_a_field_of_the_wrong_type_is_named(strict_app: RunningApp, field: str, value: Any) -> None:
    response = await send(strict_app, json.dumps(body_with(field, value)))
    assert_refused(response, 400, "invalid_request", field)


ANYTHING: list[Any] = [None, True, 0, -1, 7, 2.5, 1e300, 2**63, "", "x", "\x00", "ü", [], [[]], ["x"], [None], [5], {},
                       {"type": 5}, {"type": []}, {"type": "function"}, {"x": {"y": []}}]  # fmt: skip
FIELDS = [
    "modalities", "audio", "tools", "tool_choice", "functions", "function_call", "response_format", "service_tier",
    "web_search_options", "plugins", "models", "prompt", "previous_response_id", "conversation", "store", "stop",
    "temperature", "logit_bias", "metadata", "prediction", "reasoning_effort", "parallel_tool_calls", "unknown",
    "messages[0].name", "messages[0].tool_calls", "messages[0].content[0]", "messages[0].audio", "stream_options",
    "max_tokens", "n", "user",
]  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
async def test_no_value_of_any_field_breaks_the_gateway(strict_app: RunningApp, field: str) -> None:
    answers = {
        repr(value): (await send(strict_app, json.dumps(body_with(field, value)))).status_code
        for value in ANYTHING
    }
    assert {value: status for value, status in answers.items() if status not in {200, 400}} == {}


PARTS: list[Any] = [
    {"type": kind, **rest}
    for kind in ("text", "image_url", "input_audio", "file", "refusal", "unknown", 5, None, [])
    for rest in (
        {},
        {"text": 5},
        {"image_url": 5},
        {"image_url": {"url": 5}},
        {"input_audio": 5},
        {"file": []},
    )
]


async def test_no_part_of_a_message_breaks_the_gateway(strict_app: RunningApp) -> None:
    statuses = [
        (await send(strict_app, json.dumps(body_with("messages[0].content[0]", part)))).status_code
        for part in PARTS
    ]
    assert set(statuses) <= {200, 400}


async def test_characters_of_every_kind_pass_untouched(strict_app: RunningApp) -> None:
    text = "\u0000 \u001f \u007f ü 漢 \U0001f30a \u202e \ufeff \ud83c\udf0a".encode(
        "utf-16", "surrogatepass"
    ).decode("utf-16")
    name = text.removeprefix("\u0000")  # Which no database has to keep.
    body = BASE | {"messages": [{"role": "user", "content": text}], "user": name}
    assert (await send(strict_app, json.dumps(body))).status_code == 200
    assert (await strict_app.rows())[-1].end_user == name


async def test_too_many_messages(strict_app: RunningApp) -> None:
    for count, status in ((50, 200), (51, 400)):
        response = await send(strict_app, json.dumps(BASE | {"messages": BASE["messages"] * count}))
        assert response.status_code == status
    assert_refused(response, 400, "invalid_request", "messages")


async def test_a_body_that_is_too_large(strict_app: RunningApp) -> None:
    limit = 256 * 1024
    small = json.dumps(BASE | {"x": ""}).encode()
    for size, status in ((limit, 200), (limit + 1, 413)):
        padded = json.dumps(BASE | {"x": "x" * (size - len(small))}).encode()
        assert len(padded) == size
        response = await send(strict_app, padded)
        assert response.status_code == status
    assert_refused(response, 413, "request_too_large", None)


async def test_a_body_without_a_length_that_grows_too_large(strict_app: RunningApp) -> None:
    async with peer_of(strict_app.port) as peer:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {strict_app.key}\r\n"
        peer.send(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        for _ in range(70):
            peer.send(b"1000\r\n" + b" " * 4096 + b"\r\n")
        answer = await peer.answer()
        assert (answer.status, answer.error["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "GZIP"])
async def test_a_compressed_body_is_refused(strict_app: RunningApp, coding: str) -> None:
    response = await send(strict_app, json.dumps(BASE), **{"content-encoding": coding})
    assert_refused(response, 400, "invalid_request", "content-encoding")


async def test_the_content_type_does_not_matter(strict_app: RunningApp) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "x"):
        assert (await send(strict_app, json.dumps(BASE), **{"content-type": kind})).status_code == 200
