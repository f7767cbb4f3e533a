"""Entries that receive messages: socket.io and WebSocket servers, and bots of chat services."""

import re
from collections.abc import Iterator

from seawall.check.code.entries import Entry
from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Def,
    Do,
    Expr,
    Function,
    Lambda,
    Module,
    Name,
    Stmt,
)
from seawall.check.code.javascript_handlers import (
    Applied,
    Given,
    Handled,
    Site,
    entry,
    given,
    handled,
    keyed,
    said,
)
from seawall.check.code.project import Project
from seawall.check.code.walking import calls_of, expressions, functions_of, statements, walk

MESSAGE_WORDS = re.compile(
    r"[sS]ocket|\bws\b|discord|telegraf|grammy|telegram|@slack/bolt|\beris\b|whatsapp|\btmi\b|baileys|botbuilder"
    r"|matrix-bot|viber|oceanic\.js|\b[bB]ot\b|SlashCommandBuilder"
)
_LISTENS = re.compile(r"\.(?:on|once|addEventListener)\(|\.onmessage\b")
_SOCKET_NAMES = frozenset(
    {"socket", "ws", "conn", "connection", "client", "peer", "websocket", "sock", "webSocket"}
)
_SOCKET_WORDS = ("socket.io", "ws", "websocket", "Deno", "uWebSockets.js", "@fastify/websocket", "express-ws")
_NOT_MESSAGES = frozenset(
    {
        "disconnect",
        "disconnecting",
        "close",
        "error",
        "pong",
        "ping",
        "open",
        "connect",
        "connection",
        "upgrade",
    }
)
_ANSWERS = frozenset({"cb", "callback", "ack", "done", "fn", "respond"})
_BOTS = (
    "discord.js", "telegraf", "grammy", "node-telegram-bot-api", "@slack/bolt", "eris", "whatsapp-web.js",
    "tmi.js", "@whiskeysockets/baileys", "botbuilder", "matrix-bot-sdk", "viber-bot", "oceanic.js",
)  # fmt: skip
_BOT_EVENTS = frozenset(
    {
        "on", "once", "command", "hears", "start", "help", "message", "event", "action", "shortcut", "view",
        "onText", "callbackQuery", "settings", "onMessage", "inlineQuery",
    }
)  # fmt: skip


class Messages:
    """Finds the handlers of messages."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the handlers of a file's sockets and bots."""
        libraries = {source.module for source in module.imports.values()}
        if any(library.startswith(_BOTS) for library in libraries) or _mentions_bot(module):
            yield from self._bots(module)
        else:
            text = self._project.text(module.path) or ""
            if _LISTENS.search(text) and ("ocket" in text or "ws" in libraries):
                yield from self._sockets(module)

    def _sockets(self, module: Module) -> Iterator[Entry]:
        connected = self._connection_handlers(module)
        before = self._socket_middleware(module)
        for function in functions_of(module):
            names = {param.name for param in function.params}
            is_connected = id(function) in connected
            if not (is_connected or names & _SOCKET_NAMES):
                continue
            ahead = [*before, *_ahead(module, function)] if is_connected else before
            for call in _own_calls(function):
                base = call.callee.base if isinstance(call.callee, Attr) else None
                if not isinstance(base, Name) or base.id not in names or len(call.args) < 2:
                    continue
                event = said(call.args[0])
                is_on = isinstance(call.callee, Attr) and call.callee.name in (
                    "on",
                    "once",
                    "addEventListener",
                )
                if is_on and event not in _NOT_MESSAGES:
                    yield from self._message(module, call, event, ahead)
        yield from self._assigned(module)

    def _message(self, module: Module, call: Call, event: str | None, ahead: Applied) -> Iterator[Entry]:
        found = handled(self._project, module, call.args[-1])
        if found is None:
            return
        names = [p.name for p in found.function.params if p.name and p.name not in _ANSWERS]
        patterns = given(found.function, 4)
        chosen = Given([*names, *patterns.inputs], [])
        yield entry(Site("websocket", "socket", module, call.line, None, event), found, chosen, ahead)

    def _assigned(self, module: Module) -> Iterator[Entry]:
        """Yield `socket.onmessage = …` of a server that upgrades requests itself."""
        if "upgradeWebSocket" not in (self._project.text(module.path) or ""):
            return
        for function in functions_of(module):
            for statement in statements(function.body):
                if isinstance(statement, Assign) and isinstance(statement.value, Lambda):
                    target = statement.targets[0]
                    if isinstance(target, Attr) and target.name == "onmessage":
                        found = Handled(module, statement.value.function, [])
                        site = Site("websocket", "socket", module, statement.line)
                        yield entry(site, found, given(found.function))

    def _connection_handlers(self, module: Module) -> set[int]:
        """Return the functions that get each new connection."""
        out: set[int] = set()
        for call in calls_of(module):
            is_on = isinstance(call.callee, Attr) and call.callee.name == "on" and len(call.args) == 2
            if is_on and said(call.args[0]) in ("connection", "connect"):
                found = handled(self._project, module, call.args[1])
                if found is not None and found.module is module:
                    out.add(id(found.function))
        return out

    def _socket_middleware(self, module: Module) -> Applied:
        """Return what `io.use(…)` and `socket.use(…)` put before all messages."""
        out: Applied = []
        for call in calls_of(module):
            if isinstance(call.callee, Attr) and call.callee.name == "use" and len(call.args) == 1:
                base = call.callee.base
                name = base.id if isinstance(base, Name) else ""
                if name in _SOCKET_NAMES or name.lower() in ("io", "nsp", "namespace", "chat", "wss"):
                    out.append((module.path, call.args[0]))
        return out

    def _bots(self, module: Module) -> Iterator[Entry]:
        middleware: Applied = []
        for call in calls_of(module):
            callee = call.callee
            if not isinstance(callee, Attr) or not call.args:
                continue
            if callee.name == "use":
                middleware += [(module.path, arg) for arg in call.args]
            elif callee.name in _BOT_EVENTS and self._is_bot(module, callee.base):
                found = handled(self._project, module, call.args[-1])
                if found is not None:
                    site = Site("chat", "bot", module, call.line, None, said(call.args[0]))
                    yield entry(site, found, given(found.function, 2), middleware)
        for statement in module.body:
            for expr in expressions(statement):
                for part in walk(expr):
                    yield from self._command(module, part)

    def _command(self, module: Module, expr: Expr) -> Iterator[Entry]:
        """Yield Discord's `{ data: new SlashCommandBuilder(), execute(interaction) {} }`."""
        parts = dict(keyed(expr))
        if "data" in parts and "execute" in parts:
            found = handled(self._project, module, parts["execute"])
            if found is not None:
                yield entry(Site("chat", "bot", module, found.function.line), found, given(found.function))

    def _is_bot(self, module: Module, base: Expr) -> bool:
        origin = self._project.origin(module, base)
        return origin.startswith(_BOTS) or origin in ("bot", "client", "app")


def _mentions_bot(module: Module) -> bool:
    names = {name for name in module.imports if name in ("bot", "Bot", "Telegraf", "SlashCommandBuilder")}
    return bool(names)


def _own_calls(function: Function) -> Iterator[Call]:
    """Yield the calls of a function's own statements, not those of the functions inside."""
    for statement in statements(function.body):
        for expr in expressions(statement):
            for part in walk(expr):
                if isinstance(part, Call):
                    yield part


def _ahead(module: Module, function: Function) -> Applied:
    """Return what a connection's handler does before it listens, as a function of its own."""
    body: list[Stmt] = []
    for statement in function.body:
        if isinstance(statement, Def):
            continue
        if isinstance(statement, Do) and isinstance(statement.value, Call):
            callee = statement.value.callee
            if isinstance(callee, Attr) and callee.name in ("on", "once", "addEventListener"):
                continue
        body.append(statement)
    if not body:
        return []
    made = Function(
        function.name, function.line, function.end, function.params, body, is_async=function.is_async
    )
    return [(module.path, Lambda(function.line, function.end, made))]
