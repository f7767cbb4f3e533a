"""For whom a call is made: end users, and what the operator has decided about them."""

from msgspec import Struct
from msgspec.structs import replace

from seawall.core.contracts import Directory
from seawall.core.policy import Policy, Principal
from seawall.identity.policies import Policies

KNOWN_MAX = 10_000


class _Known(Struct, frozen=True):
    base: Policy
    principal: Principal
    policy: Policy


class Users:
    """Adds the end user to a caller; what it has read it remembers until something changes."""

    def __init__(self, directory: Directory, policies: Policies) -> None:
        self._directory = directory
        self._policies = policies
        self._known: dict[tuple[str, str | None, str | None], _Known] = {}
        self._epoch = 0

    async def know(self, principal: Principal, policy: Policy, named: str | None) -> tuple[Principal, Policy]:
        """Return the caller with its end user, and the policy of both together.

        A token or publishable key fixes the user; a virtual key names one. Raises Overloaded where the
        directory is down and the user is not known already.
        """
        user = principal.end_user
        if user is None and named and not principal.is_browser:
            user = user_id(principal.owner, named)
        if user is None and principal.address is None:
            return principal, policy
        key = (principal.key_id, user, principal.address)
        known = self._known.get(key)
        if known is None or known.base is not policy or known.principal.tier != principal.tier:
            known = await self._read(key, replace(principal, end_user=user), policy)
        return known.principal, known.policy

    def forget(self) -> None:
        """Read every user again at the next call: something has changed."""
        self._known.clear()
        self._epoch += 1

    async def _read(
        self, key: tuple[str, str | None, str | None], principal: Principal, base: Policy
    ) -> _Known:
        epoch, user = self._epoch, principal.end_user
        record = None if user is None else await self._directory.find_user(user)
        known = _Known(base, principal, self._policies.for_user(principal, base, record))
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        if epoch == self._epoch:  # What changed meanwhile is read again.
            self._known[key] = known
        return known


def user_id(owner: str, named: str) -> str:
    """Return the id of the end user that a virtual key names: that of an owner's key belongs to the owner."""
    return f"{owner}:{named}" if owner else named
