"""What the conditions on the way have made a value fit for."""

from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code.values import Value

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

ROUTE = "the path of the route"
"""The origin of the path for which a handler is walked."""


DEPTH_MAX = 2


def fit(value: Value, walker: "Walker", depth: int = DEPTH_MAX) -> Value:
    """Return the value cleared for the uses that conditions on the way have let it through for."""
    if not walker.checked or not value.taints:
        return value
    if depth and value.items:
        items = {key: fit(item, walker, depth - 1) for key, item in value.items.items()}
        if any(item is not value.items[key] for key, item in items.items()):
            value = replace(value, items=items)
    passed = walker.passed()
    changed = False
    taints = []
    for taint in value.taints:
        uses = frozenset[str]()
        for source in prefixes(taint.source):
            if source in passed:
                uses |= passed[source]
        if uses - taint.cleared:
            changed = True
            taint = taint._replace(cleared=taint.cleared | uses)  # noqa: PLW2901
        taints.append(taint)
    return replace(value, taints=frozenset(taints)) if changed else value


@lru_cache(maxsize=4096)
def prefixes(source: str) -> tuple[str, ...]:
    """Return a path and those that it lies in: `body.url`, `body`."""
    parts = source.split(".")
    return tuple(".".join(parts[:end]) for end in range(1, len(parts) + 1))
