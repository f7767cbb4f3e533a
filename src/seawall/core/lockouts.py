"""Who is known to be over a quota, so that nobody has to ask the ledger for every answer from the cache.

Invariants:
- What is used up stays used up until its period ends or its cap changes: it is remembered by both.
- That something is left is believed for a second at most, and not beyond the next settlement of the user.
"""

from seawall.core.ledger import Account, AccountSet, Standing

BELIEVED_S = 1.0
"""Another process may settle as well."""
REMEMBERED_MAX = 10_000


class Lockouts:
    """Quotas that are used up, and users of whom it is known that something is left."""

    def __init__(self) -> None:
        self._used_up: dict[Account, Standing] = {}
        self._open_until: dict[str, float] = {}

    def find(self, accounts: AccountSet) -> Standing | None:
        """Return a quota among these accounts that is known to be used up."""
        if not self._used_up:
            return None
        return next((self._used_up[each] for each in accounts.quotas if each in self._used_up), None)

    def is_open(self, accounts: AccountSet, now_s: float) -> bool:
        """Say whether it is known that something is left on all of these quotas; `now_s` in Unix seconds."""
        until = self._open_until.get(accounts.quotas[0].scope) if accounts.quotas else now_s + BELIEVED_S
        return until is not None and now_s < until <= now_s + BELIEVED_S

    def note(self, standings: list[Standing], now_s: float) -> Standing | None:
        """Remember how quotas stand; returns one that is used up. Budgets are passed over."""
        found = None
        standings = [standing for standing in standings if standing.account.counts != "usd"]
        for standing in standings:
            cap = standing.account.cap
            if cap is not None and standing.spent >= cap:
                self._remember(standing)
                found = standing
        if found is None and standings:
            if len(self._open_until) >= REMEMBERED_MAX:
                self._open_until.clear()
            self._open_until[standings[0].account.scope] = now_s + BELIEVED_S
        return found

    def settled(self, accounts: AccountSet) -> None:
        """Forget that something is left: more of it was used."""
        if accounts.quotas:
            self._open_until.pop(accounts.quotas[0].scope, None)

    def used_up(self) -> list[Standing]:
        """Return the quotas that are known to be used up."""
        return list(self._used_up.values())

    def forget(self) -> None:
        """Forget everything: caps may have changed, or what was used was given back."""
        self._used_up.clear()
        self._open_until.clear()

    def _remember(self, standing: Standing) -> None:
        if len(self._used_up) >= REMEMBERED_MAX:
            self._used_up.clear()
        self._used_up[standing.account] = standing
