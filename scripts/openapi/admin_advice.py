"""The admin API of advice."""

from collections.abc import Callable
from typing import get_args

from openapi.shapes import (
    Json,
    answer,
    boolean,
    choice,
    in_path,
    many,
    maybe,
    moment,
    money,
    number,
    query,
    ref,
    text,
    whole,
    whole_of,
)
from seawall.advice.readiness import State
from seawall.advice.words import Answer, Effort, Verdict
from seawall.core.stages import Stage
from seawall.server.admin_advice import DAYS_DEFAULT, DAYS_MAX, MEDIA, THING_CHARS_MAX

Operation = Callable[..., Json]

_DAYS = query("days", whole(minimum=1, maximum=DAYS_MAX, default=DAYS_DEFAULT), "How far to look back.")
_FORMAT = query("format", choice(*MEDIA), "The form; without it, the first one that is accepted, or JSON.")


def advice_schemas() -> Json:
    """Return advice on one thing, the report on the app, and where it is."""
    figure = ref("Figure")
    step = whole_of(
        {"question": text(), "answer": choice(*get_args(Answer)), "why": text(), "figures": many(figure)}
    )
    replay = whole_of(
        {
            "title": text(),
            "calls": whole("How many calls were replayed."),
            "days": number(),
            "figures": many(figure),
            "assumptions": many(text()),
            "error": text("How far it may be off."),
        }
    )
    due = {
        "text": text(),
        "now": maybe(number()),
        "due": number(),
        "unit": text(),
        "way": maybe(number("How much of the way is done, from 0 to 1.")),
        "source": text(),
    }
    advice: Json = {
        "thing": text(),
        "title": text(),
        "verdict": choice(*(verdict.name.lower() for verdict in Verdict)),
        "verdict_text": text(),
        "summary": text(),
        "steps": many(step, "The five questions, in their order."),
        "simple": maybe(text("What to do first, where there is something simpler.")),
        "do": many(text(), "Sentences, lines of configuration and commands."),
        "effort": choice(*get_args(Effort)),
        "threshold": {"anyOf": [whole_of(due), {"type": "null"}]},
        "replays": many(replay),
        "saves_usd_month": maybe(money()),
        "is_never_skip": boolean(),
        "term": text("The thing, explained in one sentence."),
        "link": text(),
    }
    return {
        "Figure": _figure(),
        "Advice": whole_of(advice),
        "AdviceReport": whole_of(_report()),
        "StageReport": whole_of(_stage()),
    }


def _figure() -> Json:
    return whole_of(
        {
            "text": text("The number with its unit."),
            "value": maybe(number()),
            "low": maybe(number("The lower bound at 95 percent, where traffic is thin.")),
            "high": maybe(number()),
            "is_measured": boolean(),
            "query": text("What gives the number, or how to measure it."),
        }
    )


def _stage() -> Json:
    stages = choice(*(stage.value for stage in Stage))
    row: Json = {
        "row": text(),
        "title": text(),
        "state": choice(*get_args(State)),
        "evidence": text("What was seen."),
        "how": text(),
        "why": text(),
        "where": choice("gateway", "repository"),
        "from_stage": stages,
        "is_never_skip": boolean(),
    }
    suggestion = whole_of({"to": stages, "way": choice("up", "down"), "reason": text()})
    words = {name: text() for name in ("users", "question", "focus", "not_yet", "takes")}
    return {
        "at": moment(),
        "days": whole(),
        "stage": stages,
        "question": text("What is to be found out at this stage."),
        **{name: text() for name in ("users", "focus", "not_yet")},
        "figures": {"type": "object", "additionalProperties": ref("Figure")},
        "since": maybe(text(format="date")),
        "days_at_stage": maybe(whole()),
        "since_is_stated": boolean(),
        "usual": text("How long this stage usually takes."),
        "suggestion": {"anyOf": [suggestion, {"type": "null"}]},
        "warnings": many(text()),
        "grade": maybe(text()),
        "repository": text("What was looked at, or why nothing was."),
        "rows": many(whole_of(row), "What this stage asks for."),
        "next_stage": maybe(stages),
        "next_rows": many(whole_of(row)),
        "too_early": many(text()),
        "liked": whole(),
        "disliked": whole(),
        "praise": many(text(), "Left out here."),
        "complaints": many(text(), "Left out here."),
        "asks": many(text(), "Facts that would say more."),
        "stages": {"type": "object", "additionalProperties": whole_of(words)},
    }


def _report() -> Json:
    app: Json = {
        "calls": whole(),
        "cost_usd": money(),
        "cache_hits": whole(),
        "saved_usd": money(),
        "refused": whole(),
        "failed": whole(),
        "left": whole("Calls whose client went before the answer was whole."),
        "users": whole(),
        "returning_users": whole("Users who called on two days or more."),
        "liked": whole(),
        "disliked": whole(),
    }
    user = {
        "user": text("A number: nobody is named."),
        "calls": whole(),
        "cost_usd": money(),
        "days": whole(),
    }
    return {
        "at": moment(),
        "days": whole(),
        "days_seen": number("For how long the app is known, at most `days`."),
        "stage": choice(*(stage.value for stage in Stage)),
        "app": whole_of(app),
        "ranking": {
            "type": "object",
            "additionalProperties": many(text()),
            "description": "The things by what to do about them: do_now, watch, skip and others.",
        },
        "advice": many(ref("Advice")),
        "cost_by_day": many(whole_of({"day": text(format="date"), "cost_usd": money()})),
        "users_by_day": many(whole_of({"day": text(format="date"), "users": whole()})),
        "waits": many(whole_of({"wait": text(), "calls": whole()})),
        "cost_by_model": many(whole_of({"model": text(), "cost_usd": money()})),
        "dearest_users": many(whole_of(user)),
    }


def advice_paths(operation: Operation) -> Json:
    """Return the operations on advice and the stage."""
    thing = in_path("thing", "What you think of adding, by any name.", minLength=1, maxLength=THING_CHARS_MAX)
    return {
        "/stage": {
            "get": operation(
                "getStage",
                "Where the app is, and what its stage still lacks",
                _in_each_form("The report.", ref("StageReport")),
                parameters=[_FORMAT],
                statuses=(409,),
            )
        },
        "/advice": {
            "get": operation(
                "getAdvice",
                "What to add now, what to leave and what to watch",
                _in_each_form("The report.", ref("AdviceReport")),
                parameters=[_DAYS, _FORMAT],
                statuses=(409,),
            )
        },
        "/advice/{thing}": {
            "get": operation(
                "getAdviceOn",
                "Whether to add one thing now",
                _in_each_form("The advice; an unknown name gets the general questions.", ref("Advice")),
                parameters=[thing, _DAYS, _FORMAT],
                statuses=(409,),
            )
        },
    }


def _in_each_form(help_text: str, schema: Json) -> Json:
    """Describe an answer that there is as JSON, Markdown and a page."""
    found = answer(help_text, schema)
    for media in MEDIA.values():
        found["content"].setdefault(media, {"schema": text()})
    return found
