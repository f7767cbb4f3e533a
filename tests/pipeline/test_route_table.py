"""One metering point for all routes (money.md 17): no route reaches a provider without a hold on disk."""

import ast
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

import seawall
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from seawall.server.endpoints import ENDPOINTS
from seawall.stores.sqlite.connection import open_reader
from tests.fixtures.gateways import ADMIN_KEY, DIALECT_MODELS, RunningApp, Start, all_dialects
from tests.fixtures.mock_calls import o200k

SOURCE = Path(seawall.__file__).parent
HELLO = [{"role": "user", "content": "Hello"}]

BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 50},
    "/v1/messages/count_tokens": {"messages": HELLO},
    "/v1/embeddings": {"input": "Hello"},
}


class Witness:
    """Counts the holds in the gateway's file at the moment when each request arrives."""

    def __init__(self) -> None:
        self.app: RunningApp | None = None
        self.holds: list[tuple[str, int]] = []

    def __call__(self, seen: Seen) -> Behaviour | None:
        if self.app is not None:
            reader = open_reader(self.app.database)
            self.holds.append((seen.path, len(reader.execute("SELECT id FROM holds").fetchall())))
            reader.close()
        return None


def test_every_endpoint_has_a_body_here() -> None:
    assert set(BODIES) == set(ENDPOINTS)


@pytest.mark.parametrize("model", DIALECT_MODELS)
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("stream", [False, True])
async def test_every_call_is_held_for_before_it_is_sent(
    start: Start, path: str, model: str, stream: bool
) -> None:
    if stream and path in ("/v1/embeddings", "/v1/messages/count_tokens"):
        return
    witness = Witness()
    async with MockProvider(count=o200k(), script=witness) as mock:
        app = witness.app = await start(mock=mock, **all_dialects(mock.base_url))
        await ask_and_check(app, witness, path, model, stream=stream)


async def ask_and_check(app: RunningApp, witness: Witness, path: str, model: str, *, stream: bool) -> None:
    body = {"model": model, **BODIES[path], **({"stream": True} if stream else {})}
    answer = await app.http.post(path, json=body, headers={"authorization": f"Bearer {app.key}"})
    row = await app.row()
    if (path, model) == ("/v1/embeddings", "fake-claude"):
        assert (answer.status_code, witness.holds, row.cost) == (400, [], 0)
        return
    assert answer.status_code == 200
    assert row.cost == app.mock.total().bill
    if path != "/v1/messages/count_tokens":
        assert [holds for _, holds in witness.holds] == [1]
        assert row.cost > 0
    else:  # Only Anthropic's dialect has a way to ask; elsewhere the tokens are counted here.
        assert [holds for _, holds in witness.holds] == ([1] if model == "fake-claude" else [])
    assert (await app.spend()).held == 0


async def test_no_other_route_reaches_a_provider(start: Start) -> None:
    app = await start()
    before = app.mock.total().requests
    routes = [route for route in app.seawall.asgi.cold.routes if isinstance(route, Route)]
    assert len(routes) > 10
    for route in routes:
        path = route.path.replace("{model:path}", "fake-gpt").replace("{key_id}", "key_1")
        path = path.replace("{call_id}", "call_1").replace("{response_id}", "resp_1")
        for method in route.methods or ():
            for key in (app.key, ADMIN_KEY):
                shown = {"authorization": f"Bearer {key}"}
                async with app.http.stream(method, path, headers=shown, json={}):
                    pass  # Some streams never end by themselves.
    assert app.mock.total().requests == before


def test_only_one_place_in_the_source_opens_a_provider() -> None:
    """The pipeline calls `open` of a provider once, inside the bracket that `hold_budget` surrounds."""
    places = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node).endswith(".open(call, attempt)")
    ]
    assert places == ["pipeline/calling.py"]
