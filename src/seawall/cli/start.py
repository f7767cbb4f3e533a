"""Where the program begins: `check` starts without what the other commands need."""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["check"]:
        from seawall.cli.check import run

        sys.exit(run(sys.argv[2:]))
    from seawall.cli.main import main as run_commands

    run_commands()
