"""GuardPolicy: what becomes of what the detectors see, and what the pipeline asks of the guard."""

import hashlib
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from seawall.core.findings import Detector, Finding, Verdict

GuardMode = Literal["off", "flag", "block"]
Head = Literal["user", "document"]
"""Who wrote a text that is given to a model: a person, or whoever wrote a document, mail or tool's answer."""

INPUT_DETECTORS: tuple[Detector, ...] = ("injection", "secrets", "personal", "topics")
OUTPUT_DETECTORS: tuple[Detector, ...] = ("leak", "secrets", "personal", "markup", "topics")


class GuardPolicy(Struct, frozen=True, kw_only=True):
    """What becomes of findings. An action that is ALLOW switches its detector off.

    `user_threshold` and those beside it are scores from 0 to 1 from which a finding counts.
    `block_phrases` are always blocked, `allow` are texts in which nothing is found. `reply` is said in
    the model's place where a call is blocked, `None` for an error. `holds` says that an answer is checked
    as a whole before its first character leaves. `hardens` wraps the app's instructions.
    """

    mode: GuardMode = "off"
    input: dict[Detector, Verdict] = {}
    output: dict[Detector, Verdict] = {}
    user_threshold: float = 0.9
    document_threshold: float = 0.9
    leak_threshold: float = 0.2
    topics_threshold: float = 0.6
    block_phrases: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    reply: str | None = None
    holds: bool = False
    hardens: bool = False
    topics: tuple[str, ...] = ()
    image_hosts: frozenset[str] = frozenset()
    version: str = ""

    @classmethod
    def of(cls, **fields: object) -> "GuardPolicy":
        """Make a policy; `version` tells it from others, and with it what was kept under them."""
        policy = msgspec.convert(fields, cls, strict=False)
        written = msgspec.json.encode(policy, order="deterministic")
        return msgspec.structs.replace(policy, version=hashlib.blake2b(written, digest_size=8).hexdigest())

    @property
    def looks_at_input(self) -> bool:
        """Say whether anything is looked for in what is asked."""
        return bool(self.block_phrases) or any(self.input.values())

    @property
    def looks_at_output(self) -> bool:
        """Say whether anything is looked for in answers."""
        return bool(self.block_phrases) or any(self.output.values())

    @property
    def changes_output(self) -> bool:
        """Say whether anything may be kept from the client, so that answers cannot pass unseen."""
        return bool(self.block_phrases) or any(each > Verdict.FLAG for each in self.output.values())

    def verdict(self, finding: Finding, *, is_output: bool) -> Verdict:
        """Say what becomes of a finding."""
        if finding.detector == "phrases":
            return Verdict.BLOCK
        return (self.output if is_output else self.input).get(finding.detector, Verdict.ALLOW)


NO_GUARD = GuardPolicy()


class AnswerScan(Protocol):
    """Looks at one answer while it comes. Places are characters since its beginning."""

    def feed(self, text: str) -> list[Finding]:
        """Take the next piece; returns what is now certain to have been found."""

    def held(self) -> int:
        """Return how many of the last characters may be the beginning of something: they must not leave."""

    def close(self) -> list[Finding]:
        """Return what the end of the answer makes certain."""

    def whole(self, text: str) -> list[Finding]:
        """Look at an answer that is complete, in the place of everything else."""


class Guard(Protocol):
    """Finds things in texts; what it found it remembers by the text's hash. It never raises."""

    def inspect(self, text: str, head: Head, policy: GuardPolicy) -> Sequence[Finding]:
        """Return what stands in a text that is given to a model, as far as it counts under the policy."""

    def scan(self, policy: GuardPolicy, instructions: tuple[str, ...], said: tuple[str, ...]) -> AnswerScan:
        """Begin to look at an answer: `instructions` must not stand in it, unless a user `said` them."""

    def harden(self, instructions: str, policy: GuardPolicy) -> str:
        """Return the app's instructions wrapped into rules that no other text changes, with a canary."""


class NoScan:
    """Finds nothing."""

    def feed(self, text: str) -> list[Finding]:
        """Return nothing."""
        return []

    def held(self) -> int:
        """Hold nothing back."""
        return 0

    def close(self) -> list[Finding]:
        """Return nothing."""
        return []

    def whole(self, text: str) -> list[Finding]:
        """Return nothing."""
        return []


class NoFindings:
    """A guard that finds nothing: for a gateway without one."""

    def inspect(self, text: str, head: Head, policy: GuardPolicy) -> Sequence[Finding]:
        """Return nothing."""
        return ()

    def scan(self, policy: GuardPolicy, instructions: tuple[str, ...], said: tuple[str, ...]) -> AnswerScan:
        """Look at nothing."""
        return NoScan()

    def harden(self, instructions: str, policy: GuardPolicy) -> str:
        """Return them as they are."""
        return instructions


NO_FINDINGS = NoFindings()
