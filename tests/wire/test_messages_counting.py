"""Counting tokens in Anthropic's dialect."""

from typing import Any

import msgspec
import pytest

from seawall.core.call import Event, OutputCap
from seawall.core.errors import InvalidRequest
from seawall.wire.dialect import Reading
from seawall.wire.messages import counting
from seawall.wire.messages.request import read_request

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "system": "s"}


def test_a_request_is_a_message_without_an_answer() -> None:
    request = counting.read_request(BODY, raw_bytes=3, messages_max=9, headers=(("anthropic-beta", "a-1"),))
    same = read_request(BODY, raw_bytes=3, messages_max=9, headers=(("anthropic-beta", "a-1"),))
    assert request == msgspec.structs.replace(same, dialect="count_tokens", cap=OutputCap(tokens=0))
    assert counting.write_request(request, model="claude-y") == (
        b'{"model":"claude-y","messages":[{"role":"user","content":"Hello"}],"system":"s"}'
    )


@pytest.mark.parametrize("fields", [{"max_tokens": 5}, {"stream": True}])
def test_what_belongs_to_answers_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        counting.read_request({**BODY, **fields}, raw_bytes=3, messages_max=9)
    assert refused.value.param == next(iter(fields))


def test_answers_both_ways() -> None:
    assert counting.write_answer(14) == b'{"input_tokens":14}'
    raw = b'{"input_tokens": 14, "context_management": {"original_input_tokens": 20}}'
    assert counting.read_answer(raw) == Reading(Event(raw=raw, last=True))
    error = counting.read_answer(b'{"type":"error","error":{"type":"api_error","message":"m"}}').error
    assert error == {"type": "api_error", "message": "m"}


@pytest.mark.parametrize(
    "raw", [b"", b"7", b"{}", b'{"input_tokens":"7"}', b'{"input_tokens":-1}', b"[" * 9_999]
)
def test_what_is_no_count_is_refused(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        counting.read_answer(raw)
