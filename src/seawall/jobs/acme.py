"""Gets one certificate by ACME (RFC 8555) with HTTP-01, through the `acme` library, which blocks.

An order has two parts, `begin_order` and `finish_order`; in between, the answers to the issuer are published.
Both block and belong in a thread.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests
from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from msgspec import Struct

from seawall import __version__

REQUEST_S = 15
ORDER_S = 90
TOLD_CHARS_MAX = 300
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")


class NotIssued(Exception):
    """Why there is no certificate, in one sentence without its full stop."""


class AcmeTerms(Struct, frozen=True):
    """What is asked for, and of whom; `http_port` is the port on which this gateway answers the issuer."""

    domains: tuple[str, ...]
    directory_url: str
    email: str | None = None
    ca: Path | None = None
    http_port: int = 80

    @property
    def issuer(self) -> str:
        """Return the host of the issuer, which people know it by."""
        return urlsplit(self.directory_url).netloc


class Order(Struct, frozen=True):
    """An order under way: `answers` are what the issuer must read, by token."""

    client: client.ClientV2
    resource: messages.OrderResource
    asked: tuple[tuple[messages.ChallengeBody, challenges.HTTP01Response], ...]
    answers: Mapping[str, str]
    key_pem: bytes


def make_account_key() -> bytes:
    """Make the key of an account, as PEM."""
    return _pem_of(ec.generate_private_key(ec.SECP256R1()))


def begin_order(terms: AcmeTerms, account_key: bytes) -> Order:
    """Ask for a certificate for all domains, with a new key; raises NotIssued.

    The account is made where the issuer does not know its key yet; that agrees to the issuer's terms.
    """
    with _told(terms):
        acme = _connect(terms, account_key)
        key_pem = _pem_of(ec.generate_private_key(ec.SECP256R1()))
        resource = acme.new_order(crypto_util.make_csr(key_pem, domains=list(terms.domains)))
        asked: list[tuple[messages.ChallengeBody, challenges.HTTP01Response]] = []
        answers: dict[str, str] = {}
        for authorization in resource.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue  # The issuer still remembers that the domain is ours.
            body = _http01_of(authorization)
            response, answer = body.response_and_validation(acme.net.key)
            token = body.chall.encode("token")
            if _TOKEN.fullmatch(token) is None:
                raise NotIssued(f"{terms.issuer} asks for something that is no token")
            asked.append((body, response))
            answers[token] = answer
    return Order(acme, resource, tuple(asked), answers, key_pem)


def finish_order(terms: AcmeTerms, order: Order) -> bytes:
    """Have the issuer look at the answers; returns key and certificate with its chain, as one PEM.

    Raises NotIssued. The answers must be published until this returns.
    """
    deadline = datetime.datetime.now() + datetime.timedelta(seconds=ORDER_S)  # noqa: DTZ005 - as acme counts
    with _told(terms):
        for body, response in order.asked:
            order.client.answer_challenge(body, response)
        resource = order.client.poll_and_finalize(order.resource, deadline)
    return order.key_pem + resource.fullchain_pem.encode()


def _connect(terms: AcmeTerms, account_key: bytes) -> client.ClientV2:
    """Log in; an issuer that knows the key answers with the account that it has."""
    if terms.ca is not None and not terms.ca.is_file():
        raise NotIssued(f"tls.ca names {terms.ca}, which does not exist")
    key = JWKEC(key=load_pem_private_key(account_key, password=None))
    net = client.ClientNetwork(
        key,
        alg=ES256,
        verify_ssl=True if terms.ca is None else str(terms.ca),  # type: ignore[arg-type] # requests takes both
        user_agent=f"seawall/{__version__}",
        timeout=REQUEST_S,
    )
    acme = client.ClientV2(client.ClientV2.get_directory(terms.directory_url, net), net)
    if acme.external_account_required():
        raise NotIssued(f"{terms.issuer} gives certificates only to accounts that were made there before")
    wanted = messages.NewRegistration.from_data(email=terms.email, terms_of_service_agreed=True)
    try:
        acme.new_account(wanted)
    except errors.ConflictError as known:
        net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
    return acme


def _http01_of(authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
    for body in authorization.body.challenges:
        if isinstance(body.chall, challenges.HTTP01):
            return body
    raise NotIssued(f"the issuer does not look at {authorization.body.identifier.value} by HTTP")


@contextmanager
def _told(terms: AcmeTerms) -> Iterator[None]:
    """Turn whatever the library raises into one sentence."""
    try:
        yield
    except errors.ValidationError as error:
        raise NotIssued(_refusal(terms, error)) from error
    except errors.TimeoutError as error:
        raise NotIssued(f"{terms.issuer} did not finish in {ORDER_S} seconds") from error
    except messages.Error as error:
        raise NotIssued(f"{terms.issuer} refuses ({_problem(error)})") from error
    except requests.exceptions.SSLError as error:
        raise NotIssued(
            f"the certificate of {terms.issuer} itself is not trusted here; where it is one of its own,"
            " tls.ca names the file of the authority"
        ) from error
    except (requests.RequestException, OSError) as error:
        raise NotIssued(f"{terms.issuer} cannot be reached ({type(error).__name__})") from error
    except (errors.Error, JoseError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise NotIssued(f"{terms.issuer} does not speak ACME as expected ({type(error).__name__})") from error


def _refusal(terms: AcmeTerms, error: errors.ValidationError) -> str:
    reasons = [
        f"{authorization.body.identifier.value} ({_problem(body.error)})"
        for authorization in error.failed_authzrs
        for body in authorization.body.challenges
        if body.error is not None
    ]
    return (
        f"{terms.issuer} did not find this gateway at {', '.join(reasons) or 'the domain'}: the domain has to"
        f" lead to this machine, and its port 80 to port {terms.http_port} here"
    )


def _problem(error: messages.Error) -> str:
    """Return what the issuer says, as one short line."""
    said = f"{error.code or error.typ}: {error.detail or 'no reason is given'}"
    return "".join(char if char.isprintable() else " " for char in said)[:TOLD_CHARS_MAX]


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
