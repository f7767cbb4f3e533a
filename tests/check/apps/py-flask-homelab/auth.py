import hmac
import os
from functools import wraps

from flask import abort, request

TOKEN = os.environ["DASHBOARD_TOKEN"]


def login_required(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if not hmac.compare_digest(request.headers.get("X-Token", ""), TOKEN):
            abort(401)
        return view(*args, **kwargs)

    return inner
