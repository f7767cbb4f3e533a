"""The scripts that count; each is one step for the server, whoever else asks it."""

from importlib.resources import files

from msgspec import Struct

from seawall.stores.valkey.connection import Script


class Scripts(Struct, frozen=True):
    """What the counters ask for; the files beside this one say what goes in and what comes out."""

    admit: Script
    settle: Script
    places: Script
    beat: Script


def read_scripts() -> Scripts:
    """Read the scripts of this package."""
    folder = files(__package__) / "lua"

    def read(*names: str) -> Script:
        return Script.of("\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names))

    return Scripts(
        admit=read("kinds", "admit"), settle=read("kinds", "settle"), places=read("places"), beat=read("beat")
    )
