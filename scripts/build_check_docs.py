#!/usr/bin/env python3
"""Write docs/checklist.md from the rows themselves; with --check only say whether it is up to date."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from seawall.check.checklist.definitions import Definition, definitions
from seawall.check.checklist.grade import FATAL
from seawall.check.checklist.too_early import Machinery, machinery
from seawall.core.stages import Stage

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checklist.md"

NAMES = {
    "any": "", "python": "Python", "javascript": "JavaScript", "fastapi": "FastAPI", "flask": "Flask",
    "django": "Django", "nextjs": "Next.js", "express": "Express", "fastify": "Fastify", "hono": "Hono",
    "nestjs": "NestJS", "streamlit": "Streamlit", "gradio": "Gradio", "react": "React", "vue": "Vue",
    "vite": "Vite", "expo": "Expo", "supabase": "Supabase", "render": "Render", "fly": "Fly",
}  # fmt: skip
"""How people write the names that `how` in rows.toml uses."""

TITLES = {
    Stage.POC: "From the first minute: never skip",
    Stage.MVP: "mvp: 1-100 users, do people want it?",
    Stage.ALPHA: "alpha: hundreds of users, is it stable?",
    Stage.BETA: "beta: thousands of users, is it polished?",
    Stage.PRODUCTION: "production: people rely on it",
}

INTRO = """\
# The checklist

<!-- Written by scripts/build_check_docs.py from src/seawall/check/checklist: change the texts there. -->

`seawall check` ends with the checklist of your stage: what an app of this size must have, what is there,
and where that was seen. A stage asks for its own rows and for those of the stages before it; some rows are
shown one stage before they count, so that nothing comes as a surprise. `seawall check --stage beta` looks
ahead.

| State | What it means |
|---|---|
| pass | it was seen, at the place that is named |
| fail | it was looked for and is not there |
| warn | half of it is there, such as a package that nothing starts, or an answer that has grown old |
| not applicable | your app has nothing of the kind: no database, no page, no model call |
| unknown | it could not be looked at this time |
| manual | only you can know; see [below](#answering-by-hand) |

A row never passes because a package is installed: an error tracker must be started, a limit applied to a
route, a test must assert something about your own code.

## The grade

One letter, from the rows and never from the number of findings:

| Grade | When |
|---|---|
| F | one of these fails, by which a secret leaks or strangers spend, run code or read data: {fatal} |
| D | another row fails that is never skipped |
| C | more than a third of the other rows fail that the stage requires |
| B | some of them fail, or more than two thirds of them wait for an answer or are half done |
| A | none of that |

Rows that do not apply do not count. At the stage poc only the never-skip rows are required, so a weekend
app without a leak is an A; at the next stage the same app is asked for more.

## Answering by hand

What cannot be seen in a repository is answered in `seawall.toml`, with who and when. The gateway takes no
notice of this section.

```toml
[check]
stage = "mvp"               # only where it differs from the gateway's own `stage`

[check.manual]
provider-limit = {{ by = "Ana", at = 2026-11-20, note = "$20 a month at OpenAI, mail at 50 %" }}
watched-someone = {{ by = "Ana", at = 2026-11-14, note = "Ben, ten minutes, got stuck at the upload" }}
```

An answer grows old: after the days that its row names it warns, so that somebody looks again. It never
outweighs a finding of a row that is never skipped.

What else `[check]` takes is in [settings](settings.md#the-audit).
"""

EARLY = """\
## What can be too early

The list also names what is there and not needed yet. These are notes: they change neither the grade nor the
exit code. The thresholds are rules of thumb; what your app measures of itself overrides them.

| What | Noted up to | It becomes right with | Until then |
|---|---|---|---|
"""


def main() -> int:
    """Write or check the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if the page is out of date"
    )
    page = render()
    if not parser.parse_args().check:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print("docs/checklist.md is out of date: run python scripts/build_check_docs.py", file=sys.stderr)
    return 1


def render() -> str:
    """Return the whole page."""
    fatal = ", ".join(f"`{row}`" for row in definitions() if row in FATAL)
    early = EARLY + "".join(_early(each) for each in machinery())
    return "\n".join([INTRO.format(fatal=fatal), *_sections(), early])


def _sections() -> Iterator[str]:
    for stage, title in TITLES.items():
        yield f"## {title}\n"
        for row in definitions().values():
            if row.required is stage:
                yield _row(row)


def _row(row: Definition) -> str:
    lines = [f"### `{row.id}`\n\n**{row.title}.** {row.why} {row.not_before}\n"]
    since = "" if row.shown is row.required else f", shown from {row.shown}"
    by_hand = f"; can be answered by hand, for {row.days} days" if row.answer else ""
    lines.append(f"- Required: from {row.required}{since}{by_hand}")
    if row.rules:
        lines.append(f"- Findings: {', '.join(f'[`{rule}`](rules/{rule}.md)' for rule in row.rules)}")
    lines.append(f"- Judged: {row.judged}")
    for name, text in row.how.items():
        lines.append(f"- How{f', {NAMES[name]}' if NAMES[name] else ''}: {text}")
    if row.seawall:
        lines.append(f"- Seawall: {row.seawall}")
    return "\n".join(lines) + "\n"


def _early(thing: Machinery) -> str:
    return f"| {thing.name} | {thing.until} | {thing.right_when} | {thing.instead} |\n"


if __name__ == "__main__":
    sys.exit(main())
