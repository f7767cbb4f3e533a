"""`seawall init`: what is missing is added and shown, and what is there is kept."""

import json
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from seawall.check.checklist.definitions import definitions
from seawall.check.settings import read_settings
from seawall.check.starting import CannotStart, Step, plan, settings_text, write
from seawall.check.variables import Variable, variables_read
from seawall.cli.init import init
from seawall.cli.main import app as seawall
from seawall.core.stages import Stage
from tests.check.listed import written

APP = {
    "app.py": "import os\nfrom openai import OpenAI\n\nclient = OpenAI()\nurl = os.environ['DATABASE_URL']\n",
    "tests/test_app.py": "import os\nx = os.environ['ONLY_FOR_TESTS']\n",
}
HOOK = """\
  - repo: local
    hooks:
      - id: seawall-check
        name: seawall check
        entry: seawall check --staged
        language: system
        always_run: true
        pass_filenames: false
"""


def run(*arguments: str) -> Result:
    """Run the command by itself."""
    command = typer.Typer()
    command.command()(init)
    return CliRunner().invoke(command, list(arguments))


def started(root: Path, files: dict[str, str], **more: object) -> dict[str, Step]:
    """Write files, do what is planned, and return the steps by their path."""
    written(root, files)
    steps = plan(root, **more)
    write(root, steps)
    return {step.path: step for step in steps}


def test_an_empty_repository_gets_all_four_files(tmp_path: Path) -> None:
    steps = started(tmp_path, APP)
    assert {path: step.action for path, step in steps.items()} == {
        "seawall.toml": "create", ".env.example": "create", ".gitignore": "create", ".pre-commit-config.yaml": "create",
    }  # fmt: skip
    assert (tmp_path / ".gitignore").read_text() == ".env\n.env.*\n!.env.example\n.seawall/\n"
    assert (tmp_path / ".pre-commit-config.yaml").read_text() == f"repos:\n{HOOK}"
    assert (tmp_path / ".env.example").read_text() == (
        "# Copy this file to .env and fill it in; .env is never committed.\n\n"
        "# app.py:5\nDATABASE_URL=\n# app.py\nOPENAI_API_KEY=\n\n"
        "# With `seawall serve` running, the app is pointed at it:\n# OPENAI_BASE_URL=http://127.0.0.1:8787/v1\n"
    )


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    started(tmp_path, APP, with_ci=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    steps = plan(tmp_path, with_ci=True)
    write(tmp_path, steps)
    assert {step.action for step in steps} == {"keep"}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_plan_writes_nothing(tmp_path: Path) -> None:
    written(tmp_path, APP)
    plan(tmp_path, with_ci=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py", "tests"]


@pytest.mark.parametrize("stage", list(Stage))
def test_the_gateway_takes_the_file_of_every_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seawall.toml").write_text(settings_text(stage), "utf-8")
    done = CliRunner().invoke(seawall, ["doctor", "--config", "seawall.toml", "--json"])
    report = json.loads(done.stdout)
    assert (done.exit_code, report["problems"]) == (0, [])
    stated = {row["name"]: row["source"] for row in report["settings"]}
    assert stated["stage"] == "seawall.toml line 7"
    assert stated["budget.daily_usd"].startswith("seawall.toml line")
    assert read_settings(settings_text(stage), rows=definitions()).stage is stage


def test_what_is_commented_out_can_be_used_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = settings_text(Stage.MVP).splitlines()
    used = [
        line[2:] if line.startswith(("# [", "# ")) and (" = " in line or line.startswith("# [")) else line
        for line in lines
    ]
    Path("seawall.toml").write_text("\n".join(used) + "\n", "utf-8")
    done = CliRunner().invoke(seawall, ["doctor", "--config", "seawall.toml", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["problems"]) == (0, [])
    assert sorted(read_settings("\n".join(used), rows=definitions()).answers) == ["provider-limit"]


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ("node_modules\n.env", [".env.*", "!.env.example", ".seawall/"]),
        ("/.env\n", [".env.*", "!.env.example", ".seawall/"]),
        (".env*\n", ["!.env.example", ".seawall/"]),
        (".env\r\n.env.*\r\n!.env.example\r\n", [".seawall/"]),
        ("", [".env", ".env.*", "!.env.example", ".seawall/"]),
    ],
)
def test_only_missing_lines_are_added_to_gitignore(tmp_path: Path, before: str, added: list[str]) -> None:
    (tmp_path / ".gitignore").write_bytes(before.encode())
    step = started(tmp_path, APP)[".gitignore"]
    assert (step.action, list(step.lines)) == ("add", added)
    after = (tmp_path / ".gitignore").read_bytes().decode()
    ending = "\r\n" if "\r\n" in before else "\n"
    assert after == before + ("" if before.endswith("\n") or not before else "\n") + "".join(
        line + ending for line in added
    )


def test_the_added_lines_let_git_keep_the_example_only(tmp_path: Path) -> None:
    started(tmp_path, APP)
    for name in (".env", ".env.local", ".env.production"):
        (tmp_path / name).write_text("A=1\n")
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
    )
    assert [line for line in listed.stdout.splitlines() if line.startswith(".env")] == [".env.example"]


def test_a_tracked_env_file_is_pointed_out(tmp_path: Path) -> None:
    written(tmp_path, {**APP, ".env": "A=1\n"})
    for command in (["init", "-q"], ["add", "-f", ".env"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    note = {step.path: step.note for step in plan(tmp_path)}[".gitignore"]
    assert note == "git still tracks .env: git rm --cached .env, and rotate what is in it"


def test_missing_variables_are_added_to_the_example_that_is_there(tmp_path: Path) -> None:
    step = started(tmp_path, {**APP, ".env.sample": "# DATABASE_URL=postgres://\nOTHER=1"})[".env.sample"]
    assert (step.action, step.lines) == ("add", ("# app.py", "OPENAI_API_KEY="))
    assert (
        tmp_path / ".env.sample"
    ).read_text() == "# DATABASE_URL=postgres://\nOTHER=1\n# app.py\nOPENAI_API_KEY=\n"
    assert not (tmp_path / ".env.example").exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("repos:\n  - repo: https://example.com/a\n    rev: v1\n    hooks:\n      - id: a\n",
         f"repos:\n  - repo: https://example.com/a\n    rev: v1\n    hooks:\n      - id: a\n{HOOK}"),
        ("fail_fast: true\nrepos:  # ours\n  - repo: local\n    hooks:\n      - id: a\n\nexclude: ^x\n",
         f"fail_fast: true\nrepos:  # ours\n  - repo: local\n    hooks:\n      - id: a\n{HOOK}\nexclude: ^x\n"),
        ("repos:\n- repo: local\n  hooks:\n  - id: a",
         "repos:\n- repo: local\n  hooks:\n  - id: a\n" + "".join(f"{line[2:]}\n" for line in HOOK.splitlines())),
    ],
)  # fmt: skip
def test_the_hook_is_added_behind_the_others(tmp_path: Path, before: str, after: str) -> None:
    started(tmp_path, {**APP, ".pre-commit-config.yaml": before})
    assert (tmp_path / ".pre-commit-config.yaml").read_text() == after


@pytest.mark.parametrize("before", ["repos: []\n", "hello\n", "repos: [{repo: local}]\n"])
def test_a_list_of_hooks_that_is_not_understood_is_kept_and_the_lines_are_shown(
    tmp_path: Path, before: str
) -> None:
    step = started(tmp_path, {**APP, ".pre-commit-config.yaml": before})[".pre-commit-config.yaml"]
    assert (step.action, step.note, step.lines) == (
        "keep", "its list of repos was not understood; add this by hand", tuple(HOOK.splitlines()),
    )  # fmt: skip
    assert (tmp_path / ".pre-commit-config.yaml").read_text() == before


def test_husky_gets_the_hook_where_it_is_used(tmp_path: Path) -> None:
    steps = started(tmp_path, {**APP, ".husky/pre-commit": "npm test\n"})
    assert (tmp_path / ".husky/pre-commit").read_text() == "npm test\nseawall check --staged\n"
    assert ".pre-commit-config.yaml" not in steps


def test_the_workflow_is_written_only_when_asked_for(tmp_path: Path) -> None:
    assert ".github/workflows/seawall.yml" not in started(tmp_path, APP)
    steps = started(tmp_path, APP, with_ci=True)
    assert steps[".github/workflows/seawall.yml"].action == "create"
    assert "seawall check --format github" in (tmp_path / ".github/workflows/seawall.yml").read_text()


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (lambda place: place.symlink_to("elsewhere"), "it is a link, and is left alone"),
        (lambda place: place.mkdir(), "it is no file, and is left alone"),
        (lambda place: place.write_bytes(b"\xff\xfe.env"), "it is not UTF-8, and is left alone"),
        (lambda place: place.write_bytes(b"x" * 1_100_000), "it is too large to be changed by a program"),
    ],
)
def test_odd_files_are_left_alone(tmp_path: Path, make: object, note: str) -> None:
    make(tmp_path / ".gitignore")  # type: ignore[operator]
    step = started(tmp_path, APP)[".gitignore"]
    assert (step.action, step.note) == ("keep", note)


def test_a_file_that_changed_after_the_plan_is_not_overwritten(tmp_path: Path) -> None:
    written(tmp_path, APP)
    steps = plan(tmp_path)
    (tmp_path / "seawall.toml").write_text("mine\n")
    with pytest.raises(
        CannotStart, match=r"^seawall\.toml has changed meanwhile; run `seawall init` again\.$"
    ):
        write(tmp_path, steps)
    assert (tmp_path / "seawall.toml").read_text() == "mine\n"


# The variables that code reads.


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("a.py", "import os\nos.environ['A']\nos.environ.get('B', 'x')\nos.getenv(\"C\")\n", ["A", "B", "C"]),
        ("a.py", "from os import environ, getenv\nenviron['A']\ngetenv('B')\n", ["A", "B"]),
        ("a.py", "from decouple import config\nconfig('SECRET_KEY')\nenv.str('DB_URL')\n", ["DB_URL", "SECRET_KEY"]),
        ("a.py", "class S(BaseSettings):\n    api_key: str\n    model_config = {}\n    size: int = 3\n\nx: int = 1\n", ["API_KEY", "SIZE"]),
        ("a.py", "class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='APP_')\n    key: str\n", ["APP_KEY"]),
        ("a.ts", "process.env.A; process.env['B']; process.env?.C; import.meta.env.VITE_D; Deno.env.get('E'); Bun.env.F\n",
         ["A", "B", "C", "E", "F", "VITE_D"]),
        ("a.js", "const { A, B: b, C = 'x' } = process.env;\n", ["A", "B", "C"]),
        ("a.js", "process.env.NODE_ENV; process.env.PORT; process.env.VERCEL_URL\n", []),
        ("a.ts", "import Anthropic from '@anthropic-ai/sdk';\n", ["ANTHROPIC_API_KEY"]),
        ("a.py", "import openai\nopenai.api_key = os.environ['OPENAI_KEY']\n", ["OPENAI_KEY"]),
        ("a.md", "os.environ['A']\n", []),
    ],
)  # fmt: skip
def test_variables_are_found_in_every_spelling(
    tmp_path: Path, path: str, text: str, names: list[str]
) -> None:
    files = written(tmp_path, {path: text})
    assert [each.name for each in variables_read(files, files.paths)] == names


def test_a_variable_is_named_once_with_its_first_place(tmp_path: Path) -> None:
    files = written(tmp_path, {"a.py": "\nos.getenv('A')\n", "b.py": "os.getenv('A')\n"})
    assert variables_read(files, files.paths) == [Variable("A", "a.py", 2)]


# The command.


def test_the_command_says_what_was_done_and_what_comes_next(tmp_path: Path) -> None:
    written(tmp_path, {**APP, ".gitignore": ".env\n.env.*\n"})
    done = run(str(tmp_path), "--stage", "mvp")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "made      seawall.toml\n"
        "made      .env.example\n    + DATABASE_URL=\n    + OPENAI_API_KEY=\n"
        "added to  .gitignore\n    + !.env.example\n    + .seawall/\n"
        "made      .pre-commit-config.yaml\n"
        + "".join(f"    + {line}\n" for line in ["repos:", *HOOK.splitlines()])
        + "\n"
        "Next:\n"
        "  1. `seawall check` looks for leaked keys, open AI endpoints and what your\n"
        "     stage asks for. `pre-commit install` does the same before each commit.\n"
        "  2. Copy .env.example to .env and fill it in; it stays out of the repository.\n"
        "  3. `seawall serve`, then point your app at it:\n"
        "     OPENAI_BASE_URL=http://127.0.0.1:8787/v1, and the key that it prints.\n"
    )
    assert 'stage = "mvp"' in (tmp_path / "seawall.toml").read_text()


def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    written(tmp_path, APP)
    done = run(str(tmp_path), "--dry-run", "--ci")
    assert done.exit_code == 0
    assert "would make    seawall.toml\n" in done.stdout
    assert "\nNothing was written.\n" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py", "tests"]


def test_programs_get_json(tmp_path: Path) -> None:
    written(tmp_path, APP)
    steps = json.loads(run(str(tmp_path), "--json").stdout)
    assert [(step["path"], step["action"]) for step in steps] == [
        ("seawall.toml", "create"), (".env.example", "create"), (".gitignore", "create"),
        (".pre-commit-config.yaml", "create"),
    ]  # fmt: skip


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    done = run(str(tmp_path / "gone"))
    assert (done.exit_code, done.stderr) == (2, "seawall: gone is not a folder.\n")


def test_nothing_that_is_printed_is_wider_than_a_terminal(tmp_path: Path) -> None:
    written(tmp_path, {"a" * 60 + "/app.py": f"import os\nos.environ['{'A' * 79}']\n"})
    done = run(str(tmp_path), "--ci")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
