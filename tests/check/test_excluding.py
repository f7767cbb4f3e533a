"""What `check.exclude` names is left out of everything, and the report says how much that is."""

import pytest

from seawall.check import check
from seawall.check.checklist.definitions import definitions
from seawall.check.excluding import left_out, why_not
from seawall.check.options import Options
from seawall.check.settings import BadSettings, read_settings
from tests.check.conftest import Repo
from tests.check.made_up import made_up

PATHS = [
    "app.py",
    "tests/check/apps/a/app.py",
    "tests/check/apps/README.md",
    "tests/check/test_a.py",
    "docs/a.ipynb",
    "a.ipynb",
    "app/[id]/page.tsx",
    "app/i/page.tsx",
    "bench/run.py",
    "bench",
    "bench.py",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("tests/check/apps/**", ["tests/check/apps/a/app.py", "tests/check/apps/README.md"]),
        ("tests/check/apps/", ["tests/check/apps/a/app.py", "tests/check/apps/README.md"]),
        ("tests/check/apps", ["tests/check/apps/a/app.py", "tests/check/apps/README.md"]),
        ("tests/check/*.py", ["tests/check/test_a.py"]),
        ("./tests/*/test_?.py", ["tests/check/test_a.py"]),
        ("**/app.py", ["app.py", "tests/check/apps/a/app.py"]),
        ("tests/**/a/*", ["tests/check/apps/a/app.py"]),
        ("tests/**/check/**/a*.py", ["tests/check/apps/a/app.py"]),
        ("*.ipynb", ["docs/a.ipynb", "a.ipynb"]),
        ("bench/", ["bench/run.py"]),
        ("bench", ["bench/run.py", "bench"]),
        ("app/[id]/**", ["app/[id]/page.tsx"]),
        ("**", PATHS),
        ("APP.py", []),
    ],
)
def test_patterns_mean_what_people_expect(pattern: str, expected: list[str]) -> None:
    is_left_out = left_out([pattern])
    assert is_left_out is not None
    assert [path for path in PATHS if is_left_out(path)] == expected


def test_without_a_pattern_nothing_is_left_out() -> None:
    assert left_out([]) is None


def test_no_pattern_takes_long() -> None:
    """Were there two ways through a path, the second file would take minutes."""
    is_left_out = left_out(["*a" * 90 + "b", "**/a/**/a/**/b/*c"])
    assert is_left_out is not None
    assert [is_left_out(path) for path in ("a" * 4000, "a/" * 2000, "a/" * 500 + "b/" * 1500 + "ac")] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "is empty"),
        ("/", "is empty"),
        (" ./ ", "is empty"),
        ("a" * 201, "is longer than 200 characters"),
        ("**/a/**/b/**/c/**", "holds ** more than 3 times"),
        ("/etc/*", "must be relative to the folder, without a / in front and without .."),
        ("../other", "must be relative to the folder, without a / in front and without .."),
        ("a/**", ""),
    ],
)
def test_a_pattern_that_cannot_be_used_is_one_sentence(pattern: str, reason: str) -> None:
    assert why_not(pattern) == reason
    if reason:
        with pytest.raises(BadSettings, match=r"^seawall\.toml: check\.exclude: "):
            read_settings(f"[check]\nexclude = ['{pattern}']\n", rows=definitions())


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(BadSettings, match=r"^seawall\.toml: check\.exclude has more than 100 patterns\.$"):
        read_settings(f"[check]\nexclude = {['a'] * 101}\n", rows=definitions())


FILES = {
    "app.py": "import os\nos.system(input())\n",
    "bad/app.py": "from flask import Flask, request\napp = Flask(__name__)\n@app.get('/')\ndef f():\n    return eval(request.args['q'])\n",
    "bad/.env": "A=1\n",
    "bad/image.png": "",
    "seawall.toml": "[check]\nexclude = ['bad/', 'worse/']\n",
}


def test_what_is_left_out_is_neither_read_nor_judged_and_is_told(repo: Repo) -> None:
    for path, text in FILES.items():
        repo.put(path, text)
    report = check(repo.root)
    assert [each for each in report.findings if each.path.startswith("bad/")] == []
    assert report.files == 2
    assert "3 files left out, as check.exclude in seawall.toml says." in report.notices
    assert "seawall.toml: check.exclude 'worse/' matches no file." in report.notices


def test_what_is_left_out_is_left_out_of_the_index_and_the_history(repo: Repo) -> None:
    for path, text in FILES.items():
        repo.put(path, text)
    repo.put("bad/keys.py", f'OPENAI_API_KEY = "{made_up("key:openai", "excluded")}"\n')
    repo.commit()
    (repo.root / "bad/keys.py").unlink()
    repo.commit()
    repo.put("bad/other.py", FILES["bad/app.py"].replace("'q'", "'p'"))
    repo.git("add", "-A", "-f")
    for options in (Options(), Options(staged=True)):
        assert [each for each in check(repo.root, options).findings if each.path.startswith("bad/")] == []
    repo.put("seawall.toml", "")
    assert {each.path for each in check(repo.root).findings} >= {"bad/app.py", "bad/other.py", "bad/keys.py"}
