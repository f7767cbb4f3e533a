"""Background responses as programs with OpenAI's own client make, follow and cancel them."""

import time
from typing import Any

import openai
import pytest
from openai import OpenAI

from seawall.proving.mock_behaviour import Behaviour
from tests.clients.test_responses import ASK, EVERY_PROVIDER, NINE, TEXT
from tests.fixtures.clients import Vendor
from tests.fixtures.mock_calls import LONGER

UNFINISHED = ("queued", "in_progress")


def ended(client: OpenAI, response_id: str) -> Any:
    """Return a response once it is at its end, as OpenAI's guide polls for it."""
    give_up_at = time.monotonic() + 4 * LONGER
    response = client.responses.retrieve(response_id)
    while response.status in UNFINISHED and time.monotonic() < give_up_at:
        time.sleep(0.02)
        response = client.responses.retrieve(response_id)
    return response


@EVERY_PROVIDER
def test_a_background_response_is_polled_until_it_is_complete(
    client: OpenAI, vendor: Vendor, model: str
) -> None:
    vendor.answers_next(NINE)
    accepted = client.responses.create(model=model, input=ASK, background=True)
    assert (accepted.status, accepted.background, accepted.output_text) == ("queued", True, "")
    done = ended(client, accepted.id)
    assert (done.status, done.background, done.output_text) == ("completed", True, TEXT)
    assert "background" not in vendor.requests[0].body


@EVERY_PROVIDER
def test_a_stream_is_followed_dropped_and_resumed(client: OpenAI, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE)
    kinds, numbers, response_id = [], [], ""
    with client.responses.create(model=model, input=ASK, background=True, stream=True) as stream:
        for event in stream:
            kinds.append(event.type)
            numbers.append(event.sequence_number)
            if event.type == "response.created":
                response_id = event.response.id
            if event.sequence_number == 6:
                break
    rest = client.responses.retrieve(response_id, stream=True, starting_after=6)
    last: Any = None
    for last in rest:
        kinds.append(last.type)
        numbers.append(last.sequence_number)
    assert numbers == list(range(len(numbers)))
    assert kinds[:3] == ["response.created", "response.queued", "response.in_progress"]
    assert kinds.count("response.output_text.delta") == 9
    assert last.response.output_text == TEXT


def test_the_helper_follows_a_response_by_its_id(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(NINE)
    with client.responses.stream(model="fake-gpt", input=ASK, background=True) as stream:
        for event in stream:
            if event.type == "response.created":
                response_id = event.response.id
                break
    with client.responses.stream(response_id=response_id, starting_after=3) as followed:
        said = "".join(event.delta for event in followed if event.type == "response.output_text.delta")
        final = followed.get_final_response()
    assert said == final.output_text == TEXT


def test_a_background_response_is_cancelled_and_stays_so(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(answer_tokens=500, gap_ms=20))
    accepted = client.responses.create(model="fake-gpt", input=ASK, background=True, stream=True)
    response_id = next(event for event in accepted if event.type == "response.created").response.id
    accepted.close()
    client.responses.cancel(response_id)
    done = ended(client, response_id)
    assert done.status == "cancelled"
    assert client.responses.cancel(response_id).status == "cancelled"


def test_a_failed_response_says_why(client: OpenAI, vendor: Vendor) -> None:
    vendor.answers_next(Behaviour(status=400))
    done = ended(client, client.responses.create(model="fake-resp", input=ASK, background=True).id)
    assert done.status == "failed"
    assert done.error is not None
    assert done.error.message


def test_a_response_that_is_to_be_forgotten_cannot_be_made_in_the_background(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="fake-gpt", input=ASK, background=True, store=False)
    assert caught.value.param == "store"
