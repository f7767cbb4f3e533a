"""`python -m seawall.check`: the command `seawall check` by itself."""

import typer

from seawall.cli.check import check

if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command("check")(check)
    app(prog_name="python -m seawall.check")
