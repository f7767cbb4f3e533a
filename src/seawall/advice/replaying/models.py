"""What small calls would have cost with another model."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from seawall.advice.amounts import counted, dollars
from seawall.advice.numbers import Rates
from seawall.advice.replaying.recorded import Recorded
from seawall.advice.replays import Replay
from seawall.advice.words import Figure, Replayed
from seawall.core.money import NANO, PER_MILLION, Money
from seawall.core.traffic import SMALL_TOKENS

ERROR = "Exact for the same tokens; another model may write longer or shorter answers."

_SMALL = (
    "SELECT model, count(*), sum(cost + listed_cost) FROM calls WHERE json_extract(usage, '$.input')"
    " + json_extract(usage, '$.output') < {tokens} GROUP BY model"
)


class Cheaper(Struct, frozen=True):
    """One other model: which small calls cost less with it, what they cost, and what they would have."""

    model: str
    calls: int
    worth: Money
    would_cost: Money

    @property
    def saved(self) -> Money:
        """Return what it would have saved."""
        return Money(self.worth - self.would_cost)


class CheaperReplay(Struct, frozen=True):
    """What small calls would have cost with other models, the one that saves most first.

    `calls` are those whose tokens are known, `small` those of fewer than `SMALL_TOKENS`, `worth` and
    `small_worth` what they cost.
    """

    calls: int
    small: int
    worth: Money
    small_worth: Money
    models: tuple[Cheaper, ...]

    @property
    def best(self) -> Cheaper | None:
        """Return the model that saves most, `None` where none saves anything."""
        return self.models[0] if self.models else None

    def told(self, recorded: Recorded) -> Replay:
        """Return what people read of it."""
        query = _SMALL.format(tokens=SMALL_TOKENS)
        figures = [
            Figure(
                f"{counted(self.small, 'call')} of {self.calls:,} had fewer than {SMALL_TOKENS} tokens"
                f" and cost {dollars(self.small_worth)}",
                query,
                self.small,
            )
        ]
        figures += [
            Figure(
                f"{dollars(each.saved)} saved, had {each.calls:,} of them gone to {each.model}",
                query,
                each.saved / NANO,
            )
            for each in self.models
        ]
        told = Replayed(
            title="A cheaper model for small calls",
            calls=self.calls,
            days=recorded.days,
            figures=tuple(figures),
            assumptions=recorded.assumed(
                f"A small call is one of fewer than {SMALL_TOKENS} tokens, input and output together.",
                "The other model takes as many tokens for it.",
                "Its answers are good enough: try it on some of them first.",
            ),
            error=ERROR,
        )
        best = self.best
        if best is None:
            return Replay(told)
        return Replay(told, touched=best.calls, saved=best.saved, model=best.model)


class _Small(Struct):
    calls: int = 0
    input: int = 0
    output: int = 0
    worth: int = 0


MODELS_TOLD = 3


def replay_cheaper(
    recorded: Recorded, rates: Mapping[str, Rates], others: Iterable[str] = ()
) -> CheaperReplay | None:
    """Price small calls by the rates of other models, by default of all that have some.

    `None` where no model has rates, or no call has tokens.
    """
    small: dict[str, _Small] = {}
    calls = worth = 0
    for call in recorded.counted:
        usage = call.usage
        if usage is None or call.is_hit:
            continue
        calls += 1
        cost = call.worth
        worth += cost
        if usage.input + usage.output < SMALL_TOKENS:
            own = small.get(call.model)
            if own is None:
                own = small[call.model] = _Small()
            own.calls += 1
            own.input += usage.input
            own.output += usage.output
            own.worth += cost
    if not calls or not rates:
        return None
    found = [_with(model, small, rates[model]) for model in others or rates if model in rates]
    saving = sorted((each for each in found if each.saved > 0), key=lambda each: -each.saved)
    return CheaperReplay(
        calls=calls,
        small=sum(own.calls for own in small.values()),
        worth=Money(worth),
        small_worth=Money(sum(own.worth for own in small.values())),
        models=tuple(saving[:MODELS_TOLD]),
    )


def _with(other: str, small: Mapping[str, _Small], rates: Rates) -> Cheaper:
    """Give another model the small calls of every model that is dearer."""
    calls = worth = would_cost = 0
    for model, own in small.items():
        cost = (own.input * rates.input + own.output * rates.output) // PER_MILLION
        if model != other and cost < own.worth:
            calls += own.calls
            worth += own.worth
            would_cost += cost
    return Cheaper(other, calls, Money(worth), Money(would_cost))
