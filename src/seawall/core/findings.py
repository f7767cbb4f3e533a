"""Finding and Verdict: what a detector saw in a text, and what the policy makes of it."""

from enum import IntEnum
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

Detector = Literal["injection", "phrases", "secrets", "personal", "leak", "markup", "topics"]
"""Who saw it. `phrases` are the operator's own, `leak` is the system prompt in an answer."""


class Verdict(IntEnum):
    """What becomes of a text; of several the highest counts. A flag only records."""

    ALLOW = 0
    FLAG = 1
    REDACT = 2
    BLOCK = 3


class Finding(Struct, frozen=True):
    """What a detector saw, from `start` to `end` of the text that it was given (in characters).

    `label` says what kind it is, in the detector's own words: `email`, `openai_key`, `script`. `score` is
    from 0 to 1; detectors that know for certain say 1. `digest` tells equal texts apart without holding them:
    a finding is written down, and what was found may be a secret.
    """

    detector: Detector
    label: str
    start: int
    end: int
    score: float = 1.0
    digest: str = ""

    @property
    def mark(self) -> str:
        """Return what is put in the place of what was found."""
        return f"[{self.label.replace('_', ' ')}]"

    @classmethod
    def at(
        cls, text: str, detector: Detector, label: str, span: tuple[int, int], score: float = 1.0
    ) -> "Finding":
        """Make a finding of what stands at `span` in a text."""
        start, end = span
        return cls(detector, label, start, end, score, digest_of(text[start:end]))


def digest_of(text: str) -> str:
    """Return 16 hexadecimal digits that tell this text from others; lone surrogates are no obstacle."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
