"""Finds secrets that are handed to a call by their place alone, where no name stands next to them."""

import re
from collections.abc import Iterator

from seawall.check.findings import Confidence, Severity
from seawall.check.secrets.kinds import catalog
from seawall.check.secrets.places import Place
from seawall.check.secrets.secret import Secret
from seawall.check.secrets.values import is_random, is_reference, is_stand_in

_LOGIN = re.compile(
    r"\.login\(\s{0,40}[\"'][^\"'\s]{1,80}@[^\"'\s]{1,80}[\"']\s{0,4},\s{0,40}[\"']([^\"'\n]{6,80})[\"']"
)
_BASIC = re.compile(
    r"(?:HTTPBasicAuth\(|BasicAuth\(|HTTPDigestAuth\(|\bauth\s?=\s?\()\s{0,40}[\"']([^\"'\n]{1,80})[\"']\s?,\s{0,40}"
    r"[\"']([^\"'\n]{4,80})[\"']"
)
_CLIENT = re.compile(
    r"\b(cohere|deepgram|mistral|together|elevenlabs|ai21|tavily|exa|voyageai|replicate|assemblyai|clarifai|jina|serper"
    r"|Cohere|Deepgram|Mistral|Together|ElevenLabs|AI21|Tavily|Exa|VoyageAI|Replicate|AssemblyAI)(?:AI)?(?:Client|Api)?"
    r"(?:\.(?:Async)?(?:Client|ClientV2|Deepgram|Mistral))?\(\s{0,40}[\"']([A-Za-z0-9_-]{20,100})[\"']"
)
_TEXT_CHARS_MAX = 1_000_000
_EVERYDAY = frozenset(
    ("password", "passwd", "secret", "admin", "test", "user", "pass", "guest", "changeme", "example")
)


def find_positional(text: str, place: Place) -> Iterator[Secret]:
    """Yield the passwords of `login(user, password)` and `auth=(…)`, and the keys of `cohere.Client(key)`."""
    if (not place.is_code and place.ending != "ipynb") or len(text) > _TEXT_CHARS_MAX:
        return
    if ".login(" in text:
        for match in _LOGIN.finditer(text):
            yield from _password(match[1], match.start(1), match.end(1), place)
    if "uth" in text:
        for match in _BASIC.finditer(text):
            if match[2].lower() != match[1].lower():
                yield from _password(match[2], match.start(2), match.end(2), place)
    for match in _CLIENT.finditer(text) if "(" in text else ():
        provider = catalog().words.get(match[1].lower())
        if provider is None or is_stand_in(match[2]) or not is_random(match[2], 12.0, 20):
            continue
        yield Secret(
            kind=f"{provider.name.lower().replace(' ', '-')}-api-key",
            what=f"{provider.name} key",
            value=match[2],
            start=match.start(2),
            end=match.end(2),
            severity=Severity.WARNING if place.is_test else Severity.ERROR,
            confidence=Confidence.LOW if place.is_test else Confidence.HIGH,
            provider=provider,
        )


def _password(value: str, start: int, end: int, place: Place) -> Iterator[Secret]:
    plain = value.lower()
    if is_reference(value) or plain in _EVERYDAY or (is_stand_in(value) and not is_random(value, 8.0, 8)):
        return
    if (place.is_test or place.is_docs) and not is_random(value.replace(" ", ""), 9.0, 8):
        return
    unsure = place.is_test or place.is_docs or not is_random(value.replace(" ", ""), 2.0, 6)
    yield Secret(
        kind="password",
        what="password",
        value=value,
        start=start,
        end=end,
        severity=Severity.WARNING if unsure else Severity.ERROR,
        confidence=Confidence.LOW if unsure else Confidence.MEDIUM,
        is_token=False,
    )
