"""What was committed once is in every clone: found with its commit, and told from what is still there."""

import subprocess
from pathlib import Path

from seawall.check.files import walk
from seawall.check.secrets import scan, scan_history, scan_tree
from tests.check.conftest import Repo
from tests.check.secret_values import draw

KEY = f"sk-proj-{draw(60)}"
OTHER = f"gsk_{draw(52, seed=3)}"


def test_a_deleted_key_is_found_with_the_commit_that_brought_it(repo: Repo) -> None:
    repo.put("app.py", "print(1)\n")
    repo.commit()
    repo.put("app.py", f'\n\nkey = "{KEY}"\n')
    bad = repo.commit()
    repo.put("app.py", "import os\n")
    repo.commit()
    result = scan(walk(repo.root))
    assert result.commits == 3
    (finding,) = result.findings
    assert finding.rule == "hardcoded-secret-history"
    assert (finding.path, finding.line, finding.commit) == ("app.py", 3, bad[:12])
    assert finding.committed_at == "2026-03-01T12:00:00+00:00"
    assert not finding.in_tree
    assert "platform.openai.com" in finding.fix
    assert KEY not in str(finding)


def test_a_key_that_is_still_there_is_one_finding_with_its_first_commit(repo: Repo) -> None:
    repo.put("old.py", f'key = "{KEY}"\n')
    first = repo.commit()
    repo.git("mv", "old.py", "new.py")
    repo.put("new.py", f'import x\nOPENAI_API_KEY = "{KEY}"\n')
    repo.commit()
    (finding,) = scan(walk(repo.root)).findings
    assert (finding.rule, finding.path, finding.line) == ("hardcoded-secret", "new.py", 2)
    assert (finding.commit, finding.in_tree) == (first[:12], True)


def test_branches_and_tags_are_searched(repo: Repo) -> None:
    repo.put("a.py", "1\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "side")
    repo.put("side.py", f'key = "{KEY}"\n')
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.git("checkout", "-q", "--detach")
    repo.put("tagged.py", f'key = "{OTHER}"\n')
    repo.commit()
    repo.git("tag", "v1")
    repo.git("checkout", "-q", "main")
    assert sorted(one.path for one in scan(walk(repo.root)).findings) == ["side.py", "tagged.py"]


def test_a_deleted_environment_file_is_found(repo: Repo) -> None:
    repo.put(".env", f"OPENAI_API_KEY={KEY}\nDEBUG=1\n")
    repo.put("a.py", "1\n")
    repo.commit()
    repo.git("rm", "-q", ".env")
    repo.git("commit", "-q", "-m", "oops")
    (finding,) = scan(walk(repo.root)).findings
    assert (finding.rule, finding.path, finding.kind) == (
        "hardcoded-secret-history",
        ".env",
        "openai-project-key",
    )


def test_placeholders_and_tests_of_the_past_are_no_findings(repo: Repo) -> None:
    repo.put("app.py", 'key = "sk-your-key-here"\npassword = "changeme"\n')
    repo.put("tests/test_app.py", f'token = "{draw(30)}"\n')
    repo.put("node_modules/x/index.js", f'key = "{KEY}"\n')
    repo.commit()
    for path in ("app.py", "tests/test_app.py", "node_modules/x/index.js"):
        repo.git("rm", "-q", path)
    repo.git("commit", "-q", "-m", "clean")
    assert scan(walk(repo.root)).findings == []


def test_the_same_lines_in_many_commits_are_one_finding(repo: Repo) -> None:
    for number in range(4):
        repo.put(f"copy{number}.py", f'key = "{KEY}"\n')
        repo.commit()
    repo.git("rm", "-q", "-r", ".")
    repo.git("commit", "-q", "-m", "all gone")
    assert len(scan(walk(repo.root)).findings) == 1


def test_a_subfolder_has_a_history_of_its_own(repo: Repo) -> None:
    repo.put("service/a.py", f'key = "{KEY}"\n')
    repo.put("other/b.py", f'key = "{OTHER}"\n')
    repo.commit()
    repo.put("service/a.py", "1\n")
    repo.put("other/b.py", "1\n")
    repo.commit()
    assert [one.path for one in scan(walk(repo.root / "service")).findings] == ["a.py"]


def test_a_repository_without_commits_is_one_line(repo: Repo) -> None:
    repo.put("a.py", "1\n")
    files = walk(repo.root)
    result = scan(files)
    assert (result.findings, result.commits) == ([], 0)
    assert files.notices == ["The repository has no commits yet: there is no history to look at."]


def test_a_shallow_clone_says_what_it_cannot_see(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        repo.put("a.py", f"{number}\n")
        repo.commit()
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", "--depth", "1", f"file://{repo.root}", str(clone)), check=True)
    files = walk(clone)
    assert scan(files).commits == 1
    assert files.notices == [
        "The clone is shallow: only 1 commits were looked at; `git fetch --unshallow` gets the rest."
    ]


def test_a_bare_repository_is_searched(repo: Repo, tmp_path: Path) -> None:
    repo.put("a.py", f'key = "{KEY}"\n')
    repo.commit()
    subprocess.run(("git", "clone", "-q", "--bare", str(repo.root), str(tmp_path / "bare")), check=True)
    (finding,) = scan(walk(tmp_path / "bare")).findings
    assert (finding.rule, finding.path) == ("hardcoded-secret-history", "a.py")


def test_without_git_there_is_no_history(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1\n")
    result = scan(walk(tmp_path))
    assert (result.findings, result.commits) == ([], None)


def test_strange_names_huge_changes_and_marks_in_the_text_are_survived(repo: Repo) -> None:
    repo.put('we "ird\tname.py', f'key = "{KEY}"\n')
    repo.put("big.txt", "line of text that goes on\n" * 150_000)
    repo.put("diff.txt", "diff --git a/x b/x\n+++ b/y\n@@ -0,0 +1 @@\n+x\n")
    repo.put("bin.dat", bytes(range(256)) * 50)
    repo.put("wide.py", f'key = "{OTHER}"\n'.encode("utf-16"))
    repo.commit()
    repo.git("rm", "-q", "-r", ".")
    repo.git("commit", "-q", "-m", "all gone")
    findings = scan_history(walk(repo.root)).findings
    assert len(findings) == 1
    assert findings[0].kind == "openai-project-key"


def test_only_what_is_staged_is_searched_before_a_commit(repo: Repo) -> None:
    from seawall.check.files import walk_staged  # noqa: PLC0415

    repo.put("old.py", f'key = "{KEY}"\n')
    repo.commit()
    repo.put("new.py", f'key = "{OTHER}"\n')
    repo.git("add", "new.py")
    with walk_staged(repo.root) as files:
        assert [one.path for one in scan_tree(files)] == ["new.py"]
