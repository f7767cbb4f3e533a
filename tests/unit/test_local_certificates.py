"""Certificates for this machine: what they are good for, for how long, and who can read their keys."""

import ssl
import stat
import time
from pathlib import Path

import pytest
from cryptography import x509

from seawall.https import AUTHORITY_FILE, AUTHORITY_KEY_FILE, LOCAL_FILE, make_local_files
from seawall.identity.certificates import read_facts, read_pair
from seawall.identity.local_certificates import make_authority, make_local_certificate

NOW = time.time()
DAY_S = 86_400.0


def handshake(served: bytes, trusted: bytes, name: str, folder: Path) -> None:
    """Let a strict client meet a server, without a network; raises SSLCertVerificationError."""
    (folder / "served.pem").write_bytes(served)
    holder = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    holder.load_cert_chain(folder / "served.pem")
    strict = ssl.create_default_context(cadata=trusted.decode())
    strict.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = strict.wrap_bio(to_client, to_server, server_hostname=name)
    server = holder.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_a_strict_client_that_trusts_the_authority_trusts_the_certificate(name: str, tmp_path: Path) -> None:
    authority, key = make_authority(NOW)
    handshake(make_local_certificate(authority, key, NOW), authority, name, tmp_path)


@pytest.mark.parametrize("name", ["gateway.example.com", "127.0.0.2"])
def test_it_is_for_no_other_name(name: str, tmp_path: Path) -> None:
    authority, key = make_authority(NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(make_local_certificate(authority, key, NOW), authority, name, tmp_path)


def test_the_authority_can_vouch_for_loopback_only() -> None:
    authority = x509.load_pem_x509_certificate(make_authority(NOW)[0])
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical and limits.value.permitted_subtrees is not None
    assert [str(each.value) for each in limits.value.permitted_subtrees] == [
        "localhost",
        "127.0.0.0/8",
        "::1/128",
    ]


def test_what_is_made_is_private_and_lives_for_a_year(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    make_local_files(folder, NOW)
    names = {AUTHORITY_FILE, AUTHORITY_KEY_FILE, LOCAL_FILE}
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        names, 0o600
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    facts = read_facts((folder / LOCAL_FILE).read_bytes())
    assert facts.names == ("localhost", "127.0.0.1", "::1")
    assert facts.starts_at < NOW
    assert 364 * DAY_S < facts.ends_at - NOW <= 365 * DAY_S


def test_it_is_made_anew_before_it_ends_and_the_authority_stays(tmp_path: Path) -> None:
    make_local_files(tmp_path, NOW)
    authority, first = (tmp_path / AUTHORITY_FILE).read_bytes(), (tmp_path / LOCAL_FILE).read_bytes()
    make_local_files(tmp_path, NOW + 300 * DAY_S)
    assert (tmp_path / LOCAL_FILE).read_bytes() == first
    make_local_files(tmp_path, NOW + 340 * DAY_S)
    second = (tmp_path / LOCAL_FILE).read_bytes()
    assert second != first
    assert read_pair(second, second, NOW + 700 * DAY_S).names == read_facts(first).names
    assert (tmp_path / AUTHORITY_FILE).read_bytes() == authority


def test_an_authority_that_ends_is_replaced_with_all_that_it_signed(tmp_path: Path) -> None:
    make_local_files(tmp_path, NOW)
    before = (tmp_path / AUTHORITY_FILE).read_bytes()
    make_local_files(tmp_path, NOW + 3_400 * DAY_S)
    after = (tmp_path / AUTHORITY_FILE).read_bytes()
    assert after != before
    issuer = x509.load_pem_x509_certificates((tmp_path / LOCAL_FILE).read_bytes())[0]
    issuer.verify_directly_issued_by(x509.load_pem_x509_certificate(after))


@pytest.mark.parametrize("name", [AUTHORITY_FILE, AUTHORITY_KEY_FILE, LOCAL_FILE])
def test_a_damaged_file_is_made_anew(name: str, tmp_path: Path) -> None:
    make_local_files(tmp_path, NOW)
    (tmp_path / name).write_bytes(b"damaged")
    make_local_files(tmp_path, NOW)
    made = x509.load_pem_x509_certificates((tmp_path / LOCAL_FILE).read_bytes())[0]
    made.verify_directly_issued_by(x509.load_pem_x509_certificate((tmp_path / AUTHORITY_FILE).read_bytes()))
