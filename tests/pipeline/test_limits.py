"""Rate limits from the outside: who is told to wait, for how long, in which headers, and what is given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from seawall.proving.mock_provider import MockProvider
from seawall.server.rate_headers import duration
from tests.fixtures.gateways import NOON, Clock, RunningApp, Start, marked, running
from tests.fixtures.raw_http import peer_of

SEED: dict[str, object] = {"limits__per_user": "5/10 seconds"}


class Standing(Clock):
    """A clock that stands at noon until a test turns it: what is told in seconds is told to the second."""

    def __init__(self) -> None:
        self._at = NOON

    def __call__(self) -> float:
        return self._at

    def turn(self, seconds: float) -> None:
        """Go ahead."""
        self._at += seconds


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Return what starts a gateway whose limits are counted, and told, by a clock that stands."""
    async with AsyncExitStack() as stack:

        async def begin(
            *, mock: MockProvider | None = None, folder: Path | None = None, **settings: object
        ) -> RunningApp:
            clock = Standing()
            app = await stack.enter_async_context(
                running(folder or tmp_path, mock=mock, clock=clock, **settings)
            )
            app.seawall.gateway.now = clock
            return replace(app, clock=clock)

        yield begin


def short(user: str, **fields: Any) -> dict[str, Any]:
    return marked(user, max_tokens=16, **fields)


async def test_ten_calls_in_ten_seconds_of_one_user_are_five_answers_and_five_refusals(start: Start) -> None:
    app = await start(**SEED)
    answers = []
    for _ in range(10):
        answers.append(await app.chat(short("ada")))
        app.clock.turn(1.0)
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 5
    waits = [int(answer.headers["retry-after"]) for answer in answers[5:]]
    assert waits == [5, 4, 3, 2, 1]
    assert len(app.mock.requests) == 5
    app.clock.turn(0.5)
    assert (await app.chat(short("ada"))).status_code == 200


async def test_a_refusal_says_whose_limit_how_much_and_until_when(start: Start) -> None:
    app = await start(**SEED)
    for _ in range(5):
        await app.chat(short("ada"))
    refused = await app.chat(short("ada"))
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
    )
    assert error["message"] == (
        "This user may make 5 calls in any 10 seconds, and that is used up. Try again in 10 seconds."
    )
    details = error["details"]
    assert details.pop("resets_at").startswith("2026-11-21T12:00:10")
    assert details == {
        "rule": "limits.per_user",
        "scope": "user",
        "unit": "requests",
        "used": 5,
        "allowed": 5,
        "say": "That was a little too fast. Please try again in 10 seconds.",
        "explain": f"seawall why {error['call_id']}",
    }
    assert refused.headers["retry-after-ms"] == "10000"
    row = await app.row_of(error["call_id"])
    assert (row.outcome, row.code, row.held) == ("refused", "rate_limit_exceeded", 0)


async def test_other_users_are_not_concerned(start: Start) -> None:
    app = await start(**SEED)
    statuses = [(await app.chat(short(f"user{number}"))).status_code for number in range(10)]
    assert statuses == [200] * 10


async def test_all_limits_must_admit_a_call_and_a_refusal_takes_nothing(start: Start) -> None:
    app = await start(**SEED | {"limits__per_key": "8/minute", "limits__global": "100/second"})
    many = [await app.chat(short("ada")) for _ in range(20)]
    assert [answer.status_code for answer in many].count(200) == 5
    others = [(await app.chat(short(f"user{number}"))).status_code for number in range(5)]
    assert others == [200, 200, 200, 429, 429]  # The fifteen refusals took nothing from the key.


async def test_limits_of_the_whole_gateway_show_no_numbers(start: Start) -> None:
    app = await start(limits__global="1/minute")
    await app.chat(short("ada"))
    refused = await app.chat(short("bob"))
    error = refused.json()["error"]
    assert error["message"] == "This gateway takes no more calls at the moment. Try again in 60 seconds."
    assert sorted(error["details"]) == ["explain", "resets_at", "rule", "say", "scope", "unit"]
    assert [name for name in refused.headers if "ratelimit" in name] == []


async def test_calls_at_once_get_their_place_back_on_every_exit(start: Start) -> None:
    app = await start(limits__per_key_at_once=2, server__grace_s=5)
    ends = ("full", "e500", "full-reset5", "full-eof9", "s9-g5")
    for kind in ends:
        await app.chat(short("ada", x_mock=kind, stream="-" in kind))
    async with peer_of(app.port) as peer:  # Leaves in the middle.
        peer.ask(short("ada", x_mock="s50-g20", stream=True), app.key)
        await peer.head()
    await app.settled()
    await app.chat({"model": "mystery", "messages": []})
    await app.chat(short("ada", model="fake-unpriced"))
    await app.settled()
    async with peer_of(app.port) as one, peer_of(app.port) as other:
        for peer in (one, other):
            peer.ask(short("ada", x_mock="stall3", stream=True), app.key)
            assert (await peer.head())[0] == 200
        third = await app.chat(short("ada"))
    assert (third.status_code, third.headers["retry-after"]) == (429, "1")
    assert third.json()["error"]["message"] == (
        "This key may make 2 calls at once, and that is used up. Try again in 1 second."
    )
    await app.settled()
    assert (await app.chat(short("ada"))).status_code == 200


async def test_tokens_are_limited_by_what_was_really_used(start: Start) -> None:
    app = await start(limits__per_user_tokens="600/minute")
    first = await app.chat(marked("ada", "full", max_tokens=500))
    await app.settled()
    second = await app.chat(marked("ada", "full", max_tokens=500))
    await app.settled()
    third = await app.chat(short("ada"))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    details = third.json()["error"]["details"]
    used = sum(each.json()["usage"]["total_tokens"] for each in (first, second))
    assert (details["unit"], details["used"], details["allowed"]) == ("tokens", used, 600)
    app.clock.turn(61)
    assert (await app.chat(short("ada"))).status_code == 200


@pytest.mark.parametrize("asked", ["fake-gpt", "mock/fake-gpt", "quick"])
async def test_a_limit_of_one_model_holds_however_the_model_is_named(start: Start, asked: str) -> None:
    app = await start(
        **{"model_limits.fake-gpt.per_key": "2/minute", "models.quick.targets": ["mock/fake-gpt"]}
    )
    limited = [(await app.chat(short("ada", model=asked))).status_code for _ in range(3)]
    other = await app.chat(short("ada", model="fake-thinker"))
    assert (limited, other.status_code) == ([200, 200, 429], 200)


async def test_limits_of_a_tier_stand_in_the_place_of_the_usual_ones(start: Start) -> None:
    app = await start(
        **SEED | {"tiers__fast__limits": "8/10 seconds", "tiers__odd__at_once": 1, "default_tier": "fast"}
    )
    assert [(await app.chat(short("ada"))).status_code for _ in range(9)] == [200] * 8 + [429]
    await app.admin("PATCH", "/users/bob", {"tier": "odd"})
    assert [(await app.chat(short("bob"))).status_code for _ in range(6)] == [200] * 5 + [429]
    await app.admin("PATCH", "/users/cleo", {"limits": ["2/hour"]})
    assert [(await app.chat(short("cleo"))).status_code for _ in range(3)] == [200, 200, 429]


async def test_limits_of_a_key_are_its_own(start: Start) -> None:
    app = await start()
    _, key = await app.new_key(limits=["2/minute"])
    assert [(await app.chat(short("ada"), key=key)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await app.chat(short("ada"))).status_code == 200


async def test_a_burst_of_tokens_is_refused_where_a_key_is_made(start: Start) -> None:
    app = await start()
    refused = await app.admin("POST", "/keys", {"name": "k", "limits": ["100 tokens/minute burst 200"]})
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "limits[0]: a limit on tokens has no burst."


async def test_changes_elsewhere_do_not_begin_a_window_anew(start: Start) -> None:
    app = await start(**SEED)
    for _ in range(5):
        await app.chat(short("ada"))
    await app.new_key()
    assert (await app.chat(short("ada"))).status_code == 429


async def test_a_large_body_is_not_read_for_somebody_who_will_be_refused(start: Start) -> None:
    app = await start(limits__per_key="1/minute")
    await app.chat(short("ada"))
    async with peer_of(app.port) as peer:
        peer.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"content-length: 1000000\r\n\r\n" % app.key.encode()
        )
        status, headers = await peer.head()  # Nothing of the body has been sent.
    assert status == 429
    assert headers["x-ratelimit-remaining-requests"] == "0"


async def test_nor_is_one_that_does_not_say_how_large_it_is(start: Start) -> None:
    app = await start(limits__per_key="1/minute")
    await app.chat(short("ada"))
    async with peer_of(app.port) as peer:
        peer.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"transfer-encoding: chunked\r\n\r\n" % app.key.encode()
        )
        status, _ = await peer.head()
    assert status == 429


async def test_headers_say_how_the_callers_own_limits_stand(start: Start) -> None:
    app = await start(
        **SEED
        | {"limits__per_key_tokens": "10000/minute", "limits__per_key_at_once": 4, "limits__global": "9/hour"}
    )
    headers = (await app.chat(short("ada"))).headers
    told = {name: value for name, value in headers.items() if "ratelimit" in name}
    tokens = told.pop("x-ratelimit-remaining-tokens")
    assert 9_000 < int(tokens) < 10_000
    assert told == {
        "ratelimit-policy": '"limits.per_key_tokens/60s";q=10000;w=60;qu="tokens", '
        '"limits.per_key_at_once";q=4;qu="concurrent-requests", "limits.per_user/10s";q=5;w=10',
        "ratelimit": f'"limits.per_key_tokens/60s";r={tokens};t=61, "limits.per_key_at_once";r=4;t=1, '
        '"limits.per_user/10s";r=4;t=10',
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": "4",
        "x-ratelimit-reset-requests": "10s",
        "x-ratelimit-limit-tokens": "10000",
        "x-ratelimit-reset-tokens": "1m1s",
    }


async def test_anthropics_clients_get_anthropics_headers(start: Start) -> None:
    app = await start(**SEED)
    said = [{"role": "user", "content": "Which of the seven seas is calm?"}]
    body = {"model": "fake-gpt", "max_tokens": 16, "messages": said, "metadata": {"user_id": "ada"}}
    answer = await app.http.post("/v1/messages", json=body, headers={"x-api-key": app.key})
    assert answer.status_code == 200
    told = {name: value for name, value in answer.headers.items() if name.startswith("anthropic-")}
    reset = told.pop("anthropic-ratelimit-requests-reset")
    assert told == {"anthropic-ratelimit-requests-limit": "5", "anthropic-ratelimit-requests-remaining": "4"}
    assert reset.startswith("2026-11-21T12:00:10")
    for _ in range(4):
        await app.http.post("/v1/messages", json=body, headers={"x-api-key": app.key})
    refused = await app.http.post("/v1/messages", json=body, headers={"x-api-key": app.key})
    error = refused.json()["error"]
    assert (refused.status_code, error["type"], error["code"]) == (
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
    )
    assert (error["details"]["error_code"], error["details"]["rule"]) == (
        "rate_limit_exceeded",
        "limits.per_user",
    )


async def test_a_call_that_names_no_user_is_told_that_limits_on_users_do_not_reach_it(start: Start) -> None:
    app = await start(**SEED)
    nameless = short("ada")
    del nameless["user"]
    answers = [await app.chat(nameless) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 7
    assert answers[0].headers["seawall-note"] == (
        "the call names no end user, so limits on users do not reach it"
    )
    assert "seawall-note" not in (await app.chat(short("ada"))).headers


async def test_without_limits_nothing_is_said(start: Start) -> None:
    app = await start(limits__global="off")
    headers = (await app.chat(short("ada"))).headers
    assert [name for name in headers if "ratelimit" in name or name == "seawall-note"] == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0ms"), (0.0161, "17ms"), (1.0, "1s"), (59.2, "1m0s"), (360.0, "6m0s"), (3_723.0, "1h2m3s")],
)
def test_times_are_written_as_openai_writes_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


async def test_500_calls_at_once_of_five_users_pass_no_limit(start: Start) -> None:
    app = await start(limits__per_user="7/minute", limits__per_key="30/minute")
    answers = await asyncio.gather(*(app.chat(short(f"user{number % 5}")) for number in range(500)))
    passed = [number % 5 for number, answer in enumerate(answers) if answer.status_code == 200]
    assert len(passed) == 30
    assert max(passed.count(user) for user in range(5)) <= 7
    assert len(app.mock.requests) == 30


async def test_what_cannot_become_a_call_counts_against_the_limits_as_well(start: Start) -> None:
    app = await start(**SEED | {"limits__per_key": "8/minute"})
    unknown = [await app.chat(short("ada", model="mystery")) for _ in range(6)]
    assert [answer.status_code for answer in unknown] == [404] * 5 + [429]
    assert unknown[0].headers["x-ratelimit-remaining-requests"] == "4"
    assert (await app.chat(short("ada"))).status_code == 429
    unread = [await app.chat({"model": "fake-gpt", "messages": "none"}) for _ in range(4)]
    assert [answer.status_code for answer in unread] == [400] * 3 + [429]
    assert app.mock.requests == []


async def test_tokens_count_only_where_a_provider_was_asked(start: Start) -> None:
    app = await start(limits__per_user_tokens="600/minute")
    long = short("ada", model="fake-unpriced")
    long["messages"] = [{"role": "user", "content": "calm sea " * 200}]
    refused = [await app.chat(long) for _ in range(5)]
    assert [answer.status_code for answer in refused] == [402] * 5
    answer = await app.chat(short("ada"))
    assert answer.status_code == 200
    assert int(answer.headers["x-ratelimit-remaining-tokens"]) > 500


async def test_failed_attempts_to_log_in_are_limited_by_address(start: Start) -> None:
    app = await start(limits__per_ip="3/minute")
    guesses = [await app.chat(short("ada"), key="sw-" + "x" * 43) for _ in range(5)]
    assert [answer.status_code for answer in guesses] == [401] * 3 + [429] * 2
    assert guesses[-1].headers["retry-after"] == "60"
    assert guesses[-1].json()["error"]["details"]["scope"] == "address"
    assert (await app.chat(short("ada"))).status_code == 200  # A good key is no guess.


LOOP: dict[str, object] = {"loop__calls": 4, "loop__calls_unnamed": 6}


async def test_the_same_call_again_and_again_is_stopped_and_a_differing_one_is_not(start: Start) -> None:
    app = await start(**LOOP)
    statuses = [(await app.chat(short("ada"))).status_code for _ in range(6)]
    refused = await app.chat(short("ada"))
    error = refused.json()["error"]
    assert statuses == [200] * 4 + [429] * 2
    assert (error["code"], error["type"], refused.headers["x-should-retry"]) == (
        "loop_detected",
        "loop_error",
        "false",
    )
    assert error["message"].startswith("Nearly the same call came 5 times within ")
    assert (error["details"]["rule"], error["details"]["scope"]) == ("loop.calls", "user")
    different = short("ada")
    different["messages"] = [{"role": "user", "content": "And which sea is the stormiest of all?"}]
    assert (await app.chat(different)).status_code == 200
    assert (await app.chat(short("bob"))).status_code == 200
    app.clock.turn(61)
    assert (await app.chat(short("ada"))).status_code == 200
    assert len(app.mock.requests) == 7


async def test_behind_a_key_without_names_only_exactly_the_same_call_counts(start: Start) -> None:
    app = await start(**LOOP)
    nameless = short("ada")
    del nameless["user"]
    near = [nameless | {"messages": [{"role": "user", "content": f"Order {number}?"}]} for number in range(9)]
    assert [(await app.chat(body)).status_code for body in near] == [200] * 9
    assert [(await app.chat(nameless)).status_code for _ in range(8)] == [200] * 6 + [429] * 2
