"""What the providers' own caches of prompts would have saved: a beginning that was sent before is cheaper.

What providers say of theirs: OpenAI, "Prompt caching" (2025): from 1,024 tokens, in steps of 128, gone after
5 to 10 minutes without use. Anthropic, "Prompt caching" (2025): from 1,024 tokens for most models, gone after
5 minutes without use, there once the first answer has begun; writing costs 1.25 times the input.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct

from seawall.advice.amounts import counted, dollars, percent
from seawall.advice.numbers import Rates
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import NANO, PER_MILLION, Usage
from seawall.core.traffic import Asked, Shape

PREFIX_TOKENS_MIN = 1_024
STEP_TOKENS = 128
KEPT_MS = 5 * 60_000
ERROR = "At most 5 % off in a test against a provider that has such a cache."

_HEADS = "SELECT json_extract(shape, '$[2]') AS head, count(*) FROM calls GROUP BY head ORDER BY 2 DESC"
_READ = (
    "SELECT sum(json_extract(usage, '$.cached_read')), sum(json_extract(usage, '$.input')) FROM calls"
    " WHERE usage IS NOT NULL"
)


class PromptCacheReplay(Struct, frozen=True):
    """What the providers' caches would have done; tokens of input, money in nano-dollars.

    `calls` are those that providers were asked for, `repeating` those that begin as an earlier one does.
    `read` are the tokens that could have been read from a cache beyond `really_read`, those that were.
    `saved` is what that is, less what writing costs where the vendor bills it. `unpriced` are calls of models
    whose rate for cached input is not known.
    """

    calls: int
    repeating: int
    input: int
    read: int
    really_read: int
    saved: int
    unpriced: int

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        share = percent(self.read / max(1, self.input))
        already = f", beyond the {self.really_read:,} tokens that are already" if self.really_read else ""
        told = Replayed(
            title="Prompt caching at the provider",
            calls=self.calls,
            days=recorded.days,
            figures=(
                Figure(
                    f"{self.repeating:,} of {counted(self.calls, 'call')} begin as one before does",
                    _HEADS,
                    self.repeating,
                ),
                Figure(f"{share} of the input read from the provider's cache{already}", _READ, self.read),
                self._money(),
            ),
            assumptions=recorded.assumed(
                "The provider keeps a beginning for five minutes after its last use.",
                "It counts from 1,024 tokens, in steps of 128.",
                "The beginning is the system text with the tools, and the conversation so far.",
                "The tokens of system texts are worked out by bytes; writing is paid where it is billed.",
            ),
            error=ERROR,
        )
        return Replay(told, touched=self.repeating, saved=self.saved)

    def _money(self) -> Figure:
        """Return what is saved, as far as it is known what the vendors charge."""
        if self.calls == self.unpriced:
            text = "what that saves is not known: no price for cached input is stated for these models"
            return Figure(text, "set prices.MODEL.cached_read_usd_per_mtok", is_measured=False)
        unknown = (
            f", without {counted(self.unpriced, 'call')} whose price for that is not known"
            if self.unpriced
            else ""
        )
        return Figure(f"{dollars(self.saved)} saved{unknown}", _READ, self.saved / NANO)


class _Sums(Struct):
    """What is read of one model's input; saved in millionths of a nano-dollar."""

    repeats: int = 0
    read: int = 0
    saved: int = 0


class _Kept(Struct, gc=False):
    """One beginning at the provider: since when it can be read, until when, and how many tokens it has.

    `others` are the bytes after it in the call by which its tokens were worked out: the fewer, the better.
    """

    ready_ms: int
    until_ms: int
    tokens: int
    others: int = 0


class _Model(Struct):
    """One model: what its provider keeps, and what comes of it where only the head is marked, or all."""

    rates: Rates | None
    known: dict[bytes, _Kept]
    by_head: _Sums
    by_whole: _Sums
    calls: int = 0
    input: int = 0
    really_read: int = 0

    @property
    def is_priced(self) -> bool:
        """Say whether it is known what the cache saves."""
        return self.rates is not None and self.rates.cached_read is not None

    @property
    def pays_writes(self) -> bool:
        """Say whether the vendor bills what is written; else there is no reason not to mark everything."""
        return self.rates is not None and bool(self.rates.cached_write)

    @property
    def best(self) -> _Sums:
        """Return what comes of the way that saves more."""
        is_head = self.pays_writes and self.by_head.saved > self.by_whole.saved
        return self.by_head if is_head else self.by_whole


def replay_prompt_cache(recorded: Recorded, rates: Mapping[str, Rates]) -> PromptCacheReplay | None:
    """Replay the providers' caches; `None` where no call was kept in a form that can be compared.

    Where the vendor bills writing, the better is taken of two ways: only the head is marked for the cache,
    or the conversation too.
    """
    models: dict[str, _Model] = {}
    for number, call in enumerate(recorded.calls):
        shape, usage = call.shape, call.usage
        if shape is None or usage is None or call.is_hit or not usage.input:
            continue
        model = models.get(call.model)
        if model is None:
            model = models[call.model] = _Model(rates.get(call.model), {}, _Sums(), _Sums())
        is_counted = number >= recorded.counted_from
        if is_counted:
            model.calls += 1
            model.input += usage.input
            model.really_read += usage.cached_read
        if usage.input < PREFIX_TOKENS_MIN:
            continue  # Nothing that it could share with another call is long enough.
        head, read_head, read_whole = _look_up(call, shape, usage.input, model.known)
        if is_counted and (read_whole or model.pays_writes):
            _count(model.by_whole, usage, read_whole, usage.input, model.rates)
            if model.pays_writes:
                _count(model.by_head, usage, read_head, head, model.rates)
    return _together(models.values()) if any(model.calls for model in models.values()) else None


def _look_up(call: Asked, shape: Shape, tokens: int, known: dict[bytes, _Kept]) -> tuple[int, int, int]:
    """Return the tokens of the head, how many of them can be read, and how many with the conversation.

    A conversation has as many tokens as the call that sent it had input. Those of a head are worked out from
    its share of the bytes, by the call that says least beside it. What is sent is noted.
    """
    at_ms, head, others = call.at_ms, shape.head, shape.whole_bytes
    ready_ms = at_ms + int(call.took_ms if call.first_ms is None else call.first_ms)
    until_ms = at_ms + KEPT_MS
    head_tokens = of_head = 0
    if shape.head_bytes:
        found = known.get(head)
        if found is None or found.until_ms <= at_ms:
            found = known[head] = _Kept(ready_ms, until_ms, 0, others + 1)
        found.until_ms = until_ms
        if others < found.others:
            found.tokens, found.others = tokens * shape.head_bytes // (shape.head_bytes + others), others
        head_tokens = found.tokens
        of_head = head_tokens if found.ready_ms <= at_ms else 0
    of_whole, key = 0, head + shape.whole
    if key in known:
        of_whole = _read(known, key, at_ms)
    if key not in known:
        known[key] = _Kept(ready_ms, until_ms, tokens)
    if not of_whole and shape.before:
        of_whole = _read(known, head + shape.before, at_ms)
    return head_tokens, of_head, of_whole or of_head


def _read(known: dict[bytes, _Kept], key: bytes, at_ms: int) -> int:
    """Return the tokens of a beginning that can be read now, else 0; using it keeps it longer."""
    found = known.get(key)
    if found is None:
        return 0
    if found.until_ms <= at_ms:
        del known[key]
        return 0
    found.until_ms = at_ms + KEPT_MS
    return found.tokens if found.ready_ms <= at_ms else 0


def _count(sums: _Sums, usage: Usage, readable: int, marked: int, rates: Rates | None) -> None:
    """Add one call, of which some tokens can be read from the cache and some are marked for it."""
    read = min(readable, usage.input)
    read = read - read % STEP_TOKENS if read >= PREFIX_TOKENS_MIN else 0
    if read:
        sums.repeats += 1
    more = read - usage.cached_read
    if more > 0:
        sums.read += more
    if rates is None or rates.cached_read is None:
        return
    if more > 0:
        sums.saved += more * (rates.input - rates.cached_read)
    written = marked - read - usage.cached_write
    if rates.cached_write and marked >= PREFIX_TOKENS_MIN and written > 0:
        sums.saved -= written * (rates.cached_write - rates.input)


def _together(models: Collection[_Model]) -> PromptCacheReplay:
    """Put the models together, each in the way that saves more."""
    return PromptCacheReplay(
        calls=sum(model.calls for model in models),
        repeating=sum(model.best.repeats for model in models),
        input=sum(model.input for model in models),
        read=sum(model.best.read for model in models),
        really_read=sum(model.really_read for model in models),
        saved=sum(model.best.saved for model in models) // PER_MILLION,
        unpriced=sum(model.calls for model in models if not model.is_priced),
    )
