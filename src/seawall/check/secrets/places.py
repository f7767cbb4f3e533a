"""Says what kind of file a path is, as far as the search for secrets treats them differently."""

import re
from functools import lru_cache

from msgspec import Struct

_CODE_WORDS = """
py pyi pyx pxd js jsx mjs cjs ts tsx mts cts vue svelte astro java kt kts scala groovy go rb php phtml
cs vb c cc cpp h hpp m mm rs swift dart lua pl pm ex exs erl clj hs r jl sol sql html htm css scss
"""
_CODE = frozenset(_CODE_WORDS.split())
_LINES_WORDS = """
env ini cfg conf cnf properties yml yaml toml tfvars npmrc pypirc pgpass sh bash zsh service
"""
_LINES = frozenset(_LINES_WORDS.split())
_DOCS_WORDS = """
md mdx rst txt adoc asciidoc textile org tex log
"""
_DOCS = frozenset(_DOCS_WORDS.split())
_MARKUP_WORDS = """
xml html htm config csproj props targets plist xaml resx vue svelte svg
"""
_MARKUP = frozenset(_MARKUP_WORDS.split())
_TEST = re.compile(
    r"(?i)(?:^|/)(?:tests?|testing|testdata|test[_-]?data|__tests__|__mocks__|mocks?|specs?|fixtures?|e2e|cypress|testutils?"
    r"|examples?|samples?|demos?|benchmarks?|docs?|cookbooks?|tutorials?|tap|cassettes|recordings?|snapshots?|stubs?|playground|[\w-]+[_-]tests?)/"
    r"|(?:^|/)(?:[^/]*examples?[-_.\d]*\.\w+|test[_-][^/]*|tests?\.\w+|conftest\.py|[^/]*(?:[._-](?:test|tests|spec|mock|fixture|stories|e2e|cy|smoke))\.\w+"
    r"|[^/]*Tests?\.\w+)$"
)
_LOCK = re.compile(
    r"(?i)(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|uv\.lock"
    r"|poetry\.lock|pipfile\.lock|pdm\.lock|composer\.lock|gemfile\.lock|cargo\.lock|go\.sum|flake\.lock|packages\.lock\.json"
    r"|podfile\.lock|mix\.lock|pubspec\.lock|[^/]*requirements[^/]*\.txt|\.secrets\.baseline|gradle\.lockfile"
    r"|verification-metadata\.xml|[^/]*\.lock\.(?:json|yaml|yml|hcl)|\.terraform\.lock\.hcl)$"
)
_WORDS = re.compile(
    r"(?i)(?:^|/)(?:locales?|i18n|lang|langs|languages|translations?|l10n|messages)/|\.po$|\.arb$|\.strings$"
)
_EXAMPLE = re.compile(
    r"(?i)[._-](?:example|sample|template|tmpl|dist|default|defaults|schema|test|ci|spec|tpl)(?:\.|$)"
)
_SPACED = re.compile(
    r"(?i)(?:^|/)(?:dockerfile[^/]*|[^/]*\.dockerfile|containerfile|\.?_?netrc|\.esmtprc|\.fetchmailrc|\.msmtprc"
    r"|\.mutt(?:rc)?|\.ncftp[^/]*|[^/]*\.netrc)$"
)
_SERVED = re.compile(
    r"(?i)(?:^|/)(?:public|wwwroot|htdocs|www|public_html)/[^/].*\.(?:m?js|html?|json|css|txt|xml|env)$"
    r"|(?:^|/)(?:static|assets)/[^/].*\.(?:m?js|html?)$|\.html?$"
)
_VAULT = re.compile(
    r"(?i)(?:^|/)(?:\.?_?netrc|\.pgpass|\.git-credentials|\.npmrc|\.pypirc|\.dockercfg|\.docker/config\.json|\.ftpconfig"
    r"|\.?remote-sync\.json|\.?sftp(?:-config)?\.json|deployment-config\.json|filezilla\.xml|recentservers\.xml"
    r"|sitemanager\.xml|\.?dbeaver-data-sources\.xml|credentials-config\.json|\.esmtprc|\.msmtprc|\.s3cfg|webservers\.xml"
    r"|robomongo\.json|wp-config\.php|ventrilo_srv\.ini|\.my\.cnf|\.mylogin\.cnf|\.boto|\.credentials|\.aws/credentials)$"
)
_HASHES = re.compile(r"(?i)(?:^|/)(?:\.?htpasswd[^/]*|shadow|[^/]*passwd[^/]*|[^/]*\.(?:sql|ldif|dump))$")
_COMPOSE = re.compile(r"(?i)(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")
_WORKFLOW = re.compile(
    r"(?i)(?:^|/)(?:\.github/(?:workflows|actions)/|\.circleci/|\.gitea/workflows/|\.forgejo/workflows/|\.buildkite/|\.woodpecker/)"
    r"|(?:^|/)(?:[\w.-]*\.gitlab-ci|\.travis|\.drone|\.woodpecker|\.?appveyor|azure-pipelines[\w.-]*|bitbucket-pipelines|codemagic)\.ya?ml$"
)
_FOREIGN = re.compile(
    r"(?i)\.download$"
    r"|(?:^|/)(?!(?:static|config|conf|env|data|source|src|template|test|log|upload|user|my|project|app|media|input|output|sql|json"
    r"|xml|example|sample|web|site|public|asset|script|js|css|html|page|demo|client|server)_files/)[^/]+_files/(?:[^/]+/)*[^/]+\.(?:m?js|css|html?)$"
    r"|(?:^|/)(?:generated|__generated__|prisma/generated?|\.output|_next)/(?:[^/]+/)*[^/]+\.(?:[mc]?[jt]s|css|html?|map)$"
    r"|(?:^|/)dist/(?:[^/]+/)*[^/]+\.(?:[mc]?js|css)$|[.-]bundle\.[mc]?js$"
    r"|(?:^|/)(?:build|out|assets|chunks|js)/(?:[^/]+/)*[\w.-]+[.-](?=[\w-]*\d)[\w-]{8,24}\.(?:chunk\.)?(?:m?js|css)$"
)
"""Saved web pages (`name_files/`), and what generators and bundlers leave."""
_RAILS_KEY = re.compile(r"(?:^|/)config/(?:master|credentials/\w+)\.key$")

_BUNDLED = frozenset(("js", "mjs", "cjs", "jsx", "ts", "tsx", "css", "html", "htm", "vue", "svelte"))
_LINE_CHARS_MAX = 2_000
_ROWS_MAX = 100


class Place(Struct, frozen=True):
    """What a path says. `lines` is one entry a line (`NAME=value`); `spaced` may part them by a space alone.

    `is_vault` is a file that programs keep their passwords in, `holds_hashes` one of accounts, `is_rails_key`
    nothing but a key. `is_workflow` is a pipeline's file, `is_foreign` a page or program that was saved,
    built or generated, `is_table` a file of rows.
    """

    path: str
    ending: str
    is_code: bool
    is_docs: bool
    is_test: bool
    is_lock: bool
    is_words: bool
    is_example: bool
    is_env: bool
    is_markup: bool
    is_served: bool
    lines: bool
    spaced: bool
    is_vault: bool
    holds_hashes: bool
    is_rails_key: bool
    is_compose: bool
    is_workflow: bool
    is_script: bool
    is_foreign: bool
    is_table: bool


@lru_cache(maxsize=256)
def place_of(path: str) -> Place:
    """Return what the file at `path` is."""
    name = path.rpartition("/")[2].lower()
    ending = name.rpartition(".")[2] if "." in name else ""
    is_env = name.startswith(".env") or name.endswith(".env") or ".env." in name or name == "env"
    spaced = _SPACED.search(path) is not None
    lines = (
        is_env
        or ending in _LINES
        or spaced
        or not ending
        or (name.startswith(".") and ending not in ("js", "json"))
    )
    return Place(
        path=path,
        ending=ending,
        is_code=ending in _CODE,
        is_docs=ending in _DOCS or name.startswith(("readme", "changelog", "contributing", "license")),
        is_test=_TEST.search(path) is not None,
        is_lock=_LOCK.search(path) is not None,
        is_words=_WORDS.search(path) is not None,
        is_example=_EXAMPLE.search(name) is not None,
        is_env=is_env,
        is_markup=ending in _MARKUP,
        is_served=_SERVED.search(path) is not None,
        lines=lines and ending not in _CODE,
        spaced=spaced,
        is_vault=_VAULT.search(path) is not None,
        holds_hashes=_HASHES.search(path) is not None,
        is_compose=_COMPOSE.search(path) is not None,
        is_workflow=_WORKFLOW.search(path) is not None,
        is_script=ending in ("sh", "bash", "zsh", "ps1", "psm1", "bat", "cmd"),
        is_foreign=_FOREIGN.search(path) is not None,
        is_table=ending in ("csv", "tsv", "jsonl", "ndjson"),
        is_rails_key=_RAILS_KEY.search(path) is not None,
    )


def is_minified(text: str, at: int, place: Place) -> bool:
    """Say whether an offset lies in a line that a bundler wrote, where names are not the developer's."""
    if place.ending not in _BUNDLED:
        return False
    start = text.rfind("\n", max(0, at - _LINE_CHARS_MAX), at)
    start = max(0, at - _LINE_CHARS_MAX) if start < 0 else start
    end = text.find("\n", at, at + _LINE_CHARS_MAX)
    end = min(len(text), at + _LINE_CHARS_MAX) if end < 0 else end
    return end - start > _LINE_CHARS_MAX


def is_data_set(text: str, place: Place) -> bool:
    """Say whether a text is a collection of rows rather than settings."""
    if place.is_table:
        return text.count("\n") > _ROWS_MAX
    if place.ending == "json":
        return "[" in text[:200] and text.count("{") > _ROWS_MAX
    return place.ending == "txt" and text.count("\n") > 3 * _ROWS_MAX
