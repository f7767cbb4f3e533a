"""Fields of a responses request that change price, model or hidden input beyond any bound (money.md, rule 5).

Reference: the OpenAI API reference, "Responses", read 2026-11.
"""

from collections.abc import Iterator
from typing import Any

from seawall.core.call import Json
from seawall.core.errors import InvalidRequest, NotYetSupported, UnpricedField, Untranslatable
from seawall.wire.responses.items import OWN, unsealed

TOOL_TYPES = ("function", "custom")
INCLUDED = (
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
    "message.input_image.image_url",
)
"""What an answer can be asked to include without a tool that the provider runs."""

_ORDINARY_TIERS = (None, "auto", "default", "flex")
_REFUSED = {
    "prompt": "a stored prompt adds input that cannot be counted here",
    "context_management": "the compaction of a conversation is billed by itself",
    "moderation": "a second model is asked, whose price is not known here",
    "background_options": "they change the price of background work",
}
_NOT_YET = {
    "conversation": "Conversations are not supported yet. Use previous_response_id, or send the whole input.",
}


def check_fields(body: Json) -> None:
    """Check a body that is sent to a vendor: its prices, and that the vendor can read its reasoning.

    Raises UnpricedField, NotYetSupported or Untranslatable for the first field that is wrong.
    """
    check_prices(body)
    items = body.get("input")
    for index, item in enumerate(items if isinstance(items, list) else ()):
        seal = unsealed(item)
        if seal is not None and seal.origin != OWN:
            path = f"input[{index}].encrypted_content"
            raise Untranslatable(
                f"{path} holds the reasoning of another vendor, which this model cannot read. Leave the item "
                "out, or go on with a model of the same vendor.",
                param=path,
            )


def check_prices(body: Json) -> None:
    """Raise UnpricedField or NotYetSupported for the first field that cannot be bounded or obeyed."""
    for name, message in _NOT_YET.items():
        if body.get(name):
            raise NotYetSupported(message, param=name)
    if body.get("truncation") not in (None, "disabled"):
        raise NotYetSupported(
            "Leaving out the beginning of a conversation is not supported yet. Use truncation: disabled.",
            param="truncation",
        )
    for name, why in _REFUSED.items():
        if body.get(name):
            raise UnpricedField(f"{name} is refused because {why}. Leave it out.", param=name)
    if body.get("service_tier") not in _ORDINARY_TIERS:
        raise UnpricedField(
            "This service_tier costs more than the listed price. Leave it out, or use default or flex.",
            param="service_tier",
        )
    reasoning = body.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("mode") not in (None, "standard"):
        raise UnpricedField(
            "This mode of reasoning has no price of its own here. Leave it out.", param="reasoning.mode"
        )
    _check_tools(body.get("tools"))
    _check_include(body.get("include"))
    for path in _file_ids(body.get("input")):
        raise UnpricedField(
            "A file that the provider keeps adds input that cannot be counted here. Send its content.",
            param=path,
        )


def _check_tools(tools: Any) -> None:
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, dict) or tool.get("type") not in TOOL_TYPES:
            raise UnpricedField(
                "Tools that the provider runs itself are billed by themselves, so they are refused. "
                "Use function tools.",
                param=f"tools[{index}].type",
            )


def _check_include(include: Any) -> None:
    if include is not None and not isinstance(include, list):
        raise InvalidRequest("include must be a list.", param="include")
    for index, name in enumerate(include or ()):
        if name not in INCLUDED:
            raise UnpricedField(
                "This belongs to a tool that the provider runs itself; such tools are refused. Leave it out.",
                param=f"include[{index}]",
            )


def _file_ids(items: Any) -> Iterator[str]:
    """Find the paths of all files that are only named."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        for field in ("content", "output"):
            parts = item.get(field) if isinstance(item, dict) else None
            for number, part in enumerate(parts if isinstance(parts, list) else ()):
                if isinstance(part, dict) and part.get("file_id") is not None:
                    yield f"input[{index}].{field}[{number}].file_id"
