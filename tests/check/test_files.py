"""Which files an audit reads: with git, without, and where the file system is strange."""

import os
from pathlib import Path

import pytest

from seawall.check.files import decode, walk, walk_staged
from tests.check.conftest import Repo


def test_tracked_and_new_files_are_read_and_ignored_ones_are_not(repo: Repo) -> None:
    repo.put("app.py", "x = 1\n")
    repo.put(".gitignore", ".env\n*.log\nsecret_folder/\n")
    repo.commit()
    repo.put("new.py", "y = 2\n")
    repo.put(".env", "A=1\n")
    repo.put("out.log", "z\n")
    repo.put("secret_folder/x.py", "z\n")
    files = walk(repo.root)
    assert files.paths == [".gitignore", "app.py", "new.py"]
    assert files.tracked == frozenset({".gitignore", "app.py"})
    assert files.ignored_env == [".env"]
    assert files.notices == []
    assert files.text("app.py") == "x = 1\n"
    assert files.text("missing.py") is None


def test_without_git_installed_folders_and_builds_are_left_out(tmp_path: Path) -> None:
    for path in ("app.py", "src/a.ts", "node_modules/x/i.js", ".venv/lib/y.py", "dist/b.js", "env/pyvenv.cfg", "env/l.py",
                 "static/vendor/j.js", "lib/jquery-3.1.js", "x.min.js", "logo.png", "package-lock.json"):  # fmt: skip
        place = tmp_path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("1\n")
    files = walk(tmp_path)
    assert files.paths == ["app.py", "package-lock.json", "src/a.ts"]
    assert files.others == ["lib/jquery-3.1.js", "logo.png", "static/vendor/j.js", "x.min.js"]
    assert files.tracked is None
    assert files.notices == [
        "This folder is in no git repository: what is tracked and its history were not looked at."
    ]


def test_a_committed_build_folder_is_read_and_committed_packages_are_not(repo: Repo) -> None:
    repo.put("build/tools.py", "1\n")
    repo.put("node_modules/x/index.js", "1\n")
    repo.commit()
    assert walk(repo.root).paths == ["build/tools.py"]


def test_links_are_not_followed(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret\n")
    repo.put("a.py", "1\n")
    (repo.root / "out.txt").symlink_to(tmp_path / "outside.txt")
    (repo.root / "round").symlink_to(repo.root / "round")
    (repo.root / "inside.py").symlink_to(repo.root / "a.py")
    (repo.root / "gone").symlink_to(repo.root / "nowhere")
    repo.commit()
    files = walk(repo.root)
    assert files.paths == ["a.py"]
    assert sorted(files.notices) == [
        "out.txt is a link out of this folder: it was not followed.",
        "round is a link that leads back to itself: it was not followed.",
    ]
    assert files.read("out.txt") is None


def test_a_folder_that_became_a_link_is_not_left(repo: Repo, tmp_path: Path) -> None:
    repo.put("sub/a.py", "1\n")
    repo.commit()
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.py").write_text("secret\n")
    (repo.root / "sub" / "a.py").unlink()
    (repo.root / "sub").rmdir()
    (repo.root / "sub").symlink_to(outside)
    assert walk(repo.root).text("sub/a.py") is None


def test_links_in_a_circle_end_without_git(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "x.py").write_text("1\n")
    assert walk(tmp_path).paths == ["a/x.py"]


def test_big_files_are_named_and_not_read(repo: Repo) -> None:
    repo.put("data.csv", b"1,2\n" * 1_300_000)
    repo.commit()
    files = walk(repo.root)
    assert files.paths == []
    assert files.others == ["data.csv"]
    assert files.notices == ["data.csv was not read: 4 MB are more than 4 MB."]
    assert files.read("data.csv") is None


def test_pipes_and_sockets_do_not_block(repo: Repo) -> None:
    repo.put("a.py", "1\n")
    os.mkfifo(repo.root / "pipe.py")
    files = walk(repo.root)
    assert files.paths == ["a.py"]
    assert files.read("pipe.py") is None


def test_a_file_that_may_not_be_read_is_named(repo: Repo) -> None:
    repo.put("a.py", "1\n")
    files = walk(repo.root)
    (repo.root / "a.py").unlink()
    (repo.root / "a.py").mkdir()
    assert files.read("a.py") is None


def test_a_name_that_is_no_text_is_shown_and_still_read(repo: Repo) -> None:
    (Path(os.fsdecode(os.fsencode(repo.root) + b"/caf\xe9.py"))).write_bytes(b"x = 1\n")
    repo.put("naïve — file.py", "y\n")
    repo.commit()
    files = walk(repo.root)
    assert files.paths == ["caf\\xe9.py", "naïve — file.py"]
    assert files.text("caf\\xe9.py") == "x = 1\n"
    assert files.text("naïve — file.py") == "y\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain\n", "plain\n"),
        (b"\xef\xbb\xbfmark\n", "mark\n"),
        ("breit\n".encode("utf-16"), "breit\n"),
        ("breit = 'x'\n".encode("utf-16-le"), "breit = 'x'\n"),
        ("breit = 'x'\n".encode("utf-16-be"), "breit = 'x'\n"),
        ("w\n".encode("utf-32"), "w\n"),
        (b"caf\xe9\n", "café\n"),
        (b"\x7fELF\x00\x00\x01\x02\x00\x00", None),
        (b"", ""),
    ],
)
def test_text_is_read_in_its_encoding_and_binary_is_none(content: bytes, text: str | None) -> None:
    assert decode(content) == text


def test_progress_is_told_and_the_number_of_files_has_an_end(tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"f{number:04}.py").write_text("")
    told: list[int] = []
    files = walk(tmp_path, told.append, files_max=1000)
    assert len(files.paths) == 1000
    assert told == [500, 1000]
    assert "The audit stopped at 1,000 files: run it on the folders that matter." in files.notices


def test_deep_folders_end(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "x.py").write_text("1\n")
    (tmp_path / "a.py").write_text("1\n")
    files = walk(tmp_path)
    assert files.paths == ["a.py"]
    assert "Folders more than 40 deep were not read." in files.notices


def test_many_notices_are_counted(repo: Repo) -> None:
    repo.put("a.py", "")
    files = walk(repo.root)
    for number in range(50):
        files.say(f"notice {number}")
    assert len(files.notices) == 31
    assert files.notices[-1] == "20 more files were left out for reasons like these."


def test_the_index_is_read_and_not_the_folder(repo: Repo) -> None:
    repo.put("kept.py", "kept\n")
    repo.put("changed.py", "old\n")
    repo.commit()
    repo.put("changed.py", "staged\n")
    repo.put("new.py", "new\n")
    repo.git("add", "changed.py", "new.py")
    repo.put("changed.py", "not staged\n")
    repo.put("other.py", "not staged\n")
    with walk_staged(repo.root) as files:
        assert files.paths == ["changed.py", "kept.py", "new.py"]
        assert files.staged == frozenset({"changed.py", "new.py"})
        assert files.text("changed.py") == "staged\n"
        assert files.text("new.py") == "new\n"
        assert files.text("other.py") is None


def test_before_the_first_commit_everything_staged_is_new(repo: Repo) -> None:
    repo.put("a.py", "a\n")
    repo.git("add", "a.py")
    with walk_staged(repo.root) as files:
        assert files.staged == frozenset({"a.py"})
        assert files.text("a.py") == "a\n"


def test_a_missing_folder_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walk(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        walk(tmp_path / "file")
