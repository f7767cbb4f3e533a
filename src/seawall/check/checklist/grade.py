"""The grade: one letter from the rows of the stage, and never from the number of findings.

| Grade | When |
|---|---|
| F | a row fails that leaks a secret, opens a paid model to anybody, or lets others run code or queries |
| D | another row fails that is never skipped |
| C | more than a third of the other required rows fail |
| B | some of them fail, or more than two thirds of them wait for an answer or are half done |
| A | none of that |

Only rows that apply count. At the stage poc nothing but the never-skip rows is required, so a weekend app
without a leak is an A; the same app is asked for more at the next stage.
"""

from collections.abc import Iterable

from seawall.check.report import Row, State

FATAL = frozenset(
    ("secrets-in-code", "secrets-in-history", "env-file", "browser-keys", "llm-endpoints", "sql", "commands")
)
"""Rows whose failure lets a stranger spend the money, take the data, or own the server, today."""


def grade(rows: Iterable[Row]) -> str:
    """Return "A" to "F" for the rows of a checklist; the table above is the whole formula."""
    asked = [row for row in rows if row.state is not State.NOT_APPLICABLE]
    broken = {row.row for row in asked if row.never_skip and row.state is State.FAIL}
    if broken & FATAL:
        return "F"
    if broken:
        return "D"
    required = [row for row in asked if row.required and not row.never_skip]
    failing = sum(row.state is State.FAIL for row in required)
    open_rows = sum(row.state in (State.WARN, State.MANUAL, State.UNKNOWN) for row in required)
    if failing * 3 > len(required):
        return "C"
    if failing or open_rows * 3 > 2 * len(required):
        return "B"
    return "A"


def reason(rows: Iterable[Row]) -> str:
    """Say in one sentence what decided the grade."""
    asked = [row for row in rows if row.state is not State.NOT_APPLICABLE]
    broken = [row for row in asked if row.never_skip and row.state is State.FAIL]
    if broken:
        worst = min(broken, key=lambda row: row.row not in FATAL)
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        return f'Never skipped, and it fails: "{worst.title}"{more}.'
    required = [row for row in asked if row.required and not row.never_skip]
    failing = [row for row in required if row.state is State.FAIL]
    if failing:
        return f'{len(failing)} of {len(required)} required rows fail, first: "{failing[0].title}".'
    open_rows = sum(row.state in (State.WARN, State.MANUAL, State.UNKNOWN) for row in required)
    if open_rows:
        return f"Nothing fails that this stage requires; {open_rows} of {len(required)} rows wait for you."
    return "Nothing is missing that this stage requires."
