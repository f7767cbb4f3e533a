"""Objects that Instructor reads from answers, over OpenAI's and Anthropic's clients."""

from typing import Any

import instructor
import pytest
from anthropic import Anthropic
from instructor import Instructor, Mode
from instructor.core import InstructorRetryException
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, field_validator

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from tests.fixtures.clients import Vendor, said

ASK = said("Which sea is calm?")


class Tide(BaseModel):
    """What is to be found out; a tide of more than ten metres is not believed."""

    port: str
    height: float

    @field_validator("height")
    @classmethod
    def is_believed(cls, height: float) -> float:
        """Refuse what no sea does."""
        if height > 10:
            raise ValueError("no tide is that high")
        return height


WHOLE = {"port": "Which sea is calm?", "height": 7.5}


def saying(mode: Mode, text: str) -> Behaviour:
    """Return the answer of a model that says this JSON in the way of a mode."""
    if mode in {Mode.TOOLS, Mode.RESPONSES_TOOLS}:
        return Behaviour(tools=(ToolCall("Tide", text),))
    return Behaviour(text=text)


@pytest.fixture(
    params=[
        ("fake-gpt", Mode.TOOLS),
        ("fake-gpt", Mode.JSON_SCHEMA),
        ("fake-claude", Mode.TOOLS),
        ("fake-claude", Mode.JSON_SCHEMA),
        ("fake-resp", Mode.RESPONSES_TOOLS),
        ("fake-claude", Mode.RESPONSES_TOOLS),
    ],
    ids=str,
)
def over_openai(request: pytest.FixtureRequest, client: OpenAI) -> tuple[Instructor, Mode]:
    """Return Instructor over OpenAI's client: the provider by its model, and how the object is asked for."""
    model, mode = request.param
    return instructor.from_openai(client, mode=mode, model=model), mode


@pytest.fixture(params=["fake-claude", "fake-gpt"])
def over_anthropic(request: pytest.FixtureRequest, claude: Anthropic) -> Instructor:
    """Return Instructor over Anthropic's client."""
    return instructor.from_anthropic(claude, model=request.param, max_tokens=1024)


def ask(asker: Instructor, **fields: Any) -> Any:
    """Ask for a tide, and return its fields: Instructor makes a class of its own from the one it is given."""
    tide = asker.create(response_model=Tide, messages=ASK, **fields)
    assert isinstance(tide, Tide)
    return tide.model_dump()


def test_object_over_openai(over_openai: tuple[Instructor, Mode]) -> None:
    assert ask(over_openai[0]) == WHOLE


def test_object_that_is_not_believed_is_asked_for_again(
    over_openai: tuple[Instructor, Mode], vendor: Vendor
) -> None:
    asker, mode = over_openai
    vendor.answers_next(
        saying(mode, '{"port":"Ostend","height":25.0}'), saying(mode, '{"port":"Ostend","height":2.5}')
    )
    assert ask(asker, max_retries=1) == {"port": "Ostend", "height": 2.5}
    assert "no tide is that high" in vendor.requests[1].raw.decode()


def test_object_that_is_never_believed_is_given_up(
    over_openai: tuple[Instructor, Mode], vendor: Vendor
) -> None:
    asker, mode = over_openai
    vendor.answers_next(*[saying(mode, '{"port":"Ostend","height":25.0}')] * 2)
    with pytest.raises(InstructorRetryException) as caught:
        ask(asker, max_retries=1)
    assert (caught.value.n_attempts, len(vendor.requests)) == (2, 2)


async def test_object_for_async_programs(async_client: AsyncOpenAI) -> None:
    asker = instructor.from_openai(async_client, model="fake-gpt")
    tide = await asker.create(response_model=Tide, messages=ASK)
    assert tide.model_dump() == WHOLE


def test_object_grows_while_it_is_streamed(client: OpenAI) -> None:
    asker = instructor.from_openai(client, model="fake-gpt")
    partial = [(tide.port, tide.height) for tide in asker.create_partial(response_model=Tide, messages=ASK)]
    assert partial[-1] == ("Which sea is calm?", 7.5)
    assert len(partial) > 2


def test_object_over_anthropic(over_anthropic: Instructor) -> None:
    assert ask(over_anthropic) == WHOLE


def test_object_over_anthropic_that_is_not_believed_is_asked_for_again(
    over_anthropic: Instructor, vendor: Vendor
) -> None:
    vendor.answers_next(
        saying(Mode.TOOLS, '{"port":"Ostend","height":25.0}'),
        saying(Mode.TOOLS, '{"port":"Ostend","height":2.5}'),
    )
    assert ask(over_anthropic, max_retries=1) == {"port": "Ostend", "height": 2.5}
    assert "no tide is that high" in vendor.requests[1].raw.decode()
