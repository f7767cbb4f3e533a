"""Two decorators: who is calling, and how often today."""
import hashlib
import hmac
import json
import os
from collections import Counter
from datetime import date
from functools import wraps

from fastapi import HTTPException

KEYS = json.loads(os.environ.get("API_KEY_HASHES", "{}"))
_used: Counter[tuple[str, date]] = Counter()


def needs_api_key(handler):
    @wraps(handler)
    async def guarded(request, *args, **kwargs):
        given = hashlib.sha256(request.headers.get("x-api-key", "").encode()).hexdigest()
        owner = next((o for o, h in KEYS.items() if hmac.compare_digest(given, h)), None)
        if owner is None:
            raise HTTPException(401, "API key missing or unknown")
        request.state.owner = owner
        return await handler(request, *args, **kwargs)

    return guarded


def within_quota(per_day: int):
    def decorate(handler):
        @wraps(handler)
        async def limited(request, *args, **kwargs):
            key = (request.state.owner, date.today())
            if _used[key] >= per_day:
                raise HTTPException(429, f"Only {per_day} letters a day")
            _used[key] += 1
            return await handler(request, *args, **kwargs)

        return limited

    return decorate
