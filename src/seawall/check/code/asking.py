"""Recognises calls of a model: by library, by an object that calls one, by plain HTTP to a provider."""

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from seawall.check.code.events import Asked
from seawall.check.code.knowledge import ModelCall
from seawall.check.code.site import Site
from seawall.check.code.values import ENGINE, ENV, INPUT, MODEL, NONE, SECRET, Taint, Value

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal", ":11434", ":1234", "ollama", "::1")  # noqa: S104 - names to look for
_SEAWALL = ("seawall", ":8787")
_COMMANDS = (
    "InvokeModelCommand()",
    "ConverseCommand()",
    "InvokeModelWithResponseStreamCommand()",
    "ConverseStreamCommand()",
)
_EMBEDS = frozenset(
    [
        "from_documents",
        "from_texts",
        "afrom_documents",
        "afrom_texts",
        "fromDocuments",
        "fromTexts",
        "add_documents",
        "addDocuments",
    ]
)
"""What a store of vectors does with texts: it asks the model that it was given for their embeddings."""
_VENDORS = (
    "openai",
    "anthropic",
    "llm",
    "mistral",
    "groq",
    "cohere",
    "genai",
    "google",
    "ollama",
    "together",
    "chat",
)
_KEYS = (
    "api_key",
    "apiKey",
    "key",
    "anthropicApiKey",
    "openAIApiKey",
    "openai_api_key",
    "api_token",
    "auth",
    "token",
)
_BASES = ("base_url", "baseURL", "api_base", "apiBase", "basePath", "baseUrl", "endpoint", "azure_endpoint")
_LISTS = re.compile(r"/(models|usage|credits|key|voices|files)/?(\?|$)|^https?://[^/]+/?$")
"""Addresses of a provider that cost nothing."""
_HTTP_PATHS = {
    "embedding": "embedding",
    "image": "image",
    "audio": "audio",
    "speech": "audio",
    "transcri": "audio",
}


def options_of(given: list[Value], named: dict[str, Value]) -> dict[str, Value]:
    """Return what a call is told by name, by the entries of objects, and by position (as digits)."""
    options: dict[str, Value] = {str(place): value for place, value in enumerate(given)}
    for value in given:
        if value.items is not None:
            options.update(value.items)
        elif (
            value.shape == ""
            and value.literal is not None
            and not value.elements
            and value.ref is None
            and value.origin
        ):
            options.setdefault("**", value)
    options.update(named)
    return options


def engine(site: Site, walker: "Walker") -> Taint | None:
    """Return the mark of an object that calls a model when it is asked; None for any other."""
    known, name, options = walker.known, site.name, site.options
    word = name.rpartition(".")[2].replace("()", "")
    owner = name.split(".")[-2].replace("()", "") if "." in name else ""
    if not known.engines.first(name) or not (
        {word, owner} & known.engine_words or _ends_like(word, known.engine_words)
    ):
        return None
    is_capped = _holds(options, known.data.engines.cap, [], 3)
    is_local = any(part in name for part in known.data.engines.local) or _points(options, _LOCAL)
    source = "local" if is_local else "capped" if is_capped else ""
    return Taint(ENGINE, source, *site.place)


def ask(site: Site, walker: "Walker") -> Value | None:
    """Note that a model is called; return its answer, or None where this call asks none."""
    name, options, base, callee = site.name, site.options, site.base, site.callee
    path, line = site.place
    found = _by_name(name, options, walker) or _by_command(name, site.given)
    if found is None and site.last in _EMBEDS and any("Embedding" in value.origin for value in site.values):
        found = ModelCall(kind="embedding")
    by_http = found is None
    found = found or _by_http(name, options, walker)
    engine_of = base if base.has(ENGINE) else callee if callee.has(ENGINE) else None
    if found is None and engine_of is not None:
        found = _by_engine(name, base, walker)
    if found is None:
        return None
    if by_http:
        options = _inside(options)
    client = callee.client or base.client or base
    holds = {**(client.items or {}), **options}
    engines = engine_of.of(ENGINE) if engine_of is not None else []
    is_local = any(t.source == "local" for t in engines) or _points(holds, (*_LOCAL, *_SEAWALL))
    messages = _first(options, found.messages)
    systems = tuple(options[key] for key in found.system if key in options)
    walker.note(
        Asked(
            path,
            line,
            name=name,
            kind=found.kind,
            is_paid=found.paid and not is_local,
            is_capped=_capped(found, options, client, engines),
            own_key=any(_is_callers(holds[key]) for key in _KEYS if key in holds) or _key_in_headers(options),
            streams=_streams(name, options),
            in_background=walker.in_background,
            messages=messages,
            system=(*systems, *_systems_in(messages)),
            model=options.get("model", options.get("modelId", NONE)),
            demands_cap=found.demands_cap,
            options_at=options["*"].at if by_http and "*" in options else None,
        )
    )
    return Value(taints=frozenset({Taint(MODEL, "the model", path, line)}), origin=name + "()")


def addresses(name: str, options: dict[str, Value]) -> list[Value]:
    """Return what a provider's client or call is told about the address to ask."""
    if not any(word in name.lower() for word in _VENDORS):
        return []
    if any(options[key].has(INPUT) for key in _KEYS if key in options):
        return []  # Who brings the key may say where it goes.
    return [options[key] for key in _BASES if key in options]


def _inside(options: dict[str, Value]) -> dict[str, Value]:
    """Return the options of a request with those of its body, which says which model and how long."""
    for key in ("json", "body", "data", "1"):
        body = options.get(key)
        if body is not None and body.items is not None:
            inner = body.items.get("body", body)
            return {**options, **(inner.items or {}), "*": replace(inner, items=None, at=inner.at or body.at)}
    return options


def _by_name(name: str, options: dict[str, Value], walker: "Walker") -> ModelCall | None:
    found: ModelCall
    for found in walker.known.models.all(name):
        if found.needs and not any(key in options for key in found.needs) and "**" not in options:
            continue
        if found.inside and not any(word in name for word in found.inside):
            continue
        return found
    return None


def _by_command(name: str, given: list[Value]) -> ModelCall | None:
    if name.endswith(".send") and any(value.origin.endswith(_COMMANDS) for value in given):
        return ModelCall(
            cap=("max_tokens", "maxTokens", "max_tokens_to_sample"), messages=("body", "messages")
        )
    return None


def _by_http(name: str, options: dict[str, Value], walker: "Walker") -> ModelCall | None:
    http = walker.known.data.http
    if not walker.known.http.first(name):
        return None
    for key in ("0", "url", "1"):
        value = options.get(key)
        if value is None:
            continue
        address = value.literal if isinstance(value.literal, str) else value.prefix
        if any(host in address for host in http.hosts) and not _LISTS.search(address):
            method = options.get("method", NONE).literal
            if name.rpartition(".")[2] in {"fetch", "request", "axios", "urlopen"} and method in {
                "GET",
                "get",
            }:
                return None
            asks = any(key in options for key in ("method", "body", "data", "json", "**"))
            if ("fetch" in name or name.endswith("urlopen")) and not asks and "1" not in options:
                return None
            kind = next((kind for part, kind in _HTTP_PATHS.items() if part in address.lower()), "text")
            return ModelCall(
                kind=kind,
                cap=http.cap,
                messages=("messages", "prompt", "contents", "input", "json", "body", "data", "1"),
                system=("system", "system_instruction", "systemInstruction"),
            )
    return None


def _by_engine(name: str, base: Value, walker: "Walker") -> ModelCall | None:
    asked = name.rpartition(".")[2].replace("()", "")
    if asked in walker.known.engine_asked or (not base.has(ENGINE)):
        return ModelCall(
            cap=walker.known.data.engines.cap, messages=("0", "input", "messages", "message", "prompt")
        )
    return None


def _capped(found: ModelCall, options: dict[str, Value], client: Value, engines: list[Taint]) -> bool | None:
    if any(t.source == "capped" for t in engines):
        return True
    seen: list[bool] = []
    if _holds(options, found.cap, seen, 4) or (client.items and _holds(client.items, found.cap, [], 3)):
        return True
    return None if any(seen) else False


def _holds(options: dict[str, Value], names: tuple[str, ...], unknown: list[bool], depth: int) -> bool:
    """Say whether one of these options is there, at any depth; note where something cannot be seen."""
    for key, value in options.items():
        if key in names:
            return True
        if key == "**":
            unknown.append(True)
        if depth and value.items is not None and _holds(value.items, names, unknown, depth - 1):
            return True
    return False


def _streams(name: str, options: dict[str, Value]) -> bool:
    said = options.get("stream")
    if said is not None:
        return said.literal is not False
    return "stream" in name.lower().rpartition(".")[2]


def _points(options: dict[str, Value], words: tuple[str, ...]) -> bool:
    """Say whether the address of a client, or the name of its variable, holds one of these words."""
    for key in (*_BASES, "0", "url"):
        value = options.get(key)
        if value is None:
            continue
        text = value.literal if isinstance(value.literal, str) else value.prefix
        text = f"{text} {' '.join(t.source for t in value.taints)}".lower()
        if (key not in {"0", "url"} or "://" in text) and any(word in text for word in words):
            return True
    return False


def _is_callers(key: Value) -> bool:
    """Say whether a key is the caller's, and never the owner's where the caller brings none."""
    return key.has(INPUT) and not key.has(SECRET) and not key.has(ENV)


def _key_in_headers(options: dict[str, Value]) -> bool:
    headers = options.get("headers", NONE)
    for key, value in (headers.items or {}).items():
        if key.lower() in {"authorization", "x-api-key", "api-key", "x-goog-api-key"} and _is_callers(value):
            return True
    return False


def _first(options: dict[str, Value], names: tuple[str, ...]) -> Value:
    found = [options[name] for name in names if name in options]
    return found[0] if found else NONE


def _systems_in(messages: Value) -> tuple[Value, ...]:
    """Return the contents of the system messages in a list of messages."""
    found = []
    for element in messages.elements or ():
        items = element.items or {}
        role = items.get("role", items.get("type", NONE)).literal
        if role in {"system", "developer"}:
            found.append(items.get("content", NONE))
        parts = element.elements or ()
        if len(parts) == 2 and parts[0].literal == "system":
            found.append(parts[1])
    return tuple(found)


def _ends_like(word: str, words: frozenset[str]) -> bool:
    return any(word.startswith(known) or word.endswith(known) for known in words if len(known) > 6)
