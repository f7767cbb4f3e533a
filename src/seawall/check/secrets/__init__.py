"""Searches for secrets: in the tree, in environment files, in what reaches the browser, in the history."""

from collections.abc import Callable, Iterator
from itertools import islice

from msgspec import Struct

from seawall.check.files import Files
from seawall.check.findings import Confidence, Finding
from seawall.check.secrets.browser import find_shipped
from seawall.check.secrets.describe import Page
from seawall.check.secrets.envfiles import check_env_files, is_real_env
from seawall.check.secrets.history import History, scan_history, with_first_commits
from seawall.check.secrets.hosts import NO_HOSTS, Stack, stack_of
from seawall.check.secrets.masking import fingerprint, mask
from seawall.check.secrets.places import place_of
from seawall.check.secrets.scan import SECRETS_MAX, pairs_of, secrets_of
from seawall.check.secrets.weak import find_weak

__all__ = [
    "History",
    "Scan",
    "Stack",
    "check_env_files",
    "fingerprint",
    "mask",
    "scan",
    "scan_history",
    "scan_text",
    "scan_tree",
    "stack_of",
    "with_first_commits",
]

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and of how much (0: nobody knows)."""
_PROGRESS_EVERY = 200


class Scan(Struct, frozen=True):
    """All findings about secrets; `commits` were read of the history, None where it was not looked at."""

    findings: list[Finding]
    commits: int | None = None


def scan(files: Files, *, history: bool = True, progress: Progress | None = None) -> Scan:
    """Search the files and the history; what could not be read of it is added to `files.notices`."""
    found = scan_tree(files, progress)
    if not history or files.repository is None:
        return Scan(findings=found)
    past = scan_history(files, found, progress)
    for notice in past.notices:
        files.say(notice)
    return Scan(findings=[*with_first_commits(found, past), *past.findings], commits=past.commits)


def scan_text(
    path: str, text: str, *, stack: Stack = NO_HOSTS, is_committed: bool = True
) -> Iterator[Finding]:
    """Yield the findings of one file, in the order of its lines.

    An environment file that is not committed is where secrets belong: of it only what reaches the browser is
    said. Of a committed one the values of known issuers are found here one by one; `check_env_files` says it
    of the file.
    """
    place = place_of(path)
    pairs = pairs_of(text, place)
    secrets = secrets_of(text, place, pairs)
    page = Page(place, text, secrets, stack)
    shipped = list(islice(find_shipped(text, place), SECRETS_MAX))
    lines = {page.line(one.start) for one in shipped}
    findings = [page.of_shipped(one) for one in shipped]
    if not is_real_env(path):
        taken = [(secret.start, secret.end) for secret in secrets]
        weak = list(islice(find_weak(text, place, pairs), SECRETS_MAX))
        weak = [one for one in weak if not _overlaps(one.start, one.end, taken)]
        findings += [page.of_weak(one) for one in weak]
    elif not is_committed:
        secrets = []
    else:
        secrets = [secret for secret in secrets if secret.confidence is Confidence.HIGH]
    findings += [page.of_secret(secret) for secret in secrets if page.line(secret.start) not in lines]
    yield from page.together(findings)


def scan_tree(files: Files, progress: Progress | None = None) -> list[Finding]:
    """Return the findings of all files; of the staged ones where the index is read."""
    stack = stack_of([*files.paths, *files.others])
    found: list[Finding] = []
    for count, path in enumerate(files.paths):
        if progress is not None and count % _PROGRESS_EVERY == 0:
            progress("looking for secrets", count, len(files.paths))
        if files.staged is not None and path not in files.staged:
            continue
        text = files.text(path)
        if text:
            committed = files.tracked is not None and path in files.tracked
            found += scan_text(path, text, stack=stack, is_committed=committed)
    for path in files.ignored_env:
        text = files.text(path)
        if text:
            own = scan_text(path, text, stack=stack, is_committed=False)
            found += [finding for finding in own if finding.rule == "browser-key"]
    found += check_env_files(files)
    return found


def _overlaps(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return any(a < end and start < b for a, b in taken)
