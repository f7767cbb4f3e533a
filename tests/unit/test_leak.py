"""The app's instructions in an answer: the canary in its forms, runs of words, and the same in pieces."""

import codecs
from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.findings import Finding
from seawall.guards.leak import HELD_CHARS_MAX, LeakScan, Overlap, SystemPrompts, canary_for

PROMPT = (
    "You are the assistant of Harbour Kitchen. Answer politely, in two sentences at most, and never tell a guest "
    "what our suppliers charge or which discounts the manager may give. Orders above forty euros are free."
)
CANARY = canary_for(b"a secret of the test", PROMPT)
PROMPTS = SystemPrompts([PROMPT], CANARY)
CHINESE = "你是海港厨房的助手。请用两句话礼貌地回答,不要告诉客人供应商的价格,也不要透露经理可以给的折扣。"


def labels(answer: str, prompts: SystemPrompts = PROMPTS, said: list[str] | None = None) -> list[str]:
    return [each.label for each in prompts.find(answer, said or [])]


def in_pieces(text: str, size: int, prompts: SystemPrompts = PROMPTS) -> list[Finding]:
    scan, found = prompts.scan(), list[Finding]()
    for start in range(0, len(text), size):
        found += scan.feed(text[start : start + size])
    return found + scan.end()


FORMS = [
    CANARY,
    CANARY.lower(),
    " ".join(CANARY),
    "-".join(CANARY),
    "\u200b".join(CANARY),
    "\n* ".join(CANARY),
    f"**{CANARY[:7]}** {CANARY[7:]}",
    "".join(chr(0xFEE0 + ord(each)) for each in CANARY),
    "".join(chr(0xE0000 + ord(each)) for each in CANARY),
    CANARY[::-1],
    codecs.encode(CANARY, "rot13"),
    CANARY.encode().hex(),
    CANARY.lower().encode().hex(" "),
    " ".join(f"0x{each:02X}" for each in CANARY.encode()),
    "".join(f"\\x{each:02x}" for each in CANARY.encode()),
    b64encode(CANARY.encode()).decode(),
    b64encode(b"a" + CANARY.encode() + b"b").decode(),
    urlsafe_b64encode(b"id" + CANARY.lower().encode()).decode(),
]


def test_canary_is_the_same_for_the_same_text_and_differs_by_secret() -> None:
    assert canary_for(b"k", "text") == canary_for(b"k", "text")
    assert canary_for(b"k", "text") != canary_for(b"l", "text")
    assert len(CANARY) == 20 and CANARY.isalnum()


@pytest.mark.parametrize("form", FORMS)
def test_canary_is_found_in_its_forms(form: str) -> None:
    assert labels(f"My reference is {form}, thanks.") == ["canary"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 4, 700])
def test_canary_is_found_in_pieces(form: str, size: int) -> None:
    found = in_pieces(f"My reference is {form}, thanks." + " and so on" * 80, size)
    assert {each.label for each in found} == {"canary"}


def test_canary_finding_says_where_it_is() -> None:
    text = f"see {'-'.join(CANARY)}!"
    (found,) = PROMPTS.find(text)
    assert text[found.start : found.end] == "-".join(CANARY)
    assert [(each.start, each.end) for each in in_pieces(text, 3)] == [(found.start, found.end)]


def test_canary_is_found_as_often_as_it_stands_there() -> None:
    assert labels(f"{CANARY}, that is {CANARY.lower()}, or {CANARY[::-1]}") == ["canary"] * 3


def test_half_a_canary_is_no_finding() -> None:
    assert labels(f"My reference is {CANARY[:10]}.") == []


@pytest.mark.parametrize(
    ("answer", "run"),
    [
        (
            "Sure: never tell a guest what our suppliers charge, ok?",
            "never tell a guest what our suppliers charge",
        ),
        (
            "NEVER *tell* a guest, what our\nsuppliers_charge!",
            "NEVER *tell* a guest, what our\nsuppliers_charge",
        ),
        (
            "x ne\u200bver tell a guest what our suppliers charge",
            "ne\u200bver tell a guest what our suppliers charge",
        ),
    ],
)
def test_eight_words_of_the_instructions_are_found(answer: str, run: str) -> None:
    (found,) = PROMPTS.find(answer)
    assert (found.label, answer[found.start : found.end]) == ("overlap", run)
    assert 0 < found.score < 0.2


def test_seven_words_are_no_finding() -> None:
    assert labels("never tell a guest what our suppliers eat") == []


def test_whole_instructions_score_one() -> None:
    assert PROMPTS.find(PROMPT)[0].score == 1.0
    assert PROMPTS.overlap(PROMPT) == Overlap(1.0, 36)
    assert PROMPTS.overlap("Nothing of it.") == Overlap()


def test_what_the_user_said_is_no_leak() -> None:
    said = ["May you never tell a guest what our suppliers charge?"]
    answer = "I may never tell a guest what our suppliers charge."
    assert labels(answer) == ["overlap"]
    assert labels(answer, said=said) == []
    assert labels(PROMPT, said=said) != []
    scan = PROMPTS.scan(said)
    assert scan.feed(answer) + scan.end() == []


def test_short_instructions_are_looked_for_as_a_whole() -> None:
    prompts = SystemPrompts(["Speak like a pirate.", "Be brief."])
    assert labels("I was told: speak like a pirate!", prompts) == ["overlap"]
    assert labels("I speak like a sailor, and I will be brief.", prompts) == []
    assert [each.label for each in in_pieces("I was told: speak like a pirate!", 3, prompts)] == ["overlap"]


def test_scripts_without_spaces_count_characters() -> None:
    prompts = SystemPrompts([CHINESE])
    assert labels("好的:" + CHINESE[10:40], prompts) == ["overlap"]
    assert labels("好的:" + CHINESE[10:28], prompts) == []
    assert in_pieces("好的:" + CHINESE[10:40], 2, prompts) != []


def test_nothing_to_look_for_finds_nothing() -> None:
    assert labels(PROMPT, SystemPrompts([])) == []
    assert labels("", PROMPTS) == []


def test_only_what_may_belong_to_a_run_is_held() -> None:
    def held(text: str) -> int:
        scan = SystemPrompts([PROMPT]).scan()
        scan.feed(text)
        return scan.held()

    assert held("Octopus salad xyz") == 0
    assert held("We never tell a gue") == len("never tell a gue")
    assert held("We never tell a guest ") == len("never tell a guest ")
    assert held("We never tell a guest zebra") == 0


def test_a_long_run_is_reported_from_its_start() -> None:
    starts = {each.start for each in in_pieces("So: " + PROMPT, 5)}
    assert starts == {4}


@given(st.integers(0, 60), st.integers(8, 25), st.integers(1, 9))
def test_nothing_of_a_run_leaves_before_it_is_found(first: int, count: int, size: int) -> None:
    words = PROMPT.split()[first : first + count]
    text = "Zebra crossing: " + " ".join(words) + f". Zebra {CANARY}."
    spans = [(each.start, each.end) for each in PROMPTS.find(text)]
    scan, found = PROMPTS.scan(), list[Finding]()
    for start in range(0, len(text), size):
        found += scan.feed(text[start : start + size])
        released = min(start + size, len(text)) - scan.held()
        known = {each.start for each in found}
        assert all(begin in known or released <= begin for begin, _ in spans)
    found += scan.end()
    assert {begin for begin, _ in spans} == {each.start for each in found}


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 50))
def test_any_text_is_read(text: str, size: int) -> None:
    prompts = SystemPrompts([text, PROMPT], CANARY)
    for found in prompts.find(text + " " + text, [text[:20]]):
        assert 0 <= found.start < found.end <= 2 * len(text) + 1
    scan = LeakScan(prompts)
    for start in range(0, len(text), size):
        scan.feed(text[start : start + size])
        assert 0 <= scan.held() <= HELD_CHARS_MAX
    scan.end()
