"""Where fetched certificates are kept: in a folder and in Postgres, seen by several gateways at once."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from seawall.core.certificates import Certificates, Kept
from seawall.core.errors import Overloaded
from seawall.stores.folder.certificates import FolderCertificates
from seawall.stores.postgres.certificates import PostgresCertificates
from seawall.stores.postgres.connection import migrate
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.servers import PostgresServer

Open = Callable[..., Certificates]


@pytest.fixture(params=["folder", "postgres"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return what opens the same home again, as another gateway does; an issuer may be named."""
    if request.param == "folder":
        return lambda issuer="issuer": FolderCertificates(tmp_path / issuer)
    url: str = request.getfixturevalue("database_url")
    migrate(url)
    return lambda issuer="issuer": PostgresCertificates(url, issuer)


async def test_nothing_is_kept_at_first(gateway: Open) -> None:
    store = gateway()
    assert await store.read() == Kept()
    assert await store.answer("token") is None
    await store.close()


async def test_what_one_keeps_the_other_reads(gateway: Open) -> None:
    one, other = gateway(), gateway()
    await one.keep(Kept(account_key=b"account"))
    await one.keep(Kept(account_key=b"account", certificate=b"first \0\xff"))
    assert await other.read() == Kept(account_key=b"account", certificate=b"first \0\xff")
    await other.keep(Kept(account_key=b"account", certificate=b"second"))
    assert await one.read() == Kept(account_key=b"account", certificate=b"second")
    for store in (one, other):
        await store.close()


async def test_what_is_not_given_stays(gateway: Open) -> None:
    store = gateway()
    await store.keep(Kept(account_key=b"account", certificate=b"first"))
    await store.keep(Kept(certificate=b"second"))
    assert await store.read() == Kept(account_key=b"account", certificate=b"second")
    await store.close()


async def test_what_one_publishes_the_other_answers_until_it_is_withdrawn(gateway: Open) -> None:
    one, other = gateway(), gateway()
    await one.publish({"a": "a.thumb", "b-_": "b.thumb"})
    assert [await other.answer(token) for token in ("a", "b-_", "c")] == ["a.thumb", "b.thumb", None]
    await one.publish({"b-_": "new", "c": "c.thumb"})
    assert [await other.answer(token) for token in ("a", "b-_", "c")] == [None, "new", "c.thumb"]
    await one.publish({})
    assert [await other.answer(token) for token in ("a", "b-_", "c")] == [None, None, None]
    for store in (one, other):
        await store.close()


@pytest.mark.parametrize("token", ["..", "../account.pem", "a/b", "", "%", "x' OR 'a' = 'a", "a\n"])
async def test_what_is_no_token_has_no_answer(gateway: Open, token: str) -> None:
    store = gateway()
    await store.keep(Kept(account_key=b"account"))
    await store.publish({"a": "a.thumb"})
    assert await store.answer(token) is None
    await store.close()


async def test_one_holds_at_a_time_and_the_next_when_it_is_gone(gateway: Open) -> None:
    one, other = gateway(), gateway()
    assert [await one.hold(), await other.hold(), await one.hold(), await other.hold()] == [
        True,
        False,
        True,
        False,
    ]
    await one.close()
    async with asyncio.timeout(LONGER):
        while not await other.hold():
            pass  # A server needs a moment to see that a session has ended.
    await other.close()


async def test_issuers_have_nothing_in_common(gateway: Open) -> None:
    one, other = gateway("one"), gateway("other")
    await one.keep(Kept(certificate=b"first"))
    await one.publish({"a": "a.thumb"})
    assert await other.read() == Kept()
    assert await other.answer("a") is None
    assert await one.hold() and await other.hold()
    for store in (one, other):
        await store.close()


async def test_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    store = FolderCertificates(tmp_path / "tls" / "issuer")
    await store.keep(Kept(account_key=b"account", certificate=b"first"))
    before = (tmp_path / "tls" / "issuer" / "certificate.pem").open("rb")
    await store.keep(Kept(certificate=b"second"))
    with before:
        assert before.read() == b"first"
    await store.publish({"a": "a.thumb"})
    found = [path for path in (tmp_path / "tls").rglob("*") if path.is_file()]
    assert {path.name for path in found} == {"account.pem", "certificate.pem", "a"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert stat.S_IMODE((tmp_path / "tls" / "issuer").stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderCertificates(tmp_path / "file")
    for work in (store.read(), store.keep(Kept(certificate=b"first")), store.publish({}), store.hold()):
        with pytest.raises(Overloaded):
            await work


async def test_a_database_that_is_gone_is_told_and_found_again() -> None:
    server = PostgresServer()
    try:
        server.start()
        url = server.create()
        migrate(url)
        one, other = PostgresCertificates(url, "issuer"), PostgresCertificates(url, "issuer")
        assert await one.hold()
        await one.keep(Kept(certificate=b"first"))
        server.stop()
        for work in (one.read(), one.keep(Kept(certificate=b"second")), one.answer("a"), one.hold()):
            with pytest.raises(Overloaded):
                await work
        server.start()
        assert await other.hold() and not await one.hold()
        assert await one.read() == Kept(certificate=b"first")
        await one.close()
        await other.close()
    finally:
        server.remove()
