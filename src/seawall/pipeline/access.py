"""Who is calling, for whom, and what they ask for."""

from msgspec.structs import replace

from seawall.core.call import Call
from seawall.core.contracts import Gateway
from seawall.core.errors import Refusal, Unauthenticated, UserBlocked
from seawall.pipeline.accounts import accounts_of
from seawall.pipeline.limiting import limit_failed, limit_stranger, refuse_before_reading
from seawall.pipeline.looping import refuse_loop
from seawall.pipeline.refusals import exhausted


async def authenticate(call: Call, gateway: Gateway) -> None:
    """Find out who is calling and what they may do.

    Raises Unauthenticated for anything but a valid key or token, OriginNotAllowed for a web page that is not
    listed, and Overloaded where the directory is down and the key is not known already: trouble of ours never
    looks like a bad key. Who fails too often is told to wait: RateLimited.
    """
    try:
        call.principal, call.policy = await gateway.identity.identify(call.credentials)
    except Unauthenticated:
        await limit_stranger(call, gateway)
        raise


async def read_request(call: Call, gateway: Gateway) -> None:
    """Read the body, only now that the caller is known: strangers cannot make us parse.

    Raises InvalidRequest, TooLarge or TooSlow, and RateLimited for a large body that would be refused and for
    more than may be of those that cannot be read.
    """
    assert call.principal is not None
    if call.is_large:
        await refuse_before_reading(call, gateway)
    try:
        call.request = call.asked = await call.read(call.principal)
    except Refusal:
        await limit_failed(call, gateway)
        raise


async def know_user(call: Call, gateway: Gateway) -> None:
    """Find out for whom the call is made, and what that user may do.

    From here on `principal` and the request agree on the user. Raises Overloaded where the directory is down:
    a user who is blocked or has a quota never passes for one who is not.
    """
    assert call.principal is not None and call.policy is not None and call.request is not None
    named = call.request.end_user
    call.principal, call.policy = await gateway.identity.know_user(call.principal, call.policy, named)
    if call.principal.end_user != named:
        call.request = replace(call.request, end_user=call.principal.end_user)


async def refuse_locked_out(call: Call, gateway: Gateway) -> None:
    """Stop users who are shut out, before anything else is done for them; the cache included.

    Raises UserBlocked, LoopDetected, and QuotaExhausted where the quota is known to be used up. Where that is
    not known the hold finds out; before an answer from the cache, `refuse_over_quota` does.
    """
    assert call.policy is not None
    if call.policy.is_blocked:
        raise UserBlocked
    if call.policy.quotas:
        standing = gateway.lockouts.find(accounts_of(call, gateway))
        if standing is not None:
            raise exhausted(standing, call, gateway)
    refuse_loop(call, gateway)


async def refuse_over_quota(call: Call, gateway: Gateway) -> None:
    """Find out whether the user has used up a quota, for calls that hold nothing.

    Raises QuotaExhausted, and Overloaded where the ledger is down.
    """
    assert call.policy is not None
    if not call.policy.quotas:
        return
    accounts, now = accounts_of(call, gateway), gateway.now()
    if gateway.lockouts.is_open(accounts, now):
        return
    standing = gateway.lockouts.note(await gateway.ledger.standings(accounts.quotas), now)
    if standing is not None:
        raise exhausted(standing, call, gateway)
