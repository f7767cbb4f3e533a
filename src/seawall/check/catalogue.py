"""The rules of the audit: what each looks for, why it matters, how to mend it, and where Seawall closes it.

Invariant: the texts live in `rules.toml` and nowhere else. Pages, formats and messages are made from them.
"""

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal as OneOf

from msgspec import Struct, convert

from seawall.check.findings import Severity
from seawall.check.options import CannotRun

PAGES = "https://seawall.dev/rules"
GROUPS = ("secrets", "ai", "web", "stage")
"""Names that stand for several rules, in the order in which people read them."""


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. The id is its category as well: what programs compare.

    `what` says what was looked for, `why` what happens otherwise, `fix` how to mend it in any language, and
    `fix_python` and `fix_javascript` the code where it helps to see it. `seawall` is the command or the lines
    of `seawall.toml` with which Seawall closes it, or nothing. Texts are paragraphs, as `rules.toml` says at
    its top. Tags are empty where no entry says the same.
    """

    id: str
    group: OneOf["secrets", "ai", "web", "stage"]
    title: str
    severity: Severity
    what: str
    why: str
    fix: str
    fix_python: str = ""
    fix_javascript: str = ""
    seawall: str = ""
    cwe: tuple[int, ...] = ()
    owasp_llm: tuple[str, ...] = ()
    asvs: tuple[str, ...] = ()
    example_bad: str = ""
    example_good: str = ""
    example_in: OneOf["python", "js", "jsx", "text"] = "python"

    @property
    def category(self) -> str:
        """What programs compare; the same as the id."""
        return self.id

    @property
    def page(self) -> str:
        """The address of the page of this rule."""
        return f"{PAGES}/{self.id}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The rule in the words of others: CWE, OWASP's Top 10 for LLM Applications 2025, ASVS 5.0."""
        return (
            *(f"CWE-{number}" for number in self.cwe),
            *(f"OWASP-{entry}" for entry in self.owasp_llm),
            *(f"ASVS-5.0-{requirement}" for requirement in self.asvs),
        )


class UnknownRule(CannotRun):
    """There is no rule or group of this name; the message is a sentence for people."""


@cache
def rules() -> dict[str, Rule]:
    """Return every rule by its id, in the order of the catalogue."""
    read = tomllib.loads(files("seawall.check").joinpath("rules.toml").read_text("utf-8"))
    return {name: convert({"id": name, **table}, Rule) for name, table in read.items()}


def rule(name: str) -> Rule:
    """Return one rule; raises UnknownRule."""
    found = rules().get(name)
    if found is None:
        raise UnknownRule(_unknown(name))
    return found


def expand(names: Iterable[str]) -> frozenset[str]:
    """Return the ids that names of rules and groups stand for; raises UnknownRule."""
    ids: set[str] = set()
    for name in names:
        if name in GROUPS:
            ids.update(each.id for each in rules().values() if each.group == name)
        else:
            ids.add(rule(name).id)
    return frozenset(ids)


def _unknown(name: str) -> str:
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name[:60])
    close = get_close_matches(name, (*rules(), *GROUPS), n=1)
    return f"there is no rule {shown!r}" + (f"; did you mean {close[0]}?" if close else ".")
