"""What is to be written into the configuration is taken by it as it stands."""

import re

import msgspec
import pytest

from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.things import advise
from seawall.advice.words import Verdict
from seawall.core.traffic import Hour
from tests.advice.apps import BARE, NOTHING, app, calls, people, replay, spread
from tests.advice.test_models import small_calls
from tests.fixtures.settings import Place

BUSY = spread(calls(100, cost=1))
LIMITED = msgspec.structs.replace(BARE, user_limits=("10/hour",))
CACHED = msgspec.structs.replace(BARE, has_cache=True)
FLAGGING = msgspec.structs.replace(BARE, guard_mode="flag")
SETTING = re.compile(r"\[[\w.]+\]$|[a-z_]+ = ")


@pytest.mark.parametrize(
    ("thing", "numbers", "replays"),
    [
        ("spending-limit", app(), NOTHING),
        ("rate-limits", app(), NOTHING),
        ("output-caps", app(), NOTHING),
        ("quotas", app(BUSY, setup=LIMITED, users=people(40, costs=[20])), NOTHING),
        ("caching", app(BUSY), Replays(exact=replay(3_000, 1_200, saved=12))),
        ("caching", app([Hour(0, calls=2_000)], setup=CACHED), NOTHING),
        ("guard-blocking", app([Hour(0, calls=300, flagged=30)], setup=FLAGGING), NOTHING),
    ],
)
def test_lines_of_configuration_are_settings(
    place: Place, thing: str, numbers: Numbers, replays: Replays
) -> None:
    advice = advise(thing, numbers, replays)
    assert advice.verdict in (Verdict.DO_NOW, Verdict.REMOVE)
    lines = [line for line in advice.do if SETTING.match(line)]
    assert len(lines) >= 2
    place.load("\n".join(lines))


def test_an_alias_for_small_calls_is_a_setting(place: Place) -> None:
    numbers, found = small_calls(), replay(3_000, 1_500, saved=14, model="demo")
    advice = advise("cheaper-model", numbers, Replays(cheaper=found))
    settings = place.load("\n".join(advice.do[:2]))
    assert list(settings.models) == ["small"]
