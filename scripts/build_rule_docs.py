#!/usr/bin/env python3
"""Write docs/rules from the catalogue of the audit; with --check only say whether it is up to date."""

import argparse
import sys
from pathlib import Path

from seawall.check.catalogue import GROUPS, Rule, rules
from seawall.check.formats.pages import page, tag_links

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
SOURCE = "src/seawall/check/rules.toml"
NOTE = f"<!-- Written by scripts/build_rule_docs.py from {SOURCE}; change the texts there. -->"
HEADINGS = {
    "secrets": "Secrets",
    "ai": "Calls to models",
    "web": "The web around them",
    "stage": "The stage",
}


def main() -> int:
    """Write or check the pages; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if a page is out of date"
    )
    pages = {"README.md": render_list(), **{f"{of.id}.md": render(of) for of in rules().values()}}
    if not parser.parse_args().check:
        FOLDER.mkdir(exist_ok=True)
        for name, text in pages.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    if found == pages:
        return 0
    print("docs/rules is out of date: run python scripts/build_rule_docs.py", file=sys.stderr)
    return 1


def render(of: Rule) -> str:
    """Return the page of a rule."""
    tags = f"- Others call it: {', '.join(tag_links(of))}\n" if tag_links(of) else ""
    return (
        f"# `{of.id}`\n\n{NOTE}\n\n**{of.title}**\n\n- Severity: {of.severity.value}\n{tags}"
        f"- Group: [{of.group}](README.md)\n\n{page(of)}\n"
        "## Ignore it\n\nWhere it is right as it is, say why on the line or the line above it:\n\n"
        f"```text\n# seawall: ignore[{of.id}] the reason\n```\n\n"
        f"More ways: [life with findings](../check.md#life-with-findings).\n"
    )


def render_list() -> str:
    """Return the page that lists all rules."""
    intro = (
        f"What [`seawall check`](../check.md) looks for: {len(rules())} rules in four groups. The name\n"
        "of a rule is its category in [JSON](../schemas/check-1.json), too. `--select` and `--ignore` take\n"
        "rules and groups. A severity is that of the usual case: some rules are stricter or milder where it\n"
        "matters, and each finding says how sure it is."
    )
    return "\n\n".join(("# Rules", NOTE, intro, *map(_group, GROUPS))) + "\n"


def _group(group: str) -> str:
    rows = "".join(
        f"| [`{of.id}`]({of.id}.md) | {of.severity.value} | {of.title} |\n"
        for of in rules().values()
        if of.group == group
    )
    head = "| Rule | Severity | What it means |\n|---|---|---|\n"
    return f"## {HEADINGS[group]}\n\nGroup `{group}`.\n\n{head}{rows}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
