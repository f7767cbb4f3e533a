"""What a request looked like, for advice: hashes and sizes, and nothing of what it said.

Invariants:
- No text is kept. Every hash is keyed with a secret of the data folder: who has the call log alone cannot try
  out which text it was, and two folders have nothing in common.
- `exact` is of the same bytes as the key of the exact cache, so two calls have the same one where the cache
  would have answered the second, whether it is switched on or not.
"""

import hashlib
import re

import msgspec

from seawall.core.call import Call, Request, Sending, Text
from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest
from seawall.core.traffic import Shape
from seawall.pipeline.caching import asked_of, is_cacheable, is_worth_keeping

SHAPED_BYTES_MAX = 1024 * 1024
"""A larger request has no shape: hashing it would hold up everybody else."""
NORMAL_CHARS_MAX = 4_096
"""Nobody asks a longer question twice in other letters."""
_HASH_BYTES = 8
_PURPOSE = b"shapes of requests"
_SMALL = bytes(
    ord(chr(code).lower()) if code > 127 or chr(code).isalnum() or code == ord("_") else ord(" ")
    for code in range(256)
)
_WORDS = re.compile(r"\w+")
_MARKS = {name: f"\0{name}\0".encode() for name in ("user", "assistant", "tool", "retrieved")}

_encode = msgspec.json.Encoder(order="deterministic").encode


class Shaper:
    """Makes the shapes of calls; `salt` are the random bytes of the data folder."""

    __slots__ = ("_blank",)

    def __init__(self, salt: bytes) -> None:
        secret = hashlib.blake2b(_PURPOSE, key=salt[: hashlib.blake2b.MAX_KEY_SIZE]).digest()
        self._blank = hashlib.blake2b(digest_size=_HASH_BYTES, key=secret)

    def shape_of(self, call: Call, gateway: Gateway) -> str | None:
        """Return the shape of a call as JSON; `None` for one that ended before the cache is asked."""
        request = call.request
        if request is None or not call.plan or (call.sending is None and call.cache is None):
            return None
        if request.raw_bytes > SHAPED_BYTES_MAX:
            return None
        exact, normal = self._asked(call, request, gateway)
        head, head_bytes = self._head(request)
        said = [text for text in request.texts if text.origin != "system"]
        pieces = [text.content.encode("utf-8", "replace") for text in said]
        last, turns = _last_turn(said)
        whole, before = self._conversation(said, pieces)
        shape = Shape(
            exact=exact,
            normal=normal,
            head=head,
            head_bytes=head_bytes,
            whole=whole,
            before=before,
            whole_bytes=sum(map(len, pieces)),
            history_bytes=sum(map(len, pieces[:last])),
            turns=turns,
            wanted_tokens=request.cap.tokens or 0,
            is_cacheable=_is_cacheable(call, request, gateway),
        )
        return _encode(shape).decode()

    def _asked(self, call: Call, request: Request, gateway: Gateway) -> tuple[bytes, bytes]:
        """Return the hashes of what is asked, as it is and with the words of the user made alike."""
        sending = _sending(call, request, gateway)
        if sending is None:
            exact = self._hash(_encode([request.dialect, request.body]))
            return exact, exact
        asked = call.question or asked_of(call, sending, gateway)
        start, end, words = _newest_words(asked, sending.request)
        view = memoryview(asked)
        hashing = self._blank.copy()
        hashing.update(view[:start])
        alike = hashing.copy()
        hashing.update(view[start:])
        alike.update(words)
        alike.update(view[end:])
        return hashing.digest(), alike.digest()

    def _head(self, request: Request) -> tuple[bytes, int]:
        """Return the hash and the size of what comes before the conversation."""
        parts = [text.content.encode("utf-8", "replace") for text in request.texts if text.origin == "system"]
        tools = request.body.get("tools") or request.body.get("functions")
        if tools:
            parts.append(_encode(tools))
        return self._hash(b"\0".join(parts)), sum(map(len, parts))

    def _conversation(self, said: list[Text], pieces: list[bytes]) -> tuple[bytes, bytes]:
        """Return the hash of a conversation, and of what it was before the last answer; b"" for none."""
        marked = [_MARKS[text.origin] + piece for text, piece in zip(said, pieces, strict=True)]
        cut = _last_answer(said)
        hashing = self._blank.copy()
        hashing.update(b"".join(marked[:cut]))
        before = hashing.digest() if cut else b""
        hashing.update(b"".join(marked[cut:]))
        return hashing.digest(), before

    def _hash(self, data: bytes) -> bytes:
        hashing = self._blank.copy()
        hashing.update(data)
        return hashing.digest()


def _sending(call: Call, request: Request, gateway: Gateway) -> Sending | None:
    """Return the request as the first provider of the plan would get it, `None` where it cannot be sent."""
    planned = call.plan[0]
    if call.prepared is not None:
        return call.prepared[1]
    if call.sending is not None and call.route is planned.route:
        return call.sending
    try:
        return gateway.router.provider(planned.route).prepare(call.guarded or request, planned.route)
    except InvalidRequest:
        return None


def _is_cacheable(call: Call, request: Request, gateway: Gateway) -> bool:
    """Say whether the cache would keep the answer, as far as there is one."""
    if call.wish.no_store or not is_cacheable(request, gateway.cache_rules):
        return False
    return call.attempt is None or is_worth_keeping(call, call.attempt)


def _newest_words(asked: bytes, request: Request) -> tuple[int, int, bytes]:
    """Return where the last text of the user stands in what is asked, and its words."""
    text = next((text for text in reversed(request.texts) if text.origin == "user"), None)
    if text is None or not 0 < len(text.content) <= NORMAL_CHARS_MAX:
        return 0, 0, b""
    name = text.path.rpartition(".")[2].encode()
    written = _encode(text.content)
    found = asked.rfind(b'"' + name + b'":' + written)
    if found < 0:  # It is one of several inputs, or was written in other words for the provider.
        return 0, 0, b""
    start = found + len(name) + 3
    return start, start + len(written), words_of(text.content)


def words_of(text: str) -> bytes:
    """Return the words of a text in small letters, with single spaces and nothing else between them."""
    if text.isascii():
        words = text.encode().translate(_SMALL, b"'")
        while b"  " in words:  # Much faster than to split it, and a long gap is halved each time.
            words = words.replace(b"  ", b" ")
        return words.strip()
    spoken = text.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "").casefold()
    return " ".join(_WORDS.findall(spoken)).encode("utf-8", "replace")


def _last_turn(said: list[Text]) -> tuple[int, int]:
    """Return where the last message of the user begins, and how many there are; 0 and 0 for none."""
    last = turns = 0
    before = ""
    for place, text in enumerate(said):
        if text.origin == "user" and before != "user":
            last, turns = place, turns + 1
        before = text.origin
    return last, turns


def _last_answer(said: list[Text]) -> int:
    """Return where the last answer begins; 0 where there is none."""
    for place in range(len(said) - 1, -1, -1):
        if said[place].origin == "assistant" and (place == 0 or said[place - 1].origin != "assistant"):
            return place
    return 0
