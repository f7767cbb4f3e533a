"""The catalogue holds every published rule, in words and code that people can use as they stand."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import tree_sitter_typescript
import typer.main
from tree_sitter import Language, Parser

from seawall.check.catalogue import GROUPS, Rule, UnknownRule, expand, rule, rules
from seawall.check.findings import Severity
from seawall.check.formats.reading import paragraphs
from seawall.cli.check import parser
from seawall.cli.main import app
from seawall.settings import load_settings

PUBLISHED = [
    "hardcoded-secret",
    "hardcoded-secret-history",
    "env-committed",
    "env-not-ignored",
    "browser-key",
    "weak-default-secret",
    "unprotected-llm-endpoint",
    "browser-llm-call",
    "no-max-tokens",
    "unbounded-llm-loop",
    "user-chosen-model",
    "unvalidated-llm-input",
    "shared-conversation-state",
    "unbounded-history",
    "llm-output-exec",
    "llm-output-html",
    "llm-output-sql",
    "llm-output-shell",
    "llm-output-path",
    "llm-output-url",
    "system-prompt-from-user",
    "system-prompt-open",
    "slow-in-request",
    "sql-injection",
    "nosql-injection",
    "xss",
    "path-traversal",
    "command-injection",
    "code-injection",
    "ssrf",
    "debug-on",
    "stack-trace-to-client",
    "secrets-in-logs",
    "tls-off",
    "http-endpoint",
    "cors-open",
    "insecure-cookie",
    "unverified-token",
    "too-early",
]
CODE_CHARS_MAX = 76
TSX = Language(tree_sitter_typescript.language_tsx())
RULES = list(rules().values())


def blocks(text: str) -> list[str]:
    return [part for kind, part in paragraphs(text) if kind == "code"]


def test_every_published_rule_is_there_once_and_in_order() -> None:
    assert list(rules()) == PUBLISHED


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_a_rule_says_what_why_and_how(of: Rule) -> None:
    assert all(text.strip() for text in (of.title, of.what, of.why, of.fix, of.example_bad, of.example_good))
    assert all(text.strip('" ').endswith(".") for text in (of.what, of.why))
    assert not of.title.endswith(".")
    assert of.group in GROUPS
    assert of.category == of.id
    assert of.page == f"https://seawall.dev/rules/{of.id}"


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_code_fits_a_terminal(of: Rule) -> None:
    codes = [
        of.fix_python,
        of.fix_javascript,
        of.example_bad,
        of.example_good,
        *blocks(of.fix),
        *blocks(of.seawall),
    ]
    assert [line for code in codes for line in code.splitlines() if len(line) > CODE_CHARS_MAX] == []


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_python_code_is_python(of: Rule) -> None:
    ast.parse(of.fix_python)
    if of.example_in == "python":
        ast.parse(of.example_bad)
        ast.parse(of.example_good)


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_javascript_code_is_javascript(of: Rule) -> None:
    codes = [of.fix_javascript]
    if of.example_in in ("js", "jsx"):
        codes += [of.example_bad, of.example_good]
    for code in codes:
        # A `return` and an `await` stand in the function that the reader has around them.
        tree = Parser(TSX).parse(code.encode())
        assert not tree.root_node.has_error, code


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_lines_of_seawall_toml_are_taken_by_the_gateway(of: Rule, tmp_path: Path) -> None:
    lines = [block for block in blocks(of.seawall) if block.startswith("[")]
    if lines:
        (tmp_path / "seawall.toml").write_text("\n\n".join(lines), encoding="utf-8")
        load_settings(None, {}, {}, tmp_path)


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_commands_of_seawall_are_there(of: Rule) -> None:
    quoted = re.findall(r"`seawall ([^`]+)`", of.seawall + of.fix)
    stated = [block.removeprefix("seawall ") for block in blocks(of.seawall) if block.startswith("seawall ")]
    for words in (shlex.split(text.replace("\\\n", " ")) for text in quoted + stated):
        if words[0] == "check":
            parser().parse_args(words[1:])
            continue
        if words[0] == "init":
            continue  # It has tests of its own.
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        options = {
            name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("of", RULES, ids=lambda of: of.id)
def test_tags_have_the_form_of_those_who_wrote_them(of: Rule) -> None:
    assert all(re.fullmatch(r"LLM(0[1-9]|10):2025", entry) for entry in of.owasp_llm)
    assert all(re.fullmatch(r"([1-9]|1[0-7])\.\d+\.\d+", number) for number in of.asvs)
    assert len(of.tags) == len(of.cwe) + len(of.owasp_llm) + len(of.asvs)
    assert of.group == "stage" or of.tags


def test_severities_are_those_that_were_published() -> None:
    notes = [of.id for of in RULES if of.severity is Severity.NOTE]
    assert notes == ["system-prompt-open", "too-early"]
    assert rule("no-max-tokens").severity is Severity.WARNING
    assert rule("unprotected-llm-endpoint").severity is Severity.ERROR


def test_an_unknown_rule_is_said_with_what_was_meant() -> None:
    with pytest.raises(UnknownRule, match=r"^there is no rule 'no-max-token'; did you mean no-max-tokens\?$"):
        rule("no-max-token")
    with pytest.raises(UnknownRule, match=r"^there is no rule '\ufffd\[31m'\.$"):
        expand(["\x1b[31m"])


def test_groups_stand_for_their_rules() -> None:
    assert expand(["stage", "xss"]) == {"too-early", "xss"}
    assert expand(GROUPS) == set(rules())
