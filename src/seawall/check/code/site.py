"""A call where it stands, with everything that is known of it."""

from msgspec import Struct

from seawall.check.code.ir import Call
from seawall.check.code.values import Env, Value


class Site(Struct, gc=True, eq=False):
    """A call outside the app's own code: what it is called on, with what, and what it is told by name.

    `options` are the named arguments and the entries of objects among the others; positions are digits.
    """

    call: Call
    env: Env
    base: Value
    callee: Value
    given: list[Value]
    named: dict[str, Value]
    options: dict[str, Value]

    @property
    def name(self) -> str:
        """The canonical name of what is called."""
        return self.callee.origin

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.callee.origin.rpartition(".")[2]

    @property
    def place(self) -> tuple[str, int]:
        """File and line."""
        return self.env.module.path, self.call.line

    @property
    def values(self) -> list[Value]:
        """All values that go in."""
        return [self.base, *self.given, *self.named.values()]
