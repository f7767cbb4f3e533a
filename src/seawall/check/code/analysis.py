"""All findings about the code of an app."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ahocorasick_rs import AhoCorasick

from seawall.check.code.browser import runs_in_browser
from seawall.check.code.entries import Entry
from seawall.check.code.events import Asked, Event, Harm, Returned
from seawall.check.code.guards import effective, guards_before
from seawall.check.code.ir import Call, Dict, Function, Literal, Module, Name
from seawall.check.code.page_inputs import page_inputs
from seawall.check.code.project import Project
from seawall.check.code.rules_ai import loops, of_asked, shared_state, slow, unprotected
from seawall.check.code.rules_flow import of_harm, of_returned
from seawall.check.code.rules_static import ERROR_NAMES, error_handlers, is_error_handler, static_findings
from seawall.check.code.schemas import is_schema
from seawall.check.code.templates import template_findings
from seawall.check.code.tools import given_by_model, is_tool
from seawall.check.code.unread import notices
from seawall.check.code.values import ERROR, INPUT, ONE_SEGMENT, TRACE, Closure, Instance, Taint, Value
from seawall.check.code.walker import STEPS_UNREACHED_MAX, Walker
from seawall.check.code.walking import functions_of
from seawall.check.findings import Finding
from seawall.check.options import Progress

_TESTS = re.compile(
    r"(^|/)(tests?|__tests__|spec|specs|e2e|cypress|fixtures|__mocks__|mocks|testing|testdata|benchmarks?)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|\.(test|spec|stories|cy|e2e)\.[jt]sx?$|\.d\.ts$|\.config\.[cm]?[jt]s$"
)
_TALKS = re.compile(
    r"useChat|useCompletion|useAssistant|useObject|/api/(?:chat|ask|ai|generate|complet\w*)\b"
)
"""A page that shows what its server's model answers."""
_MADE = re.compile(
    r"(^|/)(dist|build|out|\.output|\.next|generated?|vendor|third_party|static/js|node_modules)/|(^|/)prisma/generated?/"
    r"|-bundle\.js$|\.(bundle|chunk|min)\.[cm]?js$|/assets/[\w-]+-[A-Za-z0-9_]{8}\.js$|_pb2(_grpc)?\.py$|\.download$"
)
_READS_SECRET = re.compile(r"(?:environ|getenv|process\.env)[^\n]{0,40}(?:KEY|SECRET|TOKEN|PASSWORD)")
AI_WORDS = (
    *(
        "openai",
        "OpenAI",
        "anthropic",
        "Anthropic",
        "gemini",
        "generativeai",
        "genai",
        "GoogleGenerativeAI",
        "litellm",
    ),
    *(
        "langchain",
        "llama_index",
        "llamaindex",
        "mistral",
        "Mistral",
        "cohere",
        "groq",
        "Groq",
        "together",
        "replicate",
    ),
    *(
        "huggingface",
        "ollama",
        "bedrock",
        'from "ai"',
        "from 'ai'",
        "completions",
        "pydantic_ai",
        "crewai",
        "dspy",
    ),
    *(
        "generateText",
        "streamText",
        "langgraph",
        "from agents",
        "function_tool",
        "@tool",
        "semantic_kernel",
        "agno",
        "@ai-sdk",
        "InferenceClient",
        "deepseek",
        "openrouter",
        "smolagents",
        "autogen",
    ),
)
ALONE = (
    *AI_WORDS,
    *("flask", "streamlit", "quart", "bottle", "rrorHandler", "onError", "xception_handler", "rrorhandler"),
    *("errorFormatter", "dangerouslySetInnerHTML", "innerHTML", "err, req", "error, req", "err: "),
    "error: Error",
)
FILES_READ_WHOLE_MAX_BYTES = 4_000_000
"""Up to this much code all of it is read; above, only files that hold one of the words below."""

WORDS = (
    *AI_WORDS,
    *(
        "fastapi",
        "starlette",
        "flask",
        "Flask",
        "quart",
        "sanic",
        "litestar",
        "aiohttp.web",
        "import web",
        "tornado",
    ),
    *(
        "bottle",
        "django",
        "ninja",
        "rest_framework",
        "channels",
        "falcon",
        "chalice",
        "streamlit",
        "gradio",
        "chainlit",
    ),
    *("slack_bolt", "discord", "telegram", "lambda_handler", "functions_framework", "urlpatterns", "modal."),
    *(
        "express",
        "fastify",
        "koa",
        "Koa",
        "hono",
        "Hono",
        "elysia",
        "@nestjs",
        "next/",
        "use server",
        "Deno.serve",
    ),
    *(
        "Bun.serve",
        "onRequest",
        "onCall",
        "ventHandler",
        "RequestHandler",
        "trpc",
        "tRPC",
        "socket.io",
        "graphql",
    ),
    *(
        "exports.handler",
        "createServer",
        "export async function",
        "APIRoute",
        "LoaderFunction",
        "ActionFunction",
    ),
    *(
        "eval(",
        "exec(",
        ".execute(",
        "subprocess",
        "os.system",
        "child_process",
        "innerHTML",
        "InnerHTML",
        "yaml.load",
    ),
    *("pickle", "render_template_string", "Markup(", "mark_safe", "raw(", "Unsafe(", "sendFile", "send_file"),
    *(
        "FileResponse",
        "debug=True",
        "DEBUG",
        "verify=False",
        "CERT_NONE",
        "rejectUnauthorized",
        "REJECT_UNAUTHORIZED",
    ),
    *(
        "set_cookie",
        "setCookie",
        "cors",
        "CORS",
        "Allow-Origin",
        "jwt",
        "format_exc",
        "HTMLResponse",
        "HttpResponse",
    ),
)


_OF_SERVERS = frozenset({"url", "path", "sql", "nosql", "shell"})
"""Uses that harm the machine where the code runs: in a browser that is the caller's own."""


class Analysis:
    """What was found in the code, and where requests enter it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.entries: list[tuple[Module, Entry]] = []
        self.findings: list[Finding] = []
        self.notices: list[str] = []
        self.has_ai = False
        self._walker = Walker(project)
        self._alone = AhoCorasick(ALONE)
        self._models = AhoCorasick(AI_WORDS)
        self._browser: dict[str, str | None] = {}
        self._seen: set[tuple[str, str, int]] = set()

    def run(self, progress: Progress | None = None) -> list[Finding]:
        """Read the code and return the findings, each place once for a rule."""
        tell = progress or (lambda doing, done, total: None)
        modules = self._read(tell)
        for number, module in enumerate(modules):
            tell("looking for routes", number, len(modules))
            with self._bounded(module.path):
                self.entries.extend((module, entry) for entry in _entries(self.project, module))
        self.entries.sort(
            key=lambda found: not self._mentions_model(found[0])
        )  # What costs money comes first.
        self._walker.handlers = {id(entry.handler) for _, entry in self.entries}
        total = len(self.entries) + len(modules)
        walked: list[tuple[Entry | None, list[Event]]] = []
        for found_in, entry in self.entries:
            tell("following requests", len(walked), len(self.entries))
            with self._bounded(entry.path):
                module = self.project.module(entry.path) or found_in
                walked.append((entry, self._handled(module, entry)))
        for number, module in enumerate(modules):
            tell("walking through the code", number, len(modules))
            if self._matters(module):
                with self._bounded(module.path):
                    walked.append((None, self._rest(module)))
        if self._walker.cut_short:
            self.notices.append(
                f"The app is large: {self._walker.cut_short} of {total} walks through its code were cut "
                "short. Run the audit on the folders that matter to see all."
            )
        self.has_ai = any(isinstance(event, Asked) for _, events in walked for event in events)
        for reached, events in walked:
            self._keep(self._of_events(reached, events))
        for number, module in enumerate(modules):
            tell("judging the code", number, len(modules))
            with self._bounded(module.path):
                in_browser = self._in_browser(module.path) is not None
                self._keep(static_findings(self.project, module, in_browser=in_browser))
        self._keep(template_findings(self.project.paths, self.project.text, has_ai=self.has_ai))
        unread = [path for path in self.project.unread() if not is_test(path)]
        self.notices += notices(self.project, sorted(unread))
        return self.findings

    @contextmanager
    def _bounded(self, path: str) -> Iterator[None]:
        """Go on with the next file where one is nested too deeply to be followed, and say so."""
        try:
            yield
        except RecursionError:
            notice = f"{path} is nested too deeply to be followed: parts of it were not read."
            if notice not in self.notices:
                self.notices.append(notice)

    def _mentions_model(self, module: Module) -> bool:
        """Say whether a file, or one that it imports, holds a word of a model's library."""
        near = [module, *filter(None, (self.project.imported(module, n) for n in module.imports.values()))]
        return any(self._models.find_matches_as_indexes(self.project.text(one.path) or "") for one in near)

    def _matters(self, module: Module) -> bool:
        """Say whether code that no request reaches can hold a finding all the same."""
        text = self.project.text(module.path) or ""
        return bool(self._alone.find_matches_as_indexes(text)) or _READS_SECRET.search(text) is not None

    def _read(self, tell: Progress) -> list[Module]:
        """Return the files that are worth walking through, in the common form."""
        found = []
        total = len(self.project.code_paths)
        for number, module in enumerate(self.project.modules(*self._words(), skip=is_made)):
            tell("reading the code", number, total)
            if not is_test(module.path):
                found.append(module)
        return found

    def _words(self) -> tuple[str, ...]:
        total = 0
        for path in self.project.code_paths:
            total += len(self.project.read(path) or b"")
            if total > FILES_READ_WHOLE_MAX_BYTES:
                return WORDS
        return ()

    def _handled(self, module: Module, entry: Entry) -> list[Event]:
        """Walk through an entry's handler; the checks that stand before it come first."""
        walker = self._walker
        walker.restart()
        walker.route = entry.route if entry.route and not set("{<:*[") & set(entry.route) else ""
        before = list(guards_before(entry, walker))
        walker.restart()
        walker.schema = self._schema(entry)
        walker.kind = entry.kind
        me = None
        if entry.handler.owner is not None:
            cls = self.project.scope(module).classes.get(entry.handler.owner)
            once = module.language == "javascript"  # Python's frameworks make one for each request.
            me = walker.instance(module, cls, is_shared=once) if cls is not None else None
            if me is not None and isinstance(me.ref, Instance):
                taint = Taint(INPUT, "request", entry.path, entry.line)
                me.ref.fields.setdefault("request", Value(taints=frozenset({taint}), shape="request"))
        walker.handle(module, entry.handler, given_to(entry), me)
        walker.route = walker.kind = ""
        return [*before, *walker.events]

    def _schema(self, entry: Entry) -> Value | None:
        """Return the schema that a validator before the handler holds the body against."""
        for path, expr in entry.applied:
            module = self.project.module(path)
            if module is None or not isinstance(expr, Call):
                continue
            for arg in expr.args:
                value = self._walker.value(arg, self._walker.module_env(module))
                if is_schema(value):
                    return value
        return None

    def _rest(self, module: Module) -> list[Event]:
        """Walk through what no entry has led to: the module itself, and its other functions."""
        walker = self._walker
        walker.restart(STEPS_UNREACHED_MAX)
        walker.top(module)
        registered = error_handlers(module)
        for function in functions_of(module):
            cls = self.project.scope(module).classes.get(function.owner or "")
            is_for_model = is_tool(function, cls)
            for_errors = is_error_handler(function) or id(function) in registered
            if id(function) in walker.entered and not is_for_model and not for_errors:
                continue
            keywords = any(p.kind == "keywords" for p in function.params)
            given = {"**": Value(origin="options")} if keywords else {}
            if is_for_model:
                given = given_by_model(function, module.path)
            if for_errors:
                given = _error_given(module, function)
                walker.handle(module, function, given)
            else:
                me = Value(ref=Instance(module, cls), origin=cls.name + "()") if cls is not None else None
                given |= page_inputs(module, function)
                walker.invoke(Closure(module, function, walker.module_env(module), me), [], given)
        return walker.events

    def _of_events(self, entry: Entry | None, events: list[Event]) -> Iterator[Finding]:
        checks, asked = effective(events)
        if entry is not None:
            in_server = [a for a in asked if self._in_browser(a.path) is None]
            yield from unprotected(entry, checks, in_server)
            yield from shared_state(entry, events, asked)
            yield from slow(entry, in_server, events)
        yield from loops(events)
        told = any(isinstance(event, Harm) and event.use == "reply" and _tells(event) for event in events)
        for event in events:
            if is_test(event.path):
                continue
            if isinstance(event, Asked):
                yield from of_asked(
                    event,
                    in_browser=self._in_browser(event.path),
                    is_exposed=entry is not None and entry.kind != "command",
                    home=entry.path if entry is not None else "",
                )
            elif isinstance(event, Harm):
                if event.use == "reply" and entry is None and not event.way:
                    continue
                if event.use in _OF_SERVERS and self._in_browser(event.path) is not None:
                    continue
                line_text = self._line(event.path, event.line)
                yield from of_harm(event, line_text=line_text, has_ai=self.has_ai)
            elif isinstance(event, Returned) and not told:
                yield from of_returned(event, is_page=entry is not None and _is_page(entry))

    def _keep(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            key = (finding.rule, finding.path, finding.line)
            if key not in self._seen:
                self._seen.add(key)
                self.findings.append(finding)

    def _in_browser(self, path: str) -> str | None:
        if path not in self._browser:
            module = self.project.module(path) if not path.endswith((".py", ".pyw", ".ipynb")) else None
            self._browser[path] = runs_in_browser(self.project, module) if module is not None else None
        return self._browser[path]

    def _line(self, path: str, line: int) -> str:
        lines = (self.project.text(path) or "").splitlines()
        near = "\n".join(lines[max(0, line - 2) : line + 1])
        talks = _TALKS.search("\n".join(lines))
        return f"{near}\n{talks[0] if talks else ''}"


def is_made(path: str, text: str) -> bool:
    """Say whether a file was made by a program: a bundle, generated code, something minified."""
    if _MADE.search(path):
        return True
    return len(text) > 20_000 and len(text) > 300 * (text.count("\n") + 1)


def is_test(path: str) -> bool:
    """Say whether a file is a test, a story or a configuration of tools: code that no stranger reaches."""
    return _TESTS.search(path) is not None


_TEXT_ONLY = frozenset({"nosql", "type"})
"""What a part of a path is fit for: it is always a text."""


def given_to(entry: Entry) -> dict[str, Value]:
    """Return what a handler's parameters hold when a stranger calls."""
    given: dict[str, Value] = {}
    if entry.kind == "command":  # Who runs it could run anything else.
        return given
    route = entry.route or ""
    for name in (*entry.inputs, *entry.requests):
        if f"int:{name}>" in route or f"uuid:{name}>" in route or f"{name}:int" in route:
            continue
        fit = _TEXT_ONLY if f"<{name}>" in route or f":{name}>" in route else frozenset[str]()
        taint = Taint(INPUT, name, entry.path, entry.line, fit)
        one_segment = (
            f"<{name}>" in route
            or f"{{{name}}}" in route
            or f"<str:{name}>" in route
            or f"<slug:{name}>" in route
        )
        if one_segment and entry.path.endswith(
            ".py"
        ):  # The path was decoded before it was cut at its slashes.
            taint = taint._replace(source=f"{name}{ONE_SEGMENT}")
        is_request = name in entry.requests
        given[name] = Value(taints=frozenset({taint}), shape="request" if is_request else "", origin=name)
    return given


def _tells(event: Harm) -> bool:
    return any(taint.kind in {ERROR, TRACE} for taint in event.taints)


def _is_page(entry: Entry) -> bool:
    """Say whether the text that a handler returns is shown as a page."""
    if entry.framework in {"flask", "quart", "bottle"}:
        return True
    classes = [
        v
        for d in entry.handler.decorators
        if isinstance(d, Call)
        for n, v in d.named
        if n == "response_class"
    ]
    return any(getattr(value, "id", getattr(value, "name", "")) == "HTMLResponse" for value in classes)


def _entries(project: Project, module: Module) -> list[Entry]:
    if module.language == "python":
        from seawall.check.code.entries_python import entries as of_python  # noqa: PLC0415 - only where needed

        return list(of_python(project, module))
    from seawall.check.code.entries_javascript import entries as of_javascript  # noqa: PLC0415

    return list(of_javascript(project, module))


def _error_given(module: Module, function: Function) -> dict[str, Value]:
    """Return what an error handler's parameters hold: one of them is the error."""
    value = Value(taints=frozenset({Taint(ERROR, "error", module.path, function.line)}))
    given = {}
    for param in function.params:
        if param.name.lower() in ERROR_NAMES or param.name == "exc":
            given[param.name] = value
        for key, to in param.pattern.items if isinstance(param.pattern, Dict) else ():
            if isinstance(key, Literal) and key.value in {"error", "err"} and isinstance(to, Name):
                given[to.id] = value
    if not given and function.params and function.params[-1].name:
        given[function.params[-1].name] = value
    return given
