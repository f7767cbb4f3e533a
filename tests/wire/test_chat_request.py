"""Reading a chat completions request: everything that is billed as text is counted."""

from seawall.wire.chat.request import read_request


def test_text_inside_of_a_part_is_counted_however_deep_it_stands() -> None:
    thought = [{"type": "text", "text": "x" * 5_000}]
    part = {"type": "thinking", "thinking": thought}
    body = {"model": "m", "messages": [{"role": "assistant", "content": [part]}]}
    request = read_request(body, raw_bytes=100, messages_max=10)
    assert sum(len(text.content) for text in request.texts) >= 5_000
