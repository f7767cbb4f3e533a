"""Tells in a pipeline's file what only its tests use from what is deployed."""

import re

_TESTS = re.compile(
    r"(?i)\b(?:py\.?test|unittest|tox|nox|jest|vitest|mocha|playwright|cypress|rspec|phpunit|ctest|coverage|lint|flake8|ruff"
    r"|mypy|pylint|eslint|tsc|prettier|e2e|smoke|tests?|testing|makemigrations|check|checks|audit|scan|bandit|typecheck|build)\b"
)
_DEPLOYS = re.compile(
    r"(?i)\bdeploy|\brelease\b|\bpublish\b|\bvercel\b|\bnetlify\b|\bflyctl\b|\bkubectl\b|\bhelm\b|\bheroku\b|\brailway\b|\bterraform\b"
    r"|\bansible|\bssh\b|\bscp\b|\brsync\b|\bgcloud\b|\baws\s|\bdocker\s+push\b|build-push|\bproduction\b|\bstaging\b"
)
_FOR_TESTS = re.compile(
    r"(?i)(?:^|[^a-z])(?:tests?|testing|ci|dummy|fake|mock|insecure|unsafe"
    r"|not[-_ ](?:a|for|so|real)|ephemeral|throwaway|build)(?:[^a-z]|$)"
)
_SERVICES = re.compile(r"(?m)^[ \t]*(?:-[ \t]+)?(?:services|docker|image)[ \t]*:")
_BLOCK_CHARS = 4_000
_ABOVE_CHARS = 300


def is_for_tests(text: str, at: int, value: str) -> bool:
    """Say whether the value at an offset of a pipeline's file is one of its tests, checks or builds.

    It is where the value or the comment above says so, and where the smallest block around its `env:` runs
    tests and deploys nothing.
    """
    if _FOR_TESTS.search(value) is not None or _FOR_TESTS.search(_comment_above(text, at)) is not None:
        return True
    block = _block(text[max(0, at - _BLOCK_CHARS) : at + _BLOCK_CHARS], min(at, _BLOCK_CHARS))
    return _TESTS.search(block) is not None and _DEPLOYS.search(block) is None


def is_of_service(text: str, at: int) -> bool:
    """Say whether a value at an offset is one of a container that a pipeline starts beside itself."""
    start = max(0, at - _BLOCK_CHARS)
    near = text[start : at + _BLOCK_CHARS]
    lines = near[: at - start].split("\n")
    indent = _indent(lines[-1])
    for line in reversed(lines[:-1]):
        if line.strip() and _indent(line) < indent:
            indent = _indent(line)
            if _SERVICES.match(line) is not None:
                return True
    return False


def _comment_above(text: str, at: int) -> str:
    """Return the comment of the line at an offset and those of the lines right above it."""
    end = text.find("\n", at, at + _ABOVE_CHARS)
    here = text[at : end if end >= 0 else at + _ABOVE_CHARS].partition(" #")[2]
    said = [here]
    for line in reversed(text[max(0, at - _ABOVE_CHARS) : at].split("\n")[:-1]):
        if not line.lstrip().startswith("#"):
            break
        said.append(line)
    return " ".join(said)


def _block(near: str, at: int) -> str:
    """Return the step or job whose `env:` holds what stands at an offset; the whole text for one on top."""
    lines = near.split("\n")
    number = near.count("\n", 0, at)
    indent = _indent(lines[number])
    top = number
    for parents in range(2):  # The line of `env:`, then what it belongs to.
        while top > 0 and not (lines[top].strip() and _indent(lines[top]) < indent):
            top -= 1
        if parents == 0 and top == 0 and _indent(lines[0]) >= indent:
            return near
        indent = _indent(lines[top]) if lines[top].strip() else 0
        if indent == 0:
            return near
        if lines[top].lstrip().startswith("- "):
            break
    end = next(
        (n for n in range(top + 1, len(lines)) if lines[n].strip() and _indent(lines[n]) <= indent),
        len(lines),
    )
    return "\n".join(lines[top:end])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
