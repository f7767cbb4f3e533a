"""Finds secrets in a text: keys by prefix, length, checksum and entropy, passwords by where they stand.

Invariants:
- A text without a long word, `://`, a PEM header and the words that name secrets costs a few microseconds.
- No expression runs away: every repetition is bounded, and what was rejected is not looked at again.
- Placeholders are not found: what is found has the variety of something drawn at random.
- A finding covers the whole secret, and none but a PEM block or a JWT is longer than LONGEST_SECRET.

The forms are those of providers' keys as known in 2026-11.
"""

import binascii
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from seawall.core.findings import Finding
from seawall.guards.checks import has_crc, has_entropy, is_stand_in

LONGEST_SECRET = 300
"""So many characters a finding can have, with the name before it, other than a PEM block and a JWT."""
PEM_CHARS_MAX = 16_384
JWT_CHARS_MAX = 4_096
BODY_CHARS_MAX = 280
VALUE_CHARS_MAX = 200
NAME_CHARS_MAX = 40
LONG_WORD = 20
"""No key with a prefix is shorter."""


class Kind(NamedTuple):
    """What follows a prefix: from `least` to `most` characters of an alphabet; `most` 0 leaves it open."""

    label: str
    alphabet: str
    least: int
    most: int = 0


_ALPHABETS = {
    "hex": re.compile(r"[0-9a-f]{1,280}"),
    "alnum": re.compile(r"[A-Za-z0-9]{1,280}"),
    "upper": re.compile(r"[A-Z0-9]{1,280}"),
    "word": re.compile(r"[A-Za-z0-9_-]{1,280}"),
    "dotted": re.compile(r"[A-Za-z0-9_.-]{0,279}[A-Za-z0-9_-]"),
    "base64": re.compile(r"[A-Za-z0-9+/_=-]{1,280}"),
    "crc": re.compile(r"[A-Za-z0-9_.-]{1,280}"),
    "sendgrid": re.compile(r"[\w-]{22}\.[\w-]{43}", re.ASCII),
    "slack": re.compile(r"[TE][A-Z0-9]{7,14}/B[A-Z0-9]{7,14}/[A-Za-z0-9]{20,32}"),
    "discord": re.compile(r"[0-9]{17,20}/[\w-]{60,80}", re.ASCII),
    "airtable": re.compile(r"[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
}
_KINDS: dict[str, Kind] = {
    "sk-": Kind("openai_key", "word", 20),
    "sk-proj-": Kind("openai_key", "word", 40),
    "sk-svcacct-": Kind("openai_key", "word", 40),
    "sk-admin-": Kind("openai_key", "word", 40),
    "sk-ant-": Kind("anthropic_key", "word", 40),
    "sk-or-": Kind("openrouter_key", "word", 40),
    "sk-lf-": Kind("langfuse_key", "word", 32),
    "AIza": Kind("google_api_key", "word", 35, 35),
    "AQ.Ab": Kind("google_api_key", "word", 40),
    "gsk_": Kind("groq_key", "alnum", 40),
    "xai-": Kind("xai_key", "alnum", 60),
    "hf_": Kind("huggingface_token", "alnum", 30, 40),
    "api_org_": Kind("huggingface_token", "alnum", 30, 40),
    "r8_": Kind("replicate_key", "alnum", 36, 40),
    "pplx-": Kind("perplexity_key", "alnum", 40),
    "fw_": Kind("fireworks_key", "alnum", 20, 40),
    "tgp_v1_": Kind("together_key", "word", 40),
    "lsv2_pt_": Kind("langsmith_key", "word", 40),
    "lsv2_sk_": Kind("langsmith_key", "word", 40),
    "ls__": Kind("langsmith_key", "hex", 32, 32),
    "pcsk_": Kind("pinecone_key", "word", 40),
    "jina_": Kind("jina_key", "word", 50),
    "nvapi-": Kind("nvidia_key", "word", 60),
    "csk-": Kind("cerebras_key", "alnum", 40),
    "pa-": Kind("voyage_key", "word", 43, 43),
    "tvly-": Kind("tavily_key", "word", 28),
    "sk_": Kind("elevenlabs_key", "hex", 48, 48),
    "fc-": Kind("firecrawl_key", "hex", 32, 32),
    "e2b_": Kind("e2b_key", "hex", 40, 40),
    "phx_": Kind("posthog_key", "alnum", 40),
    "wandb_v1_": Kind("wandb_key", "word", 40),
    "sw-": Kind("seawall_key", "word", 43, 43),
    "swp-": Kind("seawall_publishable_key", "word", 43, 43),
    "AKIA": Kind("aws_access_key", "upper", 16, 16),
    "ASIA": Kind("aws_access_key", "upper", 16, 16),
    "ABIA": Kind("aws_access_key", "upper", 16, 16),
    "ACCA": Kind("aws_access_key", "upper", 16, 16),
    "ABSK": Kind("aws_bedrock_key", "base64", 100),
    "bedrock-api-key-": Kind("aws_bedrock_key", "base64", 60),
    "LTAI": Kind("alibaba_key", "alnum", 16, 20),
    "AKID": Kind("tencent_key", "alnum", 32, 32),
    "ya29.": Kind("google_oauth_token", "dotted", 40),
    "GOCSPX-": Kind("google_client_secret", "word", 28, 28),
    "1//0": Kind("google_refresh_token", "word", 40),
    "ghp_": Kind("github_token", "crc", 36),
    "gho_": Kind("github_token", "crc", 36),
    "ghu_": Kind("github_token", "crc", 36),
    "ghs_": Kind("github_token", "crc", 36),
    "ghr_": Kind("github_token", "crc", 36),
    "github_pat_": Kind("github_token", "word", 70),
    "npm_": Kind("npm_token", "crc", 36, 36),
    "glpat-": Kind("gitlab_token", "dotted", 20),
    "gldt-": Kind("gitlab_token", "dotted", 20),
    "glrt-": Kind("gitlab_token", "dotted", 20),
    "glptt-": Kind("gitlab_token", "dotted", 20),
    "glft-": Kind("gitlab_token", "dotted", 20),
    "glsoat-": Kind("gitlab_token", "dotted", 20),
    "glcbt-": Kind("gitlab_token", "dotted", 20),
    "glimt-": Kind("gitlab_token", "dotted", 20),
    "glagent-": Kind("gitlab_token", "dotted", 20),
    "gloas-": Kind("gitlab_token", "dotted", 20),
    "xoxb-": Kind("slack_token", "word", 24),
    "xoxp-": Kind("slack_token", "word", 24),
    "xoxa-": Kind("slack_token", "word", 24),
    "xoxr-": Kind("slack_token", "word", 24),
    "xoxs-": Kind("slack_token", "word", 24),
    "xoxc-": Kind("slack_token", "word", 24),
    "xoxd-": Kind("slack_token", "word", 24),
    "xoxe-": Kind("slack_token", "word", 24),
    "xoxe.xoxp-": Kind("slack_token", "word", 24),
    "xoxe.xoxb-": Kind("slack_token", "word", 24),
    "xapp-": Kind("slack_token", "word", 24),
    "hooks.slack.com/services/": Kind("slack_webhook", "slack", 40),
    "discord.com/api/webhooks/": Kind("discord_webhook", "discord", 70),
    "discordapp.com/api/webhooks/": Kind("discord_webhook", "discord", 70),
    "sk_live_": Kind("stripe_key", "alnum", 20),
    "sk_test_": Kind("stripe_key", "alnum", 20),
    "rk_live_": Kind("stripe_key", "alnum", 20),
    "rk_test_": Kind("stripe_key", "alnum", 20),
    "whsec_": Kind("webhook_secret", "base64", 24),
    "SK": Kind("twilio_key", "hex", 32, 32),
    "SG.": Kind("sendgrid_key", "sendgrid", 66, 66),
    "pypi-AgE": Kind("pypi_token", "word", 70),
    "rubygems_": Kind("rubygems_key", "hex", 48, 48),
    "CLOJARS_": Kind("clojars_token", "hex", 60, 60),
    "oy2": Kind("nuget_key", "alnum", 43, 43),
    "dckr_pat_": Kind("docker_token", "word", 27),
    "dckr_oat_": Kind("docker_token", "word", 27),
    "dop_v1_": Kind("digitalocean_token", "hex", 64, 64),
    "doo_v1_": Kind("digitalocean_token", "hex", 64, 64),
    "dor_v1_": Kind("digitalocean_token", "hex", 64, 64),
    "shpat_": Kind("shopify_token", "hex", 32, 32),
    "shpca_": Kind("shopify_token", "hex", 32, 32),
    "shppa_": Kind("shopify_token", "hex", 32, 32),
    "shpss_": Kind("shopify_token", "hex", 32, 32),
    "sq0atp-": Kind("square_token", "word", 22),
    "sq0csp-": Kind("square_token", "word", 43),
    "EZAK": Kind("easypost_key", "alnum", 54, 54),
    "key-": Kind("mailgun_key", "hex", 32, 32),
    "xkeysib-": Kind("brevo_key", "word", 70),
    "re_": Kind("resend_key", "word", 30, 40),
    "pat": Kind("airtable_token", "airtable", 79, 79),
    "hvs.": Kind("vault_token", "word", 24),
    "hvb.": Kind("vault_token", "word", 24),
    "dp.pt.": Kind("doppler_token", "alnum", 40),
    "dp.st.": Kind("doppler_token", "dotted", 40),
    "sntryu_": Kind("sentry_token", "hex", 64, 64),
    "sntrys_": Kind("sentry_token", "base64", 60),
    "glsa_": Kind("grafana_token", "word", 40),
    "glc_": Kind("grafana_token", "base64", 40),
    "NRAK-": Kind("newrelic_key", "upper", 27, 27),
    "lin_api_": Kind("linear_key", "alnum", 40),
    "ntn_": Kind("notion_token", "alnum", 40),
    "secret_": Kind("notion_token", "alnum", 43, 43),
    "figd_": Kind("figma_token", "word", 36),
    "PMAK-": Kind("postman_key", "word", 59, 59),
    "dapi": Kind("databricks_token", "hex", 32, 32),
    "sbp_": Kind("supabase_token", "hex", 40, 40),
    "sb_secret_": Kind("supabase_key", "word", 22),
    "pscale_tkn_": Kind("planetscale_token", "dotted", 32),
    "pscale_pw_": Kind("planetscale_token", "dotted", 32),
    "napi_": Kind("neon_key", "alnum", 40),
    "fm2_": Kind("fly_token", "base64", 80),
    "vcp_": Kind("vercel_token", "alnum", 24),
    "vercel_blob_rw_": Kind("vercel_token", "word", 24),
    "nfp_": Kind("netlify_token", "word", 36),
    "HRKU-": Kind("heroku_key", "word", 36),
    "ATATT3": Kind("atlassian_token", "base64", 100),
    "ATCTT3": Kind("atlassian_token", "base64", 100),
    "ATBB": Kind("bitbucket_token", "alnum", 32, 32),
    "CFPAT-": Kind("contentful_token", "word", 40),
    "AGE-SECRET-KEY-1": Kind("age_key", "upper", 58, 58),
    "pul-": Kind("pulumi_token", "hex", 40, 40),
    "sgp_": Kind("sourcegraph_token", "word", 40),
    "tskey-": Kind("tailscale_key", "word", 24),
}
_PROVIDERS = {
    "openai": "openai_key", "azure": "azure_key", "cohere": "cohere_key", "together": "together_key",
    "mistral": "mistral_key", "deepseek": "deepseek_key", "fireworks": "fireworks_key", "ai21": "ai21_key",
    "stability": "stability_key", "deepgram": "deepgram_key", "assemblyai": "assemblyai_key",
    "elevenlabs": "elevenlabs_key", "pinecone": "pinecone_key", "qdrant": "qdrant_key", "exa": "exa_key",
    "weaviate": "weaviate_key", "serpapi": "serpapi_key", "wandb": "wandb_key", "moonshot": "moonshot_key",
    "aws": "aws_secret_key", "datadog": "datadog_key", "dd_": "datadog_key", "cloudflare": "cloudflare_token",
    "algolia": "algolia_key", "twilio": "twilio_key", "heroku": "heroku_key", "okta": "okta_token",
    "circleci": "circleci_token", "django": "django_key", "jwt": "jwt_secret", "client": "client_secret",
}  # fmt: skip
"""Whose key it is where only the name of the variable says so."""


def _any_of(prefixes: list[str]) -> str:
    """Write an alternation of words, grouped by their first letters so that most are ruled out by one."""
    groups: dict[str, list[str]] = {}
    for prefix in sorted(prefixes, key=len, reverse=True):
        groups.setdefault(prefix[0], []).append(re.escape(prefix[1:]))
    return "|".join(f"{re.escape(first)}(?:{'|'.join(rests)})" for first, rests in groups.items())


_LONG = b"a" * LONG_WORD
_CLASSES = bytes(
    97 if chr(code) in "_-./:+=%~@" or (code < 128 and chr(code).isalnum()) else 32 for code in range(256)
)
_PREFIX = re.compile(
    rf"(?<![A-Za-z0-9\]])(?:(?P<prefix>{_any_of(list(_KINDS))})(?=[\w.+/=~-]{{16}})"
    r"|(?P<bot>[MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,40})(?![\w-])|(?P<terraform>[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80})"
    r"|(?P<telegram>[0-9]{8,10}:AA[\w-]{33})(?![\w-])|(?P<azure>[\w~.]{3}8Q~[\w~.-]{31,34})(?![\w~-]))",
    re.ASCII,
)
_SPECIAL = {
    "bot": "discord_token",
    "terraform": "terraform_token",
    "telegram": "telegram_token",
    "azure": "azure_client_secret",
}
_JWT_HEADER = re.compile(r"(?<![A-Za-z0-9\]])eyJ[\w-]{8,1200}", re.ASCII)
_JWT_REST = re.compile(r"\.[\w-]{0,2400}(?:\.[\w-]{0,1200}){1,3}", re.ASCII)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"(?:[\\\s\"'+,>|]{0,40}[A-Za-z0-9+/=:,-]{16,200}){1,400}")
_IN_URL = re.compile(r"://([^\s/?#\"'<>:\[\]]{0,64}):([^\s/?#\"'<>]{1,128})@")
_WEAK = frozenset({"pass", "password", "passwd", "pwd", "pw", "secret", "user", "username", "pass123"})
_GLUE = rb"[a-z0-9_]{0,12}(?:[\"'`]\]?|\))?[ \t]{0,3}(?:=>|:=|={1,2}|:)[ \t]{0,3}"
_SAID = rb"(?:" + _GLUE + rb"|[ \t]{1,2}(?:is|was|ist|est|es)[ \t]{1,2}:?)"
_NAMED = (
    ("passw", re.compile(rb"passw(?:or[dt]|d)" + _SAID)),
    ("passphrase", re.compile(rb"passphrase" + _SAID)),
    ("pwd", re.compile(rb"pwd" + _GLUE)),
    ("secret", re.compile(rb"secret" + _GLUE)),
    ("token", re.compile(rb"token" + _GLUE)),
    ("key", re.compile(rb"key" + _GLUE)),
    ("bearer ", re.compile(rb"bearer[ \t]{1,3}")),
    ("authorization", re.compile(rb"authorization[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?basic[ \t]{1,2}")),
)
_KEY_OF = (
    "api", "access", "secret", "private", "auth", "encryption", "signing", "master", "service", "client",
    "subscription", "admin", "account", "storage", "app", "shared", "license", "session",
)  # fmt: skip
QUALIFIERS = tuple(word.encode() for word in _KEY_OF)
_NO_SECRET = ("page", "next", "continuation", "sync", "cursor", "device", "public")
_VALUE = re.compile(
    r"[\"'`]?(?:Bearer )?([A-Za-z0-9_./+~-]{16,140}(?:[:=][A-Za-z0-9_./+~-]{1,50})?={0,2})(?![\w/+~-])",
    re.ASCII,
)
_PASSWORD = re.compile(
    r"\"([^\"\n]{6,200})\"|'([^'\n]{6,200})'|`([^`\n]{6,200})`|([^\s\"'`,;<>(){}\[\]][^\s\"'`,;]{5,199})(?![^\s\"'`,;])"
)
_CODE = re.compile(
    r"[A-Za-z_][\w.]*(?:[(\[{]|\.[a-z_])|\$[({A-Za-z_]|%[({A-Za-z_]|[<{]|\w+://|\[|[.~]{0,2}/[\w.-]+/",
    re.ASCII,
)
_STRONG = re.compile(r"[!@#$%^&*+=?~|\\]")
_PART = re.compile(r"[A-Za-z0-9]{6,}")
_UNASSIGNED = ("assw", "ASSW", "earer ")
"""In texts without a colon and an equals sign, where a secret can still be named."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)

Span = tuple[int, int, str]


def find_secrets(text: str) -> list[Finding]:
    """Return the secrets in a text as they stand; one inside another is not named twice."""
    if not may_hold(text):
        return []
    raw = text.encode("ascii", "replace")  # One byte a character, so that places agree.
    spans: list[Span] = []
    if "-----BEGIN " in text:
        spans += _blocks(text)
    if "eyJ" in text:
        spans += _jwts(text)
    if _LONG in (classes := raw.translate(_CLASSES)):
        spans += _keys(text, classes)
    if "://" in text:
        spans += _in_urls(text)
    if "=" in text or ":" in text or any(map(text.__contains__, _UNASSIGNED)):
        spans += _named(text, raw)
    return (
        [Finding.at(text, "secrets", label, (start, end)) for start, end, label in _outermost(spans)]
        if spans
        else []
    )


def may_hold(text: str) -> bool:
    """Say whether a text has what every secret has: a long word, or a sign such as `://` or "password".

    Where it has not, no part of it has.
    """
    raw = text.encode("ascii", "replace")
    return _LONG in raw.translate(_CLASSES) or bool(_signs().find_matches_as_indexes(raw.lower()))


@cache
def _signs() -> BytesAhoCorasick:
    """Return what finds the signs of secrets in small letters."""
    return BytesAhoCorasick([b"-----begin ", b"eyj", b"://", *(word.encode() for word, _ in _NAMED)])


def _outermost(spans: list[Span]) -> Iterator[Span]:
    reached = -1
    for span in sorted(spans, key=lambda span: (span[0], -span[1], span[2] in {"generic_key", "password"})):
        if span[1] > reached:
            yield span
            reached = span[1]


def _blocks(text: str) -> Iterator[Span]:
    """Yield PEM blocks of private keys, whole; of one that is cut off what there is."""
    for header in _PEM.finditer(text):
        start, body = header.span()
        end = text.find("-----", body, body + PEM_CHARS_MAX)
        if end >= 0 and text.startswith("-----END ", end):
            close = text.find("-----", end + 9, end + 60)
            yield start, close + 5 if close >= 0 else end + 9, "private_key"
        elif (cut := _PEM_BODY.match(text, body, body + PEM_CHARS_MAX)) is not None:
            yield start, cut.end(), "private_key"


def _keys(text: str, classes: bytes) -> Iterator[Span]:
    """Yield keys that a prefix or their form tells, from the long words of the text."""
    end = 0
    while (start := classes.find(_LONG, end)) >= 0:
        end = classes.find(b" ", start + LONG_WORD)
        if end < 0:
            end = len(text)
        at = start
        while (match := _PREFIX.search(text, at, end)) is not None:
            span, at = _read(text, match)
            if span is not None:
                yield span


def _read(text: str, match: re.Match[str]) -> tuple[Span | None, int]:
    """Return the key that begins here, if one does, and where to go on looking."""
    group = match.lastgroup or ""
    start = match.start()
    if group != "prefix":
        found = _is_random(match[group].rpartition(":")[2])
        return ((start, match.end(), _SPECIAL[group]) if found else None), match.end()
    kind, at = _KINDS[match[group]], match.end()
    run = _ALPHABETS[kind.alphabet].match(text, at, at + BODY_CHARS_MAX)
    if run is None or len(body := run[0]) < kind.least:
        return None, at
    if len(set(body[:64])) < 8:
        return None, at + 32 if len(
            body
        ) >= 64 else at  # No key of 32 can begin before, or it had varied more.
    if kind.most and _goes_on(text, at + kind.most):
        return None, at
    if kind.alphabet == "crc":
        has_check = has_crc(body[:36]) or (len(body) > 80 and _is_random(body))
        return ((start, run.end(), kind.label) if has_check else None), at
    if not _is_random(body):
        return None, at
    return (start, run.end(), kind.label), run.end()


def _goes_on(text: str, at: int) -> bool:
    return at < len(text) and text[at].isascii() and text[at].isalnum()


def _jwts(text: str) -> Iterator[Span]:
    """Yield JSON web tokens; what no dot follows is passed over at once."""
    at = 0
    while (match := _JWT_HEADER.search(text, at)) is not None:
        start, at = match.span()
        rest = _JWT_REST.match(text, at)
        if rest is None:
            continue
        for begin in (start, text.rfind("-eyJ", start, at) + 1, text.rfind("_eyJ", start, at) + 1):
            if begin >= start and _is_jwt_header(text[begin:at]):
                at = rest.end()
                yield begin, at, "jwt"
                break


def _is_jwt_header(part: str) -> bool:
    try:
        fields: Any = msgspec.json.decode(
            binascii.a2b_base64(part.replace("-", "+").replace("_", "/") + "===")
        )
    except (ValueError, msgspec.MsgspecError):
        return False
    return isinstance(fields, dict) and "alg" in fields


def _in_urls(text: str) -> Iterator[Span]:
    for match in _IN_URL.finditer(text):
        user, password = match.groups()
        if password not in _WEAK and password != user and not _is_placeholder(password):
            yield *match.span(2), "password_in_url"


def _named(text: str, raw: bytes) -> Iterator[Span]:
    """Yield what is assigned to a name that says it is a secret."""
    low = raw.lower()
    lowered = low.decode("ascii")
    for word, pattern in _NAMED:
        if word not in lowered:
            continue
        for match in pattern.finditer(low):
            span = _passed(text, match.end()) if word[0] == "p" else _valued(text, word, match)
            if span is not None:
                yield span


def _passed(text: str, at: int) -> Span | None:
    """Return the password that stands here, unless it is a word, code, or stands for one."""
    match = _PASSWORD.match(text, at)
    if match is None or match.lastindex is None:
        return None
    start, end = match.span(match.lastindex)
    value = match[match.lastindex]
    if match.lastindex == 4:
        value = value.rstrip(".)!?:") if value[-1] != "!" or value[-2].isalpha() else value
        end = start + len(value)
    has_letter, has_digit = value.lower() != value.upper(), any(map(str.isdigit, value))
    if len(value) < 6 or not (has_letter or has_digit) or not (has_digit or _STRONG.search(value)):
        return None
    if value.isdigit() and len(value) < 8:
        return None
    if _CODE.match(value) or _is_placeholder(value) or value.lower() in _WEAK:
        return None
    return start, end, "password"


def _valued(text: str, word: str, name: re.Match[bytes]) -> Span | None:
    """Return the key or token that stands after its name, and whose it is."""
    match = _VALUE.match(text, name.end())
    if match is None:
        return None
    value = match[1].rstrip(".:")
    before = text[max(0, name.start() - NAME_CHARS_MAX) : name.start()].lower()
    qualifier = before.rstrip("-_. ")
    if word == "authorization":
        return (*match.span(1), "basic_auth") if _is_basic(value) else None
    if (word == "key" and not qualifier.endswith(_KEY_OF)) or qualifier.endswith(_NO_SECRET):
        return None
    if not _is_random(value) or "://" in value or text[match.end() : match.end() + 1] in {"(", "["}:
        return None
    if sum(map(str.isdigit, value)) < 2:
        return None  # A name such as AzureTokenProvider.
    if _UUID.fullmatch(value) and not (word == "secret" or qualifier.endswith("api")):
        return None
    start = match.start(1)
    return start, start + len(value), _whose(before + word, value)


def _whose(name: str, value: str) -> str:
    if name.endswith("accountkey") and len(value) == 88:
        return "azure_storage_key"
    if name.endswith("bearer "):
        return "bearer_token"
    name = name.rpartition(" ")[2]
    return next((label for provider, label in _PROVIDERS.items() if provider in name), "generic_key")


def _is_basic(value: str) -> bool:
    try:
        return b":" in binascii.a2b_base64(value + "==")
    except ValueError:
        return False


def _is_placeholder(value: str) -> bool:
    return value[0] in "<{$%*[" or is_stand_in(value)


def _is_random(value: str) -> bool:
    """Say whether characters were drawn at random: they vary, and are no words with hyphens."""
    if len(set(value[:64])) < 8 or is_stand_in(value):
        return False
    if not any(_is_mixed(part) for part in _PART.findall(value)):
        return False
    return has_entropy(value, 2.75 if len(value) <= 24 else 3.0)


def _is_mixed(part: str) -> bool:
    if part.isalpha():
        return part[1:] != part[1:].lower()
    return not part.isdigit()
