"""Numbers the blocks of an answer as its text and reasoning arrive in chat completions."""

from seawall.core.pieces import Piece, ReasoningPiece, RefusalPiece, Seal, SealPiece, TextPiece
from seawall.wire.chat.reasoning import ENCRYPTED, PARAGRAPHS, SUMMARY, Detail, seal_of
from seawall.wire.prompt import Reasoning


class Blocks:
    """Turns text, refusals and reasoning into pieces, in blocks that change with the kind.

    Reasoning comes as plain text (`think`), as `reasoning_details` (`detail`), or as both: entries that only
    repeat the plain text of the open block bring its seal and close it.
    """

    __slots__ = ("_index", "_item", "_kind", "_number", "_part", "_plain", "next")

    def __init__(self) -> None:
        self.next = 0
        self._number = -1
        self._kind = ""
        self._index: int | None = None
        self._item = ""
        self._part = 0
        self._plain: list[str] = []

    def begin(self) -> int:
        """Begin a block of another kind, a tool call, and return its number; the open one is closed."""
        self._kind = ""
        self.next += 1
        return self.next - 1

    def say(self, text: str) -> Piece:
        """Take visible text."""
        return TextPiece(self._number if self._kind == "text" else self._open("text"), text)

    def decline(self, text: str) -> Piece:
        """Take a refusal's text."""
        return RefusalPiece(self._number if self._kind == "refusal" else self._open("refusal"), text)

    def think(self, text: str) -> Piece:
        """Take reasoning that came as plain text."""
        if self._kind != "reasoning":
            self._open("reasoning")
        self._plain.append(text)
        return ReasoningPiece(self._number, text)

    def seal(self, seal: Seal) -> Piece:
        """Close the open block, or one of its own, with a seal."""
        number = self._number if self._kind else self.begin()
        self._kind = ""
        return SealPiece(number, seal)

    def detail(self, details: list[Detail]) -> list[Piece]:
        """Take entries of `reasoning_details`; adjacent ones of one `index` are pieces of one entry."""
        pieces: list[Piece] = []
        is_repeat = self._repeats(details)
        for each in details:
            if not is_repeat:
                pieces += self._read(each)
            seal = seal_of(each)
            if seal is not None:
                if not self._belongs(each):
                    self._kind = ""
                pieces.append(self.seal(seal))
        if is_repeat:
            self._kind = ""
        return pieces

    def _open(self, kind: str, detail: Detail | None = None) -> int:
        self._number = self.begin()
        self._kind = kind
        self._plain = []
        self._part = 0
        self._index = detail.index if detail else None
        self._item = (detail.id or "") if detail else ""
        return self._number

    def _repeats(self, details: list[Detail]) -> bool:
        if self._kind != "reasoning" or not self._plain:
            return False
        readable = [each.readable for each in details if each.type != ENCRYPTED]
        return bool(readable) and PARAGRAPHS.join(readable) == "".join(self._plain)

    def _read(self, detail: Detail) -> list[Piece]:
        """Take what one can read in an entry: it goes on with the open block, or opens one."""
        is_summary = detail.type == SUMMARY
        says_nothing = not detail.readable and not is_summary
        if detail.type == ENCRYPTED or (says_nothing and (not detail.signature or self._belongs(detail))):
            return []
        kind = "details.summary" if is_summary else "details"
        is_same_entry = detail.index is not None and detail.index == self._index
        is_next_paragraph = is_summary and (detail.id or "") == self._item
        if self._kind != kind or not (is_same_entry or is_next_paragraph):
            self._open(kind, detail)
        elif not is_same_entry:
            self._part += 1
        self._index = detail.index
        self._item = self._item or detail.id or ""
        if says_nothing:
            return []
        return [ReasoningPiece(self._number, detail.readable, is_summary, self._part)]

    def _is_item(self, detail: Detail) -> bool:
        return not detail.id or not self._item or detail.id == self._item

    def _belongs(self, detail: Detail) -> bool:
        """Say whether an entry's seal closes the open block of reasoning."""
        if self._kind not in ("reasoning", "details", "details.summary"):
            return False
        if detail.type != ENCRYPTED:
            return True
        seal = seal_of(detail)
        return seal is not None and seal.origin == "openai" and self._is_item(detail)


def reasonings_of(details: list[Detail], path: str) -> list[Reasoning]:
    """Read a message's `reasoning_details`: one reasoning for each block."""
    found: dict[int, Reasoning] = {}
    for piece in Blocks().detail(details):
        if isinstance(piece, ReasoningPiece):
            texts = found[piece.block].texts if piece.block in found else ()
            texts = (
                (*texts, piece.text) if piece.part >= len(texts) else (*texts[:-1], texts[-1] + piece.text)
            )
            found[piece.block] = Reasoning(texts, piece.is_summary, path=path)
        elif isinstance(piece, SealPiece):
            open_one = found.get(piece.block, Reasoning())
            found[piece.block] = Reasoning(open_one.texts, open_one.is_summary, piece.seal, path)
    return list(found.values())
