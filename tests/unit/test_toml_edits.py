"""A value in a TOML text is changed, and every other character stays."""

from datetime import date

import pytest

from seawall.settings.toml_edits import CannotEdit, drop_section, put_values

FILE = """\
# Ours.
stage = "poc" # for now

[budget]
daily_usd = "1.00"   # a dollar

# Two web servers.
[facts.servers] # asked in May
value = 2 # web
at = 2026-05-01

[facts.team]
value = 1
at = 2026-05-01
"""
SERVERS = ("facts", "servers")
TODAY = date(2026, 11, 27)


def test_a_value_is_changed_in_its_place() -> None:
    expected = FILE.replace("value = 2 #", "value = 3 #").replace("at = 2026-05-01", "at = 2026-11-27", 1)
    assert put_values(FILE, SERVERS, {"value": 3, "at": TODAY}) == expected


def test_a_value_at_the_top_is_changed_in_its_place() -> None:
    assert put_values(FILE, (), {"stage": "mvp"}) == FILE.replace('"poc"', '"mvp"')


def test_a_section_that_lacks_is_added_at_the_end() -> None:
    edited = put_values(FILE, ("facts", "tried"), {"value": ("caching", 'a "b"'), "at": TODAY})
    assert edited == FILE + '\n[facts.tried]\nvalue = ["caching", "a \\"b\\""]\nat = 2026-11-27\n'


def test_a_value_that_lacks_in_its_section_is_added_below_the_last_one() -> None:
    edited = put_values("[facts.team]\nvalue = 1\n\n# Money.\n[budget]\n", ("facts", "team"), {"at": TODAY})
    assert edited == "[facts.team]\nvalue = 1\nat = 2026-11-27\n\n# Money.\n[budget]\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'stage = "mvp"\n'),
        ("# Ours.\n\n[budget]\n", '# Ours.\n\nstage = "mvp"\n\n[budget]\n'),
        ("[budget]\n", 'stage = "mvp"\n\n[budget]\n'),
        ("data_dir = 'x'\n\n[budget]\n", "data_dir = 'x'\nstage = \"mvp\"\n\n[budget]\n"),
    ],
)
def test_what_belongs_at_the_top_never_lands_in_a_section(before: str, after: str) -> None:
    assert put_values(before, (), {"stage": "mvp"}) == after


@pytest.mark.parametrize(
    "before",
    [
        "[facts]\nservers = { value = 2, at = 2026-05-01 }\nteam = { value = 1, at = 2026-05-01 }\n",
        "facts.servers.value = 2\nfacts.servers.at = 2026-05-01\nfacts.team = { value = 1, at = 2026-05-01 }\n",
    ],
)
def test_what_is_stated_in_other_forms_is_replaced_as_well(before: str) -> None:
    kept = before.splitlines()[-1]
    edited = put_values(before, SERVERS, {"value": 3, "at": TODAY})
    assert edited.endswith("\n\n[facts.servers]\nvalue = 3\nat = 2026-11-27\n")
    assert kept in edited.splitlines()
    assert kept in drop_section(before, SERVERS).splitlines()


def test_what_cannot_be_changed_safely_is_refused_with_its_line() -> None:
    before = "\nfacts = { servers = { value = 2, at = 2026-05-01 }, team = { value = 1, at = 2026-05-01 } }\n"
    with pytest.raises(CannotEdit, match=r"it states facts\.servers in line 2 in a form that has to be"):
        put_values(before, SERVERS, {"value": 3})


def test_a_text_that_does_not_parse_is_refused() -> None:
    with pytest.raises(CannotEdit, match="it is not valid TOML"):
        put_values("stage = mvp\n", (), {"stage": "mvp"})


def test_a_section_is_dropped_with_the_space_above_it() -> None:
    assert drop_section(FILE, ("facts", "team")) == FILE.partition("\n[facts.team]")[0]


def test_lines_keep_their_ends() -> None:
    before = FILE.replace("\n", "\r\n")
    edited = put_values(before, ("facts", "page_s"), {"value": 0.5, "at": TODAY})
    assert edited == before + "\r\n[facts.page_s]\r\nvalue = 0.5\r\nat = 2026-11-27\r\n"


def test_a_value_over_several_lines_is_changed_as_a_whole() -> None:
    before = "[facts.tried]\nvalue = [\n  'a', # the first\n  'b',\n] # so far\nat = 2026-05-01\n"
    edited = put_values(before, ("facts", "tried"), {"value": ("c",)})
    assert edited == '[facts.tried]\nvalue = ["c"] # so far\nat = 2026-05-01\n'
