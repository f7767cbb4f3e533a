"""What headers ask for beside the body: of the cache, of doing it later or only once, of progress."""

import re
from functools import lru_cache

from msgspec import Struct

from seawall.core.answers import CacheWish
from seawall.core.call import NO_DEFERRAL, NO_WISH, Deferral
from seawall.core.errors import InvalidRequest
from seawall.server.credentials import HeaderList

WISHES_REMEMBERED = 100
KEY_CHARS_MAX = 255
_CACHE, _PREFER, _PROGRESS = b"cache-control", b"prefer", b"seawall-progress"
_MAIL = b"seawall-notify-email"
_HEARD = frozenset({_CACHE, _PREFER, _PROGRESS, _MAIL, b"idempotency-key"})
_ADDRESS = re.compile(r"[^\s@<>,;:\"'()\[\]\\]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
ADDRESS_CHARS_MAX = 254


class Wishes(Struct, frozen=True):
    """What is asked for; `progress` says that a stream shall tell how far its answer has come."""

    cache: CacheWish = NO_WISH
    deferral: Deferral = NO_DEFERRAL
    progress: bool = False


NO_WISHES = Wishes()
KEY_HEADER = "Idempotency-Key"
_ONE_ADDRESS = "seawall-notify-email must be one mail address, as in ada@example.com."


def wishes_of(headers: HeaderList) -> Wishes:
    """Read all of them in one pass, in which most requests have none of these headers.

    Raises InvalidRequest for an idempotency key or a mail address that cannot be one, and for two: neither is
    ignored.
    """
    heard: list[tuple[bytes, bytes]] | None = None
    for header in headers:
        if header[0] in _HEARD:
            heard = [header] if heard is None else [*heard, header]
    return NO_WISHES if heard is None else _wishes_of(heard)


def _wishes_of(headers: HeaderList) -> Wishes:
    cache, key, is_deferred, progress, mail_to = NO_WISH, None, False, False, ""
    for name, value in headers:
        if name == _CACHE:
            cache = _read_cache(value)
        elif name == _PREFER:
            is_deferred |= _wants_later(value)
        elif name == _PROGRESS:
            progress = value.strip().lower() == b"true"
        elif name == _MAIL:
            if mail_to:
                raise InvalidRequest(_ONE_ADDRESS, param=_MAIL.decode())
            mail_to = read_address(value)
        else:
            shown = read_key(value.decode("latin-1"))
            if key is not None and key != shown:
                raise InvalidRequest("The request shows two idempotency keys. Send one.", param=KEY_HEADER)
            key = shown
    return Wishes(cache, Deferral(is_deferred, key, mail_to), progress)


def read_key(text: str) -> str:
    """Return an idempotency key; raises InvalidRequest for what cannot be one."""
    key = text.strip()
    if not 0 < len(key) <= KEY_CHARS_MAX or not all(" " <= char <= "~" for char in key):
        raise InvalidRequest(
            f"{KEY_HEADER} must have 1 to {KEY_CHARS_MAX} printable ASCII characters.", param=KEY_HEADER
        )
    return key


def read_address(value: bytes) -> str:
    """Return the only mail address of a header; raises InvalidRequest, which does not repeat it."""
    address = value.decode("latin-1").strip()
    is_plain = address.isascii() and address.isprintable() and len(address) <= ADDRESS_CHARS_MAX
    if not is_plain or _ADDRESS.fullmatch(address) is None:
        raise InvalidRequest(_ONE_ADDRESS, param=_MAIL.decode())
    return address


def _wants_later(value: bytes) -> bool:
    """Say whether `Prefer` (RFC 7240) asks for an answer that is fetched later."""
    preferences = value.decode("latin-1").lower().split(",")
    return any(each.partition(";")[0].strip() == "respond-async" for each in preferences)


@lru_cache(maxsize=WISHES_REMEMBERED)
def _read_cache(value: bytes) -> CacheWish:
    """Read `Cache-Control`; directives that say nothing to a cache of answers are passed over."""
    told = {}
    for directive in value.decode("latin-1").lower().split(","):
        name, _, figure = directive.strip().partition("=")
        told[name.strip()] = figure.strip(' "')
    age = told.get("max-age", "")
    return CacheWish(
        no_store="no-store" in told,
        no_cache="no-cache" in told or age == "0",
        max_age_s=int(age[:9]) if age.isascii() and age.isdigit() else None,
        only_if_cached="only-if-cached" in told,
    )
