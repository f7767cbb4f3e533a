"""What replays of recorded calls say about each thing, as the advice reads it."""

from msgspec import Struct

from seawall.advice.words import Replayed


class Replay(Struct, frozen=True):
    """What one thing would have done to the calls of a span: as it is told, and as numbers.

    `touched` are the calls that it would have answered, made cheaper, refused, cut or saved; `users` are
    whose they are, where that matters. `saved` is in nano-dollars over the whole span: where only its newest
    calls are on record or replayed, `told` is of their days, and as much a day is taken for the others.
    `model` is the one that is proposed, `limit` the limit or cap that the numbers are of: "10/hour",
    "1024 tokens".
    """

    told: Replayed
    touched: int = 0
    saved: int = 0
    users: int = 0
    model: str = ""
    limit: str = ""


class Replays(Struct, frozen=True):
    """One replay for each thing that can be replayed; `None` where calls were not kept in such a form.

    `exact` and `normal` are the caches, `normal` with all hits of the exact one among its own.
    `prompt_cache` is that of the provider, `cheaper` a cheaper model for small calls, `limits` what the rate
    limit on each user would have refused, `budget` a daily budget of each user, `caps` the smallest output
    cap that cuts hardly any answer, `queue` answers that were lost.
    """

    exact: Replay | None = None
    normal: Replay | None = None
    prompt_cache: Replay | None = None
    cheaper: Replay | None = None
    limits: Replay | None = None
    budget: Replay | None = None
    caps: Replay | None = None
    queue: Replay | None = None
