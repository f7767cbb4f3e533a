"""What an app hears of its jobs is what OpenAI's own library takes for an event of OpenAI's."""

import time
from pathlib import Path

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from seawall.core.jobs import JobEnding
from tests.fixtures.gateways import OTHER_SECRET, WEBHOOK_SECRET, running
from tests.fixtures.mock_calls import until
from tests.fixtures.notices import COMPLETED, FAILED, end, job, to
from tests.fixtures.receivers import receiving

ENDINGS = (
    COMPLETED,
    JobEnding(state="incomplete", status=200),
    FAILED,
    JobEnding(state="cancelled", status=0),
)


async def test_openai_unwraps_every_end_of_a_response_and_refuses_a_strangers(tmp_path: Path) -> None:
    async with receiving() as receiver, running(tmp_path, **to(receiver)) as app:
        app.clock.turn(time.time() - app.clock())  # The library looks at the time as well.
        for number, ending in enumerate(ENDINGS):
            await end(app, job(number), ending)
        await until(lambda: len(receiver.bodies) == len(ENDINGS))
    webhooks = OpenAI(api_key="none").webhooks
    told = [
        webhooks.unwrap(body, head, secret=WEBHOOK_SECRET)
        for body, head in zip(receiver.bodies, receiver.heads, strict=True)
    ]
    assert sorted((type(event).__name__, event.model_dump()["data"]["id"]) for event in told) == [
        ("ResponseCancelledWebhookEvent", "resp_3"),
        ("ResponseCompletedWebhookEvent", "resp_0"),
        ("ResponseFailedWebhookEvent", "resp_2"),
        ("ResponseIncompleteWebhookEvent", "resp_1"),
    ]
    with pytest.raises(InvalidWebhookSignatureError):
        webhooks.unwrap(receiver.bodies[0], receiver.heads[0], secret=OTHER_SECRET)
