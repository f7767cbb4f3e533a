"""The way back to the client in its own dialect: one reply for streams and for whole answers."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from seawall.core.answers import CacheNote, KeptAnswer
from seawall.core.bodies import Change
from seawall.core.call import Attempt, Call, Event, Request
from seawall.core.errors import Blocked, ClientGone, SeawallError
from seawall.core.jobs import Stage, Telling
from seawall.core.money import FREE, Usage, cost_of, format_usd
from seawall.core.state import Owner, StoredResponse
from seawall.pipeline.metering import is_exact
from seawall.server.endpoints import Endpoint
from seawall.server.progress import Progress, Send
from seawall.server.rate_headers import rate_headers
from seawall.wire.anthropic_errors import write_error as write_anthropic_error
from seawall.wire.dialect import Answering, AnswerWriter, KeepingWriter
from seawall.wire.replaying import events_of, frames_of
from seawall.wire.responses.objects import response_id
from seawall.wire.rewriting import rewrite
from seawall.wire.translation import make_writer

Headers = list[tuple[bytes, bytes]]

NOTES_CHARS_MAX = 1_000
NO_USER = (b"seawall-note", b"the call names no end user, so limits on users do not reach it")
REPLAY = (b"seawall-idempotent-replay", b"true")
COUNTED_ALONE = (b"seawall-limits", b"local")
"""The limits are shared, but this gateway counts its part by itself: it cannot ask the others."""

_JSON = (b"content-type", b"application/json")
EVENT_STREAM = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class CallReply:
    """Writes the answer of one call; see `core.contracts.Reply`.

    `created_at` is when the call was accepted, where that is not now, in Unix seconds. `cors` are the headers
    that let a web page read the answer. `is_open` says that the status has left: from then on an error is an
    event. `is_deaf` says that nobody listens any more but the answer is still read to its end for its usage.
    """

    def __init__(
        self,
        call: Call,
        endpoint: Endpoint,
        send: Send,
        support_contact: str | None,
        created_at: float | None = None,
    ) -> None:
        self._created_at = int(call.received_at if created_at is None else created_at)
        self._call = call
        self._endpoint = endpoint
        self._send = send
        self._support_contact = support_contact
        self._attempt: Attempt | None = None
        self._writer: AnswerWriter | None = None
        self._answering: Answering | None = None
        self._sent: list[bytes] | None = None
        self._collected: list[bytes] | None = None
        self._at_end: Callable[[bytes], Awaitable[None]] | None = None
        self._progress: Progress | None = None
        self.has_begun = False
        self.is_open = False
        self.is_done = False
        self.is_deaf = False
        self.cors: Headers = []
        self.on_stage: Callable[[Stage], None] | None = None

    async def send(self, event: Event) -> None:
        """Pass one event on: at once in a stream, at the end in a whole answer."""
        assert self._call.request is not None
        writer = self._writer
        if writer is None or self._attempt is not self._call.attempt:
            writer = self._begin_writing()
        frame = writer.write(event)
        if frame and self._call.request.stream:
            if self._progress is not None:
                await self._tell_by(event)
            await self._stream(frame)

    def show_progress(self, telling: Telling) -> None:
        """Tell the client from now on how far its answer has come, if that is a stream."""
        self._progress = Progress(self._send, telling, self._endpoint.dialect)
        self._send = self._progress.send

    def stop_progress(self) -> None:
        """Tell nothing more."""
        if self._progress is not None:
            self._progress.stop()

    async def tell(self, stage: Stage) -> None:
        """Tell the client a stage, where it wants to know; the stream begins with the first one."""
        if self.on_stage is not None:
            self.on_stage(stage)
        if self._progress is None or self.is_deaf:
            return
        assert self._call.request is not None
        if self._call.request.stream:
            if not self.is_open:
                await self._open(200, [*EVENT_STREAM, *self._headers()])
            await self._progress.tell(stage)

    async def _tell_by(self, event: Event) -> None:
        """Tell what an event says of the stage, before it leaves."""
        if event.text or event.tool:
            await self.tell("writing")
        if event.last:
            await self.tell("done")

    async def finish(self) -> None:
        """End the answer cleanly."""
        assert self._call.request is not None and self._writer is not None
        is_stream = self._call.request.stream
        body = self._writer.end() + self._endpoint.stream_end if is_stream else self._writer.whole()
        await self._collect_end(body)
        if self.is_deaf:
            raise ClientGone
        if is_stream:
            await self.tell("done")
            if not self.has_begun:
                await self._begin(200, [*EVENT_STREAM, *self._headers()])
        else:
            await self._begin(200, [_JSON, _length(body), *self._headers(), *self._cost()])
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def rewrite(self, event: Event, own: Mapping[str, str], change: Change) -> Event:
        """Return an event with other texts in the place of its own."""
        return rewrite(event, own, change)

    def collect(self, at_end: Callable[[bytes], Awaitable[None]] | None = None) -> None:
        """Remember from now on what is sent, for others and for `at_end`."""
        self._collected = []
        self._at_end = at_end or self._at_end

    def collected(self) -> bytes:
        """Return the whole answer as it was sent."""
        return b"".join(self._collected or ())

    async def _collect_end(self, body: bytes) -> None:
        """Hand the answer over, which is whole with this."""
        if self._collected is not None:
            self._collected.append(body)
        if self._at_end is not None:
            at_end, self._at_end = self._at_end, None
            await at_end(self.collected())

    async def replay(self, kept: KeptAnswer, pace_s: float) -> None:
        """Send a kept answer in the form that this client asked for, and end it cleanly."""
        request = self._call.request
        assert request is not None
        if request.stream:
            await self._replay_stream(self._frames_of(kept), pace_s)
            body = b""
        else:
            body = kept.body if _is_same_form(kept, request) else self._rewritten(kept).whole()
            await self._collect_end(body)
            await self._begin(200, [_JSON, _length(body), *self._headers(), (b"seawall-cost-usd", b"0.00")])
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _replay_stream(self, frames: list[bytes], pace_s: float) -> None:
        end = frames[-1]
        pieces = frames
        if not pace_s:
            pieces = [b"".join(frames)]
        if not pace_s and self._progress is not None and len(frames) > 1:
            pieces = [b"".join(frames[:-1]), end]
        if self._at_end is not None:
            self._collected = [*frames[:-1]]
            await self._collect_end(end)
        await self.tell("writing")
        for piece in pieces:
            if piece is end:
                await self.tell("done")
            await self._stream(piece)
            if pace_s:
                await asyncio.sleep(pace_s)

    def _frames_of(self, kept: KeptAnswer) -> list[bytes]:
        """Return the frames of a kept answer; written anew where this client asked for another form."""
        assert self._call.request is not None
        if _is_same_form(kept, self._call.request):
            return frames_of(kept)
        frames: list[bytes] = []
        writer = self._rewritten(kept, frames)
        return [*filter(None, frames), writer.end() + self._endpoint.stream_end]

    def _rewritten(self, kept: KeptAnswer, frames: list[bytes] | None = None) -> AnswerWriter:
        call = self._call
        assert call.request is not None
        answering = Answering(
            request=call.request,
            answer_id=call.id.removeprefix("call_"),
            created_at=self._created_at,
            model=kept.model,
            output_cap=kept.usage.output,
        )
        writer = make_writer(call.request, answering, same=False)
        for event in events_of(kept):
            frame = writer.write(event)
            if frames is not None:
                frames.append(frame)
        return writer

    async def fail(self, error: SeawallError) -> None:
        """End with an error: a status before the first byte, an event and no clean end after it."""
        if self.is_done:
            return
        if isinstance(error, Blocked) and error.reply is not None and not self.has_begun:
            await self.replay(answer_of(error.reply, self._call), 0.0)
            return
        call_id, contact = self._call.id, self._support_contact
        if self.is_open:
            body = self._endpoint.write_break(error, call_id, contact, self._writer)
        else:
            body = self._endpoint.write_error(error, call_id, contact)
            await self._begin(error.wire_status, [_JSON, _length(body), *self._headers(), *advice(error)])
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def keepsake(self, owner: Owner, expires_at: float) -> StoredResponse | None:
        """Return the response as the client gets it, for the store."""
        request, writer = self._call.request, self._writer
        if request is None or request.state is None or writer is None or self._answering is None:
            return None
        assert isinstance(writer, KeepingWriter)
        frames = b""
        if self._sent is not None:
            frames = b"".join(self._sent) + writer.end()
        body = writer.response()
        return StoredResponse(
            id=response_id(self._answering),
            owner=owner,
            created_at=self._call.received_at,
            expires_at=expires_at,
            body=body,
            previous_id=request.state.previous_id,
            input=request.state.items,
            output=writer.output_items(),
            frames=frames,
        )

    def response(self) -> bytes:
        """Return the response object as the client gets it, once all was sent; b"" in other dialects."""
        return self._writer.response() if isinstance(self._writer, KeepingWriter) else b""

    def _begin_writing(self) -> AnswerWriter:
        """Make the writer of the present attempt: nothing of one before it has left."""
        call, attempt = self._call, self._call.attempt
        assert attempt is not None and call.request is not None
        self._answering = answering = Answering(
            request=call.request,
            answer_id=call.id.removeprefix("call_"),
            created_at=self._created_at,
            model=attempt.route.model,
            output_cap=attempt.output_cap,
        )
        is_same = attempt.request.dialect == call.request.dialect
        writer = make_writer(call.request, answering, same=is_same)
        state = call.request.state
        self._attempt, self._writer = attempt, writer
        self._sent = [] if state is not None and state.is_kept and call.request.stream else None
        return writer

    async def _stream(self, frame: bytes) -> None:
        if self._sent is not None:
            self._sent.append(frame)
        if self._collected is not None:
            self._collected.append(frame)
        if self.is_deaf:
            return
        if not self.has_begun:
            await self._begin(200, [*EVENT_STREAM, *self._headers()])
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def _begin(self, status: int, headers: Headers) -> None:
        self.has_begun = True
        if not self.is_open:
            await self._open(status, headers)

    async def _open(self, status: int, headers: Headers) -> None:
        self.is_open = True
        if self.cors:
            headers += self.cors
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    def _headers(self) -> Headers:
        """Return what is known before the answer: the call's id, a lowered cap, what was said differently."""
        call = self._call
        headers: Headers = [(self._endpoint.request_id_header, call.id.encode())]
        attempt = call.attempt
        if attempt is not None and attempt.lowered_from is not None:
            headers.append(
                (b"seawall-output-cap", f"{attempt.output_cap}; asked={attempt.lowered_from}".encode())
            )
        if call.sending is not None and call.sending.notes:
            headers.append((b"seawall-translation", _printable(call.sending.notes)))
        if call.is_repeated:
            headers.append(REPLAY)
        if call.cache is not None:
            headers += _cache_headers(call.cache)
        if call.marks is not None:
            is_anthropic = self._endpoint.write_error is write_anthropic_error
            headers += rate_headers(call.marks(), call.received_at, is_anthropic=is_anthropic)
            if call.is_limited_locally:
                headers.append(COUNTED_ALONE)
        if call.policy is not None and call.policy.misses_user:
            headers.append(NO_USER)
        return headers

    def _cost(self) -> Headers:
        """Return what a whole answer cost with all of its attempts, where the provider said so."""
        attempt = self._call.attempt
        if attempt is None or attempt.usage is None or not is_exact(attempt):
            return []
        cost = self._call.cost + cost_of(attempt.route.price, attempt.usage)
        return [(b"seawall-cost-usd", format_usd(cost).encode())]


def answer_of(text: str, call: Call) -> KeptAnswer:
    """Return a text as an answer that the model could have given; it cost nothing."""
    assert call.request is not None
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = {
        "id": f"chatcmpl-{call.id.removeprefix('call_')}",
        "object": "chat.completion",
        "created": int(call.received_at),
        "model": call.request.model,
        "choices": [choice],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    return KeptAnswer(
        dialect="chat",
        stream=False,
        wants_usage=True,
        body=msgspec.json.encode(body),
        provider="",
        model=call.request.model,
        usage=Usage(),
        cost=FREE,
        made_at=call.received_at,
    )


def _is_same_form(kept: KeptAnswer, request: Request) -> bool:
    """Say whether a kept answer can be sent as it was sent before."""
    if kept.dialect != request.dialect or kept.stream != request.stream:
        return False
    return not request.stream or kept.wants_usage == request.wants_usage


def _cache_headers(note: CacheNote) -> Headers:
    if note.state in ("miss", "bypass"):
        return [(b"seawall-cache", note.state.encode())]
    return [
        (b"seawall-cache", note.state.encode()),
        (b"age", b"%d" % note.age_s),
        (b"seawall-saved-usd", format_usd(note.saved).encode()),
    ]


def _printable(notes: dict[str, str]) -> bytes:
    """Write what was said differently as the value of a header, whatever the fields are called."""
    text = "; ".join(f"{field}: {note}" for field, note in notes.items())[:NOTES_CHARS_MAX]
    return "".join(each if " " <= each <= "~" else "?" for each in text).encode()


def _length(body: bytes) -> tuple[bytes, bytes]:
    return (b"content-length", str(len(body)).encode())


def advice(error: SeawallError) -> Headers:
    """Return the headers that tell client libraries whether and when to try again."""
    headers: Headers = []
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % math.ceil(error.retry_after_s)))
        headers.append((b"retry-after-ms", b"%d" % math.ceil(error.retry_after_s * 1000)))
    if error.should_retry is not None:
        headers.append((b"x-should-retry", b"true" if error.should_retry else b"false"))
    if error.wire_status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    return headers
