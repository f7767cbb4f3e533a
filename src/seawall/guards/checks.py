"""Checksums and measures that tell a real number or key from one that only looks like it.

Rules as known in 2026-11: ISO/IEC 7812-1 (Luhn), ISO/IEC 7064 (mod 97-10 and mod 11-10), Verhoeff's
table as UIDAI uses it, and GitHub's description of its token format.
"""

import math
import re
from binascii import crc32
from functools import cache, lru_cache
from operator import mul

from ahocorasick_rs import AhoCorasick

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = bytes(max(0, code - 48) for code in range(256))
_DOUBLED = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)) + bytes(246)
_LETTERS = {code: str(int(chr(code), 36)) for code in range(65, 91)}
_VERHOEFF_STEPS = ("0123456789", "1576283094", "5803796142", "8916043527",
                   "9453126870", "4286573901", "2793806415", "7046913258")  # fmt: skip
_VERHOEFF_TIMES = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
                   "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters of an IBAN by country; SWIFT's IBAN registry, as known in 2026-11."""
_FISCALE_ODD = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8,
    12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip
"""What a digit or a letter counts at an odd place of a codice fiscale."""
_STAND_IN = re.compile(
    r"example|placeholder|change[-_]?me|redacted|dummy|sample|replace|insert|1234567|abcdef|abc123|x{6}|\*{3}|\.{3}"
    r"|(?:^|[-_.])(?:your|my|the|fake|mock|test|some)[-_.]|^x+$"
)
"""Of a text in small letters."""
_STAND_IN_SIGNS = (
    "example", "placeholder", "change", "redacted", "dummy", "sample", "replace", "insert",
    "1234567", "abcdef", "abc123", "xxxxxx", "***", "...",
)  # fmt: skip
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_luhn(digits: str) -> bool:
    """Say whether the last digit is Luhn's check digit of the others."""
    raw = digits.encode().translate(_VALUES)
    return (sum(raw[::-2]) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def is_verhoeff(digits: str) -> bool:
    """Say whether the last digit is Verhoeff's check digit of the others."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        step = int(_VERHOEFF_STEPS[place % 8][int(digit)])
        check = int(_VERHOEFF_TIMES[check][step])
    return check == 0


def is_mod97(characters: str) -> bool:
    """Say whether digits and capital letters, with the four first moved to the end, leave 1 (ISO 13616)."""
    moved = characters[4:] + characters[:4]
    return int(moved.translate(_LETTERS)) % 97 == 1


def is_mod11_10(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others by ISO 7064, mod 11-10."""
    product = 10
    for digit in digits[:-1]:
        product = (((int(digit) + product) % 10 or 10) * 2) % 11
    return (11 - product) % 10 == int(digits[-1])


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Return the sum of the first digits, each times its weight."""
    return sum(map(mul, digits.encode().translate(_VALUES), weights))


def has_crc(token: str) -> bool:
    """Say whether the last six characters are the CRC-32 of the others in base 62 (GitHub's and npm's)."""
    return base62(crc32(token[:-6].encode("ascii", "replace"))) == token[-6:]


def base62(number: int) -> str:
    """Write a number of 32 bits in base 62, in six characters."""
    written = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        written = _BASE62[digit] + written
    return written


def is_stand_in(value: str) -> bool:
    """Say whether a value only shows where a secret would be."""
    low = value.lower()
    signs = _stand_in_signs().find_matches_as_indexes(low)
    return bool(signs or not low.strip("x")) and _STAND_IN.search(low) is not None


@cache
def _stand_in_signs() -> AhoCorasick:
    """Return what finds what each of these has; only a value of nothing but x has none."""
    begun = [
        word + joint for word in ("your", "my", "the", "fake", "mock", "test", "some") for joint in "-_."
    ]
    return AhoCorasick([*_STAND_IN_SIGNS, *begun])


def has_entropy(text: str, least: float) -> bool:
    """Say whether a text has so many bits a character; often its number of different ones says so already."""
    return _least_entropy(len(text), len(set(text))) > least or entropy_of(text) >= least


@lru_cache(maxsize=1024)
def _least_entropy(length: int, different: int) -> float:
    """Return what any text has at least, a little less: all but one of its characters come once."""
    often = length - different + 1
    once = (different - 1) / length * math.log2(length)
    return once + often / length * math.log2(length / often) - 1e-9


def entropy_of(text: str) -> float:
    """Return Shannon's entropy in bits a character."""
    length = len(text)
    counts = [text.count(each) for each in set(text)]
    shares = [(counts.count(count), count / length) for count in set(counts)]
    return -sum(many * share * math.log2(share) for many, share in shares)


def is_nir(digits: str) -> bool:
    """Say whether it is a NIR: its key is 97 less the rest of 13, 2A as 19, 2B as 18 (INSEE, 2026-11)."""
    body, key = digits[:13].upper().replace("2A", "19", 1).replace("2B", "18", 1), digits[13:]
    is_dated = "01" <= digits[3:5] <= "12" or digits[3:5] > "19"
    return body.isdigit() and digits[0] in "12" and is_dated and 97 - int(body) % 97 == int(key)


def is_ssn(digits: str) -> bool:
    """Say whether it is a SSN: area not 000, 666 or 9xx; group and serial not zero (SSA, 2026-11)."""
    return (
        digits[:3] not in {"000", "666"} and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"
    )


def is_nhs(digits: str) -> bool:
    """Say whether it is an NHS number: weights 10 to 2, modulo 11 (NHS data dictionary, 2026-11)."""
    check = 11 - weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(set(digits)) > 1 and (0 if check == 11 else check) == int(digits[9])


def is_german(digits: str) -> bool:
    """Say whether it is a German tax id: one of ten digits twice or thrice, mod 11-10 (BZSt, 2026-11)."""
    return digits[0] != "0" and 8 <= len(set(digits[:10])) <= 9 and is_mod11_10(digits)


def is_bsn(digits: str) -> bool:
    """Say whether it is a BSN: weights 9 to 2 and -1, modulo 11 (RvIG, 2026-11)."""
    return digits != "000000000" and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_tfn(digits: str) -> bool:
    """Say whether it is a TFN: weights 1, 4, 3, 7, 5, 8, 6, 9, 10, modulo 11 (ATO, 2026-11)."""
    return len(digits) == 9 and weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_pesel(digits: str) -> bool:
    """Say whether it is a PESEL: a date, the century in its month; weights 1, 3, 7, 9 (gov.pl, 2026-11)."""
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    is_dated = 1 <= month <= 12 and 1 <= day <= 31
    return is_dated and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_swedish(digits: str) -> bool:
    """Say whether it is a personnummer: a date, the day perhaps plus 60; Luhn (Skatteverket, 2026-11)."""
    month, day = int(digits[2:4]), int(digits[4:6])
    return 1 <= month <= 12 and (1 <= day <= 31 or 61 <= day <= 91) and is_luhn(digits)


def is_cpf(digits: str) -> bool:
    """Say whether it is a CPF: two check digits, modulo 11 (Receita Federal, 2026-11)."""
    if len(set(digits)) == 1:
        return False
    first = weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    second = weighted(digits, (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def is_nino(letters: str) -> bool:
    """Say whether it is a NINO: prefix rules and a suffix from A to D (HMRC's NIM39110, 2026-11)."""
    first, second = letters[0], letters[1]
    return (
        letters.isupper() and first not in "DFIQUV" and second not in "DFIOQUV" and letters[-1] in "ABCD"
        and letters[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}
    )  # fmt: skip


def is_fiscale(letters: str) -> bool:
    """Say whether the last letter is the tabled sum of the others, mod 26 (DM 23-12-1976, 2026-11)."""
    if not (letters.isascii() and letters.isalnum()):
        return False
    odd = sum(_FISCALE_ODD[int(each, 36)] for each in letters[:15:2])
    even = sum(int(each, 36) - (0 if each.isdigit() else 10) for each in letters[1:15:2])
    return chr(65 + (odd + even) % 26) == letters[15]


def is_spanish(letters: str) -> bool:
    """Say whether the letter is the number modulo 23; X, Y, Z are 0, 1, 2 (Interior, Spain, 2026-11)."""
    number = letters[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and _DNI_LETTERS[int(number) % 23] == letters[-1]
