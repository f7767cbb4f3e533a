"""Parts that are not what they say, and names that say what is not so: the bound of the input holds."""

import pytest

from seawall.core.call import Request
from seawall.core.money import Price, Rate, Rates
from seawall.providers.tokens import Family, Tokenizer, counted_input_tokens, rough_input_tokens
from seawall.wire.chat.request import read_request

WINDOW = 50_000
PRICE = Price(Rates(Rate(1), Rate(1)), context_tokens=WINDOW, image_tokens_max=10)
UNLIMITED = Price(PRICE.rates, context_tokens=WINDOW)


def asking(url: str, model: str = "gemini-2.5-pro") -> Request:
    part = {"type": "image_url", "image_url": {"url": url}}
    body = {"model": model, "messages": [{"role": "user", "content": [part]}]}
    return read_request(body, raw_bytes=100, messages_max=1)


@pytest.mark.parametrize(
    "url", ["data:application/pdf;base64,AA", "DATA:video/mp4;base64,AA", "data:;base64,AA", "data:"]
)
def test_a_document_that_is_sent_as_an_image_counts_as_a_document(url: str) -> None:
    assert counted_input_tokens(asking(url), Family.GEMINI, PRICE, Tokenizer()) == WINDOW


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,AA", "Data:IMAGE/png;base64,AA", "https://a.example/b"]
)
def test_an_image_counts_as_one(url: str) -> None:
    assert counted_input_tokens(asking(url), Family.GEMINI, PRICE, Tokenizer()) < 1_000


def test_the_name_of_an_alias_says_nothing_of_the_size_of_images() -> None:
    asked = asking("https://a.example/b", model="claude-3-haiku")
    assert rough_input_tokens(asked, Family.OPENAI, UNLIMITED) == WINDOW
