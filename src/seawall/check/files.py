"""Which files of a folder are worth reading, and what is in them, within bounds.

- In a git work tree these are the tracked files and the untracked ones that git does not ignore; elsewhere
  everything but what package managers, builds and caches leave behind.
- No link is followed. What is left out for a reason that the developer should know is one line in `notices`.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from seawall.check.git import Blobs, GitError, Repository, find_repository, run

FILE_BYTES_MAX = 4 * 1024 * 1024
FILES_MAX = 100_000
KEPT_BYTES_MAX = 16 * 1024 * 1024
KEPT_FILE_BYTES_MAX = 64 * 1024
KEPT_BYTES_EACH = 250
"""What is kept in memory: so much in all, files up to a size, and what each costs beside its content."""
DEPTH_MAX = 40
NOTICES_MAX = 30
_PROGRESS_EVERY = 500

Progress = Callable[[int], None]
"""Is told how many files were looked at so far."""

_INSTALLED_NAMES = """
node_modules bower_components jspm_packages .venv site-packages __pycache__ .git .hg .svn .tox .nox .yarn
.pnpm-store .mypy_cache .pytest_cache .ruff_cache .ipynb_checkpoints .terraform .gradle .cache .parcel-cache
.turbo .next .nuxt .svelte-kit .vercel .netlify .serverless .angular .eggs .direnv .pixi Pods
"""
_INSTALLED = frozenset(_INSTALLED_NAMES.split())
"""Other people's or a program's files, even where somebody has committed them."""
_BUILT = frozenset(
    ("dist", "build", "out", "target", "coverage", "htmlcov", "logs", "tmp", "storybook-static")
)
"""Leftovers where git does not say otherwise; a tracked `build/` may hold sources."""
_VENDORED = re.compile(
    r"(?:^|/)(?:third[_-]party|(?:static|assets|public|www|js|css|lib|libs)/(?:\w+/)?vendors?)/"
    r"|(?:^|/)vendor/(?:bundle|composer|github\.com|golang\.org|autoload\.php$)"
    r"|(?:[.-]min|\.bundle|\.chunk|\.packed)\.(?:js|mjs|cjs|css)$|(?:^|/)jquery[\w.-]*\.js$"
)
_UNREADABLE_ENDINGS = """
png jpg jpeg gif bmp ico icns webp avif heic tif tiff psd ai eps svg svgz woff woff2 ttf otf eot mp3 mp4 m4a
m4v mov avi mkv webm wav ogg flac aac zip gz tgz bz2 xz zst 7z rar tar jar war ear whl egg deb rpm dmg iso
img exe dll so dylib a o obj lib class pyc pyo pyd wasm node bin dat pack idx pdf doc docx xls xlsx ppt pptx
odt ods odp pickle pkl npy npz h5 hdf5 pt pth ckpt onnx tflite safetensors gguf pb parquet arrow feather orc
avro db sqlite sqlite3 mdb p12 pfx jks keystore map snap
"""
_UNREADABLE = frozenset(_UNREADABLE_ENDINGS.split())
_ENV = re.compile(r"(?:^|/)\.env(?:\.[\w.-]+)?$|(?:^|/)[\w-]+\.env$")


class Files:
    """The files of an audit; all paths are relative to `root`, with slashes, sorted.

    `paths` is what is worth reading, `others` what is there and not worth reading (images, archives,
    databases, key stores, files above `FILE_BYTES_MAX` bytes). `tracked` is what git tracks below `root`,
    None without git; `ignored_env` are `.env*` files that git ignores, as it should. `staged` is None
    except where the index is read: then `paths` is what the next commit will hold and `staged` what it
    changes. No more than `files_max` are taken.
    """

    def __init__(self, root: Path, repository: Repository | None, files_max: int = FILES_MAX) -> None:
        """Hold nothing yet; `walk` and `walk_staged` fill it."""
        self.root = root
        self.files_max = files_max
        self.repository = repository
        self.paths: list[str] = []
        self.others: list[str] = []
        self.tracked: frozenset[str] | None = None
        self.ignored_env: list[str] = []
        self.staged: frozenset[str] | None = None
        self.notices: list[str] = []
        self._left_out = 0
        self._raw: dict[str, bytes] = {}
        self._objects: dict[str, str] = {}
        self._blobs: Blobs | None = None
        self._kept: dict[str, bytes] = {}
        self._room = KEPT_BYTES_MAX
        self._inside: dict[str, bool] = {}

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where it is no plain file in `root`, unreadable or too big."""
        if self._blobs is not None:
            object_id = self._objects.get(path)
            return None if object_id is None else self._blobs.read(object_id)
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        place = self.place(path)
        if not self._is_inside(os.path.dirname(place)):
            return None
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self.say(f"{path} could not be read: {error.strerror}.")
            return None
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > FILE_BYTES_MAX:
                return None
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                return self._keep(path, file.read(FILE_BYTES_MAX))
        except OSError as error:
            self.say(f"{path} could not be read: {error.strerror}.")
            return None
        finally:
            os.close(descriptor)

    def _keep(self, path: str, content: bytes) -> bytes:
        """Keep the first small files: the steps of an audit read each of them several times."""
        size = len(content) + KEPT_BYTES_EACH
        if size <= min(self._room, KEPT_FILE_BYTES_MAX):
            self._room -= size
            self._kept[path] = content
        return content

    def text(self, path: str) -> str | None:
        """Return a file's text with its lines as they are, or None where it is no text (see `decode`)."""
        content = self.read(path)
        return None if content is None else decode(content)

    def place(self, path: str) -> str:
        """Return where the file lies on disk."""
        raw = self._raw.get(path)
        return os.path.join(self.root, path if raw is None else os.fsdecode(raw))

    def say(self, notice: str) -> None:
        """Add a notice, once, and only count them after `NOTICES_MAX`."""
        if notice in self.notices:
            return
        if len(self.notices) < NOTICES_MAX:
            self.notices.append(notice)
            return
        self._left_out += 1
        last = f"{self._left_out} more files were left out for reasons like these."
        self.notices[NOTICES_MAX:] = [last]

    def leave_out(self, is_left_out: Callable[[str], bool]) -> None:
        """Take paths out of everything that the audit looks at."""
        for names in (self.paths, self.others, self.ignored_env):
            names[:] = [path for path in names if not is_left_out(path)]
        if self.tracked is not None:
            self.tracked = frozenset(path for path in self.tracked if not is_left_out(path))
        if self.staged is not None:
            self.staged = frozenset(path for path in self.staged if not is_left_out(path))

    def close(self) -> None:
        """End what reading the index needs."""
        if self._blobs is not None:
            self._blobs.close()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _is_inside(self, folder: str) -> bool:
        known = self._inside.get(folder)
        if known is None:
            known = Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(self.root))
            self._inside[folder] = known
        return known

    def _name(self, raw: bytes) -> str:
        """Return a path that can be printed; one that is not UTF-8 is shown escaped, and remembered."""
        try:
            return raw.decode()
        except UnicodeDecodeError:
            path = raw.decode("utf-8", "backslashreplace")
            self._raw[path] = raw
            return path

    def _add(self, path: str, status: os.stat_result) -> bool:
        """File one path where it belongs; False once there are too many."""
        if len(self.paths) >= self.files_max:
            self.say(f"The audit stopped at {self.files_max:,} files: run it on the folders that matter.")
            return False
        if path.count("/") >= DEPTH_MAX:
            self.say(f"Folders more than {DEPTH_MAX} deep were not read.")
        elif stat.S_ISLNK(status.st_mode):
            self._note_link(path)
        elif stat.S_ISREG(status.st_mode):
            if not is_worth_reading(path):
                self.others.append(path)
            elif status.st_size > FILE_BYTES_MAX:
                self.others.append(path)
                self.say(
                    f"{path} was not read: {status.st_size >> 20} MB are more than {FILE_BYTES_MAX >> 20} MB."
                )
            else:
                self.paths.append(path)
        return True

    def _note_link(self, path: str) -> None:
        try:
            target = os.path.realpath(self.place(path), strict=True)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                return
            self.say(f"{path} is a link that leads back to itself: it was not followed.")
            return
        if not Path(target).is_relative_to(os.path.realpath(self.root)):
            self.say(f"{path} is a link out of this folder: it was not followed.")


def walk(root: Path, progress: Progress | None = None, *, files_max: int = FILES_MAX) -> Files:
    """List the files below `root`; raises OSError where it is no folder, or one that may not be read."""
    root = Path(os.path.abspath(root))
    os.scandir(root).close()
    repository, notice = find_repository(root)
    files = Files(root, repository, files_max)
    if notice:
        files.say(notice)
    if repository is None or not _walk_repository(files, repository, progress):
        _walk_folders(files, progress)
    if not files.paths and not files.others and not (repository and repository.is_bare):
        files.say("There is no file here.")
    files.paths.sort()
    files.others.sort()
    return files


def walk_staged(root: Path) -> Files:
    """List what the next commit holds below `root`; raises GitError where git cannot tell, and OSError."""
    root = Path(os.path.abspath(root))
    os.scandir(root).close()
    repository, notice = find_repository(root)
    if repository is None or repository.is_bare:
        raise GitError(notice or "A bare repository has no index: there is nothing staged.")
    index = os.environ.get("GIT_INDEX_FILE")
    if index is not None:  # A hook's name of it counts from the top of the work tree, where the hook runs.
        index = os.path.abspath(index)
    files = Files(root, repository)
    sizes: list[tuple[str, str]] = []
    for record in run(root, "ls-files", "-z", "--stage", index=index).split(b"\0"):
        head, _, raw = record.partition(b"\t")
        if not raw:
            continue
        mode, object_id, _ = head.decode().split(" ")
        path = files._name(raw)
        if mode == "160000":
            files.say(f"{path} is a submodule: it was not read.")
        elif mode != "120000" and path not in files._objects:
            files._objects[path] = object_id
            sizes.append((path, object_id))
    for path, _ in sizes[:FILES_MAX]:
        (files.paths if is_worth_reading(path) else files.others).append(path)
    if len(sizes) > FILES_MAX:
        files.say(f"The audit stopped at {FILES_MAX:,} files: run it on the folders that matter.")
    files.paths.sort()
    files.others.sort()
    files.tracked = frozenset(files._objects)
    changed = run(root, *_changes(root), index=index).split(b"\0")
    files.staged = frozenset(files._name(raw) for raw in changed if raw)
    if not files.staged:
        files.say("Nothing is staged here: `git add` puts into the index what a commit would take.")
    files._blobs = Blobs(root, FILE_BYTES_MAX)
    return files


def decode(content: bytes) -> str | None:
    """Return the text of UTF-8, UTF-16 or UTF-32 (by mark or zeros), else of Latin-1; None for binary."""
    if content.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return content.decode("utf-32", "replace")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    start = content[:4096]
    if b"\0" in start:
        even, odd = start[0::2].count(0), start[1::2].count(0)
        half = len(start) // 2
        if half >= 2 and odd > 0.4 * half and even < 0.02 * half + 1:
            return content.decode("utf-16-le", "replace")
        if half >= 2 and even > 0.4 * half and odd < 0.02 * half + 1:
            return content.decode("utf-16-be", "replace")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def is_worth_reading(path: str) -> bool:
    """Say whether a file of this name can hold something that somebody here has written."""
    if path.rpartition(".")[2].lower() in _UNREADABLE:
        return False
    return _VENDORED.search(path) is None


def is_env_file(path: str) -> bool:
    """Say whether a file is one of environment variables by its name (`.env`, `.env.local`, `prod.env`)."""
    return _ENV.search(path) is not None


def _changes(root: Path) -> tuple[str, ...]:
    """Return the question which paths the index changes; before the first commit that is all of them."""
    try:
        run(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return ("ls-files", "-z", "--cached")
    return (
        *("diff-index", "--cached", "--name-only", "--relative", "-z", "--no-ext-diff", "--no-renames"),
        *("--diff-filter=ACMRT", "HEAD", "--"),
    )


def _walk_repository(files: Files, repository: Repository, progress: Progress | None) -> bool:
    """Fill in what git lists; False where the folder must be read without git."""
    if repository.is_bare:
        files.tracked = frozenset()
        files.say("This is a bare repository: only its history was looked at.")
        return True
    root = files.root
    try:
        tracked = _names(files, run(root, "ls-files", "-z", "--cached"))
        untracked = _names(files, run(root, "ls-files", "-z", "--others", "--exclude-standard"))
        ignored = _names(
            files, run(root, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        )
    except GitError as error:
        files.say(str(error))
        return False
    if repository.prefix and not tracked and (not untracked or "./" in ignored):
        files.say("git ignores this folder: it was read as one without a repository.")
        files.repository = None
        return False
    files.tracked = frozenset(tracked)
    files.ignored_env = sorted(path for path in ignored if is_env_file(path))
    _add_listed(files, [*tracked, *untracked], progress)
    return True


def _add_listed(files: Files, listed: Iterable[str], progress: Progress | None) -> None:
    for count, path in enumerate(listed):
        if progress is not None and count % _PROGRESS_EVERY == 0:
            progress(count)
        folders = path.split("/")[:-1]
        if not _INSTALLED.isdisjoint(folders):
            continue
        try:
            status = os.lstat(files.place(path))
        except OSError:
            continue  # Deleted and not yet committed, or left out by a sparse checkout.
        if stat.S_ISDIR(status.st_mode):
            what = "a repository of its own" if path.endswith("/") else "a submodule"
            files.say(f"{path.rstrip('/')} is {what}: it was not read.")
        elif not files._add(path, status):
            return


def _names(files: Files, listing: bytes) -> list[str]:
    return [files._name(raw) for raw in dict.fromkeys(listing.split(b"\0")) if raw]


def _walk_folders(files: Files, progress: Progress | None) -> None:
    """Fill in what lies below the root, folder by folder, without following links."""
    waiting: list[tuple[bytes, int]] = [(b"", 0)]
    root = os.fsencode(files.root)
    count = 0
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            files.say(f"{files._name(folder)} could not be read: {error.strerror}.")
            continue
        for entry in found:
            raw = os.path.join(folder, entry.name)
            count += 1
            if progress is not None and count % _PROGRESS_EVERY == 0:
                progress(count)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if not stat.S_ISDIR(status.st_mode):
                if not files._add(files._name(raw), status):
                    return
            elif _is_skipped(os.fsdecode(entry.name), entry.path):
                continue
            elif depth + 1 >= DEPTH_MAX:
                files.say(f"Folders more than {DEPTH_MAX} deep were not read.")
            else:
                waiting.append((raw, depth + 1))


def _is_skipped(name: str, place: bytes) -> bool:
    if name in _INSTALLED or name in _BUILT or name.endswith(".egg-info"):
        return True
    return os.path.exists(os.path.join(place, b"pyvenv.cfg"))  # A virtual environment, whatever its name.
