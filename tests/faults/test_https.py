"""`seawall serve` with HTTPS as a process: it starts, exchanges its certificate, and stops as without."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.authorities import HOST, Authority, Files
from tests.fixtures.gateways import marked
from tests.fixtures.mock_calls import LONGER, o200k
from tests.fixtures.pebble import Pebble
from tests.fixtures.processes import LOG, Process, configure, served
from tests.fixtures.raw_http import Peer

AUTHORITY_FILE = ".seawall/tls/local-ca.pem"


@pytest.fixture
async def mock(tmp_path: Path) -> AsyncIterator[MockProvider]:
    async with MockProvider(count=o200k()) as provider:
        configure(tmp_path, provider)
        yield provider


async def meet(process: Process, tls: ssl.SSLContext, name: str = HOST) -> Peer:
    """Open a connection with TLS; raises SSLCertVerificationError where the certificate is not for the name."""
    return Peer(*await asyncio.open_connection("127.0.0.1", process.port, ssl=tls, server_hostname=name))


async def until_for(process: Process, tls: ssl.SSLContext, name: str) -> None:
    """Wait until the certificate is for a name."""
    async with asyncio.timeout(LONGER * 4):
        while True:
            try:
                (await meet(process, tls, name)).leave()
                return
            except ssl.SSLCertVerificationError:
                await asyncio.sleep(0.05)


async def call(peer: Peer, key: str | None) -> int:
    peer.ask(marked("one", max_tokens=20), key)
    return (await peer.answer()).status


def assert_clean(folder: Path) -> None:
    assert "Traceback" not in (folder / LOG).read_text(encoding="utf-8")


async def test_a_process_takes_a_new_certificate_at_sighup_and_stops_cleanly(
    tmp_path: Path, mock: MockProvider, files: Files, authority: Authority
) -> None:
    options = ("--tls-cert", files.cert.name, "--tls-key", files.key.name)
    async with served(tmp_path, *options) as process:
        peer = await meet(process, authority.client())
        assert await call(peer, process.key) == 200
        files.write(authority.pair("new.example.com"))
        os.kill(process.pid, signal.SIGHUP)
        await until_for(process, authority.client(), "new.example.com")
        assert await call(peer, process.key) == 200
        assert await process.stop() == 0
        peer.leave()
    assert_clean(tmp_path)


async def test_handshakes_that_never_end_do_not_keep_a_process_from_stopping(
    tmp_path: Path, mock: MockProvider, files: Files, authority: Authority
) -> None:
    async with served(tmp_path, "--tls-cert", files.cert.name, "--tls-key", files.key.name) as process:
        silent = [await Peer.connect(process.port) for _ in range(20)]
        kept = await meet(process, authority.client())
        assert await call(kept, process.key) == 200
        assert await process.stop() == 0
        for peer in (*silent, kept):
            peer.leave()
    assert_clean(tmp_path)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_development_by_https_is_trusted_by_one_file_over_restarts(
    tmp_path: Path, mock: MockProvider, name: str
) -> None:
    async with served(tmp_path, "--https") as first:
        authority = (tmp_path / AUTHORITY_FILE).read_bytes()
        peer = await meet(first, ssl.create_default_context(cafile=tmp_path / AUTHORITY_FILE), name)
        assert await call(peer, first.key) == 200
        peer.ask(None, None, method="GET", path="/healthz")
        assert "strict-transport-security" not in (await peer.answer()).headers
        peer.leave()
        assert await first.stop() == 0
    async with served(tmp_path, "--https") as second:
        peer = await meet(second, ssl.create_default_context(cadata=authority.decode()), name)
        peer.leave()
        assert await second.stop() == 0
    assert_clean(tmp_path)


async def test_a_process_gets_its_certificate_and_starts_again_without_the_issuer(
    tmp_path: Path, mock: MockProvider, pebble: Pebble
) -> None:
    stated = {
        "SEAWALL_TLS_DIRECTORY_URL": pebble.directory_url,
        "SEAWALL_TLS_CA": str(pebble.ca),
        "SEAWALL_TLS_HTTP_PORT": str(pebble.http_port),
    }
    root = await pebble.root()
    async with served(tmp_path, "--tls-auto", HOST, **stated) as first:
        assert first.key is not None
        peer = await meet(first, root)
        assert await call(peer, first.key) == 200
        peer.leave()
        assert await first.stop() == 0
    pebble.stop()
    async with served(tmp_path, "--tls-auto", HOST, **stated) as second:
        (await meet(second, root)).leave()
        assert await second.stop() == 0
    assert_clean(tmp_path)


async def test_workers_share_a_certificate_and_hear_of_a_new_one(
    tmp_path: Path,
    mock: MockProvider,
    pebble: Pebble,
    database_url: str,
    valkey_url: str,
) -> None:
    stated = {
        "SEAWALL_DATABASE_URL": database_url,
        "SEAWALL_VALKEY_URL": valkey_url,
        "SEAWALL_TLS_DIRECTORY_URL": pebble.directory_url,
        "SEAWALL_TLS_CA": str(pebble.ca),
        "SEAWALL_TLS_HTTP_PORT": str(pebble.http_port),
    }
    root = await pebble.root()
    async with served(tmp_path, "--workers", "2", "--tls-auto", HOST, **stated) as process:
        peers = [await meet(process, root) for _ in range(4)]
        assert [await call(peer, process.key) for peer in peers] == [200] * 4
        assert pebble.issued() == 1
        os.kill(process.pid, signal.SIGHUP)
        peers.append(await meet(process, root))
        assert await call(peers[-1], process.key) == 200
        assert await process.stop() == 0
        for peer in peers:
            peer.leave()
    (tmp_path / "elsewhere").mkdir()
    configure(tmp_path / "elsewhere", mock)
    async with served(tmp_path / "elsewhere", "--tls-auto", HOST, **stated) as other:
        (await meet(other, root)).leave()
        assert await other.stop() == 0
    assert pebble.issued() == 1
    assert_clean(tmp_path)
