"""Judges of how the app runs: errors, health, metrics, logs, shutdown, load and who is woken."""

import re

from seawall.check.checklist.libraries import DECLARED
from seawall.check.checklist.shapes import (
    ERROR_TRACKING,
    MONITORING,
    STARTED_SERVER,
    STRUCTURED_BY_OPTION,
    STRUCTURED_LOGS,
    TRACING,
)
from seawall.check.checklist.spending import alert_receiver
from seawall.check.checklist.survey import (
    Judgement,
    Spot,
    Survey,
    dotted,
    failed,
    passed,
    waiting,
    warned,
)
from seawall.check.code.ir import Attr, Call, Expr, Literal, Name, Op
from seawall.check.code.walking import calls_of, children
from seawall.check.findings import Confidence, Severity

_HEALTH_ROUTE = re.compile(
    r"/_?health(?:z|[-_]?checks?)?(?:/(?:live|ready|db))?/?$|/(?:livez?|liveness|readyz?|readiness)/?$"
    r"|^/?(?:api/)?(?:v\d+/)?(?:status|ping|up|alive|heartbeat)/?$",
    re.IGNORECASE,
)
_HEALTH_FILE = re.compile(
    r"/(?:health(?:z|-?check)?|ping|status|ready|live)(?:/(?:route|\+server|index))?(?:\.get)?\.[jt]sx?$"
)
_HEALTH_IN_TEXT = (
    r"(?:get|route|path|re_path|use|all|add_url_rule|add_route|add_api_route"
    r"|Route)\(\s*r?[\"'`]\^?/?(?:[\w/]*/)?"
    r"(?:health(?:z|[-_]?check)?|livez?|readyz?|ping)/?\$?[\"'`]|health_check\.urls|HealthCheckService"
    r"|createTerminus\("
)
_STARTS = (
    r"(?:^|/)(?:[\w.-]*Dockerfile[\w.-]*|Procfile|fly(?:\.[\w-]+)?\.toml|render\.ya?ml"
    r"|railway\.(?:json|toml)|(?:docker-)?compose[\w.-]*\.ya?ml|[\w-]+\.sh|app\.ya?ml|[\w.-]+\.service"
    r"|supervisord?\.conf|nixpacks\.toml)$"
)
_PRIVATE = re.compile(
    r"^(?:(?:user_?|system_?|full_?|final_?)?prompts?|messages|user_?(?:message|input|text|query)"
    r"|chat_?history|history|conversation|transcript"
    r"|completion|reply|email|password|passwd|phone|ssn|body|payload|request_?body)$",
    re.IGNORECASE,
)
_LOGS = re.compile(r"(?:^print|(?:^|\.)(?:log|debug|info|warn|warning|error|exception|critical|trace))$")
_LOGGERS = re.compile(
    r"^(?:print$|console\.|log(?:ger|ging)?\.|_?log(?:ger)?\.|self\.(?:_?log(?:ger)?)\.|(?:app|fastify"
    r"|req|request|c|ctx)\.log(?:ger)?\.|st\.write$)"
)


def error_tracking(survey: Survey) -> Judgement:
    """Judge whether an error tracker is started."""
    spot = survey.called(ERROR_TRACKING)
    if spot is not None:
        return passed(f"Errors are reported ({spot.what}).", spot)
    package = survey.depends(
        "sentry-sdk", "@sentry/*", "rollbar", "bugsnag", "@bugsnag/*", "honeybadger", "@honeybadger-io/*",
        "@airbrake/*",
        "raygun", "raygun4py", "highlight.run", "highlight-io", "@highlight-run/*",
    )  # fmt: skip
    if package is not None:
        return warned(f"{package.name} is installed, and nothing starts it with an address.", package)
    return failed("No error tracker is started.")


def health_check(survey: Survey) -> Judgement:
    """Judge whether a route tells machines that the app works."""
    for each in survey.routes:
        if each.route and _HEALTH_ROUTE.search(each.route):
            return passed(f"{each.route} answers.", Spot(each.path, each.line))
    files = [path for path in survey.sources if _HEALTH_FILE.search(f"/{path}")]
    if files:
        return passed(f"{files[0]} answers.", Spot(files[0], 1))
    spot = survey.search(
        [*survey.touched, *survey.own(r"urls\.py$|(?:^|/)(?:app|main|server|index)\.\w+$")], _HEALTH_IN_TEXT
    )
    if spot is not None:
        return passed("A route for health checks answers.", spot)
    if "streamlit" in survey.stack:
        return passed("Streamlit answers /_stcore/health by itself.")
    spot = survey.search(
        survey.like(_STARTS), r"health_?check_?path\s*[:=]|HEALTHCHECK\s|livenessProbe|httpGet"
    )
    if spot is not None:
        return warned("The host asks for a health check, and no route was found that answers it.", spot)
    return failed("No route such as /healthz or /api/health was found.")


def monitoring(survey: Survey) -> Judgement:
    """Judge whether metrics or a monitor are there."""
    spot = survey.called(MONITORING) or survey.called(TRACING)
    if spot is not None:
        return passed(f"Metrics or traces are collected ({spot.what}).", spot)
    spot = survey.search(
        survey.like(_STARTS) + survey.like(r"(?:^|/)package\.json$"),
        r"newrelic-admin\s+run-program|ddtrace-run|opentelemetry-instrument|-r\s+(?:dd-trace/init|newrelic)"
        r"|--import\s+\S*(?:otel|instrumentation|opentelemetry)\S*",
    )
    if spot is not None:
        return passed(f"The app is started with an agent ({spot.what}).", spot)
    paths = survey.like(
        r"(?:^|/)(?:\.upptimerc\.ya?ml|prometheus[\w.-]*\.ya?ml|checkly\.config\.[jt]s|gatus[\w.-]*\.ya?ml)$"
    )
    if paths:
        return passed("A monitor is configured.", Spot(paths[0], 1))
    spot = survey.search(
        survey.like(DECLARED),
        r"datadog_monitor|betteruptime_monitor|uptimerobot_monitor|google_monitoring_uptime_check_config"
        r"|aws_cloudwatch_metric_alarm|aws_route53_health_check|AWS::CloudWatch::Alarm"
        r"|kind:\s*ServiceMonitor",
    )
    if spot is not None:
        return passed(f"A monitor is declared ({spot.what}).", spot)
    return waiting("No metrics were found; a monitor outside of the repository cannot be seen from here.")


def structured_logs(survey: Survey) -> Judgement:
    """Judge whether logs can be searched by field."""
    spot = survey.called(STRUCTURED_LOGS) or survey.called(STRUCTURED_BY_OPTION)
    if spot is not None:
        return passed(f"Logs are structured ({spot.what}).", spot)
    spot = survey.search(
        survey.own(r"(?:settings|logging|log_config|config|main|app)[\w/]*\.(?:py|json|ya?ml|ini)$"),
        r"pythonjsonlogger|JsonFormatter|json_log_formatter|structlog\.stdlib|class \w*JSON\w*Formatter",
    )
    if spot is not None:
        return passed("Logs are written as JSON.", spot)
    spot = survey.hint("logger")
    if spot is not None:
        return warned("There is a logger; its lines are plain text.", spot)
    return failed("No logger was found; print and console.log cannot be searched.")


def log_privacy(survey: Survey) -> Judgement:
    """Judge whether texts of users are logged, in the files with routes and model calls."""
    leaks = [
        each
        for each in survey.found("secrets-in-logs")
        if each.severity is not Severity.NOTE and each.confidence is not Confidence.LOW
    ]
    if leaks:
        return failed(leaks[0].message, Spot(leaks[0].path, leaks[0].line))
    paths = sorted({*survey.model_paths, *(each.path for each in survey.routes)})
    for path in paths:
        module = survey.module(path)
        chosen = {name for each in survey.routes if each.path == path for name in each.inputs}
        for call in calls_of(module) if module is not None else ():
            name = dotted(call.callee)
            if _LOGS.search(name) and _LOGGERS.search(name):
                word = next((word for each in call.args for word in _texts_in(each, chosen)), None)
                if word is not None:
                    return warned(f"{name} writes what users type ({word}).", Spot(path, call.line))
    return passed(
        "No text of users was seen in a log line." if paths else "Nothing was seen that logs users' texts."
    )


def graceful_shutdown(survey: Survey) -> Judgement:
    """Judge whether a release lets running answers finish."""
    spot = survey.hint("sigterm") or survey.called(STARTED_SERVER)
    if spot is not None:
        return passed(f"SIGTERM is handled ({spot.what.strip(chr(34) + chr(39))}).", spot)
    starts = survey.like(_STARTS)
    spot = survey.search(
        starts,
        r"\b(?:uvicorn|gunicorn|hypercorn|granian|daphne|waitress-serve|fastapi[\"',\s]+run"
        r"|next[\"',\s]+start)\b",
    )
    if spot is not None:
        return passed(f"{spot.what} finishes what runs on SIGTERM.", spot)
    spot = survey.search(starts, r"\b(?:npm|yarn|pnpm|bun)[\"',\s]+(?:run[\"',\s]+)?start\b")
    if spot is not None:
        return warned(
            f"`{spot.what}` stands between the signal and the app, and nothing handles SIGTERM.", spot
        )
    return warned("Nothing was found that handles SIGTERM.")


def load_test(survey: Survey) -> Judgement:
    """Judge whether a load test is there."""
    paths = survey.like(
        r"(?:^|/)(?:locustfile[\w]*\.py|artillery[\w.-]*\.(?:ya?ml|json)|[\w-]*load[-_]?test[\w.-]*"
        r"|[\w-]*stress[-_]?test[\w.-]*|[\w.-]+\.jmx|k6[\w.-]*\.[jt]s)$"
        r"|(?:^|/)(?:k6|loadtests?|load-tests?|load_tests?|performance-tests?|gatling)/"
    )
    if paths:
        return passed("A load test is in the repository.", Spot(paths[0], 1))
    spot = survey.search(
        survey.like(r"(?:^|/)package\.json$|\.ya?ml$|(?:^|/)(?:Makefile|justfile)$|\.sh$"),
        r"\b(?:k6 run|autocannon|artillery run|locust\b.*-f|vegeta attack|wrk -|hey -|oha -)",
    ) or survey.search(
        survey.like(r"(?:perf|load|bench|k6|locust|stress)[\w/.-]*\.(?:js|ts|py)$"),
        r"from ['\"]k6/http['\"]|^from locust import",
    )
    if spot is not None:
        return passed("A load test is in the repository.", spot)
    return waiting("No load test was found.")


def on_call(survey: Survey) -> Judgement:
    """Judge whether somebody is woken."""
    spot = alert_receiver(survey)
    if spot is not None:
        return passed("Seawall's alerts have a receiver.", spot)
    paths = survey.like(r"(?:^|/)alertmanager[\w.-]*\.ya?ml$")
    if paths:
        return passed("Alerts have a receiver.", Spot(paths[0], 1))
    spot = survey.search(
        survey.like(DECLARED),
        r"pagerduty_(?:service|escalation)|opsgenie_\w+|alarm_actions\s*=|kind:\s*PrometheusRule"
        r"|notification_channels\s*="
        r"|pagerduty_configs|events\.pagerduty\.com|api\.opsgenie\.com",
    )
    if spot is not None:
        return passed(f"Alerts have a receiver ({spot.what}).", spot)
    return waiting(
        "No alert with a receiver was found; one outside of the repository cannot be seen from here."
    )


def _texts_in(expr: Expr, chosen: set[str]) -> list[str]:
    """Name what of an argument holds users' text; lengths, counts and ids of it do not.

    `chosen` are names that callers choose the value of; `message` alone may be anything.
    """
    waiting_for: list[Expr] = [expr]
    found: list[str] = []
    while waiting_for:
        part = waiting_for.pop()
        if isinstance(part, Call | Op | Literal):
            continue
        if isinstance(part, Attr) and not _PRIVATE.search(part.name):
            continue
        if isinstance(part, Name | Attr):
            word = part.id if isinstance(part, Name) else part.name
            if _PRIVATE.search(word) or (word == "message" and word in chosen):
                found.append(word)
            continue
        waiting_for += list(children(part))
    return found
