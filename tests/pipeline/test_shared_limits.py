"""Two whole gateways on one Valkey: one set of limits and one cache, and what callers see when it is gone."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.gateways import ADMIN_KEY, RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER, until
from tests.fixtures.raw_http import peer_of
from tests.fixtures.valkeys import OwnValkey

TIMEOUT_S = 10.0
"""The longest that may be stated: in these tests the server is well, however busy the machine is."""
SAID = [{"role": "user", "content": "Which of the seven seas is calm?"}]
CHAT: dict[str, Any] = {"model": "fake-gpt", "max_tokens": 300, "messages": SAID, "x_mock": "s12"}


def short(user: str) -> dict[str, Any]:
    return marked(user, max_tokens=16)


async def pair(start: Start, server: OwnValkey, **settings: object) -> tuple[RunningApp, RunningApp, str]:
    """Start two gateways on one store and one Valkey; returns them and a key that both know."""
    stated = {"valkey_url": server.url, "valkey__timeout_s": TIMEOUT_S, **settings}
    first = await start(**stated)
    second = await start(mock=first.mock, **stated)
    _, key = await first.new_key()
    return first, second, key


async def all_told(app: RunningApp) -> None:
    """Wait until the server has taken all that this gateway has told it: others ask on other connections."""
    await app.settled()
    assert app.seawall._valkey is not None
    await app.seawall._valkey._link.ask("PING")


async def test_a_limit_holds_over_both(start: Start, own_valkey: OwnValkey) -> None:
    first, second, key = await pair(start, own_valkey, limits__per_user="7/hour")
    answers = await asyncio.gather(
        *(app.chat(short("ada"), key=key) for app in (first, second) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [429] * 33
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert "seawall-limits" not in refused.headers


async def figures(app: RunningApp) -> dict[str, str]:
    """Return what the metrics say of limits."""
    text = (await app.http.get("/metrics", headers={"authorization": f"Bearer {ADMIN_KEY}"})).text
    lines = [line.partition(" ") for line in text.splitlines() if line.startswith("seawall_limits")]
    return {name: figure for name, _, figure in lines}


async def test_without_the_server_each_keeps_to_its_share_and_says_so(
    start: Start, own_valkey: OwnValkey
) -> None:
    first, second, key = await pair(start, own_valkey, limits__per_user="6/hour", valkey__gateways=2)
    told = await figures(first)
    own_valkey.stop()
    for app in (first, second):
        answers = [await app.chat(short("ada"), key=key) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
        assert {answer.headers["seawall-limits"] for answer in answers} == {"local"}
        assert (await figures(app))["seawall_limits_shared"] == "0.0"
    own_valkey.start()
    await until(lambda: first.seawall.gateway.counters.state().home == "shared")
    answer = await first.chat(short("bob"), key=key)
    assert (answer.status_code, "seawall-limits" in answer.headers) == (200, False)
    assert told == {"seawall_limits_shared": "1.0", "seawall_limits_fallbacks_total": "0.0"}
    assert await figures(first) == {"seawall_limits_shared": "1.0", "seawall_limits_fallbacks_total": "1.0"}


async def test_calls_at_once_are_counted_over_both(start: Start, own_valkey: OwnValkey) -> None:
    first, second, key = await pair(start, own_valkey, limits__per_user_at_once=1)
    async with peer_of(first.port) as peer:
        peer.ask(marked("ada", "stall3", stream=True), key)
        assert (await peer.head())[0] == 200
        assert (await second.chat(short("ada"), key=key)).status_code == 429
    await all_told(first)
    assert (await second.chat(short("ada"), key=key)).status_code == 200
    await all_told(second)
    assert (await first.chat(short("ada"), key=key)).status_code == 200


async def test_tokens_are_counted_over_both_as_they_were_billed(start: Start, own_valkey: OwnValkey) -> None:
    first, second, key = await pair(start, own_valkey, limits__per_user_tokens="600/hour")
    for app in (first, second):
        assert (await app.chat(marked("ada", "full", max_tokens=500), key=key)).status_code == 200
        await all_told(app)
    refused = await second.chat(short("ada"), key=key)
    assert refused.status_code == 429
    assert refused.json()["error"]["details"]["used"] > 900


async def test_an_answer_of_one_is_found_by_the_other_until_either_clears_it(
    start: Start, own_valkey: OwnValkey, tmp_path: Path
) -> None:
    first, second, key = await pair(start, own_valkey, cache__enabled=True)
    made = await first.chat(CHAT, key=key)
    await all_told(first)
    found = await second.chat(CHAT, key=key)
    assert (made.headers["seawall-cache"], found.headers["seawall-cache"]) == ("miss", "hit")
    assert (found.content, len(first.mock.requests)) == (made.content, 1)
    assert not (tmp_path / ".seawall" / "answers.db").exists()
    assert (await first.admin("DELETE", "/cache")).json() == {"deleted": 1}
    cache = second.seawall.gateway.answers
    assert cache is not None
    await until(lambda: cache.stats().entries == 0)  # The other has heard of it.
    assert (await second.chat(CHAT, key=key)).headers["seawall-cache"] == "miss"


async def test_answers_that_may_not_be_kept_stay_in_the_memory_of_each_and_are_cleared_there(
    start: Start, own_valkey: OwnValkey
) -> None:
    first, second, key = await pair(start, own_valkey, cache__enabled=True, cache__persist=False)
    states = [
        (await app.chat(CHAT, key=key)).headers["seawall-cache"] for app in (first, second, first, second)
    ]
    assert states == ["miss", "miss", "hit", "hit"]
    assert [name for name in own_valkey.command("KEYS", "*") if b":answer:" in name] == []
    await first.admin("DELETE", "/cache")
    cache = second.seawall.gateway.answers
    assert cache is not None
    await until(lambda: cache.stats().entries == 0)


async def test_a_person_who_is_erased_by_one_leaves_the_memory_of_the_other(
    start: Start, own_valkey: OwnValkey
) -> None:
    first, second, key = await pair(start, own_valkey, cache__enabled=True)
    await first.chat(CHAT, key=key, headers={"seawall-user": "ada"})
    await first.chat(CHAT | {"max_tokens": 299}, key=key, headers={"seawall-user": "bob"})
    await all_told(first)
    for tokens in (300, 299):
        found = await second.chat(CHAT | {"max_tokens": tokens}, key=key)
        assert found.headers["seawall-cache"] == "hit"
    await first.settled()
    await second.settled()
    await first.admin("DELETE", "/users/ada")
    cache = second.seawall.gateway.answers
    assert cache is not None
    await until(lambda: cache.stats().entries == 1)
    states = [
        (await second.chat(CHAT | {"max_tokens": tokens}, key=key)).headers["seawall-cache"]
        for tokens in (300, 299)
    ]
    assert states == ["miss", "hit"]


async def test_a_key_that_one_revokes_is_refused_by_the_other(start: Start, own_valkey: OwnValkey) -> None:
    first, second, _ = await pair(start, own_valkey)
    key_id, key = await first.new_key()
    assert (await second.chat(short("ada"), key=key)).status_code == 200
    await first.admin("DELETE", f"/keys/{key_id}")
    async with asyncio.timeout(LONGER):
        while (await second.chat(short("ada"), key=key)).status_code != 401:
            await asyncio.sleep(0.01)


async def test_machines_on_one_database_count_together_and_know_one_anothers_keys(
    start: Start, own_valkey: OwnValkey, database_url: str, tmp_path: Path
) -> None:
    stated = {"valkey_url": own_valkey.url, "valkey__timeout_s": TIMEOUT_S, "database_url": database_url}
    first = await start(folder=tmp_path / "one", **stated, limits__per_user="7/hour")
    second = await start(folder=tmp_path / "two", mock=first.mock, **stated, limits__per_user="7/hour")
    key_id, key = await first.new_key()
    answers = await asyncio.gather(
        *(app.chat(short("ada"), key=key) for app in (first, second) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [429] * 13
    await second.admin("DELETE", f"/keys/{key_id}")
    async with asyncio.timeout(LONGER):
        while (await first.chat(short("bob"), key=key)).status_code != 401:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("url", ["rediss://127.0.0.1:1/0?ssl_ca_certs=/nowhere", "redis://127.0.0.1:1/0"])
async def test_a_server_that_cannot_be_reached_at_the_start_stops_nobody(start: Start, url: str) -> None:
    app = await start(valkey_url=url)
    answer = await app.chat(short("ada"))
    assert (answer.status_code, answer.headers["seawall-limits"]) == (200, "local")
