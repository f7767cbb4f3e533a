"""Finds secrets that anyone can guess: a word that signs sessions, or that takes over without a setting.

A placeholder in an example file is right. The same word in a program is used once nobody sets the variable.
"""

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from seawall.check.findings import Severity
from seawall.check.secrets.judge import provider_named
from seawall.check.secrets.names import classify, words_of
from seawall.check.secrets.pairs import Pair
from seawall.check.secrets.pipelines import is_for_tests, is_of_service
from seawall.check.secrets.places import Place, is_minified
from seawall.check.secrets.values import is_code, is_random, is_reference

_SIGNS = re.compile(
    r"(?:secretkey|secretkeybase|jwtsecret|jwtkey|jwtsecretkey|sessionsecret|cookiesecret|authsecret"
    r"|signingkey|signingsecret|signkey|encryptionkey|encryptionsecret|nextauthsecret|betterauthsecret"
    r"|tokensecret|accesstokensecret|refreshtokensecret|secretorkey|hmackey|hmacsecret|hashsecret|csrfsecret|securitykey"
    r"|fernetkey|aeskey|masterkey|jwtprivatekey|jwtsigningkey|apptoken|admintoken|admintokensecret"
    r"|servertoken|internalapikey|internaltoken|adminapikey|adminkey|adminsecret|jwtsecretorkey|secretpassphrase)$"
)
"""Names whose value signs or encrypts, or opens the app's own doors."""
_BARE = frozenset(("secret", "secrets", "key", "keys"))
_SIGNING_AROUND = re.compile(
    r"(?i)session\s?\(|jwt|cookie-?session|cookieparser|express-session|jsonwebtoken|itsdangerous|passport|secretorkey|iron-session"
    r"|sessionmiddleware|serializer|hmac|signing|koa-session|nextauth|authoptions|better-auth|betterauth|fastify.{0,20}(?:jwt|cookie|session)"
)
_FALLBACK_CALL = re.compile(
    r"(?i)(?:getenv|environ\.get|env\.get|env|config|conf|decouple\.config|get_env|getconfig|secrets\.get|setdefault|st\.secrets\.get"
    r"|env\.str|settings\.get)\(\s*[\"'`]?$"
)
_JWT_CALL = re.compile(
    r"\b(?:jwt|jsonwebtoken|JWT|jose|pyjwt)\.(?:sign|verify|encode|decode)\(\s*(?:\{[^{}]{0,300}\}|[^,(){}\n]{1,120}(?:\([^()\n]{0,80}\))?)\s*,"
    r"\s*(?:key\s*=\s*|secret\s*=\s*)?[bru]?([\"'`])([^\"'`\n$]{1,120})\1"
)
_SETTINGS = re.compile(r"(?i)(?:config|settings?|secrets?|env|credentials|options|app|local)[\w.-]*\.json$")
_NOT_SET_WORDS = """
none null undefined false true not-set notset unset missing n/a na empty not-needed no-key dummy-key
ollama lm-studio not_needed noop disabled required optional fake test
"""
_NOT_SET = frozenset(_NOT_SET_WORDS.split())
_ADMIN = re.compile(
    r"(?:admin|root|super|dashboard|master|login|basicauth|auth|api|app|site|access|user|service)(?:user)?(?:password|passwd|pass|pwd)$"
)


_FUNCTION = re.compile(r"(?:async\b|function\b|\(|\w+\()")
_PRETENDS = frozenset(("test", "testing", "fake", "dummy", "mock", "placeholder", "stub", "smoke", "your"))
_NEAR_CHARS = 250
_FAR_CHARS = 8_000
"""A constant at the head of a file is used further down."""
_PAIRS_MAX = 2_000
_ASKED_MAX = 200
_HEREDOC = re.compile(r"<<-?\s?[\"'\\]?([A-Za-z_]\w{0,40})[\"']?|@[\"']\r?\n")
_ASKS = re.compile(r"(?i)\byour\b|[_-]here\b|^<|\breplace\b")


class Weak(Struct, frozen=True):
    """A guessable secret: `how` says how it comes into use ("fallback", "literal" or "call")."""

    name: str
    value: str
    start: int
    end: int
    how: str
    severity: Severity


def find_weak(text: str, place: Place, pairs: list[Pair]) -> Iterator[Weak]:
    """Yield the guessable secrets of a program or a deployment file."""
    if (
        place.is_test
        or place.is_docs
        or place.is_example
        or place.is_lock
        or place.is_words
        or place.is_foreign
    ):
        return
    asked = 0
    for pair in pairs[:_PAIRS_MAX]:
        weak = _of_pair(text, place, pair)
        if weak is None:
            continue
        if place.is_workflow:
            asked += 1
            if asked > _ASKED_MAX or is_of_service(text, pair.at) or is_for_tests(text, pair.at, pair.value):
                continue
            weak = replace(weak, severity=Severity.WARNING)
        elif place.is_script and weak.how == "literal" and not pair.value.startswith("django-insecure-"):
            if _ASKS.search(pair.value):
                continue
            if _is_in_heredoc(text, pair.at):
                weak = replace(weak, severity=Severity.WARNING)
        yield weak
    if place.is_code and len(text) < 1_000_000 and ("jwt" in text or "jsonwebtoken" in text or "JWT" in text):
        for call in _JWT_CALL.finditer(text):
            if (
                not is_random(call[2], 9.0, 8)
                and not is_reference(call[2])
                and "BEGIN" not in call[2]
                and not is_minified(text, call.start(), place)
            ):
                yield Weak("the key of the call", call[2], call.start(2), call.end(2), "call", Severity.ERROR)


def _is_in_heredoc(text: str, at: int) -> bool:
    """Say whether an offset of a script lies in a text that the script writes to a file."""
    above = text[max(0, at - _FAR_CHARS) : at]
    openings = list(_HEREDOC.finditer(above))
    if not openings:
        return False
    opened = openings[-1]
    closed = rf"(?m)^[ \t]*{re.escape(opened[1])}[ \t]*\r?$" if opened[1] else r"(?m)^[\"']@"
    return re.search(closed, above[opened.end() :]) is None


def _of_pair(text: str, place: Place, pair: Pair) -> Weak | None:
    if pair.op in ("==", "===", "!=", "!==", "", "entry", ">") or pair.value.strip().lower() in _NOT_SET:
        return None
    value = pair.value.strip()
    if (
        not 1 <= len(value) <= 120
        or is_reference(value)
        or _is_strong(value)
        or value.startswith(("http", "/"))
        or (not pair.is_quoted and (is_code(value) or _FUNCTION.match(value)))
    ):
        return None
    fallback = _is_fallback(text, pair)
    if pair.op in ("call", "or") and (not fallback or pair.wrap):
        return None
    if text[pair.start - 2 : pair.start - 1] == "(" and text[pair.end + 1 : pair.end + 2] == ",":
        return None  # One of several values.
    if not fallback and (pair.wrap or (not pair.is_quoted and place.is_code)):
        return None
    if value.startswith("django-insecure-"):
        return Weak(pair.name, value, pair.start, pair.end, "literal", Severity.ERROR)
    joined = "".join(word for word in words_of(pair.name) if not word.isdigit())
    signs = _SIGNS.search(joined) is not None
    if (
        not signs
        and words_of(pair.name)[-1:]
        and words_of(pair.name)[-1] in _BARE
        and not provider_named(pair.name)
    ):
        signs = _bare_signs(text, place, pair, fallback=fallback)
    if signs and provider_named(pair.name) is None:
        if not fallback and not _is_weak_literal(value, place):
            return None
        return Weak(
            pair.name, value, pair.start, pair.end, "fallback" if fallback else "literal", Severity.ERROR
        )
    is_own_key = joined.endswith("apikey") and len(words_of(pair.name)) <= 4 and not provider_named(pair.name)
    if fallback and is_own_key and not _PRETENDS.intersection(words_of(value)):
        return Weak(pair.name, value, pair.start, pair.end, "fallback", Severity.WARNING)
    if not fallback and _is_admin_literal(pair, joined, place):
        return Weak(pair.name, value, pair.start, pair.end, "literal", Severity.ERROR)
    if (
        fallback
        and pair.category == "password"
        and provider_named(pair.name) is None
        and not place.is_compose
    ):
        severity = Severity.ERROR if _ADMIN.search(joined) else Severity.WARNING
        return Weak(pair.name, value, pair.start, pair.end, "fallback", severity)
    return None


def _is_strong(value: str) -> bool:
    return is_random(value, 9.0, 8) and not value.startswith("django-insecure-")


def _is_admin_literal(pair: Pair, joined: str, place: Place) -> bool:
    """Say whether a simple password in a program opens the app's administration."""
    if pair.category != "password" or not pair.is_quoted or not place.is_code or place.is_markup:
        return False
    if (
        re.search(
            r"(?:admin|root|superuser|dashboard|master|site|app)(?:user)?(?:password|passwd|pass|pwd)$",
            joined,
        )
        is None
    ):
        return False
    return re.fullmatch(r"[\w!@#$%^&*.-]{3,40}", pair.value) is not None and classify(pair.value) is None


def _bare_signs(text: str, place: Place, pair: Pair, *, fallback: bool) -> bool:
    """Say whether a variable just called `secret` signs something here."""
    if pair.category not in ("secret", "other"):
        return False
    if pair.category == "other" or "key" in words_of(pair.name)[-1:]:
        return False
    if not fallback and not _is_weak_literal(pair.value.strip(), place):
        return False
    far = _FAR_CHARS if place.is_code and pair.name.isupper() else _NEAR_CHARS
    around = text[max(0, pair.at - far) : pair.end + far]
    return fallback or _SIGNING_AROUND.search(around) is not None


def _is_fallback(text: str, pair: Pair) -> bool:
    """Say whether the value takes over where a setting is missing."""
    if pair.op == "default":
        return True
    if pair.op == "or":
        return (
            re.search(
                r"(?i)(?:env|environ|config|getenv|settings)\b", text[max(0, pair.at - 60) : pair.at + 40]
            )
            is not None
        )
    if pair.op == "call":
        return _FALLBACK_CALL.search(text[max(0, pair.at - 40) : pair.at]) is not None
    return False


def _is_weak_literal(value: str, place: Place) -> bool:
    """Say whether a literal signs as it stands: no template, and no blank to fill."""
    if len(value) < 2 or "\n" in value or value.count(" ") > 4 or not value.isascii():
        return False
    if not (place.is_code or place.is_compose) and re.search(
        r"(?i)^<|^\[|\byour\b.*\bhere\b|^\.\.\.$|^x+$", value
    ):
        return False
    if place.ending == "json" and _SETTINGS.search(place.path) is None:
        return False
    words = words_of(value)
    if (
        len(words) > 2
        and classify(value) is not None
        and not {"my", "your", "super", "change", "the"} & set(words)
    ):
        return False  # The name of the setting, kept in a constant.
    return not re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", value)
