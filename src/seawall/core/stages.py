"""The five stages of an app, and the limits that each starts with."""

from enum import StrEnum

from msgspec import Struct


class Stage(StrEnum):
    """Where the app is in its life; chooses defaults, never the address to listen on."""

    POC = "poc"
    MVP = "mvp"
    ALPHA = "alpha"
    BETA = "beta"
    PRODUCTION = "production"


class StageDefaults(Struct, frozen=True):
    """Defaults of a stage; `None` for both budgets, or for the calls of a user, must be stated."""

    daily_usd: str | None
    monthly_usd: str | None
    per_user: tuple[str, ...] | None


BURST = "5/10 seconds"
"""What no end user may pass in any stage, unless the operator says otherwise: faster than anybody types."""

PER_IP = "10/second"
PER_SECOND_GLOBAL = "10000/second"

DEFAULTS: dict[Stage, StageDefaults] = {
    Stage.POC: StageDefaults(daily_usd="1.00", monthly_usd=None, per_user=(BURST, "100/minute")),
    Stage.MVP: StageDefaults(daily_usd="5.00", monthly_usd="50.00", per_user=(BURST, "10/hour")),
    Stage.ALPHA: StageDefaults(daily_usd="20.00", monthly_usd=None, per_user=(BURST, "30/hour")),
    Stage.BETA: StageDefaults(daily_usd="100.00", monthly_usd=None, per_user=(BURST, "100/hour")),
    Stage.PRODUCTION: StageDefaults(daily_usd=None, monthly_usd=None, per_user=None),
}
