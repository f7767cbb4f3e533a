"""What the guard adds to a call: gateways side by side, each with another part of it on, loaded in turns.

    python benchmarks/guard_calls.py [--rounds 5] [--secs 2.5] [--source FOLDER ...]

`--source` are folders with the package, such as `src` of another worktree, to compare with this one.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import gateways
import msgspec
from gateways import OTHER_CORE, Gateway, on_core, provider_on, seawall

SETTLING_S = 0.4
WARMING_S = 1.5
_NO_ANSWER = 'output_leak = "allow"\noutput_secrets = "allow"\noutput_markup = "allow"\n'
_NO_QUESTION = 'input_injection = "allow"\ninput_secrets = "allow"\n'
SETTINGS = {
    "off": '[guard]\nmode = "off"\n',
    "what is asked": f"[guard]\n{_NO_ANSWER}",
    "the answer": f"[guard]\n{_NO_QUESTION}",
    "both": "[guard]\n",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--secs", type=float, default=2.5)
    parser.add_argument("--source", type=Path, action="append", default=[])
    options = parser.parse_args()
    sources = [gateways.SOURCE, *map(Path.resolve, options.source)]
    with ExitStack() as stack:
        provider = stack.enter_context(provider_on(OTHER_CORE))
        started: dict[str, Gateway] = {}
        for number, gateways.SOURCE in enumerate(sources):
            for name, settings in SETTINGS.items():
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                gateway = stack.enter_context(seawall(provider.root, folder, settings))
                started[f"{name}, {sources[number].parent.name}"] = gateway
        for gateway in started.values():
            cpu_us_of_a_call(gateway, WARMING_S)
        taken: dict[str, list[float]] = {name: [] for name in started}
        for turn in range(options.rounds):
            for name in sorted(started, reverse=bool(turn % 2)):
                taken[name].append(cpu_us_of_a_call(started[name], options.secs))
    for name, each in taken.items():
        print(f"{name:<32} {median(each):6.0f} us   {' '.join(f'{us:.0f}' for us in each)}")


def cpu_us_of_a_call(gateway: Gateway, secs: float) -> float:
    """Return the CPU time of a gateway for a new call of 1 KB, of 32 connections."""
    load = Path(__file__).with_name("loadgen.py")
    command = [sys.executable, str(load), "--url", gateway.url, "--key", gateway.key, "--user", "bench"]
    before = gateway.cpu_s()
    with on_core(OTHER_CORE):
        run = subprocess.run([*command, "--secs", str(secs)], capture_output=True, check=True)
    row = msgspec.json.decode(run.stdout)
    if row["bad"] or not row["ok"]:
        raise SystemExit(f"wrong answers: {row['first_bad']}")
    time.sleep(SETTLING_S)
    return (gateway.cpu_s() - before) / int(row["ok"]) * 1e6


if __name__ == "__main__":
    main()
