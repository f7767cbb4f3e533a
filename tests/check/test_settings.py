"""The audit's part of seawall.toml: what it takes, and the one clear line for what it does not."""

from datetime import date
from pathlib import Path

import pytest

from seawall.check.checklist.definitions import definitions
from seawall.check.settings import Answer, BadSettings, read_settings
from seawall.core.stages import Stage
from seawall.settings import SettingsError, load_settings
from tests.fixtures.settings import fake_key


def test_everything_is_read() -> None:
    text = """
stage = "poc"
[budget]
daily_usd = "5.00"
[check]
stage = "mvp"
history = false
select = ["secrets"]
ignore = ["xss", "ssrf"]
baseline = "base.json"
[check.manual]
provider-limit = {by = "  Ana  B ", at = 2026-11-20, note = "a\\nb"}
restore-drill = {by = "Ben", at = "2026-10-01"}
on-call.by = "Cy"
on-call.at = 2026-10-02T10:00:00Z
"""
    settings = read_settings(text, rows=definitions())
    assert (settings.stage, settings.history, settings.select, settings.ignore, settings.baseline) == (
        Stage.MVP, False, ("secrets",), ("xss", "ssrf"), "base.json",
    )  # fmt: skip
    assert settings.answers == {
        "provider-limit": Answer(by="Ana B", at=date(2026, 11, 20), note="a b", line=12),
        "restore-drill": Answer(by="Ben", at=date(2026, 10, 1), line=13),
        "on-call": Answer(by="Cy", at=date(2026, 10, 2), line=0),
    }
    assert settings.gateway == {"stage": "poc", "budget": {"daily_usd": "5.00"}}
    assert settings.line_of("budget", "daily_usd") == 4
    assert settings.notices == ()


def test_the_gateways_stage_is_the_audits_where_that_has_none() -> None:
    assert read_settings('stage = "beta"\n', rows=()).stage is Stage.BETA
    assert read_settings("", rows=()).stage is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[check", "seawall.toml is not valid TOML: Expected ']' at the end of a table declaration (at end of document)"),
        ("a = " + "[" * 5_000, "seawall.toml is not valid TOML: it is nested or written too deeply"),
        ("#" * 300_000, "seawall.toml is larger than 256 KB; that cannot be a list of settings."),
        ("check = 3\n", "seawall.toml: check must be a table, [check]."),
        ("[check]\nbaselin = 3\n", "seawall.toml: unknown setting check.baselin; did you mean baseline?"),
        ("[check]\nstage = 'prod'\n", "seawall.toml: stage must be one of poc, mvp, alpha, beta, production."),
        ("[check]\nhistory = 1\n", "seawall.toml: check.history must be true or false."),
        ("[check]\nselect = 'xss'\n", 'seawall.toml: check.select must be a list of texts, such as ["xss"].'),
        ("[check]\nbaseline = 1\n", "seawall.toml: check.baseline must be a text."),
        ("[check]\nmanual = 1\n",
         'seawall.toml: check.manual must be a table of answers; write {by = "Ana", at = 2026-11-20, note = "what was done"}.'),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_cannot_be_used_is_one_line(text: str, sentence: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings(text, rows=definitions())
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ("provider-limit = true", "check.manual.provider-limit must say who and when: {example}; until then the row stays open."),
        ("provider-limit = {at = 2026-11-20}", "check.manual.provider-limit must say by whom: {example}; until then the row stays open."),
        ("provider-limit = {by = ' ', at = 2026-11-20}", "check.manual.provider-limit must say by whom: {example}; until then the row stays open."),
        ("provider-limit = {by = 'Ana'}", "check.manual.provider-limit needs a date such as 2026-11-20 in `at`; until then the row stays open."),
        ("provider-limit = {by = 'Ana', at = '20.11.2026'}", "check.manual.provider-limit needs a date such as 2026-11-20 in `at`; until then the row stays open."),
        ("provider-limit = {by = 'Ana', at = 2026-11-20, note = 3}", "check.manual.provider-limit needs a text in `note`; until then the row stays open."),
        ("provider-limit = {by = 'Ana', when = 2026-11-20}", "check.manual.provider-limit has no field when: {example}; until then the row stays open."),
        ("provider-limits = {by = 'Ana', at = 2026-11-20}", "no row of the checklist is called provider-limits; did you mean provider-limit?"),
        ("'a\\u001bb' = {by = 'Ana', at = 2026-11-20}".replace("'a\\u001bb'", '"a\\u001bb"'), "no row of the checklist is called a\N{REPLACEMENT CHARACTER}b."),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_bad_answer_is_a_notice_and_leaves_its_row_open(answer: str, complaint: str) -> None:
    settings = read_settings(f"[check.manual]\n{answer}\n", rows=definitions())
    [notice] = settings.notices
    place, _, told = notice.partition(": ")
    assert place in ("seawall.toml line 2", "seawall.toml")
    assert told == complaint.format(example='write {by = "Ana", at = 2026-11-20, note = "what was done"}')
    assert settings.answers == {}


def test_the_gateway_passes_over_the_audits_part(tmp_path: Path) -> None:
    text = '[check]\nignore = ["xss"]\n[check.manual]\nprovider-limit = {by = "Ana", at = 2026-11-20}\n'
    (tmp_path / "seawall.toml").write_text(text, "utf-8")
    assert load_settings(None, {}, {}, tmp_path).stage is Stage.POC


def test_a_key_in_the_audits_part_is_still_refused(tmp_path: Path) -> None:
    text = f'[check.manual]\nprovider-limit = {{by = "Ana", at = 2026-11-20, note = "{fake_key()}"}}\n'
    (tmp_path / "seawall.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="holds what looks like a key"):
        load_settings(None, {}, {}, tmp_path)
