"""Nothing is lost and nothing invented on the way from any dialect to any other, and back."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.call import Request
from seawall.wire.prompt import Prompt, Target
from seawall.wire.translation import DIALECTS, translate
from tests.wire.conversations import OPENROUTER, TARGETS, Words, normal, prompts

EXAMPLES = 30
PAIRS = list(permutations(TARGETS, 2))
LANGUAGES = {
    "chat": (Words(frozenset({"chat"})), TARGETS["chat"]),
    "chat at OpenRouter": (
        Words(frozenset({"chat"}), ("anthropic", "openai"), has_cache=True, has_openai=False),
        OPENROUTER,
    ),
    "responses": (Words(frozenset({"responses"}), ("openai",)), TARGETS["responses"]),
    "messages": (Words(frozenset({"messages"}), ("anthropic",), has_cache=True), TARGETS["messages"]),
}


def said(prompt: Prompt, dialect: str, target: Target) -> Request:
    """Return the request that a body in the dialect makes."""
    body = DIALECTS[dialect].write_prompt(prompt, target).body
    raw = msgspec.json.encode(body)
    return DIALECTS[dialect].read_request(msgspec.json.decode(raw), raw_bytes=len(raw), messages_max=1000)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_what_a_dialect_can_say_is_understood(language: str, data: st.DataObject) -> None:
    words, target = LANGUAGES[language]
    prompt = data.draw(prompts(words))
    dialect = language.partition(" ")[0]
    heard = DIALECTS[dialect].read_prompt(said(prompt, dialect, target))
    assert normal(heard, words) == normal(prompt, words)


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
@settings(max_examples=EXAMPLES)
@given(st.data())
def test_a_request_comes_back_as_it_was(mine: str, theirs: str, data: st.DataObject) -> None:
    words = Words(frozenset({mine, theirs}))
    request = said(data.draw(prompts(words)), mine, TARGETS[mine])
    there = translate(request, theirs, TARGETS[theirs], messages_max=1000).request
    back = translate(there, mine, TARGETS[mine], messages_max=1000).request
    first, last = (DIALECTS[mine].read_prompt(each) for each in (request, back))
    assert normal(last, words) == normal(first, words)
    for name in ("model", "stream", "cap", "end_user", "images", "files"):
        assert getattr(there, name) == getattr(request, name) or name == "cap"
    assert there.cap.tokens == request.cap.tokens
