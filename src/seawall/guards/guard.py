"""The guard: every detector in one place, and a memory of what was looked at already.

Invariants:
- What is remembered is known by a hash of the text, the head and the policy; no text is kept.
- Nothing here raises for any text. The work on one text grows with its length and no faster.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence

from msgspec import Struct

from seawall.core.findings import Finding
from seawall.core.guarding import AnswerScan, GuardPolicy, Head
from seawall.guards import hardening, scorer
from seawall.guards.answers import Answers
from seawall.guards.leak import canary_for
from seawall.guards.normal import Normal, normalise
from seawall.guards.personal import find_personal
from seawall.guards.phrases import Phrases
from seawall.guards.secrets import find_secrets
from seawall.guards.topics import Profile, TopicProfile, find_off_topic, load_fields
from seawall.guards.views import views

REMEMBERED_MAX = 20_000


class Read(Struct, frozen=True, kw_only=True):
    """How a text was read where it scored highest: as it stands, or in one of its other views."""

    score: float
    text: str
    is_plain: bool


class Tools:
    """What is made once for a policy: its phrases, what it allows, its topics."""

    __slots__ = ("allowed", "phrases", "topics")

    def __init__(self, policy: GuardPolicy, learned: Profile | None) -> None:
        self.phrases = Phrases(policy.block_phrases)
        allowed = "|".join(map(re.escape, sorted(policy.allow, key=len, reverse=True)))
        self.allowed = re.compile(allowed, re.IGNORECASE) if allowed else None
        has_topics = bool(policy.topics or learned)
        self.topics = TopicProfile(policy.topics, load_fields(), learned) if has_topics else None

    def without_allowed(self, text: str) -> str:
        """Return the text with spaces where it says what is allowed; places stay what they are."""
        if self.allowed is None:
            return text
        return self.allowed.sub(lambda found: " " * len(found[0]), text)


class LocalGuard:
    """See `core.guarding.Guard`. `secret` makes the marks of hardened instructions, and keys the memory.

    `learned` is what was learned of the texts of the app, for its topics.
    """

    def __init__(self, secret: bytes = b"", learned: Profile | None = None) -> None:
        self._secret, self._learned = secret, learned
        self._known: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._tools: dict[str, Tools] = {}
        self._answers = Answers()

    def use_secret(self, secret: bytes) -> None:
        """Take the secret of the data folder: other processes on it make the same marks."""
        self._secret = secret

    def warm(self) -> None:
        """Load weights and tables: a tenth of a second that no call should wait for."""
        self.score("a text", "user")
        find_secrets("a text")

    def inspect(self, text: str, head: Head, policy: GuardPolicy) -> Sequence[Finding]:
        """Return what stands in a text that is given to a model, as far as it counts under the policy."""
        data = f"{head}\0{policy.version}\0{text}".encode("utf-8", "surrogatepass")
        name = hashlib.blake2b(data, digest_size=16, key=self._secret[:64]).digest()
        found = self._known.get(name)
        if found is not None:
            return found
        found = tuple(self._look(text, head, policy))
        self._known[name] = found
        while len(self._known) > REMEMBERED_MAX:
            try:
                self._known.popitem(last=False)
            except KeyError:  # Another thread was faster.
                break
        return found

    def _look(self, text: str, head: Head, policy: GuardPolicy) -> list[Finding]:
        tools = self.tools(policy)
        normal = normalise(text)
        found = tools.phrases.find(text, normal)
        if tools.allowed is not None:
            text = tools.without_allowed(text)
            normal = normalise(text)
        actions = policy.input
        if actions.get("injection"):
            found += _find_injection(text, normal, head, policy)
        if actions.get("secrets"):
            found += find_secrets(text)
        if actions.get("personal"):
            found += find_personal(text)
        if actions.get("topics") and tools.topics is not None and head == "user":
            found += find_off_topic(text, tools.topics, policy.topics_threshold)
        return found

    def score(self, text: str, head: Head) -> Read:
        """Score a text in all of its views."""
        return _score(normalise(text), head)

    def tools(self, policy: GuardPolicy) -> Tools:
        """Return what is made once for a policy."""
        tools = self._tools.get(policy.version)
        if tools is None:
            tools = self._tools[policy.version] = Tools(policy, self._learned)
        return tools

    def scan(self, policy: GuardPolicy, instructions: tuple[str, ...], said: tuple[str, ...]) -> AnswerScan:
        """Begin to look at an answer."""
        canary = self.canary(instructions[0]) if policy.hardens and instructions else None
        return self._answers.scan(policy, self.tools(policy), instructions, said, canary)

    def harden(self, instructions: str, policy: GuardPolicy) -> str:
        """Return the app's instructions in their frame."""
        return hardening.harden(instructions, policy.topics, self.canary(instructions))

    def canary(self, instructions: str) -> str:
        """Return the mark of instructions, wrapped or not."""
        known = hardening.canary_in(instructions)
        return known or canary_for(self._secret, instructions)


def _find_injection(text: str, normal: Normal, head: Head, policy: GuardPolicy) -> list[Finding]:
    """Score a text, and return it as a whole where that counts."""
    read = _score(normal, head)
    threshold = policy.user_threshold if head == "user" else policy.document_threshold
    if read.score < threshold:
        return []
    label = head if read.is_plain else f"{head}_encoded"
    return [Finding.at(text, "injection", label, (0, len(text)), read.score)]


def _score(normal: Normal, head: Head) -> Read:
    scored = scorer.load()
    best = Read(score=0.0, text=normal.text, is_plain=True)
    for view in views(normal, scored.vocabulary):
        score = scored.score(view, head)
        if score > best.score:
            best = Read(score=score, text=view, is_plain=view in normal.text)
    return best
