"""Calls from web pages (the CORS protocol of the Fetch standard): which pages, and what they may read.

Invariants:
- Only an origin that a publishable key or an issuer lists is answered, and by its own name, never by `*`.
- A secret key gets no permission from any page: it must not stand in a page in the first place.
- Addresses of the operator (`/admin`) are never opened to a page.
"""

import logging

from seawall.core.contracts import Gateway
from seawall.core.errors import SeawallError
from seawall.identity.keys import PREFIX
from seawall.server.credentials import HeaderList

log = logging.getLogger("seawall.server")

MAX_AGE_S = 600
_METHODS = b"GET, POST, DELETE"
_ALLOWED = frozenset(
    {
        "authorization", "content-type", "x-api-key", "accept", "cache-control", "anthropic-version",
        "anthropic-beta", "anthropic-dangerous-direct-browser-access", "idempotency-key", "last-event-id",
        "prefer",
    }
)  # fmt: skip
_ALLOWED_STARTS = ("x-stainless-", "seawall-")
_EXPOSED = (
    b"x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, age, ratelimit, "
    b"ratelimit-policy, "
    b"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    b"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, "
    b"anthropic-ratelimit-requests-limit, anthropic-ratelimit-requests-remaining, "
    b"anthropic-ratelimit-requests-reset, anthropic-ratelimit-tokens-limit, "
    b"anthropic-ratelimit-tokens-remaining, anthropic-ratelimit-tokens-reset, seawall-cache, "
    b"seawall-cost-usd, seawall-saved-usd, seawall-output-cap, seawall-translation, seawall-note, "
    b"seawall-limits, seawall-idempotent-replay, location, preference-applied"
)
_VARY = (b"vary", b"Origin")
HEADERS_MAX = 50


async def cors_headers(origin: str | None, secret: str | None, gateway: Gateway) -> HeaderList:
    """Return what lets the page of this origin read an answer; nothing where it may not."""
    if origin is None:
        return []
    if secret is not None and secret.startswith(PREFIX):
        log.warning("a secret key was sent by a web page; use a publishable key there, and revoke this one")
        return [_VARY]
    if not await _is_known(origin, gateway):
        return [_VARY]
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", _EXPOSED),
        _VARY,
    ]


async def answer_preflight(headers: HeaderList, gateway: Gateway) -> tuple[int, HeaderList]:
    """Answer the question whether a page may call: 204 with what it may, 403 where it may not."""
    asked = {name: value.decode("latin-1") for name, value in headers}
    origin = asked.get(b"origin", "")
    if not origin or not await _is_known(origin, gateway):
        return 403, [_VARY]
    names = [name.strip().lower() for name in asked.get(b"access-control-request-headers", "").split(",")]
    allowed = [name for name in names if name in _ALLOWED or name.startswith(_ALLOWED_STARTS)][:HEADERS_MAX]
    return 204, [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", ", ".join(allowed).encode("latin-1")),
        (b"access-control-max-age", b"%d" % MAX_AGE_S),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    ]


async def _is_known(origin: str, gateway: Gateway) -> bool:
    try:
        return await gateway.identity.knows_origin(origin)
    except SeawallError:  # The answer itself says what is wrong.
        return False
