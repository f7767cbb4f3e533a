"""The header that names who is mailed: one address, or a refusal that does not repeat it."""

import pytest

from seawall.core.errors import InvalidRequest
from seawall.server.wishes import wishes_of

NAME = b"seawall-notify-email"


def test_one_address_is_read() -> None:
    assert wishes_of([(NAME, b" ada.l+x@mail.example.com ")]).deferral.mail_to == "ada.l+x@mail.example.com"
    assert wishes_of([]).deferral.mail_to == ""


@pytest.mark.parametrize(
    "value",
    [
        b"", b"ada", b"@example.com", b"ada@example", b"ada@example.com, bob@example.com",
        b"ada@example.com;bob@example.com", b"Ada <ada@example.com>", b"ada@example.com\r\nbcc: bob@example.com",
        b"ada@example.com bob@example.com", "äda@example.com".encode(), b"a@b@example.com",
        b"a" * 65 + b"@example.com", b"a@" + b"b" * 250 + b".com",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_not_repeated(value: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wishes_of([(NAME, value)])
    assert caught.value.param == "seawall-notify-email"
    assert "bob" not in caught.value.message


def test_two_addresses_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        wishes_of([(NAME, b"ada@example.com"), (NAME, b"bob@example.com")])
