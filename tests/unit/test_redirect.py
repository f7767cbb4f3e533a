"""The plain port sends nobody anywhere but to HTTPS on our own names, and answers the issuer of certificates."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.fixtures.mock_calls import until
from tests.fixtures.raw_http import Answer, peer_of

from seawall.core.errors import Overloaded
from seawall.server.binding import bind
from seawall.server.protocol import RequestLimits
from seawall.server.redirect import LOOKUPS_MAX, RedirectApp, redirecting

HOSTS = ("api.example.com", "10.0.0.7", "2001:db8::7")
TOKEN = "a-token_of-the-tests-" + "x" * 22


async def known(token: str) -> str | None:
    return f"{token}.thumbprint" if token == TOKEN else None


async def send(data: bytes, *, port: int = 443, answer: Any = known) -> Answer:
    """Send bytes to a plain port that sends people to `port`; returns its answer."""
    bound = bind("127.0.0.1", 0)
    own = bound.getsockname()[1]
    async with redirecting(RedirectApp(HOSTS, port, answer), bound, RequestLimits()), peer_of(own) as peer:
        peer.send(data)
        return await peer.answer()


def request(target: str, host: str = "api.example.com", *, method: str = "GET", more: str = "") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n".encode("latin-1")


KEPT = [
    ("/", "api.example.com", 443, "https://api.example.com/"),
    ("/v1/models?a=b&c=%20", "api.example.com", 443, "https://api.example.com/v1/models?a=b&c=%20"),
    ("/v1", "api.example.com:80", 8787, "https://api.example.com:8787/v1"),
    ("/v1", "API.Example.COM", 443, "https://api.example.com/v1"),
    ("/v1", "api.example.com.", 443, "https://api.example.com/v1"),
    ("/v1", "10.0.0.7:80", 443, "https://10.0.0.7/v1"),
    ("/v1", "[2001:db8::7]:80", 443, "https://[2001:db8::7]/v1"),
    ("//evil.example/x", "api.example.com", 443, "https://api.example.com//evil.example/x"),
    ("/%0d%0aset-cookie:%20a=b", "api.example.com", 443, "https://api.example.com/%0d%0aset-cookie:%20a=b"),
    ("/\\evil.example", "api.example.com", 443, "https://api.example.com/\\evil.example"),
    ("http://evil.example/x", "api.example.com", 443, "https://api.example.com/x"),
]


@pytest.mark.parametrize(("target", "host", "port", "place"), KEPT)
async def test_who_comes_by_our_name_is_sent_to_https(target: str, host: str, port: int, place: str) -> None:
    answer = await send(request(target, host), port=port)
    assert (answer.status, answer.headers["location"]) == (308, place)
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
async def test_the_method_does_not_matter(method: str) -> None:
    answer = await send(request("/v1/models", method=method, more="content-length: 0\r\n"))
    assert (answer.status, answer.headers["location"]) == (308, "https://api.example.com/v1/models")


STRANGE_HOSTS = [
    "evil.example", "evil.example:80", "api.example.com.evil.example", "evil.example/api.example.com",
    "api.example.com@evil.example", "api.example.com:80@evil.example", "api.example.com:x", "api.example.com:",
    "", " ", "[::1]", "[2001:db8::7", "[2001:db8::7]evil", "api.example.com#", "10.0.0.7.evil.example",
    "api.example.com, evil.example", "\xe9.example.com", "127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", STRANGE_HOSTS)
async def test_who_comes_by_another_name_is_sent_nowhere(host: str) -> None:
    answer = await send(request("/v1", host))
    assert answer.status == 421
    assert "location" not in answer.headers
    assert b"evil" not in answer.body


ODD_TARGETS = ["@evil.example", ".evil.example", "*", "evil.example:443", "?a=b"]


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT"])
@pytest.mark.parametrize("target", ODD_TARGETS)
async def test_a_target_that_is_no_path_is_sent_nowhere(method: str, target: str) -> None:
    answer = await send(request(target, method=method))
    assert answer.status in {400, 421}
    assert "location" not in answer.headers


RAW = [
    b"GET / HTTP/1.1\r\nhost: api.example.com\r\nhost: evil.example\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /\r\nset-cookie: a=b HTTP/1.1\r\nhost: api.example.com\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nhost: api.example.com\r\n\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\nhost: api.example.com\r\n\r\n",
    b"no http at all\r\n\r\n",
]


@pytest.mark.parametrize("data", RAW)
async def test_what_is_forged_is_sent_nowhere_else(data: bytes) -> None:
    answer = await send(data)
    assert answer.headers.get("location") in {None, "https://api.example.com/"}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["api.example.com", "evil.example", "127.0.0.1:80"])
async def test_the_issuer_reads_its_answer_by_any_name(host: str) -> None:
    answer = await send(request(f"/.well-known/acme-challenge/{TOKEN}", host))
    assert (answer.status, answer.body) == (200, f"{TOKEN}.thumbprint".encode())
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "token", ["unknown", "", "../account.pem", "..%2faccount.pem", "a/b", "x" * 200, "%00"]
)
async def test_an_unknown_token_is_not_found(token: str) -> None:
    answer = await send(request(f"/.well-known/acme-challenge/{token}"))
    assert (answer.status, answer.body) == (404, b"Nothing is here.")


async def test_a_store_that_is_down_is_told_the_issuer() -> None:
    async def down(token: str) -> str | None:
        raise Overloaded(private="the disk is gone")

    answer = await send(request(f"/.well-known/acme-challenge/{TOKEN}"), answer=down)
    assert (answer.status, answer.body) == (503, b"Try again in a moment.")


async def test_strangers_cannot_make_the_store_busy_and_the_issuer_has_its_turn() -> None:
    asked: list[str] = []
    go_on = asyncio.Event()

    async def slow(token: str) -> str | None:
        asked.append(token)
        await go_on.wait()
        return await known(token)

    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(redirecting(RedirectApp(HOSTS, 443, slow), bound, RequestLimits()))
        strangers = [await stack.enter_async_context(peer_of(port)) for _ in range(LOOKUPS_MAX)]
        for stranger in strangers:
            stranger.send(request("/.well-known/acme-challenge/abc"))
        await until(lambda: len(asked) == LOOKUPS_MAX)
        issuer = await stack.enter_async_context(peer_of(port))
        issuer.send(request(f"/.well-known/acme-challenge/{TOKEN}"))
        home = await stack.enter_async_context(peer_of(port))
        home.send(request("/"))
        assert (await home.answer()).status == 308
        assert len(asked) == LOOKUPS_MAX
        go_on.set()
        assert (await issuer.answer()).status == 200
