"""Frames of server-sent events, however the network cuts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.errors import UpstreamUnavailable
from seawall.wire.sse import FRAME_BYTES_MAX, FrameSplitter, data_of

FRAMES = [
    b"data: one\n\n",
    b": a comment\r\n\r\n",
    b"event: x\ndata: two\n\n",
    b"data: a\rdata: b\r\r",
    b"data:\n\n",
]


@given(st.lists(st.sampled_from(FRAMES), max_size=8), st.lists(st.integers(1, 7), min_size=1, max_size=60))
def test_frames_are_the_same_however_they_are_cut(frames: list[bytes], cuts: list[int]) -> None:
    data, splitter, found, start = b"".join(frames), FrameSplitter(), [], 0
    for size in cuts:
        found += splitter.feed(data[start : start + size])
        start += size
    found += splitter.feed(data[start:])
    assert b"".join(found) + splitter.rest == data
    assert found == frames


def test_what_is_not_complete_is_told() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: one\n\ndata: tw") == [b"data: one\n\n"]
    assert splitter.rest == b"data: tw"


def test_a_frame_without_end_is_refused() -> None:
    splitter = FrameSplitter()
    with pytest.raises(UpstreamUnavailable, match="an event that is too large"):
        for _ in range(FRAME_BYTES_MAX // 65_536 + 1):
            splitter.feed(b"x" * 65_536)


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: one\n\n", b"one"),
        (b"data:one\n\n", b"one"),
        (b"event: x\ndata: one\n\n", b"one"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b": comment\n\n", None),
        (b"data: one\r\n\r\n", b"one"),
    ],
)
def test_data_of_a_frame(frame: bytes, data: bytes | None) -> None:
    assert data_of(frame) == data
