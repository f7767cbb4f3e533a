"""A report, one piece of advice, or where the app is, in the form that is asked for."""

from seawall.advice.report import html, markdown, stage_page, stages, values
from seawall.advice.report.report import Report
from seawall.advice.stages import StageReport
from seawall.advice.words import Advice

FORMS = ("json", "markdown", "html")


def report(of: Report, form: str) -> str:
    """Write a report; a form that there is not is JSON."""
    match form:
        case "html":
            return html.render(of)
        case "markdown":
            return markdown.render(of)
        case _:
            return values.render(of)


def advice(of: Advice, form: str) -> str:
    """Write one piece of advice; a form that there is not is JSON."""
    match form:
        case "html":
            return html.render_advice(of)
        case "markdown":
            return markdown.render_advice(of)
        case _:
            return values.written(values.advice_values(of))


def stage(of: StageReport, form: str) -> str:
    """Write where an app is; a form that there is not is JSON."""
    match form:
        case "html":
            return stage_page.render(of)
        case "markdown":
            return stages.markdown(of)
        case _:
            return values.written(stages.values(of))
