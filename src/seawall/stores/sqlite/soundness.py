"""Looks whether a file of the ledger can be relied on: its pages, and that what is held adds up."""

from collections import Counter

import apsw
import msgspec

from seawall.core.ledger import AccountKey, AccountKeys

HOLDS_SINCE = 1
"""The first schema with holds; a file of schema 0 is none of ours."""
COUNTS_SINCE, TOKENS_SINCE = 2, 3

_HELD = "SELECT scope, period, held FROM accounts WHERE held <> 0"

_decode_accounts = msgspec.json.Decoder(tuple[tuple[str, str], ...]).decode


class Unsound(Exception):
    """A file of the ledger cannot be relied on; `why` says it in a few words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def check(connection: apsw.Connection) -> None:
    """Raise Unsound where pages are damaged, or an account holds other than the sum of its open holds.

    Reads the whole file.
    """
    schema = int(connection.pragma("user_version"))
    if schema < HOLDS_SINCE:
        raise Unsound("it is no database of Seawall")
    [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    if found != "ok":
        raise Unsound(f"it is damaged: {str(found).strip().splitlines()[-1]}")
    held = {(scope, period): amount for scope, period, amount in connection.execute(_HELD)}
    expected = _sums_of_holds(connection, schema)
    for scope, period in sorted(held.keys() | expected.keys()):
        stands, adds_up = held.get((scope, period), 0), expected.get((scope, period), 0)
        if stands != adds_up:
            raise Unsound(
                f"its ledger does not add up: {stands} is held on {scope} {period}, but the open holds on it"
                f" are {adds_up}"
            )


def _sums_of_holds(connection: apsw.Connection, schema: int) -> dict[AccountKey, int]:
    """Return what the open holds lay on each account, in what it counts."""
    counts = "counts" if schema >= COUNTS_SINCE else "1"
    tokens = "tokens" if schema >= TOKENS_SINCE else "0"
    sums: Counter[AccountKey] = Counter()
    for amount, text, requests, size in connection.execute(
        f"SELECT amount, accounts, {counts}, {tokens} FROM holds"  # noqa: S608 - names of our own
    ):
        keys = AccountKeys.of(_decode_accounts(text))
        for key in keys.usd:
            sums[key] += amount
        for key in keys.tokens:
            sums[key] += size
        for key in keys.requests:
            sums[key] += requests
    return {key: amount for key, amount in sums.items() if amount}
