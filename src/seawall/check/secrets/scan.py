"""Puts together what the search for secrets finds in one text, each place once, the surest kind first."""

import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import islice

import msgspec

from seawall.check.findings import Confidence, Severity
from seawall.check.secrets.judge import Verdict, judge, provider_named, provider_near
from seawall.check.secrets.kinds import Kind, Provider
from seawall.check.secrets.names import classify
from seawall.check.secrets.pairs import Pair, find_pairs
from seawall.check.secrets.pipelines import is_for_tests, is_of_service
from seawall.check.secrets.places import Place, is_data_set, is_minified, place_of
from seawall.check.secrets.positional import find_positional
from seawall.check.secrets.secret import Secret
from seawall.check.secrets.tokens import Token, find_tokens
from seawall.check.secrets.values import is_random, is_reference, is_stand_in

SECRETS_MAX = 200
"""More of them in one text say that it is a data set, not that each must be rotated."""

_BY_NAME = frozenset(("password", "secret", "key", "token", "credential"))
"""The kinds that only a variable's name tells."""
_PASSED = frozenset(("web-token", "web-key", "private-web-key", "bearer-token", "basic-authentication"))

_LOCAL_HOSTS = re.compile(
    r"^(?:localhost|127\.|0\.0\.0\.0|\[?::1|host\.docker\.internal|db$|database$|postgres|mysql|mariadb|mongo|redis|rabbit"
    r"|broker|cache|queue|host$|hostname$|server$|example|.*\.example\.|.*\.local$|.*\.test$|.*\.invalid$|some|your|my-?host"
    r"|<|\{|\$|%|\*|user|proxy$)"
)
_REMOTE = re.compile(
    r"\.(?:mongodb\.net|amazonaws\.com|azure\.com|windows\.net|supabase\.(?:co|com)|neon\.tech|railway\.(?:app|internal)|rlwy\.net"
    r"|render\.com|upstash\.io|redislabs\.com|redis-cloud\.com|cloudamqp\.com|elephantsql\.com|aivencloud\.com|psdb\.cloud"
    r"|herokuapp\.com|digitalocean\.com|ondigitalocean\.com|cockroachlabs\.cloud|mlab\.com|mongolab\.com|clever-cloud\.com)$"
)
"""Databases that stand in the internet: a simple password is one there, too."""
_ADDRESS_ASKS = frozenset(
    (
        "password",
        "pass",
        "pwd",
        "secret",
        "db_password",
        "dbpassword",
        "your_password",
        "yourpassword",
        "mypassword",
    )
)
_ADDRESS_WORDS_WORDS = """
password pass passwd pwd secret postgres root admin user username test testing dev guest example
changeme mysql redis rabbitmq token key foo bar xxx p pw psw abc 1234 12345 123456 pass123 password123
secret123 mypassword mysecretpassword mysecret
"""
_ADDRESS_WORDS = frozenset(_ADDRESS_WORDS_WORDS.split())


_FORMS = {
    "pem": "private key",
    "jwk": "private web key",
    "bearer": "bearer token",
    "basic": "basic authentication",
    "hash": "password hash",
}
_GIT_CREDENTIALS = re.compile(r"(?m)^https?://[^\s:]{1,200}:([^\s]{1,200})@[\w.-]+(?::\d+)?/?$")
_PGPASS = re.compile(r"(?m)^[^#:\s][^:\n]*:(?:\d+|\*):[^:\n]+:[^:\n]+:([^:\s]{3,100})$")
_KUBERNETES = re.compile(r"(?m)^kind:[ \t]*Secret[ \t]*\r?$")
_ENCODED = re.compile(
    r"(?m)^[ \t]{1,8}([\w.-]{1,80}):[ \t]*[\"\']?([A-Za-z0-9+/]{8,4000}={0,2})[\"\']?[ \t]*\r?$"
)
_WHOLE_KEY = re.compile(r"\s*([0-9a-f]{32}|[0-9a-f]{64})\s*")


def find_secrets(path: str, text: str) -> list[Secret]:
    """Return the secrets of a text in the order in which they stand there, at most `SECRETS_MAX`."""
    return secrets_of(text, place_of(path), pairs_of(text, place_of(path)))


def pairs_of(text: str, place: Place) -> list[Pair]:
    """Return the pairs of name and value in a text, none of what a program wrote."""
    if place.is_foreign:
        return []
    return [pair for pair in find_pairs(text, place) if not is_minified(text, pair.start, place)]


def secrets_of(text: str, place: Place, pairs: list[Pair]) -> list[Secret]:
    """Return the secrets of a text whose pairs are known, as `find_secrets` does."""
    tokens = list(find_tokens(text))
    found = [secret for token in tokens if (secret := _of_token(token, place, text)) is not None]
    public = {token.start for token in tokens if token.detail.startswith("supabase:") and token.form == "jwt"}
    found = [secret for secret in found if _is_own(secret, text, place)]
    for pair in pairs:
        if (
            pair.start in public
        ):  # The token itself says what it may do; of the powerful one it was told above.
            continue
        verdict = judge(pair, place, text)
        if verdict is not None:
            found.append(_of_pair(pair, verdict))
    found.extend(islice(_of_files(place, text), SECRETS_MAX))
    found.extend(one for one in find_positional(text, place) if _is_own(one, text, place))
    if is_data_set(text, place):
        found = [_in_data(secret) for secret in found]
    names = {pair.start: pair.name for pair in pairs}
    kept = [
        _in_comment(secret, text)
        for one in _each_once(found)[:SECRETS_MAX]
        if (secret := _in_containers(one, text, place)) is not None
    ]
    return [
        secret if secret.name else msgspec.structs.replace(secret, name=names.get(secret.start, ""))
        for secret in kept
    ]


def _in_containers(secret: Secret, text: str, place: Place) -> Secret | None:
    """Return what a secret by name is worth in a pipeline or in Compose, None where it opens nothing."""
    if secret.kind not in _BY_NAME:
        return secret
    if place.is_compose and secret.kind == "password" and _is_user_too(secret, text):
        return None
    if not place.is_workflow:
        return secret
    if is_of_service(text, secret.start):
        return None
    if is_for_tests(text, secret.start, secret.value):
        return msgspec.structs.replace(secret, severity=Severity.WARNING, confidence=Confidence.LOW)
    return secret


def _is_user_too(secret: Secret, text: str) -> bool:
    """Say whether a container's password is its user's name again, as it is where nobody else gets in."""
    near = text[max(0, secret.start - 400) : secret.end + 400]
    named = rf"(?i)user(?:name)?[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?{re.escape(secret.value[:60])}[\"']?\s"
    return re.search(named, near) is not None


def _in_comment(secret: Secret, text: str) -> Secret:
    """Return a secret as less sure where it stands in a block comment that documents a function."""
    start = max(text.rfind("\n", max(0, secret.start - 300), secret.start) + 1, secret.start - 300)
    if secret.severity is not Severity.ERROR or not text[start : start + 80].lstrip().startswith("* "):
        return secret
    return msgspec.structs.replace(secret, severity=Severity.WARNING, confidence=Confidence.LOW)


def _each_once(found: list[Secret]) -> list[Secret]:
    """Keep one of those that overlap: the surest, then the longest, then the one whose kind says more."""
    rank = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}
    found.sort(key=lambda s: (rank[s.confidence], s.kind.endswith("style-key"), s.start - s.end))
    kept: list[Secret] = []
    taken: dict[int, list[tuple[int, int]]] = {}
    for secret in found:
        blocks = range(secret.start >> 8, (secret.end >> 8) + 1)
        if any(a < secret.end and secret.start < b for block in blocks for a, b in taken.get(block, ())):
            continue
        for block in blocks:
            taken.setdefault(block, []).append((secret.start, secret.end))
        kept.append(secret)
    return sorted(kept, key=lambda s: s.start)


def _is_own(secret: Secret, text: str, place: Place) -> bool:
    """Say whether a secret can be the developer's; in what programs wrote only an unmistakable one is."""
    if not place.is_foreign and not is_minified(text, secret.start, place):
        return True
    if secret.kind in _PASSED:
        return False
    if secret.kind == "private-key":
        return not place.is_foreign
    return (
        secret.provider is not None
        and secret.is_token
        and (secret.kind != "google-api-key" or not place.is_foreign)
    )


def _in_data(secret: Secret) -> Secret:
    """Return a secret of a data set: what has no known issuer there may be anyone's, or made up."""
    if secret.provider is not None or secret.severity is not Severity.ERROR:
        return secret
    return msgspec.structs.replace(secret, severity=Severity.WARNING, confidence=Confidence.LOW)


def _of_pair(pair: Pair, verdict: Verdict) -> Secret:
    kind = verdict.kind.id if verdict.kind is not None else verdict.what.rpartition(" ")[2].lower()
    return Secret(
        kind=kind,
        what=verdict.what,
        value=pair.value,
        start=pair.start,
        end=pair.end,
        severity=verdict.severity,
        confidence=verdict.confidence,
        is_token=verdict.is_token,
        name=pair.name,
        provider=verdict.provider,
    )


def _of_token(token: Token, place: Place, text: str) -> Secret | None:
    if token.kind is not None:
        return _of_kind(token, token.kind, place, text)
    if token.form == "address":
        return _of_address(token, place)
    if token.form == "jwt":
        return _of_jwt(token, place)
    if token.form == "hash" and not place.holds_hashes:
        return None
    unsure = place.is_test or place.is_docs or place.is_example or token.form == "hash"
    what = _FORMS[token.form]
    severity = Severity.WARNING if place.is_test or (unsure and token.form != "pem") else Severity.ERROR
    sure = Confidence.HIGH if token.form == "pem" else Confidence.MEDIUM
    return Secret(
        kind=what.replace(" ", "-"),
        what=what,
        value=token.value,
        start=token.start,
        end=token.end,
        severity=severity,
        confidence=Confidence.LOW if unsure else sure,
    )


def _of_files(place: Place, text: str) -> Iterator[Secret]:
    """Yield what only the format of a whole file shows."""
    shape, what = None, "password"
    if place.path.endswith(".git-credentials"):
        shape = _GIT_CREDENTIALS
    elif place.path.endswith("pgpass"):
        shape = _PGPASS
    elif place.is_rails_key:
        shape, what = _WHOLE_KEY, "Rails master key"
    if place.ending in ("yml", "yaml") and _KUBERNETES.search(text) is not None:
        yield from _of_kubernetes(place, text)
    for match in shape.finditer(text) if shape is not None else ():
        yield Secret(
            kind=what.lower().replace(" ", "-"),
            what=what,
            value=match[1],
            start=match.start(1),
            end=match.end(1),
            severity=Severity.ERROR,
            confidence=Confidence.HIGH,
            is_token=False,
        )


def _of_kubernetes(place: Place, text: str) -> Iterator[Secret]:
    """Yield the values of a Kubernetes secret, which are encoded and not encrypted."""
    for match in _ENCODED.finditer(text):
        try:
            plain = b64decode(match[2], validate=True).decode()
        except ValueError:
            continue
        if len(plain) < 6 or is_reference(plain) or is_stand_in(plain) or not plain.isprintable():
            continue
        category = classify(match[1])
        is_token = next(find_tokens(plain), None) is not None
        if not is_token and (category is None or not is_random(plain, 4.0, 6)):
            continue
        unsure = place.is_test or place.is_docs or place.is_example
        yield Secret(
            kind="kubernetes-secret",
            what="Kubernetes secret in base64",
            value=match[2],
            start=match.start(2),
            end=match.end(2),
            severity=Severity.WARNING if unsure else Severity.ERROR,
            confidence=Confidence.LOW if unsure else Confidence.HIGH,
            name=match[1],
        )


def _of_kind(token: Token, kind: Kind, place: Place, text: str) -> Secret | None:
    severity = Severity(kind.severity)
    confidence = Confidence.HIGH
    if kind.id == "google-api-key" and _is_firebase(text, token.start):
        severity, confidence = Severity.NOTE, Confidence.MEDIUM
    provider: Provider = kind.provider
    if kind.id == "openai-style-key":
        around = Pair("", "key", token.value, token.start, token.end, token.start, "=", is_quoted=True)
        near = provider_near(text, around) or provider_named(text[max(0, token.start - 40) : token.start])
        provider = near if near is not None and near.ai else provider
    if place.is_test:
        severity = Severity.WARNING if severity is Severity.ERROR else severity
        confidence = Confidence.MEDIUM
    return Secret(
        kind=kind.id,
        what=f"{provider.name} key",
        value=token.value,
        start=token.start,
        end=token.end,
        severity=severity,
        confidence=confidence,
        provider=provider,
    )


def _is_firebase(text: str, at: int) -> bool:
    """Say whether a Google key stands in the configuration of a Firebase web app, public by design."""
    around = text[max(0, at - 600) : at + 600].lower()
    return (
        "authdomain" in around
        or "firebaseapp.com" in around
        or "messagingsenderid" in around
        or ("firebase" in text[max(0, at - 200) : at].lower())
    )


def _of_address(token: Token, place: Place) -> Secret | None:
    scheme, user, host = token.detail.split("\0")
    password = token.value
    if (
        re.match(r"\d{2,5}[/,]|(?:key|token|secret)[_-]\d{1,4}$", password)
        or is_reference(password)
        or is_reference(host)
        or re.search(r"[{}<>()|]|\$[A-Za-z_]", password)
    ):
        return None
    if (
        _REMOTE.search(host.lower()) is not None
        and password.lower() not in _ADDRESS_ASKS
        and not is_stand_in(password)
    ):
        unsure = place.is_test or place.is_docs or place.is_example
        return (
            _address_secret(token, scheme, unsure=unsure)
            if not unsure or is_random(password, 6.0, 7)
            else None
        )
    plain = password.lower().strip("*.")
    if (
        len(plain) < 3
        or plain == user.lower()
        or plain in _ADDRESS_WORDS
        or len(set(plain)) <= 2
        or (plain.isdigit() and len(plain) < 6 and (len(plain) < 5 or scheme.startswith("http")))
    ):
        return None
    if re.search(
        r"(?i)password|passwd|your|example|secret|xxx|placeholder|changeme|<|user|\btoken", password
    ) and not is_random(password, 6, 8):
        return None
    local = _LOCAL_HOSTS.match(host.lower()) is not None
    unsure = place.is_test or place.is_docs or place.is_example or local
    if unsure and not is_random(password, 6.0, 7):
        return None
    return _address_secret(token, scheme, unsure=unsure)


def _address_secret(token: Token, scheme: str, *, unsure: bool) -> Secret:
    return Secret(
        kind="password-in-address",
        what=f"password in a {scheme.lower()} address",
        value=token.value,
        start=token.start,
        end=token.end,
        severity=Severity.WARNING if unsure else Severity.ERROR,
        confidence=Confidence.LOW if unsure else Confidence.HIGH,
        is_token=False,
    )


def _of_jwt(token: Token, place: Place) -> Secret | None:
    if token.detail.startswith("supabase:"):
        if token.detail != "supabase:service_role":
            return None
        provider = provider_named("SUPABASE_SERVICE_ROLE_KEY")
        return Secret(
            kind="supabase-service-role-key",
            what="Supabase service role key",
            value=token.value,
            start=token.start,
            end=token.end,
            severity=Severity.WARNING if place.is_test else Severity.ERROR,
            confidence=Confidence.HIGH,
            provider=provider,
        )
    return Secret(
        kind="web-token",
        what="JSON web token",
        value=token.value,
        start=token.start,
        end=token.end,
        severity=Severity.WARNING,
        confidence=Confidence.LOW if place.is_test or place.is_docs else Confidence.MEDIUM,
    )
