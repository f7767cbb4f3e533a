"""News of jobs reach the webhooks of apps, whatever these do: once, signed, for a day, and never elsewhere."""

import json
import time
from pathlib import Path

import pytest
from openai import OpenAI
from standardwebhooks.webhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError

from seawall.core.events import Delivery
from seawall.core.jobs import JobCaller
from seawall.core.receivers import FAILURES_MAX
from seawall.notifying import webhooks_of
from seawall.settings import load_settings
from tests.fixtures.gateways import WEBHOOK_SECRET, RunningApp, Start, running
from tests.fixtures.made_jobs import RULES, put_job, start_job
from tests.fixtures.mock_calls import until
from tests.fixtures.notices import COMPLETED, FAILED, end, job, kinds, to
from tests.fixtures.receivers import receiving

APP = "webhook:app"
HOUR_S = 3_600.0


async def by_hand(app: RunningApp) -> None:
    """Let nothing be delivered by itself from here on."""
    await app.seawall.dispatcher.stop()


async def state(app: RunningApp) -> tuple[str, int, str | None]:
    """Return what became of the newest delivery to the app."""
    delivery = (await app.seawall.store.outbox.newest((APP,)))[0]
    return delivery.state, delivery.tries, delivery.why


async def later(app: RunningApp, seconds: float) -> int:
    app.clock.turn(seconds)
    return await app.seawall.dispatcher.deliver()


async def test_an_app_hears_of_a_response_by_itself_and_can_verify_it(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        app.clock.turn(time.time() - app.clock())  # Whoever verifies looks at the time as well.
        assert await end(app, job(1)) == 1
        await until(lambda: bool(receiver.bodies))
    [head], [body] = receiver.heads, receiver.bodies
    event = Standard(WEBHOOK_SECRET).verify(body, head)
    assert event == {
        "id": head["webhook-id"],
        "object": "event",
        "type": "response.completed",
        "created_at": event["created_at"],
        "data": {"id": "resp_1"},
    }


async def test_the_news_of_a_job_leave_with_its_end_and_none_where_the_run_does_not_count(
    start: Start,
) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver), jobs__concurrency=0)
        jobs, now = app.seawall.store.jobs, app.clock()
        await put_job(jobs, "job_1", accepted_at=now, due_at=now)
        run = await start_job(jobs, "job_1", app.carrier_of, now)
        news = app.seawall.notices.news_of(run, COMPLETED)
        assert not await jobs.finish("job_1", run.run + 1, COMPLETED, now, RULES, news)
        assert await app.seawall.store.outbox.newest((APP,)) == []
        assert await jobs.finish("job_1", run.run, COMPLETED, now, RULES, news)
        await until(lambda: bool(receiver.bodies))
    assert kinds(receiver) == ["response.completed"]


async def test_of_another_call_it_hears_whose_it_is_and_how_it_went(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        await end(app, job(1, "/v1/chat/completions"), FAILED)
        await app.seawall.dispatcher.deliver()
    told = json.loads(receiver.bodies[0])
    assert (told["type"], told["data"]) == (
        "job.failed",
        {
            "id": "job_1",
            "endpoint": "/v1/chat/completions",
            "model": "fake-gpt",
            "end_user": "ada",
            "code": "upstream_unavailable",
        },
    )


async def test_an_end_is_told_once_however_often_it_is_announced(start: Start) -> None:
    async with receiving() as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        assert [await end(app, job(1)), await end(app, job(1, run=2))] == [1, 0]
        assert [await app.seawall.dispatcher.deliver() for _ in range(2)] == [1, 0]
        assert await end(app, job(1), FAILED) == 1  # It was taken up again, and went another way.
    assert kinds(receiver) == ["response.completed"]


async def test_a_webhook_gets_only_the_events_and_the_keys_that_it_names(start: Start) -> None:
    async with receiving() as receiver, receiving() as other:
        app = await start(
            **to(receiver, webhooks__app__events=["response.failed"]),
            **to(other, "other", webhooks__other__keys=["shop", "key_7"]),
        )
        await by_hand(app)
        await end(app, job(1))
        await end(app, job(2), FAILED)
        await end(app, job(3, caller=JobCaller(key_name="shop")))
        while await app.seawall.dispatcher.deliver():
            pass
    assert kinds(receiver) == ["response.failed"]
    assert kinds(other) == ["response.completed"]


async def test_a_receiver_that_was_down_gets_it_once_it_is_back(start: Start) -> None:
    async with receiving(503, 302, 200) as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        await end(app, job(1))
        assert await app.seawall.dispatcher.deliver() == 0
        [failing] = await app.seawall.store.receivers.failing()
        assert (failing.failures, failing.why) == (1, "status 503")
        assert await app.seawall.dispatcher.deliver() == 0  # Not due yet.
        assert [await later(app, 6), await later(app, 34)] == [0, 1]
        assert await app.seawall.store.receivers.failing() == []
        assert await state(app) == ("sent", 3, "status 302")
    assert len({head["webhook-id"] for head in receiver.heads}) == 1
    assert receiver.paths == ["/hook?from=seawall"] * 3  # No redirect was followed.


async def test_a_receiver_is_left_alone_for_as_long_as_it_asks_within_bounds(start: Start) -> None:
    async with receiving(429, 503, 200) as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        await end(app, job(1))
        receiver.retry_after = "600"
        await app.seawall.dispatcher.deliver()
        receiver.retry_after = str(30 * 86_400)
        assert await later(app, 590) == 0
        assert len(receiver.bodies) == 1
        await later(app, 11)
        assert len(receiver.bodies) == 2
        assert await later(app, 6 * HOUR_S - 9) == 0
        assert await later(app, 10) == 1


async def test_one_that_never_takes_it_is_given_up_within_a_day(start: Start) -> None:
    async with receiving(500) as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        began = app.clock()
        await end(app, job(1))
        while (await state(app))[0] == "waiting":
            await later(app, 60)
        assert app.clock() - began < 86_400
    assert len(receiver.bodies) == 11


async def test_a_private_address_is_refused_unless_that_is_allowed(start: Start) -> None:
    async with receiving() as receiver:
        url = receiver.url.replace("http:", "https:")
        app = await start(webhooks__app__url=url)
        await by_hand(app)
        await end(app, job(1))
        assert await app.seawall.dispatcher.deliver() == 0
        why = "the receiver is not on the public internet (webhooks.app.allow_private)"
        assert await state(app) == ("given up", 1, why)
    assert receiver.bodies == []


async def test_one_that_hangs_keeps_no_other_waiting(start: Start) -> None:
    async with receiving(0) as hanging, receiving() as other:
        app = await start(**to(hanging), **to(other, "other"))
        for number in range(30):
            await end(app, job(number))
        await until(lambda: len(other.bodies) == 30)
        assert len(hanging.bodies) < 30


async def test_410_disables_it_at_once_and_what_waits_is_sent_when_it_is_enabled(start: Start) -> None:
    async with receiving(410, 200) as receiver, receiving() as operator:
        app = await start(**to(receiver, alerts__webhook_url=operator.url, alerts__allow_private=True))
        await by_hand(app)
        await end(app, job(1))
        await app.seawall.dispatcher.deliver()
        await end(app, job(2))
        assert await later(app, 6) == 1  # The alert.
        [alert] = [json.loads(body) for body in operator.bodies]
        assert (alert["type"], alert["data"]) == (
            "webhook.disabled",
            {"webhook": "app", "why": "the receiver is gone (410)"},
        )
        assert len(receiver.bodies) == 1
        assert await later(app, HOUR_S) == 0
        assert await app.seawall.store.receivers.enable(APP, app.clock())
        assert await app.seawall.dispatcher.deliver() == 2
    assert len(receiver.bodies) == 3


async def test_what_waited_a_day_for_a_disabled_one_is_given_up(start: Start) -> None:
    async with receiving(410, 200) as receiver:
        app = await start(**to(receiver))
        await by_hand(app)
        await end(app, job(1))
        await app.seawall.dispatcher.deliver()
        assert await later(app, 86_401) == 0
        assert await state(app) == ("given up", 2, "it waited for too long")
    assert len(receiver.bodies) == 1


async def test_one_that_keeps_failing_for_hours_is_disabled_and_told(start: Start) -> None:
    async with receiving(500) as receiver, receiving() as operator:
        app = await start(**to(receiver, alerts__webhook_url=operator.url, alerts__allow_private=True))
        await by_hand(app)
        number = 0
        while not operator.bodies:
            number += 1
            await end(app, job(number))
            await later(app, 0.5 * HOUR_S)
        [failing] = await app.seawall.store.receivers.failing()
        assert failing.failures >= FAILURES_MAX
        assert failing.disabled_at is not None
        assert failing.disabled_at - failing.failing_since >= 5 * HOUR_S
        before = len(receiver.bodies)
        await end(app, job(1_000))
        await later(app, HOUR_S)
    assert len(receiver.bodies) == before


async def test_several_processes_deliver_each_event_once(tmp_path: Path) -> None:
    async with (
        receiving() as receiver,
        running(tmp_path, **to(receiver)) as first,
        running(tmp_path, mock=first.mock, **to(receiver)),
    ):
        for number in range(40):
            await end(first, job(number))
        await until(lambda: len(receiver.bodies) >= 40)
        sent = "SELECT count(*) FROM outbox WHERE done_at IS NOT NULL"
        await until(lambda: first.look(sent) == [(40,)])
    assert len({head["webhook-id"] for head in receiver.heads}) == len(receiver.heads) == 40


async def test_during_a_rotation_every_message_can_be_verified_with_either_secret(tmp_path: Path) -> None:
    older, stranger = ("whsec_" + letter * 32 for letter in "bc")
    async with receiving() as receiver:
        stated = {name.replace("__", "."): value for name, value in to(receiver).items()}
        variable = "SEAWALL_WEBHOOK_APP_SECRET"
        environ = {variable: WEBHOOK_SECRET, f"{variable}_PREVIOUS": older}
        webhook = webhooks_of(load_settings(None, stated, environ, tmp_path))["app"]
        await webhook.send(Delivery("1", "evt_1", "test", APP, b'{"type":"test"}', 0, 0.0), time.time())
    [head], [body] = receiver.heads, receiver.bodies
    for secret in (WEBHOOK_SECRET, older):
        assert Standard(secret).verify(body, head) == {"type": "test"}
        assert OpenAI(api_key="none").webhooks.unwrap(body, head, secret=secret).type == "test"  # type: ignore[comparison-overlap] # not one of OpenAI's
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Standard(stranger).verify(body, head)
