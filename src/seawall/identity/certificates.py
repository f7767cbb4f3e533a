"""Certificates by which the gateway shows who it is: reads a pair of certificate and key, and judges it."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from msgspec import Struct


class BadCertificate(Exception):
    """Why a pair of certificate and key cannot be used, in one sentence without its full stop.

    `{cert}` and `{key}` stand where the files are named.
    """


class CertificateFacts(Struct, frozen=True):
    """What a certificate says: the names that it is for, and from when to when, in Unix seconds."""

    names: tuple[str, ...]
    starts_at: float
    ends_at: float


def read_pair(cert_pem: bytes, key_pem: bytes, now: float) -> CertificateFacts:
    """Read a certificate (the first of the chain counts) and its key, which must match and be valid now.

    Raises BadCertificate.
    """
    certificate = _read_certificate(cert_pem)
    key = _read_key(key_pem)
    if _public(key) != certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
        raise BadCertificate("the key {key} does not belong to the first certificate in {cert}")
    facts = _facts(certificate)
    if now >= facts.ends_at:
        raise BadCertificate(
            f"the certificate {{cert}} ended on {certificate.not_valid_after_utc:%Y-%m-%d}; renew it"
        )
    if now < facts.starts_at:
        begin = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        raise BadCertificate(f"the certificate {{cert}} is not valid before {begin}")
    return facts


def read_facts(cert_pem: bytes) -> CertificateFacts:
    """Read a certificate without judging it; raises BadCertificate where it is none."""
    return _facts(_read_certificate(cert_pem))


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        names=_names(certificate),
        starts_at=certificate.not_valid_before_utc.timestamp(),
        ends_at=certificate.not_valid_after_utc.timestamp(),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        stated = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    domains = [name.lower() for name in stated.get_values_for_type(x509.DNSName)]
    return (*domains, *(str(address) for address in stated.get_values_for_type(x509.IPAddress)))


def _read_certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except (ValueError, UnsupportedAlgorithm):
        raise BadCertificate("{cert} holds no certificate as PEM") from None


def _read_key(pem: bytes) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise BadCertificate(
            "the key {key} is encrypted, and nobody is there to type its passphrase; write it without one: "
            "openssl pkey -in {key} -out NEW_FILE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadCertificate("{key} holds no private key as PEM") from None


def _public(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
