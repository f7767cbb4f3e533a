"""Charts as SVG that stands in a page: columns, lines and bars with axes, labels, and a table of the same.

Invariant: every name is escaped here. A chart is drawn 440 wide and scales with the page, so that its labels
can be read on a phone.
"""

from collections.abc import Callable, Sequence
from html import escape

from msgspec import Struct

from seawall.advice.report.report import Row

WIDTH, HEIGHT = 440, 210
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 12, 26
ROW_HEIGHT = 40
LABELS_MAX = 6
NAME_CHARS = 44
STEPS = (1, 2, 5, 10)
TICKS = 4

Write = Callable[[int], str]


class Chart(Struct, frozen=True):
    """What is drawn: rows under a title; `id` is that of the element, `says` what can be seen in it.

    `write` turns a value into text, `of` names what the rows stand for and `unit` what is counted.
    """

    id: str
    title: str
    says: str
    rows: Sequence[Row]
    write: Write
    of: str
    unit: str
    step: int = 1


def columns(chart: Chart) -> str:
    """Draw one column for each row."""
    top, wide = _top(chart), (WIDTH - LEFT - RIGHT) / len(chart.rows)
    drawn = []
    for place, row in enumerate(chart.rows):
        x, y = LEFT + place * wide, _y(row.value, top)
        if row.value:
            drawn.append(
                f'<rect class="mark" x="{x + wide * 0.12:.1f}" y="{y:.1f}" width="{wide * 0.76:.1f}" '
                f'height="{max(1.0, HEIGHT - BOTTOM - y):.1f}">{_told(chart, row)}</rect>\n'
            )
    return _figure(chart, _axes(chart, top, wide) + "".join(drawn), HEIGHT)


def line(chart: Chart) -> str:
    """Draw a line through the rows, with a dot for each."""
    top, wide = _top(chart), (WIDTH - LEFT - RIGHT) / len(chart.rows)
    dots = [(LEFT + (place + 0.5) * wide, _y(row.value, top)) for place, row in enumerate(chart.rows)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    drawn = f'<polyline class="path" points="{path}"/>\n' + "".join(
        f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="3">{_told(chart, row)}</circle>\n'
        for (x, y), row in zip(dots, chart.rows, strict=True)
    )
    return _figure(chart, _axes(chart, top, wide) + drawn, HEIGHT)


def bars(chart: Chart) -> str:
    """Draw one bar for each row, its name above it: for names that are long."""
    most = max(row.value for row in chart.rows) or 1
    drawn = []
    for place, row in enumerate(chart.rows):
        y, wide = place * ROW_HEIGHT, row.value * WIDTH / most
        drawn.append(
            f'<text class="name" x="0" y="{y + 15}">{escape(_short(row.name))}</text>\n'
            f'<text class="amount" x="{WIDTH}" y="{y + 15}" text-anchor="end">'
            f"{escape(chart.write(row.value))}</text>\n"
            f'<rect class="track" x="0" y="{y + 21}" width="{WIDTH}" height="9" rx="2"/>\n'
            f'<rect class="mark" x="0" y="{y + 21}" width="{wide:.1f}" height="9" rx="2">'
            f"{_told(chart, row)}</rect>\n"
        )
    return _figure(chart, "".join(drawn), len(chart.rows) * ROW_HEIGHT)


def _figure(chart: Chart, inner: str, height: int) -> str:
    name = escape(chart.id)
    return (
        f'<figure>\n<figcaption id="{name}">{escape(chart.title)}</figcaption>\n'
        f'<p class="small" id="{name}-says">{escape(chart.says)}</p>\n'
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name} {name}-says">\n'
        f"{inner}</svg>\n"
        f"{_table(chart)}</figure>\n"
    )


def _table(chart: Chart) -> str:
    rows = "".join(
        f"<tr><td>{escape(row.name)}</td><td>{escape(chart.write(row.value))}</td></tr>\n"
        for row in chart.rows
    )
    return (
        "<details>\n<summary>As a table</summary>\n<table>\n"
        f"<thead><tr><th>{escape(chart.of)}</th><th>{escape(chart.unit)}</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table>\n</details>\n"
    )


def _axes(chart: Chart, top: int, wide: float) -> str:
    """Draw lines at round values, and names below as far as there is room."""
    drawn = []
    for part in range(TICKS + 1):
        value = top * part // TICKS
        y = _y(value, top)
        drawn.append(
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>\n'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(chart.write(value))}</text>\n'
        )
    count = len(chart.rows)
    every = -(-count // LABELS_MAX)
    drawn += [
        f'<text x="{LEFT + (place + 0.5) * wide:.1f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(_brief(row.name))}</text>\n"
        for place, row in enumerate(chart.rows)
        if place % every == 0
    ]
    return "".join(drawn)


def _top(chart: Chart) -> int:
    """Return the value at the top: the least round one, in whole steps, that nothing passes."""
    most = max(row.value for row in chart.rows)
    size = chart.step * TICKS
    while size < most:
        size = next((size * each for each in STEPS if size * each >= most), size * STEPS[-1])
    return size


def _y(value: int, top: int) -> float:
    return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM) / top


def _told(chart: Chart, row: Row) -> str:
    return f"<title>{escape(f'{row.name}: {chart.write(row.value)}')}</title>"


def _brief(name: str) -> str:
    """Write a day without its year; there is little room below a column."""
    return name[5:] if len(name) == 10 and name[4] == name[7] == "-" else name


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARS else f"{name[: NAME_CHARS - 1]}…"
