"""The addresses that make a call: the fields of their requests that Seawall reads, and their answers.

Every other field travels on to the provider, so all of these objects are open.
"""

from openapi.errors import call_errors
from openapi.shapes import Json, answer, body, boolean, choice, many, maybe, number, opened, ref, text, whole
from seawall.server.body import BodyLimits
from seawall.server.endpoints import ENDPOINTS, Endpoint
from seawall.wire.chat.request import CHOICES_MAX
from seawall.wire.names import NAME_CHARS_MAX

CALL_KEYS: list[Json] = [{"virtualKey": []}, {"virtualKeyHeader": []}]
_ITEMS_MAX = BodyLimits().messages_max

_model = text("The model, or an alias of this gateway.", minLength=1, maxLength=NAME_CHARS_MAX)
_stream = maybe(boolean("Whether the answer is streamed as server-sent events."))
_cap = maybe(whole("The most output tokens; lowered to what the money left can buy.", minimum=1))
_user = maybe(text("The end user for whom the call is made."))
_tools = maybe(many(opened({}), "Function tools; those that a provider runs itself are refused."))
_format = maybe(opened({}))
_words = {"anyOf": [text(), many(opened({"type": text()}, needs=("type",)))]}
_FINISH = maybe(text("Why the model stopped."))

HEADERS: Json = {
    "seawall-output-cap": {
        "description": "Where the output cap was lowered: what it is, and what was asked for.",
        "schema": text(),
    },
    "seawall-translation": {
        "description": "What was said to the provider in another way: the field, and how.",
        "schema": text(),
    },
    "seawall-cost-usd": {
        "description": "What a whole answer cost, where the provider said so.",
        "schema": text(),
    },
    "seawall-cache": {"description": "What the cache did.", "schema": text()},
    "seawall-saved-usd": {"description": "What an answer from the cache saved.", "schema": text()},
    "age": {"description": "How old an answer from the cache is, in seconds.", "schema": whole(minimum=0)},
    "ratelimit": {"description": "How the caller's limits stand, in the IETF's words.", "schema": text()},
    "ratelimit-policy": {"description": "The caller's limits, in the IETF's words.", "schema": text()},
}


def call_schemas() -> Json:
    """Return the requests and answers of all dialects."""
    return {**_chat(), **_responses(), **_messages(), **_embeddings()}


def call_paths() -> Json:
    """Return an operation for each endpoint of the table of routes."""
    return {path: {"post": _operation(endpoint)} for path, endpoint in ENDPOINTS.items()}


_NAMES = {
    "chat": ("createChatCompletion", "A call in OpenAI's chat completions", "ChatRequest", "ChatCompletion"),
    "responses": ("createResponse", "A call in OpenAI's responses", "ResponsesRequest", "Response"),
    "messages": ("createMessage", "A call in Anthropic's messages", "MessagesRequest", "Message"),
    "count_tokens": ("countTokens", "The tokens of a call, free", "CountTokensRequest", "CountedTokens"),
    "embeddings": ("createEmbedding", "Embeddings of texts", "EmbeddingsRequest", "Embeddings"),
}
_STREAMED = ("chat", "responses", "messages")


def _operation(endpoint: Endpoint) -> Json:
    name, summary, request, answered = _NAMES[endpoint.dialect]
    parameters: list[Json] = [
        {"$ref": "#/components/parameters/seawall-user"},
        {"$ref": "#/components/parameters/seawall-client-ip"},
        {"$ref": "#/components/parameters/cache-control"},
    ]
    parameters += [{"$ref": f"#/components/parameters/{header}"} for header in sorted(endpoint.headers)]
    id_header = endpoint.request_id_header.decode()
    headers = {each: {"$ref": f"#/components/headers/{each}"} for each in (id_header, *HEADERS)}
    ok = answer("The answer.", ref(answered), headers=headers)
    if endpoint.dialect in _STREAMED:
        ok["content"]["text/event-stream"] = {"schema": text("The events of the dialect, one after another.")}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["Calls"],
        "security": CALL_KEYS,
        "parameters": parameters,
        "requestBody": body(ref(request)),
        "responses": {"200": ok, **call_errors(endpoint.dialect)},
    }


def _chat() -> Json:
    message = opened(
        {"role": text("`system`, `developer`, `user`, `assistant`, `tool`."), "content": {**_words}},
        needs=("role",),
        help_text="One message; its content is a text, or parts of text, image_url, input_audio or file.",
    )
    message["properties"]["content"] = {"anyOf": [*_words["anyOf"], {"type": "null"}]}
    request = opened(
        {
            "model": _model,
            "messages": many(ref("ChatMessage"), minItems=1, maxItems=_ITEMS_MAX),
            "stream": _stream,
            "stream_options": maybe(
                opened({"include_usage": maybe(boolean("Whether a last event has the usage."))})
            ),
            "max_completion_tokens": _cap,
            "max_tokens": _cap,
            "n": maybe(whole("How many answers.", minimum=1, maximum=CHOICES_MAX)),
            "tools": _tools,
            "functions": maybe(many(opened({}), "The older word for tools.")),
            "response_format": _format,
            "modalities": maybe(many(text(), "`text`, and `audio` where its price is known.")),
            "audio": maybe(opened({})),
            "safety_identifier": _user,
            "user": _user,
            "service_tier": maybe(text("Those that cost the listed price or less.")),
        },
        needs=("model", "messages"),
    )
    usage = opened(
        {
            "prompt_tokens": whole(minimum=0),
            "completion_tokens": whole(minimum=0),
            "total_tokens": whole(minimum=0),
        }
    )
    choice_of = opened({"index": whole(minimum=0), "message": opened({}), "finish_reason": _FINISH})
    fields = {
        "id": text(),
        "object": text(),
        "created": whole(),
        "model": text(),
        "choices": many(choice_of),
        "usage": maybe(usage),
    }
    return {
        "ChatMessage": message,
        "ChatRequest": request,
        "ChatCompletion": opened(fields, needs=("choices",)),
    }


def _responses() -> Json:
    item = opened(
        {
            "type": text(
                "`message`, `function_call`, `function_call_output`, `custom_tool_call`,"
                " `custom_tool_call_output`, `reasoning`, `item_reference`."
            ),
            "role": choice("user", "assistant", "system", "developer"),
            "id": text(),
        },
        help_text="One item of a conversation; a message may leave its type out.",
    )
    request = opened(
        {
            "model": _model,
            "input": {"anyOf": [text(), many(ref("ResponseItem"), maxItems=_ITEMS_MAX)]},
            "instructions": maybe(text("What the model is told before everything else.")),
            "previous_response_id": maybe(
                text("The stored response to go on from; then input may be missing.")
            ),
            "store": maybe(boolean("Whether the answer is stored; true.")),
            "stream": _stream,
            "stream_options": maybe(opened({})),
            "max_output_tokens": _cap,
            "tools": _tools,
            "text": maybe(opened({"format": _format})),
            "include": maybe(many(text())),
            "safety_identifier": _user,
            "user": _user,
        },
        needs=("model",),
    )
    fields = {
        "id": text(),
        "object": text(const="response"),
        "created_at": number(),
        "status": text(),
        "model": text(),
        "output": many(ref("ResponseItem")),
        "previous_response_id": maybe(text()),
        "usage": maybe(opened({"input_tokens": whole(minimum=0), "output_tokens": whole(minimum=0)})),
    }
    return {
        "ResponseItem": item,
        "ResponsesRequest": request,
        "Response": opened(fields, needs=("id", "object", "output")),
    }


def _messages() -> Json:
    message = opened(
        {"role": choice("user", "assistant", "system"), "content": {**_words}},
        needs=("role", "content"),
        help_text="One message; its content is a text or a list of blocks.",
    )
    fields: Json = {
        "model": _model,
        "messages": many(ref("AnthropicMessage"), minItems=1, maxItems=_ITEMS_MAX),
        "system": {"anyOf": [*_words["anyOf"], {"type": "null"}]},
        "tools": _tools,
        "tool_choice": maybe(opened({"type": text()})),
        "thinking": maybe(opened({"type": text(), "budget_tokens": whole()})),
        "output_config": maybe(opened({})),
        "stop_sequences": maybe(many(text())),
        "metadata": maybe(opened({"user_id": _user})),
        "cache_control": maybe(opened({"type": text(), "ttl": maybe(text("`5m` or `1h`."))})),
    }
    answered = {"max_tokens": _cap, "stream": _stream}
    counted = {key: value for key, value in fields.items() if key != "metadata"}
    usage = opened({"input_tokens": whole(minimum=0), "output_tokens": whole(minimum=0)})
    answer_fields = {
        "id": text(),
        "type": text(const="message"),
        "role": text(const="assistant"),
        "model": text(),
        "content": many(opened({"type": text()}, needs=("type",))),
        "stop_reason": _FINISH,
        "usage": usage,
    }
    return {
        "AnthropicMessage": message,
        "MessagesRequest": opened({**fields, **answered}, needs=("model", "messages")),
        "CountTokensRequest": {
            **opened(counted, needs=("model", "messages")),
            "not": {"anyOf": [{"required": ["max_tokens"]}, {"required": ["stream"]}]},
        },
        "Message": opened(answer_fields, needs=("id", "type", "content", "usage")),
        "CountedTokens": opened({"input_tokens": whole(minimum=0)}, needs=("input_tokens",)),
    }


def _embeddings() -> Json:
    one = text(minLength=1)
    tokens = many(whole(minimum=0), minItems=1)
    request = opened(
        {
            "model": _model,
            "input": {
                "anyOf": [one, many({"anyOf": [one, tokens]}, minItems=1, maxItems=_ITEMS_MAX), tokens],
            },
            "encoding_format": maybe(choice("float", "base64")),
            "dimensions": maybe(whole(minimum=1)),
            "safety_identifier": _user,
            "user": _user,
        },
        needs=("model", "input"),
    )
    row = opened({"index": whole(minimum=0), "embedding": {"type": ["array", "string"]}})
    fields = {"object": text(), "data": many(row), "model": text(), "usage": opened({})}
    return {"EmbeddingsRequest": request, "Embeddings": opened(fields, needs=("data",))}
