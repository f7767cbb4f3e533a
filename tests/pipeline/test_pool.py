"""One caller's answer never reaches another, whatever becomes of the connections to the provider."""

import asyncio
import json
import random
from contextlib import suppress

import pytest

from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER, chunks_of, text_of, until
from tests.fixtures.raw_http import peer_of

CALLS = 400
AT_ONCE = 40
LIMIT_S = 2.0
"""Time enough for a good answer on a machine that does something else meanwhile."""
COMPLETE = ["s15", "s15-g1", "s15-d5", "s15-split", "s15-odd", "s15-close", "nousage-s15"]
WAYS = [
    *COMPLETE, "over-g1",
    "reset3", "eof3", "end3", "error3", "badjson", "badhttp", "short", "e429", "e500", "reset0", "leave", "leave",
]  # fmt: skip


async def make_call(app: RunningApp, number: int, way: str, *, stream: bool) -> str:
    """Make one call in its own way; returns what the model said in it, as far as it came."""
    body = marked(f"n{number:04d}", "s400-g1" if way == "leave" else way, stream=stream, max_tokens=20)
    data = b""
    async with peer_of(app.port) as peer:
        peer.ask(body, app.key)
        with suppress(TimeoutError):
            async with asyncio.timeout(
                random.Random(number).uniform(0, 0.02) if way == "leave" else LONGER * 4
            ):
                status, headers = await peer.head()
                if "content-length" in headers:
                    data = await peer.reader.readexactly(int(headers["content-length"]))
                    assert status == (200 if way in COMPLETE else status)
                else:
                    async for chunk in peer.chunks():
                        data += chunk
    if stream:
        return text_of(chunks_of(data.decode()))
    answer = json.loads(data) if data else {}
    return "".join(choice["message"]["content"] for choice in answer.get("choices", []))


async def test_every_answer_carries_the_marker_of_its_own_call(start: Start) -> None:
    app = await start(budget__daily_usd="100")
    dice = random.Random(7)
    ways = [(dice.choice(WAYS), dice.random() < 0.6) for _ in range(CALLS)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int) -> str:
        way, stream = ways[number]
        async with gate:
            return await make_call(app, number, way, stream=stream)

    said = await asyncio.gather(*(in_turn(number) for number in range(CALLS)))
    expected = [f"[n{number:04d}] Which of the seven seas is calm?" for number in range(CALLS)]
    assert [
        text for text, own in zip(said, expected, strict=True) if not own.startswith(text[: len(own)])
    ] == []
    complete = [text for text, (way, _) in zip(said, ways, strict=True) if way in COMPLETE]
    assert len(complete) > CALLS // 4
    assert all(len(text) > len("[n0000] Which") for text in complete)
    await app.settled()
    assert app.mock.overlaps == 0
    assert len({seen.body["user"] for seen in app.mock.requests}) == len(app.mock.requests)


async def test_connections_are_used_again_after_complete_answers_only(start: Start) -> None:
    app = await start(budget__daily_usd="100")
    opened = []
    for number, way in enumerate(["s5", "s5", "e429", "e500", "s5"]):
        await app.chat(marked(f"call-{number}", way))
        opened.append(app.mock.open_connections)
    assert opened == [1, 1, 1, 1, 1]
    for way in ("reset", "eof", "short", "badhttp", "hole"):
        async with peer_of(app.port) as peer:
            before = len(app.mock.requests)
            peer.ask(marked(way, way), app.key)
            await until(lambda: len(app.mock.requests) == before + 1)  # noqa: B023 - awaited here
            if way != "hole":
                assert (await peer.answer()).status == 502
        await app.settled()
        await until(lambda: app.mock.open_connections == 0)
        assert (await app.chat(marked(f"after-{way}", "s5"))).status_code == 200


async def test_a_connection_that_was_used_before_keeps_its_time_limits(start: Start) -> None:
    app = await start(timeouts__first_byte_s=LIMIT_S, timeouts__between_events_s=LIMIT_S, retries__attempts=0)
    for number in range(3):
        assert (await app.chat(marked(f"good-{number}", "s5"))).status_code == 200
        assert app.mock.open_connections == 1
    began = asyncio.get_running_loop().time()
    assert (await app.chat(marked("silent", "hole"))).status_code == 504
    assert LIMIT_S <= asyncio.get_running_loop().time() - began < LONGER


async def test_an_idle_connection_that_the_provider_closed_is_not_used(start: Start) -> None:
    app = await start()
    assert (await app.chat(marked("one", "s5-close"))).status_code == 200
    await until(lambda: app.mock.open_connections == 0)
    assert (await app.chat(marked("two", "s5"))).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_many_calls_at_once_do_not_share_a_connection(start: Start, stream: bool) -> None:
    app = await start(budget__daily_usd="100")
    bodies = [marked(f"n{number:03d}", "s30-g1", stream=stream, max_tokens=40) for number in range(100)]
    answers = await asyncio.gather(*(app.chat(body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * 100
    for number, answer in enumerate(answers):
        said = answer.text
        others = [other for other in range(100) if other != number and f"[n{other:03d}]" in said]
        assert others == []
    assert app.mock.overlaps == 0
    assert (await app.spend()).lifetime == app.mock.bill
