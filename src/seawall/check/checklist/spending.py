"""Judges of what calls may cost: open endpoints, limits, budgets, alerts, fallbacks, timeouts, streaming."""

import re
from typing import Any

from seawall.check.checklist.libraries import DECLARED
from seawall.check.checklist.shapes import FALLBACKS
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
from seawall.check.code.walking import calls_of
from seawall.check.findings import Confidence, Severity
from seawall.core.stages import Stage

_REFUSAL = re.compile(r"(?:Error|Exception|Exceeded)$")
_BUDGETING = re.compile(
    r"(?:check|enforce|consume|require|assert|reserve|charge|deduct|spend|within|over|exceed\w*"
    r"|remaining|has)_?(?:the_?|daily_?|monthly_?|user_?|token_?)*"
    r"(?:quota|budget|credits?|spend(?:ing)?|cost|allowance|tokens_?left)"
    r"|(?:daily|monthly|global)_?(?:cost|spend|token|usage)_?(?:limit|cap|check)|(?:budget|quota"
    r"|credits?)_?(?:check|guard|exceeded|left|ok)",
    re.IGNORECASE,
)
_SEAWALL_ADDRESS = (
    r"(?:base_?url|api_?base|openai_?base|endpoint|gateway)\w{0,30}[\"']?\s*[:=,]?.{0,60}(?::8787\b|seawall)"
    r"|(?:localhost|127\.0\.0\.1|seawall)[\w.-]*:8787/"
)
_CONFIGURED = (
    r"(?:^|/)(?:\.env(?:\.(?:example|sample|template|dist|defaults?|production|local))?|env\.example|Procfile"
    r"|[\w.-]*Dockerfile[\w.-]*|fly(?:\.[\w-]+)?\.toml|render\.ya?ml|(?:docker-)?compose[\w.-]*\.ya?ml"
    r"|app\.ya?ml"
    r"|(?:vercel|railway|app)\.json|netlify\.toml|wrangler\.(?:toml|jsonc?)|[\w.-]*config[\w.-]*\.ya?ml)$"
)


def llm_endpoints(survey: Survey) -> Judgement:
    """Judge whether strangers reach a model."""
    serious = [
        each
        for each in survey.found("unprotected-llm-endpoint", "user-chosen-model")
        if each.severity is Severity.ERROR
    ]
    certain = [each for each in serious if each.confidence is not Confidence.LOW]
    if certain:
        more = f" (and {len(certain) - 1} more)" if len(certain) > 1 else ""
        return failed(certain[0].message + more, Spot(certain[0].path, certain[0].line))
    if serious:
        return warned(serious[0].message, Spot(serious[0].path, serious[0].line))
    chosen = survey.found("user-chosen-model")
    if chosen:
        return warned(chosen[0].message, Spot(chosen[0].path, chosen[0].line))
    if not survey.routes:
        return passed("Models are called, and no route was found that leads to them.")
    return passed("No route was found that reaches a model without a login, limit or quota.")


def spending_limit(survey: Survey) -> Judgement:
    """Judge whether anything stops the spending; the provider's own limit cannot be seen from here."""
    endless = [
        each
        for each in survey.found("unbounded-llm-loop")
        if each.severity is Severity.ERROR and each.confidence is not Confidence.LOW
    ]
    if endless:
        return failed(endless[0].message, Spot(endless[0].path, endless[0].line))
    behind = behind_gateway(survey)
    if behind is not None:
        return passed("Model calls go through a gateway that stops at a budget.", behind)
    answer = survey.settings.answers.get("provider-limit")
    if answer is not None:
        return passed(
            f"The provider's own limit is set, says {answer.by} ({answer.at}).",
            Spot(survey.settings.path, answer.line),
        )
    return waiting(
        "A limit at the provider cannot be seen from here, and no gateway with a budget was found."
    )


def budget(survey: Survey, stage: Stage) -> Judgement:
    """Judge whether a budget stands in front of the model."""
    behind = behind_gateway(survey)
    stated = _stated_budget(survey)
    if behind is not None and stated:
        return passed(
            "Model calls go through Seawall, and seawall.toml states a budget.",
            Spot(survey.settings.path, survey.settings.line_of("budget")),
        )
    if behind is not None and "seawall" in behind.what and stage is Stage.PRODUCTION:
        return failed("Seawall stands in front; at production its budget must be stated.", behind)
    if behind is not None:
        return passed("Model calls go through a gateway with a budget.", behind)
    for path in survey.touched:
        module = survey.module(path)
        for call in calls_of(module) if module is not None else ():
            name = dotted(call.callee)
            if _BUDGETING.search(name) and not _REFUSAL.search(name):
                return passed(
                    f"The app checks a budget or quota of its own ({name.rpartition('.')[2]}).",
                    Spot(path, call.line),
                )
    if stated:
        return warned(
            "seawall.toml states a budget, and nothing here points the app at Seawall (OPENAI_BASE_URL).",
            Spot(survey.settings.path, survey.settings.line_of("budget")),
        )
    return waiting("No budget is seen here: neither a gateway with one nor a check of the app's own.")


def budget_alerts(survey: Survey) -> Judgement:
    """Judge whether somebody hears of the spending in time."""
    spot = alert_receiver(survey)
    if spot is not None:
        return passed("Seawall's alerts have a receiver.", spot)
    spot = survey.search(
        survey.like(DECLARED),
        r"aws_budgets_budget|google_billing_budget|azurerm_consumption_budget|AWS::Budgets::Budget"
        r"|alerting_threshold"
        r"|alerting:\s*\[|budget_alert",
    )
    if spot is not None:
        return passed(f"An alert on spending is declared ({spot.what}).", spot)
    return waiting("Alerts at the provider cannot be seen from here, and none is declared in the repository.")


def provider_fallback(survey: Survey) -> Judgement:
    """Judge whether the app goes on when its provider does not."""
    models = survey.settings.gateway.get("models")
    if isinstance(models, dict):
        for name, alias in models.items():
            if isinstance(alias, dict) and (alias.get("fallbacks") or len(_listed(alias.get("targets"))) > 1):
                return passed(
                    f"seawall.toml has other models to go on with ({name}).",
                    Spot(survey.settings.path, survey.settings.line_of("models", name)),
                )
    spot = survey.called(FALLBACKS)
    if spot is not None:
        return passed(f"A second model is stated ({spot.what}).", spot)
    spot = survey.search(
        survey.like(r"litellm[\w.-]*\.ya?ml$|(?:^|/)config\.ya?ml$"), r"^\s*(?:default_)?fallbacks:"
    )
    if spot is not None:
        return passed("LiteLLM has fallbacks.", spot)
    caught = survey.search(
        survey.model_paths,
        r"except\s*\(?[\w., ]*(?:API(?:Connection|Status|Timeout)?Error|RateLimitError|OpenAIError"
        r"|AnthropicError)"
        r"|instanceof\s+\w*(?:APIError|APICallError|RateLimitError)",
    )
    if caught is not None:
        return passed("Errors of the provider are caught and answered.", caught)
    return waiting("No second model was found, and no handling of the provider's errors.")


def timeouts(survey: Survey) -> Judgement:
    """Judge whether model calls end in time."""
    spot = seawall_address(survey)
    if spot is not None:
        return passed("Model calls go through Seawall, which has deadlines.", spot)
    spot = survey.search(
        survey.model_paths,
        r"\btimeout\w*\s*[=:]\s*(?!NodeJS|ReturnType|null|None|undefined|setTimeout)\S|\babortSignal\b"
        r"|AbortSignal\.timeout|asyncio\.(?:wait_for|timeout)|request_timeout"
        r"|\bdeadline\b|\bmaxDuration\b",
    ) or survey.search(sorted({each.path for each in survey.routes}), r"\bmaxDuration\b|AbortSignal\.timeout")
    if spot is not None:
        return passed(f"A deadline is stated ({spot.what.rstrip(' =:(')}).", spot)
    first = next(iter(survey.model_paths.items()), None)
    where = None if first is None else Spot(first[0], 0)
    return warned("No timeout is stated for model calls; most libraries wait for ten minutes.", where)


def streaming(survey: Survey) -> Judgement:
    """Judge whether people see that something happens."""
    slow = survey.found("slow-in-request")
    if slow:
        more = f" (and {len(slow) - 1} more)" if len(slow) > 1 else ""
        return failed(slow[0].message + more, Spot(slow[0].path, slow[0].line))
    paths = sorted({*survey.model_paths, *(each.path for each in survey.routes)})
    spot = survey.search(
        paths,
        r"\bstream\s*=\s*True|\bstream:\s*true|\bstream(?:Text|Object|UI)\(|\.(?:a?stream|stream_chat"
        r"|messages\.stream)\("
        r"|StreamingResponse|EventSourceResponse|StreamingHttpResponse|toDataStream|text/event-stream"
        r"|write_stream"
        r"|streamSSE|generateContentStream|generate_content_stream|sendMessageStream|stream_token\("
        r"|ndjson|[\"']stream[\"']\s*:\s*(?!False|false)",
    )
    if spot is not None:
        return passed("Answers are streamed.", spot)
    spot = survey.search(
        paths,
        r"BackgroundTasks|\.apply_async\(|\.delay\(|\.enqueue\(|\bwaitUntil\("
        r"|\bafter\(\s*(?:async\s*)?\(|inngest\.",
    )
    if spot is not None:
        return passed(f"Slow work is handed to the background ({spot.what}).", spot)
    return warned("No model call was seen that streams its answer.")


def behind_gateway(survey: Survey) -> Spot | None:
    """Return what shows that model calls go through a gateway with a budget: Seawall, or LiteLLM's own."""
    spot = seawall_address(survey)
    if spot is not None:
        return spot
    return survey.search(
        survey.own(r"litellm[\w.-]*\.ya?ml$|(?:^|/)(?:proxy_)?config\.ya?ml$|\.py$")
        if "litellm" in survey.stack
        else (),
        r"\bmax_budget\s*[:=]\s*[\d.]+",
    )


def seawall_address(survey: Survey) -> Spot | None:
    """Return where the app is pointed at Seawall; a comment points at nothing."""
    places = [path for path in survey.like(_CONFIGURED) if path != survey.settings.path]
    spot = survey.search([*places, *survey.touched], _SEAWALL_ADDRESS)
    return None if spot is None else Spot(spot.path, spot.line, "seawall")


def alert_receiver(survey: Survey) -> Spot | None:
    """Return where seawall.toml names who hears of alerts."""
    alerts, mail = (survey.settings.gateway.get(name) for name in ("alerts", "mail"))
    if isinstance(alerts, dict) and alerts.get("webhook_url"):
        return Spot(survey.settings.path, survey.settings.line_of("alerts", "webhook_url"))
    if isinstance(mail, dict) and mail.get("host") and mail.get("to"):
        return Spot(survey.settings.path, survey.settings.line_of("mail", "host"))
    return None


def _stated_budget(survey: Survey) -> bool:
    table = survey.settings.gateway.get("budget")
    if not isinstance(table, dict):
        return False
    return any(table.get(f"{period}_usd") not in (None, "off") for period in ("daily", "monthly", "lifetime"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
