"""HTTPS with certificate files: what it offers, what it refuses, and how new files get into use."""

import asyncio
import logging
import os
import signal
import ssl
import warnings
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.fixtures.authorities import HOST, Authority, Files
from tests.fixtures.gateways import RunningApp, Start, marked
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.raw_http import Peer, peer_of

HURRIED_S = 3.0
"""Seconds for a handshake or a head, where a test waits for their end: a client that does its best has them."""
WATCHED_S = LONGER * 2
"""Seconds within which a change of the files must have been seen; they are looked at every second."""


@pytest.fixture(autouse=True)
def hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Hear what is said where all goes well, too."""
    caplog.set_level(logging.INFO, "seawall")


async def connect(
    app: RunningApp, tls: ssl.SSLContext, name: str = HOST
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", app.port, ssl=tls, server_hostname=name)


async def name_shown(app: RunningApp, authority: Authority) -> str:
    """Return the first name of the certificate that a new connection is shown."""
    tls = authority.client()
    tls.check_hostname = False
    _, writer = await connect(app, tls)
    shown: Any = writer.get_extra_info("peercert")
    writer.transport.abort()
    names: list[str] = [name for kind, name in shown["subjectAltName"] if kind == "DNS"]
    return names[0]


async def until_shown(app: RunningApp, authority: Authority, name: str) -> None:
    async with asyncio.timeout(WATCHED_S):
        while await name_shown(app, authority) != name:
            await asyncio.sleep(0.02)


async def until_said(caplog: pytest.LogCaptureFixture, message: str, times: int = 1) -> list[dict[str, Any]]:
    """Wait until the log has said something so often; returns the fields of those lines."""

    def said() -> list[dict[str, Any]]:
        return [record.fields for record in caplog.records if record.getMessage() == message]

    async with asyncio.timeout(WATCHED_S):
        while len(said()) < times:
            await asyncio.sleep(0.02)
    return said()


BROKEN = "the new certificate cannot be used; the old one stays"
LOADED = "a certificate was loaded"


async def test_a_call_by_https_is_answered_and_streamed(
    start: Start, files: Files, authority: Authority
) -> None:
    app = await start(**files.settings())
    async with httpx.AsyncClient(verify=authority.client(), trust_env=False, timeout=LONGER * 2) as client:
        for stream in (False, True):
            answer = await client.post(
                f"https://127.0.0.1:{app.port}/v1/chat/completions",
                json=marked(f"call-{stream}", stream=stream),
                headers={"authorization": f"Bearer {app.key}"},
            )
            assert answer.status_code == 200
            assert answer.text.endswith("data: [DONE]\n\n") is stream
    assert [row.outcome for row in await app.rows()] == ["ok", "ok"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_newer_tls_is_spoken_and_only_http_1_is_offered(
    start: Start, files: Files, authority: Authority, version: ssl.TLSVersion
) -> None:
    app = await start(**files.settings())
    tls = authority.client()
    tls.minimum_version = tls.maximum_version = version
    tls.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await connect(app, tls)
    spoken = writer.get_extra_info("ssl_object")
    assert spoken.version() == version.name.replace("_", ".")
    assert spoken.selected_alpn_protocol() == "http/1.1"
    writer.transport.abort()


async def test_old_tls_is_refused(start: Start, files: Files) -> None:
    app = await start(**files.settings())
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await connect(app, old)


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-AES128-SHA", "NULL", "DES-CBC3-SHA", "RC4"])
async def test_weak_ciphers_are_refused(start: Start, files: Files, cipher: str) -> None:
    app = await start(**files.settings())
    weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    weak.check_hostname, weak.verify_mode = False, ssl.CERT_NONE
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    with suppress(ssl.SSLError):  # Some are gone from OpenSSL itself.
        weak.set_ciphers(f"{cipher}:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect(app, weak)


PATHS = ["/healthz", "/v1/models", "/nothing", "/v1/chat/completions"]


async def test_every_answer_tells_browsers_to_come_by_https(start: Start, files: Files) -> None:
    app = await start(**files.settings())
    answers = [await app.http.get(path) for path in PATHS]
    answers.append(await app.chat(marked("one")))
    answers.append(await app.chat(marked("two", stream=True)))
    answers.append(await app.chat("no call"))
    assert {answer.headers["strict-transport-security"] for answer in answers} == {"max-age=31536000"}


async def test_what_is_refused_before_the_application_says_so_too(
    start: Start, files: Files, authority: Authority
) -> None:
    app = await start(server__header_kb_max=4, **files.settings())
    peer = Peer(*await connect(app, authority.client()))
    peer.send(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\nx-large: " + b"x" * 5_000 + b"\r\n\r\n")
    answer = await peer.answer()
    assert (answer.status, answer.headers["strict-transport-security"]) == (431, "max-age=31536000")
    peer.leave()


async def test_zero_days_say_nothing(start: Start, files: Files) -> None:
    app = await start(tls__hsts_days=0, **files.settings())
    assert "strict-transport-security" not in (await app.http.get("/healthz")).headers


async def test_a_certificate_for_localhost_promises_browsers_nothing(
    start: Start, files: Files, authority: Authority
) -> None:
    files.write(authority.pair("localhost"))
    app = await start(**files.settings())
    assert "strict-transport-security" not in (await app.http.get("/healthz")).headers


async def test_plain_http_says_nothing(start: Start) -> None:
    app = await start()
    assert "strict-transport-security" not in (await app.http.get("/healthz")).headers


@pytest.mark.parametrize(
    "spoken", [b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n", b"\x16\x03\x01\x02", b"\0" * 3_000]
)
async def test_what_is_no_tls_ends_its_own_connection_only(
    start: Start, files: Files, spoken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app = await start(server__header_timeout_s=HURRIED_S, **files.settings())
    async with peer_of(app.port) as peer:
        peer.send(spoken)
        with suppress(ConnectionError):
            assert b"HTTP" not in await peer.rest()
    assert (await app.http.get("/healthz")).status_code == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_connections_without_a_handshake_are_cut_and_block_nobody(start: Start, files: Files) -> None:
    app = await start(server__header_timeout_s=HURRIED_S, **files.settings())
    idle = [await Peer.connect(app.port) for _ in range(200)]
    assert (await app.http.get("/healthz")).status_code == 200
    assert (await app.chat(marked("one"))).status_code == 200
    with suppress(ConnectionError):
        assert set(await asyncio.gather(*(peer.rest() for peer in idle))) == {b""}
    for peer in idle:
        peer.leave()


async def test_a_head_that_never_comes_after_the_handshake_is_refused(
    start: Start, files: Files, authority: Authority
) -> None:
    app = await start(server__header_timeout_s=HURRIED_S, **files.settings())
    peer = Peer(*await connect(app, authority.client()))
    answer = await peer.answer()
    assert (answer.status, answer.error["code"]) == (408, "request_timeout")
    peer.leave()


async def test_a_new_pair_is_used_while_old_connections_live_on(
    start: Start, files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    app = await start(**files.settings())
    peer = Peer(*await connect(app, authority.client()))
    files.write(authority.pair("new.example.com"))
    await until_shown(app, authority, "new.example.com")
    peer.ask(None, None, method="GET", path="/healthz")
    assert (await peer.answer()).status == 200
    peer.leave()
    [loaded] = await until_said(caplog, LOADED)
    assert loaded["names"] == ["new.example.com", "127.0.0.1"]


async def test_a_broken_pair_keeps_the_old_one_until_it_is_mended(
    start: Start, files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    app = await start(**files.settings())
    files.write((authority.pair("new.example.com")[0], authority.pair()[1]))
    await until_said(caplog, BROKEN)
    assert await name_shown(app, authority) == HOST
    assert (await app.http.get("/healthz")).status_code == 200
    files.write(authority.pair("mended.example.com"))
    await until_shown(app, authority, "mended.example.com")


async def test_a_hangup_signal_reads_the_files_anew_and_says_each_time_what_is_wrong(
    start: Start, files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    app = await start(**files.settings())
    files.key.unlink()
    await until_said(caplog, BROKEN)
    os.kill(os.getpid(), signal.SIGHUP)
    await until_said(caplog, BROKEN, times=2)
    assert await name_shown(app, authority) == HOST


async def test_links_that_are_turned_to_other_files_are_followed(
    start: Start, files: Files, authority: Authority
) -> None:
    """Kubernetes and certbot exchange certificates so."""
    folder = files.cert.parent
    for number, name in enumerate((HOST, "new.example.com")):
        (folder / f"{number}").mkdir()
        Files(folder / f"{number}").write(authority.pair(name))
    (folder / "live").symlink_to("0")
    app = await start(tls__cert=str(folder / "live" / "cert.pem"), tls__key=str(folder / "live" / "key.pem"))
    (folder / "next").symlink_to("1")
    (folder / "next").rename(folder / "live")
    await until_shown(app, authority, "new.example.com")


async def test_a_gateway_stops_while_clients_keep_their_connections(
    start: Start, files: Files, authority: Authority
) -> None:
    app = await start(**files.settings())
    kept = [Peer(*await connect(app, authority.client())) for _ in range(3)]
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)
    stop(signal.SIGTERM, None)
    for peer in kept:
        assert await peer.rest() == b""
        peer.leave()
