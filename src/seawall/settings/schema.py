"""Settings: all sections together, what is known about them, and what the rest of Seawall asks of them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from pydantic import PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from seawall.core.contracts import Limits
from seawall.core.facts import Fact
from seawall.core.money import Price
from seawall.core.policy import Budget
from seawall.core.routing import Alternative, HealthRules, RetryRules
from seawall.core.stages import DEFAULTS, PER_IP, PER_SECOND_GLOBAL, Stage
from seawall.core.terms import HouseTerms, IssuerTerms
from seawall.settings.alerting import AlertSettings, MailSettings
from seawall.settings.credentials import Secrets
from seawall.settings.description import Explained, Origins, explain
from seawall.settings.facts import FactSettings, read_facts
from seawall.settings.growing import BackupSettings, DatabaseUrl, TlsSettings, ValkeySettings, ValkeyUrl
from seawall.settings.guarding import GuardProfileSettings, GuardSettings, guards_of
from seawall.settings.issuers import IssuerSettings
from seawall.settings.jobs import JobSettings, ProgressSettings
from seawall.settings.limits import LimitSettings, LoopSettings, ModelLimitSettings, TierSettings
from seawall.settings.sections import (
    BreakerSettings,
    BudgetSettings,
    CacheSettings,
    DemoSettings,
    LogSettings,
    ModelSettings,
    PriceSettings,
    ProviderSettings,
    RetrySettings,
    ServerSettings,
    SpendingSettings,
    StateSettings,
    TimeoutSettings,
    setting,
)
from seawall.settings.tasks import TaskSettings
from seawall.settings.values import Folder, ModelName, Networks, ProviderName, Text, TierName, Url, Zone
from seawall.settings.webhooks import NotifySettings, WebhookSettings

KEEP_DAYS = {Stage.POC: 7, Stage.MVP: 30, Stage.ALPHA: 30, Stage.BETA: 30, Stage.PRODUCTION: 90}


def stage_defaults(stage: Stage) -> dict[str, dict[str, Any]]:
    """Return the defaults that depend on the stage, in the shape of the configuration file."""
    rates = DEFAULTS[stage].per_user
    caps = {"daily_usd": DEFAULTS[stage].daily_usd, "monthly_usd": DEFAULTS[stage].monthly_usd}
    return {
        "budget": {name: cap for name, cap in caps.items() if cap is not None},
        "limits": {
            **({} if rates is None else {"per_user": list(rates)}),
            "per_ip": PER_IP,
            "global": PER_SECOND_GLOBAL,
        },
        "guard": {"mode": "flag" if stage is Stage.POC else "block"},
        "cache": {"enabled": stage is not Stage.POC},
        "loop": {"calls_unnamed": 20 if stage is Stage.POC else 100},
        "log": {"keep_days": KEEP_DAYS[stage]},
    }


class Background(Struct, frozen=True):
    """What is known about the settings beside their values: where they are from, secrets and notes."""

    origins: Origins
    secrets: Secrets
    admin_key: SecretStr | None = None
    notes: tuple[str, ...] = ()


class Settings(BaseSettings):
    """Everything that can be set, read by `load_settings` and unchanged afterwards."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    stage: Stage = setting(
        "Where your app is in its life; chooses defaults, never the address to listen on.", default=Stage.POC
    )
    support_contact: Text | None = setting(
        "Where callers can turn to; shown in error messages.", default=None
    )
    data_dir: Folder = setting(
        "The folder of the database and the admin key; a relative one starts at the working directory.",
        default=Path(".seawall"),
    )
    database_url: DatabaseUrl | None = setting(
        "The address of a Postgres database, for several gateways on one ledger; not set means a SQLite file"
        " in the data folder. A password belongs in the environment, never in the file.",
        default=None,
    )
    valkey_url: ValkeyUrl | None = setting(
        "The address of a Valkey or Redis server, for limits and a cache that several gateways share; not set"
        " means the memory of each. A password belongs in the environment.",
        default=None,
    )
    behind_proxy: Networks = setting(
        "The networks of your own proxies: their X-Forwarded-For is believed, and with any stated the"
        " gateway may listen on every address, since they bring HTTPS.",
        default=[],
    )
    time_zone: Zone = setting(
        "Whose days and months the quotas of tiers follow; those of budgets are UTC.", default=ZoneInfo("UTC")
    )
    default_tier: Text | None = setting(
        "The tier of end users for whom neither a token, a key nor the operator names another.", default=None
    )
    upgrade_url: Url | None = setting(
        "Where users can get a higher tier; shown where a quota is used up.", default=None
    )
    server: ServerSettings = ServerSettings()
    budget: BudgetSettings = BudgetSettings()
    providers: dict[ProviderName, ProviderSettings] = {}
    models: dict[ModelName, ModelSettings] = {}
    prices: dict[ModelName, PriceSettings] = {}
    limits: LimitSettings = LimitSettings()
    model_limits: dict[ModelName, ModelLimitSettings] = {}
    tiers: dict[TierName, TierSettings] = {}
    loop: LoopSettings = LoopSettings()
    guard: GuardSettings = GuardSettings()
    guards: dict[TierName, GuardProfileSettings] = {}
    issuers: dict[TierName, IssuerSettings] = {}
    cache: CacheSettings = CacheSettings()
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    spending: SpendingSettings = SpendingSettings()
    timeouts: TimeoutSettings = TimeoutSettings()
    alerts: AlertSettings = AlertSettings()
    mail: MailSettings = MailSettings()
    tls: TlsSettings = TlsSettings()
    backup: BackupSettings = BackupSettings()
    valkey: ValkeySettings = ValkeySettings()
    jobs: JobSettings = JobSettings()
    progress: ProgressSettings = ProgressSettings()
    tasks: dict[TierName, TaskSettings] = {}
    webhooks: dict[TierName, WebhookSettings] = {}
    notify: NotifySettings = NotifySettings()
    facts: dict[Text, FactSettings] = {}
    log: LogSettings = LogSettings()
    state: StateSettings = StateSettings()
    demo: DemoSettings = DemoSettings()

    _background: Background = PrivateAttr()

    def __init__(self, sources: Sequence[PydanticBaseSettingsSource], background: Background) -> None:
        super().__init__(_build_sources=(tuple(sources), {}))
        self._background = background

    @property
    def environment(self) -> Secrets:
        """Return where provider keys are looked up, by the names of their variables."""
        return self._background.secrets

    @property
    def admin_key(self) -> SecretStr | None:
        """Return the admin key where the operator states one, else `None`."""
        return self._background.admin_key

    @property
    def sources(self) -> dict[str, str]:
        """Say where each effective value is from, by the dotted name of the setting."""
        return {row.name: row.source for row in self.explain()}

    def explain(self) -> list[Explained]:
        """List every effective value with its source, in the order of the documentation; no secrets."""
        return explain(self, self._background.origins, self._background.secrets)

    def log_style(self) -> str:
        """Return how log lines are written: as stated, else for people at a terminal and else as JSON."""
        is_stated = not self.sources["log.format"].startswith("default")
        return self.log.format if is_stated or not sys.stderr.isatty() else "text"

    def notes(self) -> list[str]:
        """Return a friendly line for each thing that is stated and has no effect."""
        notes = list(self._background.notes)
        if self.database_url is not None and self.backup.every is not None:
            notes.append(
                "backup.every has no effect beside database_url: Postgres is backed up by pg_dump"
                " (`seawall backup` shows how)"
            )
        return notes

    def global_budget(self) -> Budget:
        """Return the caps on everything that is spent; at least one of them is set."""
        return Budget(
            daily=self.budget.daily_usd, monthly=self.budget.monthly_usd, lifetime=self.budget.lifetime_usd
        )

    def house_terms(self) -> HouseTerms:
        """Return the budget, limits and tiers that hold for everybody."""
        by_model = [
            terms
            for model, stated in self.model_limits.items()
            for terms in stated.terms(f"model_limits.{model}", model)
        ]
        return HouseTerms(
            budget=self.global_budget(),
            limits=(*self.limits.terms("limits"), *by_model),
            tiers={name: stated.terms(name) for name, stated in self.tiers.items()},
            default_tier=self.default_tier,
            zone=self.time_zone,
            upgrade_url=self.upgrade_url,
            guards=guards_of(self.guard, self.guards),
        )

    def issuer_terms(self) -> dict[str, IssuerTerms]:
        """Return whose login tokens are accepted; raises SettingsError where a secret is missing."""
        return {name: stated.terms(name, self.environment) for name, stated in self.issuers.items()}

    def price_overrides(self) -> dict[str, Price]:
        """Return the stated prices by model."""
        return {model: stated.price() for model, stated in self.prices.items()}

    def known_facts(self) -> dict[str, Fact]:
        """Return what the owner says of the app, by name; raises SettingsError where an answer is none."""
        return read_facts(self.facts, self._background.origins)

    def aliases(self) -> dict[str, tuple[Alternative, ...]]:
        """Return what each alias stands for, in the order in which it is tried."""
        origins = self._background.origins
        return {
            name: stated.alternatives(
                targets_at=origins.get(("models", name, "targets"), ""),
                fallbacks_at=origins.get(("models", name, "fallbacks"), ""),
            )
            for name, stated in self.models.items()
        }

    def retry_rules(self) -> RetryRules:
        """Return how often and how soon the same target is tried again."""
        stated = self.retries
        return RetryRules(attempts=stated.attempts, wait_s_max=stated.wait_s_max, base_s=stated.backoff_s)

    def health_rules(self) -> HealthRules:
        """Return when a provider's key that keeps failing is left alone, and for how long."""
        stated = self.breaker
        return HealthRules(
            failures=stated.failures, cooldown_s=stated.cooldown_s, cooldown_s_max=10 * stated.cooldown_s
        )

    def limits_of_calls(self) -> Limits:
        """Return how long the parts of a call may take, and how it treats money and hang-ups."""
        return Limits(
            hold_wait_s=self.spending.hold_wait_s,
            connect_s=self.timeouts.connect_s,
            first_byte_s=self.timeouts.first_byte_s,
            first_token_s=self.timeouts.first_token_s,
            between_events_s=self.timeouts.between_events_s,
            call_s=self.timeouts.call_s,
            undeclared_output_tokens=self.spending.undeclared_output_tokens,
            drain_on_disconnect=self.spending.on_disconnect == "drain",
        )
