"""How a report is written down; each format is a pure function from the report to a text."""

from collections.abc import Callable

from seawall.check.report import Report

Format = Callable[[Report], str]

NAMES = ("terminal", "json", "sarif", "github", "markdown", "html")


def writer(name: str) -> Format:
    """Return the function that writes a report in a format, with its usual choices; raises KeyError."""
    from importlib import import_module  # noqa: PLC0415 - each format is read when it is used

    if name not in NAMES:
        raise KeyError(name)
    made: Format = import_module(f"seawall.check.formats.{name}").render
    return made
