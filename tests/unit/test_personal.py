"""What is found as personal data: numbers with their checksums, and not what only looks like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.guards.personal import ALL_KINDS, DEFAULT_KINDS, LONGEST_PERSONAL, find_personal

BIG = 2_000_000


def seen(text: str, kinds: frozenset[str] = ALL_KINDS) -> list[tuple[str, str]]:
    return [(finding.label, text[finding.start : finding.end]) for finding in find_personal(text, kinds)]


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("email", "john.doe+news@example.co.uk"),
        ("email", "o'neil@example.com"),
        ("email", "jörg@müller.de"),
        ("phone", "+49 30 1234567"),
        ("phone", "+442079460958"),
        ("phone", "+44 (0)20 7946 0958"),
        ("phone", "+1 (555) 123-4567"),
        ("phone", "+15552234567"),
        ("phone", "0049 30 1234567"),
        ("phone", "(212) 555-0187"),
        ("phone", "212-555-0187"),
        ("phone", "212.555.0187"),
        ("phone", "1-212-555-0187"),
        ("phone", "020 7946 0958"),
        ("phone", "07700 900123"),
        ("phone", "06 12 34 56 78"),
        ("phone", "06.12.34.56.78"),
        ("phone", "0171/1234567"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4111-1111-1111-1111"),
        ("card", "5555555555554444"),
        ("card", "2223003122003222"),
        ("card", "3782 822463 10005"),
        ("card", "30569309025904"),
        ("card", "6011111111111117"),
        ("card", "3530111333300000"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82WEST12345698765432"),
        ("iban", "fr14 2004 1010 0505 0001 3m02 606"),
        ("iban", "NO9386011117947"),
        ("us_ssn", "123-45-6789"),
        ("uk_nino", "AB 12 34 56 C"),
        ("uk_nino", "AB123456C"),
        ("de_tax_id", "86 095 742 719"),
        ("fr_nir", "255081416802538"),
        ("fr_nir", "2 55 08 14 168 025 38"),
        ("es_dni", "12345678Z"),
        ("es_dni", "12.345.678-Z"),
        ("es_nie", "X1234567L"),
        ("it_codice_fiscale", "RSSMRA85T10A562S"),
        ("pl_pesel", "44051401359"),
        ("se_personnummer", "811218-9876"),
        ("se_personnummer", "19811218-9876"),
        ("br_cpf", "529.982.247-25"),
        ("br_cpf", "52998224725"),
        ("in_aadhaar", "2341 2341 2346"),
        ("ca_sin", "130-692-544"),
        ("ipv4", "192.168.100.200"),
        ("ipv6", "2001:db8::1"),
        ("ipv6", "fe80:0:0:0:1:2:3:4"),
    ],
)
@pytest.mark.parametrize(
    "around", [("", ""), ("It is ", " there"), ('{"a":"', '"}'), ("x\n", "\ny"), ("(", ")"), ("— ", "。")]
)
def test_it_is_found_whole_wherever_it_stands(label: str, written: str, around: tuple[str, str]) -> None:
    assert seen(around[0] + written + around[1]) == [(label, written)]


@pytest.mark.parametrize(
    ("words", "label", "written"),
    [
        ("My SSN: ", "us_ssn", "123456789"),
        ("NHS number ", "uk_nhs", "943 476 5919"),
        ("NHS ", "uk_nhs", "9434765919"),
        ("Steuer-ID ", "de_tax_id", "86095742719"),
        ("BSN ", "nl_bsn", "111222333"),
        ("SIN ", "ca_sin", "046 454 286"),
        ("TFN ", "au_tfn", "123 456 782"),
        ("Aadhaar no. ", "in_aadhaar", "234123412346"),
        ("personnummer ", "se_personnummer", "8112189876"),
        ("Tel. ", "phone", "0123456789"),
        ("Phone: ", "phone", "612 345 678"),
    ],
)
def test_what_could_be_any_number_is_found_with_the_word_alone(words: str, label: str, written: str) -> None:
    assert seen(words + written) == [(label, written)]
    assert (label, written) not in seen(f"We counted {written} of them")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-27 01:57:17", "27.11.2026 1230", "01.02.2024", "01/02/2024 10", "v1.2.3", "0.12.345.6789", "1764208637",
        "1764208637123", "1,234,567.89", "$4,500.00", "12 34 56", "1 2 3 4 5 6 7 8 9", "order 212-555-0187",
        "Invoice no. 020 7946 0958", "123-4567890-1234567", "550e8400-e29b-41d4-a716-446655440000", "icon@2x.png",
        "a@b", "react@18.2.0", "@someone", "4111 1111 1111 1112", "1234 5678 9012 3456", "DE88370400440532013000",
        "000-12-3456", "666-12-3456", "912-34-5678", "GB 12 34 56 A", "12345678A", "X1234567A", "RSSMRA85T10A562A",
        "44051401358", "811218-9875", "529.982.247-26", "111.111.111-11", "2341 2341 2347", "+1+1+1+1+1+1+1+1",
        "+10000000000", "std::vector<int>", "12:30:45", "256.1.1.1", "1.2.3.4.5", "3.14159265358979", "978-3-16-148410-0",
        "099 111 110 102 105 114", "16:9 1920x1080", "call cost $0.0024894", "0x1234567890abcdef", "1e10", "2^64 = 18446744073709551616", "99999999999", "0000000000000000",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert seen(f"See {text} there") == []


def test_a_card_is_found_before_its_expiry_and_after_another_number() -> None:
    card = "4111 1111 1111 1111"
    assert seen(f"pay 1234 {card} 12/26") == [("card", card)]


def test_addresses_of_machines_are_off_unless_asked_for() -> None:
    assert ALL_KINDS - {"ipv4", "ipv6"} == DEFAULT_KINDS
    assert seen("10.1.2.3 and 2001:db8::1", DEFAULT_KINDS) == []


def test_only_the_kinds_asked_for_are_found() -> None:
    text = "a@example.com or +49 30 1234567"
    assert seen(text, frozenset({"phone"})) == [("phone", "+49 30 1234567")]
    assert seen(text, frozenset({"email"})) == [("email", "a@example.com")]
    assert seen(text, frozenset()) == []


@pytest.mark.parametrize(
    "shape",
    [
        "a", "0", "1", " ", "-", "+", "(", "a@", "@", "@a.", "a@aa.aa.", "+1", "+12 ", "+1 2", "(0", "(02)1", "0 ", "012-",
        "0.1", "DE89", "AB12 ", "A1", "A", "12345678A ", "4111 1111 1111 1112 ", "1-", "2026-11-27 ", "é", "é@é.", "你1",
        "\ud800", "44051401358 ", "123 456 789 ", "1.2.3.4.5.", "a:b:", ":", "::", "phone 12 ", "x@" + "a" * 40,
    ],
)  # fmt: skip
def test_no_shape_of_two_megabytes_takes_for_ever(shape: str) -> None:
    find_personal((shape * (BIG // len(shape) + 1))[:BIG], ALL_KINDS)


@given(
    st.text(st.characters(codec=None), max_size=300) | st.text("0123456789 +-./()@aA\u0660é", max_size=300)
)
def test_any_text_is_read_and_no_finding_is_too_long(text: str) -> None:
    findings = find_personal(text, ALL_KINDS)
    assert all(0 <= f.start < f.end <= len(text) and f.end - f.start <= LONGEST_PERSONAL for f in findings)


def test_a_code_that_begins_among_other_words_is_none() -> None:
    for text in ("x: ab cA11B22C333D", "(a-b)A11B22C333D", " \u00e9A11B22C333D"):
        assert seen(text) == []
