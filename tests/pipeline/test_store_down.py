"""A gateway that cannot write calls no provider, says so, and loses nothing that it owes."""

import asyncio

from seawall.stores.sqlite.connection import open_reader
from tests.fixtures.gateways import ADMIN_KEY, Start, marked
from tests.fixtures.ledgers import full_disk
from tests.fixtures.mock_calls import until

DOWN = {"message": "The ledger cannot be reached, so no money can be held. Try again in a moment.",
        "type": "server_error", "param": None, "code": "overloaded"}  # fmt: skip


async def test_without_a_ledger_no_call_is_made(start: Start) -> None:
    app = await start()
    with full_disk(app.database):
        answer = await app.chat(marked("one"))
        stream = await app.chat(marked("two", stream=True))
    for refused in (answer, stream):
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        error = refused.json()["error"]
        assert error == DOWN | {"call_id": refused.headers["x-request-id"]}
    assert app.mock.requests == []
    assert (await app.chat(marked("three"))).status_code == 200


async def test_the_answer_stands_where_its_settlement_cannot_be_written_yet(start: Start) -> None:
    app = await start()
    call = asyncio.ensure_future(app.chat(marked("one", "d50")))
    await until(lambda: bool(app.mock.requests))
    with full_disk(app.database):
        assert (await call).status_code == 200
        reader = open_reader(app.database)
        assert reader.execute("SELECT count(*) FROM holds").fetchone() == (1,)
        reader.close()
    row, seen = await app.row(), await app.seen()
    assert row.cost == seen.cost
    spend = await app.spend()
    assert (spend.lifetime, spend.held) == (seen.cost, 0)


async def test_a_refusal_stands_where_its_row_cannot_be_written(start: Start) -> None:
    app = await start()
    with full_disk(app.database):
        unknown = await app.chat(marked("one", model="no-such-model"))
        invalid = await app.chat({"model": "fake-gpt", "messages": 5})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert (invalid.status_code, invalid.json()["error"]["param"]) == (400, "messages")


async def test_the_health_check_tells_the_reason_only_to_the_operator(start: Start) -> None:
    app = await start()
    with full_disk(app.database):
        live = await app.http.get("/healthz")
        stranger = await app.http.get("/readyz")
        operator = await app.http.get("/readyz", headers={"authorization": f"Bearer {ADMIN_KEY}"})
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (stranger.status_code, stranger.json()) == (503, {"ready": False})
    assert operator.status_code == 503
    assert len(operator.json()["reasons"]) == 1
    after = await app.http.get("/readyz")
    assert (after.status_code, after.json()) == (200, {"ready": True})


async def test_a_key_that_cannot_be_stored_is_not_shown(start: Start) -> None:
    app = await start()
    with full_disk(app.database):
        refused = await app.admin("POST", "/keys", {"name": "app"})
    assert (refused.status_code, refused.json()["error"]) == (
        503,
        DOWN | {"call_id": refused.headers["x-request-id"]},
    )
    assert [key["name"] for key in (await app.admin("GET", "/keys")).json()["data"]] == ["default"]
