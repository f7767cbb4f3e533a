"""Asks git about the audited folder without running anything that the folder's own configuration names.

- No hook, pager, file-system monitor, external diff, text conversion, signature check or transport starts.
- Every question has a time limit and a limit on the size of its answer, and what goes wrong is one line.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

from msgspec import Struct

TIMEOUT_S = 30.0
ANSWER_BYTES_MAX = 64 * 1024 * 1024
_CHUNK_BYTES = 1 << 18
_PIPE_BYTES = 1 << 20
"""Lets git work ahead while its answer is read."""

_SAFE = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.pager=cat"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.quotePath=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
    *("-c", "diff.external="),
    *("-c", "color.ui=false"),
)
_PLACES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
)


class GitError(Exception):
    """Git could not answer; the text is one line for the developer."""


class Repository(Struct, frozen=True, kw_only=True):
    """The repository around a folder. `prefix` is the folder's place in the work tree ("" at its top)."""

    root: Path
    prefix: str = ""
    is_bare: bool = False
    is_shallow: bool = False


def find_repository(root: Path) -> tuple[Repository | None, str]:
    """Return the repository that holds `root`, or None with one line that says why not."""
    if not _looks_like_one(root):
        return (
            None,
            "This folder is in no git repository: what is tracked and its history were not looked at.",
        )
    question = ("--is-bare-repository", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix")
    try:
        answer = run(root, "rev-parse", *question).decode("utf-8", "replace").split("\n")
    except GitError as error:
        return None, str(error)
    bare, inside, shallow, prefix = (*answer, "", "", "", "")[:4]
    if bare != "true" and inside != "true":
        return None, "This is git's own folder, not a work tree: check the folder above it."
    return Repository(root=root, prefix=prefix, is_bare=bare == "true", is_shallow=shallow == "true"), ""


def run(
    root: Path,
    *arguments: str,
    timeout_s: float = TIMEOUT_S,
    index: str | None = None,
    ok: tuple[int, ...] = (0,),
) -> bytes:
    """Run one git command in `root` and return what it printed; raises GitError, also past a limit.

    `ok` are the exit codes that are an answer.
    """
    with start(root, *arguments, timeout_s=timeout_s, index=index, ok=ok) as output:
        answer = output.read(ANSWER_BYTES_MAX + 1)
        if len(answer) > ANSWER_BYTES_MAX:
            raise GitError(
                f"git {arguments[0]} printed more than {ANSWER_BYTES_MAX >> 20} MB: it was stopped."
            )
    return answer


@contextmanager
def start(
    root: Path,
    *arguments: str,
    timeout_s: float = TIMEOUT_S,
    index: str | None = None,
    ok: tuple[int, ...] = (0,),
) -> Iterator[BufferedReader]:
    """Run one git command while its output is read as a stream; raises GitError at the end if it failed.

    Who stops reading early ends the command, and that is no failure.
    """
    process = _spawn(root, arguments, index)
    assert isinstance(process.stdout, BufferedReader) and process.stderr is not None
    complaint = _Complaint(process.stderr)
    timer = threading.Timer(timeout_s, _kill, (process,))
    timer.daemon = True
    timer.start()
    try:
        yield process.stdout
        ended = not process.stdout.read(1)
        if ended and process.wait() not in ok:
            if process.returncode < 0:
                raise GitError(f"git {_command(arguments)} was stopped after {timeout_s:.0f} s.")
            raise GitError(_explain(_command(arguments), complaint.text()))
    finally:
        timer.cancel()
        _kill(process)
        process.stdout.close()
        process.wait()


class Blobs:
    """Contents of objects by their id, from one `git cat-file --batch`; used by one thread."""

    def __init__(self, root: Path, bytes_max: int, timeout_s: float = 120.0) -> None:
        """Start nothing yet; objects above `bytes_max` are read as None."""
        self._root = root
        self._bytes_max = bytes_max
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None

    def read(self, object_id: str) -> bytes | None:
        """Return an object's content, or None where it is missing, too big, or git is gone."""
        process = self._process or self._open()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(object_id.encode() + b"\n")
            process.stdin.flush()
            header = process.stdout.readline().split()
            if len(header) != 3 or header[1] == b"missing":
                return None
            size = int(header[2])
            if size <= self._bytes_max:
                return process.stdout.read(size + 1)[:size]
            left = size + 1
            while left > 0 and (chunk := process.stdout.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
        except (OSError, ValueError):
            return None
        return None

    def close(self) -> None:
        """End the process."""
        if self._timer is not None:
            self._timer.cancel()
        if self._process is not None:
            _kill(self._process)
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    _close_quietly(pipe)
            self._process.wait()
            self._process = None

    def _open(self) -> subprocess.Popen[bytes]:
        process = _spawn(self._root, ("cat-file", "--batch"), None, talks=True)
        self._timer = threading.Timer(self._timeout_s, _kill, (process,))
        self._timer.daemon = True
        self._timer.start()
        self._process = process
        return process


class _Complaint:
    """Reads what a command says on stderr beside its output, so that neither pipe fills up."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, args=(pipe,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """Return the beginning of it, once the command has ended."""
        self._thread.join(timeout=5)
        return self._kept.decode("utf-8", "replace")

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := pipe.read(4096):
                if len(self._kept) < 4096:
                    self._kept += chunk


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command and whatever it has started, which would keep its output open."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _close_quietly(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:  # The process may be gone with unread input.
        return


def _looks_like_one(root: Path) -> bool:
    # `os.path` says no where pathlib raises: at folders that may not be entered.
    if os.path.isfile(root / "HEAD") and os.path.isdir(root / "objects"):
        return True
    return any(os.path.exists(folder / ".git") for folder in (root, *root.parents))


def _spawn(
    root: Path, arguments: tuple[str, ...], index: str | None, *, talks: bool = False
) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _PLACES}
    environment |= {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }
    if index is not None:
        environment["GIT_INDEX_FILE"] = index
    try:
        return subprocess.Popen(  # noqa: S603 - fixed words; paths only after "--"
            ("git", *_SAFE, *arguments),  # noqa: S607 - the developer's own git
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if talks else subprocess.PIPE,
            start_new_session=True,
            pipesize=-1 if talks else _PIPE_BYTES,
        )
    except FileNotFoundError:
        raise GitError("git is not installed: what is tracked and its history were not looked at.") from None
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror}.") from None


def _command(arguments: tuple[str, ...]) -> str:
    """Return git's own command behind the options for git itself."""
    at = 0
    while at + 2 < len(arguments) and arguments[at] == "-c":
        at += 2
    return arguments[at]


def _explain(command: str, complaint: str) -> str:
    if "dubious ownership" in complaint:
        return (
            "git does not trust this folder, which belongs to another user: tracked files and history were"
            " not looked at. If the folder is yours, run `git config --global --add safe.directory PATH`."
        )
    if "not a git repository" in complaint:
        return "The .git here is no git repository: what is tracked and its history were not looked at."
    if "unable to read" in complaint or "bad object" in complaint or "promisor" in complaint:
        return (
            f"git {command} stopped at an object that this clone does not have (a partial or damaged clone)."
        )
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    said = next(
        (line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "no reason"
    )
    return f"git {command} failed: {said.removeprefix('fatal:').removeprefix('error:').strip()[:200]}."
