"""What an app must have for a row to apply to it, and the sentence where it has none."""

from collections.abc import Callable

from seawall.check.checklist.libraries import NOT_SQL
from seawall.check.checklist.survey import Survey

_SERVERS = frozenset(
    {
        "fastapi", "flask", "django", "litestar", "sanic", "quart", "tornado", "starlette", "nestjs",
        "express", "fastify", "koa", "hono",
    }
)  # fmt: skip
"""Frameworks that are there to answer requests, whether or not their routes were understood."""

_PAGES = frozenset(("streamlit", "gradio", "chainlit", "nextjs", "nuxt", "sveltekit", "remix"))
_SERVERLESS = ("vercel", "netlify", "cloudflare", "supabase", "firebase", "aws-lambda")
_OWN_HOST = ("docker", "fly", "railway", "render", "heroku", "kubernetes", "google-app-engine")
_ROUTE_FILES = (
    r"(?:^|/)app/(?:.*/)?route\.[cm]?[jt]sx?$|(?:^|/)pages/api/.*\.[jt]sx?$|(?:^|/)\+server\.[jt]s$"
    r"|(?:^|/)server/(?:api|routes)/.*\.[jt]s$|(?:^|/)supabase/functions/[^_/][^/]*/index\.[jt]s$"
    r"|(?:^|/)netlify/(?:edge-)?functions/.*\.[cm]?[jt]s$"
)
"""Files that are routes by where they lie."""

_IN_BROWSER = r"\.(?:jsx|tsx|vue|svelte|astro|html?|ejs|hbs|jinja2?)$"


def missing(survey: Survey, needs: str) -> str | None:
    """Return why a row does not apply, or None where the app has everything that is named in `needs`."""
    for need in needs.split():
        has, absence = NEEDS[need]
        if not has(survey):
            return absence
    return None


def _has_code(survey: Survey) -> bool:
    return bool(survey.sources)


def _has_app(survey: Survey) -> bool:
    return _has_server(survey) or bool(survey.routes) or _has_browser(survey)


def _has_routes(survey: Survey) -> bool:
    return bool(survey.routes) or not _SERVERS.isdisjoint(survey.stack) or bool(survey.own(_ROUTE_FILES))


def _has_server(survey: Survey) -> bool:
    kinds = {each.kind for each in survey.routes}
    return bool(kinds & {"http", "websocket", "action"}) or not (_SERVERS | _PAGES).isdisjoint(survey.stack)


def _has_own_host(survey: Survey) -> bool:
    if any(name in survey.stack for name in _OWN_HOST):
        return True
    return not any(name in survey.stack for name in _SERVERLESS)


def _has_browser(survey: Survey) -> bool:
    return bool(survey.found("browser-key", "browser-llm-call")) or bool(survey.own(_IN_BROWSER))


def _has_models(survey: Survey) -> bool:
    return bool(survey.model_paths)


def _has_database(survey: Survey) -> bool:
    return survey.database is not None


def _has_sql(survey: Survey) -> bool:
    spot = survey.database
    return spot is not None and not any(spot.what.startswith(name) for name in NOT_SQL)


def _has_dependencies(survey: Survey) -> bool:
    return bool(survey.manifests.dependencies)


NEEDS: dict[str, tuple[Callable[[Survey], bool], str]] = {
    "code": (_has_code, "There is no code here that the audit reads (Python, JavaScript, TypeScript)."),
    "app": (_has_app, "Nobody but you uses this: no page, route or bot was found."),
    "routes": (_has_routes, "No route, page handler or bot was found that strangers can call."),
    "routes-or-browser": (
        lambda survey: _has_routes(survey) or _has_browser(survey),
        "No page and no route was found.",
    ),
    "server": (_has_server, "No server was found that answers requests."),
    "own-host": (_has_own_host, "The host runs functions one by one and ends them itself."),
    "browser": (_has_browser, "No code was found that runs in browsers."),
    "models": (_has_models, "No model call was found."),
    "database": (_has_database, "No database was found."),
    "queries": (_has_database, "No database was found."),
    "sql-database": (_has_sql, "No SQL database was found."),
    "dependencies": (_has_dependencies, "No manifest asks for packages."),
}
"""What `needs` in rows.toml can name."""
