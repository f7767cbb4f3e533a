"""Going on from stored answers: whose they are, from the first call to the last."""

from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fixtures.gateways import RunningApp, Start

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, BOB = {"seawall-user": "ada"}, {"seawall-user": "bob"}
LONG = "u" * 256


class Client:
    """Asks /v1/responses with one key."""

    def __init__(self, app: RunningApp, key: str) -> None:
        self._app, self._key = app, key

    async def say(self, text: str, *, headers: Any = None, **fields: Any) -> httpx.Response:
        body = {"model": "fake-gpt", "input": text, "max_output_tokens": 16, **fields}
        return await self._app.http.post("/v1/responses", json=body, headers=self._shown(headers))

    async def said(self, text: str, *, headers: Any = None, **fields: Any) -> str:
        """Return the id of the answer."""
        answer = (await self.say(text, headers=headers, **fields)).raise_for_status().json()
        return str(answer["id"])

    async def look(self, response_id: str, headers: Any = None) -> int:
        shown = self._shown(headers)
        return (await self._app.http.get(f"/v1/responses/{response_id}", headers=shown)).status_code

    def _shown(self, headers: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}", **(headers or {})}


@pytest_asyncio.fixture(loop_scope="module")
async def client(app: RunningApp) -> Client:
    return Client(app, (await app.new_key())[1])


def is_missing(answer: httpx.Response) -> bool:
    error = answer.json()["error"]
    return (answer.status_code, error["code"], error["param"]) == (
        400,
        "previous_response_not_found",
        "previous_response_id",
    )


async def test_the_provider_gets_the_whole_conversation(app: RunningApp, client: Client) -> None:
    first = await client.said("One sea?", user="carol")
    second = await client.said("Another?", user="carol", previous_response_id=first)
    await client.said("A third?", user="carol", previous_response_id=second)
    turns = app.mock.requests[-1].body["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    assert [turn["content"] for turn in turns][::2] == ["One sea?", "Another?", "A third?"]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"user": "ada"}, {"user": "bob"}),
        ({"user": "ada"}, {}),
        ({}, {"user": "ada"}),
        ({"headers": ADA}, {"headers": BOB}),
        ({"headers": ADA}, {}),
        ({"safety_identifier": "ada"}, {"safety_identifier": "bob", "user": "ada"}),
        ({"user": LONG}, {"user": LONG[:-1]}),
    ],
)
async def test_nobody_goes_on_from_what_another_end_user_said(client: Client, mine: Any, theirs: Any) -> None:
    first = await client.said("My secret is 42.", **mine)
    second = await client.said("Remember it.", previous_response_id=first, **mine)
    for response_id in (first, second):
        assert is_missing(await client.say("What is it?", previous_response_id=response_id, **theirs))
    assert (await client.say("What is it?", previous_response_id=second, **mine)).status_code == 200


async def test_nobody_goes_on_from_what_another_key_said(app: RunningApp, client: Client) -> None:
    other = Client(app, (await app.new_key())[1])
    first = await client.said("My secret is 42.", headers=ADA)
    assert is_missing(await other.say("What is it?", headers=ADA, previous_response_id=first))


async def test_an_end_user_named_by_header_keeps_every_answer_of_a_conversation(client: Client) -> None:
    first = await client.said("One sea?", headers=ADA)
    second = await client.said("Another?", headers=ADA, previous_response_id=first)
    assert [await client.look(second, who) for who in (ADA, BOB, None)] == [200, 404, 404]


@pytest.mark.parametrize("field", ["user", "safety_identifier"])
async def test_an_end_user_whose_name_is_too_long_to_be_told_apart_is_refused(
    client: Client, field: str
) -> None:
    answer = await client.say("Hi", **{field: LONG + "1"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


async def test_an_item_of_another_end_user_cannot_be_named(app: RunningApp, client: Client) -> None:
    item = {"id": "msg_secret", "type": "message", "role": "user", "content": "My secret is 42."}
    await client.say("-", input=[item], user="ada")
    reference = [{"type": "item_reference", "id": "msg_secret"}, {"role": "user", "content": "What is it?"}]
    refused = await client.say("-", input=reference, user="bob")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "previous_response_not_found")
    allowed = await client.say("-", input=reference, user="ada")
    assert allowed.status_code == 200
    assert app.mock.requests[-1].body["messages"][0]["content"] == "My secret is 42."


async def test_what_is_not_to_be_stored_is_not_there(client: Client) -> None:
    first = await client.said("One sea?", store=False)
    assert await client.look(first) == 404
    assert is_missing(await client.say("Another?", previous_response_id=first))


async def test_a_stream_is_stored_before_it_ends(client: Client) -> None:
    answer = await client.say("One sea?", stream=True)
    response_id = answer.text.partition('"id":"')[2].partition('"')[0]
    assert await client.look(response_id) == 200
    assert (await client.say("Another?", previous_response_id=response_id)).status_code == 200


@pytest.mark.asyncio(loop_scope="function")
async def test_a_gateway_that_keeps_nothing_says_so_by_name(start: Start) -> None:
    app = await start(state__keep_days=0)
    client = Client(app, app.key)
    first = await client.said("One sea?")
    assert await client.look(first) == 404
    answer = await client.say("And?", previous_response_id=first)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (
        400,
        "invalid_request",
        "previous_response_id",
    )


@pytest.mark.asyncio(loop_scope="function")
async def test_an_expired_answer_cannot_be_gone_on_from(start: Start) -> None:
    app = await start(state__keep_days=1)
    client = Client(app, app.key)
    first = await client.said("One sea?")
    app.clock.turn(86_401.0)
    assert is_missing(await client.say("Another?", previous_response_id=first))
