"""How far the app is from the end of what it runs on: cores, machines, and what its owner says of them."""

from datetime import date, timedelta

from msgspec import Struct

from seawall.advice.figures import count, hourly, not_measured, number_fact, percent
from seawall.advice.numbers import Numbers
from seawall.advice.thresholds import BUSY_PERCENT, CACHE_USERS, CORE_CALLS, SPARE_PERCENT, THIN_CALLS, Rule
from seawall.advice.words import Figure, Threshold

MINUTE_S = 60
EPOCH = date(1970, 1, 1)


class Load(Struct, frozen=True):
    """Calls a second: in the fullest minute, and what one core and one machine like this may be asked for."""

    fullest: float
    core: float
    machine: float

    @property
    def words(self) -> str:
        """Return the fullest minute in words; where it is thin, by the minute."""
        if self.fullest < 1:
            return f"{count(self.fullest * MINUTE_S)} calls in the fullest minute"
        return f"{count(self.fullest)} calls a second in the fullest minute"

    @property
    def cores_needed(self) -> float:
        """Return how many cores the fullest minute takes."""
        return self.fullest / self.core

    @property
    def machines_needed(self) -> float:
        """Return how many machines like this one the fullest minute takes."""
        return self.fullest / self.machine


def load_of(numbers: Numbers) -> Load:
    """Return how many calls come at most, and how many can be served: 70 percent of what was measured."""
    core = CORE_CALLS.value * BUSY_PERCENT.value / 100
    fullest = numbers.sums.hour.peak_minute / MINUTE_S
    return Load(fullest=fullest, core=core, machine=core * max(1, numbers.machine.cores))


def is_thin(numbers: Numbers) -> bool:
    """Say whether traffic is so thin that nothing has to be asked: no problem now means not now."""
    calls = numbers.a_day(numbers.sums.hour.calls)
    return numbers.users.users < CACHE_USERS.value and calls < THIN_CALLS.value


def taken(share: float) -> str:
    """Write how much of something is taken."""
    return "less than 1 %" if share < 0.01 else percent(share * 100)


def is_spare(needed: float) -> bool:
    """Say whether so little of what is there is needed that it could be smaller."""
    return needed * 100 < SPARE_PERCENT.value


def fullest_minute(numbers: Numbers) -> Figure:
    """Return the calls a second of the fullest minute, and what share of the machine they take."""
    load = load_of(numbers)
    query = hourly(numbers, f"max(data->>'$.peak_minute') / {MINUTE_S:.1f}")
    return Figure(f"{load.words}: {taken(load.cores_needed)} of one core", query, load.fullest)


def stated(numbers: Numbers, name: str, words: str, example: str) -> Figure:
    """Return a number that the owner states; `words` say what it counts, `example` what may be stated."""
    value, again = number_fact(numbers, name), f"seawall facts set {name} {example}"
    if value is None:
        return not_measured(words, again)
    fact = numbers.facts[name]
    if fact.is_old(_today(numbers)):
        return Figure(f"{words}: {value:g}, as of {fact.at}; state it again", again, value)
    return Figure(f"{words}: {value:g}", "seawall facts list", value)


def _today(numbers: Numbers) -> date:
    """Return the day on which the span ends."""
    return EPOCH + timedelta(hours=numbers.until_hour)


def needs_several(numbers: Numbers) -> bool:
    """Say whether more than one gateway process is needed; those that are there and idle are not."""
    load, setup = load_of(numbers), numbers.setup
    is_busy = setup.workers > 1 and not is_spare(load.cores_needed)
    return load.cores_needed > 1 or setup.gateways > setup.workers or is_busy


def standing(rule: Rule, now: float | None) -> Threshold:
    """Return how far the app is from a threshold."""
    return Threshold(f"due when {rule.text}", now, rule.value, rule.unit, rule.source)


def reaching(load: Load, cores: int = 1) -> Threshold:
    """Return how far the fullest minute is from what some cores may be asked for."""
    words = "one core serves" if cores == 1 else f"{cores} cores serve"
    served = f"{CORE_CALLS.value * cores:,} calls a second that {words}"
    text = f"due when the fullest minute takes {BUSY_PERCENT.value:g} % of the {served}"
    return Threshold(text, load.fullest, load.core * cores, CORE_CALLS.unit, CORE_CALLS.source)
