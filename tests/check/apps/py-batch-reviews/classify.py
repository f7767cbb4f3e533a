"""Sort product reviews into topics, with Claude, resuming where the last run stopped."""
import argparse
import csv
import logging
import os
import subprocess
import time
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anthropic

from db import Database

log = logging.getLogger("classify")
TOPICS = ["delivery", "quality", "price", "service", "other"]
OPERATIONS = {"mean": "AVG(score)", "worst": "MIN(score)", "best": "MAX(score)"}
PROMPT = "Which topic is this review about? Answer with one word of: {topics}.\n\n<review>{review}</review>"
BUDGET_CALLS = int(os.environ.get("MAX_CALLS", "5000"))


def topic_of(client: anthropic.Anthropic, review: str) -> str:
    for attempt in range(4):
        try:
            message = client.messages.create(
                model="claude-haiku-4-5",
                max_tokens=10,
                messages=[{"role": "user", "content": PROMPT.format(topics=", ".join(TOPICS), review=review[:2000])}],
            )
            word = message.content[0].text.strip().lower()
            return word if word in TOPICS else "other"
        except anthropic.RateLimitError:
            time.sleep(2**attempt)
    return "other"


def classify_all(database: Database, workers: int) -> int:
    client = anthropic.Anthropic()
    done = 0
    while done < BUDGET_CALLS:
        batch = database.unclassified(limit=100)
        if not batch:
            break
        with ThreadPoolExecutor(workers) as pool:
            topics = list(pool.map(lambda row: topic_of(client, row[1]), batch))
        database.save([(topic, row[0]) for topic, row in zip(topics, batch)])
        done += len(batch)
        log.info("%s reviews classified", done)
    return done


def load(database: Database, path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tags = literal_eval(row["tags"]) if row.get("tags") else []
            database.add(row["text"], int(row["score"]), ",".join(tags))


def report(database: Database, kind: str, out: Path) -> None:
    lines = [f"{topic}: {value:.2f}" for topic, value in database.by_topic(OPERATIONS[kind])]
    out.write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(["open" if os.uname().sysname == "Darwin" else "xdg-open", str(out)], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path, nargs="?")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--report", choices=sorted(OPERATIONS))
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if args.verbose else logging.INFO)
    database = Database(Path("reviews.sqlite"))
    if args.csv:
        load(database, args.csv)
    log.info("key is %s", "set" if os.environ.get("ANTHROPIC_API_KEY") else "missing")
    classify_all(database, args.workers)
    if args.report:
        report(database, args.report, Path("report.txt"))


if __name__ == "__main__":
    main()
