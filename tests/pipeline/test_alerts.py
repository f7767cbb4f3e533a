"""Alerts from end to end: what happens to a gateway reaches its operator, once, whatever breaks on the way."""

import asyncio
import json
import ssl
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from seawall.core.events import Delivery
from seawall.core.watching import Watch
from seawall.jobs.mail import Mail, message_of
from seawall.jobs.webhook import Undelivered
from seawall.working import Periodic, working_of
from tests.fixtures.gateways import RunningApp, Start, marked, running
from tests.fixtures.made_jobs import end_job, put_job
from tests.fixtures.mailboxes import Mailbox
from tests.fixtures.mock_calls import until
from tests.fixtures.receivers import Receiver, receiving


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for body in receiver.bodies]


async def booked(app: RunningApp) -> None:
    """Wait until what calls have cost is on disk, where alerts look: a call waits for that only for a while."""
    await app.spend()


async def tell(app: RunningApp) -> list[str]:
    """Look and deliver once; returns the kinds that were on their way."""
    await booked(app)
    assert app.seawall.alerting is not None
    await app.seawall.dispatcher.stop()  # From here on by hand.
    await app.seawall.alerting.look()
    await app.seawall.alerting.tell_digest()
    await app.seawall.dispatcher.deliver()
    return [delivery.kind for delivery in await app.seawall.store.outbox.newest()]


def to(receiver: Receiver, **settings: object) -> dict[str, object]:
    return {
        "alerts__webhook_url": receiver.url,
        "alerts__allow_private": True,
        "alerts__digest_at": "off",
        **settings,
    }


async def test_a_threshold_of_the_budget_is_told_once(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.10"))
        while (await app.chat(marked("ada", "full", max_tokens=600))).status_code == 200:
            await booked(app)
        for _ in range(3):
            await tell(app)
        events = [event for event in told(receiver) if event["type"] == "budget.threshold"]
    assert [event["data"]["threshold"] for event in events] in ([80], [100], [50, 80], [80, 100], [50, 100])
    assert all(event["data"]["scope"] == "global" for event in events)
    assert len({head["webhook-id"] for head in receiver.heads}) == len(receiver.heads)


async def test_events_of_users_reach_the_webhook(start: Start) -> None:
    async with receiving() as receiver:
        tiers = {"tiers.free.requests_per_day": 1, "tiers.gold.requests_per_day": 9, "default_tier": "free"}
        app = await start(**to(receiver), **tiers)
        await app.chat(marked("ada", max_tokens=16))
        await booked(app)
        assert (await app.chat(marked("ada", max_tokens=16))).status_code == 429
        await tell(app)
        await app.admin("PATCH", "/users/ada", {"tier": "gold"})
        await app.admin("PATCH", "/users/ada", {"tier": "gold"})
        await tell(app)
        events = told(receiver)
    kinds = sorted(event["type"] for event in events)
    assert kinds == ["quota.threshold", "user.quota_exhausted", "user.tier_changed"]
    by_kind = {event["type"]: event["data"] for event in events}
    assert by_kind["user.tier_changed"] == {"user": "ada", "tier": "gold"}
    assert by_kind["user.quota_exhausted"] == {
        "user": "ada", "unit": "requests", "period": "2026-11-21", "used": 1, "allowed": 1,
    }  # fmt: skip


async def test_many_jobs_that_fail_are_told(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver), jobs__concurrency=0)
        jobs, now = app.seawall.gateway.jobs, app.clock()

        for number in range(10):
            await put_job(jobs, f"job_{number}", accepted_at=now, due_at=now)
            await end_job(jobs, f"job_{number}", app.carrier_of, now=now)
            await tell(app)
        events = told(receiver)
    assert [event["type"] for event in events] == ["jobs.failing"]
    assert events[0]["data"] == {"failed": 10, "codes": {"upstream_unavailable": 10}}


async def test_a_receiver_that_fails_gets_the_same_event_again_later(start: Start) -> None:
    async with receiving(500, 503, 204) as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.01"))
        await app.chat(marked("ada", "full", max_tokens=300))
        await tell(app)
        await app.seawall.dispatcher.deliver()  # Not due yet.
        for pause in (6, 40, 200):
            app.clock.turn(pause)
            await app.seawall.dispatcher.deliver()
        [delivery] = [d for d in await app.seawall.store.outbox.newest() if d.kind == "budget.threshold"]
    assert len({head["webhook-id"] for head in receiver.heads}) == 1
    assert (len(receiver.bodies), delivery.state, delivery.tries) == (3, "sent", 3)


async def test_a_receiver_that_never_takes_it_is_given_up_in_the_end(start: Start) -> None:
    async with receiving(500) as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.01"))
        await app.chat(marked("ada", "full", max_tokens=300))
        await tell(app)
        for _ in range(12):
            app.clock.turn(100_000)
            await app.seawall.dispatcher.deliver()
        states = {d.state for d in await app.seawall.store.outbox.newest()}
    assert states == {"given up"}
    assert len(receiver.bodies) == 8


async def test_of_two_processes_one_announces_and_one_delivers(tmp_path: Path) -> None:
    async with receiving() as receiver:
        settings = to(receiver, budget__daily_usd="0.01")
        async with running(tmp_path, **settings) as first:
            await first.chat(marked("ada", "full", max_tokens=300))
            await booked(first)
            async with running(tmp_path, mock=first.mock, **settings) as second:
                schedulers = [app.seawall.alerting for app in (first, second)]
                for scheduler in schedulers:
                    assert scheduler is not None
                await asyncio.gather(*(s.look() for s in schedulers if s))
                await asyncio.gather(*(app.seawall.dispatcher.deliver() for app in (first, second)))
    assert [event["type"] for event in told(receiver)] == ["budget.threshold"]


async def test_a_crash_between_sending_and_noting_sends_the_same_event_again(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.01"))
        await app.chat(marked("ada", "full", max_tokens=300))
        await booked(app)
        assert app.seawall.alerting is not None
        await app.seawall.dispatcher.stop()  # From here on by hand.
        await app.seawall.alerting.look()
        taken = await app.seawall.store.outbox.take(app.clock(), 10)  # Taken, and never heard of again.
        assert len(taken) == 1
        assert await app.seawall.dispatcher.deliver() == 0
        app.clock.turn(61)
        assert await app.seawall.dispatcher.deliver() == 1
    assert receiver.heads[0]["webhook-id"] == taken[0].event_id


async def test_a_provider_whose_key_fails_is_told(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        await app.chat(marked("ada", "e401"))
        assert "provider.key_failing" in await tell(app)


async def test_the_digest_of_yesterday_goes_out_once_in_the_morning_of_the_time_zone(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, alerts__digest_at="08:00", time_zone="Europe/Berlin"))
        await app.chat(marked("ada", "full", max_tokens=300))
        await booked(app)
        morning = datetime.fromisoformat("2026-11-22T08:00:00+01:00").timestamp()
        app.clock.turn(morning - app.clock() - 60)
        assert "digest.daily" not in await tell(app)
        for _ in range(3):
            app.clock.turn(61)
            await tell(app)
        [digest] = [event for event in told(receiver) if event["type"] == "digest.daily"]
    data = digest["data"]
    assert (data["day"], data["calls"]) == ("2026-11-21", 1)
    assert [row["name"] for row in data["users"]] == ["ada"]
    assert [row["name"] for row in data["keys"]] == ["default"]
    assert digest["text"].startswith("2026-11-21: $0.01 for 1 calls.")


@pytest.mark.parametrize("concurrency", [0, 1])
async def test_the_digest_needs_no_worker_and_where_there_is_one_the_engine_says_when(
    start: Start, concurrency: int
) -> None:
    async with receiving() as receiver:
        stated = to(receiver, alerts__digest_at="12:00", jobs__concurrency=concurrency)
        app = await start(**stated)
        alerting, seawall = app.seawall.alerting, app.seawall
        assert alerting is not None
        assert [each.name for each in seawall._periodic()] == ["retention", "traffic", "digest"]
        periodic = [Periodic("digest-at-once", 1, alerting.tell_digest)]
        working = working_of(seawall.settings, seawall.gateway, seawall.store, periodic=periodic)
        await working.start()
        await until(lambda: any(event["type"] == "digest.daily" for event in told(receiver)))
        await working.stop()


async def test_a_digest_that_cannot_be_made_is_tried_again(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, alerts__digest_at="12:30", jobs__concurrency=1))
        alerting = app.seawall.alerting
        assert alerting is not None
        watch, alerting._watch = alerting._watch, cast(Watch, None)  # Nothing can be summed up.
        app.clock.turn(31 * 60)
        await alerting.tell_digest()
        assert await app.seawall.store.outbox.newest() == []
        alerting._watch = watch
        assert await tell(app) == ["digest.daily"]


async def test_the_digest_sums_up_more_models_than_it_lists(start: Start) -> None:
    async with receiving() as receiver:
        names = [f"fake-gpt-{number}" for number in range(12)]
        priced = {
            f"prices.{name}.{rate}_usd_per_mtok": "10.00" for name in names for rate in ("input", "output")
        }
        app = await start(
            **to(receiver, alerts__digest_at="08:00", **priced), **{"providers.mock.models": names}
        )
        for name in names:
            answer = await app.chat({**marked("ada", max_tokens=16), "model": name})
            assert answer.status_code == 200, answer.text
        await booked(app)
        app.clock.turn(datetime.fromisoformat("2026-11-22T08:01:00+00:00").timestamp() - app.clock())
        await tell(app)
        [data] = [event["data"] for event in told(receiver) if event["type"] == "digest.daily"]
    assert (len(data["models"]), data["calls"]) == (10, 12)
    assert data["spent_usd"] == data["keys"][0]["cost_usd"]


async def test_what_was_told_is_not_handed_to_the_store_again(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.01"))
        await app.chat(marked("ada", "full", max_tokens=300))
        assert await tell(app) == ["budget.threshold"]
        await app.seawall.store.outbox.trim(app.clock() + 10 * 365 * 86_400)  # Now the store would take it.
        assert await tell(app) == []


async def test_a_call_never_waits_for_a_receiver_that_hangs(start: Start) -> None:
    async with receiving(0) as receiver:
        app = await start(**to(receiver, budget__daily_usd="0.05"))
        await app.chat(marked("ada", "full", max_tokens=1000))
        await booked(app)
        assert app.seawall.alerting is not None
        await app.seawall.dispatcher.stop()  # From here on by hand.
        await app.seawall.alerting.look()
        delivering = asyncio.create_task(app.seawall.dispatcher.deliver())
        assert (await app.chat(marked("bob", max_tokens=16))).status_code == 200
        assert not delivering.done()
        delivering.cancel()
        await asyncio.wait([delivering])


DELIVERY = Delivery(
    "evt_1.mail", "evt_1", "budget.threshold", "mail",
    b'{"type":"budget.threshold","timestamp":"2026-11-21T12:00:00Z","text":"80 % is used.\\r\\nBcc: eve@example.com",'
    b'"data":{"scope":"global","used":"4.00"}}', 0, 0.0,
)  # fmt: skip


def mail(port: int, **fields: Any) -> Mail:
    return Mail("localhost", port, "seawall@example.com", ("ops@example.com", "me@example.com"), **fields)


def test_a_mail_says_it_in_its_subject_and_nobody_can_add_a_header() -> None:
    message = message_of(DELIVERY, mail(25), 1_795_262_400.0)
    assert message["Subject"] == "Seawall: 80 % is used.  Bcc: eve@example.com"
    assert message["Bcc"] is None
    assert "  scope: global\n  used: 4.00\n" in message.get_content()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_mail_goes_out_over_a_connection_that_is_verified(security: Any) -> None:
    authority = trustme.CA()
    served, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(served)
    authority.configure_trust(trusted)
    box = Mailbox()
    options: dict[str, Any] = {}
    if security == "starttls":
        options = {"tls_context": served, "require_starttls": True}
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="localhost", **options),
        "localhost",
        0,
        ssl=served if security == "tls" else None,
    )
    port = server.sockets[0].getsockname()[1]
    async with server:
        await mail(port, security=security, tls=trusted).send(DELIVERY, 1_795_262_400.0)
        if security != "none":
            with pytest.raises(Undelivered, match="the mail server did not take it"):
                await mail(port, security=security).send(DELIVERY, 1_795_262_400.0)
    [kept] = box.mails
    assert b"Subject: Seawall: 80 % is used." in kept
