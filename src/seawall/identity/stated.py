"""Reads what the admin API and the CLI state of keys and users alike: limits, quotas, caps, names."""

from typing import Any

from seawall.core.addresses import is_origin
from seawall.core.errors import InvalidRequest
from seawall.core.money import Money, parse_usd
from seawall.core.policy import Budget, Quota, StatedLimit
from seawall.core.rates import Rate, format_rate, parse_rate

LIMITS_MAX = 16
ORIGINS_MAX = 100
COUNT_MAX = 10**12
SHOWN_CHARS = 100
_AT_ONCE = " at once"
_TOKENS = " tokens/"
QUOTA_FIELDS = {
    "tokens_per_day": "tokens_daily",
    "tokens_per_month": "tokens_monthly",
    "requests_per_day": "requests_daily",
    "requests_per_month": "requests_monthly",
}


def read_limits(value: Any, param: str) -> tuple[StatedLimit, ...]:
    """Read limits such as ["100/minute", "20000 tokens/minute", "4 at once"]; an empty list is none.

    Raises InvalidRequest naming the entry that is wrong.
    """
    if not isinstance(value, list) or len(value) > LIMITS_MAX:
        raise InvalidRequest(f"{param} must be a list of up to {LIMITS_MAX} limits.", param=param)
    return tuple(_read_limit(text, f"{param}[{position}]") for position, text in enumerate(value))


def show_limits(limits: tuple[StatedLimit, ...]) -> list[str]:
    """Write limits as they would be stated."""
    return [_show_limit(limit) for limit in limits]


def read_quota(value: Any, param: str) -> Quota:
    """Read a quota such as {"tokens_per_day": 10000}; figures that are missing or `null` are not limited.

    Raises InvalidRequest naming the figure that is wrong.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(f"{param} must be an object.", param=param)
    figures: dict[str, int | None] = {}
    for name, figure in value.items():
        if name not in QUOTA_FIELDS:
            raise InvalidRequest(
                f"A quota has the fields {', '.join(QUOTA_FIELDS)}.", param=f"{param}.{name[:SHOWN_CHARS]}"
            )
        is_whole = isinstance(figure, int) and not isinstance(figure, bool)
        if figure is not None and (not is_whole or not 1 <= figure <= COUNT_MAX):
            raise InvalidRequest(
                f"{param}.{name} must be a whole number of at least 1.", param=f"{param}.{name}"
            )
        figures[QUOTA_FIELDS[name]] = figure
    return Quota(**figures)


def show_quota(quota: Quota) -> dict[str, int | None]:
    """Write a quota as it would be stated."""
    return {name: getattr(quota, field) for name, field in QUOTA_FIELDS.items()}


def read_user_budget(value: Any, param: str) -> Budget:
    """Read the caps of a user; raises InvalidRequest naming the one that is wrong."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{param} must be an object.", param=param)
    caps: dict[str, Money | None] = {}
    for name, amount in value.items():
        if name not in ("daily_usd", "monthly_usd"):
            raise InvalidRequest(
                "The budget of a user has the fields daily_usd and monthly_usd.",
                param=f"{param}.{name[:SHOWN_CHARS]}",
            )
        try:
            caps[name.removesuffix("_usd")] = None if amount is None else parse_usd(amount)
        except ValueError:
            raise InvalidRequest(
                f'{param}.{name} must be an amount in dollars, as text: for example "2.50".',
                param=f"{param}.{name}",
            ) from None
    return Budget(**caps)


def read_origins(value: Any, param: str) -> tuple[str, ...]:
    """Read web pages as browsers name them: scheme, host and port, nothing else; raises InvalidRequest."""
    if not isinstance(value, list) or len(value) > ORIGINS_MAX:
        raise InvalidRequest(f"{param} must be a list of up to {ORIGINS_MAX} origins.", param=param)
    for position, origin in enumerate(value):
        if not is_origin(origin):
            raise InvalidRequest(
                f"{param}[{position}] must be an origin such as https://app.example.com: scheme, host and"
                " port, nothing else.",
                param=f"{param}[{position}]",
            )
    return tuple(dict.fromkeys(value))


def read_text(value: Any, param: str, *, chars_max: int = SHOWN_CHARS) -> str:
    """Read one line of text; raises InvalidRequest."""
    is_line = isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= chars_max
    if not is_line:
        raise InvalidRequest(f"{param} must be a text of 1 to {chars_max} characters.", param=param)
    text: str = value.strip()
    return text


def _read_limit(text: Any, param: str) -> StatedLimit:
    wrong = InvalidRequest(
        f'{param} must be a limit such as "100/minute", "20000 tokens/minute" or "4 at once".', param=param
    )
    if not isinstance(text, str):
        raise wrong
    if text.endswith(_AT_ONCE):
        count = text.removesuffix(_AT_ONCE)
        if not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= 10**6 or len(count) > 9:
            raise wrong
        return StatedLimit("at_once", int(count), 0)
    try:
        rate = parse_rate(text.replace(_TOKENS, "/", 1))
    except ValueError:
        raise wrong from None
    if _TOKENS in text and rate.burst is not None:
        raise InvalidRequest(f"{param}: a limit on tokens has no burst.", param=param)
    return StatedLimit("tokens" if _TOKENS in text else "requests", rate.count, rate.period_s, rate.burst)


def _show_limit(limit: StatedLimit) -> str:
    if limit.unit == "at_once":
        return f"{limit.count}{_AT_ONCE}"
    text = format_rate(Rate(limit.count, limit.period_s, limit.burst))
    return text.replace("/", _TOKENS, 1) if limit.unit == "tokens" else text
