"""What the providers' caches of prompts would have saved: by hand, for each rule that providers state."""

from typing import Any

import pytest

from seawall.advice.numbers import Rates
from seawall.advice.replaying.prompt_caching import PromptCacheReplay, replay_prompt_cache
from seawall.core.money import Usage
from seawall.core.traffic import Asked
from tests.advice.crowds import MINUTE, SECOND, call, recorded, shape

RATES = {"m": Rates(input=10 * 10**9, output=30 * 10**9, cached_read=10**9)}
WRITES = {"m": Rates(input=10 * 10**9, output=30 * 10**9, cached_read=10**9, cached_write=12_500_000_000)}
SAVED = 9_000
"""What reading one token from the cache saves, in nano-dollars."""


def asked(at_ms: int, text: str = "a", *, tokens: int = 4_000, cached: int = 0, **fields: Any) -> Asked:
    """Return a call of which half the bytes, and so half the tokens, are its head."""
    known = shape(text, **{"head_bytes": 8_000, "whole_bytes": 8_000} | fields)
    return call(at_ms, shape=known, usage=Usage(input=tokens, output=100, cached_read=cached))


def replayed(*calls: Asked, rates: dict[str, Rates] = RATES) -> PromptCacheReplay:
    found = replay_prompt_cache(recorded(*calls), rates)
    assert found is not None
    return found


def test_a_head_that_another_call_sent_is_read_in_whole_steps() -> None:
    found = replayed(asked(0), asked(MINUTE, "b"))
    assert (found.calls, found.repeating, found.read, found.input) == (2, 1, 1_920, 8_000)
    assert found.saved == 1_920 * SAVED


def test_a_conversation_that_goes_on_is_read_up_to_its_last_question() -> None:
    on = asked(MINUTE, "b", tokens=8_000, before=b"a", whole_bytes=24_000)
    assert replayed(asked(0, tokens=5_000), on).read == 4_992  # What the call before had, in steps of 128.


def test_the_tokens_of_a_head_are_worked_out_by_the_call_that_says_least_beside_it() -> None:
    calls = [asked(0), asked(MINUTE, "b", tokens=2_000, whole_bytes=800), asked(2 * MINUTE, "c")]
    assert replayed(*calls).read == 2 * 1_792  # Of 2,000 tokens 8,000 of 8,800 bytes, in steps of 128.


def test_a_conversation_with_another_head_is_another_beginning() -> None:
    on = asked(MINUTE, "b", tokens=8_000, before=b"a", whole_bytes=24_000, head=b"other")
    assert replayed(asked(0), on).read == 0


def test_the_same_again_is_read_whole() -> None:
    assert replayed(asked(0), asked(MINUTE)).read == 3_968


@pytest.mark.parametrize(("gap_ms", "read"), [(5 * MINUTE - 1, 1_920), (5 * MINUTE, 0)])
def test_a_beginning_is_kept_for_five_minutes(gap_ms: int, read: int) -> None:
    assert replayed(asked(0), asked(gap_ms, "b")).read == read


def test_each_use_keeps_it_longer() -> None:
    calls = [asked(number * 4 * MINUTE, str(number)) for number in range(10)]
    assert replayed(*calls).repeating == 9


def test_it_can_be_read_once_the_first_answer_has_begun() -> None:
    assert replayed(asked(0), asked(SECOND, "b"), asked(3 * SECOND, "c")).repeating == 1


def test_short_beginnings_do_not_count() -> None:
    assert replayed(asked(0, tokens=2_047), asked(MINUTE, "b", tokens=2_047)).read == 0
    assert replayed(asked(0, tokens=2_048), asked(MINUTE, "b", tokens=2_048)).read == 1_024


def test_what_was_read_from_a_cache_is_taken_off() -> None:
    found = replayed(asked(0), asked(MINUTE, "b", cached=1_536))
    assert (found.read, found.really_read, found.saved) == (384, 1_536, 384 * SAVED)


def test_models_share_nothing() -> None:
    other = asked(MINUTE, "b")
    assert replayed(asked(0), Asked(**{**_fields(other), "model": "n"})).read == 0


def test_writing_is_paid_where_the_vendor_bills_it_and_only_the_head_is_marked_if_that_is_cheaper() -> None:
    calls = [asked(number * MINUTE, str(number)) for number in range(4)]
    found = replayed(*calls, rates=WRITES)
    written = 2_000 + 3 * 80  # What is read ends at a whole step.
    assert (found.read, found.saved) == (3 * 1_920, 3 * 1_920 * SAVED - written * 2_500)


def test_calls_of_models_without_a_rate_for_it_save_nothing_and_are_told() -> None:
    found = replayed(asked(0), asked(MINUTE, "b"), rates={})
    assert (found.read, found.saved, found.unpriced) == (1_920, 0, 2)
    figure = found.told(recorded()).told.figures[-1]
    assert not figure.is_measured
    assert figure.text == "what that saves is not known: no price for cached input is stated for these models"


def test_calls_that_no_provider_was_asked_for_are_left_out() -> None:
    hit = call(0, is_hit=True, usage=None)
    assert replay_prompt_cache(recorded(hit, call(1, text=None)), RATES) is None


def test_it_is_told_with_what_is_read_already() -> None:
    calls = recorded(asked(0), asked(MINUTE, "b", cached=1_024))
    found = replay_prompt_cache(calls, RATES)
    assert found is not None
    told = found.told(calls)
    assert (told.touched, told.saved) == (1, 896 * SAVED)
    assert [figure.text for figure in told.told.figures] == [
        "1 of 2 calls begin as one before does",
        "11 % of the input read from the provider's cache, beyond the 1,024 tokens that are already",
        "under $0.01 saved",
    ]


def _fields(asked: Asked) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__struct_fields__}
