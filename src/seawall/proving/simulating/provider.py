"""The provider of a simulation: a model inside the process that answers at once and keeps its bill.

It writes as many words as the question asks for, at most the cap that it was sent, and each is one token. Its
bill is by the price that it is given: nothing is cached there, and nothing is free.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from zlib import crc32

import msgspec
from msgspec import Struct

from seawall.core.money import Money, Price, Usage, cost_of
from seawall.providers.exchange import Exchange, Outgoing
from seawall.proving.simulating.asking import Chat, Message, billed_input
from seawall.proving.simulating.words import Row

OUTPUT_MAX = 16_384
_decode = msgspec.json.Decoder(Chat).decode


class Answer(Struct, frozen=True):
    """An Exchange that is over before it begins."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the whole body."""
        yield self.body


class BillingProvider:
    """See `providers.exchange.Transport`; `bill` is what it has billed, in nano-dollars."""

    hidden: tuple[str, ...] = ()

    def __init__(self, price_of: Callable[[str], Price]) -> None:
        self._price_of = price_of
        self._row = Row("the model")
        self.bill = 0
        self.answers = 0

    @asynccontextmanager
    async def exchange(self, outgoing: Outgoing) -> AsyncIterator[Exchange]:
        """Answer one call."""
        outgoing.on_sent()
        chat = _decode(outgoing.body)
        wanted = wanted_words(chat.messages)
        cap = OUTPUT_MAX if chat.max_completion_tokens is None else chat.max_completion_tokens
        usage = Usage(input=billed_input(chat.messages), output=min(wanted, cap))
        self.bill += self.cost(chat.model, usage)
        self.answers += 1
        text = self._row.text(crc32(chat.messages[-1].content.encode()), usage.output).encode()
        write = _stream if chat.stream else _whole
        yield Answer(write(text, usage, b"stop" if wanted <= cap else b"length"))

    def cost(self, model: str, usage: Usage) -> Money:
        """Return what a call costs at this provider."""
        return cost_of(self._price_of(model), usage)

    async def close(self) -> None:
        """Do nothing: there is no connection."""


def wanted_words(messages: list[Message]) -> int:
    """Return how many words the last question asks for: it ends with "in 240 words"."""
    return int(messages[-1].content.rsplit(" ", 2)[1])


_HEAD = b'{"id":"chatcmpl-1","created":1767225600,"model":"simulated","object":"chat.completion'


def _usage(usage: Usage) -> bytes:
    whole = usage.input + usage.output
    return b'"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}' % (
        usage.input,
        usage.output,
        whole,
    )


def _whole(text: bytes, usage: Usage, finish: bytes) -> bytes:
    message = b'{"role":"assistant","content":"%b","refusal":null}' % text
    choice = b'{"index":0,"message":%b,"logprobs":null,"finish_reason":"%b"}' % (message, finish)
    return b'%b","choices":[%b],%b}' % (_HEAD, choice, _usage(usage))


def _stream(text: bytes, usage: Usage, finish: bytes) -> bytes:
    """Write all of a stream at once: the text in one event, the end in another."""
    said = b'{"index":0,"delta":{"role":"assistant","content":"%b"},"finish_reason":null}' % text
    end = b'{"index":0,"delta":{},"finish_reason":"%b"}' % finish
    frames = (b'"choices":[%b]' % said, b'"choices":[%b]' % end, b'"choices":[],%b' % _usage(usage))
    return b"".join(b'data: %b.chunk",%b}\n\n' % (_HEAD, frame) for frame in frames) + b"data: [DONE]\n\n"
