"""What a cap on the output would have cut, and what that would have saved."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from msgspec import Struct

from seawall.advice.amounts import counted, dollars, percent
from seawall.advice.numbers import Rates
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import NANO, PER_MILLION, Money

ERROR = "Exact for the same answers: what is over the cap is never generated, and never billed."
_LONGER = "SELECT count(*) FROM calls WHERE json_extract(usage, '$.output') > {tokens}"
GENTLE_SHARE = 0.01
"""A cap that cuts no more than this part of the answers is a gentle one."""


class Cap(Struct, frozen=True):
    """One cap: how many answers it would have cut, and what that would have saved."""

    tokens: int
    cut: int
    saved: Money


class CapsReplay(Struct, frozen=True):
    """What caps would have done to `answers`, the largest cap first; `uncapped` did not ask for any.

    `longest` is the longest answer in tokens. `unpriced` are answers of models without a rate: they are cut,
    and save nothing.
    """

    answers: int
    uncapped: int
    longest: int
    unpriced: int
    caps: tuple[Cap, ...]

    @property
    def gentle(self) -> Cap | None:
        """Return the smallest cap that cuts hardly any answer, `None` where each cuts more."""
        fitting = [cap for cap in self.caps if cap.cut <= self.answers * GENTLE_SHARE]
        return fitting[-1] if fitting else None

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        cutting, idle = [cap for cap in self.caps if cap.cut], [cap for cap in self.caps if not cap.cut]
        told = Replayed(
            title="A cap on the length of answers",
            calls=self.answers,
            days=recorded.days,
            figures=tuple(map(self._figure, [*cutting[::-1], *idle[-1:]])),
            assumptions=recorded.assumed(
                "An answer ends at the cap, in the middle of a sentence.",
                "Hidden reasoning counts as output.",
                "Nobody asks again because an answer was cut.",
            ),
            error=ERROR,
        )
        gentle = self.gentle
        if gentle is None:
            return Replay(told)
        limit = f"{gentle.tokens} tokens"
        return Replay(told, touched=gentle.cut, saved=gentle.saved, limit=limit)

    def _figure(self, cap: Cap) -> Figure:
        query = _LONGER.format(tokens=cap.tokens)
        if not cap.cut:
            return Figure(f"At most {cap.tokens:,} tokens: no answer is longer", query, 0)
        return Figure(
            f"At most {cap.tokens:,} tokens: {counted(cap.cut, 'answer')} cut"
            f" ({percent(cap.cut / self.answers)}), {dollars(cap.saved)} saved",
            query,
            cap.saved / NANO,
        )


def replay_caps(recorded: Recorded, rates: Mapping[str, Rates], caps: Sequence[int]) -> CapsReplay | None:
    """Replay some caps; `None` where no answer was made."""
    outputs: dict[str, list[int]] = {}
    uncapped = 0
    for call in recorded.counted:
        usage = call.usage
        if usage is None or call.is_hit or not usage.output:
            continue
        of_model = outputs.get(call.model)
        if of_model is None:
            of_model = outputs[call.model] = []
        of_model.append(usage.output)
        uncapped += call.shape is not None and not call.shape.wanted_tokens
    if not outputs:
        return None
    for of_model in outputs.values():
        of_model.sort()
    return CapsReplay(
        answers=sum(map(len, outputs.values())),
        uncapped=uncapped,
        longest=max(made[-1] for made in outputs.values()),
        unpriced=sum(len(made) for model, made in outputs.items() if model not in rates),
        caps=tuple(_cut(outputs, rates, cap) for cap in sorted(caps, reverse=True)),
    )


def _cut(outputs: Mapping[str, Sequence[int]], rates: Mapping[str, Rates], cap: int) -> Cap:
    cut = weight = 0
    for model, made in outputs.items():
        first = bisect_right(made, cap)
        over = len(made) - first
        cut += over
        if over and model in rates:
            weight += (sum(made[first:]) - over * cap) * rates[model].output
    return Cap(cap, cut, Money(weight // PER_MILLION))
