"""Decides whether the value next to a name is a secret, and how sure that is."""

import re
from functools import lru_cache

from msgspec import Struct

from seawall.check.findings import Confidence, Severity
from seawall.check.secrets.kinds import Kind, Provider, catalog
from seawall.check.secrets.names import spaced, words_of
from seawall.check.secrets.pairs import Pair
from seawall.check.secrets.places import Place
from seawall.check.secrets.tokens import is_basic
from seawall.check.secrets.values import (
    is_code,
    is_noise,
    is_random,
    is_reference,
    is_stand_in,
    is_uuid,
    randomness,
)

_CONTEXT_CHARS = 90
_VALUE_CHARS_MAX = 1500
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_PLAIN = re.compile(r"[\w+/=.~:@!#$%^&*?,;|-]+")
_ADDRESS = re.compile(
    r"^(?:https?|wss?|ftp|file|s3|gs)://|^[\w.-]+@[\w-]+\.[a-z]{2,}$|^(?:\.{0,2}/|~/|[A-Z]:\\)[\w .~-]+/"
)
_FILE = re.compile(
    r"(?i)^[\w./~-]+\.(?:py|js|ts|json|pem|key|crt|cer|txt|ya?ml|env|ini|conf|cfg|html?|md|log|db|sqlite3?|pub|p12|jks|png|svg)$"
)
_PATTERN = re.compile(r"\(\?[:=!<P]|\[\^?[a-zA-Z0-9]-[a-zA-Z0-9]|\\[dwsDWSb]|\{\d+,?\d*\}|\][+*]$")
_CONNECTS = re.compile(
    r"(?i)\b(?:host|server|data source|dbname|database|initial catalog|user|uid|user id)\s?=\s?[^\s;=]+"
)
_NUMBERS = re.compile(r"[\d.+-]{1,200}(?<![\d]{6})")
_NUMBER = re.compile(r"[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?[a-z%]{0,2}")
_HASHED = re.compile(
    r"^(?:\$(?:2[abxy]?|1|5|6|apr1|argon2\w*|pbkdf2\w*|scrypt|y)\$|pbkdf2[:_]|bcrypt|argon2|scrypt:|sha\d+[:$]|md5[:$]|\{SS?HA)"
)
_DIGEST_NAME = re.compile(
    r"_(?:hash|hashed|digest|sha\d*|md5|checksum|fingerprint|integrity|etag|commit|revision|uuid|guid|signature|thumbprint)_"
)

_PASSWORD_ASKS = re.compile(
    r"(?ix)example|placeholder|change|your|replace|redacted|removed|masked|hidden|xxx|\*\*\*|\.\.\.|…|<|>|\bnone\b|null|"
    r"undefined|required|optional|enter|insert|here\b|todo|dummy|fake|sample|^string$|^text$|^hash|^plain|^secret$|^true$|"
    r"^false$|^yes$|^no$|^\W+$|^\d{1,3}$|^\d+/\w+|n/a|prompt|input|generated|random|not[_-]?set|^ask|^tbd"
)
_LOCAL_WORDS = """
postgres postgresql root admin mysql mariadb mongo mongodb redis rabbitmq guest user test tests testing
dev develop development local localhost password passwd pass pwd secret default demo docker example
minio minioadmin elastic neo4j sa django flask app api db database changeme changeit qwerty letmein foo
bar baz foobar abc abc123 1234 12345 123456 1234567 12345678 123456789 password1 password123 passw0rd
p@ssw0rd p@ssword admin123 test123 testpass testpassword secret123 mypassword mysecret mysecretpassword
postgrespassword rootpassword userpassword adminpassword pass123 pw asdf asdfasdf hunter2 bitnami
grafana keycloak kong airflow superset wordpress drupal nextcloud hello world hello123 thepassword
somepassword newpassword oldpassword wrong wrongpassword correct goodpassword badpassword supersecret
topsecret monkey dragon master login welcome
"""
_PASSWORD_LOCAL = frozenset(_LOCAL_WORDS.split())
"""What everyone uses on a local machine; where it opens more than that, the weak-default rule says so."""
_MESSAGE_WORDS_WORDS = """
wrong invalid incorrect forgot forgotten reset change confirm show hide missing weak empty bad require
required no update mismatch repeat retype new strong hint label title message error placeholder type
field input help
"""
_MESSAGE_WORDS = frozenset(_MESSAGE_WORDS_WORDS.split())
_UNSURE_WORDS_WORDS = """
do age op ms meta bot together assembly render fly linear teams square modal writer trigger stream exa
eleven gpt stability comet ark nim ts cf dd fb tg x v0 aa age circle vault cal eth wallet news weather
do aws azure google amazon microsoft docker github python face render unstructured replicate fal nr ld
yc wx oss hf
"""
_UNSURE_WORDS = frozenset(_UNSURE_WORDS_WORDS.split())


_FAKE_WORDS = frozenset(("fake", "dummy", "mock", "example", "sample", "placeholder", "bogus"))


class Verdict(Struct, frozen=True):
    """A secret, whose it is and how sure that is; `what` says it in words where no kind does."""

    what: str
    confidence: Confidence
    severity: Severity
    kind: Kind | None = None
    provider: Provider | None = None
    is_token: bool = True


def judge(pair: Pair, place: Place, text: str) -> Verdict | None:
    """Return what a pair gives away, None where its value is no secret."""
    value = pair.value
    if len(value) > _VALUE_CHARS_MAX or value.startswith("django-insecure-"):
        return None  # Guessable as everyone's template is, see `weak`.
    if _PATTERN.search(value) or _NUMBERS.fullmatch(value):
        return None
    if pair.category != "password" and is_noise(value) and not place.is_lock:
        return _verdict("secret", place)
    if not len(value) >= 4 or (not _PRINTABLE.fullmatch(value) and pair.category != "password"):
        return None
    if is_reference(value) or place.is_lock or _HASHED.match(value):
        return None
    if _NUMBER.fullmatch(value) and (pair.category != "password" or "." in value or not pair.is_quoted):
        return None
    if _FAKE_WORDS.intersection(words_of(pair.name)) or _names_conversation(pair, place):
        return None
    if pair.category == "auth" and place.is_vault and is_basic(value, strictly=False):
        return _verdict("basic authentication", place)
    if pair.scheme == "basic":
        return _verdict("basic authentication", place) if is_basic(value) else None
    provider = provider_named(pair.name)
    if pair.category == "password" and provider is None:
        return _password(pair, place)
    if (
        is_stand_in(value)
        or _ADDRESS.search(value)
        or _FILE.match(value)
        or (not _PLAIN.fullmatch(value) and is_code(value))
    ):
        return None
    context = provider or provider_near(text, pair)
    kind = _named_kind(context, value)
    if kind is not None:
        return Verdict(
            what=f"{kind.provider.name} key",
            confidence=Confidence.LOW
            if place.is_test
            else Confidence.HIGH
            if provider
            else Confidence.MEDIUM,
            severity=_severity(Severity(kind.severity), place),
            kind=kind,
            provider=kind.provider,
        )
    if pair.category == "password":
        return _password(pair, place)
    if not _is_drawn(pair, place):
        return None
    confidence = Confidence.MEDIUM if pair.category != "other" else Confidence.LOW
    what = {"key": "API key", "token": "token", "secret": "secret", "auth": "credential"}.get(
        pair.category, "key"
    )
    return _verdict(f"{context.name} {what}" if context else what, place, confidence, context)


def _names_conversation(pair: Pair, place: Place) -> bool:
    """Say whether a session's id is one that a log or a description shows, and opens nothing."""
    if words_of(pair.name)[-2:] not in (("session", "id"), ("sessionid",)):
        return False
    return place.is_docs or place.is_test or re.match(r"[a-z]{2,12}[_-]", pair.value) is not None


def is_local_password(value: str) -> bool:
    """Say whether a password is one of those that everyone uses on their own machine."""
    return value.lower() in _PASSWORD_LOCAL


def asks_for_value(value: str) -> bool:
    """Say whether what stands in place of a password asks for one."""
    return _PASSWORD_ASKS.search(value) is not None


def provider_named(name: str) -> Provider | None:
    """Return the provider that a variable's name names, the longest word first."""
    return _provider(spaced(name))


def provider_near(text: str, pair: Pair) -> Provider | None:
    """Return the AI provider that the call or line around a pair names (`Mistral(api_key=…)`)."""
    before = text[max(0, pair.at - _CONTEXT_CHARS) : pair.at]
    line = before.rpartition("\n\n")[2]
    for word in reversed(words_of(line[-_CONTEXT_CHARS:])):
        provider = catalog().words.get(word)
        if provider is not None and provider.ai and word not in _UNSURE_WORDS:
            return provider
    return None


@lru_cache(maxsize=2048)
def _provider(words: str) -> Provider | None:
    parts = words.strip("_").split("_")
    known = catalog().words
    for size in (3, 2, 1):
        for at in range(len(parts) - size + 1):
            word = "_".join(parts[at : at + size])
            if word in known and not (
                word in ("ms", "do", "op", "age", "bot", "x", "v0", "fly", "meta", "render")
                and len(parts) > 3
            ):
                return known[word]
    return None


def _named_kind(provider: Provider | None, value: str) -> Kind | None:
    if provider is None:
        return None
    for kind in catalog().by_provider[provider.name]:
        if kind.whole.fullmatch(value) and len(set(value)) >= 6 and randomness(value) > 4:
            return kind
    return None


def _is_drawn(pair: Pair, place: Place) -> bool:
    """Say whether a value is random enough for what its name promises."""
    value = pair.value
    if _DIGEST_NAME.search(spaced(pair.name)) or "encrypted" in words_of(pair.name):
        return False
    if is_uuid(value) and place.is_vault:
        return True
    if is_uuid(value):
        return pair.category in ("key", "secret") and not place.is_test
    if value.isdigit():
        return False
    least, chars = {"key": (8.0, 10), "secret": (7.5, 8), "token": (8.5, 10), "auth": (12.0, 14)}.get(
        pair.category, (16.0, 16)
    )
    if pair.wrap or pair.op in ("==", "===", "!=", "!==", "call", "or", "default"):
        least += 3.0
    if not pair.is_quoted and (place.is_code or place.is_docs or not place.lines):
        least, chars = least + 4.0, max(chars, 12)
        if not (any(char.isdigit() for char in value) and any(char.isalpha() for char in value)):
            return False
    if pair.category == "other" and not any(char.isdigit() for char in value):
        return False
    if place.is_words:
        least += 8.0
    return is_random(value, least, chars)


def _password(pair: Pair, place: Place) -> Verdict | None:
    value = pair.value
    if not _is_password(pair, place):
        return None
    if place.is_test or place.is_docs or place.is_example or place.is_words:
        if not is_random(value, 9.0, 8):
            return None
        return Verdict(what="password", confidence=Confidence.LOW, severity=Severity.WARNING, is_token=False)
    if (place.is_compose or place.is_workflow) and not is_random(value, 9.0, 8):
        return Verdict(what="password", confidence=Confidence.LOW, severity=Severity.WARNING, is_token=False)
    is_word = value.isalpha() and randomness(value) < 6
    if is_word and (place.is_code or not place.lines):
        if (
            not value.islower()
            or len(value) < 6
            or place.ending in ("json", "html", "htm", "vue", "svelte", "css")
        ):
            return None
        return Verdict(what="password", confidence=Confidence.LOW, severity=Severity.WARNING, is_token=False)
    return Verdict(what="password", confidence=Confidence.MEDIUM, severity=Severity.ERROR, is_token=False)


def _is_password(pair: Pair, place: Place) -> bool:
    """Say whether a value next to a password's name can be one that somebody uses."""
    value = pair.value
    if not 4 <= len(value) <= 128 or not value.isascii() or not value.isprintable():
        return False
    if " " in value and (value.count(" ") > 2 or randomness(value.replace(" ", "")) < 6):
        return False
    if place.is_vault and re.fullmatch(r"[^\s<>{}$()]{4,64}", value):
        return True
    if is_code(value) or _PASSWORD_ASKS.search(value):
        return False
    if value.lower() in _PASSWORD_LOCAL and pair.op not in ("==", "==="):
        return False
    if _ADDRESS.search(value) or _FILE.match(value) or len(set(value)) <= 2:
        return False
    if (
        pair.op in ("==", "===", "!=", "!==")
        and len(value) >= 5
        and re.search(r"[a-zA-Z].*\d|\d.*[a-zA-Z]", value)
    ):
        return True
    if pair.op in ("call", "or", "default", "==", "===", "!=", "!==") or pair.wrap:
        return is_random(value, 6.0, 6)
    if not pair.is_quoted and (place.is_code or place.is_docs or not place.lines) and pair.op != ">":
        is_listed = pair.op == "=" and _CONNECTS.search(pair.around) is not None
        return (
            (is_random(value, 9.0, 8) and pair.op == "=")
            or is_listed
            or (pair.op == "" and not place.is_code)
        )
    named = set(words_of(value))
    if named & {"password", "passwd", "pwd", "pass", "passwort"} and not re.search(r"[\d!@#$%^&*]", value):
        return False
    if named & {"min", "max", "required", "string", "regex"} or ("|" in value and ":" in value):
        return False
    before = words_of(pair.name)[:-1]
    if _MESSAGE_WORDS.intersection(before) and not is_random(value, 6.0, 6):
        return False
    if re.fullmatch(r"[a-z]+(?:[-_.][a-z]+)+|[A-Z]+(?:_[A-Z]+)+|[a-z]+(?:[A-Z][a-z]+)+", value):
        return is_random(value, 6.0, 8)
    return True


def _verdict(
    what: str, place: Place, confidence: Confidence = Confidence.MEDIUM, provider: Provider | None = None
) -> Verdict:
    if place.is_test or place.is_docs or place.is_example:
        return Verdict(what=what, confidence=Confidence.LOW, severity=Severity.WARNING, provider=provider)
    severity = Severity.WARNING if confidence is Confidence.LOW else Severity.ERROR
    return Verdict(what=what, confidence=confidence, severity=severity, provider=provider)


def _severity(severity: Severity, place: Place) -> Severity:
    if place.is_test and severity is Severity.ERROR:
        return Severity.WARNING
    return severity
