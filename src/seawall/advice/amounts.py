"""How replays write amounts: dollars, shares and counts."""

from seawall.core.money import NANO


def dollars(nanos: int) -> str:
    """Write nano-dollars as people read them; what is less than a cent but not nothing says so."""
    if 0 < nanos < NANO // 100:
        return "under $0.01"
    sign, amount = "-" if nanos < 0 else "", abs(nanos) / NANO
    return f"{sign}${amount:,.2f}" if amount < 1_000 else f"{sign}${amount:,.0f}"


def percent(share: float) -> str:
    """Write a share, 0.31 as "31 %"; small ones with one decimal."""
    value = 100 * share
    if 0 < value < 0.05:
        return "under 0.1 %"
    return f"{value:.1f} %" if 0 < value < 2 or 99 < value < 100 else f"{value:.0f} %"


def counted(count: int, one: str, many: str = "") -> str:
    """Write a count with its word: "1 call", "1,204 calls"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
