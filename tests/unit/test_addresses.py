"""Whose address counts: only what trusted proxies say, only the hop before them, in one spelling for one caller."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.addresses import client_behind, is_origin, normalised

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("203.0.113.007", None),
        ("203.0.113", None),
        ("unknown", None),
        ("", None),
        ("_hidden", None),
    ],
)
def test_addresses_are_written_in_one_way(text: str, address: str | None) -> None:
    assert normalised(text) == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", ["203.0.113.7"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.7, 10.0.0.9"], "203.0.113.7"),
        ("10.0.0.1", ["203.0.113.7, rubbish"], "10.0.0.1"),
        ("10.0.0.1", ["rubbish, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::/64"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
    ],
)
def test_the_rightmost_hop_that_is_no_proxy_of_ours_counts(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert client_behind(peer, forwarded, PROXIES) == address


@given(forged=st.text(max_size=200), real=st.ip_addresses(v=4))
def test_nothing_that_a_caller_writes_before_its_own_hop_counts(forged: str, real: object) -> None:
    if ip_address(str(real)) in PROXIES[0]:
        return
    assert client_behind("10.0.0.1", [f"{forged}, {real}"], PROXIES) == str(real)


@given(forged=st.lists(st.text(max_size=50), max_size=5))
def test_who_is_no_proxy_can_say_what_it_wants(forged: list[str]) -> None:
    assert client_behind("198.51.100.1", forged, PROXIES) == "198.51.100.1"


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("https://app.example.com", True),
        ("http://localhost:3000", True),
        ("https://[2001:db8::1]:8443", True),
        ("https://app.example.com/", False),
        ("https://*.example.com", False),
        ("https://App.example.com", False),
        ("app.example.com", False),
        ("null", False),
        ("*", False),
        ("https://a.example, https://b.example", False),
        (7, False),
    ],
)
def test_an_origin_is_what_browsers_send(text: object, yes: bool) -> None:
    assert is_origin(text) is yes
