"""`seawall stage`: where the app is, from its real data folder and repository; and moving it."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seawall.core.call import CallIds
from seawall.core.contracts import KeyRecord
from seawall.core.money import Money
from seawall.homes import Store
from tests.fixtures.desk import Desk
from tests.fixtures.gateways import WEBHOOK_SECRET
from tests.fixtures.receivers import receiving
from tests.fixtures.settings import Place

DAY_S = 86_400.0
NOT_WRITTEN = "Nothing was written: nobody can be asked here. With --yes it is."


def rows_of(desk: Desk, *options: str) -> dict[str, dict[str, Any]]:
    """Return the rows of the present stage by their names."""
    return {row["row"]: row for row in desk.values("stage", *options)["rows"]}


def test_an_empty_folder_gets_a_whole_answer(desk: Desk, tmp_path: Path) -> None:
    output = desk.run("stage")
    assert output.startswith("Stage poc (only you): does it work?\n  calls  no call is on record in 30 days")
    assert "What mvp will need, and not before" in output
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("stage", ["poc", "production"])
def test_the_answer_fits_the_terminal(desk: Desk, place: Place, stage: str, columns: int) -> None:
    place.write("app.py", "import openai\n\nprint(openai.OpenAI().responses.create(model='m', input='i'))\n")
    place.write(
        "seawall.toml", f'stage = "{stage}"\n[budget]\ndaily_usd = "9"\n[limits]\nper_user = "9/hour"\n'
    )
    output = desk.run("stage", "--verbose", COLUMNS=str(columns))
    assert max(map(len, output.splitlines())) <= min(columns, 100)


def test_the_numbers_are_those_of_the_calls_until_now(desk: Desk) -> None:
    next_id, cost = CallIds(), Money(2 * 10**9)
    for user in ("ada", "ada", "ben"):
        tried = b'[{"provider":"mock"}]'
        desk.add_call(next_id(time.time()), end_user=user, cost=cost, held=cost, attempts=tried)
    values = desk.values("stage")
    assert values["figures"]["users"]["text"] == "2 people in 30 days"
    assert values["figures"]["spend"]["text"].startswith("$6.00 in 30 days")
    assert values["suggestion"]["to"] == "mvp"
    assert values["days_at_stage"] == 0


def test_backups_in_postgres_are_asked_of_the_owner(grown_desk: Desk) -> None:
    grown_desk.add_key("app")
    grown_desk.run("facts", "set", "stage_since", "2026-11-01")
    grown_desk.run("stage", "set", "mvp", "--yes")
    rows = rows_of(grown_desk)
    assert (rows["backups-made"]["state"], rows["keys"]["state"]) == ("manual", "pass")


def test_evidence_is_what_really_happened(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", 'stage = "mvp"\n[backup]\nevery = "1d"\n')
    record, _ = desk.add_key("forgotten")
    before = rows_of(desk)
    assert (before["backups-made"]["state"], before["keys"]["state"]) == ("fail", "pass")
    desk.run("backup")
    _grow_old(desk, record.id)
    after = rows_of(desk)
    assert after["backups-made"]["evidence"] == "1 in .seawall/backups, the newest within two hours."
    assert after["keys"]["evidence"] == "Of 1 key, never used in 14 days: forgotten."


async def test_a_test_of_the_alerts_counts_as_it_ended(desk: Desk, place: Place) -> None:
    def alerts() -> tuple[str, str]:
        row = rows_of(desk)["alerts-delivered"]
        return row["state"], row["evidence"]

    def try_them() -> int:
        return desk.finish("alerts", "test", SEAWALL_WEBHOOK_SECRET=WEBHOOK_SECRET).exit_code

    await asyncio.to_thread(desk.add_key, "app")
    async with receiving(204, 500) as receiver:
        hook = f'[alerts]\nwebhook_url = "{receiver.url}"\nallow_private = true\n'
        place.write("seawall.toml", f'stage = "mvp"\n{hook}')
        states = [await asyncio.to_thread(alerts)]
        for _ in range(2):
            await asyncio.to_thread(try_them)
            states.append(await asyncio.to_thread(alerts))
    assert states == [
        ("warn", "By webhook nothing has arrived within a month."),
        ("pass", "Arrived by webhook within two hours (test)."),
        ("fail", "The newest by webhook did not arrive: status 500."),
    ]


def _grow_old(desk: Desk, key_id: str) -> None:
    def older(record: KeyRecord) -> KeyRecord:
        return msgspec.structs.replace(record, created_at=time.time() - 15 * DAY_S)

    async def work(store: Store) -> None:
        await store.directory.change(key_id, older)

    desk.in_store(work)


def test_rows_of_the_repository_stand_beside_those_of_the_gateway(desk: Desk, place: Place) -> None:
    place.write("code/app.py", "import requests\n\nrequests.get('https://api.example.com', verify=False)\n")
    values = desk.values("stage", "--path", "code")
    [row] = [row for row in values["rows"] if row["row"] == "https"]
    assert (row["state"], row["is_never_skip"]) == ("fail", True)
    assert row["evidence"].endswith("(app.py:3)")
    assert values["grade"] == "D"
    assert "rate-limits" in {row["row"] for row in values["next_rows"]}
    output = desk.run("stage", "--path", "code")
    assert output.index("Everything travels encrypted") < output.index("What mvp will need")


def test_a_folder_without_code_says_so_and_lists_what_comes_all_the_same(desk: Desk) -> None:
    values = desk.values("stage")
    assert (
        values["repository"]
        == "No code of an app is in this folder: `seawall stage --path FOLDER` looks at yours."
    )
    assert "provider-limit" in {row["row"] for row in values["next_rows"]}
    assert desk.values("stage", "--path", "nowhere")["repository"].endswith("nowhere is not a folder.")


def test_facts_of_the_owner_are_heard(desk: Desk) -> None:
    desk.run("facts", "set", "months_of_work", "6")
    desk.run("facts", "set", "stage_since", "2026-01-01")
    values = desk.values("stage")
    assert values["since"] == "2026-01-01"
    assert values["warnings"][0].startswith("6 months of work have met nobody.")
    assert "longer than usual" in values["warnings"][1]
    assert values["asks"] == []


def test_markdown_can_be_pasted(desk: Desk) -> None:
    output = desk.run("stage", "--format", "markdown")
    assert output.startswith("# seawall stage: poc, does it work?\n\n- calls: no call is on record")
    assert "\x1b" not in output


def test_setting_a_stage_shows_what_changes_and_writes_nothing_unasked(desk: Desk, place: Place) -> None:
    file = place.write("seawall.toml", 'stage = "poc" # for now\n[budget]\ndaily_usd = "2.00"\n')
    done = desk.finish("stage", "set", "mvp")
    assert done.exit_code == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "guard.mode flag block" in lines
    assert "budget.monthly_usd off 50.00" in lines
    assert "budget.daily_usd 2.00 (seawall.toml line 3); the default of mvp is 5.00" in lines
    assert lines[-1] == NOT_WRITTEN
    assert file.read_text("utf-8").startswith('stage = "poc" # for now\n')

    desk.run("stage", "set", "mvp", "--yes")
    text = file.read_text("utf-8")
    assert text.startswith('stage = "mvp" # for now\n[budget]\ndaily_usd = "2.00"\n\n[facts.stage_since]\n')
    values = desk.values("stage")
    assert (values["stage"], values["days_at_stage"], values["since_is_stated"]) == ("mvp", 0, True)


def test_a_stage_that_needs_more_is_refused_with_what_it_needs(desk: Desk, place: Place) -> None:
    file = place.write("seawall.toml", 'stage = "beta"\n')
    said = desk.run("stage", "set", "production", "--yes", code=2)
    assert said.startswith(
        "seawall: seawall.toml line 1: the stage production has no default budget; state at least"
    )
    assert file.read_text("utf-8") == 'stage = "beta"\n'


def test_without_a_file_one_is_made_that_says_the_stage(desk: Desk) -> None:
    assert desk.run("stage", "set", "production", "--yes").splitlines()[-2] == (
        'stage = "production" is in seawall.toml, which is new.'
    )
    assert desk.values("stage")["stage"] == "production"


def test_a_stage_that_the_environment_states_is_changed_there(desk: Desk) -> None:
    said = desk.run("stage", "set", "beta", "--yes", code=2, SEAWALL_STAGE="mvp")
    assert said == (
        "seawall: environment SEAWALL_STAGE states the stage mvp and is stronger than the file: change it there.\n"
    )
    assert desk.run("stage", "set", "mvp", SEAWALL_STAGE="mvp").startswith("The app is at mvp already.")
    assert not Path("seawall.toml").exists()


def test_a_process_writes_plainly_into_a_pipe(tmp_path: Path) -> None:
    program = "from seawall.cli.start import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "stage"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "\x1b" not in run.stdout


def test_the_stage_is_written_as_a_page_too(desk: Desk) -> None:
    page = desk.run("stage", "show", "--format", "html")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert "<h1>poc: does it work?</h1>" in page
