"""Measure Seawall next to a plain proxy (and nginx, if there is one) in front of a fake provider.

    python benchmarks/run.py [--quick] [--json FILE]

See README.md for what the figures mean.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
from gateways import (
    OTHER_CORE,
    Gateway,
    Start,
    environment,
    has_nginx,
    nginx,
    on_core,
    plain_proxy,
    provider_on,
    seawall,
)

SETTLING_S = 0.3
"""What is done behind the answers (settling, logging) belongs to the call: this long is waited for it."""

OURS = "seawall"
USER = ("--user", "bench")
"""Names an end user and its address, so that every limit and quota is in the way."""
LIMITED = ("--model", "limited", "--expect", "429")
"""A model of which the key may have one call a day; the load before the rounds uses it up."""
Row = dict[str, Any]
NONE: Row = {"cpu_s": 0.0, "events": 0, "ok": 0, "latency_p50_us": 0}
"""What a gateway that cannot do this has done there."""


class Phase(NamedTuple):
    """One kind of load: what the load generator is told, and for how many seconds in each round."""

    name: str
    options: tuple[str, ...]
    secs: float
    is_ours: bool = False
    """Only for a gateway that can do this at all: translate, answer from a cache, refuse."""


class Plan(NamedTuple):
    """How long and how often everything is measured."""

    rounds: int
    phases: tuple[Phase, ...]
    starts: int
    held_streams: int
    held_s: float


def plan_of(*, quick: bool) -> Plan:
    """Return the full plan, or one that takes a minute and is only good for orders of magnitude."""
    secs = 1.5 if quick else 4.0
    stream = ("--stream", "--conns", "40", "--max-tokens", "128")
    return Plan(
        rounds=1 if quick else 5,
        phases=(
            Phase("call", ("--conns", "32", *USER), secs),
            Phase("alone", ("--conns", "1", *USER), secs / 2),
            Phase("hit", ("--conns", "32", "--same", *USER), secs / 2, True),
            Phase("hitalone", ("--conns", "1", "--same", *USER), secs / 4, True),
            Phase("refused", ("--conns", "32", *LIMITED, *USER), secs / 2, True),
            Phase("paced", (*stream, "--mock", "s50-g40-at", "--ramp", "1"), 2 * secs + 1),
            Phase("flood", (*stream, "--mock", "s100-at"), secs),
            Phase("told", (*stream, "--model", "fake-claude-s50-g40", "--ramp", "1"), 2 * secs + 1, True),
            Phase("tellall", (*stream, "--model", "fake-claude-s100"), secs, True),
        ),
        starts=1 if quick else 5,
        held_streams=500,
        held_s=5.0 if quick else 8.0,
    )


def main() -> int:
    """Run the plan and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--only", help="names of gateways, separated by commas", default="plain proxy,seawall,nginx"
    )
    options = parser.parse_args()
    plan = plan_of(quick=options.quick)
    wanted = options.only.split(",")
    starts: dict[str, Start] = {
        "plain proxy": plain_proxy,
        "seawall": seawall,
        **({"nginx": nginx} if has_nginx() else {}),
    }
    starts = {name: start for name, start in starts.items() if name in wanted}
    figures = measure(plan, starts)
    print(table(figures))
    bad = [f"{name} {why}" for name, rows in figures.items() for why in rows["failures"]]
    print(*bad, sep="\n", end="\n" if bad else "")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 1 if bad else 0


def measure(plan: Plan, starts: Mapping[str, Start]) -> dict[str, Row]:
    """Measure all gateways; loads are interleaved round by round, so that noise meets all of them alike."""
    rounds: dict[str, dict[str, list[Row]]] = {name: {} for name in (*starts, "no gateway")}
    once: dict[str, Row] = {}
    with provider_on(OTHER_CORE) as provider, ExitStack() as stack:
        for name, start in starts.items():
            once[name] = {"start_s": first_answers(start, provider.root, plan.starts)}
            once[name]["stream_kb"] = held_stream_kb(start, provider.root, plan)
            say(f"{name}: starts {once[name]['start_s']}, {once[name]['stream_kb']:.1f} KiB a stream")
        running = [stack.enter_context(fresh(start, provider.root)) for start in starts.values()]
        for gateway in running:
            once[gateway.name]["idle_kb"] = gateway.rss_kb()
            load(gateway, ("--conns", "8"), 1.0)
            load(gateway, ("--conns", "1", *LIMITED, *USER), 0.2)
        for number in range(plan.rounds):
            for phase in plan.phases:
                for gateway in [*running, *([provider] if phase.name == "alone" else [])]:
                    if phase.is_ours and gateway.name != OURS:
                        continue
                    row = load(gateway, phase.options, phase.secs)
                    rounds[gateway.name].setdefault(phase.name, []).append(row)
                    say(f"round {number + 1} {phase.name:7} {gateway.name:12} {brief(row)}")
        for gateway in running:
            once[gateway.name]["busy_kb"] = gateway.rss_kb()
    return {name: summary(rounds[name], rounds["no gateway"], row) for name, row in once.items()}


def load(gateway: Gateway, options: Sequence[str], secs: float) -> Row:
    """Load one gateway from the other core; add its own CPU time to what the load generator saw."""
    before = gateway.cpu_s()
    with load_generator(gateway, options, secs) as generator:
        output, _ = generator.communicate()
    time.sleep(SETTLING_S)
    if generator.returncode:
        raise SystemExit(f"the load generator failed against {gateway.name}")
    row: Row = msgspec.json.decode(output)
    return row | {"cpu_s": gateway.cpu_s() - before}


@contextmanager
def load_generator(
    gateway: Gateway, options: Sequence[str], secs: float
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the load generator on the other core."""
    command = [sys.executable, str(Path(__file__).with_name("loadgen.py")), "--url", gateway.url]
    command += ["--key", gateway.key, "--secs", str(secs), *options]
    with on_core(OTHER_CORE):
        generator = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())
    with generator:
        yield generator


@contextmanager
def fresh(start: Start, provider: str) -> Iterator[Gateway]:
    """Run a gateway in an empty folder."""
    with (
        tempfile.TemporaryDirectory(prefix="seawall-bench-") as folder,
        start(provider, Path(folder)) as gateway,
    ):
        yield gateway


def first_answers(start: Start, provider: str, times: int) -> list[float]:
    """Start a gateway several times in an empty folder; return the seconds to its first answer."""
    found = []
    for _ in range(times + 1):
        with fresh(start, provider) as gateway:
            found.append(round(gateway.first_answer_s, 3))
    return found[1:]  # the first start may have had to compile


def held_stream_kb(start: Start, provider: str, plan: Plan) -> float:
    """Return how much a fresh gateway grows for each of many open, slow streams, in KiB."""
    options = ("--stream", "--conns", str(plan.held_streams), "--max-tokens", "4096", "--ramp", "2")
    with fresh(start, provider) as gateway:
        load(gateway, ("--conns", "8"), 1.0)
        before = peak = gateway.rss_kb()
        with load_generator(gateway, (*options, "--mock", "s4096-g1000"), plan.held_s) as generator:
            while generator.poll() is None:
                peak = max(peak, gateway.rss_kb())
                time.sleep(0.25)
            row = msgspec.json.decode(generator.communicate()[0])
    if row["open_at_end"] != plan.held_streams:
        raise SystemExit(f"only {row['open_at_end']} streams were open: {row['first_bad']}")
    return (peak - before) / plan.held_streams


def summary(rounds: Mapping[str, list[Row]], direct: Mapping[str, list[Row]], once: Row) -> Row:
    """Return the medians of one gateway."""

    def middle(phase: str, of: str) -> float:
        return float(median(row[of] for row in rounds[phase]))

    def cpu_us(phase: str, per: str) -> float:
        return float(median(row["cpu_s"] * 1e6 / max(1, row[per]) for row in rounds.get(phase, [NONE])))

    each = [row["cpu_s"] * 1e6 / max(1, row["ok"]) for row in rounds["call"]]
    alone = median(row["latency_p50_us"] for row in direct["alone"])
    return {
        "cpu_us_per_call": cpu_us("call", "ok"),
        "cpu_us_per_call_range": [min(each), max(each)],
        "calls_per_s": middle("call", "rps"),
        "cpu_us_per_hit": cpu_us("hit", "ok"),
        "cpu_us_per_refusal": cpu_us("refused", "ok"),
        "hit_p50_ms": median(row["latency_p50_us"] for row in rounds.get("hitalone", [NONE])) / 1000,
        "cpu_us_per_event_paced": cpu_us("paced", "events"),
        "cpu_us_per_event_flood": cpu_us("flood", "events"),
        "cpu_us_per_event_translated": cpu_us("told", "events"),
        "cpu_us_per_event_translated_flood": cpu_us("tellall", "events"),
        "events_per_s_flood": middle("flood", "events_s"),
        "latency_p50_ms": middle("alone", "latency_p50_us") / 1000,
        "latency_p99_ms": middle("alone", "latency_p99_us") / 1000,
        "added_p50_ms": (middle("alone", "latency_p50_us") - alone) / 1000,
        "event_lag_p50_ms": middle("paced", "lag_p50_us") / 1000,
        "event_lag_p99_ms": middle("paced", "lag_p99_us") / 1000,
        "first_answer_s": median(once["start_s"]),
        "idle_mb": once["idle_kb"] / 1024,
        "busy_mb": once["busy_kb"] / 1024,
        "kib_per_stream": once["stream_kb"],
        "failures": [
            f"{name}: {row['bad']} bad answers, the first: {row['first_bad']}"
            for name, rows in rounds.items()
            for row in rows
            if row["bad"]
        ],
    }


LINES = (
    ("CPU per 1 KB call, 32 connections, us", "cpu_us_per_call", ".0f"),
    ("calls a second, one core", "calls_per_s", ".0f"),
    ("CPU per answer from the cache, us", "cpu_us_per_hit", ".0f"),
    ("latency p50 of one, one connection, ms", "hit_p50_ms", ".2f"),
    ("CPU per rate refusal, us", "cpu_us_per_refusal", ".0f"),
    ("CPU per stream event, 40 streams x 25/s, us", "cpu_us_per_event_paced", ".0f"),
    ("CPU per stream event, saturated, us", "cpu_us_per_event_flood", ".1f"),
    ("CPU per translated event, 40 streams x 25/s, us", "cpu_us_per_event_translated", ".0f"),
    ("CPU per translated event, saturated, us", "cpu_us_per_event_translated_flood", ".1f"),
    ("events a second, saturated", "events_per_s_flood", ".0f"),
    ("latency p50, one connection, ms", "latency_p50_ms", ".2f"),
    ("latency p99, one connection, ms", "latency_p99_ms", ".2f"),
    ("  p50 added to the provider's own, ms", "added_p50_ms", ".2f"),
    ("event delay p50, ms", "event_lag_p50_ms", ".2f"),
    ("event delay p99, ms", "event_lag_p99_ms", ".2f"),
    ("start to first answer, s", "first_answer_s", ".2f"),
    ("memory after the first answer, MB", "idle_mb", ".0f"),
    ("memory after all loads, MB", "busy_mb", ".0f"),
    ("memory per open stream, KiB", "kib_per_stream", ".1f"),
)


def table(figures: Mapping[str, Row]) -> str:
    """Write the medians side by side, and the CPU of a call as a ratio to the first gateway."""
    lines = ["", f"{'':48}" + "".join(f"{name:>14}" for name in figures)]
    lines += [
        f"{label:48}" + "".join(f"{row[key]:>14{form}}" for row in figures.values())
        for label, key, form in LINES
    ]
    spread = ("{:.0f}-{:.0f}".format(*row["cpu_us_per_call_range"]) for row in figures.values())
    lines.append(
        f"{'CPU per call, lowest and highest round, us':48}" + "".join(f"{text:>14}" for text in spread)
    )
    floor = next(iter(figures.values()))["cpu_us_per_call"] or 1.0
    ratios = (row["cpu_us_per_call"] / floor for row in figures.values())
    return "\n".join(
        [*lines, f"{'CPU per call as a ratio':48}" + "".join(f"{ratio:>14.2f}" for ratio in ratios)]
    )


def brief(row: Row) -> str:
    """Say in a few words what one round gave."""
    per, of = ("event", row["events"]) if row["events"] else ("call", row["ok"])
    return f"{row['cpu_s'] * 1e6 / max(1, of):7.1f} us a {per}, {row['ok']} good, {row['bad']} bad"


def say(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
