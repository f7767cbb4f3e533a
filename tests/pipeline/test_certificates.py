"""Certificates by ACME, from Debian's Pebble: got, kept, renewed in time, fetched once, and never lost."""

import asyncio
import logging
import ssl
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from seawall.core.certificates import Kept
from seawall.https import NoHttps
from seawall.identity.certificates import read_facts
from seawall.jobs.acme import AcmeTerms, NotIssued
from seawall.jobs.certificates import CertificateKeeper, Pace
from seawall.server.binding import bind
from seawall.server.protocol import RequestLimits
from seawall.server.redirect import RedirectApp, redirecting
from seawall.stores.folder.certificates import FolderCertificates
from seawall.stores.postgres.certificates import PostgresCertificates
from seawall.stores.postgres.connection import migrate
from tests.fixtures.authorities import HOST, Authority
from tests.fixtures.gateways import Clock, Start
from tests.fixtures.mock_calls import LONGER
from tests.fixtures.pebble import DAY_S, Pebble, issuing
from tests.fixtures.receivers import receiving

DOMAINS = (HOST, "api.example.com")
QUICK = Pace(look_s=0.01, retry_s=0.01, retry_s_max=0.01, apart_s=0.0, wait_s=LONGER * 4)
FAILED = "the certificate could not be renewed; the old one stays"


@pytest.fixture(autouse=True)
def hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Hear what is said where all goes well, too."""
    caplog.set_level(logging.INFO, "seawall")


class Counted(FolderCertificates):
    """A folder that counts how often it was looked at."""

    reads = 0

    async def read(self) -> Kept:
        self.reads += 1
        return await super().read()


class Desk:
    """A gateway's part in certificates, without the gateway: a folder, a keeper and what it got."""

    def __init__(self, terms: AcmeTerms, folder: Path, pace: Pace = QUICK) -> None:
        self.store = Counted(folder)
        self.used: list[bytes] = []
        self.told: list[str] = []
        self.clock = Clock()
        self.clock.turn(time.time() - self.clock())  # The issuer's clock is the real one.
        self.keeper = CertificateKeeper(terms, self.store, self.used.append, pace=pace, now=self.clock)

    async def obtain(self) -> None:
        await self.keeper.obtain(self.told.append)

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Look after the certificate."""
        task = asyncio.create_task(self.keeper.keep_fresh())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def looked(self, times: int) -> None:
        """Wait until the keeper has looked so often again."""
        wanted = self.store.reads + times
        await within(lambda: self.store.reads >= wanted)


async def within(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGER * 4):
        while not claim():
            await asyncio.sleep(0.005)


def whys(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return why renewals have failed."""
    return [record.fields["why"] for record in caplog.records if record.getMessage() == FAILED]


def terms_of(pebble: Pebble, *domains: str) -> AcmeTerms:
    return AcmeTerms(domains or DOMAINS, pebble.directory_url, "ops@example.com", pebble.ca, pebble.http_port)


@asynccontextmanager
async def desk_of(pebble: Pebble, folder: Path, pace: Pace = QUICK) -> AsyncIterator[Desk]:
    """Run what answers the issuer."""
    desk = Desk(terms_of(pebble), folder, pace)
    async with redirecting(
        RedirectApp(DOMAINS, 443, desk.store.answer), bind("127.0.0.1", pebble.http_port), RequestLimits()
    ):
        yield desk
    await desk.store.close()


def settings_of(pebble: Pebble, *domains: str) -> dict[str, object]:
    return {
        "tls__auto": list(domains or DOMAINS),
        "tls__directory_url": pebble.directory_url,
        "tls__ca": str(pebble.ca),
        "tls__http_port": pebble.http_port,
    }


async def test_a_gateway_gets_its_certificate_and_sends_plain_http_there(
    start: Start, pebble: Pebble
) -> None:
    app = await start(**settings_of(pebble))
    root = await pebble.root()
    _, writer = await asyncio.open_connection("127.0.0.1", app.port, ssl=root, server_hostname=DOMAINS[1])
    names = {name for _, name in writer.get_extra_info("peercert")["subjectAltName"]}
    writer.transport.abort()
    assert names == set(DOMAINS)
    async with httpx.AsyncClient(trust_env=False, timeout=LONGER * 2) as client:
        plain = await client.get(f"http://127.0.0.1:{pebble.http_port}/v1/models?a=b", headers={"host": HOST})
    assert (plain.status_code, plain.headers["location"]) == (308, f"https://{HOST}:{app.port}/v1/models?a=b")
    answer = await app.http.get("/healthz")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_what_is_kept_is_private_and_used_again_without_the_issuer(
    start: Start, pebble: Pebble, tmp_path: Path
) -> None:
    app = await start(**settings_of(pebble))
    [stored] = (app.seawall.settings.data_dir / "tls").iterdir()
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in stored.iterdir() if path.is_file()} == {
        "account.pem": 0o600,
        "certificate.pem": 0o600,
        "holder": 0o600,
    }
    assert list((stored / "answers").iterdir()) == []
    pebble.stop()
    again = Desk(terms_of(pebble), stored)
    await again.obtain()
    assert again.used == [(stored / "certificate.pem").read_bytes()]
    assert again.told == []


async def test_a_certificate_that_lacks_a_domain_is_not_kept(pebble: Pebble, tmp_path: Path) -> None:
    async with desk_of(pebble, tmp_path / "tls") as desk:
        await desk.obtain()
        wider = CertificateKeeper(
            terms_of(pebble, *DOMAINS, "more.example.com"), desk.store, desk.used.append, pace=QUICK
        )
        await wider.obtain(desk.told.append)
        assert set(read_facts(desk.used[-1]).names) == {*DOMAINS, "more.example.com"}
        assert pebble.issued() == 2


async def test_an_issuer_that_remembers_the_domain_asks_nothing(tmp_path: Path, authority: Authority) -> None:
    async with issuing(tmp_path, authority, reuse_percent=100) as pebble:
        async with desk_of(pebble, tmp_path / "tls") as desk:
            await desk.obtain()
        (tmp_path / "tls" / "certificate.pem").unlink()
        desk = Desk(terms_of(pebble), tmp_path / "tls")  # Nobody answers on the plain port.
        await desk.obtain()
        await desk.store.close()
        assert pebble.issued() == 2


@pytest.mark.parametrize("life_s", [90 * DAY_S, 3600])
async def test_a_certificate_is_renewed_when_a_third_of_its_life_is_left(
    tmp_path: Path, authority: Authority, life_s: int
) -> None:
    async with (
        issuing(tmp_path, authority, life_s=life_s) as pebble,
        desk_of(pebble, tmp_path / "tls") as desk,
    ):
        await desk.obtain()
        async with desk.kept_fresh():
            desk.clock.turn(0.6 * life_s)  # Up to a thirtieth of its life is earlier by chance.
            await desk.looked(5)
            assert pebble.issued() == 1
            desk.clock.turn(0.08 * life_s)
            await within(lambda: len(desk.used) > 1)
    assert read_facts(desk.used[1]).starts_at >= read_facts(desk.used[0]).starts_at
    assert (tmp_path / "tls" / "certificate.pem").read_bytes() == desk.used[-1]


async def test_a_wrong_clock_does_not_order_again_and_again(pebble: Pebble, tmp_path: Path) -> None:
    pace = Pace(look_s=0.01, retry_s=0.01)
    async with desk_of(pebble, tmp_path / "tls", pace) as desk:
        await desk.obtain()
        desk.clock.turn(80 * DAY_S)
        async with desk.kept_fresh():
            await within(lambda: len(desk.used) > 1)
            await desk.looked(20)
    assert pebble.issued() == 2


async def test_of_two_that_start_at_once_one_orders_and_both_have_it(pebble: Pebble, tmp_path: Path) -> None:
    async with desk_of(pebble, tmp_path / "tls") as first:
        second = Desk(terms_of(pebble), tmp_path / "tls")
        await asyncio.gather(first.obtain(), second.obtain())
        assert pebble.issued() == 1
        assert first.used == second.used
        assert len(first.told) + len(second.told) == 1
        async with first.kept_fresh(), second.kept_fresh():
            for desk in (first, second):
                desk.clock.turn(61 * DAY_S)
            await within(lambda: len(first.used) > 1 and len(second.used) > 1)
            for desk in (first, second):
                desk.clock.turn(-61 * DAY_S)
        await second.store.close()


async def test_gateways_on_one_database_answer_for_each_other_and_one_orders(
    pebble: Pebble, tmp_path: Path, database_url: str
) -> None:
    migrate(database_url)
    stores = [PostgresCertificates(database_url, "issuer") for _ in range(2)]
    used: list[list[bytes]] = [[], []]
    now = Clock()
    now.turn(time.time() - now())
    first, second = (
        CertificateKeeper(terms_of(pebble), store, got.append, pace=QUICK, now=now)
        for store, got in zip(stores, used, strict=True)
    )
    # The issuer asks the one that never orders.
    app = RedirectApp(DOMAINS, 443, stores[1].answer)
    async with redirecting(app, bind("127.0.0.1", pebble.http_port), RequestLimits()):
        await first.obtain(print)
        await second.obtain(print)
        assert pebble.issued() == 1
        tasks = [asyncio.create_task(keeper.keep_fresh()) for keeper in (first, second)]
        now.turn(61 * DAY_S)
        await within(lambda: len(used[0]) > 1 and len(used[1]) > 1)
        now.turn(-61 * DAY_S)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert used[0][0] == used[1][0]
    for store in stores:
        await store.close()


async def test_an_issuer_that_is_down_leaves_the_old_certificate_and_is_asked_again(
    pebble: Pebble, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk_of(pebble, tmp_path / "tls") as desk:
        await desk.obtain()
        old = (tmp_path / "tls" / "certificate.pem").read_bytes()
        pebble.stop()
        async with desk.kept_fresh():
            desk.clock.turn(61 * DAY_S)
            await within(lambda: len(whys(caplog)) > 2)
            assert (tmp_path / "tls" / "certificate.pem").read_bytes() == old
            assert desk.used == [old]
            await pebble.start()  # It has forgotten the account, and has another authority.
            await within(lambda: len(desk.used) > 1)
    assert whys(caplog)[0].endswith("cannot be reached (ConnectionError)")


async def test_an_ended_certificate_is_replaced_at_the_start(
    pebble: Pebble, tmp_path: Path, authority: Authority
) -> None:
    async with desk_of(pebble, tmp_path / "tls") as desk:
        cert, key = authority.expired()
        await desk.store.keep(Kept(certificate=key + cert))
        await desk.obtain()
        assert set(read_facts(desk.used[0]).names) == set(DOMAINS)


async def refused(terms: AcmeTerms, folder: Path) -> str:
    """Return why a start fails."""
    desk = Desk(terms, folder)
    with pytest.raises(NotIssued) as caught:
        await desk.obtain()
    await desk.store.close()
    assert desk.used == []
    return str(caught.value)


async def test_a_domain_that_leads_elsewhere_is_told_in_one_sentence(pebble: Pebble, tmp_path: Path) -> None:
    said = await refused(terms_of(pebble, HOST), tmp_path / "tls")
    assert f"did not find this gateway at {HOST} (" in said
    assert said.endswith(f"lead to this machine, and its port 80 to port {pebble.http_port} here")
    assert "\n" not in said


async def test_an_issuer_that_nobody_trusts_is_told_in_one_sentence(pebble: Pebble, tmp_path: Path) -> None:
    terms = AcmeTerms((HOST,), pebble.directory_url)
    said = await refused(terms, tmp_path / "tls")
    assert "is not trusted here" in said and "tls.ca" in said


async def test_a_missing_authority_of_the_issuer_is_told_in_one_sentence(tmp_path: Path) -> None:
    terms = AcmeTerms((HOST,), "https://localhost:9/dir", ca=tmp_path / "gone.pem")
    assert (
        await refused(terms, tmp_path / "tls")
        == f"tls.ca names {tmp_path / 'gone.pem'}, which does not exist"
    )


async def test_a_server_that_is_no_issuer_is_told_in_one_sentence(
    tmp_path: Path, authority: Authority
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert, key = authority.pair("localhost")
    (tmp_path / "both.pem").write_bytes(key + cert)
    tls.load_cert_chain(tmp_path / "both.pem")
    async with receiving(200, tls=tls) as server:
        terms = AcmeTerms((HOST,), server.url, ca=authority.file)
        said = await refused(terms, tmp_path / "tls")
    assert "cannot be reached" in said or "does not speak ACME" in said


async def test_a_gateway_without_a_certificate_does_not_start(
    start: Start, tmp_path: Path, pebble: Pebble
) -> None:
    pebble.stop()
    with pytest.raises(NoHttps, match=f"there is no certificate for {HOST}: .* cannot be reached"):
        await start(**settings_of(pebble, HOST))


async def test_a_start_does_not_wait_for_ever_for_another_process(pebble: Pebble, tmp_path: Path) -> None:
    other = FolderCertificates(tmp_path / "tls")
    assert await other.hold()
    desk = Desk(terms_of(pebble), tmp_path / "tls", Pace(look_s=0.01, wait_s=0.05))
    with pytest.raises(NotIssued, match="another gateway is getting"):
        await desk.obtain()
    await other.close()
