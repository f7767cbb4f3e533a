"""What is put in place of findings, and that no stream lets a part of a secret through before it is found."""

import random
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.findings import Finding
from seawall.guards.personal import ALL_KINDS, LONGEST_PERSONAL, find_personal
from seawall.guards.redaction import BLOCK_CHARS, mask, may_continue, redact, releasable
from seawall.guards.secrets import LONGEST_SECRET, find_secrets

ALNUM = string.ascii_letters + string.digits


def drawn(count: int, seed: int = 3) -> str:
    dice = random.Random(seed)
    return "".join(dice.choice(ALNUM) for _ in range(count))


PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "\n".join(drawn(64, n) for n in range(12))
    + "\n-----END PRIVATE KEY-----"
)
SECRETS = {
    "sk-proj-" + drawn(120): "",
    "AKIA" + "Q7" * 2 + "ZXJ5MNBVCRTY": "",
    "eyJhbGciOiJIUzI1NiJ9." + drawn(700) + "." + drawn(43): "",
    PEM: "",
    "hunter2!x": "password is ",
    "Tr0ub4dor&3": "DB_PASSWORD=",
    "two words 9": '"password": "',
    drawn(32): 'api key = "',
    drawn(36): "Authorization: Bearer ",
    "s3cr3t,Pw": "postgres://me:",
    "john.doe@example.com": "",
    "4111 1111 1111 1111": "",
    "DE89 3704 0044 0532 0130 00": "",
    "gb82 west 1234 5698 7654 32": "",
    "+49 30 1234567": "",
    "(212) 555-0187": "",
    "020 7946 0958": "",
    "123-45-6789": "",
    "123456789": "SSN ",
    "111222333": "BSN: ",
    "612 345 678": "phone: ",
    "AB 12 34 56 C": "",
    "12345678Z": "",
}
AFTER = {"two words 9": '"', drawn(32): '"', "s3cr3t,Pw": "@host/x"}
WORDS = [
    "the quick fox",
    "is at 12",
    "of an API",
    "call me",
    "(see)",
    "2024,",
    "I: x=1",
    "key",
    "你好",
    "\n",
    "a-b",
    "é",
]


def found(text: str) -> list[Finding]:
    return [*find_secrets(text), *find_personal(text, ALL_KINDS)]


def streamed(pieces: list[str]) -> str:
    """Pass a text on as a stream would: what is released is forgotten."""
    sent, buffer = "", ""
    for piece in pieces:
        buffer += piece
        findings = found(buffer)
        place = releasable(buffer, findings)
        sent += redact(buffer[:place], [finding for finding in findings if finding.end <= place])
        buffer = buffer[place:]
    return sent + redact(buffer, found(buffer))


def at(start: int, end: int, label: str) -> Finding:
    return Finding("secrets", label, start, end)


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, list[str]]:
    prose = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
    secrets = draw(st.lists(st.sampled_from(list(SECRETS)), min_size=1, max_size=3))
    text = "".join(
        f"{draw(prose)}{draw(st.sampled_from([' ', chr(10)]))}{SECRETS[secret]}{secret}{AFTER.get(secret, '')} "
        for secret in secrets
    )
    return text + draw(prose), secrets


def test_findings_are_replaced_by_their_labels() -> None:
    text = "Write to a@example.com, or with sk-proj-" + drawn(60) + "."
    assert redact(text, found(text)) == "Write to [email], or with [openai key]."


def test_of_overlapping_findings_the_longest_gives_the_name() -> None:
    assert redact("abcdefgh", [at(2, 4, "email"), at(1, 6, "password_in_url")]) == "a[password in url]gh"
    assert redact("abcdefgh", [at(0, 3, "card"), at(2, 8, "jwt")]) == "[jwt]"
    assert redact("abcdefgh", [at(4, 6, "card"), at(2, 4, "jwt")]) == "ab[jwt][card]gh"
    assert redact("abcdefgh", []) == "abcdefgh"


def test_a_mask_shows_three_characters_and_of_short_ones_less() -> None:
    assert mask("sk-proj-" + drawn(60)) == "sk-…"
    assert mask("hunter2") == "h…"
    assert mask("abc") == "…"


@pytest.mark.parametrize("secret", list(SECRETS))
def test_what_is_redacted_holds_no_secret_and_no_finding(secret: str) -> None:
    text = f"First {SECRETS[secret]}{secret}{AFTER.get(secret, '')} and more"
    redacted = redact(text, found(text))
    assert secret not in redacted
    assert found(redacted) == []


@given(planted())
def test_redaction_is_complete_the_first_time(case: tuple[str, list[str]]) -> None:
    redacted = redact(case[0], found(case[0]))
    assert found(redacted) == []
    assert not any(secret in redacted for secret in case[1])


@given(st.text('0123456789 +-./()@a.bDE[]:="\n', max_size=120))
def test_redaction_of_anything_leaves_nothing_to_find(text: str) -> None:
    redacted = redact(text, found(text))
    assert found(redacted) == []


@given(planted(), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_no_split_of_a_stream_lets_a_secret_through(case: tuple[str, list[str]], sizes: list[int]) -> None:
    text, secrets = case
    places = [0]
    while places[-1] < len(text):
        places.append(places[-1] + sizes[len(places) % len(sizes)])
    sent = streamed([text[start:end] for start, end in pairwise(places)])
    assert not any(secret in sent for secret in secrets)
    assert not any(
        part in sent for secret in secrets if len(secret) > 40 for part in (secret[:20], secret[-20:])
    )
    assert found(sent) == []


@pytest.mark.parametrize(
    ("tail", "count"),
    [
        ("", 0),
        ("This is ordinary prose. ", 0),
        ("This ends a paragraph.\n", 0),
        ("你好", 0),
        ("a word", 4),
        ("mail me at john@exa", 8),
        ("it is sk-proj-abc", 11),
        ("pay 4111 1111 ", 10),
        ("call +49 30", 11),
        ("pay to DE89 3704 0044 ", 15),
        ("my password is ", 12),
        ('"password": "two words', 21),
        ("set api key = ", 10),
        ("see -----BEGIN RSA PRI", 18),
        ("see -----BEGIN PRIVATE KEY-----\n" + "A1b2" * 300, 1228),
        ("see -----BEGIN CERTIFICATE----- ", 0),
        ("a" * 5_000, LONGEST_SECRET),
        ("eyJ" + "a" * 2_000, 2_003),
    ],
)
def test_what_may_go_on_is_held_from_its_start(tail: str, count: int) -> None:
    assert may_continue(tail) == count


@given(st.text(st.characters(codec=None), max_size=700))
def test_any_text_has_a_bounded_end_to_hold(text: str) -> None:
    assert 0 <= may_continue(text) <= min(len(text), BLOCK_CHARS)
    assert max(LONGEST_SECRET, LONGEST_PERSONAL) <= 300


@pytest.mark.parametrize(
    "shape", ["a", "0 ", " ", "key", "key=", "-----BEGIN ", "eyJ.", "://a:", "A1 ", "(", "call ", "\ud800"]
)
def test_the_end_of_two_megabytes_is_found_at_once(shape: str) -> None:
    assert may_continue(shape * (2_000_000 // len(shape))) <= BLOCK_CHARS
