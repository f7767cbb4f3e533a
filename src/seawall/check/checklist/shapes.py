"""Calls that show that something is really in use, by the name of what is called and where that comes from.

A shape is matched against canonical names: `sentry_sdk.init`, `@sentry/node.init`, `pino.default`. Names
whose origin is not known stand as they are written (`Sentry.init`).
"""

from collections.abc import Callable

from msgspec import Struct

from seawall.check.checklist.libraries import MODEL_WORDS
from seawall.check.code.ir import Call, Dict, Literal

DEFAULT = "default"
"""Stands for the name of what a library exports by default: every app calls it otherwise."""


def _any(_: Call) -> bool:
    return True


def _has_address(call: Call) -> bool:
    """Say no where the tracker is started with an empty address, as templates leave it."""
    stated = [value for name, value in call.named if name == "dsn"]
    for each in call.args:
        if isinstance(each, Dict):
            stated += [value for key, value in each.items if isinstance(key, Literal) and key.value == "dsn"]
    return not any(isinstance(value, Literal) and not value.value for value in stated)


def has_option(call: Call, *names: str) -> bool:
    """Say whether a call states one of these options and does not switch it off."""
    stated = [(name, value) for name, value in call.named if name in names]
    for each in call.args:
        if isinstance(each, Dict):
            stated += [
                (str(key.value), value)
                for key, value in each.items
                if isinstance(key, Literal) and key.value in names
            ]
    return any(not (isinstance(value, Literal) and value.value in (None, False, 0)) for _, value in stated)


class Called(Struct, frozen=True):
    """Files with one of the `words` are read; calls of one of the `names` whose `origin` matches count."""

    words: tuple[str, ...]
    names: frozenset[str]
    origin: str
    accept: Callable[[Call], bool] = _any


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


ERROR_TRACKING = Called(
    (
        "sentry_sdk",
        "Sentry",
        "@sentry/",
        "rollbar",
        "Rollbar",
        "ugsnag",
        "oneybadger",
        "irbrake",
        "aygun",
        "highlight.run",
        "highlight-run",
    ),
    _named("init start configure Rollbar Notifier Honeybadger"),
    r"^(?:sentry_sdk|Sentry|@sentry/[\w-]+(?:\.default)?|[Rr]ollbar(?:\.default)?|[Bb]ugsnag"
    r"|@bugsnag/[\w-]+(?:\.default)?"
    r"|honeybadger(?:\.\w+)*|Honeybadger|@honeybadger-io/[\w-]+(?:\.default)?|airbrake|raygun4?(?:py|js)?"
    r"|(?:highlight\.run|@highlight-run/[\w-]+)(?:\.H)?|H)\.(?:init|start|configure)$"
    r"|^(?:rollbar(?:\.default)?|Rollbar|@airbrake/[\w-]+\.Notifier|pybrake\.Notifier)$",
    _has_address,
)

TRACING = Called(
    ("sentry_sdk", "@sentry/", "Sentry"),
    _named("init"),
    r"^(?:sentry_sdk|Sentry|@sentry/[\w-]+(?:\.default)?)\.init$",
    lambda call: has_option(
        call, "traces_sample_rate", "tracesSampleRate", "traces_sampler", "tracesSampler"
    ),
)

MONITORING = Called(
    (
        "prometheus",
        "prom-client",
        "opentelemetry",
        "registerOTel",
        "newrelic",
        "ddtrace",
        "dd-trace",
        "elasticapm",
        "elastic-apm",
        "applicationinsights",
        "azure.monitor",
        "logfire",
        "statsd",
        "hot-shots",
        "datadog",
    ),
    _named(
        "instrument instrument_app instrument_fastapi instrument_flask expose start_http_server make_asgi_app"
        " make_wsgi_app generate_latest collectDefaultMetrics metrics Counter Histogram Gauge Summary"
        " PrometheusMetrics initialize init start setup registerOTel NodeSDK TracerProvider MeterProvider"
        " set_tracer_provider configure patch_all configure_azure_monitor ElasticAPM StatsD StatsClient"
        " promBundle promMid use"
    ),
    r"^(?:prometheus_client|prometheus_fastapi_instrumentator|prometheus_flask_exporter"
    r"|starlette_exporter|django_prometheus"
    r"|starlette_prometheus|opentelemetry|@opentelemetry/|prom-client|express-prom-bundle"
    r"|express-prometheus-middleware|dd-trace"
    r"|ddtrace|newrelic|elastic-apm-node|elasticapm|applicationinsights|azure\.monitor|@azure/monitor"
    r"|@vercel/otel"
    r"|logfire|statsd|hot-shots|datadog|fastify-metrics|@willsoto/nestjs-prometheus)",
)

STRUCTURED_LOGS = Called(
    (
        "structlog",
        "jsonlogger",
        "JsonFormatter",
        "JSONFormatter",
        "json_log_formatter",
        "loguru",
        "pino",
        "winston",
        "bunyan",
        "ecs_logging",
        "google.cloud.logging",
        "powertools",
        "logger: true",
        "logger:true",
        "logfmt",
        "@google-cloud/logging",
        "tslog",
        "logtape",
    ),
    _named(
        "configure get_logger getLogger JsonFormatter JSONFormatter pino pinoHttp createLogger setup_logging"
        " Logger StdlibFormatter Logfmter"
    ),
    r"^(?:structlog\.(?:stdlib\.)?(?:configure|get_logger|getLogger)|pythonjsonlogger\.|json_log_formatter\."
    r"|ecs_logging\.|aws_lambda_powertools(?:\.\w+)*\.Logger|@aws-lambda-powertools/logger\.Logger"
    r"|google\.cloud\.logging"
    r"|@google-cloud/logging|pino(?:$|\.default$|\.pino$)|pino-http|nestjs-pino|hono-pino"
    r"|express-pino-logger|next-logger"
    r"|winston(?:\.default)?\.createLogger|winston\.createLogger|bunyan(?:\.default)?\.createLogger"
    r"|tslog|logfmter"
    r"|@logtape/logtape\.configure)|(?:^|\.)(?:Json|JSON)Formatter$",
)

STRUCTURED_BY_OPTION = Called(
    ("loguru", "fastify", "Fastify"),
    _named("add configure fastify Fastify"),
    r"^loguru\.logger\.(?:add|configure)$|^(?:fastify(?:\.default|\.fastify)?|Fastify)$",
    lambda call: has_option(call, "serialize", "logger"),
)

RATE_LIMIT_WORDS = (
    "imiter", "ate_limit", "ateLimit", "ratelimit", "rate-limit", "hrottle", "arcjet", "checkQuota",
    "check_quota",
    "uota(", "slowapi", "rateLimiter", "usage_limit", "usageLimit",
)  # fmt: skip
"""Files with one of these words are read for limits; see `spending.rate_limits`."""

RATE_LIMIT_MADE = Called(
    RATE_LIMIT_WORDS,
    _named(
        "Limiter RateLimiter rateLimit slowDown rateLimiter RateLimiterMemory RateLimiterRedis"
        " Ratelimit arcjet"
        " RateLimiterPostgres forRoot forRootAsync AsyncLimiter Throttle throttle SlowAPIMiddleware"
    ),
    r"^(?:slowapi|flask_limiter|fastapi_limiter|limits\.|aiolimiter|django_ratelimit|ratelimit"
    r"|express-rate-limit|express-slow-down"
    r"|rate-limiter-flexible|@upstash/ratelimit|upstash_ratelimit|@fastify/rate-limit"
    r"|hono-rate-limiter|@nestjs/throttler|limiter|bottleneck"
    r"|koa-ratelimit|@arcjet/|arcjet|next-rate-limit|async-ratelimiter|@elysiajs|elysia-rate-limit"
    r"|starlette_limiter|asgi_ratelimit"
    r"|@hono-rate-limiter|@vercel/firewall|unkey|@unkey/ratelimit)",
)

APPLYING = Called(
    RATE_LIMIT_WORDS,
    _named(
        "use register add_middleware addHook forRoot forRootAsync init_app apply all useGlobalGuards"
        " hook wrap"
    ),
    r".",
)
"""Calls that put something in front of all routes; what they are given decides."""

STARTED_SERVER = Called(
    (
        "uvicorn",
        "hypercorn",
        "granian",
        "gunicorn",
        "SIGTERM",
        "signal",
        "ShutdownHooks",
        "terminus",
        "waitress",
    ),
    _named(
        "run serve Server add_signal_handler enableShutdownHooks createTerminus createHttpTerminator"
        " closeWithGrace"
    ),
    r"^uvicorn\.run$|^uvicorn\.Server(?:\(\)\.(?:run|serve))?$|^hypercorn\.|^granian\.|\.add_signal_handler$"
    r"|\.enableShutdownHooks$|createTerminus$|createHttpTerminator$|close-with-grace",
)

FALLBACKS = Called(
    ("with_fallbacks", "withFallbacks", "createFallback", "fallbacks", "openrouter", "litellm"),
    _named(
        "with_fallbacks withFallbacks Router completion acompletion create createFallback"
        " generateText streamText"
    ),
    r".",
    lambda call: (
        has_option(call, "fallbacks", "models", "fallback")
        or (getattr(call.callee, "name", "") in ("with_fallbacks", "withFallbacks", "createFallback"))
    ),
)

SHAPES = (
    ERROR_TRACKING, TRACING, MONITORING, STRUCTURED_LOGS, STRUCTURED_BY_OPTION, RATE_LIMIT_MADE, APPLYING,
    STARTED_SERVER, FALLBACKS,
)  # fmt: skip
WORDS = tuple(sorted({*MODEL_WORDS, *(word for shape in SHAPES for word in shape.words)}))
NAMES = frozenset({DEFAULT, *(name for shape in SHAPES for name in shape.names)})
