"""A system prompt in the middle of a conversation: said to Claude models that take it, refused by name else."""

import pytest

from seawall.core.errors import Untranslatable
from seawall.providers.tokens import takes_late_system
from seawall.wire.chat.request import read_request
from seawall.wire.prompt import Target
from seawall.wire.translation import translate

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Name a sea."},
]
REQUEST = read_request({"model": "m", "messages": MESSAGES}, raw_bytes=100, messages_max=10)


def test_a_model_that_takes_it_is_told_where_it_stands() -> None:
    told = translate(REQUEST, "messages", Target("m", takes_late_system=True), messages_max=10).request.body
    assert told["system"] == "Be brief."
    assert told["messages"] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Name a sea."},
    ]


def test_for_others_it_is_refused_by_its_name() -> None:
    with pytest.raises(Untranslatable) as refused:
        translate(REQUEST, "messages", Target("m"), messages_max=10)
    assert refused.value.param == "messages[3]"


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-opus-4-8", True),
        ("claude-opus-4-7", False),
        ("claude-sonnet-4-6", False),
        ("claude-sonnet-5", True),
        ("claude-haiku-5", False),
        ("claude-haiku-5-5-20260901", True),
        ("anthropic/claude-fable-5-1", True),
        ("claude-3-5-sonnet-20241022", False),
        ("gpt-5", False),
    ],
)
def test_which_models_take_it(model: str, takes: bool) -> None:
    assert takes_late_system(model) is takes
