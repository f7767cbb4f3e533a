"""`seawall check`: options, exit codes, where the report goes, and that it starts without the gateway."""

import json
import os
import pty
import random
import re
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from seawall.check import check
from seawall.check.findings import Severity
from seawall.check.formats import NAMES
from seawall.check.options import Options
from seawall.check.report import Report
from seawall.cli.check import FORMATS, STAGES, FailOn, fails
from seawall.core.stages import Stage
from tests.check.reports import checklist, finding, report
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

PROGRAM = "from seawall.cli.start import main; main()"
LOADED = """
import sys
from seawall.cli.start import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
GATEWAY = {
    "aiosmtplib", "apsw", "asyncio", "cryptography", "httptools", "jwt", "numpy", "pydantic", "pydantic_settings",
    "splintr", "starlette", "typer", "uvicorn", "uvloop",
}  # fmt: skip
MARK = "seawall: " + "ignore"
"""Put together, so that the audit of this repository does not take the tests for ignores."""
OURS = (
    "seawall",
    "seawall.cli",
    "seawall.cli.check",
    "seawall.cli.start",
    "seawall.core",
    "seawall.core.stages",
)


def made_up_key() -> str:
    """Make what looks like an OpenAI key, now, so that no file of ours holds one."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=148)
    return f"sk-proj-{''.join(letters[:74])}T3BlbkFJ{''.join(letters[74:])}"


@pytest.fixture
def app(place: Place) -> Place:
    """A folder with one leaked key."""
    place.write("app.py", f'from openai import OpenAI\n\nclient = OpenAI(api_key="{made_up_key()}")\n')
    return place


@pytest.fixture
def clean(place: Place) -> Place:
    """A folder in which nothing is wrong."""
    place.write("app.py", "print('Hello')\n")
    return place


def categories(desk: Desk, *options: str) -> list[str]:
    """Return the categories that a run finds."""
    told = json.loads(desk.finish("check", "--format", "json", *options).stdout)
    return [each["category"] for each in told["findings"]]


def test_a_leaked_key_exits_with_1_and_is_masked(desk: Desk, app: Place) -> None:
    done = desk.finish("check")
    assert done.exit_code == 1
    assert "ERROR A secret in the code\n  app.py:3  " in done.stdout
    assert made_up_key()[:16] not in done.output
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_clean_folder_exits_with_0(desk: Desk, clean: Place) -> None:
    text = desk.run("check")
    assert text.startswith(f"seawall check {clean.cwd.name} · stage poc")
    assert "Nothing was found" in text


def test_another_folder_is_named_by_argument(desk: Desk, app: Place) -> None:
    (app.cwd / "inner").mkdir()
    assert "Nothing was found" in desk.run("check", "inner")


def test_what_is_not_there_is_one_sentence(desk: Desk, place: Place) -> None:
    place.write("file", "")
    for path in ("none", "file"):
        said = desk.run("check", path, code=2)
        assert said.startswith("seawall: ")
        assert said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["--stage", "x"], ["--format"], ["--colour"], ["a", "b"], ["--fail-on", "x"]]
)
def test_an_option_that_there_is_not_is_one_sentence(desk: Desk, clean: Place, arguments: list[str]) -> None:
    said = desk.run("check", *arguments, code=2)
    assert said.startswith("seawall: ")
    assert said.endswith(". Try: seawall check --help\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("option", ["--select", "--ignore", "--explain"])
def test_an_unknown_rule_is_one_sentence(desk: Desk, clean: Place, option: str) -> None:
    said = desk.run("check", option, "xs", code=2)
    assert said == "seawall: there is no rule 'xs'; did you mean xss?\n"


def test_rules_are_chosen_by_name_group_and_with_commas(desk: Desk, app: Place) -> None:
    assert categories(desk) == ["hardcoded-secret"]
    assert categories(desk, "--select", "secrets") == ["hardcoded-secret"]
    assert categories(desk, "--select", "web,ai") == []
    assert categories(desk, "--ignore", "xss", "--ignore", "ssrf, hardcoded-secret") == []


@pytest.mark.parametrize("form", NAMES)
def test_every_format_goes_to_the_screen_or_into_a_file(desk: Desk, app: Place, form: str) -> None:
    done = desk.finish("check", "--format", form, "--verbose")
    assert (done.exit_code, done.stderr) == (1, "")
    again = desk.finish("check", "--format", form, "--output", "report.out", "--verbose")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.endswith("The report is in report.out.\n")
    written = (app.cwd / "report.out").read_text("utf-8")
    assert written.splitlines()[0] == done.stdout.splitlines()[0]
    assert made_up_key()[:16] not in written


def test_a_file_that_cannot_be_written_is_one_sentence(desk: Desk, clean: Place) -> None:
    said = desk.run("check", "--output", "none/report", code=2)
    assert said == "seawall: none/report cannot be written (No such file or directory).\n"


def test_a_baseline_is_written_once_and_used_from_then_on(desk: Desk, app: Place) -> None:
    done = desk.finish("check", "--write-baseline")
    said = (
        "Wrote 1 finding (1 error) and 1 failing row of the checklist to seawall-baseline.json;"
        " from now on only what is new counts.\n"
    )
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", said)
    assert made_up_key()[:16] not in (app.cwd / "seawall-baseline.json").read_text("utf-8")
    assert categories(desk) == []
    assert desk.finish("check").exit_code == 0
    app.write("new.py", f'KEY = "{made_up_key()[::-1][-20:]}"\nOPENAI_API_KEY = "{made_up_key()[:-1]}x"\n')
    assert categories(desk) == ["hardcoded-secret"]


def test_a_baseline_is_named_by_option(desk: Desk, app: Place) -> None:
    desk.run("check", "--write-baseline", "--baseline", "known.json")
    assert not (app.cwd / "seawall-baseline.json").exists()
    assert categories(desk, "--baseline", "known.json") == []
    assert desk.run("check", "--baseline", "none.json", code=2) == (
        "seawall: the baseline none.json cannot be read (No such file or directory).\n"
    )


@pytest.mark.parametrize("part", [["--staged"], ["--no-history"], ["--select", "ai"], ["--ignore", "ai"]])
def test_a_baseline_of_a_part_is_refused(desk: Desk, app: Place, part: list[str]) -> None:
    said = desk.run("check", "--write-baseline", *part, code=2)
    assert said.startswith("seawall: a baseline holds everything: ")
    assert not (app.cwd / "seawall-baseline.json").exists()


def test_the_grade_is_true_whatever_is_asked_for_or_known(desk: Desk, app: Place) -> None:
    def told(*options: str) -> tuple[int, str, str]:
        done = desk.finish("check", "--format", "json", *options)
        rows = {row["row"]: row["state"] for row in json.loads(done.stdout)["checklist"]}
        return done.exit_code, json.loads(done.stdout)["grade"], rows["secrets-in-code"]

    assert told() == (1, "F", "fail")
    assert told("--select", "ai") == (0, "F", "fail")
    assert told("--ignore", "secrets") == (0, "F", "fail")
    desk.run("check", "--write-baseline")
    assert told() == (0, "F", "fail")


def test_a_failing_row_without_a_finding_is_known_to_a_baseline(desk: Desk, clean: Place) -> None:
    assert desk.finish("check", "--stage", "beta").exit_code == 1
    desk.run("check", "--stage", "beta", "--write-baseline")
    assert desk.finish("check", "--stage", "beta").exit_code == 0
    assert desk.finish("check", "--stage", "beta", "--baseline", os.devnull).exit_code == 2


@pytest.mark.parametrize("form", NAMES)
def test_what_is_staged_has_no_grade_and_no_checklist(desk: Desk, app: Place, form: str) -> None:
    for command in (["init", "-q"], ["add", "app.py"]):
        subprocess.run(["git", "-C", str(app.cwd), *command], check=True)
    app.write("other.py", "")
    told = desk.finish("check", "--staged", "--format", form)
    assert told.exit_code == 1
    assert not re.search(r"\b[Gg]rade [A-F]\b|class=.grade|hecklist of", told.stdout)
    if form == "json":
        read = json.loads(told.stdout)
        assert (read["grade"], read["checklist"], read["files"]) == (None, [], 1)
        assert read["verdict"] == "1 error."


def test_with_nothing_staged_it_says_so(desk: Desk, app: Place) -> None:
    subprocess.run(["git", "-C", str(app.cwd), "init", "-q"], check=True)
    told = desk.finish("check", "--staged")
    assert (told.exit_code, "Nothing is staged" in told.stdout) == (0, True)


def test_an_ignore_with_a_reason_counts(desk: Desk, app: Place) -> None:
    line = f'KEY = "{made_up_key()}"  # {MARK}[hardcoded-secret]'
    app.write("app.py", f"{line} was revoked in May\n")
    assert categories(desk) == []
    app.write("app.py", f"{line}\n")
    done = desk.finish("check")
    assert done.exit_code == 1
    assert "app.py:1: ignore[hardcoded-secret] has no effect without a reason behind it." in " ".join(
        done.stdout.split()
    )


def test_what_is_too_early_can_be_ignored_as_well(desk: Desk, clean: Place) -> None:
    clean.write("requirements.txt", "openai\ncelery\n")
    told = json.loads(desk.run("check", "--format", "json"))
    assert [(each["path"], each["line"]) for each in told["too_early"]] == [("requirements.txt", 2)]
    clean.write("requirements.txt", f"openai\ncelery  # {MARK}[too-early] three hosts share it\n")
    told = json.loads(desk.run("check", "--format", "json"))
    assert (told["too_early"], [each["rule"] for each in told["suppressed"]]) == ([], ["too-early"])
    assert not [notice for notice in told["notices"] if "ignore[" in notice]


def test_a_rule_is_explained_without_an_audit(desk: Desk, tmp_path: Path) -> None:
    text = desk.run("check", "none", "--explain", "llm-output-sql")
    assert text.startswith("ERROR What the model writes is sent to the database (llm-output-sql)\n")


@pytest.mark.parametrize(
    ("made", "level", "expected"),
    [
        (report(findings=[], checklist=[]), FailOn.NOTE, False),
        (report(findings=[finding(severity=Severity.NOTE)], checklist=[]), FailOn.WARNING, False),
        (report(findings=[finding(severity=Severity.NOTE)], checklist=[]), FailOn.NOTE, True),
        (report(findings=[finding()], checklist=[]), FailOn.ERROR, False),
        (report(findings=[finding()], checklist=[]), FailOn.WARNING, True),
        (report(findings=[finding(severity=Severity.ERROR)], checklist=[]), FailOn.ERROR, True),
        (report(findings=[finding(severity=Severity.ERROR)]), FailOn.NEVER, False),
        (report(findings=[]), FailOn.ERROR, True),
        (report(findings=[], checklist=checklist()[2:]), FailOn.NOTE, False),
    ],
)
def test_what_counts_decides_the_exit_code(made: Report, level: FailOn, expected: bool) -> None:
    assert fails(made, level) is expected


def test_a_row_that_the_baseline_knows_does_not_count() -> None:
    rows = [replace(row, counts=False) for row in checklist()]
    assert fails(report(findings=[], checklist=rows), FailOn.ERROR) is False


def test_names_are_those_of_the_house() -> None:
    assert tuple(stage.value for stage in Stage) == STAGES
    assert FORMATS == NAMES


def test_the_audit_can_be_called_from_python(app: Place) -> None:
    assert [each.rule for each in check(app.cwd).findings] == ["hardcoded-secret"]
    assert check(str(app.cwd), Options(select=("ai",))).findings == []


def run(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "COLUMNS": "80", **environ},
    )


@pytest.mark.parametrize("arguments", [["--help"], [], ["--format", "sarif"], ["--explain", "xss"]])
def test_the_gateway_is_not_imported(app: Place, arguments: list[str]) -> None:
    done = run("-c", LOADED, "check", *arguments, cwd=app.cwd)
    loaded = done.stderr.splitlines()[-1].split()
    assert "seawall.cli.check" in loaded
    assert GATEWAY.isdisjoint(name.split(".")[0] for name in loaded)
    ours = [name for name in loaded if name.startswith("seawall") and not name.startswith("seawall.check")]
    assert sorted(set(ours) - set(OURS)) == []


def test_the_package_alone_imports_nothing(tmp_path: Path) -> None:
    program = "import seawall.check, sys; print(*sorted(n for n in sys.modules if n.startswith(('seawall', 'msgspec', 'rich'))))"
    assert run("-c", program, cwd=tmp_path).stdout.split() == ["seawall", "seawall.check"]


def test_the_module_is_the_command(app: Place) -> None:
    by_module = run("-m", "seawall.check", "--format", "markdown", cwd=app.cwd)
    by_name = run("-c", PROGRAM, "check", "--format", "markdown", cwd=app.cwd)
    assert (by_module.returncode, by_module.stdout) == (by_name.returncode, by_name.stdout) != (0, "")


def test_a_terminal_that_knows_ascii_alone_is_no_trouble(app: Place) -> None:
    done = run("-m", "seawall.check", cwd=app.cwd, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.isascii()


def test_a_reader_that_has_seen_enough_is_no_trouble(app: Place) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "seawall.check"],
            cwd=app.cwd,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_colours_and_progress_are_for_terminals(app: Place) -> None:
    plain = run("-m", "seawall.check", cwd=app.cwd).stdout
    assert "\x1b[" not in plain
    assert "\x1b[" in on_a_terminal(app.cwd)
    assert "\x1b[" not in on_a_terminal(app.cwd, NO_COLOR="1")


def on_a_terminal(cwd: Path, **environ: str) -> str:
    """Run the command in a real pseudo-terminal; returns what the screen is sent."""
    outer, inner = pty.openpty()
    given: dict[str, Any] = {"stdin": inner, "stdout": inner, "stderr": inner}
    known = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **environ}
    process = subprocess.Popen([sys.executable, "-m", "seawall.check"], cwd=cwd, env=known, **given)
    os.close(inner)
    sent = b""
    while True:
        try:
            part = os.read(outer, 65_536)
        except OSError:  # The other end is closed.
            break
        if not part:
            break
        sent += part
    os.close(outer)
    assert process.wait() == 1
    return sent.decode("utf-8")
