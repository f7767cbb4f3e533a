"""Every address answers as it should: with a key, without one, and by any method."""

import json
from typing import Any

import pytest

from seawall.proving.mock_answers import LEAKS
from tests.fixtures.gateways import ADMIN_KEY, RunningApp
from tests.fixtures.raw_http import Answer, peer_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PATHS = {
    "/v1/chat/completions": {"POST"},
    "/v1/models": {"GET", "HEAD"},
    "/v1/models/fake-gpt": {"GET", "HEAD"},
    "/v1/models/no-such-model": set[str](),
    "/v1/models/": set[str](),
    "/v1/responses": {"POST"},
    "/v1/responses/": set[str](),
    "/v1/messages": {"POST"},
    "/v1/messages/count_tokens": {"POST"},
    "/v1/embeddings": {"POST"},
    "/v1": set[str](),
    "/v1/": set[str](),
    "/v1/chat/completions/": set[str](),
}


async def ask(
    app: RunningApp, method: str, path: str, key: str | None, *, headers: str = "", body: Any = None
) -> Answer:
    async with peer_of(app.port) as peer:
        peer.ask(body, key, method=method, path=path, headers=headers)
        if method == "HEAD":
            return Answer(*(await peer.head()), b"")
        return await peer.answer()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
async def test_below_v1_everything_asks_for_a_key(app: RunningApp, method: str, path: str) -> None:
    for key in (None, "sw-wrong", ADMIN_KEY):
        answer = await ask(app, method, path, key)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", METHODS)
async def test_with_a_key_an_address_answers_to_its_methods_only(
    app: RunningApp, method: str, path: str
) -> None:
    answer = await ask(app, method, path, app.key)
    if method in PATHS[path]:
        assert answer.status == (400 if method == "POST" else 200)
    else:
        assert answer.status in {404, 405}
    assert answer.headers["content-type"] == "application/json"
    assert "location" not in answer.headers


async def test_the_wrong_method_on_the_hot_route_is_called_so(app: RunningApp) -> None:
    answer = await ask(app, "GET", "/v1/chat/completions", app.key)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_a_wrong_method_is_told_which_there_are(app: RunningApp) -> None:
    answer = await ask(app, "PUT", "/admin/v1/keys/key_1", ADMIN_KEY)
    methods = {method.strip() for method in answer.headers["allow"].split(",")}
    assert (answer.status, methods) == (405, {"DELETE", "GET", "HEAD", "PATCH"})


ADMIN = ["/keys", "/keys/key_1", "/keys/key_1/rotate", "/calls", "/calls/call_1", "/usage"]


@pytest.mark.parametrize("path", ADMIN)
@pytest.mark.parametrize("method", METHODS)
async def test_the_admin_api_asks_for_the_admin_key(app: RunningApp, method: str, path: str) -> None:
    for key in (None, app.key, ADMIN_KEY[:-1], ADMIN_KEY + "x", ADMIN_KEY.upper()):
        answer = await ask(app, method, f"/admin/v1{path}", key, body=b"")
        assert answer.status in {401, 405}
        if method == "GET" and path != "/keys/key_1/rotate":
            assert answer.status == 401


NOWHERE = [
    "/", "/x", "/admin", "/admin/v1", "/admin/v1/x", "/favicon.ico", "/metrics/", "/v1x", "/V1/models", "//v1/models",
    "/./v1/models", "/%2e%2e/etc/passwd", "/.env", "/seawall.db", "/admin/v1/../v1/keys", "/healthz%00",
    "/healthz/", "/admin/v1/keys/",
    "/admin/v1/keys/%2e%2e%2f",
]  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE)
@pytest.mark.parametrize("key", [None, ADMIN_KEY])
async def test_an_unknown_address_is_not_found(app: RunningApp, path: str, key: str | None) -> None:
    answer = await ask(app, "GET", path, key)
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert "location" not in answer.headers


@pytest.mark.parametrize("host", ["x/y", "x?", "x#", "evil.example", "a" * 5_000, "127.0.0.1:1", ""])
async def test_no_host_header_opens_a_way_around_the_key(app: RunningApp, host: str) -> None:
    async with peer_of(app.port) as peer:
        peer.send(f"GET /v1/unknown HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        answer = await peer.answer()
    assert answer.status == 401
    assert b"evil" not in answer.body


@pytest.mark.parametrize(
    "target", ["http://evil.example/v1/models", "*", "?x=1", "/v1/models?x=" + "y" * 3_000]
)
async def test_a_request_target_of_another_form_asks_for_a_key_too(app: RunningApp, target: str) -> None:
    answer = await ask(app, "GET", target, None)
    assert answer.status in {400, 401, 404}
    if "/v1/models" in target:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_key(app: RunningApp, path: str) -> None:
    answer = await ask(app, "GET", path, None)
    assert answer.status == 200
    assert json.loads(answer.body) in ({"status": "ok"}, {"ready": True})
    assert (await ask(app, "HEAD", path, None)).status == 200
    for method in ("POST", "DELETE", "OPTIONS"):
        assert (await ask(app, method, path, None)).status == 405


async def test_an_upgrade_is_not_accepted(app: RunningApp) -> None:
    headers = (
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n"
    )
    answer = await ask(app, "GET", "/v1/models", app.key, headers=headers)
    assert answer.status == 200
    assert "upgrade" not in answer.headers


async def test_no_answer_says_what_the_gateway_is_made_of(app: RunningApp) -> None:
    for path in ("/", "/v1/models", "/healthz", "/admin/v1/keys", "/v1/x"):
        for key in (None, app.key, ADMIN_KEY):
            answer = await ask(app, "GET", path, key)
            said = f"{answer.headers} {answer.body.decode()}"
            internals = ("server:", "uvicorn", "starlette", "python", str(app.mock.port), "sk-mock", *LEAKS)
            assert [each for each in internals if each in said.lower()] == []
            assert not {"server", "x-powered-by", "access-control-allow-origin", "set-cookie"} & set(
                answer.headers
            )


async def test_models_are_listed_with_their_prices(app: RunningApp) -> None:
    answer = await ask(app, "GET", "/v1/models", app.key)
    listed = {model["id"]: model for model in json.loads(answer.body)["data"]}
    assert set(listed) == {"fake-gpt", "fake-thinker", "demo"}
    one = json.loads((await ask(app, "GET", "/v1/models/fake-gpt", app.key)).body)
    assert one == listed["fake-gpt"]
    assert (one["object"], one["owned_by"]) == ("model", "mock")
    assert (one["input_usd_per_mtok"], one["output_usd_per_mtok"]) == ("10.00", "30.00")
    assert (one["max_output_tokens"], one["context_tokens"]) == (4096, 128_000)
