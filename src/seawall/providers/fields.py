"""The fields that change price, model or hidden input: each is priced, resolved by us, or refused (money.md).

One table serves all vendors that speak chat completions: what one of them knows is refused for all. The
fields of messages and responses are listed beside their dialects. Vendors' API references, read 2026-11.
"""

from collections.abc import Callable
from typing import Any

from seawall.core.call import Request, Route
from seawall.core.errors import UnpricedField
from seawall.wire.messages import fields as messages
from seawall.wire.responses import fields as responses

_ORDINARY_TIERS = (None, "auto", "default", "flex", "on_demand")
"""Those that cost the listed price or less; `on_demand` is what Groq calls its default."""

_REFUSED = {
    "web_search_options": "it lets the model search the web, which is billed by the search",
    "plugins": "plugins are billed by themselves",
    "search_parameters": "it lets the model search, which is billed by the search",
    "prediction": "rejected predictions are billed as output",
    "best_of": "answers that are thrown away are billed as well",
    "models": "it lets the provider answer with another model, at another price",
    "route": "it lets the provider answer with another model, at another price",
    "provider": "it lets the provider choose whom to ask, at another price",
    "compound_custom": "tools that the provider runs itself are billed by themselves",
    "cached_content": "stored content adds input that cannot be counted here",
    "moderation": "it asks a second model, at a price that is not known",
    "prompt": "a stored prompt adds input that cannot be counted here",
    "previous_response_id": "stored state adds input that cannot be counted here",
    "conversation": "stored state adds input that cannot be counted here",
}
_REFUSED_NAMES = frozenset(_REFUSED)
_PRICED_TOOLS = ("function", "custom")


def check_fields(request: Request, route: Route) -> None:
    """Raise UnpricedField for what changes price, model or hidden input of a call beyond any bound."""
    _check_audio(request, route)
    check = _CHECKS.get(request.dialect)
    if check is not None:
        check(request)


def _check_audio(request: Request, route: Route) -> None:
    rates = route.price.rates
    for field, is_used, rate in (
        ("messages", request.audio_bytes > 0, rates.audio_input),
        ("modalities", request.wants_audio, rates.audio_output),
    ):
        if is_used and rate is None and rates.output:
            raise UnpricedField("The price of audio is not known for this model.", param=field)


def _check_messages(request: Request) -> None:
    messages.check_fields(request.body, request.headers)


def _check_responses(request: Request) -> None:
    responses.check_fields(request.body)


def _check_chat(request: Request) -> None:
    body = request.body
    if not _REFUSED_NAMES.isdisjoint(body):
        for field in _REFUSED.keys() & body.keys():
            if body[field] is not None:
                why = _REFUSED[field]
                raise UnpricedField(f"{field} is refused because {why}. Leave it out.", param=field)
    if request.has_long_cache:
        raise UnpricedField(
            "cache_control.ttl must be 5m here: the answer does not tell what was written for longer, which "
            "costs more. Leave it out.",
            param="cache_control.ttl",
        )
    _check_google(body.get("extra_body"))
    if request.files:
        _check_files(body["messages"])
    if body.get("service_tier") not in _ORDINARY_TIERS:
        raise UnpricedField(
            "This service_tier costs more than the listed price. Leave it out, or use default or flex.",
            param="service_tier",
        )
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if _type_of(tool) not in _PRICED_TOOLS:
            raise UnpricedField(
                "Tools that the provider runs itself are billed by themselves, so they are refused. "
                "Use function tools.",
                param=f"tools[{index}].type",
            )


def _type_of(tool: Any) -> Any:
    """Return the type of a tool; Google names its own by their field alone, without a type."""
    if not isinstance(tool, dict):
        return None
    return tool.get("type", "function" if "function" in tool else None)


def _check_files(messages: list[dict[str, Any]]) -> None:
    """Refuse files that are named by an id: what is stored at the provider cannot be counted here."""
    for index, message in enumerate(messages):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            file = part.get("file")
            if isinstance(file, dict) and file.get("file_id") is not None:
                path = f"messages[{index}].content[{place}].file.file_id"
                raise UnpricedField(
                    f"{path} is refused because a stored file adds input that cannot be counted here. "
                    "Send its content.",
                    param=path,
                )


def _check_google(extra: Any) -> None:
    """Refuse the field of Google's own that adds stored input; it stands inside another one."""
    google = extra.get("google") if isinstance(extra, dict) else None
    if isinstance(google, dict) and google.get("cached_content") is not None:
        raise UnpricedField(
            f"cached_content is refused because {_REFUSED['cached_content']}. Leave it out.",
            param="extra_body.google.cached_content",
        )


_CHECKS: dict[str, Callable[[Request], None]] = {
    "chat": _check_chat,
    "messages": _check_messages,
    "count_tokens": _check_messages,
    "responses": _check_responses,
}
