"""What is kept of what a request looked like: equal where the cache would say so, and nothing of its text."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.traffic import Shape
from seawall.pipeline.shaping import words_of
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import RunningApp, Start, all_dialects, marked, running
from tests.fixtures.mock_calls import o200k

SEAS = "Which of the seven seas is calm?"
PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
}
Turn = tuple[str, str]


def body_of(dialect: str, *turns: Turn, system: str = "Be brief.", **fields: Any) -> dict[str, Any]:
    """Return a request in a dialect, from (role, text) turns."""
    said = [{"role": role, "content": text} for role, text in turns]
    if dialect == "chat":
        body = {
            "model": "fake-gpt",
            "max_tokens": 300,
            "messages": [{"role": "system", "content": system}, *said],
        }
    elif dialect == "messages":
        body = {"model": "fake-claude", "max_tokens": 300, "system": system, "messages": said}
    elif dialect == "responses":
        items = [{"type": "message", **message} for message in said]
        body = {
            "model": "fake-resp",
            "max_output_tokens": 300,
            "instructions": system,
            "input": items,
            "store": False,
        }
    else:
        body = {"model": "fake-resp", "input": turns[-1][1]}
    return body | fields


async def ask(app: RunningApp, dialect: str, body: dict[str, Any], user: str = "ada") -> httpx.Response:
    headers = {"authorization": f"Bearer {app.key}", "seawall-user": user}
    return await app.http.post(PATHS[dialect], json=body, headers=headers)


async def shapes(app: RunningApp) -> list[Shape]:
    """Return the shapes of all calls, the oldest first."""
    rows = await app.rows()
    return [msgspec.json.decode(row.shape, type=Shape) for row in rows if row.shape is not None]


TRAFFIC: list[tuple[str, dict[str, Any], str]] = [
    ("chat", body_of("chat", ("user", SEAS)), "ada"),
    ("chat", body_of("chat", ("user", SEAS)), "bob"),
    ("chat", body_of("chat", ("user", SEAS), stream=True, metadata={"trace": "1"}), "ada"),
    ("chat", body_of("chat", ("user", SEAS), temperature=0.5), "ada"),
    ("chat", body_of("chat", ("user", SEAS.lower())), "ada"),
    ("chat", body_of("chat", ("user", SEAS), n=2), "ada"),
    ("chat", body_of("chat", ("user", SEAS), n=2), "ada"),
    ("chat", body_of("chat", ("user", SEAS), x_mock="s9", max_tokens=5), "ada"),
    ("chat", body_of("chat", ("user", SEAS), x_mock="s9", max_tokens=5), "ada"),
    ("chat", body_of("chat", ("user", SEAS), x_mock="e500"), "ada"),
    ("chat", body_of("chat", ("user", SEAS), x_mock="e500"), "ada"),
    ("messages", body_of("messages", ("user", SEAS)), "ada"),
    ("messages", body_of("messages", ("user", SEAS)), "ada"),
    ("messages", body_of("messages", ("user", SEAS), model="fake-gpt"), "ada"),
    ("messages", body_of("messages", ("user", SEAS), model="fake-gpt"), "bob"),
    ("responses", body_of("responses", ("user", SEAS)), "ada"),
    ("responses", body_of("responses", ("user", SEAS)), "ada"),
    ("responses", body_of("responses", ("user", SEAS), store=True), "ada"),
    ("responses", body_of("responses", ("user", SEAS), store=True), "ada"),
    ("embeddings", body_of("embeddings", ("user", SEAS)), "ada"),
    ("embeddings", body_of("embeddings", ("user", SEAS)), "bob"),
    ("embeddings", body_of("embeddings", ("user", SEAS), dimensions=8), "bob"),
    ("chat", body_of("chat", ("user", SEAS)), "ada"),
]


async def test_the_cache_would_have_answered_what_it_does_answer(tmp_path: Path) -> None:
    """The same calls, with the cache off and on: what the shapes foretell is what happens."""
    foretold: list[bool] = []
    async with MockProvider(count=o200k()) as mock:
        for is_on in (False, True):
            folder = tmp_path / str(is_on)
            folder.mkdir()
            async with running(folder, mock=mock, **all_dialects(mock.base_url), cache__enabled=is_on) as app:
                answers = [await ask(app, dialect, body, user) for dialect, body, user in TRAFFIC]
                seen: set[bytes] = set()
                found = []
                for shape in await shapes(app):
                    found.append(shape.is_cacheable and shape.exact in seen)
                    seen |= {shape.exact} if shape.is_cacheable else set()
                foretold = foretold or found
                assert found == foretold, "whether the cache is on changes no shape"
    assert len(foretold) == len(TRAFFIC)
    assert [answer.headers.get("seawall-cache") == "hit" for answer in answers] == foretold
    assert sum(foretold) == 7


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
async def test_a_conversation_is_found_by_the_call_before(start: Start, dialect: str) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        turns = [
            ("user", SEAS),
            ("assistant", "The calm one."),
            ("user", "Why?"),
            ("assistant", "Ä."),
            ("user", "So?"),
        ]
        for count in (1, 3, 5):
            await ask(app, dialect, body_of(dialect, *turns[:count]))
        first, second, third = await shapes(app)
    assert (first.before, second.before, third.before) == (b"", first.whole, second.whole)
    assert first.head == second.head == third.head
    sizes = [len(text.encode()) for _, text in turns]
    assert [(shape.turns, shape.head_bytes) for shape in (first, second, third)] == [(1, 9), (2, 9), (3, 9)]
    assert [shape.whole_bytes for shape in (first, second, third)] == [sum(sizes[:n]) for n in (1, 3, 5)]
    assert [shape.history_bytes for shape in (first, second, third)] == [sum(sizes[:n]) for n in (0, 2, 4)]
    assert (first.wanted_tokens, len({first.exact, second.exact, third.exact})) == (300, 3)


async def test_a_conversation_that_is_kept_here_is_found_as_well(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        body = body_of("responses", ("user", SEAS), store=True)
        first = (await ask(app, "responses", body)).json()
        await ask(app, "responses", body | {"input": "Why?", "previous_response_id": first["id"]})
        before, after = await shapes(app)
    assert after.before == before.whole
    assert (before.turns, after.turns) == (1, 2)


async def test_an_answer_that_called_tools_belongs_to_the_conversation(start: Start) -> None:
    app = await start()
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    called = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    said = [{"role": "user", "content": SEAS}]
    more = [
        *said,
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": "c1", "content": "Calm."},
    ]
    for messages in (said, more):
        await app.chat({"model": "fake-gpt", "max_tokens": 300, "messages": messages, "tools": tools})
    first, second = await shapes(app)
    assert second.before == first.whole
    assert (second.turns, second.history_bytes, first.is_cacheable) == (1, 0, False)
    assert first.head_bytes > 50, "tools are part of what comes before"


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "embeddings"])
async def test_a_question_in_other_letters_is_alike_and_in_other_words_is_not(
    start: Start, dialect: str
) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **all_dialects(mock.base_url))
        for text in (SEAS, "which of the  SEVEN seas\nis calm", "Which of the seven seas is not calm?"):
            await ask(app, dialect, body_of(dialect, ("user", "Hi!"), ("assistant", "Hi."), ("user", text)))
        one, alike, other = await shapes(app)
    assert one.normal == alike.normal != other.normal
    assert one.exact != alike.exact


async def test_no_text_of_a_call_is_kept(start: Start) -> None:
    app = await start()
    words = ["Zanzibar", "quadrille", "peppercorn", "marzipan"]
    await app.chat(
        body_of("chat", ("user", words[0]), ("assistant", words[1]), ("user", words[2]), system=words[3])
    )
    assert len(await shapes(app)) == 1
    everything = app.everything()
    assert [word for word in words if word.lower() in everything.lower()] == []


async def test_two_folders_have_nothing_in_common(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        async with running(folder) as app:
            await app.chat(body_of("chat", ("user", SEAS)))
            found += await shapes(app)
    one, other = ({shape.exact, shape.normal, shape.head, shape.whole} for shape in found)
    assert one.isdisjoint(other)


async def test_shapes_can_be_switched_off(start: Start) -> None:
    app = await start(log__shapes=False)
    assert (await app.chat(body_of("chat", ("user", SEAS)))).status_code == 200
    assert (await app.row()).shape is None


async def test_a_call_that_never_came_to_the_cache_has_no_shape(start: Start) -> None:
    app = await start(limits__per_key="1/minute")
    statuses = [(await app.chat(body_of("chat", ("user", SEAS)))).status_code for _ in range(2)]
    assert statuses == [200, 429]
    assert [row.shape is None for row in await app.rows()] == [False, True]


async def test_an_erased_person_leaves_no_shape(start: Start) -> None:
    app = await start()
    await ask(app, "chat", body_of("chat", ("user", SEAS)))
    await app.settled()
    await app.admin("DELETE", "/users/ada")
    assert (await app.row()).shape is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  What's  UP, doc_1?\n", "whats up doc_1"),
        ("WAS IST DAS FÜR EINE Straße?", "was ist das für eine strasse"),
        ("what’s — “up”?", "whats up"),  # noqa: RUF001
        ("…", ""),
        ("?!", ""),
        (" \t why ... so,   'long' ?" + " " * 999 + "-" * 7 + "\n\n(x)", "why so long x"),
        ("今日は、何ですか。", "今日は 何ですか"),
    ],
)
def test_words_are_small_letters_with_single_spaces(text: str, words: str) -> None:
    assert words_of(text).decode() == words


async def test_a_call_whose_shape_cannot_be_made_is_settled_and_kept(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    app = await start()

    def broken(call: Call, gateway: Gateway) -> str | None:
        raise ValueError(call.id)

    app.seawall.gateway.shape_of = broken
    assert (await app.chat(marked("ada"))).status_code == 200
    spend = await app.spend()
    row = await app.row("ada")
    assert (row.outcome, row.cost, row.shape) == ("ok", spend.lifetime, None)
    assert (spend.lifetime, spend.held) == (app.mock.bill, 0)
    assert [record.message for record in caplog.records] == ["a call is kept without its shape"]
