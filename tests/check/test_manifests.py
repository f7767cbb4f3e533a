"""Which packages an app asks for, whether they are held still, and what it is made of."""

from pathlib import Path

import pytest

from seawall.check.checklist.manifests import Dependency, missing_in_lock, normal, read_manifests
from seawall.check.checklist.stack import stack
from tests.check.listed import written

MANIFESTS = {
    "package.json": '{"dependencies": {"openai": "^5.1.0", "next": "15.0.1"},\n "devDependencies": {"vitest": "*"}}',
    "pyproject.toml": """\
        [project]
        dependencies = [
            "fastapi[standard]>=0.110",
            "OpenAI==1.2.3 ; python_version > '3.9'",
        ]
        [dependency-groups]
        dev = ["pytest", {include-group = "lint"}]
        """,
    "poetry/pyproject.toml": """\
        [tool.poetry.dependencies]
        python = "^3.11"
        flask = "^3.0"
        requests = {version = "2.31.0", extras = ["socks"]}
        [tool.poetry.group.dev.dependencies]
        black = "*"
        """,
    "requirements.txt": """\
        # what runs
        httpx==0.27.0 \\
            --hash=sha256:00
        Flask_Limiter
        git+https://github.com/a/b
        -r other.txt
        """,
    "requirements/dev.in": "pytest~=8.0\n",
    "Pipfile": '[packages]\ndjango = "==5.0.1"\n[dev-packages]\nmypy = "*"\n',
    "setup.cfg": "[options]\ninstall_requires =\n    anthropic>=0.20\n    rich\n\n[other]\nx = 1\n",
    "old/setup.py": "from setuptools import setup\nsetup(name='a', install_requires=['celery>=5', 'redis'])\n",
    "environment.yml": "name: x\ndependencies:\n  - python=3.11\n  - conda-forge::numpy=1.26\n  - pip:\n    - streamlit==1.30\n",
}


def found(root: Path, files: dict[str, str]) -> dict[str, tuple[str, str, int, str, bool]]:
    """Return the dependencies by name: language, path, line, pin, whether they are for development."""
    held = read_manifests(written(root, files)).dependencies
    return {each.name: (each.language, each.path, each.line, each.pin, each.is_dev) for each in held}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("package.json", {
            "openai": ("javascript", "package.json", 1, "range", False),
            "next": ("javascript", "package.json", 1, "exact", False),
            "vitest": ("javascript", "package.json", 2, "none", True),
        }),
        ("pyproject.toml", {
            "fastapi": ("python", "pyproject.toml", 3, "range", False),
            "openai": ("python", "pyproject.toml", 4, "exact", False),
            "pytest": ("python", "pyproject.toml", 7, "none", True),
        }),
        ("poetry/pyproject.toml", {
            "flask": ("python", "poetry/pyproject.toml", 3, "range", False),
            "requests": ("python", "poetry/pyproject.toml", 4, "exact", False),
            "black": ("python", "poetry/pyproject.toml", 6, "none", True),
        }),
        ("requirements.txt", {
            "httpx": ("python", "requirements.txt", 2, "exact", False),
            "flask-limiter": ("python", "requirements.txt", 4, "none", False),
        }),
        ("requirements/dev.in", {"pytest": ("python", "requirements/dev.in", 1, "range", True)}),
        ("Pipfile", {
            "django": ("python", "Pipfile", 2, "exact", False),
            "mypy": ("python", "Pipfile", 4, "none", True),
        }),
        ("setup.cfg", {
            "anthropic": ("python", "setup.cfg", 3, "range", False),
            "rich": ("python", "setup.cfg", 4, "none", False),
        }),
        ("old/setup.py", {
            "celery": ("python", "old/setup.py", 2, "range", False),
            "redis": ("python", "old/setup.py", 2, "none", False),
        }),
        ("environment.yml", {
            "python": ("python", "environment.yml", 3, "exact", False),
            "numpy": ("python", "environment.yml", 4, "exact", False),
            "streamlit": ("python", "environment.yml", 6, "exact", False),
        }),
    ],
)  # fmt: skip
def test_every_kind_of_manifest_is_read(
    tmp_path: Path, path: str, expected: dict[str, tuple[str, str, int, str, bool]]
) -> None:
    assert found(tmp_path, {path: MANIFESTS[path]}) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package.json", '{"dependencies": '),
        ("package.json", '["a"]'),
        ("package.json", '{"dependencies": ["openai"]}'),
        ("pyproject.toml", "[project"),
        ("pyproject.toml", "[project]\ndependencies = 3\n"),
        ("pyproject.toml", "project = 3\n"),
        ("Pipfile", "packages = [1]\n"),
        ("setup.py", "def ("),
        ("package.json", "[" * 100_000),
    ],
)
def test_a_broken_manifest_is_named_and_left_out(tmp_path: Path, path: str, text: str) -> None:
    held = read_manifests(written(tmp_path, {path: text}))
    assert (held.dependencies, held.broken) == ([], [path])


def test_a_manifest_with_thousands_of_lines_is_bounded(tmp_path: Path) -> None:
    text = "".join(f"package-{number}==1.0\n" for number in range(20_000))
    assert len(read_manifests(written(tmp_path, {"requirements.txt": text})).dependencies) == 5_000


def test_names_are_found_by_their_beginning(tmp_path: Path) -> None:
    held = read_manifests(written(tmp_path, {"package.json": '{"dependencies": {"@sentry/node": "1.0.0"}}'}))
    assert held.find("sentry-sdk", "@sentry/*") == Dependency(
        name="@sentry/node", language="javascript", path="package.json", line=1, pin="exact"
    )
    assert held.find("@sentry/browser", "rollbar*") is None


def test_a_workspace_is_held_by_the_lock_above_it(tmp_path: Path) -> None:
    files = {
        "apps/web/package.json": '{"dependencies": {"next": "^15", "openai": "^5"}}',
        "package-lock.json": '{"packages": {"node_modules/next": {"version": "15.0.0"}}}',
        "poetry.lock": '[[package]]\nname = "openai"\n',
    }
    seen = written(tmp_path, files)
    held = read_manifests(seen)
    assert held.lock_of("apps/web/package.json") == "package-lock.json"
    assert missing_in_lock(held, seen, "apps/web/package.json") == ["openai"]


def test_names_are_compared_as_pip_does() -> None:
    assert {normal(name) for name in ("Flask_Limiter", "flask.limiter", "FLASK--LIMITER")} == {
        "flask-limiter"
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "fastapi\nlangchain\n", "app.py": "", "fly.toml": "", "Dockerfile": ""},
         ["python", "fastapi", "langchain", "fly", "docker"]),
        ({"package.json": '{"dependencies": {"next": "1", "react": "1"}}', "app/page.tsx": "", "vercel.json": ""},
         ["javascript", "nextjs", "react", "vercel"]),
        ({"app.py": "import streamlit as st\n", "Procfile": "web: streamlit run app.py\n"},
         ["python", "streamlit", "heroku"]),
        ({"main.py": "# import flask\nx = 1\n"}, ["python"]),
        ({"api/index.js": "", "package.json": '{"dependencies": {"express": "4"}}', "k8s/app.yaml": "", "render.yaml": ""},
         ["javascript", "express", "render", "kubernetes"]),
        ({"supabase/functions/chat/index.ts": "", "netlify.toml": "", "railway.json": "{}", "wrangler.toml": ""},
         ["javascript", "netlify", "railway", "cloudflare", "supabase"]),
    ],
)  # fmt: skip
def test_frameworks_and_hosts_are_recognised(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    assert stack(written(tmp_path, files)) == expected
