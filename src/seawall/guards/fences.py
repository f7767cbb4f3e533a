"""Where code stands in Markdown: in fenced blocks, and between runs of backticks."""

import re
from bisect import bisect_right

LONGEST_TAG = 1_024
"""So many characters at most are held back until it is known what they are."""
_FENCE_LEAD = re.compile(r"([ \t]*)((?:>[ \t]*)*)((?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)")
BLANK = re.compile(r"\n[ \t\r>]*\n")


class Fence:
    """A fenced block: where it ends, and whether it has ended."""

    def __init__(self, end: str) -> None:
        self._end, self.is_left = re.compile(end, re.MULTILINE), False

    @classmethod
    def opened(cls, text: str, start: int, end: int, line_end: int) -> "Fence | None":
        """Return the block that a run of marks opens, if it stands where a fence may stand."""
        mark = text[start]
        line = text.rfind("\n", max(0, start - 64), start) + 1
        lead = _FENCE_LEAD.fullmatch(text, line, start) if line or start <= 64 else None
        if lead is None or (mark == "`" and "`" in text[end:line_end]):
            return None
        indent, quotes, items = lead.groups()
        run = f"{mark}{{{end - start},}}[ \\t\\r]*$"
        if quotes:
            lead_in = rf"[ \t]*(?:>[ \t]*){{{quotes.count('>')}}}"
            return cls(rf"^{lead_in}{run}|(?P<out>^(?!{lead_in}))")
        width = len((indent + items).expandtabs(4))
        if width < 2:
            return cls(f"^ {{0,3}}{run}")
        # In an item of a list the block ends with the item: at a line that is not indented as far.
        least = 2 if width < 4 and not items else width
        return cls(rf"^[\t ]{{0,{width + 3}}}{run}|(?P<out>^(?= {{0,{least - 1}}}[^ \t\r\n]))")

    def leave(self, text: str, pos: int, *, is_last: bool) -> tuple[int, int]:
        """Return where to go on, and how much at the end is held: a line that may be outside the block."""
        until = len(text) if is_last else text.rfind("\n", pos) + 1 or pos
        end = self._end.search(text, pos, until)
        if end is not None and end.start() < until:
            self.is_left = True
            return end.end(), 0
        rest = max(until, pos)
        is_outside = rest < len(text) and self._end.match(text, rest) is not None
        return rest, min(len(text) - rest, LONGEST_TAG) if is_outside else 0


class CodeRuns:
    """Where the runs of backticks in a text are, by their length: which closes which."""

    def __init__(self, text: str, pos: int) -> None:
        self._text, self._blank = text, -1
        self._runs = re.compile("`+").finditer(text, pos)
        self._starts: dict[int, list[int]] = {}

    def close_of(self, start: int, end: int) -> int | None:
        """Return where the code ends that a run begins, or None: then the run is plain text."""
        length, blank = end - start, self.blank_after(end)
        starts = self._starts.setdefault(length, [])
        while not starts or starts[-1] <= start:
            run = next(self._runs, None)
            if run is None:
                return None
            self._starts.setdefault(run.end() - run.start(), []).append(run.start())
            if run.start() > blank:
                break
        following = bisect_right(starts, start)
        return None if following == len(starts) or starts[following] > blank else starts[following] + length

    def blank_after(self, pos: int) -> int:
        """Return where the paragraph ends: no code goes past it."""
        if self._blank < pos:
            blank = BLANK.search(self._text, pos)
            self._blank = blank.start() if blank is not None else len(self._text)
        return self._blank
