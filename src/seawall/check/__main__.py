"""`python -m seawall.check`: the command `seawall check` by itself."""

import sys

from seawall.cli.check import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], "python -m seawall.check"))
