"""The built-in demo model, which answers where no provider is configured."""

from openai import AsyncOpenAI, OpenAI

from tests.fixtures.clients import Key, Vendor, said
from tests.fixtures.mock_calls import until

ASK = said("How do I begin?")


def test_demo_model_tells_what_the_gateway_did(client: OpenAI, vendor: Vendor) -> None:
    answer = client.chat.completions.create(model="demo", messages=ASK)
    text = answer.choices[0].message.content or ""
    assert text.startswith('You asked: "How do I begin?" I am the demo model that comes with Seawall:')
    assert 'Your key "test" was checked first.' in text
    assert "of today's $1000.00 set aside" in text
    assert answer.choices[0].finish_reason == "stop"
    assert vendor.requests == []


async def test_demo_model_reports_usage_and_price_and_costs_nothing(
    async_client: AsyncOpenAI, key: Key
) -> None:
    answer = await async_client.chat.completions.create(model="demo", messages=ASK, max_tokens=5)
    await until(lambda: len(key.calls()) == 1)
    [call] = key.calls()
    assert answer.choices[0].message.content == 'You asked: "How do'
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_unset=True) == {
        "prompt_tokens": 5,
        "completion_tokens": 5,
        "total_tokens": 10,
    }
    assert (call["cost_usd"], call["listed_cost_usd"]) == ("0.00", "0.00000375")
    assert key.spend()["lifetime_usd"] == "0.00"


def test_demo_model_says_the_same_to_the_same_question(client: OpenAI) -> None:
    first, second = (client.chat.completions.create(model="demo", messages=ASK, seed=7) for _ in range(2))
    assert first == second


async def test_demo_model_streams_word_by_word_and_reports_usage(async_client: AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        model="demo", messages=ASK, max_tokens=5, stream=True, stream_options={"include_usage": True}
    )
    *others, last = [chunk async for chunk in stream]
    assert [chunk.choices[0].delta.content for chunk in others] == [
        "",
        "You",
        " asked",
        ":",
        ' "How',
        " do",
        None,
    ]
    assert others[-1].choices[0].finish_reason == "length"
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (5, 5)
