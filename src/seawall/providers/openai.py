"""Calls any vendor that speaks OpenAI's chat completions, and reads what it bills."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from seawall.core.call import Attempt, Call, Ending, Event, Request, Route
from seawall.core.errors import (
    ProviderCredentials,
    SeawallError,
    UnpricedField,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from seawall.providers.exchange import Broken, Exchange, NotConnected, Outgoing, TimedOut, Transport
from seawall.providers.tokens import (
    Family,
    Tokenizer,
    countable_texts,
    counted_input_tokens,
    family_of,
    output_tokens,
    rough_input_tokens,
)
from seawall.wire import openai_chat, openai_errors, sse
from seawall.wire.openai_chat import CapField

ANSWER_BYTES_MAX = 64 * 1024 * 1024
ERROR_BYTES_MAX = 1024 * 1024
RETRY_AFTER_S_MAX = 3_600.0
END_S_MAX = 1.0

_UNBILLED = frozenset({500, 503, 529})
_CREDENTIALS = frozenset({401, 402, 403})

_ORDINARY_TIERS = (None, "auto", "default", "flex")
_REFUSED_FIELDS = {
    "web_search_options": "it lets the model search the web, which is billed by the search",
    "plugins": "plugins are billed by themselves",
    "search_parameters": "it lets the model search, which is billed by the search",
    "prediction": "rejected predictions are billed as output",
    "best_of": "answers that are thrown away are billed as well",
    "models": "it lets the provider answer with another model, at another price",
    "prompt": "a stored prompt adds input that cannot be counted here",
    "previous_response_id": "stored state adds input that cannot be counted here",
    "conversation": "stored state adds input that cannot be counted here",
}
_PRICED_TOOLS = ("function", "custom")


Headers = tuple[tuple[str, str], ...]


class VendorProfile(msgspec.Struct, frozen=True):
    """What differs between vendors that speak the same dialect.

    `pins` are fields that are set where the client leaves the choice to the vendor's own settings, because
    those may choose a dearer one.
    """

    vendor: str
    cap_field: CapField = CapField()
    stops_on_disconnect: bool = False
    pins: tuple[tuple[str, str], ...] = ()


class OpenAIProvider:
    """One account at one vendor; see `core.contracts.Provider`.

    The caller's own headers never reach the vendor. `tell` adds headers that say something of the call, for
    vendors inside this process.
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
        self._profile = profile
        self._transport = transport
        self._tokenizer = tokenizer
        self._hidden = (*transport.hidden, api_key or "")
        self._tell = tell
        self._families: dict[str, Family] = {}
        self._headers: Headers = (("content-type", "application/json"), ("accept-encoding", "identity"))
        if api_key:
            self._headers += (("authorization", f"Bearer {api_key}"),)

    async def close(self) -> None:
        """Close idle connections."""
        await self._transport.close()

    def check_fields(self, request: Request, route: Route) -> None:
        """Raise UnpricedField for what changes price, model or hidden input beyond any bound."""
        rates = route.price.rates
        for field, is_used, rate in (
            ("messages", request.audio_bytes > 0, rates.audio_input),
            ("modalities", request.wants_audio, rates.audio_output),
        ):
            if is_used and rate is None and rates.output:
                raise UnpricedField("The price of audio is not known for this model.", param=field)
        body = request.body
        for field in _REFUSED_FIELDS.keys() & body.keys():
            if body[field] is not None:
                why = _REFUSED_FIELDS[field]
                raise UnpricedField(f"{field} is refused because {why}. Leave it out.", param=field)
        if body.get("service_tier") not in _ORDINARY_TIERS:
            raise UnpricedField(
                "This service_tier costs more than the listed price. Leave it out, or use default or flex.",
                param="service_tier",
            )
        tools = body.get("tools")
        for index, tool in enumerate(tools if isinstance(tools, list) else ()):
            if isinstance(tool, dict) and tool.get("type", "function") not in _PRICED_TOOLS:
                raise UnpricedField(
                    "Tools that the provider runs itself are billed by themselves, so they are refused. "
                    "Use function tools.",
                    param=f"tools[{index}].type",
                )

    def _family(self, route: Route) -> Family:
        family = self._families.get(route.model)
        if family is None:
            family = self._families[route.model] = family_of(self._profile.vendor, route.model)
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
        request = call.request
        assert request is not None
        outgoing = Outgoing(
            path="/chat/completions",
            headers=self._headers + (self._tell(call, attempt) if self._tell else ()),
            body=openai_chat.write_request(
                request,
                model=attempt.route.model,
                output_cap=attempt.output_cap,
                cap_field=self._profile.cap_field,
                pins=self._profile.pins,
            ),
            on_sent=attempt.note_sent,
        )
        try:
            async with self._transport.exchange(outgoing) as exchange:
                if exchange.status != 200:
                    raise await self._refusal(exchange, attempt)
                read = self._stream if request.stream else self._whole
                yield read(exchange, request, attempt)
        except NotConnected as error:
            raise UpstreamUnavailable("The provider cannot be reached.", private=str(error)) from error
        except TimedOut as error:
            raise UpstreamTimeout(private=str(error)) from error
        except Broken as error:
            raise UpstreamUnavailable(
                "The provider broke off its answer.", private=f"{self.name}: {error}"
            ) from error

    async def _whole(self, exchange: Exchange, request: Request, attempt: Attempt) -> AsyncIterator[Event]:
        raw = await _read_body(exchange, ANSWER_BYTES_MAX)
        try:
            reading = openai_chat.read_answer(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpstreamUnavailable("The provider's answer cannot be read.") from error
        if reading.error is not None:
            if reading.event.usage is not None:
                attempt.usage, attempt.ending = reading.event.usage, Ending.COMPLETE
            raise self._error_inside(reading.error)
        attempt.ending = Ending.COMPLETE
        yield reading.event

    async def _stream(self, exchange: Exchange, request: Request, attempt: Attempt) -> AsyncIterator[Event]:
        """Yield the events of a stream, complete with `[DONE]` or with a finish reason and a clean end."""
        splitter = sse.FrameSplitter()
        has_finish = False
        chunks = exchange.chunks()
        async for chunk in chunks:
            for frame in splitter.feed(chunk):
                data = sse.data_of(frame)
                if data is None:
                    yield Event(raw=frame)
                    continue
                if data == b"[DONE]":
                    attempt.ending = Ending.COMPLETE
                    yield Event(raw=sse.DONE, last=True)
                    await _await_end(chunks)
                    return
                try:
                    reading = openai_chat.read_frame(data, frame, wants_usage=request.wants_usage)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise UpstreamUnavailable("The provider sent an event that cannot be read.") from error
                if reading.error is not None:
                    raise self._error_inside(reading.error)
                has_finish = has_finish or reading.event.finish is not None
                yield reading.event
        if not has_finish or splitter.rest.strip():
            raise UpstreamUnavailable("The provider's stream ended in the middle of the answer.")
        attempt.ending = Ending.COMPLETE
        yield Event(raw=sse.DONE, last=True)

    def _error_inside(self, error: object) -> SeawallError:
        """Turn an error inside an answer of status 200 into ours; what it cost is not known."""
        vendor = openai_errors.read_error(error, self._hidden)
        return UpstreamUnavailable(
            vendor.message or "The provider stopped with an error.", vendor_code=vendor.code
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
        if status in _CREDENTIALS:
            return ProviderCredentials(private=private)
        if status in (408, 504):
            return UpstreamTimeout(retry_after_s=retry_after_s, private=private)
        if 400 <= status < 500:
            return UpstreamRefused(status, vendor, retry_after_s=retry_after_s, private=private)
        return UpstreamUnavailable(vendor_code=vendor.code, retry_after_s=retry_after_s, private=private)


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
    """Read how long the vendor asks to wait, in seconds; a date is not understood."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(exchange.headers[name]) * scale
        except (KeyError, ValueError):
            continue
        if 0 <= seconds <= RETRY_AFTER_S_MAX:
            return seconds
    return None
