"""What the soak found: the books of the gateway against the provider's, and its memory over time."""

from collections import Counter
from statistics import median
from typing import Any

from soak_calls import Books, marker_of
from soak_gateways import GatewayProcess

from seawall.core.money import Money, format_usd, parse_usd
from seawall.proving.mock_provider import MockProvider

GROWTH_MAX = 0.10
WARM_UP_SHARE = 0.2
END_SHARE = 0.1
SHOWN = 10
OWN_ERRORS = ("500 ", "401 ", "402 ", "403 ", "404 ", "429 ", "client time-out")
"""Ends that no fault explains: our own failures, and refusals where there was nothing to refuse."""


async def report(
    books: Books,
    mock: MockProvider,
    ledgers: list[GatewayProcess],
    rss_kb: list[tuple[float, int]],
    faults: dict[str, int],
) -> bool:
    """Print everything; returns whether every promise was kept."""
    print("\nends of calls (the client's view):")
    for end, count in books.ends.most_common():
        print(f"  {count:7}  {end}")
    print(f"slowest call: {books.slowest_s:.1f} s")
    print("faults: " + (", ".join(f"{count} x {name}" for name, count in faults.items()) or "none"))
    false = [end for end in books.ends if end.startswith(OWN_ERRORS)]
    print(f"ends that no fault explains: {false or 'none'}")
    has_books = await _compare(books, mock, ledgers)
    return _memory(rss_kb) and has_books and not false


async def _compare(books: Books, mock: MockProvider, ledgers: list[GatewayProcess]) -> bool:
    rows = {row["id"]: row for gateway in ledgers for row in await gateway.rows()}
    bills: Counter[str] = Counter()
    for seen in mock.requests:
        bills[marker_of(seen.raw)] += seen.cost
    spends = [spend for gateway in ledgers for spend in await gateway.spends()]
    ledger, overage, held = (
        Money(sum(spend[name] for spend in spends)) for name in ("lifetime_usd", "overage_usd", "held_usd")
    )
    exact, wrong = _exact(books, rows, bills)
    short = _short(books, rows, bills)
    logged = sum(parse_usd(row["cost_usd"]) for row in rows.values())
    outcomes = Counter(row["outcome"] for row in rows.values())
    print(f"calls on record: {len(rows)} {dict(outcomes)}; requests at the provider: {len(mock.requests)}")
    print(f"the provider's bill   ${format_usd(mock.bill)}")
    print(f"the ledger            ${format_usd(ledger)} (rows of the call log: ${format_usd(logged)})")
    print(f"still held            ${format_usd(held)}; overage ${format_usd(overage)}")
    print(f"calls of known usage  {exact}, of which not equal to the bill: {len(wrong)} {wrong[:SHOWN]}")
    print(f"users whose calls cost less than was billed: {len(short)} {short[:SHOWN]}")
    print(f"answers that overlapped on a connection: {mock.overlaps}")
    is_whole = ledger == logged and ledger >= mock.bill and held == 0 and overage == 0
    return is_whole and not wrong and not short and not mock.overlaps and exact > 0


def _exact(
    books: Books, rows: dict[str, dict[str, Any]], bills: Counter[str]
) -> tuple[int, list[tuple[str, str, str]]]:
    """Count the calls whose usage the provider told, and list those that do not cost just that."""
    count, wrong = 0, []
    for marker, ids in books.ids.items():
        known = [rows[call_id] for call_id in ids if call_id in rows]
        if len(known) < len(ids) or marker in books.unnamed:
            continue
        if not all(each["exact"] for row in known for each in row["attempts"]):
            continue
        cost = sum(parse_usd(row["cost_usd"]) for row in known)
        count += len(known)
        if cost != bills[marker]:
            wrong.append((marker, format_usd(cost), format_usd(bills[marker])))
    return count, wrong


def _short(books: Books, rows: dict[str, dict[str, Any]], bills: Counter[str]) -> list[str]:
    """List the users whose calls cost less in the ledger than at the provider."""
    billed: Counter[str] = Counter()
    booked: Counter[str] = Counter()
    for marker, bill in bills.items():
        billed[books.users[marker]] += bill
    for row in rows.values():
        booked[row["end_user"]] += parse_usd(row["cost_usd"])
    return [user for user, bill in billed.items() if booked[user] < bill]


def _memory(rss_kb: list[tuple[float, int]]) -> bool:
    """Compare the memory after the warm-up with that at the end."""
    if not rss_kb:
        return True
    end_s = rss_kb[-1][0]
    warm_s, last_s = end_s * WARM_UP_SHARE, end_s * (1 - END_SHARE)
    after = [kb for at_s, kb in rss_kb if warm_s <= at_s < warm_s + end_s * END_SHARE]
    last = [kb for at_s, kb in rss_kb if at_s >= last_s]
    if not after or not last:
        return True
    growth, most = median(last) / median(after) - 1, max(kb for _, kb in rss_kb)
    start = rss_kb[0][1]
    print(f"memory: {start / 1024:.1f} MB at the start, {median(after) / 1024:.1f} MB after the warm-up")
    print(f"        {median(last) / 1024:.1f} MB at the end, {most / 1024:.1f} MB at most")
    print(f"        growth after the warm-up {growth:+.1%} (allowed: {GROWTH_MAX:.0%})")
    return growth < GROWTH_MAX
