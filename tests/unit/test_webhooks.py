"""Webhooks: signed as Standard Webhooks asks, never sent into a private network, never redirected."""

import asyncio
import ssl
import time
from datetime import UTC, datetime

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Standard
from tests.fixtures.gateways import WEBHOOK_SECRET
from tests.fixtures.receivers import receiving

from seawall.core.events import Delivery
from seawall.jobs.webhook import Undelivered, Webhook, is_public, read_secret, sign

PAYLOAD = b'{"type":"test","timestamp":"2026-11-21T12:00:00Z","text":"x","data":{}}'
DELIVERY = Delivery("evt_1.webhook", "evt_1", "test", "webhook", PAYLOAD, 0, 0.0)


def hook(url: str, **fields: object) -> Webhook:
    return Webhook(url, read_secret(WEBHOOK_SECRET), **{"allow_private": True, **fields})


async def why_not(one: Webhook) -> tuple[str, bool]:
    with pytest.raises(Undelivered) as caught:
        await one.send(DELIVERY, time.time())
    return caught.value.why, caught.value.is_final


async def test_what_arrives_can_be_verified_by_anybodys_library() -> None:
    async with receiving() as receiver:
        await hook(receiver.url).send(DELIVERY, time.time())
    [head], [body] = receiver.heads, receiver.bodies
    assert Standard(WEBHOOK_SECRET).verify(body, head)["type"] == "test"
    assert receiver.paths == ["/hook?from=seawall"]
    assert head["webhook-id"] == "evt_1"
    with pytest.raises(Exception, match="No matching signature"):
        Standard(WEBHOOK_SECRET).verify(body.replace(b"test", b"tess"), head)


def test_the_signature_is_that_of_the_standard() -> None:
    headers = dict(sign(read_secret(WEBHOOK_SECRET), "evt_1", 1_795_262_400, PAYLOAD))
    at = datetime.fromtimestamp(1_795_262_400, UTC)
    assert headers["webhook-signature"] == Standard(WEBHOOK_SECRET).sign("evt_1", at, PAYLOAD.decode())


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_!!!", WEBHOOK_SECRET.removeprefix("whsec_"), "whsec_c2hvcnQ="]
)
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a webhook secret"):
        read_secret(text)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("198.18.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("2001:db8::1", False),
    ],
)
def test_only_the_public_internet_is_called(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
async def test_a_receiver_on_this_machine_is_never_called_unless_that_is_wanted(host: str) -> None:
    async with receiving() as receiver:
        port = receiver.url.split(":")[2].partition("/")[0]
        why, is_final = await why_not(hook(f"http://{host}:{port}/", allow_private=False))
    assert is_final or why == "the receiver's name is not known"
    assert receiver.bodies == []


@pytest.mark.parametrize(
    ("status", "why", "is_final"),
    [
        (500, "status 500", False),
        (404, "status 404", False),
        (302, "status 302", False),
        (410, "the receiver is gone (410)", True),
    ],
)
async def test_anything_but_2xx_is_not_delivered(status: int, why: str, is_final: bool) -> None:
    async with receiving(status) as receiver:
        assert await why_not(hook(receiver.url)) == (why, is_final)
    assert len(receiver.bodies) == 1


async def test_a_receiver_that_never_answers_is_left() -> None:
    async with receiving(0) as receiver:
        why, _ = await why_not(hook(receiver.url, timeout_s=0.2))
    assert why in ("no answer in time", "no connection (TimedOut)")


async def test_nobody_there_is_said_without_the_address() -> None:
    why, _ = await why_not(hook("http://127.0.0.1:9/secret-path"))
    assert why == "no connection (NotConnected)"


async def test_https_is_verified_by_the_receivers_name() -> None:
    authority = trustme.CA()
    served, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(served)
    authority.configure_trust(trusted)
    async with receiving(tls=served) as receiver:
        await hook(receiver.url, tls=trusted).send(DELIVERY, time.time())
        assert len(receiver.bodies) == 1
        assert (await why_not(hook(receiver.url)))[0] == "no connection (NotConnected)"
        other = receiver.url.replace("localhost", "127.0.0.1")
        assert (await why_not(hook(other, tls=trusted)))[0] == "no connection (NotConnected)"
    await asyncio.sleep(0)
