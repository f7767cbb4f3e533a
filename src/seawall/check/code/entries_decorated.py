"""Handlers that a decorator announces outside of web frameworks: bots, tools, functions, commands."""

from collections.abc import Iterator
from typing import Literal as OneOf

from msgspec import Struct

from seawall.check.code.bindings import Bindings, argument, last_name
from seawall.check.code.entries import Entry
from seawall.check.code.entries_params import Applied, Parameters
from seawall.check.code.ir import Attr, Call, Expr, Function, Literal, Module, Name, Param

Kind = OneOf["http", "websocket", "action", "function", "chat", "command"]


class _Library(Struct, frozen=True):
    """What the decorators of a library are called, and the parameters that are not the caller's."""

    kind: Kind
    names: frozenset[str]
    given: frozenset[str] = frozenset()


def _library(kind: Kind, names: str, given: str = "") -> _Library:
    return _Library(kind, frozenset(names.split()), frozenset(given.split()))


_DISCORD = _library(
    "chat", "event command listener slash_command hybrid_command user_command message_command", "bot client"
)
_MCP = _library("function", "tool resource prompt call_tool get_prompt read_resource", "ctx context")
_TELEGRAM = (
    "message message_handler callback_query callback_query_handler edited_message inline_query on_message on"
)
_BOT_GIVEN = "bot client state data command_object"
_SOCKET = _library("websocket", "on event on_event", "sid environ")

_LIBRARIES: dict[str, _Library] = {
    "aiogram": _library("chat", _TELEGRAM, _BOT_GIVEN),
    "telebot": _library("chat", _TELEGRAM, _BOT_GIVEN),
    "pyrogram": _library("chat", _TELEGRAM + " on_callback_query", _BOT_GIVEN),
    "telethon": _library("chat", _TELEGRAM, _BOT_GIVEN),
    "slack_bolt": _library(
        "chat",
        "event message command action shortcut view options function",
        "say ack client respond logger next context",
    ),
    "discord": _DISCORD,
    "nextcord": _DISCORD,
    "disnake": _DISCORD,
    "chainlit": _library("chat", "on_message on_audio_chunk on_audio_end action_callback on_window_message"),
    "mcp": _MCP,
    "fastmcp": _MCP,
    "flask_socketio": _SOCKET,
    "socketio": _SOCKET,
    "functions_framework": _library("http", "http cloud_event typed"),
    "firebase_functions": _library("http", "on_request on_call"),
    "azure": _library("http", "route", "context"),
    "strawberry": _library("http", "mutation field subscription", "info root"),
    "ariadne": _library("http", "field source", "info obj _ root parent _info _obj"),
    "bentoml": _library("http", "api", "ctx"),
    "click": _library("command", "command group", "ctx"),
    "typer": _library("command", "command", "ctx"),
}  # fmt: skip
_REQUESTS = {"ctx", "context", "interaction", "request", "req", "inter"}
_AUTH_CALLBACKS = {"password_auth_callback", "oauth_callback", "header_auth_callback"}
_EVENTS = ("on_message", "on_raw_message", "on_interaction", "on_thread_create")
_NAMES = frozenset(name for library in _LIBRARIES.values() for name in library.names)
DECORATED_WORDS = tuple(_LIBRARIES)


class Decorated:
    """Finds handlers by their decorators."""

    def __init__(self, bindings: Bindings, parameters: Parameters) -> None:
        self._bindings = bindings
        self._parameters = parameters
        self._logins: list[Applied] = []
        for module in bindings.project.modules(*_AUTH_CALLBACKS):
            for function in bindings.functions(module):
                if any(last_name(decorator) in _AUTH_CALLBACKS for decorator in function.decorators):
                    self._logins.append((module.path, Name(function.line, function.line, function.name)))

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the handlers in a file."""
        roots = {imported.module.partition(".")[0] for imported in module.imports.values()}
        if not roots & _LIBRARIES.keys() and not _may_use(module):
            return
        connects: list[Applied] = []
        found: list[Entry] = []
        for function in self._bindings.functions(module):
            for decorator in function.decorators:
                root = self._root(module, decorator, roots)
                if root is None or not self._is_handler(root, function, decorator):
                    continue
                if _LIBRARIES[root].kind == "websocket" and _event(function, decorator) in {
                    "connect",
                    "disconnect",
                }:
                    if _event(function, decorator) == "connect":
                        connects.append((module.path, Name(function.line, function.line, function.name)))
                    break
                found.append(self._entry(module, function, decorator, root))
                break
        for entry in found:
            if entry.kind == "websocket":
                # Who is refused on connecting never sends anything.
                entry.applied[:0] = connects
        yield from found

    def _root(self, module: Module, decorator: Expr, roots: set[str]) -> str | None:
        """Return the library that a decorator belongs to."""
        callee = decorator.callee if isinstance(decorator, Call) else decorator
        name = last_name(callee)
        if name not in _NAMES:
            return None
        if isinstance(callee, Attr):
            root = self._bindings.origin(module, callee.base).partition(".")[0]
        else:
            root = self._bindings.project.origin(module, callee).partition(".")[0]
        library = _LIBRARIES.get(root)
        if library is not None:
            return root if name in library.names else None
        if not isinstance(callee, Attr) or root in roots:
            return None
        # The bot or server comes from somewhere that cannot be followed: `self.bot`, a parameter.
        return next((r for r in sorted(roots & _LIBRARIES.keys()) if name in _LIBRARIES[r].names), None)

    def _is_handler(self, root: str, function: Function, decorator: Expr) -> bool:
        if _LIBRARIES[root] is _DISCORD and last_name(decorator) in {"event", "listener"}:
            return _event(function, decorator).startswith(_EVENTS)
        return True

    def _entry(self, module: Module, function: Function, decorator: Expr, root: str) -> Entry:
        library = _LIBRARIES[root]
        call = decorator if isinstance(decorator, Call) else None
        inputs: list[str] = []
        requests: list[str] = []
        applied: list[Applied] = []
        for param in function.params:
            dependency = self._parameters.dependency(module, param)
            if dependency is not None:
                applied.append((dependency[0].path, dependency[1]))
            elif self._is_context(module, param) or param.name in _REQUESTS:
                if library.kind not in {"command", "function"}:
                    requests.append(param.name)
            elif param.name not in library.given:
                inputs.append(param.name)
        if call is not None:
            applied += self._options(module, call)
        if root == "chainlit":
            applied += self._logins
        applied += [(module.path, other) for other in function.decorators if other is not decorator]
        path = None if call is None else self._bindings.text(module, argument(call, 0, "route", "name"))
        return Entry(
            kind=library.kind,
            path=module.path,
            method=None,
            route=path,
            line=function.line,
            handler=function,
            inputs=inputs,
            requests=requests,
            applied=applied,
            framework=root,
        )

    def _options(self, module: Module, call: Call) -> Iterator[Applied]:
        """Yield what a decorator's arguments check: permissions, matchers, an access level."""
        for name, value in call.named:
            if name in {"permission_classes", "matchers", "middleware", "checks"}:
                items = self._bindings.items(module, value)
                yield from [(home.path, item) for home, item in items] or [(module.path, value)]
            elif name in {"auth_level", "auth"}:
                yield module.path, value

    def _is_context(self, module: Module, param: Param) -> bool:
        annotation = param.annotation
        name = "" if annotation is None else self._bindings.project.origin(module, annotation)
        return name.rpartition(".")[2] in {
            "Context",
            "Interaction",
            "Request",
            "HttpRequest",
            "ApplicationContext",
        }


def _event(function: Function, decorator: Expr) -> str:
    """Return the event that a decorator names, or else the function does."""
    if isinstance(decorator, Call):
        first = argument(decorator, 0, "name", "event")
        if isinstance(first, Literal) and isinstance(first.value, str):
            return first.value
    return function.name


def _may_use(module: Module) -> bool:
    """Say whether a file imports from the app's own code, where a bot or server may come from."""
    return any(imported.level or imported.name for imported in module.imports.values())
