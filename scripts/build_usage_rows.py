"""Record what real usage objects cost, in genai-prices' own reckoning, for tests/unit/test_usage_prices.py.

Run it after scripts/build_prices.py, with genai-prices' test data (MIT) as JSON Lines, gzipped or not, each
line with the `body` of an answer:

    python scripts/build_usage_rows.py usage_prices.jsonl.gz

For every body and every way in which genai-prices reads it for a vendor of ours, the total is kept as an
exact decimal of dollars. Bodies that say the same of the same model are kept once.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import types as genai
from genai_prices.data import providers

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "src" / "seawall" / "providers" / "prices.json"
TARGET = ROOT / "tests" / "wire" / "recorded" / "usage" / "prices.json"

DEAR_HOUR = time(2)
"""When the hours of every vendor are dear: the hour that the table is compiled for."""


def main() -> int:
    """Write the rows and say how many there are of each kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--commit", default="47df840", help="of genai-prices, where the bodies are from")
    options = parser.parse_args()
    raw = options.bodies.read_bytes()
    text = gzip.decompress(raw) if options.bodies.suffix == ".gz" else raw
    bodies = [json.loads(line)["body"] for line in text.splitlines() if line.strip()]
    table = json.loads(TABLE.read_bytes())
    day = date.fromisoformat(table["as_of"])
    rows, outside = gather(bodies, {*table["vendors"]}, datetime.combine(day, DEAR_HOUR, UTC))
    release = version("genai-prices")
    kept = {
        "source": f"test data of genai-prices (MIT), commit {options.commit}; totals by {release}",
        "as_of": day.isoformat(),
        "outside": dict(sorted(outside.items())),
        "rows": list(rows.values()),
    }
    out = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(out.replace('{"priced"', '\n{"priced"') + "\n", encoding="utf-8")
    priced = sum(len(row["priced"]) for row in rows.values())
    print(f"{len(bodies)} bodies, {len(rows)} rows, {priced} prices; outside: {sum(outside.values())}")
    return 0


def gather(
    bodies: list[dict[str, Any]], vendors: set[str], at: datetime
) -> tuple[dict[str, dict[str, Any]], Counter[str]]:
    """Return the rows by what they say, and how many prices are of vendors that the table does not have.

    A row is `{"usage", "model", "priced"}`, and each price `[vendor, flavour, dollars]`.
    """
    rows: dict[str, dict[str, Any]] = {}
    outside: Counter[str] = Counter()
    for body in bodies:
        priced, model = [], None
        for provider in providers:
            for extractor in provider.extractors or ():
                name, total = price(provider, extractor.api_flavor, body, at)
                if total is None:
                    continue
                if provider.id not in vendors:
                    outside[f"{provider.id} {extractor.api_flavor}"] += 1
                    continue
                model = name
                priced.append([provider.id, extractor.api_flavor, total])
        if priced:
            usage = body.get("usage", body.get("usageMetadata"))
            rows[json.dumps([usage, model], sort_keys=True)] = {
                "usage": usage, "model": model, "priced": priced,
            }  # fmt: skip
    return rows, outside


def price(
    provider: genai.Provider, flavour: str, body: dict[str, Any], at: datetime
) -> tuple[str | None, str | None]:
    """Return the model that a body names and what it costs in dollars, `None` where that is not known."""
    try:
        name, usage = provider.extract_usage(body, api_flavor=flavour)
    except ValueError:
        return None, None
    model = provider.find_model(name, all_providers=providers) if name else None
    if model is None:
        return name, None
    total = model.calc_price(usage, provider, genai_request_timestamp=at).total_price
    return name, format(total, "f")


if __name__ == "__main__":
    sys.exit(main())
