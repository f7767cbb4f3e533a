"""A report, or one piece of advice, as plain values for programs; the names of the fields stay as they are.

Money is written as a decimal string in US dollars, exact to the nano-dollar.
"""

from typing import TypeAlias

from msgspec import json

from seawall.advice.report import report as made
from seawall.advice.report.report import Report, Row
from seawall.advice.words import Advice, Figure, Replayed, Step, Threshold
from seawall.core.money import format_usd

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def render(report: Report) -> str:
    """Write a report as JSON."""
    return written(report_values(report))


def written(values: Json) -> str:
    """Write values as JSON that people can read too."""
    return json.format(json.encode(values), indent=2).decode() + "\n"


def report_values(report: Report) -> dict[str, Json]:
    """Return a whole report."""
    numbers, totals = report.numbers, made.totals_of(report.numbers)
    return {
        "at": report.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "days": numbers.days,
        "days_seen": round(numbers.days_seen, 2),
        "stage": numbers.setup.stage.value,
        "app": {
            "calls": totals.calls,
            "cost_usd": format_usd(totals.cost),
            "cache_hits": totals.hits,
            "saved_usd": format_usd(totals.saved),
            "refused": totals.refused,
            "failed": totals.failed,
            "left": totals.left,
            "users": numbers.users.users,
            "returning_users": numbers.users.returning,
            "liked": numbers.liked.up,
            "disliked": numbers.liked.down,
        },
        "ranking": {part.name: [advice.thing for advice in part.advices] for part in report.parts},
        "advice": [advice_values(advice) for advice in report.advices],
        "cost_by_day": [
            {"day": row.name, "cost_usd": format_usd(row.value)} for row in made.cost_by_day(numbers)
        ],
        "users_by_day": [{"day": row.name, "users": row.value} for row in made.users_by_day(numbers)],
        "waits": _counted(made.waits(numbers), "wait"),
        "cost_by_model": [
            {"model": row.name, "cost_usd": format_usd(row.value)} for row in made.cost_by_model(numbers)
        ],
        "dearest_users": [
            {"user": each.name, "calls": each.calls, "cost_usd": format_usd(each.cost), "days": each.days}
            for each in made.spenders(report)
        ],
    }


def advice_values(advice: Advice) -> dict[str, Json]:
    """Return one piece of advice."""
    saves = advice.saves_month
    return {
        "thing": advice.thing,
        "title": advice.title,
        "verdict": advice.verdict.name.lower(),
        "verdict_text": advice.verdict.value,
        "summary": advice.summary,
        "steps": [_step(step) for step in advice.steps],
        "simple": advice.simple,
        "do": list(advice.do),
        "effort": advice.effort,
        "threshold": None if advice.threshold is None else _threshold(advice.threshold),
        "replays": [_replayed(replay) for replay in advice.replays],
        "saves_usd_month": None if saves is None else format_usd(saves),
        "is_never_skip": advice.is_never_skip,
        "term": advice.term,
        "link": advice.link,
    }


def _counted(rows: list[Row], name: str) -> list[Json]:
    return [{name: row.name, "calls": row.value} for row in rows]


def _step(step: Step) -> Json:
    figures: list[Json] = [figure_values(figure) for figure in step.figures]
    return {"question": step.question, "answer": step.answer, "why": step.why, "figures": figures}


def figure_values(figure: Figure) -> Json:
    """Return one number with its query."""
    return {
        "text": figure.text,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "is_measured": figure.is_measured,
        "query": figure.query,
    }


def _threshold(threshold: Threshold) -> Json:
    return {
        "text": threshold.text,
        "now": threshold.now,
        "due": threshold.due,
        "unit": threshold.unit,
        "way": threshold.way,
        "source": threshold.source,
    }


def _replayed(replay: Replayed) -> Json:
    return {
        "title": replay.title,
        "calls": replay.calls,
        "days": replay.days,
        "figures": [figure_values(figure) for figure in replay.figures],
        "assumptions": list(replay.assumptions),
        "error": replay.error,
    }
