"""Handlers that a class or a call announces outside of web frameworks: servers, functions, chat pages."""

from collections.abc import Iterator

from seawall.check.code.bindings import Bindings, argument, last_name
from seawall.check.code.entries import Entry
from seawall.check.code.entries_decorated import Kind
from seawall.check.code.entries_params import Applied, Given
from seawall.check.code.ir import (
    Attr,
    Call,
    Class,
    ClassDef,
    Def,
    Dict,
    Expr,
    Function,
    If,
    Literal,
    Module,
    Name,
    Op,
    Stmt,
)
from seawall.check.code.walking import expressions, statements, walk

_HTTP = {"get", "post", "put", "patch", "delete", "head", "options"}
_EVENTS = {
    "click",
    "submit",
    "change",
    "then",
    "success",
    "upload",
    "select",
    "stream",
    "input",
    "stop_recording",
    "chat",
    "load",
    "tick",
    "release",
    "like",
}
_WIDGETS = {
    "chat_input",
    "text_input",
    "text_area",
    "file_uploader",
    "audio_input",
    "camera_input",
    "data_editor",
    "number_input",
    "selectbox",
    "button",
    "form_submit_button",
}
_TEXT_WIDGETS = (
    "chat_input",
    "text_area",
    "text_input",
    "file_uploader",
    "audio_input",
    "camera_input",
    "button",
)
_TELEGRAM = {
    "CommandHandler": 1,
    "MessageHandler": 1,
    "CallbackQueryHandler": 0,
    "InlineQueryHandler": 0,
    "ConversationHandler": -1,
}
REGISTERED_WORDS = (
    "gradio", "streamlit", "telegram", "websockets", "runpod", "HTTPRequestHandler",
    "(event, ", "(event: ", "(_event",
    "Servicer", "graphene", "ray.serve", "import serve", "cog import", "litserve",
    "argparse", "sys.argv", "docopt", "import fire",
)  # fmt: skip
_COMMAND_WORDS = ("argparse", "sys.argv", "docopt", "fire")


class Registered:
    """Finds handlers by the class or the call that makes them one."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._launches: dict[str, list[Applied]] = {}
        for module in bindings.project.modules("gradio"):
            for call in bindings.calls(module) if module.language == "python" else ():
                if last_name(call) in {"launch", "queue", "mount_gradio_app"}:
                    self._launches.setdefault(module.path, [])
                    self._launches[module.path] += [
                        (module.path, value if name != "max_size" else call)
                        for name, value in call.named
                        if name in {"auth", "auth_dependency", "max_size"} and not _is_nothing(value)
                    ]

    def of(self, module: Module) -> Iterator[Entry]:
        """Yield the handlers that a file registers."""
        roots = {imported.module.partition(".")[0] for imported in module.imports.values()}
        for cls in self._bindings.classes(module):
            yield from self._class(module, cls)
        yield from self._lambdas(module)
        seen: set[int] = set()
        for call in self._bindings.calls(module):
            for entry in self._call(module, call, roots):
                if id(entry.handler) not in seen:
                    seen.add(id(entry.handler))
                    yield entry
        if "streamlit" in roots:
            yield from self._script(module)
        yield from self._command(module)

    def _class(self, module: Module, cls: Class) -> Iterator[Entry]:
        bases = [base for base in self._bindings.ancestors(module, cls) if base]
        methods = self._bindings.methods(module, cls)
        for name, (home, method) in methods.items():
            given = Given([param.name for param in method.params])
            if any(base.endswith("HTTPRequestHandler") for base in bases):
                if name.startswith("do_"):
                    yield _with_method(_entry("http", "http.server", home, method), name[3:])
            elif any(base.startswith("tornado.") and base.endswith("Handler") for base in bases):
                if "prepare" in methods:
                    this = Name(cls.line, cls.line, "self")
                    given.applied.append((home.path, Attr(cls.line, cls.line, this, "prepare")))
                if name in _HTTP:
                    yield _with_method(_entry("http", "tornado", home, method, given), name.upper())
                elif name == "on_message":
                    yield _entry("websocket", "tornado", home, method, given)
            elif any(base.endswith("Servicer") for base in bases):
                if len(given.inputs) == 2 and method.owner == cls.name and not name.startswith("_"):
                    yield _entry("function", "grpc", home, method, Given(given.inputs[:1]))
            elif any(base.startswith("discord.") for base in bases):
                if name == "on_message" and not method.decorators:
                    yield _entry("chat", "discord", home, method, given)
            elif any(base.startswith("graphene.") for base in bases):
                if name == "mutate" or name.startswith("resolve_"):
                    inputs = [each for each in given.inputs if each not in {"info", "root", "_"}]
                    yield _entry("http", "graphene", home, method, Given(inputs))
            elif name in {"__call__", "predict"} and self._serves(module, cls, bases):
                yield _entry("http", "serve", home, method, given)

    def _serves(self, module: Module, cls: Class, bases: list[str]) -> bool:
        names = [
            self._bindings.project.origin(module, d.callee if isinstance(d, Call) else d)
            for d in cls.decorators
        ]
        return any(n.startswith("ray.serve.") for n in names) or any(
            b in {"cog.BasePredictor", "litserve.LitAPI"} for b in bases
        )

    def _lambdas(self, module: Module) -> Iterator[Entry]:
        """Yield functions of AWS Lambda's and Azure's form, which nothing in the code registers."""
        for stmt in statements(module.body):
            if not isinstance(stmt, Def):
                continue
            function = stmt.function
            names = [param.name.lstrip("_") for param in function.params]
            if len(names) == 2 and names[0] == "event" and names[1] in {"context", "ctx", ""}:
                yield _entry(
                    "function", "lambda", module, function, Given(requests=[function.params[0].name])
                )
            elif function.name == "main" and function.params and function.params[0].annotation is not None:
                origin = self._bindings.project.origin(module, function.params[0].annotation)
                if origin.endswith("functions.HttpRequest"):
                    yield _entry("http", "azure", module, function, Given(requests=[function.params[0].name]))

    def _call(self, module: Module, call: Call, roots: set[str]) -> Iterator[Entry]:
        name = last_name(call)
        origin = ""
        if "gradio" in roots and (name in _EVENTS or name in {"Interface", "ChatInterface", "on"}):
            handler = argument(call, 1 if name == "on" else 0, "fn")
            if not _is_pool(call):
                yield from self._handlers(module, handler, "chat", "gradio", self._launched(module))
        elif name in _TELEGRAM and "telegram" in roots:
            handler = argument(call, _TELEGRAM[name], "callback")
            filters = argument(call, 0 if name == "MessageHandler" else -1, "filters")
            before = [(module.path, part) for part in _all_of(filters)]
            yield from self._handlers(module, handler, "chat", "telegram", before)
        elif name == "register" and "aiogram" in roots and call.args:
            yield from self._handlers(module, call.args[0], "chat", "aiogram", [])
        elif name in {"serve", "start", "Fire", "run"} and roots & {"websockets", "runpod", "fire", "typer"}:
            origin = self._bindings.project.origin(module, call.callee)
        if origin.startswith("websockets.") and name == "serve":
            yield from self._handlers(
                module, argument(call, 0, "handler", "ws_handler"), "websocket", "websockets", []
            )
        elif origin.startswith("runpod.") and call.args and isinstance(call.args[0], Dict):
            handler = next(
                (v for k, v in call.args[0].items if isinstance(k, Literal) and k.value == "handler"), None
            )
            yield from self._handlers(module, handler, "function", "runpod", [])
        elif origin in {"fire.Fire", "typer.run"}:
            yield from self._handlers(
                module, argument(call, 0, "component"), "command", origin.partition(".")[0], []
            )

    def _launched(self, module: Module) -> list[Applied]:
        """Return the login of `launch(auth=…)`: of this file, or else of those that launch."""
        every = [each for launched in self._launches.values() for each in launched]
        return self._launches.get(module.path, every)

    def _handlers(
        self, module: Module, handler: Expr | None, kind: Kind, framework: str, applied: list[Applied]
    ) -> Iterator[Entry]:
        if handler is None:
            return
        if isinstance(handler, Call) and last_name(handler) in {"partial", "wraps"} and handler.args:
            handler = handler.args[0]
        found = self._bindings.definition(module, handler)
        if not isinstance(found.value, Function):
            return
        given = Given(applied=list(applied))
        for param in found.value.params:
            annotation = param.annotation
            origin = "" if annotation is None else self._bindings.project.origin(found.module, annotation)
            default = (
                "" if param.default is None else self._bindings.project.origin(found.module, param.default)
            )
            is_socket = kind == "websocket" and param is found.value.params[0]
            if origin.endswith(".Request") or is_socket:
                given.requests.append(param.name)
            elif not default.startswith("gradio.") and param.name not in {"context", "progress"}:
                given.inputs.append(param.name)
        yield _entry(kind, framework, found.module, found.value, given)

    def _script(self, module: Module) -> Iterator[Entry]:
        """Yield a Streamlit page: a file whose own statements draw it, or call what does."""
        widgets = dict.fromkeys(_TEXT_WIDGETS, 0)
        for call in self._bindings.calls(module):
            name = last_name(call)
            if name in _WIDGETS and not widgets.get(name):
                widgets[name] = call.line
        runs = [call for stmt in statements(module.body) for call in _calls(stmt)]
        drawn = [
            call
            for call in runs
            if self._bindings.project.origin(module, call.callee).startswith("streamlit.")
        ]
        calls_own = any(self._bindings.project.find(module, call.callee) is not None for call in runs)
        if not drawn and not (calls_own and any(widgets.values())):
            return
        first = next((line for line in widgets.values() if line), drawn[0].line if drawn else 1)
        stem = module.path.rpartition("/")[2].removesuffix(".py")
        page = Function(stem, 1, module.body[-1].end, [], module.body)
        entry = _entry("chat", "streamlit", module, page)
        entry.line = first
        yield entry

    def _command(self, module: Module) -> Iterator[Entry]:
        """Yield what runs under `if __name__ == "__main__":` of a script that reads its arguments."""
        text = self._bindings.project.text(module.path) or ""
        if "__main__" not in text or not any(word in text for word in _COMMAND_WORDS):
            return
        for stmt in module.body:
            if isinstance(stmt, If) and _is_main(stmt.test):
                script = Function("__main__", stmt.line, stmt.end, [], stmt.then)
                yield _entry("command", "script", module, script)


def _entry(
    kind: Kind, framework: str, module: Module, function: Function, given: Given | None = None
) -> Entry:
    given = given or Given()
    return Entry(
        kind=kind,
        path=module.path,
        method=None,
        route=None,
        line=function.line,
        handler=function,
        inputs=given.inputs,
        requests=given.requests,
        applied=[*given.applied, *((module.path, decorator) for decorator in function.decorators)],
        framework=framework,
    )


def _is_pool(call: Call) -> bool:
    """Say whether a call hands work to threads, as `executor.submit(…)` does."""
    base = last_name(call.callee.base).lower() if isinstance(call.callee, Attr) else ""
    return "executor" in base or "pool" in base


def _with_method(entry: Entry, method: str) -> Entry:
    entry.method = method
    return entry


def _calls(stmt: Stmt) -> Iterator[Call]:
    """Yield the calls directly in a statement."""
    if isinstance(stmt, Def | ClassDef):
        return
    for expr in expressions(stmt):
        yield from (part for part in walk(expr) if isinstance(part, Call))


def _all_of(filters: Expr | None) -> list[Expr]:
    """Return what must all hold: the parts of `filters.TEXT & filters.User(…)`."""
    if isinstance(filters, Op) and filters.op == "&":
        return filters.operands
    return [] if filters is None else [filters]


def _is_main(test: Expr) -> bool:
    return (
        isinstance(test, Op)
        and test.op == "=="
        and any(isinstance(part, Name) and part.id == "__name__" for part in test.operands)
    )


def _is_nothing(value: Expr) -> bool:
    return isinstance(value, Literal) and not value.value
