"""An answer that comes in pieces: whatever they are, nothing leaves that has to stay."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.findings import Verdict
from seawall.core.guarding import GuardPolicy
from seawall.guards.answers import Scan
from seawall.guards.guard import LocalGuard

KEY = "sk-proj-" + "Ab3dE6gH9jK2" * 4
RULES = "You are the assistant of the bakery Crumb and never talk about the sourdough of the night shift."
POLICY = GuardPolicy.of(
    mode="block",
    input={},
    output=dict.fromkeys(("secrets", "personal", "markup", "leak"), Verdict.REDACT.value),
    block_phrases=("purple whale", "vier Fische"),
    hardens=True,
)
GUARD = LocalGuard(b"a secret of the tests")
PLANTED = {
    "secrets": KEY,
    "personal": "ada.lovelace@mathematics.example.org",
    "markup": "<img src=x onerror=alert(1)>",
    "leak": GUARD.canary(RULES),
    "phrases": "P\u00fcrple - WHALE",
}
PROSE = st.text(alphabet="abc def, ghi. jkl\n<>-'(k=s1", max_size=60)


def scan() -> Scan:
    made = GUARD.scan(POLICY, (RULES,), ())
    assert isinstance(made, Scan)
    return made


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


@settings(deadline=None, max_examples=300)
@given(
    planted=st.sampled_from(sorted(PLANTED)),
    before=PROSE,
    after=PROSE,
    cuts=st.lists(st.integers(0, 10_000), max_size=40),
    each=st.booleans(),
)
def test_nothing_of_a_finding_leaves_before_it_is_found(
    planted: str, before: str, after: str, cuts: list[int], each: bool
) -> None:
    start = len(before) + 1
    text = f"{before} {PLANTED[planted]} {after}"
    end = start + len(PLANTED[planted])
    looking, fed, covered = scan(), 0, False
    for piece in list(text) if each else pieces_of(text, cuts):
        found = looking.feed(piece)
        fed += len(piece)
        covered = covered or any(f.detector == planted and f.start <= start and f.end >= end for f in found)
        assert covered or fed - looking.held() <= start, "a part of it has left"
    found = looking.close()
    assert covered or any(f.detector == planted and f.start <= start and f.end >= end for f in found)


@settings(deadline=None)
@given(
    words=st.lists(
        st.sampled_from(["the", "sea", "is", "calm", "and", "we", "sail", "at", "noon", "with", "bread"]),
        max_size=80,
    )
)
def test_prose_waits_for_no_more_than_a_few_words(words: list[str]) -> None:
    looking = scan()
    for word in words:
        assert looking.feed(f"{word} ") == []
        assert looking.held() <= 16
    assert looking.close() == []


@given(st.lists(st.text(alphabet=st.characters(), max_size=50), max_size=20))
def test_any_pieces_are_looked_at(pieces: list[str]) -> None:
    looking = scan()
    for piece in pieces:
        looking.feed(piece)
    looking.close()


def test_what_is_held_back_is_bounded() -> None:
    for unit in ("a", "sk-", "<a ", "1", "eyJ", "-----BEGIN RSA PRIVATE KEY-----", "purple ", "=\n"):
        looking = scan()
        for _ in range(400):
            looking.feed(unit * (200 // len(unit)))
            assert looking.held() <= 20_000


HELD_AGAINST = (
    "",
    KEY,
    "password: hunter2!x",
    "a@b.example.org",
    "<b onclick=x>",
    RULES,
    "purple whale",
    "![",
    "\u2019",
)


@settings(deadline=None, max_examples=300)
@given(
    planted=st.lists(st.sampled_from(HELD_AGAINST), max_size=4),
    filling=st.text(alphabet="abc def, ghi. jkl\n<>-'(k=s1`[]:!", max_size=300),
    policy=st.sampled_from([POLICY, GuardPolicy.of(output={"secrets": 1, "leak": 1, "markup": 1})]),
)
def test_a_whole_answer_is_what_its_pieces_are_together(
    planted: list[str], filling: str, policy: GuardPolicy
) -> None:
    text = filling.join(["", *planted, ""])
    looking = GUARD.scan(policy, (RULES,), ())
    assert GUARD.scan(policy, (RULES,), ()).whole(text) == looking.feed(text) + looking.close()


@settings(deadline=None, max_examples=300)
@given(
    texts=st.lists(st.text(alphabet="ab cd, K\n-\u2019\u00e9", max_size=400), min_size=1, max_size=4),
    ending=st.integers(0, len(RULES)),
)
def test_long_pieces_and_short_ones_hold_the_same_back(texts: list[str], ending: int) -> None:
    long, short = scan(), scan()
    for text in (*texts, RULES[:ending]):
        long.feed(text)
        for char in text:
            short.feed(char)
        assert long.held() == short.held()


def test_what_is_surely_not_in_a_whole_answer_is_not_looked_for() -> None:
    policy = GuardPolicy.of(output={"secrets": 1, "leak": 1, "markup": 1, "personal": 1})
    looking = GUARD.scan(policy, (RULES,), ())
    assert isinstance(looking, Scan)
    looking.whole("The tide comes in over the sand, and the wall holds it back until the wind turns. " * 10)
    assert (looking._leaks, looking._markup, looking._looks) == (None, None, False)
