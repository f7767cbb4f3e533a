"""Who is calling, and what they ask for."""

from seawall.core.call import Call
from seawall.core.contracts import Gateway


async def authenticate(call: Call, gateway: Gateway) -> None:
    """Find out who is calling and what they may do.

    Raises Unauthenticated for anything but a valid key, and Overloaded where the directory is down and
    the key is not known already: trouble of ours never looks like a bad key.
    """
    call.principal, call.policy = await gateway.identity.identify(call.credentials)


async def read_request(call: Call, gateway: Gateway) -> None:
    """Read the body, only now that the caller is known: strangers cannot make us parse.

    Raises InvalidRequest, TooLarge or TooSlow.
    """
    call.request = await call.read()
