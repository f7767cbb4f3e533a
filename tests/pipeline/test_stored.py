"""The routes of stored responses: what its owner gets, and that nobody else gets anything."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from seawall.core.state import Owner, StoredItem, StoredResponse
from seawall.wire import sse
from tests.fixtures.gateways import ADMIN_KEY, RunningApp, Start

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRAMES = b"".join(
    b'event: %b\ndata: {"type":"%b","sequence_number":%d}\n\n' % (kind, kind, number)
    for number, kind in enumerate([b"response.created", b"response.output_text.delta", b"response.completed"])
)
BODY = b'{"id":"resp_1","object":"response","status":"completed","x": 1.50}'


def message(name: str, text: str = "Hi") -> StoredItem:
    """Make an item whose sender gave it no id."""
    return StoredItem(name, b'{"role":"user","content":"%b"}' % text.encode())


class Desk:
    """A key with answers stored for it, and its questions."""

    def __init__(self, app: RunningApp, key_id: str, key: str) -> None:
        self._app = app
        self.key_id, self._key = key_id, key

    async def keep(self, name: str = "resp_1", end_user: str = "", **fields: Any) -> None:
        now = self._app.clock()
        kept = {"body": BODY, "created_at": now, "expires_at": now + 60, **fields}
        await self._app.seawall.gateway.conversations.put(
            StoredResponse(id=name, owner=Owner(self.key_id, end_user), **kept)
        )

    async def ask(self, method: str, path: str = "resp_1", **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._key}", **options.pop("headers", {})}
        return await self._app.http.request(method, f"/v1/responses/{path}", headers=headers, **options)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(app: RunningApp) -> Desk:
    return Desk(app, *await app.new_key())


def is_missing(answer: httpx.Response) -> bool:
    """Say whether nothing is said but that there is nothing."""
    error = answer.json()["error"]
    del error["call_id"]
    assert error == {
        "message": "There is no stored response with this id for this key and end user. It may have expired or "
        "been deleted, or it was never stored.",
        "type": "invalid_request_error",
        "param": None,
        "code": "response_not_found",
    }
    return answer.status_code == 404


ROUTES = [("GET", ""), ("GET", "?stream=true"), ("DELETE", ""), ("GET", "/input_items"), ("POST", "/cancel")]


@pytest.mark.parametrize(("method", "below"), ROUTES)
async def test_another_key_cannot_tell_that_a_response_is_there(
    app: RunningApp, desk: Desk, method: str, below: str
) -> None:
    await desk.keep(frames=FRAMES)
    other = Desk(app, *await app.new_key())
    there, not_there = [await other.ask(method, f"{name}{below}") for name in ("resp_1", "resp_0")]
    assert is_missing(there)
    assert is_missing(not_there)
    assert (await desk.ask("GET")).content == BODY


@pytest.mark.parametrize(("method", "below"), ROUTES)
async def test_an_end_user_has_what_was_made_for_it_and_nothing_else(
    desk: Desk, method: str, below: str
) -> None:
    await desk.keep("resp_1", "ada", frames=FRAMES)
    await desk.keep("resp_2", frames=FRAMES)
    for name, user in (("resp_1", None), ("resp_1", "bob"), ("resp_1", "Ada"), ("resp_2", "ada")):
        headers = {} if user is None else {"seawall-user": user}
        assert is_missing(await desk.ask(method, f"{name}{below}", headers=headers))


@pytest.mark.parametrize(
    "named",
    [
        {"headers": {"seawall-user": "ada"}},
        {"params": {"user": "ada"}},
        {"params": {"safety_identifier": "ada"}},
        {"params": {"safety_identifier": "ada", "user": "ada"}, "headers": {"seawall-user": "ada"}},
    ],
)
async def test_an_end_user_is_named_by_header_or_query(desk: Desk, named: Any) -> None:
    await desk.keep(end_user="ada")
    assert (await desk.ask("GET", **named)).content == BODY


async def test_two_end_users_at_once_are_refused(desk: Desk) -> None:
    await desk.keep(end_user="ada")
    answer = await desk.ask("GET", params={"user": "ada"}, headers={"seawall-user": "bob"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(("method", "below"), ROUTES)
async def test_without_a_key_there_is_nothing(app: RunningApp, desk: Desk, method: str, below: str) -> None:
    await desk.keep()
    for headers in (
        {},
        {"authorization": "Bearer sw-mock-unknown"},
        {"authorization": f"Bearer {ADMIN_KEY}"},
    ):
        answer = await app.http.request(method, f"/v1/responses/resp_1{below}", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize("odd", ["%27%20OR%201=1", "resp_1%00", "%ff%fe", "%F0%9F%92%A9", "x" * 2000])
async def test_an_odd_id_is_not_there(desk: Desk, odd: str) -> None:
    await desk.keep()
    assert is_missing(await desk.ask("GET", odd))


async def test_a_response_comes_back_byte_by_byte(desk: Desk) -> None:
    await desk.keep()
    answer = await desk.ask("GET", params={"include[]": "reasoning.encrypted_content"})
    assert (answer.content, answer.headers["content-type"]) == (BODY, "application/json")


async def test_a_stream_is_sent_again_from_where_it_is_wanted(desk: Desk) -> None:
    await desk.keep(frames=FRAMES)
    whole = await desk.ask("GET", params={"stream": "true"})
    assert whole.content == FRAMES + sse.DONE
    assert whole.headers["content-type"].startswith("text/event-stream")
    rest = await desk.ask("GET", params={"stream": "true", "starting_after": "0"})
    assert rest.content == FRAMES[FRAMES.index(b"event: response.output_text") :] + sse.DONE
    assert (await desk.ask("GET", params={"stream": "true", "starting_after": "9"})).content == sse.DONE


async def test_what_was_not_streamed_has_no_stream(desk: Desk) -> None:
    await desk.keep()
    answer = await desk.ask("GET", params={"stream": "true"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "stream")


async def test_a_deleted_response_is_gone(desk: Desk) -> None:
    await desk.keep()
    answer = await desk.ask("DELETE")
    assert answer.json() == {"id": "resp_1", "object": "response", "deleted": True}
    assert is_missing(await desk.ask("DELETE"))
    assert is_missing(await desk.ask("GET"))


async def test_what_is_complete_cannot_be_cancelled(desk: Desk) -> None:
    await desk.keep()
    answer = await desk.ask("POST", "resp_1/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert (await desk.ask("GET")).status_code == 200


async def test_input_items_are_those_of_the_whole_conversation(desk: Desk) -> None:
    await desk.keep("resp_1", input=(message("msg_1"),), output=(message("msg_2"),))
    await desk.keep("resp_2", input=(message("msg_3", "And?"),), output=(message("x"),), previous_id="resp_1")
    page = (await desk.ask("GET", "resp_2/input_items")).json()
    assert [item["id"] for item in page["data"]] == ["msg_3", "msg_2", "msg_1"]
    content = [{"type": "input_text", "text": "And?"}]
    assert page["data"][0] == {
        "type": "message",
        "id": "msg_3",
        "role": "user",
        "status": "completed",
        "content": content,
    }
    assert {name: page[name] for name in page if name != "data"} == {
        "object": "list",
        "first_id": "msg_3",
        "last_id": "msg_1",
        "has_more": False,
    }


async def test_input_items_come_in_pages(desk: Desk) -> None:
    await desk.keep(input=tuple(message(f"msg_{number}") for number in range(25)))
    first = (await desk.ask("GET", "resp_1/input_items")).json()
    assert (len(first["data"]), first["last_id"], first["has_more"]) == (20, "msg_5", True)
    rest = (await desk.ask("GET", "resp_1/input_items", params={"after": "msg_5"})).json()
    assert ([item["id"] for item in rest["data"]], rest["has_more"]) == (
        ["msg_4", "msg_3", "msg_2", "msg_1", "msg_0"],
        False,
    )
    two = (await desk.ask("GET", "resp_1/input_items", params={"order": "asc", "limit": 2})).json()
    assert ([item["id"] for item in two["data"]], two["has_more"]) == (["msg_0", "msg_1"], True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "x"),
        ("limit", "9" * 5000),
        ("order", "up"),
        ("after", "msg_9"),
    ],
)
async def test_a_page_that_cannot_be_is_refused_by_name(desk: Desk, name: str, value: str) -> None:
    await desk.keep(input=(message("msg_1"),))
    answer = await desk.ask("GET", "resp_1/input_items", params={name: value})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, name)


@pytest.mark.asyncio(loop_scope="function")
async def test_what_has_expired_is_gone(start: Start) -> None:
    app = await start()
    desk = Desk(app, *await app.new_key())
    await desk.keep()
    app.clock.turn(61)
    assert is_missing(await desk.ask("GET"))
    assert is_missing(await desk.ask("DELETE"))


async def forget(app: RunningApp, **params: Any) -> httpx.Response:
    return await app.admin("DELETE", "/state", params=params)


async def test_the_operator_forgets_a_key_an_end_user_or_both(app: RunningApp, desk: Desk) -> None:
    for user in ("ann", "ben", ""):
        await desk.keep("resp_1", user)
        await desk.keep("resp_2", user)
    other = Desk(app, *await app.new_key())
    await other.keep("resp_1", "ann")
    assert (await forget(app, key=other.key_id, end_user="ben")).json() == {"deleted": 0}
    assert (await forget(app, key=desk.key_id, end_user="ben")).json() == {"deleted": 2}
    assert (await forget(app, end_user="ann")).json() == {"deleted": 3}
    assert (await desk.ask("GET")).status_code == 200
    assert (await forget(app, key=desk.key_id)).json() == {"deleted": 2}
    assert is_missing(await desk.ask("GET"))


@pytest.mark.parametrize(
    "query",
    ["", "?key=", "?end_user=", "?key=key_1&end_user=", "?user=ada", "?key=a&enduser=b", "?key=a&key=b"],
)
async def test_a_slip_of_the_operator_forgets_nothing(app: RunningApp, desk: Desk, query: str) -> None:
    await desk.keep()
    answer = await app.admin("DELETE", f"/state{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert (await desk.ask("GET")).status_code == 200


async def test_only_the_operator_forgets(app: RunningApp, desk: Desk) -> None:
    await desk.keep()
    for shown in ({}, {"authorization": f"Bearer {app.key}"}):
        answer = await app.http.delete(f"/admin/v1/state?key={desk.key_id}", headers=shown)
        assert answer.status_code == 401
    assert (await desk.ask("GET")).status_code == 200
