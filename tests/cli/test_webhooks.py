"""`seawall webhooks`: what it prints, what it changes, and what it refuses."""

import asyncio
import time

import pytest
from standardwebhooks.webhooks import Webhook as Standard

from seawall.core.events import Event
from seawall.core.receivers import ReceiverFailure
from seawall.homes import Store
from seawall.jobs.webhook import read_secret
from tests.fixtures.desk import Desk
from tests.fixtures.gateways import WEBHOOK_SECRET
from tests.fixtures.receivers import receiving
from tests.fixtures.settings import Place

STATED = """
[webhooks.app]
url = "https://app.example.com/hook"
[webhooks.billing-2]
url = "https://billing.example.com/hook"
events = ["job.failed"]
"""
GONE = "the receiver is gone (410)"


@pytest.fixture
def stated(place: Place, desk: Desk) -> Desk:
    """Return a desk with two webhooks, of which one was disabled."""
    place.write("seawall.toml", STATED)

    async def disable(store: Store) -> None:
        now = time.time()
        done = Event("job.completed", "job 1", "", {"id": "job_1"}, now)
        await store.outbox.announce([done], ["webhook:app"])
        failure = ReceiverFailure("webhook:app", now, GONE, is_gone=True)
        assert await store.receivers.failed(failure, Event("test", "test", "", {}, now), ())

    desk.in_store(disable)
    return desk


def test_webhooks_are_listed_with_how_they_do(stated: Desk) -> None:
    [app, billing] = stated.values("webhooks", "list")["data"]
    assert (app["name"], app["state"], app["failures"], app["why"]) == ("app", "disabled", 1, GONE)
    assert [(each["type"], each["state"]) for each in app["deliveries"]] == [("job.completed", "waiting")]
    assert (billing["state"], billing["events"], billing["deliveries"]) == ("working", ["job.failed"], [])
    screen = stated.run("webhooks", "list")
    assert max(map(len, screen.splitlines())) <= 80
    assert "app.example.com" not in screen  # Who knows an address may often post to it.
    assert screen.endswith("Nothing is sent to app until: seawall webhooks enable app\n")


def test_one_that_was_disabled_is_enabled_once(stated: Desk) -> None:
    assert stated.values("webhooks", "enable", "app") == {"name": "app", "was_disabled": True}
    assert stated.run("webhooks", "enable", "app") == "app was not disabled.\n"
    assert stated.values("webhooks", "list")["data"][0]["state"] == "working"


def test_without_webhooks_it_is_said_how_to_make_one(desk: Desk) -> None:
    assert "[webhooks.NAME]" in desk.run("webhooks", "list")


def test_a_name_that_there_is_not_is_refused(stated: Desk) -> None:
    for command in ("enable", "test"):
        said = stated.run("webhooks", command, "ap", code=2)
        assert "there is no webhook of this name. Known webhooks: app, billing-2." in " ".join(said.split())


def test_a_secret_is_made_as_a_line_for_the_environment(desk: Desk) -> None:
    name, _, text = desk.run("webhooks", "secret", "billing-2").strip().partition("=")
    assert name == "SEAWALL_WEBHOOK_BILLING_2_SECRET"
    assert len(read_secret(text)) == 32


async def test_a_test_arrives_signed_and_a_failure_is_said(place: Place, desk: Desk) -> None:
    secret = {"SEAWALL_WEBHOOK_APP_SECRET": WEBHOOK_SECRET}
    async with receiving(204, 500) as receiver:
        place.write("seawall.toml", f'[webhooks.app]\nurl = "{receiver.url}"\nallow_private = true\n')
        said = await asyncio.to_thread(desk.run, "webhooks", "test", "app", **secret)
        failed = await asyncio.to_thread(desk.finish, "webhooks", "test", "app", "--json", **secret)
    assert said == "app: delivered.\n"
    assert (failed.exit_code, failed.stdout.count('"why": "status 500"')) == (1, 1)
    assert Standard(WEBHOOK_SECRET).verify(receiver.bodies[0], receiver.heads[0])["type"] == "test"


def test_a_webhook_without_a_secret_is_not_tried(stated: Desk) -> None:
    said = " ".join(stated.run("webhooks", "test", "app", code=2).split())
    assert "webhooks.app is set, but SEAWALL_WEBHOOK_APP_SECRET holds no secret to sign with" in said
    assert "seawall webhooks secret app" in said
