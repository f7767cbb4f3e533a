"""Repositories of every kind answer with one line, and nothing that they name is run."""

import os
import subprocess
from pathlib import Path

import pytest

from seawall.check.files import walk, walk_staged
from seawall.check.git import Blobs, GitError, find_repository, run
from tests.check.conftest import Repo


def test_a_repository_without_commits_has_files(repo: Repo) -> None:
    repo.put("a.py", "1\n")
    files = walk(repo.root)
    assert (files.paths, files.tracked, files.notices) == (["a.py"], frozenset(), [])


def test_a_subfolder_of_a_repository_is_read_by_its_own_paths(repo: Repo) -> None:
    repo.put("service/app.py", "1\n")
    repo.put("other.py", "1\n")
    repo.commit()
    files = walk(repo.root / "service")
    assert (files.paths, files.tracked) == (["app.py"], frozenset({"app.py"}))


def test_a_bare_repository_has_only_a_history(repo: Repo, tmp_path: Path) -> None:
    repo.put("a.py", "1\n")
    repo.commit()
    subprocess.run(("git", "clone", "-q", "--bare", str(repo.root), str(tmp_path / "bare")), check=True)
    files = walk(tmp_path / "bare")
    assert files.paths == []
    assert files.notices == ["This is a bare repository: only its history was looked at."]
    with pytest.raises(GitError, match="nothing staged"):
        walk_staged(tmp_path / "bare")


def test_gits_own_folder_is_no_app(repo: Repo) -> None:
    assert find_repository(repo.root / ".git")[1] == (
        "This is git's own folder, not a work tree: check the folder above it."
    )


def test_a_worktree_is_a_repository(repo: Repo, tmp_path: Path) -> None:
    repo.put("a.py", "1\n")
    repo.commit()
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"))
    files = walk(tmp_path / "tree")
    assert (files.paths, files.notices) == (["a.py"], [])


def test_submodules_and_inner_repositories_are_named(repo: Repo, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.put("x.py", "1\n")
    inner.commit()
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "lib")
    own = Repo(repo.root / "embedded")
    own.put("y.py", "1\n")
    own.commit()
    repo.put("a.py", "1\n")
    files = walk(repo.root)
    assert files.paths == [".gitmodules", "a.py"]
    assert files.notices == [
        "lib is a submodule: it was not read.",
        "embedded is a repository of its own: it was not read.",
    ]


def test_a_folder_that_git_ignores_is_read_as_a_plain_one(repo: Repo) -> None:
    repo.put(".gitignore", "scratch/\n")
    repo.commit()
    repo.put("scratch/a.py", "1\n")
    files = walk(repo.root / "scratch")
    assert (files.paths, files.tracked) == (["a.py"], None)
    assert files.notices == ["git ignores this folder: it was read as one without a repository."]


def test_a_damaged_repository_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.py").write_text("1\n")
    files = walk(tmp_path)
    assert files.paths == ["a.py"]
    assert files.notices == [
        "The .git here is no git repository: what is tracked and its history were not looked at."
    ]


def test_without_git_installed_the_files_are_read(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.put("a.py", "1\n")
    monkeypatch.setenv("PATH", "")
    files = walk(repo.root)
    assert files.paths == ["a.py"]
    assert files.notices == ["git is not installed: what is tracked and its history were not looked at."]


def test_programs_that_the_repository_names_are_not_run(repo: Repo, tmp_path: Path) -> None:
    repo.put("a.py", "1\n")
    repo.put(".gitattributes", "*.py diff=evil filter=evil\n")
    repo.commit()
    mark = tmp_path / "was-run"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    evil.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.clean",
                "filter.evil.smudge", "gpg.program", "core.sshCommand", "core.askPass", "uploadpack.packObjectsHook"):  # fmt: skip
        repo.git("config", key, str(evil))
    repo.git("config", "log.showSignature", "true")
    repo.git("config", "core.hooksPath", str(tmp_path))
    repo.put("a.py", "2\n")
    mark.unlink(missing_ok=True)
    files = walk(repo.root)
    assert files.text("a.py") == "2\n"
    with walk_staged(repo.root) as staged:
        assert staged.text("a.py") == "1\n"
    from seawall.check.secrets import scan  # noqa: PLC0415

    assert scan(files).commits == 1
    assert not mark.exists()


def test_a_hooks_environment_does_not_lead_elsewhere(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.put("b.py", "1\n")
    other.commit()
    repo.put("a.py", "1\n")
    repo.commit()
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    assert walk(repo.root).tracked == frozenset({"a.py"})


def test_the_index_of_a_hook_is_the_one_that_is_read(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.put("a.py", "1\n")
    repo.commit()
    repo.put("b.py", "2\n")
    own = repo.root / ".git" / "next-index"
    own.write_bytes((repo.root / ".git" / "index").read_bytes())
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    subprocess.run(("git", "add", "b.py"), cwd=repo.root, check=True, env={**os.environ})
    with walk_staged(repo.root) as files:
        assert files.staged == frozenset({"b.py"})


def test_an_answer_that_fails_is_one_line(repo: Repo) -> None:
    with pytest.raises(GitError, match=r"^git cat-file failed: Not a valid object name nothing\.$"):
        run(repo.root, "cat-file", "-p", "nothing")


def test_a_command_that_hangs_is_stopped(repo: Repo) -> None:
    with pytest.raises(GitError, match="was stopped after 0 s"):
        run(repo.root, "-c", "alias.wait=!sleep 20", "wait", timeout_s=0.2)


def test_objects_are_read_one_after_another_and_big_ones_are_passed_over(repo: Repo) -> None:
    repo.put("small.txt", "small\n")
    repo.put("big.txt", "x" * 5000)
    repo.commit()
    names = [repo.git("rev-parse", f"HEAD:{name}").strip() for name in ("small.txt", "big.txt", "small.txt")]
    blobs = Blobs(repo.root, bytes_max=1000)
    assert [blobs.read(name) for name in (*names, "0" * 40, names[0])] == [
        b"small\n",
        None,
        b"small\n",
        None,
        b"small\n",
    ]
    blobs.close()
