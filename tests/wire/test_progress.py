"""Events of progress are frames that any reader of server-sent events can cut and read."""

from seawall.wire.progress import KEEP_ALIVE, progress_frame
from seawall.wire.sse import FrameSplitter, data_of


def test_progress_is_one_named_frame_with_stage_and_label() -> None:
    frame = progress_frame("queued", "Bitte\nwarten …", place=3, starts_in_s=None)

    assert frame.decode() == (
        "event: seawall.progress\n"
        'data: {"stage":"queued","label":"Bitte\\nwarten …","place":3,"starts_in_s":null}\n\n'
    )


def test_a_comment_is_a_frame_without_data() -> None:
    frames = FrameSplitter().feed(KEEP_ALIVE + progress_frame("done", "Done"))

    assert [data_of(frame) for frame in frames] == [None, b'{"stage":"done","label":"Done"}']
