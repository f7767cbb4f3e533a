#!/usr/bin/env python3
"""Write docs/settings.md from the settings themselves; with --check only say whether it is up to date."""

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from seawall.settings import Described, describe_settings
from seawall.settings.description import section_help
from seawall.settings.schema import Settings
from seawall.settings.sources import VARIABLES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

INTRO = """\
# Settings

<!-- Written by scripts/build_settings_docs.py from src/seawall/settings; change the help texts there. -->

Nothing has to be set: `seawall serve` starts with safe defaults. `seawall doctor` prints the value of each
setting that is in force and where it came from.

## Where settings come from

The strongest first; each setting is taken from the first place that states it:

1. the command line: `seawall serve --host H --port P --data DIR`
2. environment variables
3. a `.env` file in the working directory
4. the configuration file: `--config FILE`, else the file that `SEAWALL_CONFIG` names, else `seawall.toml`
   in the working directory
5. defaults, some of which depend on the [stage](#stage)

In the file an unknown name is an error, but for the section `[check]`, which is the
[audit's](#the-audit). A variable that begins with `SEAWALL_` and is no setting has no
effect, and `seawall serve` and `seawall doctor` say so. An empty variable counts as not set. For the tables
`[providers.NAME]` and `[prices."MODEL"]` the variables spell the name in capitals, with `_` for every dot and
dash.

Amounts of money are best written as text (`"5.00"`); times and sizes are numbers with their unit in the name.

## Keys

Keys never stand in the configuration file; one that is found there is an error. They come from the
environment, from `.env`, or from a folder with one file for each secret. A provider's `api_key_env` names its
variable.

## Variables that are not settings
"""

EXAMPLE = """\
## Example

```toml
stage = "poc"

[budget]
daily_usd = "5.00"
monthly_usd = "50.00"

[providers.mock]
kind = "openai"
base_url = "http://127.0.0.1:9900/v1"
api_key_env = "MOCK_API_KEY"
models = ["fake-gpt", "fake-embed"]

[prices."fake-gpt"]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
max_output_tokens = 4096
context_tokens = 128000
```
"""

AUDIT = """\
## The audit

The section `[check]` belongs to [`seawall check`](check.md), which reads it in the folder that it audits; the
gateway takes no notice of it.

| Setting | What it says |
|---|---|
| `stage` | the stage of the audit, where it differs from the gateway's own `stage` |
| `history` | false leaves the history out, as `--no-history` does |
| `select`, `ignore` | lists of [rules](rules/README.md) or groups, as in the options of these names |
| `exclude` | patterns of [files that are left out](check.md#life-with-findings), at most 100 |
| `baseline` | another name for `seawall-baseline.json` |
| `manual` | what you vouch for, with who and when: [answering by hand](checklist.md#answering-by-hand) |
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
    print("docs/settings.md is out of date: run python scripts/build_settings_docs.py", file=sys.stderr)
    return 1


def render() -> str:
    """Return the whole page."""
    return "\n".join([INTRO, *_variables(), EXAMPLE, *_sections(), AUDIT])


def _variables() -> Iterator[str]:
    for name, text in VARIABLES.items():
        yield f"### `{name}`\n\n{text}\n"


def _sections() -> Iterator[str]:
    helps = section_help(Settings)
    for section, settings in groupby(describe_settings(), key=lambda setting: setting.section):
        yield f"## `[{section}]`\n\n{helps[section]}\n" if section else "## At the top of the file\n"
        for setting in settings:
            yield _setting(setting)


def _setting(setting: Described) -> str:
    dotted = f"{setting.section}.{setting.name}" if setting.section else setting.name
    unit = f"\n- Unit: {setting.unit}" if setting.unit else ""
    names = " or ".join(f"`{name}`" for name in setting.env_names)
    return (
        f"### `{dotted}`\n\n{setting.help}\n\n"
        f"- Type: {setting.type_text}{unit}\n- Default: {setting.default_text}\n- Environment: {names}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
