"""A small git repository for the tests of what an audit reads."""

import os
import subprocess
from pathlib import Path

import pytest


class Repo:
    """A repository that a test writes to."""

    def __init__(self, root: Path) -> None:
        """Start an empty one at `root`."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", ".")

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        own = {
            **os.environ,
            **{
                f"GIT_{who}_{what}": "t@t.io" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
            },
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_DATE": "2026-03-01T12:00:00+00:00",
        }
        done = subprocess.run(("git", *arguments), cwd=self.root, env=own, check=True, capture_output=True)
        return done.stdout.decode()

    def put(self, path: str, content: str | bytes) -> None:
        """Write one file."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "change") -> str:
        """Commit everything and return the commit's id."""
        self.git("add", "-A", "-f")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository."""
    return Repo(tmp_path / "app")
