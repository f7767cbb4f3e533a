"""The five stages of an app and the spending limit that each starts with."""

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
    """Defaults of a stage; `None` for both budgets means that the operator must state one."""

    daily_usd: str | None
    monthly_usd: str | None


DEFAULTS: dict[Stage, StageDefaults] = {
    Stage.POC: StageDefaults(daily_usd="1.00", monthly_usd=None),
    Stage.MVP: StageDefaults(daily_usd="5.00", monthly_usd="50.00"),
    Stage.ALPHA: StageDefaults(daily_usd="20.00", monthly_usd=None),
    Stage.BETA: StageDefaults(daily_usd="100.00", monthly_usd=None),
    Stage.PRODUCTION: StageDefaults(daily_usd=None, monthly_usd=None),
}
