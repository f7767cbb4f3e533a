"""Whose stored answers and jobs a request of a cold route asks for."""

from starlette.requests import Request

from seawall.core.contracts import Gateway
from seawall.core.errors import InvalidRequest, NotAllowed
from seawall.core.policy import Policy, Principal
from seawall.core.state import Owner
from seawall.pipeline.accepting import NO_JOBS
from seawall.server.browsers import NO_STATE
from seawall.server.credentials import credentials_of, end_user_of

END_USER_FIELDS = ("safety_identifier", "user")


async def owner_of_state(request: Request, gateway: Gateway) -> Owner:
    """Return whose stored answers these are; raises NotAllowed for callers that have none."""
    return await _owner(request, gateway, may_be_token=False)


async def owner_of_jobs(request: Request, gateway: Gateway) -> Owner:
    """Return whose jobs these are: of a key and its end user, or of the user of a login token."""
    return await _owner(request, gateway, may_be_token=True)


async def caller_of(request: Request, gateway: Gateway, named: str | None = None) -> tuple[Principal, Policy]:
    """Return who asks, with the end user that a query, a header or `named` names, and what it may do.

    A token or publishable key speaks for its own user, whomever a request names. Raises Unauthenticated, and
    InvalidRequest where two different users are named.
    """
    identity = gateway.identity
    principal, policy = await identity.identify(credentials_of(request.scope, gateway.proxies))
    given = [request.query_params.get(field) for field in END_USER_FIELDS]
    names = {name for name in (*given, named, end_user_of(request.scope["headers"])) if name}
    if len(names) > 1:
        raise InvalidRequest("The request names two different end users. Name one.", param="user")
    return await identity.know_user(principal, policy, names.pop() if names else None)


async def _owner(request: Request, gateway: Gateway, *, may_be_token: bool) -> Owner:
    principal, _ = await caller_of(request, gateway)
    if principal.kind == "publishable" or (principal.is_browser and not may_be_token):
        raise NotAllowed(NO_JOBS if may_be_token else NO_STATE)
    return Owner(principal.key_id, principal.end_user or "")
