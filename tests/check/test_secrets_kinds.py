"""The catalogue of kinds: each token that it describes is found, and nothing in it is there twice."""

import random
import re._constants as parts  # type: ignore[import-not-found]  # The stubs leave the parser of expressions out.
import re._parser as parser  # type: ignore[import-not-found]
import string
from typing import Any

import pytest

from seawall.check.secrets.kinds import Kind, catalog
from seawall.check.secrets.scan import find_secrets
from tests.check.made_up import made_up

KINDS = {kind.id: kind for kind in catalog().kinds}
TOKENS = [kind.id for kind in catalog().kinds if kind.pattern and not kind.by_name]
NAMED = [kind.id for kind in catalog().kinds if kind.value and not kind.pattern]
SETS = {parts.CATEGORY_WORD: string.ascii_letters + string.digits, parts.CATEGORY_DIGIT: string.digits}


def draw(tree: parser.SubPattern, source: random.Random) -> str:
    """Return a text that a parsed expression matches, as random as it may be."""
    return "".join(draw_one(op, value, source) for op, value in tree)


def draw_one(op: Any, value: Any, source: random.Random) -> str:
    """Return a text for one part of an expression."""
    if op is parts.LITERAL:
        return chr(value)
    if op is parts.IN:
        return source.choice("".join(letters(value)) or "a")
    if op is parts.BRANCH:
        return draw(source.choice(value[1]), source)
    if op is parts.SUBPATTERN:
        return draw(value[3], source)
    if op is parts.ASSERT:
        return draw(value[1], source)
    if op is parts.ASSERT_NOT:
        return ""
    assert op is parts.MAX_REPEAT, op
    least, most, inner = value
    return "".join(draw(inner, source) for _ in range(source.randint(least, min(most, least + 12))))


def letters(items: list[tuple[Any, Any]]) -> list[str]:
    """Return the characters of a class."""
    out = []
    for op, value in items:
        if op is parts.LITERAL and chr(value) not in "-._~%=":
            out.append(chr(value))
        elif op is parts.RANGE:
            out.append("".join(map(chr, range(value[0], value[1] + 1))))
        elif op is parts.CATEGORY:
            out.append(SETS[value])
    return out


def example(kind: Kind, seed: int) -> str:
    """Return a value of a kind."""
    return draw(parser.parse(kind.pattern or kind.value), random.Random(f"{kind.id}/{seed}"))


def test_more_than_two_hundred_kinds_are_known_once_each() -> None:
    assert len(KINDS) == len(catalog().kinds) > 300
    assert len(TOKENS) > 190
    assert len([provider for provider in catalog().providers if provider.ai]) > 60


def test_each_provider_says_where_its_keys_are_replaced() -> None:
    for provider in catalog().providers:
        assert provider.rotate.startswith("https://"), provider
        assert provider.variable.isupper(), provider


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_is_found_by_its_form(kind: str) -> None:
    hits = []
    for seed in range(6):
        value = example(KINDS[kind], seed)
        found = find_secrets("app/main.py", f'value = call("{value}")\n')
        hits.append([secret.kind for secret in found])
    own = KINDS[kind].provider.name
    assert sum(any(KINDS[one].provider.name == own for one in hit if one in KINDS) for hit in hits) >= 5, hits


@pytest.mark.parametrize("kind", NAMED)
def test_a_value_is_found_by_the_name_of_its_provider(kind: str) -> None:
    provider = KINDS[kind].provider
    name = f"{provider.words[0]}_api_key".upper()
    hits = [find_secrets("app/main.py", f'{name} = "{example(KINDS[kind], seed)}"\n') for seed in range(6)]
    assert sum(len(hit) == 1 for hit in hits) >= 5, hits


def test_the_public_key_of_supabase_is_no_secret_under_any_name() -> None:
    anon, service = made_up("jwt:anon", "public"), made_up("jwt:service_role", "public")
    assert find_secrets("upload.py", f'SUPABASE_API_KEY = "{anon}"\n') == []
    assert len(find_secrets("upload.py", f'SUPABASE_API_KEY = "{service}"\n')) == 1
