"""Whatever lies in a folder, an audit ends with a report or one sentence, and never with a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seawall.check import audit, check
from seawall.check.files import FILE_BYTES_MAX
from seawall.check.formats import NAMES, writer
from seawall.check.options import CannotRun, Options
from seawall.check.report import Report
from tests.check.conftest import Repo

OPEN = """\
from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def run():
    return str(eval(request.args["q"]))
"""
NAMES_OF_FILES = (
    "with space.py", "new\nline.py", "tab\t.py", "esc\x1b[31mred.py", "app[id].py", 'quote".py', "quo'te.py",
    "per%cent,colon:.py", "back`tick.py", "<b>.py", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.py",
    "\N{RIGHT-TO-LEFT OVERRIDE}right.py", "-dash.py",
)  # fmt: skip
ALWAYS = "This folder is in no git repository: what is tracked and its history were not looked at."


def put(root: Path, path: str, content: str | bytes) -> None:
    """Write one file."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)


def noticed(report: Report) -> list[str]:
    """Return the notices but the one that every folder without git gets."""
    return [notice for notice in report.notices if notice != ALWAYS]


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("a.py", "from openai import OpenAI\nclient = OpenAI(\n", "a.py could not be read as code: line 2 is not valid Python 3 ('(' was never closed)."),
        ("a.py", "<<<<<<< HEAD\nimport openai\n=======\n", "a.py could not be read as code: line 1 is not valid Python 3 (invalid syntax)."),
        ("a.py", "import openai\n" + "(" * 3_000 + "1" + ")" * 3_000, "a.py could not be read as code: line 2 is not valid Python 3 (too many nested parentheses)."),
        ("a.py", b"import openai\0\n", "a.py could not be read as code: it holds null bytes, as programs and pictures do."),
        ("a.py", b"x = 1\n" * (FILE_BYTES_MAX // 6 + 1), "a.py was not read: 4 MB are more than 4 MB."),
        ("a.ts", b'import OpenAI from "openai";\0\n', "a.ts could not be read as code: it holds null bytes, as programs and pictures do."),
        ("a.ts", 'import OpenAI from "openai";\nconst a: = ;;; }}}{{{ `\n', None),
        ("a.tsx", "export default function( { return <div><p></div> }\n", None),
        ("a.js", 'import OpenAI from "openai";\nx = ' + "[" * 30_000 + "]" * 30_000, None),
        ("a.js", 'import "openai";\nconst a = "' + "a" * 1_000_000 + '";\n', None),
        ("a.py", "import openai\nx = [" + "1," * 100_000 + "]\n", None),
        ("a.py", "# -*- coding: latin-1 -*-\nimport openai\nname = 'caf\xe9'\n".encode("latin-1"), None),
        ("a.py", "\ufeffimport openai\r\nx = 1\r\n", None),
        ("a.py", b"", None),
        ("a.ipynb", '{"cells": [{"cell_type": "code", "source": 5}, 3, {"source": ["a", 1]}]}', None),
        ("a.ipynb", '{"cells":', None),
        ("package.json", '{"dependencies": ["a", 3, {"b": null}], "scripts": 7, "engines": []}', None),
        ("package.json", "[" * 100_000, None),
        ("pyproject.toml", "[project\n", None),
        ("pyproject.toml", "project = 3\ntool = []\n", None),
        ("requirements.txt", "openai\n".encode("utf-16"), None),
        ("docker-compose.yml", "services: [\n", None),
        (".env", b"\xff\xfe\x00A=B\n", None),
        (".env.local", "A=" + "x" * 500_000, None),
        (".github/workflows/ci.yml", "on: [[[[{{{{\n\t- x\n", None),
        ("a.png", b"\x89PNG\r\n", None),
    ],
)  # fmt: skip
def test_odd_content_ends_in_a_report_and_at_most_one_line(
    tmp_path: Path, path: str, content: str | bytes, said: str | None
) -> None:
    put(tmp_path, path, content)
    put(tmp_path, "open.py", OPEN)
    report = check(tmp_path)
    assert [each.path for each in report.findings if each.rule == "code-injection"] == ["open.py"]
    assert noticed(report) == ([] if said is None else [said])


def test_many_files_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        put(tmp_path, f"old{number}.py", "print 'hello'\n")
    told = noticed(check(tmp_path))
    assert (len(told), told[-1]) == (6, "3 more files could not be read as code.")


def test_windows_line_ends_keep_their_lines(tmp_path: Path) -> None:
    put(tmp_path, "unix.py", OPEN)
    put(tmp_path, "windows.py", OPEN.replace("\n", "\r\n"))
    put(
        tmp_path,
        "ignored.py",
        OPEN.replace("    return", "    # seawall: ignore[web] ours\n    return").replace("\n", "\r\n"),
    )
    found = check(tmp_path).findings
    assert [(each.path, each.line) for each in found if each.rule == "code-injection"] == [
        ("unix.py", 8),
        ("windows.py", 8),
    ]


@pytest.mark.parametrize("name", NAMES_OF_FILES)
@pytest.mark.parametrize("form", NAMES)
def test_no_file_name_breaks_a_format(tmp_path: Path, form: str, name: str) -> None:
    put(tmp_path, name, OPEN)
    report = check(tmp_path)
    assert [each.path for each in report.findings if each.rule == "code-injection"] == [name]
    plain = writer(form)(report)
    put(tmp_path, "plain.py", OPEN)
    (tmp_path / name).unlink()
    assert "\x1b" not in plain
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in plain
    assert "<b>" not in plain or form in ("terminal", "json", "github", "markdown")
    if form in ("json", "sarif"):
        json.loads(plain)
    if form in ("terminal", "github"):
        as_plain = writer(form)(check(tmp_path))
        assert abs(plain.count("\n") - as_plain.count("\n")) <= 2  # A longer name may wrap.


def test_a_name_that_is_no_text_is_audited_as_well(tmp_path: Path) -> None:
    place = os.path.join(os.fsencode(tmp_path), b"bad\xff.py")
    with open(place, "w") as file:
        file.write(OPEN)
    report = check(tmp_path)
    assert [each.path for each in report.findings] == ["bad\\xff.py"]
    for form in NAMES:
        writer(form)(report).encode("utf-8")


def test_links_and_pipes_end(tmp_path: Path) -> None:
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "out").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.py")
    put(tmp_path, "open.py", OPEN)
    report = check(tmp_path)
    assert report.files == 1
    assert [notice.split(" is a link ")[0] for notice in noticed(report)] == ["a", "b", "loop", "out", "up"]


def test_an_empty_folder_has_no_grade(tmp_path: Path) -> None:
    report = check(tmp_path)
    assert (report.findings, report.checklist, report.grade, noticed(report)) == (
        [],
        [],
        "",
        ["There is no file here."],
    )
    for form in NAMES:
        assert writer(form)(report)


@pytest.mark.parametrize(
    ("prepare", "options", "said"),
    [
        (lambda root: root.rmdir(), Options(), "{root} is not a folder."),
        (lambda root: (root.rmdir(), root.touch()), Options(), "{root} is not a folder."),
        (lambda root: None, Options(staged=True), f"--staged cannot be answered here. {ALWAYS}"),
        (lambda root: (root / "seawall.toml").mkdir(), Options(), "{root}/seawall.toml is not a file."),
        (lambda root: os.mkfifo(root / "seawall.toml"), Options(), "{root}/seawall.toml is not a file."),
        (lambda root: (root / "seawall.toml").symlink_to("/dev/zero"), Options(), "{root}/seawall.toml is not a file."),
        (lambda root: (root / "seawall.toml").write_text("[check\n"), Options(), "seawall.toml is not valid TOML: Expected ']' at the end of a table declaration (at line 1, column 7)"),
        (lambda root: None, Options(baseline=Path("none.json")), "the baseline none.json cannot be read (No such file or directory)."),
        (lambda root: None, Options(config=Path("/none.toml")), "/none.toml cannot be read (No such file or directory)."),
    ],
)  # fmt: skip
def test_what_cannot_be_audited_is_one_sentence(
    tmp_path: Path, prepare: Callable[[Path], object], options: Options, said: str
) -> None:
    root = tmp_path / "app"
    root.mkdir()
    prepare(root)
    with pytest.raises(CannotRun) as stopped:
        check(root, options)
    assert str(stopped.value) == said.format(root=root)


UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""Runs a program as root who may not read everything; for everybody else permissions count anyway."""


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command so that permissions count."""
    drop = UNPRIVILEGED if os.geteuid() == 0 else ()
    return subprocess.run(
        [*drop, sys.executable, "-m", "seawall.check", *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )


def test_what_may_not_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    put(tmp_path, "open.py", OPEN)
    put(tmp_path, "locked/b.py", OPEN)
    put(tmp_path, "c.py", OPEN)
    (tmp_path / "locked").chmod(0)
    (tmp_path / "c.py").chmod(0)
    done = run("--format", "json", cwd=tmp_path)
    inside = run("locked", cwd=tmp_path)
    kept = run("--write-baseline", "--baseline", "locked/known.json", cwd=tmp_path)
    (tmp_path / "locked").chmod(0o755)
    told = json.loads(done.stdout)
    assert [each["path"] for each in told["findings"]] == ["open.py"]
    assert told["notices"][1:] == [
        "locked could not be read: Permission denied.",
        "c.py could not be read: Permission denied.",
    ]
    assert (inside.returncode, inside.stdout, inside.stderr) == (
        2,
        "",
        "seawall: locked cannot be read (Permission denied).\n",
    )
    assert (kept.returncode, kept.stdout, kept.stderr.count("\n")) == (2, "", 1)


def test_a_name_cannot_break_the_one_line(tmp_path: Path) -> None:
    done = run("no\nsuch\x1b[31mfolder", cwd=tmp_path)
    sign = "\N{REPLACEMENT CHARACTER}"
    assert (done.returncode, done.stderr) == (2, f"seawall: no{sign}such{sign}[31mfolder is not a folder.\n")


def commits(repo: Repo, number: int) -> None:
    """Make commits, each with another line."""
    for at in range(number):
        repo.put("a.py", f"x = {at}\n")
        repo.commit(str(at))


def test_a_repository_without_commits_is_audited(repo: Repo) -> None:
    repo.put("open.py", OPEN)
    report = check(repo.root)
    assert ([each.path for each in report.findings], report.commits) == (["open.py"], 0)
    assert report.notices == ["The repository has no commits yet: there is no history to look at."]
    repo.git("add", "-A")
    staged = check(repo.root, Options(staged=True))
    assert ([each.path for each in staged.findings], staged.notices) == (["open.py"], [])


def test_a_shallow_clone_says_how_much_it_has(repo: Repo, tmp_path: Path) -> None:
    commits(repo, 4)
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", repo.root.as_uri(), str(tmp_path / "shallow")], check=True
    )
    report = check(tmp_path / "shallow")
    said = "The clone is shallow: only 2 commits were looked at; `git fetch --unshallow` gets the rest."
    assert (report.commits, report.notices) == (2, [said])


def test_a_bare_repository_has_its_history_alone(repo: Repo, tmp_path: Path) -> None:
    commits(repo, 2)
    subprocess.run(["git", "clone", "-q", "--bare", str(repo.root), str(tmp_path / "bare")], check=True)
    report = check(tmp_path / "bare")
    assert (report.files, report.commits) == (0, 2)
    assert report.notices == ["This is a bare repository: only its history was looked at."]


def test_a_submodule_is_named_and_not_read(repo: Repo, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.put("open.py", OPEN)
    inner.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.root), "inner")
    repo.commit()
    report = check(repo.root)
    assert (report.findings, report.notices) == ([], ["inner is a submodule: it was not read."])
    assert check(repo.root, Options(staged=True)).findings == []


def test_a_git_that_leads_nowhere_is_one_line(tmp_path: Path) -> None:
    put(tmp_path, ".git", "gitdir: /nowhere\n")
    put(tmp_path, "open.py", OPEN)
    report = check(tmp_path)
    assert [each.path for each in report.findings] == ["open.py"]
    assert report.notices == [
        "The .git here is no git repository: what is tracked and its history were not looked at."
    ]


def test_thousands_of_files_have_progress(tmp_path: Path) -> None:
    for folder in range(30):
        for number in range(40):
            put(tmp_path, f"f{folder}/m{number}.py", f"def f(x):\n    return x + {number}\n")
    put(tmp_path, "a_open.py", OPEN)
    told: list[tuple[str, int, int]] = []
    report = audit.audit(tmp_path, Options(), lambda *step: told.append(step))
    assert (report.files, [each.path for each in report.findings]) == (1_201, ["a_open.py"])
    assert {what for what, _, _ in told} >= {"looking for files", "looking for secrets", "reading the code"}
    assert all(done <= total for _, done, total in told if total)
