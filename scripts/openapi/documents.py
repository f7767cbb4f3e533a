"""What is no call: models, stored answers, health and this file."""

from openapi.errors import errors
from openapi.shapes import (
    Json,
    answer,
    boolean,
    choice,
    in_path,
    many,
    maybe,
    money,
    opened,
    query,
    ref,
    text,
    whole,
    whole_of,
)

KEY: list[Json] = [{"virtualKey": []}, {"virtualKeyHeader": []}]
_response_id = in_path("id", "The id of a stored response.")
_end_users = [
    {"$ref": "#/components/parameters/seawall-user"},
    query("user", text(), "The end user, where the header does not name it."),
    query("safety_identifier", text(), "The end user, where the header does not name it."),
]
_rate = maybe(money("For a million tokens."))


def document_schemas() -> Json:
    """Return models and what is said of stored responses."""
    ours: Json = {
        "id": text("The name under which it can be called."),
        "owned_by": text("The provider that serves it."),
        "input_usd_per_mtok": money("For a million tokens."),
        "output_usd_per_mtok": money("For a million tokens."),
        "cached_input_usd_per_mtok": _rate,
        "max_output_tokens": maybe(whole()),
        "context_tokens": maybe(whole()),
    }
    openai = {"object": text(const="model"), "created": whole(), **ours}
    anthropic = {"type": text(const="model"), "display_name": text(), "created_at": text(), **ours}
    stands_for = {"stands_for": text("Of an alias: the model behind it.")}
    return {
        "Model": opened({**openai, **stands_for}, needs=tuple(openai)),
        "AnthropicModel": opened({**anthropic, **stands_for}, needs=tuple(anthropic)),
        "Models": whole_of({"object": text(const="list"), "data": many(ref("Model"))}),
        "AnthropicModels": whole_of(
            {
                "data": many(ref("AnthropicModel")),
                "has_more": boolean(),
                "first_id": maybe(text()),
                "last_id": maybe(text()),
            }
        ),
        "InputItems": whole_of(
            {
                "object": text(const="list"),
                "data": many(ref("ResponseItem")),
                "first_id": maybe(text()),
                "last_id": maybe(text()),
                "has_more": boolean(),
            }
        ),
        "Ready": opened(
            {
                "ready": boolean(),
                "reasons": many(text(), "Why not; only for the admin key."),
            },
            needs=("ready",),
        ),
    }


def document_paths() -> Json:
    """Return the operations."""
    return {**_models(), **_stored(), **_health()}


def _either(one: str, other: str) -> Json:
    return answer("With anthropic-version in Anthropic's shape.", {"anyOf": [ref(one), ref(other)]})


def _models() -> Json:
    version = {"$ref": "#/components/parameters/anthropic-version"}
    shared: Json = {"tags": ["Models"], "security": KEY}
    return {
        "/v1/models": {
            "get": {
                "operationId": "listModels",
                "summary": "The models that this key may use, with their prices",
                **shared,
                "parameters": [version],
                "responses": {
                    "200": _either("Models", "AnthropicModels"),
                    **errors(401, 403),
                },
            }
        },
        "/v1/models/{model}": {
            "get": {
                "operationId": "getModel",
                "summary": "One model",
                **shared,
                "parameters": [
                    version,
                    in_path("model", "Its name, or its provider's and its name.", minLength=1),
                ],
                "responses": {
                    "200": _either("Model", "AnthropicModel"),
                    **errors(401, 403, 404),
                },
            }
        },
    }


def _stored_operation(name: str, summary: str, parameters: list[Json], ok: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["Stored answers"],
        "security": KEY,
        "parameters": [_response_id, *_end_users, *parameters],
        "responses": {**({"200": ok} if ok else {}), **errors(401, 403, 404)},
    }


def _stored() -> Json:
    stream = query("stream", boolean(), "Send the events of a streamed answer once more.")
    after = query("starting_after", whole(minimum=0, maximum=10**9 - 1), "Only events after this number.")
    found = answer("The response as it was answered.", ref("Response"))
    found["content"]["text/event-stream"] = {"schema": text("The events as they were sent.")}
    deleted = whole_of({"id": text(), "object": text(const="response"), "deleted": boolean()})
    pages = [
        query("limit", whole(minimum=1, maximum=100, default=20), "How many."),
        query("order", choice("asc", "desc"), "From the oldest, or from the newest (`desc`, without it)."),
        query("after", text(), "The id of an item to go on from."),
    ]
    return {
        "/v1/responses/{id}": {
            "get": _stored_operation("getResponse", "A stored response", [stream, after], found),
            "delete": _stored_operation(
                "deleteResponse", "Forget a stored response", [], answer("It is forgotten.", deleted)
            ),
        },
        "/v1/responses/{id}/input_items": {
            "get": _stored_operation(
                "listInputItems", "What an answer was made from", pages, answer("A page.", ref("InputItems"))
            )
        },
        "/v1/responses/{id}/cancel": {
            "post": _stored_operation(
                "cancelResponse", "Refused: only background responses can be cancelled", [], {}
            )
        },
    }


def _health() -> Json:
    shared: Json = {"tags": ["Health"]}
    own = errors()
    return {
        "/healthz": {
            "get": {
                "operationId": "getHealth",
                "summary": "Whether the process is alive",
                **shared,
                "security": [],
                "responses": {"200": answer("It is.", whole_of({"status": text(const="ok")})), **own},
            }
        },
        "/readyz": {
            "get": {
                "operationId": "getReadiness",
                "summary": "Whether calls can be taken; with the admin key it says why not",
                **shared,
                "security": [{}, {"adminKey": []}],
                "responses": {**own, "200": answer("Yes.", ref("Ready")), "503": answer("No.", ref("Ready"))},
            }
        },
        "/metrics": {
            "get": {
                "operationId": "getMetrics",
                "summary": "Figures for Prometheus",
                **shared,
                "security": [{"adminKey": []}],
                "responses": {
                    "200": {
                        "description": "Prometheus's text format.",
                        "content": {"text/plain": {"schema": text()}},
                    },
                    **errors(401),
                },
            }
        },
        "/v1/events": {
            "get": {
                "operationId": "followEvents",
                "summary": "Events of the caller's own jobs",
                "tags": ["Calls"],
                "security": KEY,
                "parameters": [
                    {"$ref": "#/components/parameters/seawall-user"},
                    query("after", text(), "The id of an event to go on after, as Last-Event-ID."),
                ],
                "responses": {
                    "200": {
                        "description": "Server-sent events: job.completed and the like.",
                        "content": {"text/event-stream": {"schema": text()}},
                    },
                    **errors(400, 401, 403, 429),
                },
            }
        },
        "/seawall.js": {
            "get": {
                "operationId": "getScript",
                "summary": "The script with which web pages ask",
                **shared,
                "tags": ["Calls"],
                "security": [],
                "responses": {
                    "200": {
                        "description": "An ES module.",
                        "content": {"text/javascript": {"schema": text()}},
                    },
                    "304": {"description": "The tag in If-None-Match is the present one."},
                    **own,
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "getOpenApi",
                "summary": "This description",
                **shared,
                "security": [],
                "responses": {"200": answer("An OpenAPI 3.1 document.", opened({})), **own},
            }
        },
    }
