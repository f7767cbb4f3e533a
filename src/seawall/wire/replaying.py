"""Reads an answer that was kept as its client got it, to be written in another form or dialect."""

from collections.abc import Iterator

from msgspec.structs import replace

from seawall.core.answers import KeptAnswer
from seawall.core.call import Event
from seawall.wire import sse
from seawall.wire.translation import make_reader, read_whole


def events_of(kept: KeptAnswer) -> Iterator[Event]:
    """Yield the events of a kept answer, in pieces; the usage comes with the last one at the latest."""
    if not kept.stream:
        yield replace(read_whole(kept.dialect, kept.body, with_pieces=True).event, usage=kept.usage)
        return
    reader = make_reader(kept.dialect, with_pieces=True, wants_usage=True)
    has_usage = False
    for frame in sse.FrameSplitter().feed(kept.body):
        data = sse.data_of(frame)
        if data is None:
            continue
        reading = reader.read(data, frame)
        event = reading.event
        has_usage = has_usage or event.usage is not None
        if reading.is_end and not has_usage:
            event = replace(event, usage=kept.usage)
            has_usage = True
        yield event
        if reading.is_end:
            return
    yield Event(last=True, usage=None if has_usage else kept.usage)


def frames_of(kept: KeptAnswer) -> list[bytes]:
    """Return the frames of a kept stream as they were sent."""
    return sse.FrameSplitter().feed(kept.body)
