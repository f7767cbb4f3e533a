"""Where a stranger's request enters the app's own code."""

from typing import Literal as OneOf

from msgspec import Struct, field

from seawall.check.code.ir import Expr, Function


class Entry(Struct, gc=False, eq=False):
    """A function that the outside calls: the handler of a route, socket, server action or chat.

    `inputs` are the names of the parameters (or of the names in their patterns) that the caller chooses the
    value of, such as a path or query parameter and a body model. `requests` are parameters that hold the
    whole request (`request`, `req`, a Koa or Hono context, a socket). `applied` is everything that runs
    before the handler on this route, in the order in which it runs: decorators, dependencies (of route,
    router and app), middleware (of route, router, app, and of a middleware file that matches), class
    attributes such as `permission_classes`; each with the file in which it stands.
    """

    kind: OneOf["http", "websocket", "action", "function", "chat", "command"]
    path: str
    method: str | None
    route: str | None
    line: int
    handler: Function
    inputs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    applied: list[tuple[str, Expr]] = field(default_factory=list)
    framework: str = ""
