"""Login tokens: what is accepted, and every way to tamper with one is a 401 without a word more."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import warnings
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from seawall.core.errors import Unauthenticated
from seawall.core.terms import IssuerTerms
from seawall.identity.jwks import COOLDOWN_S, FRESH_S
from seawall.identity.tokens import BELIEVED_S, Tokens

URL = "https://login.example/keys"
ISSUER = IssuerTerms(
    name="login",
    issuer="https://login.example",
    algorithms=("RS256", "ES256", "EdDSA"),
    jwks_url=URL,
    audience=("app",),
    tier_claim="app_metadata.tier",
)
SECRET = secrets.token_urlsafe(32)
SHARED = IssuerTerms(
    name="shared", issuer="https://shared.example", algorithms=("HS256",), secret=SECRET, audience=("app",)
)
NOON = 1_795_262_400.0
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def public(key: Any, kid: str, **fields: Any) -> dict[str, Any]:
    """Write the public part of a key as an issuer publishes it."""
    algorithms = {rsa.RSAPrivateKey: "RS256", ec.EllipticCurvePrivateKey: "ES256"}
    name = next((name for kind, name in algorithms.items() if isinstance(key, kind)), "EdDSA")
    written = jwt.get_algorithm_by_name(name).to_jwk(key.public_key())
    return {**json.loads(written), "kid": kid, **fields}


class Issuer:
    """Publishes keys, or is down; counts how often it is asked."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.is_down = False
        self.asked = 0

    async def __call__(self, url: str) -> bytes:
        assert url == URL
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise OSError("down")
        return json.dumps({"keys": self.keys}).encode()


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> float:
        return self.at


def usual() -> Issuer:
    return Issuer(public(RSA, "r1"), public(EC, "e1"), public(ED, "d1"))


def tokens_of(fetch: Issuer, clock: Callable[[], float] | None = None) -> Tokens:
    clock = clock or Hands()
    return Tokens((ISSUER, SHARED), fetch, now=clock, clock=clock)


def signed(key: Any = RSA, kid: str | None = "r1", algorithm: str = "RS256", **claims: Any) -> str:
    said = {"iss": ISSUER.issuer, "aud": "app", "sub": "ada", "exp": NOON + 3_600, **claims}
    said = {name: value for name, value in said.items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(said, key, algorithm=algorithm, headers=headers)


async def refuses(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await tokens.verify(token)
    assert caught.value.message == Unauthenticated().message


@pytest.mark.parametrize(
    ("key", "kid", "algorithm"), [(RSA, "r1", "RS256"), (EC, "e1", "ES256"), (ED, "d1", "EdDSA")]
)
async def test_a_good_token_names_its_user_and_its_tier(key: Any, kid: str, algorithm: str) -> None:
    tokens = tokens_of(usual())
    claims = await tokens.verify(signed(key, kid, algorithm, app_metadata={"tier": "premium"}))
    assert (claims.issuer.name, claims.user, claims.tier) == ("login", "ada", "premium")


async def test_a_token_by_a_shared_secret_is_good_for_its_own_issuer_alone() -> None:
    tokens = tokens_of(usual())
    good = signed(SECRET, None, "HS256", iss=SHARED.issuer)
    assert (await tokens.verify(good)).issuer is SHARED
    await refuses(tokens, signed(SECRET, None, "HS256"))


def raw(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


CLAIMS: dict[str, Any] = {"iss": ISSUER.issuer, "aud": "app", "sub": "ada", "exp": NOON + 3_600}
PEM = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def confused() -> str:
    """Sign with the public key as if it were a secret."""
    text = raw({"alg": "HS256", "kid": "r1"}, CLAIMS).rpartition(".")[0]
    mac = hmac.new(PEM, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


BAD: dict[str, Callable[[], str]] = {
    "expired": lambda: signed(exp=NOON - 31),
    "expires now, beyond the leeway": lambda: signed(exp=NOON - 30),
    "without an end": lambda: signed(exp=None),
    "an end that is no number": lambda: raw({"alg": "RS256", "kid": "r1"}, CLAIMS | {"exp": "x"}),
    "not yet valid": lambda: signed(nbf=NOON + 60),
    "another audience": lambda: signed(aud="other"),
    "no audience": lambda: signed(aud=None),
    "another issuer": lambda: signed(iss="https://evil.example"),
    "no issuer": lambda: signed(iss=None),
    "an issuer that is a list": lambda: raw({"alg": "RS256", "kid": "r1"}, CLAIMS | {"iss": [ISSUER.issuer]}),
    "no user": lambda: signed(sub=None),
    "an empty user": lambda: signed(sub=""),
    "a user that is no text": lambda: raw({"alg": "RS256", "kid": "r1"}, CLAIMS | {"sub": 7}),
    "a user with control characters": lambda: signed(sub="a\nb"),
    "an endless user": lambda: signed(sub="x" * 257),
    "signed by somebody else": lambda: signed(OTHER),
    "signed by nobody": lambda: raw({"alg": "none"}, CLAIMS),
    "signed by nobody, in capitals": lambda: raw({"alg": "NONE", "kid": "r1"}, CLAIMS),
    "the public key as a secret": confused,
    "a secret of another issuer": lambda: signed(SECRET, None, "HS256"),
    "an algorithm that is not accepted": lambda: signed(algorithm="RS512"),
    "an algorithm of another kind of key": lambda: signed(EC, "r1", "ES256"),
    "an unknown key": lambda: signed(kid="r9"),
    "no key id where there are several of the kind": lambda: signed(OTHER, None),
    "a critical header": lambda: jwt.encode(CLAIMS, RSA, "RS256", headers={"kid": "r1", "crit": ["b64"], "b64": True}),
    "Supabase's service role": lambda: signed(role="service_role"),
    "Supabase's anonymous role": lambda: signed(role="anon"),
    "a huge token": lambda: signed(filler="x" * 9_000),
    "two parts": lambda: "a.b",
    "no JSON": lambda: "a.b.c",
    "not ASCII": lambda: signed() + "é",
    "a changed signature": lambda: signed()[:-8] + "AAAAAAAA",
    "changed claims": lambda: ".".join([signed().split(".")[0], raw({}, CLAIMS | {"sub": "eve"}).split(".")[1], signed().split(".")[2]]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_whatever_is_wrong_with_a_token_it_is_only_not_valid(name: str) -> None:
    await refuses(tokens_of(usual()), BAD[name]())


async def test_a_good_token_that_was_seen_does_not_outlive_its_end_or_its_minute() -> None:
    clock, fetch = Hands(), usual()
    tokens = tokens_of(fetch, clock)
    short = signed(exp=NOON + 10)
    assert (await tokens.verify(short)).user == "ada"
    clock.at += 10 + ISSUER.leeway_s
    await refuses(tokens, short)
    assert (await tokens.verify(signed())).until == clock.at + BELIEVED_S


async def test_two_tokens_that_begin_alike_are_two_users() -> None:
    tokens = tokens_of(usual())
    users = [(await tokens.verify(signed(sub=f"{'a' * 200}{number}"))).user for number in range(3)]
    assert len(set(users)) == 3


async def test_a_flood_of_unknown_keys_asks_the_issuer_once() -> None:
    clock, fetch = Hands(), usual()
    tokens = tokens_of(fetch, clock)
    await tokens.verify(signed())
    before = fetch.asked
    clock.at += COOLDOWN_S
    flood = [signed(OTHER, kid=f"k{number}") for number in range(100)]
    answers = await asyncio.gather(*map(tokens.verify, flood), return_exceptions=True)
    assert all(isinstance(answer, Unauthenticated) for answer in answers)
    assert fetch.asked == before + 1


async def test_a_new_key_of_the_issuer_works_once_it_may_be_asked_again() -> None:
    clock, fetch = Hands(), Issuer(public(RSA, "r1"))
    tokens = tokens_of(fetch, clock)
    await tokens.verify(signed())
    fetch.keys.append(public(OTHER, "r2"))
    await refuses(tokens, signed(OTHER, "r2"))
    clock.at += COOLDOWN_S
    assert (await tokens.verify(signed(OTHER, "r2"))).user == "ada"


async def test_while_the_issuer_is_down_known_keys_work_and_unknown_ones_do_not() -> None:
    clock, fetch = Hands(), usual()
    tokens = tokens_of(fetch, clock)
    await tokens.verify(signed())
    fetch.is_down = True
    clock.at += FRESH_S + 1
    late = NOON + 3 * FRESH_S
    assert (await tokens.verify(signed(exp=late, sub="bob"))).user == "bob"
    await refuses(tokens, signed(OTHER, "r2", exp=late))
    await tokens.close()


async def test_where_the_issuer_was_never_reached_a_token_is_not_valid() -> None:
    fetch = usual()
    fetch.is_down = True
    await refuses(tokens_of(fetch), signed())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"keys": 5}', b'{"keys": [7, {"kty": "RSA"}]}', b"\xff", b'{"keys": []}']
)
async def test_a_set_of_keys_that_is_none_is_passed_over(body: bytes) -> None:
    async def fetch(url: str) -> bytes:
        return body

    clock = Hands()
    await refuses(Tokens((ISSUER,), fetch, now=clock, clock=clock), signed())


async def test_keys_for_encryption_secrets_and_weak_keys_are_passed_over() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    secret = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "kid": "s1"}
    fetch = Issuer(public(RSA, "r1", use="enc"), public(weak, "w1"), secret)
    tokens = tokens_of(fetch)
    await refuses(tokens, signed())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyjwt warns of what is made here on purpose.
        token = signed(weak, "w1")
    await refuses(tokens, token)


async def test_the_authorized_party_counts_where_it_is_stated() -> None:
    clock = Hands()
    clerk = IssuerTerms(
        name="clerk",
        issuer="https://c.example",
        algorithms=("RS256",),
        jwks_url=URL,
        parties=("https://app.example",),
    )
    tokens = Tokens((clerk,), usual(), now=clock, clock=clock)
    said: dict[str, Any] = {"iss": clerk.issuer, "aud": None}
    assert (await tokens.verify(signed(azp="https://app.example", **said))).user == "ada"
    await refuses(tokens, signed(azp="https://evil.example", **said))
    await refuses(tokens, signed(**said))
