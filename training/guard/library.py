"""Harmless texts from the libraries that are installed for the training: code, documentation, translations.

The libraries are pinned (`requirements.txt`), have permissive licences (BSD, MIT, Apache-2.0), and are read
where they are installed; no text of theirs is kept. Records and mails are made up with Faker.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from random import Random

from faker import Faker

CODE = ("django", "flask", "httpx", "numpy", "requests", "rich", "scikit-learn", "scipy")
DOCUMENTED = ("django", "flask", "httpx", "numpy", "requests", "rich", "scikit-learn", "scipy", "faker")
PIECE_CHARS = (120, 1_200)
LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "pl_PL", "ru_RU", "tr_TR",
           "ja_JP", "zh_CN", "ko_KR", "sv_SE", "cs_CZ")  # fmt: skip
_MESSAGE = re.compile(r'^msgstr "(.+)"$', re.MULTILINE)


def code(count: int, random: Random) -> Iterator[str]:
    """Yield pieces of source code."""
    files = _files(CODE, (".py", ".js", ".html", ".css"))
    for _ in range(count):
        yield piece(_read(random.choice(files)), random)


def documentation(count: int, random: Random) -> Iterator[str]:
    """Yield docstrings, and pieces of the descriptions of libraries."""
    readmes = [distribution(name).metadata.get_payload() for name in DOCUMENTED]
    files = _files(("numpy", "scikit-learn", "scipy", "django"), (".py",))
    made = 0
    while made < count:
        if random.random() < 0.2:
            text = str(random.choice(readmes))
        else:
            found = _docstrings(random.choice(files))
            if not found:
                continue
            text = random.choice(found)
        yield piece(text, random)
        made += 1


def translations(count: int, random: Random) -> Iterator[str]:
    """Yield sentences of a user interface in a hundred languages, orders to the user among them."""
    files = _files(("django",), (".po",))
    made = 0
    while made < count:
        found = _messages(random.choice(files))
        if len(found) < 10:
            continue
        start = random.randrange(len(found))
        yield " ".join(found[start : start + random.randrange(1, 8)])
        made += 1


def records(count: int, random: Random) -> Iterator[str]:
    """Yield what tools answer: objects and tables of made-up people, orders, transfers and appointments."""
    makers = (_person, _order, _transfer, _appointment, _result)
    for _ in range(count):
        fake = _faker(random.choice(LOCALES), random)
        maker = random.choice(makers)
        rows = [maker(fake, random) for _ in range(random.randrange(1, 6))]
        form = random.random()
        if form < 0.5:
            yield json.dumps(
                rows if len(rows) > 1 else rows[0], ensure_ascii=False, indent=random.choice((None, 2))
            )
        elif form < 0.75:
            lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
            yield "\n".join(lines)
        else:
            yield "\n\n".join("\n".join(f"{name}: {value}" for name, value in row.items()) for row in rows)


def mails(count: int, sentences: Sequence[str], random: Random) -> Iterator[str]:
    """Yield mails between people, made of harmless sentences."""
    for _ in range(count):
        fake = _faker(random.choice(("en_US", "en_GB")), random)
        head = [
            f"From: {fake.name()} <{fake.email()}>",
            f"To: {fake.email()}",
            f"Date: {_moment(fake).strftime('%a, %d %b %Y %H:%M:%S +0000')}",
            f"Subject: {fake.catch_phrase()}",
        ]
        body = " ".join(random.choice(sentences) for _ in range(random.randrange(2, 9)))
        greeting = random.choice(("Hi", "Hello", "Dear", "Good morning", "Hey")) + f" {fake.first_name()},"
        close = random.choice(("Best regards", "Thanks", "Cheers", "Kind regards", "Best", "Sincerely"))
        mail = f"{greeting}\n\n{body}\n\n{close},\n{fake.name()}\n{fake.company()}"
        yield "\n".join(head) + "\n\n" + mail if random.random() < 0.6 else mail


def piece(text: str, random: Random) -> str:
    """Return a piece of a text, of random length."""
    size = random.randrange(*PIECE_CHARS)
    start = random.randrange(max(1, len(text) - size))
    return text[start : start + size]


def _person(fake: Faker, random: Random) -> dict[str, object]:
    return {"id": random.randrange(10**6), "name": fake.name(), "email": fake.email(), "phone": fake.phone_number(),
            "address": fake.address().replace("\n", ", "), "job": fake.job()}  # fmt: skip


def _order(fake: Faker, random: Random) -> dict[str, object]:
    return {"order_id": fake.bothify("??-######"), "customer": fake.name(), "total": random.randrange(9999) / 100,
            "status": random.choice(("shipped", "open", "cancelled", "returned")), "note": fake.sentence()}  # fmt: skip


def _transfer(fake: Faker, random: Random) -> dict[str, object]:
    return {"date": _moment(fake).date().isoformat(), "sender": fake.iban() if hasattr(fake, "iban") else fake.name(),
            "recipient": fake.company(), "amount": random.randrange(10**5) / 100, "subject": fake.bs()
            if hasattr(fake, "bs") else fake.sentence()}  # fmt: skip


def _appointment(fake: Faker, random: Random) -> dict[str, object]:
    return {"title": fake.sentence(4), "start": _moment(fake).isoformat(), "participants": [fake.email() for _ in range(2)],
            "location": fake.city(), "description": fake.paragraph()}  # fmt: skip


def _result(fake: Faker, random: Random) -> dict[str, object]:
    return {
        "title": fake.sentence(6),
        "url": fake.uri(),
        "snippet": fake.paragraph(),
        "rank": random.randrange(50),
    }


def _moment(fake: Faker) -> datetime:
    """Return a moment between two fixed ones: Faker's own count from today."""
    return fake.date_time_between(datetime(2000, 1, 1), datetime(2026, 1, 1))  # noqa: DTZ001 - in no zone


_fakers: dict[str, Faker] = {}


def _faker(locale: str, random: Random) -> Faker:
    fake = _fakers.setdefault(locale, Faker(locale))
    fake.seed_instance(random.randrange(1 << 30))
    return fake


@cache
def _files(names: tuple[str, ...], endings: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(
        Path(str(each.locate()))
        for name in names
        for each in sorted(distribution(name).files or (), key=str)
        if each.name.endswith(endings) and "tests" not in each.parts
    )


@cache
def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace")


@cache
def _messages(path: Path) -> tuple[str, ...]:
    return tuple(each.replace('\\"', '"').replace("\\n", " ") for each in _MESSAGE.findall(_read(path)))


@cache
def _docstrings(path: Path) -> tuple[str, ...]:
    try:
        tree = ast.parse(_read(path))
    except (SyntaxError, ValueError):
        return ()
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = (ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds))
    return tuple(text for text in found if text and len(text) > 80)
