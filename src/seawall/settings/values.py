"""The kinds of values that settings have: how each is read, and how it is written for people."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from seawall.core import money
from seawall.core.money import Money, format_usd, parse_usd
from seawall.core.rates import Rate, format_rate, parse_rate

_DOLLARS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_NO_BURST = 'must be a rate without a burst, such as "40000/minute": tokens have none'
_RATES_ARE = 'must be a rate such as "100/minute" or "10/second burst 20", a list of them, or "off"'

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key pair: with one of these a public key cannot pass for a secret."""

DIALECTS = ("chat", "responses", "embeddings", "messages")


class Kind(Struct, frozen=True):
    """How a value is called in the documentation, and how it is written where people read it."""

    text: str
    unset: str = "not set"
    show: Callable[[Any], str] = str


def show_value(value: object, kind: Kind | None) -> str:
    """Write one value for people."""
    if value is None:
        return kind.unset if kind else "not set"
    if kind is not None:
        return kind.show(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_dollars(value: object) -> Money:
    text = str(value) if isinstance(value, int | str | Decimal) and not isinstance(value, bool) else ""
    if _DOLLARS.fullmatch(text) is None:
        raise ValueError('must be an amount in dollars such as "5.00"')
    return parse_usd(text)


def _read_cap(value: object) -> Money | None:
    if value is None or value == "off":
        return None
    try:
        return _read_dollars(value)
    except ValueError as error:
        raise ValueError(f'{error}, or "off"') from None


def _read_rates(value: object) -> object:
    """Read one rate or a list of them; "off" is none at all."""
    if value is None or value == "off":
        return [] if value == "off" else None
    names = [value] if isinstance(value, str) and not value.lstrip().startswith("[") else read_names(value)
    if not isinstance(names, list) or not names or not all(isinstance(name, str | Rate) for name in names):
        raise ValueError(_RATES_ARE)
    try:
        return [name if isinstance(name, Rate) else parse_rate(name.strip()) for name in names]
    except ValueError:
        raise ValueError(_RATES_ARE) from None


def _refuse_burst(rates: list[Rate] | None) -> list[Rate] | None:
    if any(rate.burst is not None for rate in rates or ()):
        raise ValueError(_NO_BURST)
    return rates


def _show_rates(rates: Sequence[Rate]) -> str:
    return ", ".join(map(format_rate, rates)) or "off"


def _read_at_once(value: object) -> object:
    return 0 if value == "off" else _refuse_bool(value)


def _read_zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError, and names a file.
        raise ValueError('must be the name of a time zone such as "Europe/Berlin"') from None


def _read_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        raise ValueError('must be an address such as "https://api.example.com/v1"')
    if "@" in parts.netloc:
        raise ValueError(
            "must not hold a name or password; put the key into an environment variable (api_key_env names"
            " it) and rotate it if this was ever committed"
        )
    if "?" in value or "#" in value:
        raise ValueError("must be the plain address, without anything from ? or # on")
    return value.rstrip("/")


def _read_webhook(value: str) -> str:
    base, mark, query = value.partition("?")
    _read_url(base)
    return base + mark + query


def _read_variable(value: str) -> str:
    if _VARIABLE.fullmatch(value) is None:
        raise ValueError(
            "must be the name of an environment variable in capitals, never the key itself; if it is the key,"
            " move it to the environment or .env and rotate it if this was ever committed"
        )
    return value


_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(s|m|h|d|w)")
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def read_duration(value: object) -> object:
    """Return the seconds of a duration such as "90s", "15m", "6h", "1d" or "2w"."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a duration such as "1d", "6h" or "30m"')
    return float(found[1]) * _UNITS_S[found[2]]


def read_names(value: object) -> object:
    """Return the parts of a text that states several, as variables do: a JSON list, or names with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be a list such as ["a", "b"], or a,b') from None
    return [name.strip() for name in value.split(",") if name.strip()]


def _read_variables(value: object) -> object:
    """Read one variable or a list of them; each holds one key."""
    names = read_names(value)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError('must be the name of an environment variable, or a list such as ["A_KEY", "B_KEY"]')
    for name in names:
        _read_variable(name)
    if len(set(names)) < len(names):
        raise ValueError("names a variable twice")
    return names


def _read_dialects(value: object) -> object:
    names = read_names(value)
    if not isinstance(names, list) or not names or not all(name in DIALECTS for name in names):
        raise ValueError(f"must be a list of one or more of {', '.join(DIALECTS)}, each in quotes")
    return list(dict.fromkeys(names))


def _read_percents(value: object) -> object:
    found = read_names(value)
    try:
        assert isinstance(found, list)
        percents = [int(each) for each in found]
    except (AssertionError, ValueError, TypeError):
        percents = []
    if not percents or not all(1 <= each <= 1000 for each in percents):
        raise ValueError("must be a list of percentages such as [50, 80, 100]")
    return percents


def _read_clock(value: object) -> object:
    if value is None or value == "off":
        return None
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('must be a time of day such as "08:00", or "off"')
    return int(found[1]), int(found[2])


def _show_clock(at: object) -> str:
    return f"{at[0]:02}:{at[1]:02}" if isinstance(at, tuple) else str(at)


def _read_networks(value: object) -> object:
    names = read_names(value)
    try:
        assert isinstance(names, list)
        return [ip_network(name) for name in names]
    except (ValueError, AssertionError):
        raise ValueError('must be a list of networks such as ["10.0.0.0/8", "127.0.0.1/32"]') from None


def _read_algorithms(value: object) -> object:
    names = read_names(value)
    if not isinstance(names, list) or not names or not all(name in ALGORITHMS for name in names):
        raise ValueError(f"must be a list of one or more of {', '.join(ALGORITHMS)}")
    return names


def _read_targets(value: object) -> object:
    """Read names of models, or tables that give each a weight; a name alone stands for a table."""
    found = read_names(value)
    if not isinstance(found, list) or not all(isinstance(one, str | Mapping | BaseModel) for one in found):
        raise ValueError(
            'must be a list such as ["openai/gpt-5", "groq/llama-4"], or of tables such as'
            ' { model = "openai/gpt-5", weight = 3 }'
        )
    return [{"model": one} if isinstance(one, str) else one for one in found]


def _show_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _show_targets(targets: Sequence[Any]) -> str:
    return ", ".join(
        one.model if one.weight is None else f"{one.model} (weight {one.weight})" for one in targets
    )


def _read_provider_name(value: str) -> str:
    if value == "demo":
        raise ValueError("is the name of the built-in model; choose another one")
    if _NAME.fullmatch(value) is None:
        raise ValueError("must be a short name of letters, digits, - and _")
    return value


def _read_tier_name(value: str) -> str:
    if _NAME.fullmatch(value) is None:
        raise ValueError("must be a short name of letters, digits, - and _")
    return value


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of plain text")
    return value


def _read_folder(value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value) or not str(value).isprintable():
        raise ValueError("must be the path of a folder")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("begins with the home of somebody unknown here; write the whole path") from None


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable), Kind("text")]
Folder = Annotated[Path, BeforeValidator(_read_folder), Kind("folder")]
Whole = Annotated[int, BeforeValidator(_refuse_bool), Kind("whole number")]
Tokens = Annotated[Whole, Field(ge=1, le=1_000_000_000)]
Number = Annotated[
    float, Field(allow_inf_nan=False), BeforeValidator(_refuse_bool), Kind("number", show="{:g}".format)
]
Seconds = Annotated[Number, Field(gt=0, le=86_400)]
Cap = Annotated[Money | None, BeforeValidator(_read_cap), Kind('amount, or "off"', "off", format_usd)]
Price = Annotated[money.Rate, BeforeValidator(_read_dollars), Kind("amount", show=format_usd)]
Rates = Annotated[
    list[Any] | None,
    Field(max_length=8),
    BeforeValidator(_read_rates),
    Kind('rate, list of rates, or "off"', "off", _show_rates),
]
TokenRates = Annotated[Rates, AfterValidator(_refuse_burst)]
AtOnce = Annotated[
    Whole | None,
    Field(ge=0, le=1_000_000),
    BeforeValidator(_read_at_once),
    Kind('whole number, or "off"', "off", lambda count: str(count) if count else "off"),
]
Zone = Annotated[Any, BeforeValidator(_read_zone), Kind("time zone", show=str)]
Url = Annotated[str, Field(max_length=2000), AfterValidator(_read_url), Kind("address")]
WebhookUrl = Annotated[
    str,
    Field(max_length=2000),
    AfterValidator(_read_webhook),
    Kind("address", show=lambda _: "set (not shown)"),  # Who knows it may often post to it.
]
Names = Annotated[
    list[Text], Field(max_length=1000), BeforeValidator(read_names), Kind("list of texts", show=_show_names)
]
Phrase = Annotated[str, Field(min_length=1, max_length=2000), Kind("text")]
Phrases = Annotated[
    list[Annotated[str, Field(min_length=2, max_length=500)]],
    Field(max_length=1000),
    BeforeValidator(read_names),
    Kind("list of texts", show=_show_names),
]
Variables = Annotated[
    list[str],
    Field(min_length=1, max_length=16),
    BeforeValidator(_read_variables),
    Kind("name of a variable, or a list of them", show=", ".join),
]
Percents = Annotated[
    list[int],
    Field(min_length=1, max_length=20),
    BeforeValidator(_read_percents),
    Kind("list of whole numbers", show=lambda percents: ", ".join(map(str, percents))),
]
Clock = Annotated[
    tuple[int, int] | None,
    BeforeValidator(_read_clock),
    Kind('time of day, or "off"', "off", _show_clock),
]
Variable = Annotated[str, AfterValidator(_read_variable), Kind("name of a variable")]
Networks = Annotated[
    list[Any],
    Field(max_length=100),
    BeforeValidator(_read_networks),
    Kind("list of networks", show=lambda networks: ", ".join(map(str, networks)) or "none"),
]
Algorithms = Annotated[
    list[str], BeforeValidator(_read_algorithms), Kind("list of algorithms", show=", ".join)
]
Dialects = Annotated[
    list[str], BeforeValidator(_read_dialects), Kind(f"list of {', '.join(DIALECTS)}", show=", ".join)
]
Fallbacks = Annotated[
    list[Text], Field(max_length=8), BeforeValidator(read_names), Kind("list of models", show=_show_names)
]
Weight = Annotated[Whole, Field(ge=1, le=1000)]
T = TypeVar("T")
Targets = Annotated[
    list[T],
    Field(min_length=1, max_length=8),
    BeforeValidator(_read_targets),
    Kind("list of models, or of { model, weight }", show=_show_targets),
]
ProviderName = Annotated[str, AfterValidator(_read_provider_name)]
ModelName = Text
TierName = Annotated[Text, AfterValidator(_read_tier_name)]
Attempts = Annotated[Whole, Field(ge=0, le=5)]
TokensField = Literal["max_tokens", "max_completion_tokens"]
