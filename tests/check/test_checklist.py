"""Each row of the checklist: what passes, what only looks like it, and what does not apply."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from seawall.check.catalogue import rules
from seawall.check.checklist.definitions import definitions
from seawall.check.checklist.facts import NEEDS
from seawall.check.checklist.judging import JUDGES
from seawall.check.findings import Confidence, Severity
from seawall.check.report import Row, State
from seawall.core.stages import Stage
from tests.check.listed import early_of, finding, rows_of

CHAT = """\
    import os
    from fastapi import FastAPI
    from openai import OpenAI

    app = FastAPI()
    client = OpenAI(base_url=os.environ["BASE"])


    @app.post("/chat")
    def chat(message: str):
        return client.chat.completions.create(model="gpt-4.1-mini", messages=[{"role": "user", "content": message}])
    """
"""A small app with one route that calls a model."""

EXPRESS = '{"dependencies": {"express": "^5.0.0"}}'

Case = tuple[str, dict[str, str], State]


def row_of(root: Path, row: str, files: dict[str, str], stage: Stage = Stage.PRODUCTION, **more: Any) -> Row:
    """Return one row of an app; `+` before a path adds the text to the chat app's file."""
    app = (
        {"app.py": CHAT} if not any(path.endswith((".js", ".ts", ".tsx", ".json")) for path in files) else {}
    )
    app |= {path: text for path, text in files.items() if not path.startswith("+")}
    for path, text in files.items():
        if path.startswith("+"):
            app[path[1:]] = (
                app.get(path[1:], "") + "\n" + "\n".join(f"    {line}" for line in text.splitlines()) + "\n"
            )
    return rows_of(root, app, stage, **more)[row]


def workflow(*lines: str) -> str:
    """Return a workflow with these steps."""
    steps = "".join(f"      - run: {line}\n" for line in lines)
    return f"name: test\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"


CASES: list[Case] = [
    # A tracker that is started, and what only looks like one.
    ("error-tracking", {"+app.py": "import sentry_sdk\nsentry_sdk.init(dsn=os.environ['SENTRY_DSN'])"}, State.PASS),
    ("error-tracking", {"+app.py": "from sentry_sdk import init as start\nstart()"}, State.PASS),
    ("error-tracking", {"+app.py": "import sentry_sdk\nsentry_sdk.init(dsn='')", "requirements.txt": "sentry-sdk\n"}, State.WARN),
    ("error-tracking", {"requirements.txt": "sentry-sdk==2.0\n"}, State.WARN),
    ("error-tracking", {"+app.py": "# sentry_sdk.init(dsn='x')"}, State.FAIL),
    ("error-tracking", {"tests/test_a.py": "import sentry_sdk\nsentry_sdk.init(dsn='x')\n"}, State.FAIL),
    ("error-tracking", {"+app.py": "import rollbar\nrollbar.init(os.environ['ROLLBAR'])"}, State.PASS),
    ("error-tracking", {"package.json": EXPRESS, "i.js": "import * as Sentry from '@sentry/node';\nSentry.init({ dsn: process.env.DSN });\n"}, State.PASS),
    ("error-tracking", {"package.json": EXPRESS, "i.js": "const Sentry = require('@sentry/node');\nSentry.init({});\n"}, State.PASS),
    ("error-tracking", {"package.json": '{"dependencies": {"express": "5.0.0", "@sentry/node": "9.0.0"}}', "i.js": "// Sentry.init({})\n"}, State.WARN),
    ("error-tracking", {"package.json": EXPRESS, "i.js": "const Rollbar = require('rollbar');\nnew Rollbar({ accessToken: process.env.T });\n"}, State.PASS),
    ("error-tracking", {}, State.FAIL),
    # Health checks.
    ("health-check", {"+app.py": "@app.get('/healthz')\ndef ok():\n    return 1"}, State.PASS),
    ("health-check", {"+app.py": "@app.get('/api/v1/health')\ndef ok():\n    return 1"}, State.PASS),
    ("health-check", {"+app.py": "@app.get('/health-insurance')\ndef ok():\n    return 1"}, State.FAIL),
    ("health-check", {"fly.toml": "[[http_service.checks]]\n", "render.yaml": "services:\n  - healthCheckPath: /health\n"}, State.WARN),
    ("health-check", {"package.json": EXPRESS, "server.js": "const app = require('express')();\napp.get('/healthz', (req, res) => res.json({}));\n"}, State.PASS),
    ("health-check", {"package.json": '{"dependencies": {"next": "15.0.0"}}', "app/api/health/route.ts": "export const GET = () => Response.json({});\n"}, State.PASS),
    ("health-check", {"+app.py": "@app.get('/orders/{id}/status')\ndef status():\n    return 1"}, State.FAIL),
    ("health-check", {"+app.py": "@app.get('/status')\ndef status():\n    return 1"}, State.PASS),
    ("health-check", {}, State.FAIL),
    # Limits that are applied, made, installed, absent.
    ("rate-limits", {"+app.py": "from slowapi import Limiter\nlimiter = Limiter(key_func=str)\n@app.get('/x')\n@limiter.limit('5/minute')\ndef x():\n    return 1"}, State.PASS),
    ("rate-limits", {"+app.py": "from slowapi import Limiter\nlimiter = Limiter(key_func=str)"}, State.WARN),
    ("rate-limits", {"+app.py": "from flask_limiter import Limiter\nlimiter = Limiter(str, default_limits=['10/second'])"}, State.PASS),
    ("rate-limits", {"+app.py": "from slowapi.middleware import SlowAPIMiddleware\nfrom limits_of_mine import RateLimitMiddleware\napp.add_middleware(RateLimitMiddleware)"}, State.PASS),
    ("rate-limits", {"requirements.txt": "slowapi\n"}, State.WARN),
    ("rate-limits", {"+app.py": "from fastapi import Depends, HTTPException\nseen = {}\ndef calm(user: str):\n    if seen.get(user, 0) > 5:\n        raise HTTPException(429)\n@app.get('/y', dependencies=[Depends(calm)])\ndef y():\n    return 1"}, State.PASS),
    ("rate-limits", {"+app.py": "import openai\nfrom fastapi import HTTPException\n@app.get('/z')\ndef z():\n    try:\n        return 1\n    except openai.RateLimitError:\n        raise HTTPException(429)"}, State.FAIL),
    ("rate-limits", {"nginx.conf": "http {\n  limit_req zone=a burst=5;\n}\n"}, State.PASS),
    ("rate-limits", {"nginx.conf": "http {\n  # limit_req zone=a;\n}\n"}, State.FAIL),
    ("rate-limits", {"package.json": EXPRESS, "s.js": "import express from 'express';\nimport rateLimit from 'express-rate-limit';\nconst app = express();\napp.use(rateLimit({ limit: 5 }));\n"}, State.PASS),
    ("rate-limits", {"package.json": EXPRESS, "s.js": "import calm from 'express-rate-limit';\nexport const lid = calm({ limit: 5 });\n"}, State.WARN),
    ("rate-limits", {"package.json": EXPRESS, "s.js": "import express from 'express';\nimport { Lid } from 'x';\nconst app = express();\napp.use(express.json({ limit: '5mb' }));\n"}, State.FAIL),
    ("rate-limits", {"package.json": '{"dependencies": {"next": "15.0.0"}}', "app/api/chat/route.ts": "export async function POST(r) { return Response.json({}); }\n"}, State.FAIL),
    ("rate-limits", {}, State.FAIL),
    # Tests with real assertions.
    ("tests", {"tests/test_app.py": "from app import chat\ndef test_a():\n    assert chat('a') == 1\n    assert chat('b') == 2\n    assert chat('c') == 3\n"}, State.PASS),
    ("tests", {"tests/test_app.py": "from app import chat\ndef test_a():\n    assert chat('a') == 1\n"}, State.WARN),
    ("tests", {"tests/test_app.py": "def test_a():\n    assert True\n    assert 1 == 1\n    assert True\n"}, State.WARN),
    ("tests", {"tests/test_app.py": "import json\ndef test_a():\n    assert json.loads('1') == 1\n    assert json.loads('2') == 2\n    assert json.loads('3') == 3\n"}, State.WARN),
    ("tests", {"blog/tests.py": "from django.test import TestCase\n\n# Create your tests here.\n"}, State.WARN),
    ("tests", {"package.json": EXPRESS, "a.js": "export const a = 1;\n", "a.test.js": "import { a } from './a';\ntest('a', () => { expect(a).toBe(1);\nexpect(a + a).toBe(2);\nexpect(-a).toBe(-1); });\n"}, State.PASS),
    ("tests", {"package.json": EXPRESS, "App.js": "x\n", "App.test.js": "import App from './App';\ntest('renders', () => {\n  expect(screen.getByText(/learn react/i)).toBeInTheDocument();\n});\n"}, State.WARN),
    ("tests", {}, State.FAIL),
    # Workflows that run the tests.
    ("ci", {".github/workflows/test.yml": workflow("pytest -q")}, State.PASS),
    ("ci", {".github/workflows/test.yml": workflow("python -m pytest")}, State.PASS),
    ("ci", {".github/workflows/test.yml": workflow("uv run pytest")}, State.PASS),
    ("ci", {".github/workflows/test.yml": workflow("pnpm run test:unit")}, State.PASS),
    ("ci", {".github/workflows/test.yml": workflow("npm ci", "npm test")}, State.PASS),
    ("ci", {".gitlab-ci.yml": "test:\n  script:\n    - tox\n"}, State.PASS),
    ("ci", {".github/workflows/test.yml": workflow("ruff check .", "npm run build", "npm run typecheck")}, State.WARN),
    ("ci", {".github/workflows/deploy.yml": workflow("vercel deploy --prod", "# pytest")}, State.WARN),
    ("ci", {".github/workflows/test.yml": workflow("npm test"), "package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}', "a.js": "x\n"}, State.WARN),
    ("ci", {}, State.FAIL),
    # Logs.
    ("structured-logs", {"+app.py": "import structlog\nlog = structlog.get_logger()"}, State.PASS),
    ("structured-logs", {"+app.py": "from loguru import logger\nlogger.add('a.log', serialize=True)"}, State.PASS),
    ("structured-logs", {"+app.py": "from loguru import logger\nlogger.add('a.log')"}, State.WARN),
    ("structured-logs", {"+app.py": "from pythonjsonlogger.json import JsonFormatter\nf = JsonFormatter()"}, State.PASS),
    ("structured-logs", {"+app.py": "import logging\nlog = logging.getLogger()"}, State.WARN),
    ("structured-logs", {"+app.py": "print('hello')"}, State.FAIL),
    ("structured-logs", {"package.json": EXPRESS, "l.ts": "import pino from 'pino';\nexport const l = pino();\n"}, State.PASS),
    ("structured-logs", {"package.json": EXPRESS, "l.js": "const l = require('pino')();\n"}, State.PASS),
    ("structured-logs", {"package.json": EXPRESS, "l.js": "import Fastify from 'fastify';\nconst a = Fastify({ logger: true });\n"}, State.PASS),
    ("structured-logs", {"package.json": EXPRESS, "l.js": "import Fastify from 'fastify';\nconst a = Fastify({ logger: false });\n"}, State.FAIL),
    ("log-privacy", {"+app.py": "import logging\nlogging.info('asked %s', len(messages))"}, State.PASS),
    ("log-privacy", {"+app.py": "import logging\nlogging.info('asked %s', prompt)"}, State.WARN),
    ("log-privacy", {"+app.py": "print(f'prompt: {user_message}')"}, State.WARN),
    ("log-privacy", {"+app.py": "print(f'{user.id} asked, {usage.prompt_tokens} tokens')"}, State.PASS),
    # Metrics and monitors.
    ("monitoring", {"+app.py": "from prometheus_fastapi_instrumentator import Instrumentator\nInstrumentator().instrument(app).expose(app)"}, State.PASS),
    ("monitoring", {"+app.py": "import sentry_sdk\nsentry_sdk.init(dsn='x', traces_sample_rate=0.1)"}, State.PASS),
    ("monitoring", {"requirements.txt": "prometheus-client\n"}, State.MANUAL),
    ("monitoring", {"Procfile": "web: newrelic-admin run-program gunicorn app:app\n"}, State.PASS),
    ("monitoring", {"infra/main.tf": 'resource "aws_cloudwatch_metric_alarm" "a" {\n}\n'}, State.PASS),
    # Packages.
    ("dependency-pins", {"requirements.txt": "fastapi==0.1\nopenai==1.0\n"}, State.PASS),
    ("dependency-pins", {"requirements.txt": "fastapi\n"}, State.FAIL),
    ("dependency-pins", {"pyproject.toml": '[project]\ndependencies = ["fastapi"]\n', "requirements.txt": "fastapi==0.1 --hash=sha256:00\n"}, State.PASS),
    ("dependency-pins", {"package.json": EXPRESS, "package-lock.json": '{"packages": {"node_modules/express": {}}}', "a.js": "x\n"}, State.PASS),
    ("dependency-pins", {"package.json": EXPRESS, "yarn.lock": "koa@^2:\n", "a.js": "x\n"}, State.WARN),
    ("dependency-pins", {"package.json": EXPRESS, "a.js": "x\n"}, State.FAIL),
    ("dependency-pins", {}, State.NOT_APPLICABLE),
    ("dependency-updates", {"requirements.txt": "a\n", ".github/dependabot.yml": "version: 2\n"}, State.PASS),
    ("dependency-updates", {"requirements.txt": "a\n", "renovate.json": "{}"}, State.PASS),
    ("dependency-updates", {"requirements.txt": "a\n", ".github/workflows/a.yml": workflow("pip-audit")}, State.PASS),
    ("dependency-updates", {"requirements.txt": "a\n"}, State.FAIL),
    # Data.
    ("migrations", {"+app.py": "import sqlalchemy", "migrations/versions/0001_start.py": "x = 1\n"}, State.PASS),
    ("migrations", {"+app.py": "import sqlalchemy\nBase.metadata.create_all(engine)"}, State.FAIL),
    ("migrations", {"+app.py": "import pymongo"}, State.NOT_APPLICABLE),
    ("migrations", {}, State.NOT_APPLICABLE),
    ("backups", {"+app.py": "import sqlite3"}, State.MANUAL),
    ("backups", {"+app.py": "import sqlite3", "litestream.yml": "dbs:\n"}, State.PASS),
    ("backups", {"+app.py": "import psycopg", "scripts/backup.sh": "pg_dump $DATABASE_URL > a.sql\n"}, State.WARN),
    ("backups", {"+app.py": "import psycopg", "scripts/backup.sh": "pg_dump $DATABASE_URL > a.sql\n", "crontab": "0 3 * * * /app/scripts/backup.sh\n"}, State.PASS),
    ("backups", {"+app.py": "import psycopg", ".github/workflows/b.yml": "on:\n  schedule:\n    - cron: '0 3 * * *'\njobs:\n  b:\n    steps:\n      - run: pg_dump $URL | gzip > a.gz\n"}, State.PASS),
    ("backups", {"+app.py": "import psycopg", "main.tf": 'resource "aws_db_instance" "a" {\n  backup_retention_period = 7\n}\n'}, State.PASS),
    ("backups", {"+app.py": "import psycopg", "main.tf": "  backup_retention_period = 0\n"}, State.MANUAL),
    ("backups", {}, State.NOT_APPLICABLE),
    # Money.
    ("spending-limit", {}, State.MANUAL),
    ("spending-limit", {".env.example": "OPENAI_BASE_URL=http://127.0.0.1:8787/v1\n"}, State.PASS),
    ("spending-limit", {".env.example": "# OPENAI_BASE_URL=http://127.0.0.1:8787/v1\n"}, State.MANUAL),
    ("spending-limit", {"docker-compose.yml": "services:\n  app:\n    environment:\n      OPENAI_BASE_URL: http://seawall:8787/v1\n"}, State.PASS),
    ("budget", {}, State.MANUAL),
    ("budget", {"seawall.toml": '[budget]\ndaily_usd = "5.00"\n'}, State.WARN),
    ("budget", {"seawall.toml": '[budget]\ndaily_usd = "5.00"\n', "fly.toml": '[env]\nOPENAI_BASE_URL = "http://seawall.internal:8787/v1"\n'}, State.PASS),
    ("budget", {"fly.toml": '[env]\nOPENAI_BASE_URL = "http://seawall.internal:8787/v1"\n'}, State.FAIL),
    ("budget", {"+app.py": "def f(user):\n    check_daily_budget(user)"}, State.PASS),
    ("budget-alerts", {"seawall.toml": '[alerts]\nwebhook_url = "https://example.com/h"\n'}, State.PASS),
    ("budget-alerts", {"seawall.toml": "[alerts]\nunusual_usd = \"1.00\"\n"}, State.MANUAL),
    ("provider-fallback", {"seawall.toml": '[models.smart]\ntargets = ["a"]\nfallbacks = ["b"]\n'}, State.PASS),
    ("provider-fallback", {}, State.MANUAL),
    ("timeouts", {"+app.py": "client = OpenAI(timeout=30)"}, State.PASS),
    ("timeouts", {"package.json": EXPRESS, "s.tsx": "import OpenAI from 'openai';\nlet timeout: NodeJS.Timeout;\n"}, State.WARN),
    ("timeouts", {"package.json": EXPRESS, "s.ts": "import OpenAI from 'openai';\nconst c = new OpenAI({ timeout: 30_000 });\n"}, State.PASS),
    ("timeouts", {}, State.WARN),
    ("streaming", {"+app.py": "client.chat.completions.create(stream=True)"}, State.PASS),
    ("streaming", {}, State.WARN),
    # Running and papers.
    ("graceful-shutdown", {"Dockerfile": 'CMD ["uvicorn", "app:app"]\n'}, State.PASS),
    ("graceful-shutdown", {"package.json": EXPRESS, "a.js": "process.on('SIGTERM', () => 1);\n"}, State.PASS),
    ("graceful-shutdown", {"package.json": EXPRESS, "a.js": "x\n", "Dockerfile": 'CMD ["npm", "start"]\n'}, State.WARN),
    ("graceful-shutdown", {"vercel.json": "{}", "app.py": CHAT}, State.NOT_APPLICABLE),
    ("load-test", {"locustfile.py": "x = 1\n"}, State.PASS),
    ("load-test", {"load/chat.js": "import http from 'k6/http';\n", "app.py": CHAT}, State.PASS),
    ("load-test", {}, State.MANUAL),
    ("on-call", {"alertmanager.yml": "receivers:\n"}, State.PASS),
    ("on-call", {}, State.MANUAL),
    ("licence", {"LICENSE": "MIT\n"}, State.PASS),
    ("licence", {"pyproject.toml": '[project]\nlicense = "MIT"\n'}, State.PASS),
    ("licence", {}, State.FAIL),
    ("incident-contact", {"SECURITY.md": "x\n"}, State.PASS),
    ("incident-contact", {"seawall.toml": 'support_contact = "help@example.com"\n'}, State.PASS),
    ("incident-contact", {}, State.MANUAL),
    ("privacy-notice", {"pages/privacy.tsx": "export default () => null;\n", "app.py": CHAT}, State.PASS),
    ("setup", {"README.md": "Run `uvicorn app:app`.\n", ".env.example": "BASE=\n"}, State.PASS),
    ("setup", {"README.md": "Run `uvicorn app:app`.\n"}, State.WARN),
    ("setup", {}, State.FAIL),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "files", "state"), CASES, ids=[f"{at}-{row}-{state}" for at, (row, _, state) in enumerate(CASES)]
)
def test_a_row_is_judged_by_what_is_there(
    tmp_path: Path, row: str, files: dict[str, str], state: State
) -> None:
    found = row_of(tmp_path, row, files)
    assert (found.state, found.evidence) == (state, found.evidence)
    assert found.evidence
    assert not found.path or (tmp_path / found.path).is_file()


def test_evidence_names_the_line_of_the_call(tmp_path: Path) -> None:
    row = row_of(tmp_path, "error-tracking", {"main.py": "\nimport sentry_sdk\nsentry_sdk.init()\n"})
    assert (row.path, row.line, row.evidence) == ("main.py", 3, "Errors are reported (sentry_sdk.init()).")


@pytest.mark.parametrize(
    ("files", "absent"),
    [
        ({"tool.py": "import sys\nprint(sys.argv)\n"},
         ("html", "paths", "internals-hidden", "identity", "llm-endpoints", "spending-limit", "rate-limits", "budget",
          "provider-limit", "backups", "watched-someone", "health-check", "browser-keys", "sql")),
        ({"batch.py": "from openai import OpenAI\nOpenAI().responses.create(model='m', input='a')\n"},
         ("rate-limits", "input-limits", "health-check", "watched-someone", "timeouts", "streaming")),
        ({"README.md": "Nothing yet.\n"}, ("commands", "https", "tests", "ci", "setup", "licence", "dependency-pins")),
    ],
)  # fmt: skip
def test_rows_do_not_apply_where_the_app_has_none_of_it(
    tmp_path: Path, files: dict[str, str], absent: tuple[str, ...]
) -> None:
    rows = rows_of(tmp_path, files)
    assert {name: rows[name].state for name in absent} == dict.fromkeys(absent, State.NOT_APPLICABLE)


def test_a_language_that_is_not_read_is_unknown_and_not_fine(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"main.go": "package main\n", "api/chat.go": "package api\n"})
    assert rows["commands"].state is State.UNKNOWN
    assert rows["commands"].evidence == "Most of it is Go, which the audit does not read."


def test_a_never_skip_row_repeats_the_finding_and_its_place(tmp_path: Path) -> None:
    row = rows_of(tmp_path, {"app.py": CHAT}, findings=[finding("sql-injection"), finding("llm-output-sql")])[
        "sql"
    ]
    assert (row.state, row.evidence, row.path, row.line) == (
        State.FAIL, "sql-injection is here. (and 1 more)", "app.py", 7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "severity", "confidence", "row", "state"),
    [
        ("http-endpoint", Severity.WARNING, Confidence.HIGH, "https", State.WARN),
        ("tls-off", Severity.ERROR, Confidence.LOW, "https", State.WARN),
        ("hardcoded-secret", Severity.NOTE, Confidence.HIGH, "secrets-in-code", State.PASS),
        ("no-max-tokens", Severity.WARNING, Confidence.HIGH, "output-cap", State.FAIL),
        ("unbounded-history", Severity.WARNING, Confidence.MEDIUM, "input-limits", State.FAIL),
        ("slow-in-request", Severity.WARNING, Confidence.MEDIUM, "streaming", State.FAIL),
        ("secrets-in-logs", Severity.WARNING, Confidence.HIGH, "log-privacy", State.FAIL),
        ("unprotected-llm-endpoint", Severity.ERROR, Confidence.MEDIUM, "llm-endpoints", State.FAIL),
        ("user-chosen-model", Severity.WARNING, Confidence.HIGH, "llm-endpoints", State.WARN),
        ("unbounded-llm-loop", Severity.ERROR, Confidence.HIGH, "spending-limit", State.FAIL),
        ("system-prompt-open", Severity.NOTE, Confidence.HIGH, "system-prompt", State.PASS),
    ],
)
def test_findings_decide_by_severity_and_confidence(
    tmp_path: Path, rule: str, severity: Severity, confidence: Confidence, row: str, state: State
) -> None:
    given = [finding(rule, severity=severity, confidence=confidence)]
    assert rows_of(tmp_path, {"app.py": CHAT}, findings=given)[row].state is state


def test_the_history_is_judged_by_what_was_read(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"app.py": CHAT})
    assert rows["secrets-in-history"].state is State.NOT_APPLICABLE  # There is no git here.
    leak = finding("hardcoded-secret-history", commit="0123456789abcdef")
    row = rows_of(tmp_path, {"app.py": CHAT}, findings=[leak])["secrets-in-history"]
    assert (row.state, row.evidence) == (
        State.FAIL,
        "hardcoded-secret-history is here. (commit 0123456789ab)",
    )


# Answers by hand.

ANSWER = '[check.manual]\n{row} = {{by = "Ana", at = {at}, note = "$20 a month"}}\n'


@pytest.mark.parametrize(
    ("row", "at", "state"),
    [
        ("provider-limit", "2026-11-20", State.PASS),
        ("provider-limit", "2026-05-31", State.PASS),
        ("provider-limit", "2026-05-30", State.WARN),
        ("provider-limit", "2027-11-20", State.WARN),
        ("restore-drill", "2026-08-29", State.PASS),
        ("restore-drill", "2026-08-28", State.WARN),
        ("monitoring", "2026-11-20", State.PASS),
        ("rate-limits", "2026-11-20", State.PASS),
    ],
)
def test_an_answer_stands_until_it_is_old(tmp_path: Path, row: str, at: str, state: State) -> None:
    files = {"app.py": CHAT + "\n    import sqlite3\n", "seawall.toml": ANSWER.format(row=row, at=at)}
    found = rows_of(tmp_path, files)[row]
    assert (found.state, found.path, found.line) == (state, "seawall.toml", 2)
    assert "Ana" in found.evidence
    assert at in found.evidence


def test_the_providers_own_limit_is_a_spending_limit_too(tmp_path: Path) -> None:
    files = {"app.py": CHAT, "seawall.toml": ANSWER.format(row="provider-limit", at="2026-11-20")}
    row = rows_of(tmp_path, files, Stage.POC)["spending-limit"]
    assert (row.state, row.evidence) == (
        State.PASS,
        "The provider's own limit is set, says Ana (2026-11-20).",
    )


def test_an_answer_never_outweighs_a_loop_without_an_end(tmp_path: Path) -> None:
    files = {"app.py": CHAT, "seawall.toml": ANSWER.format(row="spending-limit", at="2026-11-20")}
    rows = rows_of(tmp_path, files, findings=[finding("unbounded-llm-loop")])
    assert rows["spending-limit"].state is State.FAIL


def test_an_open_row_says_how_it_is_answered(tmp_path: Path) -> None:
    how = rows_of(tmp_path, {"app.py": CHAT})["watched-someone"].how
    assert how.endswith(
        'Answer it in seawall.toml:\n[check.manual]\nwatched-someone = {by = "YOUR NAME", at = 2026-11-27, note = "what you saw"}'
    )


# The list as a whole.


def test_each_stage_asks_for_more_than_the_one_before(tmp_path: Path) -> None:
    required = [
        {row.row for row in rows_of(tmp_path, {"app.py": CHAT}, stage).values() if row.required}
        for stage in Stage
    ]
    assert all(later > earlier for earlier, later in pairwise(required))
    assert required[0] == {name for name, row in definitions().items() if row.never_skip}
    assert required[-1] == set(definitions())


def test_a_row_is_never_required_before_it_is_shown() -> None:
    stages = tuple(Stage)
    assert [
        name for name, row in definitions().items() if stages.index(row.shown) > stages.index(row.required)
    ] == []


def test_every_row_names_a_judge_and_needs_that_exist() -> None:
    known = {*JUDGES, "findings", "manual", "budget"}
    for row in definitions().values():
        assert row.judge in known
        assert set(row.needs.split()) <= set(NEEDS)
        assert "any" in row.how
        assert row.clean or row.judge != "findings"
        assert row.answer or row.judge != "manual"


def test_every_error_of_the_catalogue_belongs_to_a_row_that_is_never_skipped() -> None:
    never = {rule for row in definitions().values() if row.never_skip for rule in row.rules}
    named = {rule for row in definitions().values() for rule in row.rules}
    assert [
        each.id for each in rules().values() if each.severity is Severity.ERROR and each.id not in never
    ] == []
    assert set(rules()) - named == {"too-early"}
    assert named <= set(rules())


def test_how_is_worded_for_the_stack(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, {"app.py": CHAT, "requirements.txt": "fastapi\n"})
    assert rows["health-check"].how.startswith('`@app.get("/healthz")` that runs `SELECT 1`')
    assert rows["error-tracking"].how.startswith("`sentry_sdk.init(")


# Too early.


@pytest.mark.parametrize(
    ("files", "name", "path", "last"),
    [
        ({"deploy/app.yaml": "apiVersion: apps/v1\nkind: Deployment\n"}, "Kubernetes", "deploy/app.yaml", Stage.ALPHA),
        ({"chart/Chart.yaml": "name: a\n"}, "Kubernetes", "chart/Chart.yaml", Stage.ALPHA),
        ({"main.tf": 'resource "aws_eks_cluster" "a" {}\n'}, "Kubernetes", "main.tf", Stage.ALPHA),
        ({"docker-compose.yml": "services:\n  k:\n    image: bitnami/kafka:3\n"}, "A message broker", "docker-compose.yml", Stage.ALPHA),
        ({"requirements.txt": "aio-pika\n"}, "A message broker", "requirements.txt", Stage.ALPHA),
        ({"worker.py": "from celery import Celery\napp = Celery('a')\n"}, "A worker with a broker of its own", "worker.py", Stage.MVP),
        ({"compose.yaml": "services:\n" + "".join(f"  s{n}:\n    build: ./s{n}\n" for n in range(5))}, "Many services of your own", "compose.yaml", Stage.ALPHA),
        ({f"s{n}/Dockerfile": "FROM a\n" for n in range(4)}, "Many services of your own", "s0/Dockerfile", Stage.ALPHA),
        ({"docker-compose.yml": "services:\n  v:\n    image: milvusdb/milvus:2\n"}, "A vector database cluster of your own", "docker-compose.yml", Stage.ALPHA),
        ({"package.json": '{"dependencies": {"@apollo/gateway": "2"}}'}, "GraphQL federation", "package.json", Stage.BETA),
    ],
)  # fmt: skip
def test_machinery_is_noted_up_to_its_last_stage(
    tmp_path: Path, files: dict[str, str], name: str, path: str, last: Stage
) -> None:
    noted = [each for stage in Stage for each in early_of(tmp_path, files, stage)]
    stages = list(Stage)[: list(Stage).index(last) + 1]
    assert [(each.rule, each.severity, each.path) for each in noted] == [
        ("too-early", Severity.NOTE, path) for _ in stages
    ]
    assert [each.message.partition(":")[0] for each in noted] == [
        f"{name} at stage {stage}" for stage in stages
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"docker-compose.yml": "services:\n  db:\n    image: postgres:17\n  cache:\n    image: redis\n  app:\n    build: .\n"},
        {"app.yaml": "apiVersion: 1\nruntime: python312\n"},
        {"docs/deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\n"},
        {"docker-compose.yml": "services:\n  # image: rabbitmq\n  app:\n    build: .\n"},
        {"Dockerfile": "FROM a\n", "web/Dockerfile": "FROM b\n"},
    ],
)  # fmt: skip
def test_what_a_small_app_uses_is_not_too_early(tmp_path: Path, files: dict[str, str]) -> None:
    assert early_of(tmp_path, files, Stage.POC) == []


GARBAGE = {
    "package.json": '{"dependencies": {"openai": 3, "express": null}, "devDependencies": []}',
    "pyproject.toml": "[[[",
    "requirements.txt": "==\n-e .\n@\nopenai @ file:///x\n" + "a" * 100_000,
    "Dockerfile": "CMD [" * 20_000,
    ".github/workflows/a.yml": "npm " * 100_000,
    "crontab": "1 " * 100_000,
    "fly.toml": "endpoint" * 50_000,
    "docker-compose.yml": "build:\n" * 50_000,
    "README.md": "`" * 200_000,
    "app.py": "x = " + "a." * 5_000 + "b()\nclass S(" + "BaseSettings " * 20_000 + "):\n",
    "lib/deep.js": "f(" * 2_000 + ")" * 2_000,
    "tests/test_a.py": "assert " * 50_000,
    "main.tf": "resource " * 50_000,
    "sub/folder.yml/x.txt": "",
}


@pytest.mark.timeout(20)
def test_garbage_in_every_file_is_survived_in_bounded_time(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, GARBAGE)
    assert set(rows) == set(definitions())


def test_the_day_of_the_audit_is_given(tmp_path: Path) -> None:
    files = {"app.py": CHAT, "seawall.toml": ANSWER.format(row="provider-limit", at="2026-11-20")}
    later = rows_of(tmp_path, files, today=date(2027, 8, 1))["provider-limit"]
    assert later.state is State.WARN
    assert later.evidence == "The answer is older than 180 days: look again (Ana, 2026-11-20: $20 a month)"
