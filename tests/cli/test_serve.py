"""seawall serve: what it refuses before anything is started."""

import pytest

from tests.fixtures.desk import Desk

POSTGRES = "postgresql://app@127.0.0.1:1/app"


@pytest.mark.parametrize(
    ("environ", "missing"), [({}, "database_url"), ({"SEAWALL_DATABASE_URL": POSTGRES}, "valkey_url")]
)
def test_workers_need_a_ledger_and_counters_that_all_can_share(
    desk: Desk, environ: dict[str, str], missing: str
) -> None:
    said = desk.run("serve", "--port", "0", "--workers", "3", code=2, **environ)
    assert said.startswith("seawall: 3 workers need one ")
    assert said.endswith(f": {missing}.\n")
    assert not desk.data.exists()


def test_no_workers_at_all_are_refused(desk: Desk) -> None:
    assert "workers" in desk.run("serve", "--workers", "0", code=2)
