"""The places in which settings are stated, each read into a layer: its values, and where each stands.

From strong to weak: command line, environment, `.env`, `seawall.toml`, defaults of the stage.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from msgspec import Struct

from seawall.settings.credentials import ADMIN_KEY, NAMED_SECRETS, PREVIOUS, secret_variable
from seawall.settings.description import NAMED_BY, PREFIX, env_names
from seawall.settings.leaks import find_keys, hide_keys, key_line
from seawall.settings.problems import KeyPath, SettingsError, show_path, suggest
from seawall.settings.toml_lines import locate_keys

FILE_BYTES_MAX = 256 * 1024
CONFIG = "SEAWALL_CONFIG"
SECRETS_FOLDER = "SEAWALL_SECRETS_DIR"
VARIABLES = {
    CONFIG: "The path of the configuration file, where --config does not name one.",
    SECRETS_FOLDER: "A folder with a file for each provider key and the admin key, named like the variable.",
    "SEAWALL_WEBHOOK_SECRET": "The secret that webhooks are signed with; `seawall alerts secret` makes one.",
    "SEAWALL_MAIL_PASSWORD": "The password of the mail server.",
    "SEAWALL_TASK_NAME_SECRET": "The secret that tasks for `[tasks.NAME]` are signed with.",
    "SEAWALL_WEBHOOK_NAME_SECRET": "The secret that `[webhooks.NAME]` is signed with.",
    "SEAWALL_WEBHOOK_NAME_SECRET_PREVIOUS": "The one before, while it is being replaced.",
    ADMIN_KEY: "The admin key, at least 16 characters; without it one is made in the data folder.",
}
"""Variables that are not settings: they say where to look, or hold a secret."""
_SECRET = re.compile(
    f"(?:{'|'.join(variable.format('[A-Z0-9_]+') for variable in NAMED_SECRETS.values())})(?:{PREVIOUS})?"
)
AUDIT = "check"
"""The section of the configuration file that only `seawall check` reads."""

_OPTIONS = {("server", "host"): "--host", ("server", "port"): "--port", ("data_dir",): "--data"}
_MOVE_IT = (
    "keys do not belong in this file: move it to the environment or to .env (for a provider, api_key_env"
    " names the variable), and rotate it if the file was ever committed or shared."
)


class Layer(Struct, frozen=True):
    """What one source states: values in the shape of the file, and the place of each."""

    tree: dict[str, Any]
    origins: dict[KeyPath, str]
    notes: tuple[str, ...] = ()


class Variable(Struct, frozen=True):
    """The text of a variable and the words for where it stands."""

    value: str
    origin: str


def read_overrides(overrides: Mapping[str, object]) -> Layer:
    """Read dotted names from the command line; `None` means that the option was not given."""
    layer = Layer({}, {})
    for name, value in overrides.items():
        if value is not None:
            path = tuple(name.split("."))
            _put(layer, path, value, _OPTIONS.get(path, "command line"))
    return layer


def read_environ(environ: Mapping[str, str]) -> dict[str, Variable]:
    """Take the variables that are ours; an empty one counts as not set."""
    return {
        name: Variable(value, f"environment {name}")
        for name, value in environ.items()
        if name.startswith(PREFIX) and value.strip()
    }


def read_dotenv(path: Path) -> tuple[dict[str, Variable], list[str]]:
    """Read a `.env` file, where there is one, and note the lines that are not understood.

    Dollar signs stay as they are: a key may hold one.
    """
    variables: dict[str, Variable] = {}
    notes = []
    text = read_text(path, path.name) if path.exists() and not path.is_dir() else ""
    for binding in parse_stream(StringIO(text)):
        line = binding.original.line + binding.original.string[
            : -len(binding.original.string.lstrip())
        ].count("\n")
        if binding.error:
            notes.append(f".env line {line} is not understood and has no effect; write NAME=value.")
        elif binding.key and binding.value and binding.value.strip():
            variables[binding.key] = Variable(binding.value, f".env line {line} ({binding.key})")
    return variables, notes


def read_variables(variables: Mapping[str, Variable], known: Iterable[KeyPath], file: Layer) -> Layer:
    """Turn SEAWALL_ variables into settings; one that is no setting gives a note with the nearest name."""
    paths = list(known)
    fixed = {name: path for path in paths if len(path) < 3 for name in env_names(path)}
    layer = Layer({}, {})
    notes = []
    for name, variable in sorted(variables.items()):
        if not name.startswith(PREFIX) or name in VARIABLES or _SECRET.fullmatch(name):
            continue
        path = fixed.get(name) or _table_path(name, paths, file.tree)
        if path is None:
            hint = _nearest(name, [*fixed, *VARIABLES, *_table_names(name, paths)])
            notes.append(hide_keys(f"{variable.origin} is not a setting and has no effect{hint}"))
            continue
        if path in layer.origins and _at(layer.tree, path) != variable.value:
            raise SettingsError(f"{variable.origin} and {layer.origins[path]} disagree; keep one of them.")
        _put(layer, path, variable.value, variable.origin)
    return Layer(layer.tree, layer.origins, tuple(notes))


def read_file(text: str, shown: str) -> Layer:
    """Read the text of the configuration file; raises SettingsError for bad syntax, and for any key in it.

    Numbers with a point are read as exact decimals, so that no float comes near money. What the audit reads
    of the file is left out.
    """
    leaked = key_line(text)
    if leaked is not None:
        raise SettingsError(f"{shown} line {leaked} holds what looks like a key; {_MOVE_IT}")
    try:
        tree = tomllib.loads(text + "\n", parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{shown} is not valid TOML: {error}; texts need quotes, and each setting its own line."
        ) from None
    except (ValueError, ArithmeticError):
        raise SettingsError(f"{shown} holds a number that is far too long; write a shorter one.") from None
    except RecursionError:
        raise SettingsError(
            f"{shown} is nested too deeply; settings are at most three levels deep."
        ) from None
    origins = {key: f"{shown} line {line}" for key, line in locate_keys(text).items()}
    for key in find_keys(tree):
        raise SettingsError(
            f"{origins.get(key, shown)}: {show_path(key)} is a key or is named like one; {_where_to(key)}"
        )
    tree.pop(AUDIT, None)
    return Layer(tree, {key: line for key, line in origins.items() if key[0] != AUDIT})


def _where_to(key: KeyPath) -> str:
    """Say where a key that stands in the file belongs."""
    if len(key) == 3 and key[0] in NAMED_SECRETS and key[2] == "secret":
        variable = secret_variable(*key[:2])
        return (
            f"it does not belong in this file: move it to the environment or to .env as {variable}, and make"
            " another one if the file was ever committed."
        )
    return _MOVE_IT


def read_text(path: Path, shown: str) -> str:
    """Return the text of a file, without the mark that some editors put first; raises SettingsError."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise SettingsError(
            f"{shown} does not exist; create it, or leave it out to start with the defaults."
        ) from None
    except IsADirectoryError:
        raise SettingsError(f"{shown} is a folder; name a file.") from None
    except ValueError:
        raise SettingsError(f"{shown} is not the name of a file.") from None
    except OSError as error:
        raise SettingsError(f"{shown} cannot be read ({error.strerror}); check its permissions.") from None
    if len(raw) > FILE_BYTES_MAX:
        raise SettingsError(
            f"{shown} is larger than {FILE_BYTES_MAX // 1024} KB; that cannot be a list of settings."
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{shown} line {line} is not UTF-8; save the file as UTF-8 text.") from None


def _table_path(name: str, known: list[KeyPath], tree: dict[str, Any]) -> KeyPath | None:
    """Read SEAWALL_PROVIDERS__NAME__KEY and SEAWALL_PRICES__MODEL__KEY."""
    for section, placeholder in NAMED_BY.items():
        start = f"{PREFIX}{section.upper()}__"
        if not name.startswith(start):
            continue
        spelled, _, key = name[len(start) :].rpartition("__")
        if spelled and (section, placeholder, key.lower()) in known:
            return section, _meant(name, spelled, _names(section, tree)), key.lower()
    return None


def _nearest(name: str, candidates: list[str]) -> str:
    """Suggest a variable, comparing what follows the prefix; SEAWALL_PORT means SEAWALL_SERVER_PORT."""
    short = name.removeprefix(PREFIX)
    same_ending = [candidate for candidate in candidates if candidate.endswith(f"_{short}")]
    if same_ending:
        return f"; did you mean {same_ending[0]}?"
    return suggest(short, [candidate.removeprefix(PREFIX) for candidate in candidates], prefix=PREFIX)


def _table_names(name: str, known: list[KeyPath]) -> list[str]:
    """List what a variable that begins like one of a table could have been meant to be."""
    section, _, rest = name.removeprefix(PREFIX).partition("__")
    spelled = rest.rpartition("__")[0]
    return [
        f"{PREFIX}{section}__{spelled}__{path[2].upper()}"
        for path in known
        if len(path) == 3 and path[0].upper() == section and spelled
    ]


def _meant(variable: str, spelled: str, names: list[str]) -> str:
    """Find the name that is meant: variables know neither case nor dots and dashes."""
    if spelled in names:
        return spelled
    near = sorted({name for name in names if re.sub(r"[^A-Za-z0-9]", "_", name).upper() == spelled.upper()})
    if len(near) > 1:
        raise SettingsError(
            f"environment {variable} could mean {' or '.join(near)}; state it in the file instead."
        )
    return near[0] if near else spelled.lower()


def _names(section: str, tree: dict[str, Any]) -> list[str]:
    """List the names that the file uses: of providers, or of models with a price or a provider."""
    stated = tree.get(section)
    names = list(stated) if isinstance(stated, dict) else []
    providers = tree.get("providers")
    if section == "prices" and isinstance(providers, dict):
        for provider in providers.values():
            models = provider.get("models") if isinstance(provider, dict) else None
            names += [model for model in models if isinstance(model, str)] if isinstance(models, list) else []
    return names


def _put(layer: Layer, path: KeyPath, value: object, origin: str) -> None:
    section = layer.tree
    for part in path[:-1]:
        section = section.setdefault(part, {})
    section[path[-1]] = value
    layer.origins[path] = origin


def _at(tree: dict[str, Any], path: KeyPath) -> object:
    value: Any = tree
    for part in path:
        value = value[part]
    return value
