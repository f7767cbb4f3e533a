"""What is found as a secret and what is not: keys are made when the tests run, none of them opens anything."""

import base64
import random
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.guards.checks import base62
from seawall.guards.secrets import _KINDS, LONGEST_SECRET, Kind, find_secrets

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BIG = 2_000_000


def drawn(count: int, alphabet: str = ALNUM, seed: int = 7) -> str:
    dice = random.Random(seed)
    return "".join(dice.choice(alphabet) for _ in range(count))


def with_crc(prefix: str, seed: int = 7) -> str:
    body = drawn(30, seed=seed)
    return f"{prefix}{body}{base62(zlib.crc32(body.encode()))}"


def key_of(prefix: str, kind: Kind) -> str:
    match kind.alphabet:
        case "crc":
            return with_crc(prefix)
        case "sendgrid":
            return f"{prefix}{drawn(22)}.{drawn(43)}"
        case "slack":
            return f"{prefix}T{drawn(9, '0123456789ABCDEF')}/B{drawn(9, '0123456789ABCDEF')}/{drawn(24)}"
        case "discord":
            return f"{prefix}{drawn(18, string.digits)}/{drawn(68)}"
        case "airtable":
            return f"{prefix}{drawn(14)}.{drawn(64, HEX)}"
        case "hex":
            return prefix + drawn(kind.least, HEX)
        case "upper":
            return prefix + drawn(kind.least, string.ascii_uppercase + "234567")
        case _:
            return prefix + drawn(kind.least)


def jwt() -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1","role":"service"}')
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "." + drawn(43)


def pem(kind: str = "RSA ") -> str:
    body = "\n".join(drawn(64, seed=line) for line in range(20))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


def seen(text: str) -> list[tuple[str, str]]:
    return [(finding.label, text[finding.start : finding.end]) for finding in find_secrets(text)]


@pytest.mark.parametrize("prefix", list(_KINDS))
@pytest.mark.parametrize(
    "around", [("", ""), ("Use ", " now"), ('{"k":"', '"}'), ("(see ", ")."), ("ключ", "。")]
)
def test_a_key_is_found_whole_wherever_it_stands(prefix: str, around: tuple[str, str]) -> None:
    key = key_of(prefix, _KINDS[prefix])
    assert seen(around[0] + key + around[1]) == [(_KINDS[prefix].label, key)]


def test_there_are_sixty_kinds() -> None:
    assert len({kind.label for kind in _KINDS.values()}) >= 60


@pytest.mark.parametrize(
    ("label", "secret"),
    [
        ("jwt", jwt()),
        ("private_key", pem()),
        ("private_key", pem("")),
        ("private_key", pem("OPENSSH ")),
        ("private_key", pem("ENCRYPTED ").replace("\n", "\\n")),
        ("telegram_token", f"{drawn(10, string.digits, 3)}:AA{drawn(33)}"),
        ("discord_token", f"MT{drawn(24)}.{drawn(6)}.{drawn(38)}"),
        ("terraform_token", f"{drawn(14)}.atlasv1.{drawn(67)}"),
        ("azure_client_secret", f"{drawn(3)}8Q~{drawn(34)}"),
    ],
)
def test_what_its_form_tells_is_found_whole(label: str, secret: str) -> None:
    assert seen(f"Here:\n{secret}\nand more") == [(label, secret)]


def test_a_private_key_that_is_cut_off_is_found_as_far_as_it_goes() -> None:
    cut = pem()[:400]
    assert seen(f"Mine is {cut}") == [("private_key", cut)]


@pytest.mark.parametrize(
    ("text", "label", "secret"),
    [
        (f"COHERE_API_KEY={drawn(40)}", "cohere_key", drawn(40)),
        (f'api_key = "{drawn(32)}"', "generic_key", drawn(32)),
        (f"'secret': '{drawn(32, HEX)}'", "generic_key", drawn(32, HEX)),
        (f'config["api_key"] = "{drawn(24)}"', "generic_key", drawn(24)),
        (f"aws_secret_access_key: {drawn(40)}", "aws_secret_key", drawn(40)),
        (f"AccountName=a;AccountKey={drawn(86)}==;Suffix=b", "azure_storage_key", drawn(86) + "=="),
        (f"Authorization: Bearer {drawn(40)}", "bearer_token", drawn(40)),
        # seawall: ignore[hardcoded-secret] made up: user and hunter2
        ("Authorization: Basic dXNlcjpodW50ZXIy", "basic_auth", "dXNlcjpodW50ZXIy"),
        ("password: hunter2!", "password", "hunter2!"),
        ("my password is Tr0ub4dor.", "password", "Tr0ub4dor"),
        ("the PASSWORD IS Tr0ub4dor", "password", "Tr0ub4dor"),
        (f"send Bearer {drawn(40)}", "bearer_token", drawn(40)),
        ('{"password":"two words 9"}', "password", "two words 9"),
        ("DB_PASSWORD=s3cr3t&Pw", "password", "s3cr3t&Pw"),
        ("password: 密码pass1234", "password", "密码pass1234"),
        # seawall: ignore[hardcoded-secret] made up
        ("postgres://app:s3cr3tPw@db:5432/x", "password_in_url", "s3cr3tPw"),
        ("mongodb+srv://app:p@ss@w0rd@host/x", "password_in_url", "p@ss@w0rd"),
        ("redis://:a1b2c3@cache", "password_in_url", "a1b2c3"),
    ],
)
def test_what_its_place_tells_is_found(text: str, label: str, secret: str) -> None:
    assert seen(f"See {text} there") == [(label, secret)]


@pytest.mark.parametrize(
    "text",
    [
        "sk-your-key-here",
        "sk-" + "x" * 40,
        "sk-...",
        "AKIAIOSFODNN7EXAMPLE",
        "OPENAI_API_KEY=sk-proj-your-key-goes-here-and-nowhere-else-please",
        "sk-learn-is-a-very-good-library-v2",
        "AIzaSy" + "…",
        "550e8400-e29b-41d4-a716-446655440000",
        "primary_key: 550e8400-e29b-41d4-a716-446655440000",
        "commit " + "9a055db1c2d3e4f5061728394a5b6c7d8e9f0a1b",
        "data:image/png;base64," + base64.b64encode(random.Random(1).randbytes(3_000)).decode(),
        "seawall==1.2.3 and torch-2.5.1+cu124-cp311-cp311-manylinux2014_x86_64",
        "2026-11-27T01:57:17.123456+00:00",
        "total: 1,234,567.89",
        "key: value",
        "max_tokens: 4096",
        "next_page_token: " + drawn(30),
        "password: required, at least 8 characters",
        "the password is required",
        "password=${DB_PASSWORD}",
        "password = os.environ['DB_PASSWORD_2']",
        "password: xxxxxxxx",
        "pwd=/home/me/project1",
        "token: str = Field(default=None)",
        "client_secret: session_create_params.ClientSecret | None",
        "api_key = base64.b64decode(text)",
        'ADMIN_KEY = "SEAWALL_ADMIN_KEY"',
        "postgres://user:password@localhost/db",
        "https://example.com:8080/path@v1",
        "-----BEGIN CERTIFICATE-----\n" + drawn(64) + "\n-----END CERTIFICATE-----",
        "It begins with -----BEGIN RSA PRIVATE KEY----- and so on.",
        "eyJust a word",
        "https://docs.example.com/api/reference/sk-learn-tutorial-number-7-beginners",
    ],
)
def test_what_only_looks_like_a_secret_is_not_found(text: str) -> None:
    assert seen(f"See {text} there") == []


@pytest.mark.parametrize("prefix", ["ghp_", "npm_"])
def test_a_token_with_a_wrong_checksum_is_not_found(prefix: str) -> None:
    token = with_crc(prefix)
    assert seen(token)
    assert seen(token[:-1] + ("a" if token[-1] != "a" else "b")) == []


def test_the_checksum_is_githubs() -> None:
    assert base62(zlib.crc32(b"")) == "000000"
    assert base62(2**32 - 1) == "4gfFC3"


def test_a_key_inside_an_assignment_is_named_once_and_by_its_prefix() -> None:
    key = "sk-ant-" + drawn(80)
    assert seen(f'ANTHROPIC_API_KEY="{key}"') == [("anthropic_key", key)]


def test_the_last_key_after_false_starts_is_found() -> None:
    key = "sk-proj-" + drawn(80)
    assert seen("sk-" * 500 + " eyJ-" * 50 + key) == [("openai_key", key)]


@pytest.mark.parametrize(
    "shape",
    [
        "a", "0", " ", "-", "=", ":", "a@", "sk-", "sk-A1", "sk-aA1bB2cC3 ", "eyJ", "-eyJ", "eyJhbGciOi.", "-----BEGIN",
        "-----BEGIN PRIVATE KEY-----", "https://a:a:a:", "://a:", "://:", "+1", "key=", "api_key=", "password:",
        'password:"', "passwordaaaaaaaa ", "bearer ", "ghp_", "M", "Mabcdefghijklmnopqrstuvwx.", "8Q~", ":AA", "é",
        "\ud800", "你", "sk-sk-sk-sk-sk-sk-sk-a ", "token: abcdefghijklmnopq ",
    ],
)  # fmt: skip
def test_no_shape_of_two_megabytes_takes_for_ever(shape: str) -> None:
    assert find_secrets((shape * (BIG // len(shape) + 1))[:BIG]) == []


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_is_read_and_no_finding_is_too_long(text: str) -> None:
    assert all(
        0 <= f.start < f.end <= len(text) and f.end - f.start <= LONGEST_SECRET for f in find_secrets(text)
    )
