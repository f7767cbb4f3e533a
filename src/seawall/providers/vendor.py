"""Calls any vendor in a dialect that it speaks, and reads what it bills."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from seawall.core.call import Attempt, Call, Ending, Event, Request, Route, Sending
from seawall.core.errors import (
    NotYetSupported,
    ProviderCredentials,
    SeawallError,
    Untranslatable,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from seawall.providers.exchange import Broken, Exchange, NotConnected, Outgoing, TimedOut, Transport
from seawall.providers.fields import check_fields
from seawall.providers.profile import KEY_HEADERS, PATHS, Headers, VendorProfile, write_body
from seawall.providers.tokens import (
    Family,
    Tokenizer,
    countable_texts,
    counted_input_tokens,
    family_of,
    output_tokens,
    rough_input_tokens,
    takes_late_system,
    thinks_adaptively,
)
from seawall.wire import openai_errors, sse
from seawall.wire.bare_reasoning import leave_out_bare
from seawall.wire.messages import counting
from seawall.wire.prompt import Target
from seawall.wire.translation import DIALECTS, make_reader, read_whole, translate

ANSWER_BYTES_MAX = 64 * 1024 * 1024
ERROR_BYTES_MAX = 1024 * 1024
RETRY_AFTER_S_MAX = 3_600.0
END_S_MAX = 1.0
FRAME_TOKENS = 4
"""What an estimate adds for a text and for the request (OpenAI's cookbook, read 2025)."""
MESSAGES_MAX = 1_000_000
"""The client's own limit has been applied; a translation may split messages."""

NO_MONEY = "insufficient_quota"
"""OpenAI's code for an account that cannot pay; the status is 429, which clients would try again."""
OVERLOADED = 529
"""Anthropic's status for it; its type says the same."""

_UNBILLED = frozenset({500, 503, OVERLOADED})
_CREDENTIALS = frozenset({401, 402, 403})


class VendorProvider:
    """One account at one vendor; see `core.contracts.Provider`.

    The caller's own headers never reach the vendor, but for those that belong to a dialect. `tell` adds
    headers that say something of the call, for vendors inside this process.
    """

    def __init__(
        self,
        name: str,
        profile: VendorProfile,
        transport: Transport,
        tokenizer: Tokenizer,
        *,
        api_key: str | None,
        tell: Callable[[Call, Attempt], Headers] | None = None,
    ) -> None:
        self.name = name
        self.stops_on_disconnect = profile.stops_on_disconnect
        self.profile = profile
        self._transport = transport
        self._tokenizer = tokenizer
        self._hidden = (*transport.hidden, api_key or "")
        self._tell = tell
        self._families: dict[str, Family] = {}
        self._headers: Headers = (("content-type", "application/json"), ("accept-encoding", "identity"))
        if api_key:
            self._headers += (KEY_HEADERS[profile.auth](api_key),)

    async def close(self) -> None:
        """Close idle connections."""
        await self._transport.close()

    def reached_by(self, dialect: str) -> str | None:
        """Return the dialect in which a request of this one is sent, `None` where it cannot be."""
        if self.profile.speaks(dialect):
            return dialect
        if dialect not in DIALECTS:
            return None
        return next((each for each in self.profile.dialects if each in DIALECTS), None)

    def prepare(self, request: Request, route: Route) -> Sending:
        """Put the request into a dialect that the vendor speaks, and check what it would bill.

        Raises Untranslatable naming the field for which no dialect of the vendor has words, and UnpricedField
        for what changes price, model or hidden input beyond any bound.
        """
        if self.profile.speaks(request.dialect):
            sending = Sending(*leave_out_bare(request, self.profile.seal_origin))
        else:
            sending = self._translate(request, route)
        check_fields(sending.request, route)
        return sending

    def _translate(self, request: Request, route: Route) -> Sending:
        if request.dialect == counting.DIALECT:
            return Sending(request)
        if request.dialect not in DIALECTS:
            raise NotYetSupported(f"The provider of this model offers no {request.dialect}.", param="model")
        target = Target(
            model=route.model,
            vendor=self.profile.vendor,
            takes_reasoning=self.profile.takes_reasoning,
            is_adaptive=thinks_adaptively(route.model),
            seal_origin=self.profile.seal_origin,
            takes_late_system=takes_late_system(route.model),
        )
        first: Untranslatable | None = None
        for dialect in self.profile.dialects:
            if dialect not in DIALECTS:
                continue
            try:
                translated = translate(request, dialect, target, messages_max=MESSAGES_MAX)
                return Sending(translated.request, translated.notes)
            except Untranslatable as error:
                first = first or error
        raise first or NotYetSupported(
            f"The provider of this model offers no {request.dialect}.", param="model"
        )

    def _family(self, route: Route) -> Family:
        family = self._families.get(route.model)
        if family is None:
            family = self._families[route.model] = family_of(self.profile.vendor, route.model)
        return family

    def rough_input_tokens(self, request: Request, route: Route) -> int:
        """Bound the input from sizes alone."""
        return rough_input_tokens(request, self._family(route), route.price)

    async def count_input_tokens(self, request: Request, route: Route) -> int:
        """Bound the input by counting; large texts off the event loop."""
        await self._tokenizer.count_many(countable_texts(request))
        family = self._family(route)
        return counted_input_tokens(request, family, route.price, self._tokenizer)

    def count_output_tokens(self, text: str, route: Route) -> tuple[int, int]:
        """Return (lower, upper) bounds of what is billed for a generated text.

        Until the vocabulary is loaded, which the first question begins, they are 0 and the bytes.
        """
        self._tokenizer.warm()
        return output_tokens(text, self._family(route), self._tokenizer)

    @asynccontextmanager
    async def open(self, call: Call, attempt: Attempt) -> AsyncIterator[AsyncIterator[Event]]:
        """Send the request and yield the events of its answer."""
        request = attempt.request
        if request.dialect == counting.DIALECT and not self.profile.speaks(request.dialect):
            yield self._count(request, attempt)
            return
        assert call.request is not None
        has_pieces = request.dialect != call.request.dialect
        outgoing = Outgoing(
            path=PATHS[request.dialect],
            headers=self._headers_of(request) + (self._tell(call, attempt) if self._tell else ()),
            body=write_body(request, attempt, self.profile),
            on_sent=attempt.note_sent,
        )
        try:
            async with self._transport.exchange(outgoing) as exchange:
                if exchange.status != 200:
                    raise await self._refusal(exchange, attempt)
                read = self._stream if request.stream else self._whole
                yield read(exchange, attempt, has_pieces)
        except NotConnected as error:
            raise UpstreamUnavailable("The provider cannot be reached.", private=str(error)) from error
        except TimedOut as error:
            raise UpstreamTimeout(private=str(error)) from error
        except Broken as error:
            raise UpstreamUnavailable(
                "The provider broke off its answer.", private=f"{self.name}: {error}"
            ) from error

    def _headers_of(self, request: Request) -> Headers:
        if not request.headers:
            return self._headers + self.profile.headers
        names = {name for name, _ in request.headers}
        own = tuple(header for header in self.profile.headers if header[0] not in names)
        return self._headers + own + request.headers

    async def _count(self, request: Request, attempt: Attempt) -> AsyncIterator[Event]:
        """Estimate tokens here, where the vendor cannot be asked: nothing is sent."""
        counts = await self._tokenizer.count_many(countable_texts(request))
        tokens = request.tokens + sum(counts) + FRAME_TOKENS * len(request.texts) + FRAME_TOKENS
        yield Event(raw=counting.write_answer(tokens), last=True)

    async def _whole(self, exchange: Exchange, attempt: Attempt, has_pieces: bool) -> AsyncIterator[Event]:
        raw = await _read_body(exchange, ANSWER_BYTES_MAX)
        try:
            reading = read_whole(attempt.request.dialect, raw, with_pieces=has_pieces)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpstreamUnavailable("The provider's answer cannot be read.") from error
        if reading.error is not None:
            if reading.event.usage is not None:
                attempt.usage, attempt.ending = reading.event.usage, Ending.COMPLETE
            raise self._error_inside(reading.error)
        attempt.ending = Ending.COMPLETE
        yield reading.event

    async def _stream(self, exchange: Exchange, attempt: Attempt, has_pieces: bool) -> AsyncIterator[Event]:
        """Yield the events of a stream, complete with its own end, or with a finish and a clean end."""
        request = attempt.request
        splitter = sse.FrameSplitter()
        reader = make_reader(request.dialect, with_pieces=has_pieces, wants_usage=request.wants_usage)
        chunks = exchange.chunks()
        async for chunk in chunks:
            for frame in splitter.feed(chunk):
                data = sse.data_of(frame)
                if data is None:
                    if not has_pieces:
                        yield Event(raw=frame)
                    continue
                try:
                    reading = reader.read(data, frame)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise UpstreamUnavailable("The provider sent an event that cannot be read.") from error
                if reading.error is not None:
                    if reading.event.usage is not None:
                        attempt.usage = reading.event.usage
                    raise self._error_inside(reading.error)
                if reading.is_end:
                    attempt.ending = Ending.COMPLETE
                    yield reading.event
                    await _await_end(chunks)
                    return
                yield reading.event
        if not reader.is_complete or splitter.rest.strip():
            raise UpstreamUnavailable("The provider's stream ended in the middle of the answer.")
        attempt.ending = Ending.COMPLETE
        yield Event(last=True)

    def _error_inside(self, error: object) -> SeawallError:
        """Turn an error inside an answer of status 200 into ours; what it cost is not known."""
        vendor = openai_errors.read_error(error, self._hidden)
        return UpstreamUnavailable(
            vendor.message or "The provider stopped with an error.", vendor_code=vendor.code or vendor.kind
        )

    async def _refusal(self, exchange: Exchange, attempt: Attempt) -> SeawallError:
        """Read a status other than 200; note what it means for the bill (money.md 12)."""
        status = exchange.status
        raw = await _read_body(exchange, ERROR_BYTES_MAX)
        if (400 <= status < 500 and status != 408) or status in _UNBILLED:
            attempt.ending = Ending.REFUSED
        vendor = openai_errors.read_error_body(raw, self._hidden)
        retry_after_s = _retry_after(exchange)
        private = f"{self.name} answered {status} {vendor.code or vendor.kind or ''}".rstrip()
        if status in _CREDENTIALS or vendor.code == NO_MONEY:
            return ProviderCredentials(private=private)
        if status in (408, 504):
            return UpstreamTimeout(retry_after_s=retry_after_s, private=private)
        if 400 <= status < 500:
            return UpstreamRefused(status, vendor, retry_after_s=retry_after_s, private=private)
        code = vendor.code or (vendor.kind if status == OVERLOADED else None)
        return UpstreamUnavailable(
            vendor_status=status, vendor_code=code, retry_after_s=retry_after_s, private=private
        )


async def _await_end(chunks: AsyncIterator[bytes]) -> None:
    """Wait a moment for the body to end after its last event, so that the connection can be used again."""
    try:
        async with asyncio.timeout(END_S_MAX):
            async for _ in chunks:
                return
    except (Broken, TimeoutError):
        return


async def _read_body(exchange: Exchange, bytes_max: int) -> bytes:
    """Read a whole body; raises Broken where it is too large."""
    chunks = []
    size = 0
    async for chunk in exchange.chunks():
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_max:
            raise Broken("the body is too large")
    return b"".join(chunks)


def _retry_after(exchange: Exchange) -> float | None:
    """Read how long the vendor asks to wait, in seconds: given as a number or, in retry-after, as a date."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = exchange.headers.get(name, "")
        try:
            seconds = float(text) * scale
        except ValueError:
            seconds = _until(text)
        if 0 <= seconds <= RETRY_AFTER_S_MAX:
            return seconds
    return None


def _until(date: str) -> float:
    """Return the seconds until an HTTP date (RFC 9110), -1 where it is none."""
    try:
        return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date without a time zone.
        return -1.0
