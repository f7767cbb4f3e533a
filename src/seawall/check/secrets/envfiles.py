"""Finds environment files that are in the repository, or that nothing keeps out of it."""

import os
import re
from collections.abc import Iterator
from itertools import islice

from seawall.check.files import Files
from seawall.check.findings import Confidence, Finding, Severity
from seawall.check.git import GitError, run
from seawall.check.secrets.judge import asks_for_value, is_local_password, provider_named
from seawall.check.secrets.masking import evidence, fingerprint, mask
from seawall.check.secrets.pairs import Pair, find_pairs
from seawall.check.secrets.places import place_of
from seawall.check.secrets.scan import find_secrets
from seawall.check.secrets.values import is_reference, is_stand_in

_ENV_FILE = re.compile(r"(?:^|/)\.env(?:\.[\w-]+)*$|(?:^|/)[\w-]+\.env$")
_READS_ENV = re.compile(
    r"load_dotenv|from dotenv|import dotenv|require\(['\"]dotenv|dotenv/config|dotenv\.config|env_file\s*="
    r"|--env-file|python-dotenv|@nestjs/config|django-environ|environ\.Env|decouple|env_file:|loadEnv\(|Dotenv"
)
_READERS_MAX = 4000
_FOLDERS_MAX = 20
_ASKED_MAX = 100


def is_real_env(path: str) -> bool:
    """Say whether a path is an environment file that is meant to hold values, and no example of one."""
    return _ENV_FILE.search(path) is not None and not place_of(path).is_example


def check_env_files(files: Files) -> Iterator[Finding]:
    """Yield `env-committed` and `env-not-ignored`; nothing without git, where nothing is committed."""
    if files.tracked is None:
        return
    committed = [path for path in files.paths if is_real_env(path) and path in files.tracked]
    for path in committed:
        finding = _committed(files, path)
        if finding is not None:
            yield finding
    if files.repository is not None and not files.repository.is_bare:
        yield from _not_ignored(files)


def _committed(files: Files, path: str) -> Finding | None:
    text = files.text(path)
    if text is None:
        return None
    secrets = find_secrets(path, text)
    real = [(secret.start, secret.name) for secret in secrets if secret.severity is not Severity.NOTE]
    worded = _worded(path, text)
    if not real and not worded:
        return None
    real = sorted({*real, *((pair.start, pair.name) for pair in worded)})
    first = real[0][0]
    names = [f"`{name}`" for name in dict.fromkeys(name for _, name in real if name)][:4]
    named = f" ({', '.join(names)}{', …' if len(real) > len(names) else ''})" if names else ""
    hidden = [(pair.value, "…") for pair in worded]
    hidden += [(secret.value, mask(secret.value, is_token=secret.is_token)) for secret in secrets]
    folder = path.rpartition("/")[0]
    example = f"{folder}/.env.example" if folder else ".env.example"
    return Finding(
        rule="env-committed",
        path=path,
        line=text.count("\n", 0, first) + 1,
        message=f"git tracks `{path}` with real values{named}: whoever has the repository has them.",
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        evidence=evidence(text, first, hidden),
        fix=(
            f"Run `git rm --cached {path}`, add `{path.rpartition('/')[2]}` to .gitignore, keep the names"
            f" without values in `{example}`, and replace every value that was pushed: the history keeps it."
        ),
        hash=fingerprint("env-committed", path, ""),
    )


def _worded(path: str, text: str) -> list[Pair]:
    """Return the passwords and secrets of an environment file that are words and no request for one."""
    return [
        pair
        for pair in find_pairs(text, place_of(path))
        if pair.category in ("password", "secret")
        and len(pair.value) >= 6
        and " " not in pair.value
        and provider_named(pair.name) is None
        and not is_reference(pair.value)
        and not is_local_password(pair.value)
        and not asks_for_value(pair.value)
        and not is_stand_in(pair.value)
    ]


def _not_ignored(files: Files) -> Iterator[Finding]:
    assert files.tracked is not None
    present = [path for path in files.paths if is_real_env(path) and path not in files.tracked]
    examples = [path for path in files.paths if _is_example(path)]
    expected = {f"{path.rpartition('/')[0]}/.env".lstrip("/") for path in examples}
    readers: dict[str, str] = {}
    if not expected and not present:
        readers = _open_readers(files)
        expected = set(readers)
    wanted = sorted({*present, *(path for path in expected if path not in files.tracked)})
    ignored = _ignored(files, wanted)
    for path in wanted:
        if path in ignored:
            continue
        there = path in present
        if there and not _holds_secret(files, path):
            continue
        yield Finding(
            rule="env-not-ignored",
            path=path if there else _place_for(files, examples, path, readers.get(path, "")),
            line=1,
            message=(
                f"`{path}` holds real values and git does not ignore it: the next `git add .` commits it."
                if there
                else f"The app reads `{path}`, and .gitignore does not name it: it can be committed."
            ),
            severity=Severity.WARNING,
            confidence=Confidence.HIGH,
            fix="Add the lines `.env`, `.env.*` and `!.env.example` to .gitignore.",
            hash=fingerprint("env-not-ignored", path, ""),
        )
        if not there:
            return


def _is_example(path: str) -> bool:
    name = path.rpartition("/")[2]
    return place_of(path).is_example and name.startswith((".env", "env."))


def _place_for(files: Files, examples: list[str], path: str, reader: str) -> str:
    """Return the file that shows what is missing: the rules, an example of the file, or who reads it."""
    if ".gitignore" in files.paths:
        return ".gitignore"
    folder = path.rpartition("/")[0]
    beside = (example for example in examples if example.rpartition("/")[0] == folder)
    return next(beside, reader or ".gitignore")


def _holds_secret(files: Files, path: str) -> bool:
    text = files.text(path)
    return text is not None and any(
        secret.severity is not Severity.NOTE for secret in find_secrets(path, text)
    )


def _open_readers(files: Files) -> dict[str, str]:
    """Return the first program that reads an environment file which no folder around it keeps out of git.

    Where it looks for the file is not followed: from its own folder up to the root is where people put it.
    """
    readers = list(islice(_readers(files), _FOLDERS_MAX))
    places = {reader: _env_places(reader) for reader in readers}
    ignored = _ignored(files, sorted({place for around in places.values() for place in around}))
    assert files.tracked is not None
    for reader, around in places.items():
        if not any(place in ignored or place in files.tracked for place in around):
            return {".env": reader}
    return {}


def _env_places(reader: str) -> list[str]:
    folders = reader.split("/")[:-1]
    return ["/".join([*folders[:depth], ".env"]) for depth in range(len(folders) + 1)]


def _readers(files: Files) -> Iterator[str]:
    """Yield one program of each folder that reads environment files."""
    seen: set[str] = set()
    endings = (".py", ".js", ".ts", ".mjs", ".cjs", "package.json", "docker-compose.yml", "compose.yaml")
    for path in [path for path in files.paths if path.endswith(endings)][:_READERS_MAX]:
        folder = path.rpartition("/")[0]
        if folder in seen or place_of(path).is_test:
            continue
        text = files.text(path)
        if text is not None and "env" in text and _READS_ENV.search(text) is not None:
            seen.add(folder)
            yield path


def _ignored(files: Files, paths: list[str]) -> frozenset[str]:
    """Return which of `paths` the repository ignores; a developer's personal rules protect nobody else."""
    if not paths:
        return frozenset()
    plain = [path for path in paths if "\\" not in path][:_ASKED_MAX]
    try:
        answer = run(
            files.root,
            "-c",
            f"core.excludesFile={os.devnull}",
            "check-ignore",
            "--no-index",
            "--",
            *plain,
            ok=(0, 1),
        )
    except GitError:
        return frozenset(paths)
    return frozenset(part.decode("utf-8", "replace") for part in answer.split(b"\n") if part)
