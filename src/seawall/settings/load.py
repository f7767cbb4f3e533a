"""load_settings: every source read, the strongest statement taken, the result checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource as PydanticSource

from seawall.core.stages import Stage
from seawall.settings.config_file import ConfigFile
from seawall.settings.credentials import ADMIN_KEY, NAMED_SECRETS, Secrets, secret_variable
from seawall.settings.description import Described, describe, rows_of
from seawall.settings.growing import has_password
from seawall.settings.guarding import MODES
from seawall.settings.problems import KeyPath, SettingsError, complain, show_path, suggest
from seawall.settings.schema import Background, Settings, stage_defaults
from seawall.settings.sources import (
    CONFIG,
    SECRETS_FOLDER,
    Layer,
    Variable,
    read_dotenv,
    read_environ,
    read_file,
    read_overrides,
    read_variables,
)

ADMIN_KEY_CHARACTERS_MIN = 16
CONFIG_FILE = "seawall.toml"


def load_settings(
    config: Path | None,
    overrides: dict[str, object],
    environ: Mapping[str, str],
    cwd: Path,
    *,
    text: str | None = None,
) -> Settings:
    """Read all settings: command line, environment, `.env`, secrets folder, file, defaults; strongest first.

    `overrides` maps dotted names (`server.port`) to values, `None` for options that were not given.
    Without `config` the file is that of SEAWALL_CONFIG, else `seawall.toml` in `cwd` where there is one; with
    `text` that is read in its place, to see what it would change.
    Raises SettingsError: one sentence for the screen.
    """
    dotenv, notes = read_dotenv(cwd / ".env")
    variables = read_environ(environ)
    known = [row.path for row in rows_of(Settings)]
    file = _read_file(_find_file(config, dotenv | variables, cwd), text)
    layers = [
        read_overrides(overrides),
        read_variables(variables, known, file),
        read_variables(dotenv, known, file),
        file,
    ]
    notes += [note for layer in layers for note in layer.notes]
    secrets = Secrets(
        environ,
        {name: variable.value for name, variable in dotenv.items()},
        _find_secrets_folder(dotenv | variables, cwd),
    )
    all_layers = [*layers, _stage_layer(layers)]
    background = Background(_origins(all_layers), secrets, _admin_key(secrets), tuple(notes))
    try:
        settings = Settings([_LayerSource(layer) for layer in all_layers], background)
    except ValidationError as error:
        raise SettingsError(complain(error, _origins(layers), known)) from None
    _check_urls(layers)
    _check_budget(settings, _origins(layers))
    _check_limits(settings, _origins(layers))
    _check_guards(settings, _origins(layers))
    _check_mail(settings, _origins(layers))
    _check_secrets(settings)
    settings.issuer_terms()
    settings.known_facts()
    _check_free(settings, _origins(layers))
    _check_aliases(settings)
    return settings.model_copy(update={"data_dir": cwd / settings.data_dir})


def config_file(config: Path | None, environ: Mapping[str, str], cwd: Path) -> ConfigFile:
    """Return the configuration file that `load_settings` reads, or would read; raises SettingsError."""
    dotenv, _ = read_dotenv(cwd / ".env")
    return _find_file(config, dotenv | read_environ(environ), cwd)


def describe_settings() -> list[Described]:
    """Describe every setting, in the order of the documentation."""
    return describe(Settings, {stage.value: stage_defaults(stage) for stage in Stage})


def _find_file(config: Path | None, variables: Mapping[str, Variable], cwd: Path) -> ConfigFile:
    if config is not None:
        return ConfigFile(cwd / config, str(config), is_named=True)
    if CONFIG in variables:
        stated = variables[CONFIG]
        return ConfigFile(cwd / stated.value, f"{stated.value} (named by {CONFIG})", is_named=True)
    return ConfigFile(cwd / CONFIG_FILE, CONFIG_FILE)


def _read_file(file: ConfigFile, text: str | None) -> Layer:
    if text is None:
        text = file.read()
    return Layer({}, {}) if text is None else read_file(text, file.shown)


def _find_secrets_folder(variables: Mapping[str, Variable], cwd: Path) -> Path | None:
    if SECRETS_FOLDER not in variables:
        return None
    folder = cwd / variables[SECRETS_FOLDER].value
    if not folder.is_dir():
        raise SettingsError(f"{variables[SECRETS_FOLDER].origin} must be the path of a folder that exists.")
    return folder


class _LayerSource(PydanticSource):
    """Hands a layer to pydantic-settings, which merges them all."""

    def __init__(self, layer: Layer) -> None:
        super().__init__(Settings)
        self._layer = layer

    def __call__(self) -> dict[str, Any]:
        return self._layer.tree

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return one field; part of the contract, not used where a whole tree is handed over."""
        return self._layer.tree.get(field_name), field_name, False


def _stage_layer(layers: list[Layer]) -> Layer:
    """Make the weakest layer: what holds at the stage that the others state."""
    stated = next((layer.tree["stage"] for layer in layers if "stage" in layer.tree), Stage.POC)
    try:
        stage = Stage(stated)
    except ValueError:
        return Layer({}, {})  # Validation is about to say that there is no such stage.
    origin = f"default for stage {stage}"
    paths = {
        (section, name) for at in Stage for section, names in stage_defaults(at).items() for name in names
    }
    return Layer(stage_defaults(stage), dict.fromkeys(paths, origin))


def _origins(layers: list[Layer]) -> dict[KeyPath, str]:
    """Say where each value is from: the strongest layer that states it."""
    return {path: origin for layer in reversed(layers) for path, origin in layer.origins.items()}


def _admin_key(secrets: Secrets) -> SecretStr | None:
    value = secrets.get(ADMIN_KEY)
    if value is not None and len(value) < ADMIN_KEY_CHARACTERS_MIN:
        raise SettingsError(
            f"{secrets.where(ADMIN_KEY)} is too short: an admin key needs at least {ADMIN_KEY_CHARACTERS_MIN}"
            " characters; leave it out to have one made."
        )
    return None if value is None else SecretStr(value)


def _check_urls(layers: list[Layer]) -> None:
    """Raise SettingsError where the password of a store stands in the configuration file."""
    for layer in layers:
        for name in ("database_url", "valkey_url"):
            origin, url = layer.origins.get((name,), ""), layer.tree.get(name)
            if " line " in origin and not origin.startswith(".env") and has_password(str(url)):
                raise SettingsError(
                    f"{origin}: {name} holds a password, which does not belong in this file: move the address"
                    f" to the environment or to .env as SEAWALL_{name.upper()}, and change the password if"
                    " the file was ever committed or shared."
                )


def _check_mail(settings: Settings, origins: Mapping[KeyPath, str]) -> None:
    """Raise SettingsError where nobody would be mailed, or nobody could send it."""
    mail = settings.mail
    if settings.notify.mail and mail.host is None:
        raise SettingsError(
            f"{origins[('notify', 'mail')]}: notify.mail takes a mail server: state host and sender under"
            " [mail]."
        )
    if mail.host is not None and not mail.to and not settings.notify.mail:
        raise SettingsError(
            f"{origins[('mail', 'host')]}: mail.host has no effect without addresses: state mail.to for"
            " alerts, or notify.mail = true for users whose job is done."
        )


def _check_secrets(settings: Settings) -> None:
    """Raise SettingsError where two sections would be signed with the secret of one variable."""
    for section in NAMED_SECRETS:
        names: dict[str, str] = {}
        for name in getattr(settings, section):
            variable = secret_variable(section, name)
            other = names.setdefault(variable, name)
            if other != name:
                raise SettingsError(
                    f"{section}.{other} and {section}.{name} would have their secrets in the same variable,"
                    f" {variable}; give one of them another name."
                )


def _check_free(settings: Settings, origins: Mapping[KeyPath, str]) -> None:
    """Raise SettingsError where a provider without prices would be asked for any model there is."""
    for name, provider in settings.providers.items():
        if provider.free and provider.models is None:
            raise SettingsError(
                f"{origins[('providers', name, 'free')]}: providers.{name} is free: no price list says what"
                ' it serves; list its models, for example models = ["llama3.2"].'
            )


def _check_aliases(settings: Settings) -> None:
    """Raise SettingsError where an alias stands for another alias; for its own name it may."""
    aliases = settings.aliases()
    for name, alternatives in aliases.items():
        for each in alternatives:
            if each.model in aliases and each.model != name:
                alias, other = show_path(("models", name)), show_path((each.model,))
                raise SettingsError(
                    f"{each.origin}: {alias} stands for {other}, which is an alias itself; name the models"
                    " that it stands for, each with its provider, as in openai/gpt-5."
                )


def _check_limits(settings: Settings, origins: Mapping[KeyPath, str]) -> None:
    """Raise SettingsError where the rate of a user is left open, or a tier is named that there is not."""
    if settings.limits.per_user is None:
        raise SettingsError(
            f"{origins[('stage',)]}: the stage {settings.stage} has no default for the calls of a user;"
            ' state limits.per_user, for example ["5/10 seconds", "100/hour"], or "off".'
        )
    tier = settings.default_tier
    if tier is not None and tier not in settings.tiers:
        raise SettingsError(
            f"{origins[('default_tier',)]}: default_tier names no tier that there is"
            f"{suggest(tier, settings.tiers)} Tiers stand in sections such as [tiers.free]."
        )


def _check_guards(settings: Settings, origins: Mapping[KeyPath, str]) -> None:
    """Raise SettingsError where a guard is named that there is not, or would be another than it says."""
    for name, profile in settings.guards.items():
        if name in MODES:
            at = next(origin for path, origin in origins.items() if path[:2] == ("guards", name))
            raise SettingsError(
                f"{at}: guards.{name} is there already: the guard in the mode {name}; give yours another"
                " name."
            )
        if "topics_profile" in profile.model_fields_set:
            raise SettingsError(
                f"{origins[('guards', name, 'topics_profile')]}: guards.{name}.topics_profile has no effect;"
                " every guard uses the file that guard.topics_profile names."
            )
    names = (*MODES, *settings.guards)
    for name, tier in settings.tiers.items():
        if tier.guard is not None and tier.guard not in names:
            raise SettingsError(
                f"{origins[('tiers', name, 'guard')]}: tiers.{name}.guard names no guard that there is"
                f"{suggest(tier.guard, names)} There are off, flag, block, and sections such as"
                " [guards.kids]."
            )


def _check_budget(settings: Settings, origins: Mapping[KeyPath, str]) -> None:
    """Raise SettingsError where no spending limit remains."""
    if not settings.global_budget().is_open:
        return
    names = ("daily_usd", "monthly_usd", "lifetime_usd")
    switched_off = next((name for name in names if ("budget", name) in origins), None)
    if settings.stage is Stage.PRODUCTION and switched_off is None:
        raise SettingsError(
            f"{origins[('stage',)]}: the stage production has no default budget; state at least one of"
            " daily_usd, monthly_usd and lifetime_usd under [budget]."
        )
    raise SettingsError(
        f'{origins[("budget", switched_off or "")]}: budget.{switched_off} is "off" and no other period has a'
        " limit, but there must always be one; state an amount for daily_usd, monthly_usd or lifetime_usd."
    )
