"""The section that says whose login tokens are accepted."""

from typing import Self

from pydantic import model_validator

from seawall.core.addresses import is_origin
from seawall.core.terms import IssuerTerms
from seawall.settings.credentials import Secrets
from seawall.settings.problems import SettingsError
from seawall.settings.sections import Section, setting
from seawall.settings.values import Algorithms, Names, Seconds, Text, Url, Variable

SECRET_CHARS_MIN = 32
USUAL = ("RS256", "ES256", "EdDSA")
_WRITABLE = ("user_metadata", "unsafe_metadata", "unsafeMetadata", "public_user_metadata")
"""Claims that users can write themselves: Supabase's and Clerk's."""


class IssuerSettings(Section):
    """An issuer of login tokens, such as your auth provider. NAME becomes part of the id of its users."""

    issuer: Text = setting("What the token's `iss` says, exactly.")
    jwks_url: Url | None = setting("Where the issuer publishes its keys (JWKS).", default=None)
    secret_env: Variable | None = setting(
        "The environment variable with the secret, where tokens are signed by one (HS256).", default=None
    )
    audience: Names | None = setting("What the token's `aud` must name: one of these.", default=None)
    authorized_parties: Names | None = setting("What the token's `azp` must be: one of these.", default=None)
    algorithms: Algorithms | None = setting(
        "The algorithms to accept with jwks_url; not set means RS256, ES256 and EdDSA.", default=None
    )
    user_claim: Text = setting("Which claim is the user's id; dots lead into objects.", default="sub")
    tier_claim: Text | None = setting(
        "Which claim names the user's tier. Never one that users can write themselves.", default=None
    )
    origins: Names | None = setting(
        "The web pages that may call with such a token, as browsers name them; without any, no browser can.",
        default=None,
    )
    leeway_s: Seconds = setting("How far clocks may differ.", default=30.0, le=300)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.jwks_url is None) == (self.secret_env is None):
            raise ValueError("needs jwks_url or secret_env, one of them")
        if not self.audience and not self.authorized_parties:
            raise ValueError("needs audience or authorized_parties: tokens for other apps are none for yours")
        if self.algorithms and self.secret_env is not None:
            raise ValueError("has a secret, with which HS256 is the only algorithm; leave algorithms out")
        if self.tier_claim is not None and self.tier_claim.split(".")[0] in _WRITABLE:
            raise ValueError("takes the tier from a claim that users can write themselves")
        if not all(is_origin(origin) for origin in self.origins or ()):
            raise ValueError("lists an origin that is none; write it as in https://app.example.com")
        return self

    def terms(self, name: str, secrets: Secrets) -> IssuerTerms:
        """Return the issuer in the words of identity; raises SettingsError where its secret is missing."""
        secret = None if self.secret_env is None else secrets.get(self.secret_env)
        if self.secret_env is not None and (secret is None or len(secret) < SECRET_CHARS_MIN):
            raise SettingsError(
                f"issuers.{name}: the secret in {self.secret_env} is missing or shorter than"
                f" {SECRET_CHARS_MIN} characters; set it in the environment or in .env."
            )
        return IssuerTerms(
            name=name,
            issuer=self.issuer,
            algorithms=("HS256",) if secret is not None else tuple(self.algorithms or USUAL),
            jwks_url=self.jwks_url,
            secret=secret,
            audience=tuple(self.audience or ()),
            parties=tuple(self.authorized_parties or ()),
            user_claim=self.user_claim,
            tier_claim=self.tier_claim,
            origins=tuple(self.origins or ()),
            leeway_s=self.leeway_s,
        )
