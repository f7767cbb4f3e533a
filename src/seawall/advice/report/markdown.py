"""A report, or one piece of advice, as Markdown: to paste into an issue or to an assistant.

Invariant: what callers have chosen (models, users) stands in code spans alone, so that it is quoted and never
read as part of the page.
"""

import re
from collections.abc import Iterator

from seawall.advice.amounts import counted
from seawall.advice.report import report as made
from seawall.advice.report.report import Part, Report
from seawall.advice.words import Advice, Figure, Replayed, Step
from seawall.core.money import round_usd

_MARKS = re.compile(r"([\\*_\[\]<>|#])")


def render(report: Report) -> str:
    """Write a report as Markdown."""
    return "\n\n".join(_parts(report)) + "\n"


def render_advice(advice: Advice) -> str:
    """Write one piece of advice as a page of its own."""
    return "\n\n".join(_advice(advice, level=1)) + "\n"


def _parts(report: Report) -> Iterator[str]:
    numbers, totals = report.numbers, made.totals_of(report.numbers)
    yield f"# seawall advise: {numbers.days} days to {report.at:%Y-%m-%d}, stage {numbers.setup.stage}"
    if report.stage_lines:
        yield "\n".join(f"- {text(line)}" for line in report.stage_lines)
    if numbers.hours:
        yield (
            f"{counted(totals.calls, 'call')}, {round_usd(totals.cost)} spent, "
            f"{counted(numbers.users.users, 'user')} "
            f"({numbers.users.returning:,} came back), {round_usd(totals.saved)} saved by the cache."
        )
    else:
        yield "No call is on record yet."
    for part in report.parts:
        if part.advices:
            yield f"## {part.title}"
            yield from _part(part)
    models = made.cost_by_model(numbers)
    if models:
        rows = [f"| {span(row.name)} | {round_usd(row.value)} |" for row in models]
        yield "## Cost by model"
        yield "\n".join(["| Model | Cost |", "|---|---|", *rows])
    spenders = made.spenders(report)
    if spenders:
        rows = [f"| {span(each.name)} | {each.calls:,} | {round_usd(each.cost)} |" for each in spenders]
        yield "## Who costs most"
        yield "\n".join(["| User | Calls | Cost |", "|---|---|---|", *rows])


def _part(part: Part) -> Iterator[str]:
    if part.is_brief:
        yield "\n".join(f"- **{text(each.title)}**: {text(each.reason)}" for each in part.advices)
        return
    for advice in part.advices:
        yield from _advice(advice, level=3)


def _advice(advice: Advice, *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {text(advice.title)}: {advice.verdict.value}"
    yield text(advice.summary)
    if advice.threshold is not None:
        yield text(made.due_when(advice.threshold))
    yield "\n".join(_step(number, step) for number, step in enumerate(advice.steps, 1))
    for replay in advice.replays:
        yield _replayed(replay)
    if advice.do:
        items = "\n\n".join(
            fenced(each) if is_code else f"- [ ] {text(each)}" for is_code, each in made.to_do(advice.do)
        )
        yield f"**What to do** ({advice.effort}):\n\n{items}"
    yield f"{text(advice.term)} More: {made.page_of(advice)}"


def _step(number: int, step: Step) -> str:
    lines = [f"{number}. {text(step.question)} **{step.answer}**. {text(step.why)}"]
    return "\n".join([*lines, *(f"   - {_figure(figure)}" for figure in step.figures)])


def _figure(figure: Figure) -> str:
    return f"{text(figure.text)} ({span(figure.query)})"


def _replayed(replay: Replayed) -> str:
    lines = [f"**{text(replay.title)}** ({replay.calls:,} calls of {replay.days:.3g} days)", ""]
    lines += [f"- {text(figure.text)}" for figure in replay.figures]
    lines += [f"- Assumed: {text(each)}" for each in replay.assumptions]
    return "\n".join([*lines, f"- {text(replay.error)}"])


def text(words: str) -> str:
    """Return a text as one line in which nothing is a mark but code in backticks."""
    parts = " ".join(words.split()).split("`")
    if len(parts) % 2 == 0:
        return _MARKS.sub(r"\\\1", "'".join(parts))
    return "`".join(part if at % 2 else _MARKS.sub(r"\\\1", part) for at, part in enumerate(parts))


def fenced(code: str) -> str:
    """Return lines as a block of code; the fence is longer than any in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}"


def span(words: str) -> str:
    """Return a text as code, whatever stands in it."""
    line = " ".join(words.split()).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"
