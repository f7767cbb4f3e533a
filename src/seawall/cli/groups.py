"""Groups of commands that show something where no command is named."""

from typing import Any

from typer.core import TyperGroup


class ShowGroup(TyperGroup):
    """Takes `seawall prices MODEL` for `seawall prices show MODEL`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command there where it is left out."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)
