"""Seals of reasoning where the client's dialect has only one text for them.

A client gets back what its own vendor would send: Anthropic's signature stands bare in a messages answer,
OpenAI's encrypted reasoning in a responses answer. Other vendors' are wrapped, to find their way back:
`seawall.<origin>.<t or r>.<id>:<data>`, where `r` marks redacted reasoning.
"""

from typing import get_args

from seawall.core.pieces import Seal, SealOrigin

_MARK = "seawall."


def write_seal(seal: Seal, own: SealOrigin) -> str:
    """Return the text of a seal for a dialect whose own seals are `own`'s."""
    if seal.origin == own:
        return seal.data
    return f"{_MARK}{seal.origin}.{'r' if seal.is_redacted else 't'}.{seal.id}:{seal.data}"


def read_seal(text: str, own: SealOrigin, *, is_redacted: bool = False, item_id: str = "") -> Seal:
    """Read what `write_seal` wrote, or the dialect's own seal; the data is byte-identical to the vendor's."""
    head, colon, data = text.partition(":")
    origin, _, rest = head.removeprefix(_MARK).partition(".")
    kind, dot, seal_id = rest.partition(".")
    if not (
        colon and dot and head.startswith(_MARK) and origin in get_args(SealOrigin) and kind in ("t", "r")
    ):
        return Seal(own, text, id=item_id, is_redacted=is_redacted)
    return Seal(origin, data, id=seal_id, is_redacted=kind == "r")  # type: ignore[arg-type] # checked above
