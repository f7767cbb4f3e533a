"""How many tokens a vendor will bill: bounds from sizes alone, and tighter ones from counting.

Invariants:
- An input bound is never below the bill, and a counted bound is never above the rough one.
- Rough bounds rest on byte-level vocabularies: no token is shorter than a byte (money.md, rule 2).
- What is not text is bounded by the most that the vendor says it bills for it, else by the context window.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence, Sized
from enum import StrEnum
from itertools import pairwise

import msgspec

from seawall.core.call import Request
from seawall.core.money import Price
from seawall.wire import embeddings


class Family(StrEnum):
    """Models whose texts come to similar numbers of tokens; `claude_new` begins with 4.7."""

    OPENAI = "openai"
    CLAUDE = "claude"
    CLAUDE_NEW = "claude_new"
    GEMINI = "gemini"
    OTHER = "other"


# Models known to use o200k. GPT-4, GPT-3.5 and gpt-oss do not belong here: cl100k needs up to six times
# as many tokens for some scripts, and gpt-oss comes with a hidden preamble. Read from tiktoken 0.14, 2026-11.
_O200K = re.compile(r"(ft:)?(gpt-(4o|4\.[15]|[5-9]|audio|chat)|chat-latest|chatgpt|codex|o[1-9]\b)")
_CLAUDE_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:[-.](\d{1,2}))?(?!\d)")

_PERCENT = {
    Family.OPENAI: 100,
    Family.CLAUDE: 125,
    Family.CLAUDE_NEW: 165,
    Family.GEMINI: 130,
    Family.OTHER: 200,
}
"""Tokens per hundred of o200k (money.md, rule 2)."""

_PER_MESSAGE = {
    Family.OPENAI: 5,
    Family.CLAUDE: 8,
    Family.CLAUDE_NEW: 8,
    Family.GEMINI: 8,
    Family.OTHER: 12,
}
"""Tokens that mark where a message begins and ends; OpenAI's cookbook says 4 with the role, read 2025."""

_PER_REQUEST = {
    Family.OPENAI: 16,
    Family.CLAUDE: 32,
    Family.CLAUDE_NEW: 32,
    Family.GEMINI: 16,
    Family.OTHER: 128,
}
"""Tokens before the first message and after the last, with what chat templates say of their own accord."""

_FOR_TOOLS = {
    Family.OPENAI: 64,
    Family.CLAUDE: 804,
    Family.CLAUDE_NEW: 804,
    Family.GEMINI: 128,
    Family.OTHER: 768,
}
"""What the vendor adds where there are tools: at Anthropic at most 804 (tool use, pricing, read 2026-11)."""

_WINDOW_UNKNOWN = 2_000_000
"""The largest context window that a vendor of the price table sells, 2026-11."""

# Scripts for which o200k is far ahead of other vocabularies (six times at Armenian and Georgian): Armenian,
# Syriac to Sinhala, Lao to Georgian, Ethiopic to Vedic, and their extensions. Measured against twelve
# vocabularies, 2026-11.
_RARE_SCRIPT = re.compile("[\u0530-\u058f\u0700-\u0dff\u0e80-\u10ff\u1200-\u1cff\ua840-\uabff]")

_IMAGE_TOKENS: tuple[tuple[str, int | None], ...] = (
    # OpenAI, "Images and vision", read 2026-11. Tiles: at most 2,048 x 768 pixels, so eight of 512 x 512, and
    # a base. Patches of 32 x 32: a budget times a factor; 1.2 where none is published, as users measured.
    (r"gpt-4o-mini", 2_833 + 8 * 5_667),
    (r"gpt-4\.1-mini|gpt-5(\.4)?-mini|codex-mini", 2_489),  # 1,536 x 1.62
    (r"gpt-4\.1-nano|gpt-5(\.4)?-nano", 3_779),  # 1,536 x 2.46
    (r"o4-mini", 2_642),  # 1,536 x 1.72
    (r"gpt-4o|gpt-4\.[15]|gpt-4-|gpt-4$|chatgpt-4o|o[13]\b|computer-use", 85 + 8 * 170),
    (r"gpt-5\.[45]", 12_000),  # 10,000 x 1.2, detail "original"
    (r"gpt-5(\.[1-3])?(-|$)", 1_844),  # 1,536 x 1.2
    (r"gpt-", None),  # from 5.6 on, "original" is the default and has no limit
    # Google, "Media resolution" and "Image understanding", read 2026-11. Before 3: tiles of 258 tokens in an
    # image of at most 3,072 pixels, each of at least 256 pixels, so two rows of twelve.
    (r"gemini-3", 2_240),
    (r"gemini", 24 * 258),
    # Mistral: patches of 16 x 16 in 1,024 x 1,024, and a break after each row (Pixtral's paper, 2024-10).
    (r"pixtral|mistral-(small|medium|large)|magistral|ministral", 64 * 65),
    # Meta: four tiles of 1,601 (Llama 3.2's configuration, 2024-09).
    (r"llama-3\.2|llama-v3p2", 4 * 1_601),
    # xAI: six tiles of 256 and one more ("Image understanding", read 2025).
    (r"grok-(2|3|4|4-1|2-vision|4-fast|4-1-fast)(-(non-)?reasoning|-latest|-beta|-\d{4})*$", 7 * 256),
)
"""The most tokens per image, by how the name begins; `None` where there is no limit."""


def family_of(vendor: str, model: str) -> Family:
    """Return a model's family by its name, whoever sells it, or by its vendor where the name says nothing."""
    name = _bare(model)
    if "claude" in name:
        found = _CLAUDE_VERSION.search(name)
        is_old = found is not None and (int(found[1]), int(found[2] or 0)) < (4, 7)
        return Family.CLAUDE if is_old else Family.CLAUDE_NEW
    if _O200K.match(name):
        return Family.OPENAI
    if "gemini" in name or "gemma" in name:
        return Family.GEMINI
    return {"anthropic": Family.CLAUDE_NEW, "google": Family.GEMINI}.get(vendor, Family.OTHER)


def thinks_adaptively(model: str) -> bool:
    """Say whether adaptive thinking is a model's way: Claude from 4.6 on (Anthropic, read 2026-11)."""
    name = _bare(model)
    found = _CLAUDE_VERSION.search(name)
    if "claude" not in name or found is None:
        return "claude" in name
    return (int(found[1]), int(found[2] or 0)) >= (4, 6)


def takes_late_system(model: str) -> bool:
    """Say whether a system prompt may come later: Opus from 4.8, Haiku from 5.5, other Claude models from 5.

    Anthropic, "Messages", read 2026-11.
    """
    name = _bare(model)
    found = _CLAUDE_VERSION.search(name)
    if "claude" not in name or found is None:
        return False
    first = (4, 8) if "opus" in name else (5, 5) if "haiku" in name else (5, 0)
    return (int(found[1]), int(found[2] or 0)) >= first


def image_tokens_max(model: str) -> int | None:
    """Return the most tokens that a vendor bills for one image; `None` where it publishes no such number."""
    name = _bare(model).removeprefix("ft:")
    if "claude" in name:  # Anthropic, "Vision", read 2026-11: 4,784 from 4.7 on.
        return 1_568 if family_of("", name) is Family.CLAUDE else 4_784
    return next((tokens for pattern, tokens in _IMAGE_TOKENS if re.match(pattern, name)), None)


def _bare(model: str) -> str:
    return model.lower().rpartition("/")[2]


def rough_input_tokens(request: Request, family: Family, price: Price) -> int:
    """Bound the input tokens from sizes alone."""
    text_bytes = max(0, request.raw_bytes - request.image_bytes - request.audio_bytes)
    tokens = _bound_of_bytes(text_bytes, family) + _beside_text(request, family, price)
    return _capped(tokens, request, price)


def counted_input_tokens(request: Request, family: Family, price: Price, tokenizer: "Tokenizer") -> int:
    """Bound the input tokens by counting; never above the rough bound.

    Await `tokenizer.remember(countable_texts(request))` first, or long texts are counted here and now.
    """
    messages = request.body.get("messages") or request.body.get("input")
    framed = max(
        len(request.texts), len(messages) if isinstance(messages, list) and not request.tokens else 0
    )
    counted = (
        request.tokens
        + framed * _PER_MESSAGE[family]
        + sum(_bound(text, family, _PERCENT[family], tokenizer) for text in countable_texts(request))
        + _beside_text(request, family, price)
    )
    return min(_capped(counted, request, price), rough_input_tokens(request, family, price))


def countable_texts(request: Request) -> list[str]:
    """Return everything in a request that the vendor bills as text."""
    schemas = [msgspec.json.encode(schema).decode() for schema in request.schemas]
    return [text.content for text in request.texts] + schemas


def text_tokens(text: str, family: Family, tokenizer: "Tokenizer") -> tuple[int, bool]:
    """Return the tokens of a text alone, without any framing, and whether that is exact or a bound."""
    is_exact = family is Family.OPENAI and all(_is_clean(*pair) for pair in pairwise(_pieces(text)))
    return _bound(text, family, _PERCENT[family], tokenizer), is_exact


def output_tokens(text: str, family: Family, tokenizer: "Tokenizer") -> tuple[int, int]:
    """Return (never more, never less) than the vendor bills for a generated text, for the two meters."""
    least = tokenizer.count(text) if tokenizer.is_ready else 0
    percent = 100 if family is Family.OPENAI else 200
    return least, _bound(text, family, percent, tokenizer)


def _bound(text: str, family: Family, percent: int, tokenizer: "Tokenizer") -> int:
    """Bound the tokens of one text in a vocabulary that is only known by its family."""
    data = text.encode()
    count = tokenizer.count(text)
    if family is Family.OPENAI:
        return min(count, len(data))
    if not text.isascii():
        is_foreign = 5 * (len(text) - len(text.encode("ascii", "ignore"))) > len(text)
        if (is_foreign and family is Family.OTHER) or _RARE_SCRIPT.search(text):
            return _bound_of_bytes(len(data), family)
        if is_foreign:
            percent = max(percent, 200)
    # Many vocabularies have one token per digit, o200k one for three; and none but o200k has long runs of
    # one character ("=====") as one token, so that a text never counts as less than so many bytes per token.
    digits = len(data) - len(data.translate(None, b"0123456789"))
    least = len(data) // (2 if family is Family.OTHER else 4)
    counted = -(-count * percent // 100) - (-digits * 2 // 3)
    return min(max(counted, least), _bound_of_bytes(len(data), family))


def _bound_of_bytes(size: int, family: Family) -> int:
    if family in (Family.CLAUDE, Family.CLAUDE_NEW):
        return -(-size * 3 // 2)
    return size


def _beside_text(request: Request, family: Family, price: Price) -> int:
    """Bound what is billed beside the text: framing of the request, tools, images, audio and files."""
    window = price.context_tokens or _WINDOW_UNKNOWN
    tokens = _PER_REQUEST[family]
    if request.schemas:
        tokens += _FOR_TOOLS[family]
    if request.images:
        # Not by the name in the request: an alias may be called as it likes. The price knows its model.
        image = price.image_tokens_max or window
        tokens += request.images * image
    if request.audio_bytes:
        # OpenAI: 10 tokens a second, in which MP3 at its least (8 kbit/s) is 1,333 characters of base64.
        # Google: 32 tokens, Opus at 3 kbit/s 500 characters; the others stay below. Read 2026-11.
        tokens += 16 + request.audio_bytes // (100 if family is Family.OPENAI else 15)
    return tokens + request.files * window


def _capped(tokens: int, request: Request, price: Price) -> int:
    """Bound by the context window; embeddings take many texts in one call, each with a window of its own."""
    if price.context_tokens is None or request.dialect == embeddings.DIALECT:
        return tokens
    return min(tokens, price.context_tokens)


_Encode = Callable[[str], Sized]

_PIECE_CHARS = 4_096
"""The most that is counted in one go: 2 ms at worst, for random Han (2026-11)."""

_LOOKS_MAX = 16
_SHORT_CHARS = 128


def load_o200k() -> _Encode:
    """Load OpenAI's o200k_base from splintr's wheel: 0.2 s and 40 MB."""
    from splintr import Tokenizer as Splintr  # noqa: PLC0415  (so that a command starts without it)

    # Not `encode`: it would honour the special tokens that a user writes.
    encode = Splintr.from_pretrained("o200k_base").encode_ordinary
    encode("x" * 64)  # The first text that is more than a token builds a table, which takes 0.1 s.
    return encode


class Tokenizer:
    """Counts tokens of o200k_base; what was counted once is remembered by its hash. For one event loop.

    splintr keeps the interpreter's lock while it counts, so that a thread would not help: long texts are
    counted in pieces, and `remember` lets others run in between. Until `ready` has returned, a count is the
    number of UTF-8 bytes: never less than the tokens.
    """

    def __init__(self, *, load: Callable[[], _Encode] = load_o200k, remembered_max: int = 16_384) -> None:
        self._load = load
        self._encode: _Encode | None = None
        self._loading = asyncio.Lock()
        self._warming: asyncio.Future[None] | None = None
        self._remembered: dict[bytes, int] = {}
        self._remembered_max = remembered_max

    @property
    def is_ready(self) -> bool:
        """Say whether the vocabulary is loaded."""
        return self._encode is not None

    def warm(self) -> None:
        """Begin to load the vocabulary, where nobody has yet; nothing waits for it."""
        if self._encode is None and self._warming is None:
            self._warming = asyncio.ensure_future(self.ready())

    async def ready(self) -> None:
        """Load the vocabulary, once; best at the start, for it holds everything up for up to 0.3 s."""
        async with self._loading:
            if self._encode is None:
                self._encode = await asyncio.to_thread(self._load)

    def count(self, text: str) -> int:
        """Count the tokens of a text, special tokens as ordinary text.

        Exact up to 4,096 characters, and beyond where there are spaces; else one too many at each cut.
        """
        if self._encode is None:
            return len(text.encode())
        if len(text) < _SHORT_CHARS:
            return len(self._encode(text))
        key = _key(text)
        count = self._recall(key)
        if count is None:
            count = self._count_pieces(text) if len(text) > _PIECE_CHARS else len(self._encode(text))
            self._keep(key, count)
        return count

    async def count_many(self, texts: Sequence[str]) -> list[int]:
        """Count texts without holding the event loop."""
        await self.remember(texts)
        return [self.count(text) for text in texts]

    async def remember(self, texts: Sequence[str]) -> None:
        """Count texts ahead without holding the event loop, so that `count` finds them at once."""
        await self.ready()
        chars = 0
        for text in texts:
            if len(text) < _SHORT_CHARS or self._recall(_key(text)) is not None:
                continue
            for piece in _pieces(text):
                self.count(piece)
                chars += len(piece)
                if chars >= _PIECE_CHARS // 2:
                    chars = 0
                    await asyncio.sleep(0)

    def _count_pieces(self, text: str) -> int:
        """Sum up the pieces of a long text; a text that grows has most of them remembered."""
        total, before = 0, ""
        for piece in _pieces(text):
            total += self.count(piece) + (0 if not before or _is_clean(before, piece) else 1)
            before = piece
        return total

    def _recall(self, key: bytes) -> int | None:
        count = self._remembered.pop(key, None)
        if count is not None:
            self._remembered[key] = count
        return count

    def _keep(self, key: bytes, count: int) -> None:
        self._remembered[key] = count
        while len(self._remembered) > self._remembered_max:
            del self._remembered[next(iter(self._remembered))]


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE_CHARS:
        end = _cut(text, start)
        yield text[start:end]
        start = end
    yield text[start:]


def _is_clean(before: str, piece: str) -> bool:
    """Say whether no token reaches across the cut between two pieces."""
    return piece[0] == " " and not before[-1].isspace()


def _cut(text: str, start: int) -> int:
    """Find where a space follows something else, for no token of o200k reaches across; else cut anywhere."""
    end = start + _PIECE_CHARS
    for _ in range(_LOOKS_MAX):
        space = text.rfind(" ", start + 1, end)
        end = start + len(text[start : max(start, space)].rstrip())
        if end == start:
            break
        if text[end] == " ":
            return end
    return start + _PIECE_CHARS


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
