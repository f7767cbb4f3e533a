"""Scope, Budget, Policy, Principal and Decision: who may do what, and what was decided."""

from msgspec import Struct

from seawall.core.money import Money


class Budget(Struct, frozen=True):
    """Hard caps on what a scope may spend in a day, a month and altogether; `None` is no cap."""

    daily: Money | None = None
    monthly: Money | None = None
    lifetime: Money | None = None

    @property
    def is_open(self) -> bool:
        """Say whether there is no cap at all."""
        return self.daily is None and self.monthly is None and self.lifetime is None


class Scope(Struct, frozen=True):
    """Who is charged: kind is `global` or `key`, id names which."""

    kind: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


class ScopeBudget(Struct, frozen=True):
    """A scope together with its caps."""

    scope: Scope
    budget: Budget


class Principal(Struct, frozen=True):
    """Who is calling: the virtual key that was shown, and the end user it speaks for."""

    key_id: str
    key_name: str
    end_user: str | None = None


class Policy(Struct, frozen=True, eq=False):
    """Everything that is decided per caller; resolved once, unchanged for the whole call.

    Two policies are never equal, so that what is derived from one can be remembered cheaply.

    `models` is `None` where every model is allowed.
    """

    budgets: tuple[ScopeBudget, ...]
    models: frozenset[str] | None = None

    def allows(self, provider: str, model: str, asked: str = "") -> bool:
        """Say whether the caller may use a model: by its own name, with its provider's, or as asked for.

        What was asked for counts only as an alias: the operator who allows one allows what it stands for.
        """
        return self.models is None or not self.models.isdisjoint((model, f"{provider}/{model}", asked))


class Decision(Struct, frozen=True):
    """What one step decided about a call, why, and how long it took."""

    step: str
    verdict: str
    why: str
    took_ms: float = 0.0
