"""The settings of the recipes load, and accept a token of the shape that each provider signs."""

import json
import re
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from seawall.core.events import APP_KEPT_S, APP_KINDS, KINDS
from seawall.identity.tokens import Tokens
from seawall.jobs.dispatching import APP_PAUSES_S
from seawall.settings import load_settings
from tests.docs.pages import blocks_of, read_page

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOON = 1_795_262_400.0
TOKENS: dict[str, dict[str, Any]] = {
    "supabase": {
        "iss": "https://PROJECT.supabase.co/auth/v1",
        "aud": "authenticated",
        "sub": "5f1b2c9e-1111-4222-8333-444455556666",
        "role": "authenticated",
        "app_metadata": {"provider": "email", "tier": "premium"},
        "user_metadata": {"tier": "forged"},
    },
    "clerk": {
        "iss": "https://YOUR-APP.clerk.accounts.dev",
        "azp": "https://app.example.com",
        "sub": "user_2abc",
        "sid": "sess_1",
        "tier": "premium",
    },
    "auth0": {
        "iss": "https://YOUR-TENANT.eu.auth0.com/",
        "aud": ["https://ai.example.com", "https://YOUR-TENANT.eu.auth0.com/userinfo"],
        "azp": "a-client",
        "sub": "auth0|64f0",
        "https://example.com/tier": "premium",
    },
    "firebase": {
        "iss": "https://securetoken.google.com/PROJECT-ID",
        "aud": "PROJECT-ID",
        "sub": "u1",
        "user_id": "u1",
        "tier": "premium",
        "firebase": {"sign_in_provider": "google.com"},
    },
}


@pytest.mark.parametrize("name", TOKENS)
async def test_a_token_of_the_provider_names_its_user_and_tier(name: str, tmp_path: Path) -> None:
    [block] = [block for block in blocks_of(f"docs/recipes/{name}.md") if block.language == "toml"]
    (tmp_path / "seawall.toml").write_text(block.text, encoding="utf-8")
    issuers = load_settings(None, {}, {}, tmp_path).issuer_terms()

    async def fetch(url: str) -> bytes:
        assert url == issuers[name].jwks_url
        written = json.loads(jwt.get_algorithm_by_name("RS256").to_jwk(KEY.public_key()))
        return json.dumps({"keys": [{**written, "kid": "k1", "use": "sig"}]}).encode()

    tokens = Tokens(issuers.values(), fetch, now=lambda: NOON, clock=lambda: NOON)
    said = TOKENS[name] | {"exp": NOON + 60, "iat": NOON}
    claims = await tokens.verify(jwt.encode(said, KEY, "RS256", headers={"kid": "k1"}))
    assert (claims.issuer.name, claims.user, claims.tier) == (name, said["sub"], "premium")
    assert issuers[name].origins == ("https://app.example.com",)


PAGES = [
    "docs/recipes/free-and-premium.md",
    "docs/limits.md",
    "docs/cache.md",
    "docs/tiers.md",
    "docs/identity.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_of_a_page_load(page: str, tmp_path: Path) -> None:
    for block in blocks_of(page):
        if block.language == "toml":
            (tmp_path / "seawall.toml").write_text(block.text, encoding="utf-8")
            load_settings(None, {}, {}, tmp_path)


def test_the_settings_of_the_alerts_load(tmp_path: Path) -> None:
    [block] = [block for block in blocks_of("docs/alerts.md") if block.language == "toml"]
    (tmp_path / "seawall.toml").write_text(block.text, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert (settings.alerts.digest_at, settings.mail.to) == ((8, 0), ["you@example.com"])


def test_the_settings_of_the_webhooks_load(tmp_path: Path) -> None:
    [block] = [block for block in blocks_of("docs/webhooks.md") if block.language == "toml"]
    (tmp_path / "seawall.toml").write_text(block.text, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert settings.webhooks["billing"].keys == ["shop"]


def test_every_event_of_jobs_is_on_the_page() -> None:
    page = read_page("docs/webhooks.md")
    assert {kind for kind in APP_KINDS if f"`{kind}`" not in page} == set()


def test_the_pauses_on_the_page_are_those_of_the_code() -> None:
    [row] = [line for line in read_page("docs/webhooks.md").splitlines() if line.startswith("| pause |")]
    units = {"s": 1, "min": 60, "h": 3600}
    pauses = [int(n) * units[unit] for n, unit in re.findall(r"([0-9]+) (s|min|h) \|", row)]
    assert pauses == [*APP_PAUSES_S, APP_KEPT_S]


def test_every_event_is_on_the_page() -> None:
    page = read_page("docs/alerts.md")
    listed = set(re.findall(r"`([a-z]+\.[a-z_]+)`", page))
    assert {kind for kind in KINDS if kind != "test"} <= listed
