"""Numbers as advice shows them: counts, shares and money with their bounds, and the query that gives each."""

from collections.abc import Sequence

from seawall.advice import amounts
from seawall.advice.amounts import counted
from seawall.advice.bounds import mean_bounds, share_bounds
from seawall.advice.numbers import Numbers
from seawall.advice.thresholds import MANY_CALLS, MANY_DAYS
from seawall.advice.words import Figure
from seawall.core.facts import FactValue
from seawall.core.money import NANO


def hourly(numbers: Numbers, select: str, *, each: str = "", days: int | None = None) -> str:
    """Return the query for sums of the span, or of its last days, over `traffic_hourly`.

    `each` is a list or object in it.
    """
    first, until = numbers.until_hour - (days or numbers.days) * 24, numbers.until_hour
    source = f"traffic_hourly, json_each(data, '$.{each}') AS each" if each else "traffic_hourly"
    span = f"hour >= {first} AND hour < {until}"
    return f"SELECT {select} FROM {source} WHERE {span}"  # noqa: S608 - shown to people, never run by us


def total(numbers: Numbers, field: str) -> str:
    """Return the query for one sum of all hours, such as "calls"."""
    return hourly(numbers, f"total(data->>'$.{field}')")


def percent_of(part: str, whole: str) -> str:
    """Return what selects a share in percent of two sums of the hours."""
    return f"100 * total(data->>'$.{part}') / max(1, total(data->>'$.{whole}'))"


def model_percent_of(part: str, whole: str) -> str:
    """Return what selects a share in percent of two sums of the models."""
    return f"100 * total(each.value->>'$.{part}') / max(1, total(each.value->>'$.{whole}'))"


def calls_a_day(numbers: Numbers) -> Figure:
    """Return how many calls come a day, and how many of them are refused."""
    hour = numbers.sums.hour
    calls, refused = numbers.a_day(hour.calls), sum(hour.refused.values())
    text = each_day(calls)
    if refused and hour.calls:
        text += f", {percent(100 * refused / hour.calls)} of them refused"
    select = f"total(data->>'$.calls') / {numbers.span_days:g}"
    return Figure(text, hourly(numbers, select), calls)


def users_on_record(numbers: Numbers) -> Figure:
    """Return how many end users the calls name."""
    users = numbers.users.users
    return Figure(
        f"{counted(users, 'named user')} in {_days(numbers.span_days)}", "seawall users list", users
    )


def share(part: float, whole: float, what: str, query: str) -> Figure:
    """Return a share in percent, with its bounds; `what` ends the sentence "2 % of 40 …"."""
    if whole <= 0:
        return Figure(f"0 {what}", query, 0)
    value = min(100.0, 100 * part / whole)
    text = f"{percent(value)} of {count(whole)} {what}"
    low, high = (100 * bound for bound in share_bounds(part, whole))
    if whole >= MANY_CALLS.value:
        return Figure(text, query, value, low, high)
    return Figure(f"{text} ({low:.0f} to {percent(high)})", query, value, low, high)


def is_enough(whole: float) -> bool:
    """Return whether a share of so many may decide."""
    return whole >= MANY_CALLS.value


def cost_a_month(numbers: Numbers) -> Figure:
    """Return what the calls cost a month."""
    column = "cost" if numbers.sums.asked.cost else "listed_cost"
    select = f"total(each.value->>'$.{column}')"
    return money_a_month(numbers, numbers.sums.worth, "for the calls", select, each="models")


def money_a_month(numbers: Numbers, amount: float, what: str, select: str, *, each: str = "") -> Figure:
    """Return an amount of the span, which `select` gives in nano-dollars, as dollars a month."""
    query = hourly(numbers, f"{select} / 1e9 / {numbers.span_days:g} * 30", each=each)
    return dollars_a_month(numbers, numbers.a_month(amount), what, query)


def dollars_a_month(numbers: Numbers, amount: int, what: str, query: str) -> Figure:
    """Return nano-dollars a month; where days are few with bounds, by how cost differs from day to day."""
    month = amount / NANO
    text = f"{usd(month)} a month {what}"
    if numbers.span_days >= MANY_DAYS.value:
        return Figure(text, query, month)
    text = f"{text}, extrapolated from {_days(numbers.span_days)}"
    costs = numbers.sums.cost_by_day
    days = (*costs, *(0,) * max(0, round(numbers.span_days) - len(costs)))
    bounds = mean_bounds(days)
    if bounds is None or not sum(days):
        return Figure(text, query, month)
    mean = sum(days) / len(days)
    low, high = (month * bound / mean for bound in bounds)
    low, high = min(low, month), max(high, month)
    return Figure(f"{text} ({usd(low)} to {usd(high)})", query, month, low, high)


def month_of(numbers: Numbers, saved: int) -> int:
    """Return what is saved in 30 days where a replay saves so much; nano-dollars, never less than nothing.

    Days that are far from ordinary ones, such as those of a stolen key, count as ordinary ones.
    """
    return max(0, round(numbers.a_month(saved) * numbers.sums.ordinary_share))


def saving_a_month(numbers: Numbers, saved: int, touched: float, whole: float, query: str) -> Figure:
    """Return what would have been saved a month; bounds by those of the share of calls that it touches."""
    month = month_of(numbers, saved) / NANO
    text = f"{usd(month)} a month saved"
    if numbers.span_days >= MANY_DAYS.value and whole >= MANY_CALLS.value:
        return Figure(text, query, month)
    if numbers.span_days < MANY_DAYS.value:
        text = f"{text}, extrapolated from {_days(numbers.span_days)}"
    if touched <= 0 or whole <= 0:
        return Figure(text, query, month)
    low, high = (month * bound / min(1.0, touched / whole) for bound in share_bounds(touched, whole))
    low, high = min(low, month), max(high, month)
    return Figure(f"{text} ({usd(low)} to {usd(high)})", query, month, low, high)


def not_measured(what: str, how: str) -> Figure:
    """Return a figure that is missing, and how it is measured."""
    return Figure(what, how, is_measured=False)


def number_fact(numbers: Numbers, name: str) -> float | None:
    """Return a fact that is a number; `None` where nobody stated it."""
    value = fact(numbers, name)
    return float(value) if isinstance(value, int | float) else None


def fact(numbers: Numbers, name: str) -> FactValue | None:
    """Return what the owner stated under a name."""
    stated = numbers.facts.get(name)
    return None if stated is None else stated.value


def is_tried(numbers: Numbers, name: str) -> bool:
    """Return whether the owner stated that they tried something."""
    tried = fact(numbers, "tried")
    return isinstance(tried, tuple) and name in tried


def usd(amount: float) -> str:
    """Write dollars; what is less than a cent but not nothing says so."""
    return amounts.dollars(round(amount * NANO))


def percent(value: float) -> str:
    """Write a share that is in percent already; small ones with one decimal."""
    return amounts.percent(value / 100)


def count(value: float) -> str:
    """Write a count; few with one decimal where they are not whole."""
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:,.0f}"


def each_day(calls: float) -> str:
    """Write how many calls come a day."""
    number = count(calls)
    return f"{number} {'call' if number == '1' else 'calls'} a day"


def joined(parts: Sequence[str]) -> str:
    """Write a list in words."""
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


def _days(days: float) -> str:
    return "1 day" if round(days) == 1 else f"{days:.0f} days"
