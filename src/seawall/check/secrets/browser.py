"""Finds variables that a bundler writes into its output and so sends to every visitor."""

import re
from collections.abc import Iterator

from msgspec import Struct

from seawall.check.findings import Severity
from seawall.check.secrets.judge import provider_named
from seawall.check.secrets.kinds import Provider
from seawall.check.secrets.places import Place
from seawall.check.secrets.values import is_random, is_reference, is_stand_in

_PREFIXES = (
    "NEXT_PUBLIC_",
    "VITE_",
    "REACT_APP_",
    "EXPO_PUBLIC_",
    "NUXT_PUBLIC_",
    "GATSBY_",
    "VUE_APP_",
    "NG_APP_",
    "PLASMO_PUBLIC_",
    "STORYBOOK_",
    "SNOWPACK_PUBLIC_",
    "PUBLIC_",
)
_NAME = re.compile(
    r"(?<![A-Za-z0-9_])(?:NEXT_PUBLIC|VITE|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|GATSBY|VUE_APP|NG_APP|PLASMO_PUBLIC|STORYBOOK"
    r"|SNOWPACK_PUBLIC|PUBLIC)_([A-Z0-9_]{3,80})(?![A-Za-z0-9_])"
)
_PUBLIC = re.compile(
    r"(?:^|_)(?:PUBLISHABLE|PUBLIC|PUB|ANON|SITE|MAPS?|MAPBOX|MAPTILER|FIREBASE|POSTHOG|SENTRY|MIXPANEL|SEGMENT|AMPLITUDE|GTM|GA|GA4"
    r"|ANALYTICS|CLARITY|HOTJAR|PLAUSIBLE|UMAMI|CRISP|INTERCOM|RECAPTCHA|HCAPTCHA|TURNSTILE|CAPTCHA|VAPID|PUSHER|ABLY|ALGOLIA_SEARCH"
    r"|SEARCH|ALGOLIA|STORYBLOK|PICKER|WALLETCONNECT|WALLET_CONNECT|REOWN|THIRDWEB|ALCHEMY|INFURA|MOONPAY|BUGSNAG|ROLLBAR|DATADOG"
    r"|LOGROCKET|FULLSTORY|STATSIG|LAUNCHDARKLY|GROWTHBOOK|ONESIGNAL|TINYMCE|CKEDITOR|SYNCFUSION|GIPHY|RAZORPAY_KEY_ID|PAYSTACK"
    r"|CESIUM|DSN|CLIENT_ID|APP_ID|PROJECT_ID|MEASUREMENT_ID|STREAM_API_KEY|SANITY_PROJECT|CLIENT_KEY|CLIENT_TOKEN|WRITE_KEY|UPLOAD_PRESET"
    r"|NEW_RELIC|VERCEL_ENV|WEBSITE|GOOGLE_API_KEY|SUPABASE_KEY|PRIVY|DYNAMIC|LIVEBLOCKS|KNOCK|RUDDER|CUSTOMERIO|KLAVIYO)(?:_|$)"
)
"""What is made for the browser, or is limited to a site by its issuer."""
_SECRET = re.compile(
    r"(?:^|_)(?:SECRET|PRIVATE|SERVICE_ROLE|SERVICE_KEY|PASSWORD|PASSWD|ADMIN_KEY|ADMIN_TOKEN|SIGNING_KEY|ENCRYPTION_KEY|JWT_KEY)(?:_|$)"
)
_KEYISH = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|PAT|SECRET|AUTH|APIKEY|ACCESS_TOKEN|CREDENTIALS?)(?:_\d+)?$"
)
_AI_WORDS = re.compile(
    r"(?:^|_)(?:AI|LLM|GPT|CHATGPT|GENERATIVE_AI|GOOGLE_AI|GEMINI|CLAUDE|GROK|MODEL|INFERENCE|CHATBOT|ASSISTANT)_(?:API_?KEY|KEY|TOKEN|SECRET)"
)
_DEFINE = re.compile(
    r"(?:JSON\.stringify\(\s*(?:env|process\.env)|['\"]?process\.env|['\"]?import\.meta\.env)[.\[]['\"]?([A-Z][A-Z0-9_]{3,80})"
)
_NEXT_ENV = re.compile(r"(?<![\w.])env\s*:\s*\{([^{}]{0,4000})\}")
_ENV_ENTRY = re.compile(r"process\.env\.([A-Z][A-Z0-9_]{3,80})")
_LINE = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*?)[ \t]*\r?$")


class Shipped(Struct, frozen=True):
    """A variable that reaches the browser: its name, where it stands, and whose secret it would be."""

    name: str
    start: int
    severity: Severity
    provider: Provider | None
    value: str = ""


def find_shipped(text: str, place: Place) -> Iterator[Shipped]:
    """Yield the secret variables that a bundler would ship, each name once in a file."""
    if place.is_docs or place.is_test or place.is_lock or place.is_foreign or place.path.endswith(".d.ts"):
        return
    if place.is_env:
        yield from _of_env(text, place)
        return
    seen: set[str] = set()
    if any(prefix in text for prefix in _PREFIXES):
        for match in _NAME.finditer(text):
            severity = severity_of(match[1])
            if match[0].startswith("PUBLIC_") and "$env/" not in text and "import.meta.env" not in text:
                continue
            if severity is not None and match[0] not in seen:
                seen.add(match[0])
                yield Shipped(match[0], match.start(), severity, provider_named(match[1]))
    name = place.path.rpartition("/")[2]
    if (name.startswith("vite.config.") and "define" in text) or (
        name.startswith("webpack.config.") and "DefinePlugin" in text
    ):
        yield from _of_names(text, _DEFINE, 0, seen)
    elif name.startswith("next.config."):
        for block in _NEXT_ENV.finditer(text):
            yield from _of_names(block[1], _ENV_ENTRY, block.start(1), seen)


def severity_of(name: str) -> Severity | None:
    """Return how bad it is to ship a variable (named without its prefix), None where it is meant to be."""
    if _SECRET.search(name) and not re.search(r"(?:^|_)PUBLI", name):
        return Severity.ERROR
    provider = provider_named(name)
    keyish = _KEYISH.search(name) is not None
    if _AI_WORDS.search(name):
        return Severity.ERROR
    if (
        keyish
        and provider is not None
        and provider.ai
        and provider.name != "Google"
        and not _PUBLIC.search(name)
    ):
        return Severity.ERROR
    if (
        keyish
        and provider is not None
        and provider.name == "Google"
        and "GOOGLE" not in name
        and not _PUBLIC.search(name)
    ):
        return Severity.ERROR
    if _PUBLIC.search(name) or not keyish:
        return None
    if provider is not None:
        return (
            Severity.WARNING
            if any(kind in name for kind in ("WEATHER", "NEWS", "TMDB", "RAPID"))
            else Severity.ERROR
        )
    return None


def _of_env(text: str, place: Place) -> Iterator[Shipped]:
    for line in _LINE.finditer(text):
        match = _NAME.fullmatch(line[1])
        value = line[2].split(" #")[0].strip().strip("\"'")
        if match is None or not value or is_reference(value) or is_stand_in(value) or len(value) < 8:
            continue
        severity = severity_of(match[1])
        if severity is None and _is_server_value(value):
            severity = Severity.ERROR
        if (
            severity is None
            and _KEYISH.search(match[1])
            and not _PUBLIC.search(match[1])
            and is_random(value, 10, 16)
        ):
            severity = Severity.WARNING
        if severity is not None and not place.is_example:
            yield Shipped(line[1], line.start(1), severity, provider_named(match[1]), value)


def _is_server_value(value: str) -> bool:
    return value.startswith(
        ("sk-", "sk_live_", "sk_test_", "sb_secret_", "gsk_", "hf_", "r8_", "ghp_", "xai-", "pplx-")
    )


def _of_names(text: str, shape: re.Pattern[str], offset: int, seen: set[str]) -> Iterator[Shipped]:
    for match in shape.finditer(text):
        name = match[1]
        bare = _NAME.fullmatch(name)
        severity = severity_of(bare[1] if bare is not None else name)
        if severity is None and name == "API_KEY" and "GEMINI" in text:
            continue
        if severity is not None and name not in seen:
            seen.add(name)
            yield Shipped(name, offset + match.start(1), severity, provider_named(name))
