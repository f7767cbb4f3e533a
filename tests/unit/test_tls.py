"""When a certificate gets into use, and what is said about one that does not."""

import logging
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.authorities import HOST, Authority, Files, encrypted

from seawall.identity.certificates import BadCertificate
from seawall.server.tls import LiveTls, PairFiles

BROKEN = "the new certificate cannot be used; the old one stays"


@pytest.fixture(autouse=True)
def hear_everything(caplog: pytest.LogCaptureFixture) -> None:
    """Hear what is said where all goes well, too."""
    caplog.set_level(logging.INFO, "seawall")


def live_of(files: Files) -> LiveTls:
    return LiveTls(PairFiles(files.cert, files.key))


def shown(live: LiveTls, authority: Authority) -> str:
    """Return the first name of the certificate that a client is shown, in a handshake without a network."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = authority.client()
    trusting.check_hostname = False
    client = trusting.wrap_bio(to_client, to_server)
    server = live.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    found = client.getpeercert()
    assert found is not None
    names: Any = found["subjectAltName"]
    return next(str(name) for kind, name in names if kind == "DNS")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.fields["why"] for record in caplog.records if record.getMessage() == BROKEN]


def mismatched(files: Files, authority: Authority) -> None:
    files.write((authority.pair("new.example.com")[0], authority.pair()[1]))


def half_written(files: Files, authority: Authority) -> None:
    cert, key = authority.pair("new.example.com")
    files.write((cert[: len(cert) // 3], key))


def key_missing(files: Files, _authority: Authority) -> None:
    files.key.unlink()


def cert_missing(files: Files, _authority: Authority) -> None:
    files.cert.unlink()


def a_folder(files: Files, _authority: Authority) -> None:
    files.cert.unlink()
    files.cert.mkdir()


def ended(files: Files, authority: Authority) -> None:
    files.write(authority.expired())


def not_yet(files: Files, authority: Authority) -> None:
    files.write(authority.future())


def no_pem(files: Files, _authority: Authority) -> None:
    files.cert.write_bytes(b"\0\xff" * 500)


def no_key(files: Files, authority: Authority) -> None:
    cert, _ = authority.pair()
    files.write((cert, cert))


def with_passphrase(files: Files, authority: Authority) -> None:
    cert, key = authority.pair()
    files.write((cert, encrypted(key)))


def empty(files: Files, _authority: Authority) -> None:
    files.write((b"", b""))


SPOILT: dict[Callable[[Files, Authority], None], str] = {
    mismatched: "the key {key} does not belong to the first certificate in {cert}",
    half_written: "{cert} holds no certificate as PEM",
    key_missing: "the key {key} does not exist",
    cert_missing: "the certificate {cert} does not exist",
    a_folder: "the certificate {cert} cannot be read (Is a directory)",
    ended: "the certificate {cert} ended on 2021-03-04; renew it",
    not_yet: "the certificate {cert} is not valid before 2990-01-01 00:00 UTC",
    no_pem: "{cert} holds no certificate as PEM",
    no_key: "{key} holds no private key as PEM",
    with_passphrase: "the key {key} is encrypted, and nobody is there to type its passphrase; write it without "
    "one: openssl pkey -in {key} -out NEW_FILE",
    empty: "{cert} holds no certificate as PEM",
}  # fmt: skip
CASES = pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)


@CASES
def test_a_bad_pair_is_refused_in_one_sentence(
    files: Files, authority: Authority, spoil: Callable[[Files, Authority], None]
) -> None:
    spoil(files, authority)
    with pytest.raises(BadCertificate) as caught:
        live_of(files)
    assert str(caught.value) == SPOILT[spoil].format(cert=files.cert, key=files.key)


@CASES
def test_a_bad_pair_keeps_the_old_one_is_named_once_and_can_be_mended(
    files: Files,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Files, Authority], None],
) -> None:
    live = live_of(files)
    spoil(files, authority)
    for _ in range(4):
        live.look()
    assert said(caplog) == [SPOILT[spoil].format(cert=files.cert, key=files.key)]
    assert shown(live, authority) == HOST
    if files.cert.is_dir():
        files.cert.rmdir()
    files.write(authority.pair("mended.example.com"))
    live.look()
    assert shown(live, authority) == live.facts.names[0] == "mended.example.com"
    live.look()
    assert len(said(caplog)) == 1


def test_nothing_is_said_between_the_writing_of_one_file_and_of_the_other(
    files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    live = live_of(files)
    cert, key = authority.pair("new.example.com")
    files.cert.write_bytes(cert)
    live.look()
    assert shown(live, authority) == HOST
    files.key.write_bytes(key)
    live.look()
    assert shown(live, authority) == "new.example.com"
    assert said(caplog) == []


def test_a_pair_of_tomorrow_is_used_once_it_is_valid(
    files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    moment = time.time()
    live = LiveTls(PairFiles(files.cert, files.key), now=lambda: moment)
    begin = datetime.fromtimestamp(moment, UTC) + timedelta(days=1)
    files.write(authority.pair("new.example.com", begin=begin))
    for _ in range(3):
        live.look()
    assert shown(live, authority) == HOST
    moment += 86_401
    live.look()
    assert live.facts.names[0] == "new.example.com"
    assert len(said(caplog)) == 1


def test_an_unchanged_pair_is_not_read_again(
    files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    live = live_of(files)
    live.look()
    assert caplog.records == []
    live.ask_again()
    live.look()
    assert [record.getMessage() for record in caplog.records] == ["a certificate was loaded"]


def test_who_asks_again_hears_again_what_is_wrong(
    files: Files, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    live = live_of(files)
    files.key.unlink()
    for _ in range(2):
        live.ask_again()
        live.look()
        live.look()
    assert len(said(caplog)) == 2


def test_key_and_chain_may_be_one_file(tmp_path: Path, authority: Authority) -> None:
    cert, key = authority.pair()
    both = tmp_path / "both.pem"
    both.write_bytes(key + cert)
    assert shown(LiveTls(PairFiles(both, both)), authority) == HOST


def test_a_certificate_that_ends_while_it_is_used_stays_until_there_is_another(
    files: Files, authority: Authority
) -> None:
    """Clients say what is wrong with it; a gateway without any would only be gone."""
    moment = 1_790_000_000.0
    live = LiveTls(PairFiles(files.cert, files.key), now=lambda: moment)
    files.key.touch()
    moment = 99_000_000_000.0
    for _ in range(2):
        live.look()
    assert shown(live, authority) == HOST
