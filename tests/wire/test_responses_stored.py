"""Stored items and frames, as the Responses API shows them."""

from typing import Any

import pytest
from openai.types.responses.response_item_list import ResponseItemList

from seawall.core.state import StoredItem
from seawall.wire.responses.stored import frames_after, page_of, show_deleted, show_item, show_list

ITEMS = tuple(StoredItem(f"msg_{n}", b'{"role":"user","content":"%d"}' % n) for n in range(4))
FRAMES = [b'event: e\ndata: {"type":"e","sequence_number":%d}\n\n' % n for n in range(3)]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            b'{"role":"user","content":"Hi"}',
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "Hi"}],
                "id": "x",
                "type": "message",
                "status": "completed",
            },
        ),
        (
            b'{"role":"assistant","content":"Hi"}',
            {
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
                "id": "x",
                "type": "message",
                "status": "completed",
            },
        ),
        (
            b'{"type":"function_call_output","call_id":"c","output":"y","status":"incomplete"}',
            {
                "type": "function_call_output",
                "call_id": "c",
                "output": "y",
                "status": "incomplete",
                "id": "x",
            },
        ),
        (
            b'{"type":"reasoning","summary":[],"encrypted_content":"e"}',
            {"type": "reasoning", "summary": [], "encrypted_content": "e", "id": "x"},
        ),
    ],
)
def test_an_item_is_shown_in_full(body: bytes, shown: dict[str, Any]) -> None:
    assert show_item(StoredItem("x", body)) == shown


@pytest.mark.parametrize(
    ("is_ascending", "after", "limit", "ids", "has_more"),
    [
        (True, None, 10, ["msg_0", "msg_1", "msg_2", "msg_3"], False),
        (False, None, 10, ["msg_3", "msg_2", "msg_1", "msg_0"], False),
        (False, None, 4, ["msg_3", "msg_2", "msg_1", "msg_0"], False),
        (False, None, 2, ["msg_3", "msg_2"], True),
        (False, "msg_2", 2, ["msg_1", "msg_0"], False),
        (True, "msg_0", 1, ["msg_1"], True),
        (True, "msg_3", 1, [], False),
    ],
)
def test_items_come_in_pages(
    is_ascending: bool, after: str | None, limit: int, ids: list[str], has_more: bool
) -> None:
    page = page_of(ITEMS, is_ascending=is_ascending, after=after, limit=limit)
    assert page is not None
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (ids, has_more)
    ends = (ids[0], ids[-1]) if ids else (None, None)
    assert (page["object"], page["first_id"], page["last_id"]) == ("list", *ends)


def test_no_page_begins_after_an_unknown_item() -> None:
    assert page_of(ITEMS, is_ascending=True, after="msg_9", limit=1) is None


def test_a_list_is_what_the_sdk_reads() -> None:
    items = (
        *ITEMS,
        StoredItem("fc_1", b'{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}'),
    )
    listed = ResponseItemList.model_validate(show_list(items, has_more=False))
    assert [item.id for item in listed.data] == [item.id for item in items]


def test_a_stream_is_sent_again_from_any_event_on() -> None:
    frames = b"".join(FRAMES)
    assert frames_after(frames, -1) == frames
    assert frames_after(frames, 0) == b"".join(FRAMES[1:])
    assert frames_after(frames, 2) == b""


def test_a_deletion_is_told() -> None:
    assert show_deleted("resp_1") == {"id": "resp_1", "object": "response", "deleted": True}
