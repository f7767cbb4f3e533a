"""An ignore beside the code takes out its own rule, with a reason, and nothing else."""

import pytest

from seawall.check.ignoring import NOTICES_MAX, split
from tests.check.reports import finding


def sift(text: str, *found: tuple[str, int], path: str = "app.py", **fields: object):  # type: ignore[no-untyped-def]
    findings = [finding(rule, path, line, **fields) for rule, line in found]
    return split(findings, {path: text}.get, [path])


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app.py", "ask(text)  # seawall: ignore[no-max-tokens] the model stops by itself"),
        ("app.ts", "ask(text); // seawall: ignore[no-max-tokens] the model stops by itself"),
        ("app.ts", "ask(text); /* seawall: ignore[no-max-tokens] the model stops by itself */"),
        ("page.tsx", "{/* seawall: ignore[no-max-tokens] the model stops by itself */}<Chat />"),
        ("page.html", "<p>x</p><!-- seawall: ignore[no-max-tokens] the model stops by itself -->"),
        ("q.sql", "SELECT 1 -- seawall: ignore[no-max-tokens] the model stops by itself"),
        (
            "app.py",
            "ask(text)  # noqa: E501 Seawall: Ignore[ no-max-tokens , xss ]: the model stops by itself",
        ),
        ("app.ipynb", '    "ask(text)  # seawall: ignore[ai] the model stops by itself\\n",'),
        ("app.py", "ask(text)  # seawall: ignore[no-max-tokens] - the model stops by itself\r"),
    ],
)
def test_an_ignore_in_any_comment_counts_with_its_reason(path: str, line: str) -> None:
    kept, [ignored], notices = sift(line, ("no-max-tokens", 1), path=path)
    assert (kept, ignored.suppressed_by, ignored.reason) == ([], "inline", "the model stops by itself")
    assert notices == []


def test_an_ignore_that_stands_alone_counts_for_the_next_line_of_code() -> None:
    text = "# seawall: ignore[no-max-tokens] short by nature\n# A comment.\n\nask(text)\nask(text)\n"
    kept, ignored, _ = sift(text, ("no-max-tokens", 4), ("no-max-tokens", 5))
    assert ([each.line for each in kept], [each.line for each in ignored]) == ([5], [4])


def test_an_ignore_behind_code_does_not_count_for_the_next_line() -> None:
    kept, _, [notice] = sift("a = 1  # seawall: ignore[no-max-tokens] why\nask(text)\n", ("no-max-tokens", 2))
    assert [each.line for each in kept] == [2]
    assert notice == "app.py:1: ignore[no-max-tokens] matches nothing; it can go."


def test_a_comment_in_front_of_code_counts_for_that_line_alone() -> None:
    text = "{/* seawall: ignore[xss] our own text */}<Chat />\n<Chat />\n"
    kept, ignored, _ = sift(text, ("xss", 1), ("xss", 2), path="page.tsx")
    assert ([each.line for each in kept], [each.line for each in ignored]) == ([2], [1])


def test_an_ignore_counts_on_any_line_of_what_it_speaks_of() -> None:
    text = "ask(\n    text,  # seawall: ignore[no-max-tokens] short by nature\n)\n"
    kept, ignored, _ = sift(text, ("no-max-tokens", 1), end_line=3)
    assert (kept, len(ignored)) == ([], 1)


def test_an_ignore_takes_out_its_own_rule_alone() -> None:
    line = "ask(text)  # seawall: ignore[no-max-tokens] short by nature\n"
    kept, ignored, _ = sift(line, ("no-max-tokens", 1), ("unbounded-history", 1))
    assert ([each.rule for each in kept], [each.rule for each in ignored]) == (
        ["unbounded-history"],
        ["no-max-tokens"],
    )


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (
            "# seawall: ignore[no-max-tokens]",
            "ignore[no-max-tokens] has no effect without a reason behind it.",
        ),
        ("/* seawall: ignore[xss] */", "ignore[xss] has no effect without a reason behind it."),
        (
            "# seawall: ignore[no-max-tokens] ...",
            "ignore[no-max-tokens] has no effect without a reason behind it.",
        ),
        ("# seawall: ignore it is fine", "an ignore names its rule: seawall: ignore[RULE] reason."),
        ("# seawall: ignore[] it is fine", "an ignore names its rule: seawall: ignore[RULE] reason."),
        (
            "# seawall: ignore[max-tokens] fine",
            "an ignore that cannot be read: there is no rule 'max-tokens'; did you mean no-max-tokens?",
        ),
    ],
)
def test_an_ignore_without_effect_is_said_and_the_finding_stays(comment: str, said: str) -> None:
    kept, ignored, notices = sift(f"ask(text)  {comment}\n", ("no-max-tokens", 1))
    assert (len(kept), ignored, notices) == (1, [], [f"app.py:1: {said}"])


def test_a_finding_about_a_whole_file_is_ignored_at_its_top() -> None:
    text = "# seawall: ignore[debug-on] only on my machine\nDEBUG = True\n"
    assert sift(text, ("debug-on", 0)).kept == []
    assert len(sift("\n" * 20 + text, ("debug-on", 0)).kept) == 1


def test_the_history_is_not_ignored_by_a_line_of_today() -> None:
    text = "# seawall: ignore[hardcoded-secret-history] rotated\nkey = 1\n"
    kept, _, _ = sift(text, ("hardcoded-secret-history", 2), in_tree=False)
    assert len(kept) == 1


def test_files_without_a_finding_are_searched_for_ignores_that_can_go() -> None:
    texts = {
        "a.py": "x = 1  # seawall: ignore[xss] once\n",
        "b.md": "    # seawall: ignore[xss] an example\n",
    }
    assert split([], texts.get, texts).notices == ["a.py:1: ignore[xss] matches nothing; it can go."]
    assert split([], texts.get).notices == []


def test_notices_have_a_bound() -> None:
    notices = sift("# seawall: ignore[xss] once\n\n" * 1000).notices
    assert len(notices) == NOTICES_MAX + 1
    assert notices[-1] == "980 more about ignores are not shown."


def test_a_file_that_cannot_be_read_ignores_nothing() -> None:
    assert len(split([finding()], lambda path: None, ["app.py"]).kept) == 1


@pytest.mark.parametrize(
    "text", ["#" * 200_000, "seawall: ignore[" * 20_000, "# seawall: ignore[" + "a," * 100_000]
)
def test_hostile_lines_are_read_in_no_time(text: str) -> None:
    assert len(sift(text, ("xss", 1)).kept) == 1


def test_a_program_that_writes_ignores_is_none() -> None:
    text = 'line = f"# seawall: ignore[{rule}] {reason}"\nother = `// seawall: ignore[${rule}] ${reason}`\n'
    assert sift(text, ("xss", 1)).notices == []
