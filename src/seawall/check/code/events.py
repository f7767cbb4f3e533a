"""What happens on the way through the code, in order."""

from msgspec import Struct

from seawall.check.code.values import NONE, Shared, Taint, Value


class Event(Struct, gc=True, eq=False):
    """Something at a line of a file; `way` are the functions that led there, `trail` their calls."""

    path: str
    line: int
    way: tuple[str, ...] = ()
    trail: tuple[tuple[str, int], ...] = ()


class Asked(Event, gc=True, eq=False):
    """A model is called.

    `is_capped` is None where options come from somewhere that cannot be seen. `own_key` says that the caller
    brings the key that pays. `options_at` is where the body of a plain HTTP call was written.
    """

    name: str = ""
    kind: str = "text"
    is_paid: bool = True
    is_capped: bool | None = None
    own_key: bool = False
    streams: bool = False
    in_background: bool = False
    messages: Value = NONE
    system: tuple[Value, ...] = ()
    model: Value = NONE
    checked: frozenset[str] = frozenset()
    demands_cap: bool = False
    options_at: tuple[str, int] | None = None


class Harm(Event, gc=True, eq=False):
    """A value reaches a place where it does harm; only parts that are not fit for this use are kept."""

    use: str = ""
    name: str = ""
    taints: tuple[Taint, ...] = ()
    value: Value = NONE
    words: tuple[str, ...] = ()


class Checked(Event, gc=True, eq=False):
    """A check that refuses: of who calls (`auth`) or of how often (`limit`)."""

    kind: str = ""
    name: str = ""


class Looped(Event, gc=True, eq=False):
    """A loop without a bound around a call of a model."""

    asked: Asked | None = None
    how: str = ""


class Mutated(Event, gc=True, eq=False):
    """A list that all callers see was added to."""

    shared: Shared | None = None
    taints: tuple[Taint, ...] = ()


class Returned(Event, gc=True, eq=False):
    """The handler of an entry gives a value back to its caller."""

    value: Value = NONE


class Slow(Event, gc=True, eq=False):
    """Work that takes seconds: a mail, a PDF, a file to be read."""

    name: str = ""
    in_background: bool = False
