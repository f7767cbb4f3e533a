"""Every setting once: where it may be stated, what it means, and what holds where nothing is stated."""

from seawall.settings.alerting import AlertSettings, MailSettings
from seawall.settings.credentials import Secrets
from seawall.settings.description import Described, Explained
from seawall.settings.growing import BackupSettings
from seawall.settings.limits import LimitSettings, LoopSettings
from seawall.settings.load import config_file, describe_settings, load_settings
from seawall.settings.problems import SettingsError
from seawall.settings.schema import Settings
from seawall.settings.sections import CacheSettings, PriceSettings, ProviderSettings

__all__ = [
    "AlertSettings",
    "BackupSettings",
    "CacheSettings",
    "Described",
    "Explained",
    "LimitSettings",
    "LoopSettings",
    "MailSettings",
    "PriceSettings",
    "ProviderSettings",
    "Secrets",
    "Settings",
    "SettingsError",
    "config_file",
    "describe_settings",
    "load_settings",
]
