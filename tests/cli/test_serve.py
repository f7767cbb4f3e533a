"""What `seawall serve` refuses to listen on, each in one sentence, before anything is made."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.authorities import Authority, Files, encrypted
from tests.fixtures.servers import free_port

WAYS = (
    "Choose one: --tls-auto DOMAIN gets a certificate, --tls-cert FILE with --tls-key FILE uses one that you have, "
    "and behind a proxy of yours that brings HTTPS you state its network in the configuration: "
    'behind_proxy = ["10.0.0.0/8"].'
)


PROGRAM = "from seawall.cli.main import main; main()"


def serve(folder: Path, *options: str, told: str = "", program: str = PROGRAM) -> str:
    """Start it in a folder, which fails; returns what it says, after what it told of its progress."""
    run = subprocess.run(
        [sys.executable, "-c", program, "serve", "--port", "0", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (run.returncode, run.stdout) == (2, told)
    return run.stderr.removeprefix("seawall: ").rstrip("\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_public_address_takes_https_or_a_proxy(tmp_path: Path, host: str) -> None:
    said = serve(tmp_path, "--host", host)
    assert said == f"{host} can be reached by others, and keys and texts would travel readable. {WAYS}"
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_for_this_machine_is_no_https_for_others(tmp_path: Path) -> None:
    said = serve(tmp_path, "--host", "0.0.0.0", "--https")
    assert said == f"--https is for this machine only, and 0.0.0.0 can be reached by others. {WAYS}"


def test_there_is_one_certificate(tmp_path: Path) -> None:
    said = serve(tmp_path, "--https", "--tls-auto", "api.example.com")
    assert said == (
        "--https makes a certificate for this machine only, and [tls] or an option names another. Leave one of them out."
    )
    said = serve(tmp_path, "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-auto", "api.example.com")
    assert said == "command line: tls must state either files (cert and key) or auto, not both."


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tls-cert", "cert.pem"], "command line: tls must state both cert and key, or neither."),
        (["--tls-cert", "cert.pem", "--tls-key", "gone.pem"], "the key gone.pem does not exist."),
        (["--tls-cert", "gone.pem", "--tls-key", "key.pem"], "the certificate gone.pem does not exist."),
        (["--tls-cert", ".", "--tls-key", "key.pem"], "the certificate . cannot be read (Is a directory)."),
        (["--tls-cert", "key.pem", "--tls-key", "key.pem"], "key.pem holds no certificate as PEM."),
        (["--tls-cert", "cert.pem", "--tls-key", "cert.pem"], "cert.pem holds no private key as PEM."),
        (
            ["--tls-cert", "cert.pem", "--tls-key", "other.pem"],
            "the key other.pem does not belong to the first certificate in cert.pem.",
        ),
        (
            ["--tls-cert", "cert.pem", "--tls-key", "encrypted.pem"],
            "the key encrypted.pem is encrypted, and nobody is there to type its passphrase; write it without one: "
            "openssl pkey -in encrypted.pem -out NEW_FILE.",
        ),
        (
            ["--tls-cert", "old.pem", "--tls-key", "old-key.pem"],
            "the certificate old.pem ended on 2021-03-04; renew it.",
        ),
    ],
)  # fmt: skip
def test_a_bad_pair_is_named_as_it_was_typed(
    tmp_path: Path, files: Files, authority: Authority, options: list[str], said: str
) -> None:
    (tmp_path / "other.pem").write_bytes(authority.pair()[1])
    (tmp_path / "encrypted.pem").write_bytes(encrypted(files.key.read_bytes()))
    old, old_key = authority.expired()
    (tmp_path / "old.pem").write_bytes(old)
    (tmp_path / "old-key.pem").write_bytes(old_key)
    assert serve(tmp_path, *options) == said


def test_the_port_that_the_issuer_asks_has_to_be_free(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "seawall.toml").write_text(f"[tls]\nhttp_port = {port}\n", encoding="utf-8")
        said = serve(tmp_path, "--tls-auto", "api.example.com")
    assert said == f"port {port} is in use, and the issuer of certificates has to find this gateway there."


@pytest.mark.parametrize(
    "domain", ["localhost", "*.example.com", "10.0.0.1", "api.example.com/x", "a b.com", ""]
)
def test_what_is_no_domain_is_refused(tmp_path: Path, domain: str) -> None:
    said = serve(tmp_path, "--tls-auto", domain)
    assert said == 'command line: tls.auto must be a domain such as "api.example.com", or a list of them.'


def test_who_has_no_acme_library_is_told_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "seawall.toml").write_text(f"[tls]\nhttp_port = {free_port()}\n", encoding="utf-8")
    without = f"import sys; sys.modules['acme'] = None; {PROGRAM}"
    said = serve(tmp_path, "--tls-auto", "api.example.com", program=without)
    assert said == 'automatic certificates need the acme library: pip install "seawall[acme]".'


def test_without_a_certificate_nothing_is_served_and_no_key_is_made(tmp_path: Path) -> None:
    issuer = f"localhost:{free_port()}"
    stated = f'[tls]\nhttp_port = {free_port()}\ndirectory_url = "https://{issuer}/dir"\n'
    (tmp_path / "seawall.toml").write_text(stated, encoding="utf-8")
    progress = (
        f"Getting a certificate for api.example.com from {issuer}; this takes a few seconds and agrees to its "
        "terms ...\n"
    )
    said = serve(tmp_path, "--tls-auto", "api.example.com", told=progress)
    assert (
        said == f"there is no certificate for api.example.com: {issuer} cannot be reached (ConnectionError)."
    )
    assert not (tmp_path / ".seawall" / "seawall.db").exists()
