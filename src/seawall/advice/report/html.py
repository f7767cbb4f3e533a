"""A report as one page that needs nothing else, for an owner to send to a colleague.

Invariant: whatever a caller has chosen (models, users) is escaped here or in `charts`, and the page may run
and load nothing (see `_POLICY`).
"""

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from seawall.advice.report import report as made
from seawall.advice.report.charts import Chart, bars, columns, line
from seawall.advice.report.report import Part, Report, Row
from seawall.advice.words import Advice, Figure, Replayed, Step, Threshold, Verdict
from seawall.core.money import NANO, round_usd

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_KINDS = {
    Verdict.DO_NOW: "bad",
    Verdict.SIMPLE_FIRST: "fair",
    Verdict.REMOVE: "fair",
    Verdict.KEEP: "good",
    Verdict.NOT_YET: "quiet",
    Verdict.CANNOT_TELL: "plain",
}
_OPEN = (Verdict.DO_NOW, Verdict.SIMPLE_FIRST)
_CENT = NANO // 100


def render(report: Report) -> str:
    """Write a report as a page."""
    return page("seawall advise: the app in numbers", "".join(_parts(report)))


def render_advice(advice: Advice) -> str:
    """Write one piece of advice as a page of its own."""
    title = escape(advice.title)
    return page(f"seawall advise: {title}", f"<h1>{title}</h1>\n{_advice(advice, is_open=True)}")


def page(title: str, inner: str) -> str:
    """Put a page together; both texts are markup already."""
    style = files("seawall.advice.report").joinpath("page.css").read_text("utf-8")
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
    )
    return f"{head}<body>\n<main>\n{inner}</main>\n</body>\n</html>\n"


def _parts(report: Report) -> Iterator[str]:
    yield _header(report)
    if report.numbers.hours:
        yield _tiles(report)
        yield _charts(report)
    else:
        yield "<p>No call is on record yet, so there is nothing to draw.</p>\n"
    for part in report.parts:
        yield _part(part)
    yield _spenders(report)
    yield (
        "<footer>Made by seawall advise from the app's own calls. Prompts and answers are not kept, and none "
        "is in this page.</footer>\n"
    )


def _header(report: Report) -> str:
    numbers = report.numbers
    items = "".join(f"<li>{coded(line)}</li>\n" for line in report.stage_lines)
    lines = f"<ul>\n{items}</ul>\n" if items else ""
    return (
        "<header>\n<h1>The app in numbers</h1>\n"
        f'<p class="small">The {numbers.days} days to {report.at:%Y-%m-%d %H:%M} UTC'
        f" · stage {escape(numbers.setup.stage.value)}</p>\n{lines}</header>\n"
    )


def _tiles(report: Report) -> str:
    totals, users = made.totals_of(report.numbers), report.numbers.users
    days = max(1.0, report.numbers.days_seen)
    people = (f"{users.users:,}", f"users, {users.returning:,} came back")
    if not users.users:
        people = ("Nobody", "is named by the calls, so that users are not counted")
    shown = [
        (f"{totals.calls:,}", f"calls, {totals.calls / days:,.0f} a day"),
        (round_usd(totals.cost), f"spent, {round_usd(round(totals.cost / days))} a day"),
        people,
        (round_usd(totals.saved), f"saved by the cache, {totals.hits:,} hits"),
    ]
    tiles = "".join(f"<li><strong>{escape(value)}</strong> {escape(text)}</li>\n" for value, text in shown)
    return f'<ul class="tiles">\n{tiles}</ul>\n'


def _charts(report: Report) -> str:
    numbers = report.numbers
    drawn = [columns(_cost_chart(made.cost_by_day(numbers)))]
    if numbers.users.users:
        drawn.append(line(_users_chart(made.users_by_day(numbers))))
    else:
        drawn.append(columns(_calls_chart(made.calls_by_day(numbers))))
    drawn.append(columns(_waits_chart(made.waits(numbers))))
    models = made.cost_by_model(numbers)
    if models:
        says = "What each model cost, the dearest first."
        drawn.append(bars(Chart("models", "Cost by model", says, models, round_usd, "Model", "Cost")))
    return f'<div class="charts">\n{"".join(drawn)}</div>\n'


def _cost_chart(rows: list[Row]) -> Chart:
    dearest = max(rows, key=lambda row: row.value)
    says = f"The dearest day was {dearest.name} with {round_usd(dearest.value)}."
    says = says if dearest.value else "Nothing cost anything."
    return Chart("cost", "Cost by day", says, rows, round_usd, "Day", "Cost", step=_CENT)


def _users_chart(rows: list[Row]) -> Chart:
    most = max(rows, key=lambda row: row.value)
    says = f"Most came on {most.name}: {most.value:,}."
    return Chart("users", "Users by day", says, rows, _number, "Day", "Users")


def _calls_chart(rows: list[Row]) -> Chart:
    says = "The calls name no users, so that these are calls."
    return Chart("calls", "Calls by day", says, rows, _number, "Day", "Calls")


def _waits_chart(rows: list[Row]) -> Chart:
    all_calls, slow = sum(row.value for row in rows), sum(row.value for row in rows[3:])
    says = f"{slow:,} of {all_calls:,} calls waited 5 s or more until their answer began."
    return Chart("waits", "How long people wait", says, rows, _number, "Wait", "Calls")


def _number(value: int) -> str:
    return f"{value:,}"


def _spenders(report: Report) -> str:
    found = made.spenders(report)
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{escape(each.name)}</td><td>{each.calls:,}</td><td>{each.days}</td>"
        f"<td>{round_usd(each.cost)}</td></tr>\n"
        for each in found
    )
    return (
        '<section>\n<h2>Who costs most</h2>\n<div class="wide"><table>\n'
        "<thead><tr><th>User</th><th>Calls</th><th>Days</th><th>Cost</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody>\n</table></div>\n</section>\n"
    )


def _part(part: Part) -> str:
    if part.is_brief:
        items = "".join(
            f"<li><strong>{escape(each.title)}</strong> {escape(each.reason)}</li>\n" for each in part.advices
        )
        inner = f'<ul class="brief">\n{items}</ul>\n'
    else:
        inner = "".join(_advice(advice) for advice in part.advices)
    return f"<section>\n<h2>{escape(part.title)}</h2>\n{inner}</section>\n" if part.advices else ""


def _advice(advice: Advice, *, is_open: bool = False) -> str:
    verdict = escape(advice.verdict.value)
    tag = f'<span class="tag {_KINDS[advice.verdict]}">{verdict}</span>'
    opened = " open" if is_open or advice.verdict in _OPEN else ""
    steps = "".join(_step(step) for step in advice.steps)
    do = "".join(_do(is_code, text) for is_code, text in made.to_do(advice.do))
    what = f"<h3>What to do ({escape(advice.effort)})</h3>\n{do}" if do else ""
    threshold = "" if advice.threshold is None else _threshold(advice.threshold)
    replays = "".join(_replayed(replay) for replay in advice.replays)
    more = f'<a href="{escape(made.page_of(advice))}" rel="noreferrer">More</a>'
    return (
        f"<details{opened}>\n<summary>{tag} {escape(advice.title)}"
        f'<span class="why">{coded(advice.summary)}</span></summary>\n'
        f'{threshold}<ol class="steps">\n{steps}</ol>\n{replays}{what}{_queries(advice)}'
        f'<p class="small">{coded(advice.term)} {more}</p>\n</details>\n'
    )


def _step(step: Step) -> str:
    figures = "".join(_figure(figure) for figure in step.figures)
    listed = f"<ul>\n{figures}</ul>\n" if figures else ""
    answer = f"<strong>{escape(step.answer)}</strong>"
    return f"<li>{escape(step.question)} {answer}. {coded(step.why)}{listed}</li>\n"


def _figure(figure: Figure) -> str:
    if figure.is_measured:
        return f"<li>{escape(figure.text)}</li>\n"
    return f"<li>not measured: {escape(figure.text)}</li>\n"


def _queries(advice: Advice) -> str:
    """Return what gives each number, or measures it, folded away."""
    figures = [figure for step in advice.steps for figure in step.figures]
    figures += [figure for replay in advice.replays for figure in replay.figures]
    asked = {figure.query: figure for figure in figures}
    items = "".join(
        f"<li>{escape(figure.text)}<br><code>{escape(query)}</code></li>\n" for query, figure in asked.items()
    )
    shown = "<summary>The query behind each number</summary>"
    return f'<details class="queries">\n{shown}\n<ul>\n{items}</ul>\n</details>\n' if items else ""


def _threshold(threshold: Threshold) -> str:
    if threshold.way is None:
        return f'<p class="small">{escape(made.due_when(threshold))}</p>\n'
    way = round(threshold.way * 100)
    return (
        f'<p class="small">{escape(made.due_when(threshold))}<br>'
        f'<meter min="0" max="100" value="{way}">{way} %</meter> {way} % of the way</p>\n'
    )


def _replayed(replay: Replayed) -> str:
    figures = "".join(f"<li>{escape(figure.text)}</li>\n" for figure in replay.figures)
    assumed = " ".join(replay.assumptions)
    return (
        f"<h3>{escape(replay.title)}</h3>\n<ul>\n{figures}</ul>\n"
        f'<p class="small">Replayed over {replay.calls:,} calls of {replay.days:.3g} days. '
        f"{escape(assumed)} {escape(replay.error)}</p>\n"
    )


def _do(is_code: bool, text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>\n" if is_code else f"<p>{coded(text)}</p>\n"


def coded(text: str) -> str:
    """Return a text as one escaped line; what stands in backticks is code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
