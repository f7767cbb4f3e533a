"""Which environment variables an app's code reads: by name and place, never a value."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct

VARIABLES_MAX = 300
FILES_READ_MAX = 5_000

_NAME = r"([A-Za-z_][A-Za-z0-9_]{0,80})"
_READS = re.compile(
    rf"(?:\bos\.)?\benviron(?:\.get\(|\.pop\(|\.setdefault\(|\[)\s*[\"']{_NAME}[\"']"
    rf"|\b(?:os\.)?getenv\(\s*[\"']{_NAME}[\"']"
    rf"|\b(?:process|Bun|import\.meta)\.env\??\.{_NAME}\b"
    rf"|\b(?:process|Bun|import\.meta)\.env\[\s*[\"'`]{_NAME}[\"'`]"
    rf"|\bDeno\.env\.get\(\s*[\"'`]{_NAME}[\"'`]"
    rf"|\b(?:config|env(?:\.(?:str|bool|int|float|list|url|db))?)\(\s*[\"']([A-Z][A-Z0-9_]{{2,80}})[\"']"
)
_UNPACKED = re.compile(r"\{([^{}]{1,2000})\}\s*=\s*(?:process|Bun|import\.meta)\.env\b")
_SETTINGS = re.compile(
    r"^class\s+\w+\([^\n]{0,200}?\bBaseSettings\b[^\n]{0,200}\):[^\n]*\n((?:[ \t]+[^\n]*\n|\s*\n)*)",
    re.MULTILINE,
)
_FIELD = re.compile(r"^(?:    |\t)([a-z][a-z0-9_]*)\s*:\s*[^=\n]+", re.MULTILINE)
_PREFIX = re.compile(r"env_prefix\s*=\s*[\"'](\w*)[\"']")
_READ = re.compile(r"\.(?:py|ipynb|[cm]?[jt]sx?|vue|svelte|astro)$")

_OF_THE_SYSTEM = re.compile(
    r"^(?:NODE_ENV|PATH|HOME|USER|PWD|SHELL|TERM|LANG|TZ|TMPDIR|TEMP|TMP|CI(?:_\w+)?|PORT|HOSTNAME|DEV"
    r"|PROD|SSR"
    r"|MODE|BASE_URL"
    r"|VERCEL(?:_\w+)?|NEXT_RUNTIME|NEXT_PHASE|NETLIFY|RENDER(?:_\w+)?|RAILWAY_\w+|FLY_\w+|DYNO"
    r"|AWS_LAMBDA_\w+"
    r"|AWS_EXECUTION_ENV|GITHUB_\w+|PYTEST_\w+|JEST_\w+|VITEST|PLAYWRIGHT\w*|CYPRESS_\w+|npm_\w+"
    r"|PYTHON\w+|VIRTUAL_ENV|NO_COLOR"
    r"|FORCE_COLOR"
    r"|COLUMNS|APPDATA|LOCALAPPDATA|PROGRAMFILES|XDG_\w+|DISPLAY|KUBERNETES_\w+|K_SERVICE|WEBSITE_\w+"
    r"|CUDA_\w+"
    r"|RUNNER_\w+|DJANGO_SETTINGS_MODULE|ANALYZE)$"
)
_BY_LIBRARY: dict[str, tuple[str, str]] = {
    "OPENAI_API_KEY": (r"openai\b|langchain_openai\b", r"openai|@ai-sdk/openai|@langchain/openai"),
    "ANTHROPIC_API_KEY": (
        r"anthropic\b|langchain_anthropic\b",
        r"@anthropic-ai/sdk|@ai-sdk/anthropic|@langchain/anthropic",
    ),
    "GOOGLE_GENERATIVE_AI_API_KEY": (r"google_generative_ai_sdk\b", r"@ai-sdk/google"),
    "GEMINI_API_KEY": (r"google\s+import\s+genai\b|google\.genai\b", r"@google/genai"),
    "GROQ_API_KEY": (r"groq\b", r"groq-sdk|@ai-sdk/groq"),
    "MISTRAL_API_KEY": (r"mistralai\b", r"@mistralai/mistralai|@ai-sdk/mistral"),
    "REPLICATE_API_TOKEN": (r"replicate\b", r"replicate"),
    "TOGETHER_API_KEY": (r"together\b", r"together-ai"),
}
"""Variables that libraries read by themselves: how the library is imported in Python, and its name in npm."""


class Readable(Protocol):
    """Texts of files by path; see `check/files.py`."""

    def text(self, path: str) -> str | None:
        """Return a file's text, or None where it cannot be read as such."""


class Variable(Struct, frozen=True, order=True):
    """A variable, and the first place that reads it; line 0 is a library that reads it by itself."""

    name: str
    path: str
    line: int


def variables_read(files: Readable, paths: Iterable[str]) -> list[Variable]:
    """Return the variables that the code reads, sorted by name, each with its first place.

    Only the files in `paths` are read. Variables of the system and of hosts are left out.
    """
    found: dict[str, Variable] = {}
    libraries: dict[str, Variable] = {}
    for path in [path for path in paths if _READ.search(path)][:FILES_READ_MAX]:
        text = files.text(path)
        if not text:
            continue
        for name, line in _names(text):
            if name not in found and not _OF_THE_SYSTEM.match(name) and len(found) < VARIABLES_MAX:
                found[name] = Variable(name, path, line)
        for name, (python, npm) in _BY_LIBRARY.items():
            shape = rf"^\s*(?:from|import)\s+(?:{python})|\b(?:from|require\()\s*[\"'](?:{npm})[\"']"
            if name not in libraries and re.search(shape, text, re.MULTILINE):
                libraries[name] = Variable(name, path, 0)
    for name, variable in libraries.items():
        # An app that reads a key of the same provider by another name hands it over itself.
        if not any(name.split("_")[0] in other and "KEY" in other for other in found):
            found[name] = variable
    return sorted(found.values())


def _names(text: str) -> Iterator[tuple[str, int]]:
    for read in _READS.finditer(text):
        name = next(group for group in read.groups() if group)
        yield name, text.count("\n", 0, read.start()) + 1
    for unpacked in _UNPACKED.finditer(text):
        line = text.count("\n", 0, unpacked.start()) + 1
        for part in unpacked[1].split(","):
            name = re.split(r"[:=]", part)[0].strip()
            if re.fullmatch(_NAME, name):
                yield name, line
    for settings in _SETTINGS.finditer(text):
        prefix = _PREFIX.search(settings[1])
        for field in _FIELD.finditer(settings[1]):
            if field[1] != "model_config":
                name = f"{prefix[1] if prefix else ''}{field[1]}".upper()
                yield name, text.count("\n", 0, settings.start(1) + field.start()) + 1
