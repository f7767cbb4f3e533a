"""Searches what was ever added to the repository: a secret that was deleted later is still in every clone.

The patches of all commits are read as one stream, oldest first, so that the first time a value is seen is
the commit that brought it in. Of each patch only the added lines are looked at, and the same ones only once.
"""

import re
import secrets as random_bytes
import time
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader

import msgspec
from msgspec import Struct

from seawall.check.files import Files, is_worth_reading
from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.git import GitError, run, start
from seawall.check.secrets.describe import rotation
from seawall.check.secrets.masking import evidence, fingerprint, mask
from seawall.check.secrets.places import place_of
from seawall.check.secrets.scan import find_secrets
from seawall.check.secrets.secret import Secret

COMMITS_MAX = 200_000
SECONDS_MAX = 120.0
FINDINGS_MAX = 200
_CHUNK_BYTES = 1 << 19
_PATCH_BYTES_MAX = 6 * 1024 * 1024
_PROGRESS_EVERY = 100
_SEEN_MAX = 2_000_000
_SPLIT = b"\ndiff --git "
_PATH = re.compile(rb'\n\+\+\+ (?:b/|"b/)([^\n]*)\n')
_HUNK = re.compile(rb"\n@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@[^\n]*")
_FOREIGN = re.compile(
    r"(?:^|/)(?:node_modules|bower_components|site-packages|\.venv|venv|\.next|__pycache__|\.yarn|Pods)/"
)
_DATA = re.compile(r"(?i)\.(?:csv|tsv|jsonl|ndjson|svg|po|geojson|html?\.snap)$")


Progress = Callable[[str, int, int], None]


class History(Struct, frozen=True):
    """What the history holds: secrets that left the tree, and for all the commit that brought them in.

    `first` maps the hash of a finding to the commit (12 hex digits) and the author's date (ISO).
    """

    findings: list[Finding] = []
    first: dict[str, tuple[str, str]] = {}
    commits: int = 0
    notices: list[str] = []


class _Commit(Struct):
    id: str = ""
    date: str = ""
    count: int = 0


def scan_history(files: Files, in_tree: Sequence[Finding] = (), progress: Progress | None = None) -> History:
    """Search all commits of all branches and tags; `in_tree` are the findings of the tree."""
    if files.repository is None:
        return History()
    notices: list[str] = []
    found: dict[str, Finding] = {}
    first: dict[str, tuple[str, str]] = {}
    known = {one.hash for one in in_tree if one.hash}
    commit = _Commit()
    try:
        for path, added, section in _additions(files, commit, progress, notices):
            for secret in find_secrets(path, added):
                mark = fingerprint("secret", "", secret.value)
                if mark not in first:
                    first[mark] = (commit.id[:12], commit.date)
                if mark in known or mark in found or not _matters(secret) or len(found) >= FINDINGS_MAX:
                    continue
                found[mark] = _finding(path, added, section, secret, commit)
    except GitError as error:
        notices.append(f"The history was not read to its end: {error}")
    if commit.count == 0 and not notices:
        notices.append("The repository has no commits yet: there is no history to look at.")
    if files.repository.is_shallow:
        notices.append(
            f"The clone is shallow: only {commit.count:,} commits were looked at;"
            " `git fetch --unshallow` gets the rest."
        )
    return History(findings=list(found.values()), first=first, commits=commit.count, notices=notices)


def with_first_commits(found: list[Finding], history: History) -> list[Finding]:
    """Return the findings of the tree, each secret with the commit that brought it in."""
    out: list[Finding] = []
    for one in found:
        commit, date = history.first.get(one.hash, ("", ""))
        out.append(msgspec.structs.replace(one, commit=commit, committed_at=date) if commit else one)
    return out


def _matters(secret: Secret) -> bool:
    return secret.severity is Severity.ERROR and secret.confidence is not Confidence.LOW


def _additions(
    files: Files, commit: _Commit, progress: Progress | None, notices: list[str]
) -> Iterator[tuple[str, str, bytes]]:
    """Yield path, added text and patch of every change whose added lines are new; fills in `commit`."""
    root = files.root
    try:
        run(root, "rev-parse", "--verify", "--quiet", "--branches", "--tags", "--remotes", "HEAD", ok=(0,))
    except GitError:
        if not run(root, "for-each-ref", "--count=1"):
            return
    marker = random_bytes.token_hex(12).encode()
    seen: set[int] = set()
    told = 0
    deadline = time.monotonic() + SECONDS_MAX
    bare = files.repository is not None and files.repository.is_bare
    here = () if bare else ("--relative",)
    with start(
        root,
        *(
            "-c",
            "core.bigFileThreshold=4m",
            "-c",
            "diff.indentHeuristic=false",
            "log",
            "--all",
            "--reverse",
            "--no-notes",
        ),
        *("--diff-filter=AMT", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"),
        *("--src-prefix=a/", "--dst-prefix=b/", f"--format=%n{marker.decode()} %H %aI", *here),
        timeout_s=SECONDS_MAX + 10,
    ) as output:
        for patch in _patches(output, marker, commit):
            if progress is not None and commit.count >= told + _PROGRESS_EVERY:
                told = commit.count
                progress("reading the history", told, 0)
            if commit.count >= COMMITS_MAX or time.monotonic() > deadline:
                notices.append(f"The search of the history stopped after {commit.count:,} commits.")
                return
            if patch is None:
                continue
            one = _added(patch)
            if one is None:
                continue
            path, added = one
            mark = hash(added)
            if mark in seen:
                continue
            if len(seen) < _SEEN_MAX:
                seen.add(mark)
            yield path, added.decode("utf-8", "replace"), patch


def _patches(output: BufferedReader, marker: bytes, commit: _Commit) -> Iterator[bytes | None]:
    """Yield the patch of each file, and None for commits without one; `commit` is the one it belongs to."""
    sign = b"\n" + marker + b" "
    rest = b""
    is_patch = False
    while True:
        chunk = output.read1(_CHUNK_BYTES)
        parts = (rest + chunk).split(_SPLIT)
        rest = parts.pop() if chunk else b""
        for part in parts:
            cut = part.find(sign)
            patch = part if cut < 0 else part[:cut]
            if is_patch and patch:
                yield patch
            is_patch = True
            if cut >= 0:
                _note_commits(part, sign, commit)
                yield None
        if not chunk:
            return
        if len(rest) > _PATCH_BYTES_MAX:  # One huge change: its beginning is enough, the rest is passed over.
            rest = rest[:_PATCH_BYTES_MAX]


def _note_commits(part: bytes, sign: bytes, commit: _Commit) -> None:
    commit.count += part.count(sign)
    words = part[part.rfind(sign) + len(sign) :].split(b"\n", 1)[0].split()
    if len(words) == 2:
        commit.id, commit.date = words[0].decode("ascii", "replace"), words[1].decode("ascii", "replace")


def _added(patch: bytes) -> tuple[str, bytes] | None:
    """Return the path and the added lines of a patch, None where nothing in it is worth reading."""
    named = _PATH.search(patch, 0, 4000)
    if named is None:
        return None
    path = named[1].rstrip(b'"\t').decode("utf-8", "backslashreplace")
    if not is_worth_reading(path) or _FOREIGN.search(path) or _DATA.search(path) or place_of(path).is_lock:
        return None
    lines = [line[1:] for line in patch[named.end() :].split(b"\n") if line[:1] == b"+"]
    return (path, b"\n".join(lines)) if lines else None


def _line(section: bytes, number: int) -> int:
    """Return the line in the file of the added line that is the `number`th of its patch (from 0)."""
    passed = 0
    for hunk in _HUNK.finditer(section):
        end = section.find(b"\n@@ ", hunk.end())
        body = section[hunk.end() : end if end >= 0 else len(section)]
        count = body.count(b"\n+")
        if number < passed + count:
            return int(hunk[1]) + number - passed
        passed += count
    return 0


def _finding(path: str, added: str, section: bytes, secret: Secret, commit: _Commit) -> Finding:
    shown = mask(secret.value, is_token=secret.is_token)
    day = commit.date[:10]
    article = "An" if secret.what[:1] in "AEIOU" else "A"
    return Finding(
        rule="hardcoded-secret-history",
        path=path,
        line=_line(section, added.count("\n", 0, secret.start)),
        message=(
            f"{article} {secret.what} ({shown}) was committed on {day} and deleted later:"
            " it must be replaced, since every clone still has it."
        ),
        severity=Severity.ERROR,
        confidence=secret.confidence,
        evidence=evidence(added, secret.start, [(secret.value, shown)]),
        fix=(
            f"{rotation(secret)} Rewriting the history (git filter-repo) helps only before the first push:"
            " forks, clones and caches keep it."
        ),
        kind=secret.kind,
        hash=fingerprint("secret", "", secret.value),
        commit=commit.id[:12],
        committed_at=commit.date,
        in_tree=False,
    )
