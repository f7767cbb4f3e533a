"""Reasoning in chat completions: `reasoning_content` for its text, `reasoning_details` for what has a seal.

The list is OpenRouter's ("Reasoning Tokens", read 2026-11). Each of our entries is whole, so that clients may
collect them in any way: all text of a block stands in it, and no two entries have the same `index`.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from seawall.core.pieces import Seal, SealOrigin

PARAGRAPHS = "\n\n"
"""What stands between the paragraphs of a summary where a dialect has one text for all of them."""

TEXT, SUMMARY, ENCRYPTED = "reasoning.text", "reasoning.summary", "reasoning.encrypted"

_FORMATS: dict[SealOrigin, str] = {
    "anthropic": "anthropic-claude-v1",
    "openai": "openai-responses-v1",
    "google": "google-gemini-v1",
}
_ORIGINS: dict[str | None, SealOrigin] = {form: origin for origin, form in _FORMATS.items()}
_ORIGINS[None] = "anthropic"  # The first format there was; it had no name.

_encode = msgspec.json.Encoder().encode


class Detail(Struct, omit_defaults=True):
    """One entry of `reasoning_details`."""

    type: str = ""
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    id: str | None = None
    format: str | None = None
    index: int | None = None

    @property
    def readable(self) -> str:
        """Return what one can read in it."""
        return self.text or self.summary or ""

    def said(self) -> dict[str, Any]:
        """Return the entry as it stands in a body."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not None}


_decode_detail = msgspec.json.Decoder(Detail).decode


def seal_of(detail: Detail) -> Seal | None:
    """Return the seal that an entry holds; an unknown vendor's is kept with the whole entry."""
    data = detail.data if detail.type == ENCRYPTED else detail.signature
    if not data:
        return None
    origin = _ORIGINS.get(detail.format)
    is_redacted = detail.type == ENCRYPTED and origin != "openai"
    if origin is None:
        kept = replace(detail, text=None, index=None)
        return Seal("openrouter", _encode(kept).decode(), is_redacted=is_redacted)
    return Seal(origin, data, id=detail.id or "", is_redacted=is_redacted)


def details_of(
    texts: tuple[str, ...], seal: Seal | None, *, is_summary: bool, first_index: int
) -> list[Detail]:
    """Write one reasoning as entries, numbered from `first_index`."""
    form = _FORMATS.get(seal.origin) if seal else None
    own_id = (seal.id or None) if seal else None
    if seal is not None and seal.origin == "anthropic" and not seal.is_redacted:
        text = "".join(texts)
        return [Detail(TEXT, text=text, signature=seal.data, id=own_id, format=form, index=first_index)]
    details = [
        Detail(SUMMARY, summary=text, id=own_id, format=form)
        if is_summary
        else Detail(TEXT, text=text, id=own_id, format=form)
        for text in texts
    ]
    if seal is not None and seal.origin == "openrouter":
        kept = _decode_detail(seal.data)
        details = [replace(kept, text="".join(texts))] if kept.type == TEXT else [*details, kept]
    elif seal is not None:
        details.append(Detail(ENCRYPTED, data=seal.data, id=own_id, format=form))
    for index, detail in enumerate(details, first_index):
        detail.index = index
    return details
