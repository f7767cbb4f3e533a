"""seawall migrate-store: both ends are compared before anybody's eyes, and no password is shown."""

import asyncio
import re
from pathlib import Path

import psycopg

from seawall.stores.postgres.connection import migrate
from tests.fixtures.desk import Desk
from tests.fixtures.ledgers import SqliteHome
from tests.fixtures.moves import at, everything, fill
from tests.fixtures.settings import fake_key


def filled(desk: Desk) -> None:
    """Put something into every table of the data folder."""
    desk.data.mkdir()
    asyncio.run(fill(SqliteHome(desk.data), range(3)))


def with_password(url: str) -> tuple[str, str]:
    """Return the address with a password that the server does not ask for, and the password."""
    secret = fake_key("pw")
    return url.replace("postgres@", f"postgres:{secret}@"), secret


def test_both_ends_are_shown_side_by_side(desk: Desk, database_url: str) -> None:
    filled(desk)
    url, secret = with_password(database_url)
    said = desk.run("migrate-store", SEAWALL_DATABASE_URL=url)
    assert re.search(r"\n *calls +3 +3 *\n", said)
    assert re.search(r"\n *spent, sum +(\S+) +\1 *\n", said)
    assert re.search(r"\n *cost of 2026-11 +(\S+) +\1 *\n", said)
    assert re.search(r"\n *hash of all rows +([0-9a-f]{16}) +\1 *\n", said)
    assert "differs" not in said
    assert f"\n  SEAWALL_DATABASE_URL={database_url}\n" in said
    assert secret not in said


def test_a_folder_that_was_moved_is_opened_no_more(desk: Desk, database_url: str) -> None:
    filled(desk)
    url, secret = with_password(database_url)
    desk.run("migrate-store", "--to", url)
    said = desk.run("keys", "list", code=2)
    assert f"everything in it was moved to {database_url}: state that as database_url" in said
    assert secret not in said


def test_the_way_back_goes_into_a_new_folder(desk: Desk, database_url: str) -> None:
    filled(desk)
    before = everything(at(desk.data))
    desk.run("migrate-store", "--to", database_url)
    values = desk.values("migrate-store", "--from", database_url, "--to", "back")
    assert values["agrees"] is True
    assert values["before"] == values["after"]
    assert values["before"]["rows"]["calls"] == 3
    assert everything(at(Path("back"))) == before
    assert "app" in desk.run("keys", "list", "--data", "back")


def test_what_cannot_be_moved_is_one_sentence(desk: Desk, database_url: str) -> None:
    assert desk.run("migrate-store", code=2) == (
        "seawall: say where to: --to postgresql://user@host/database, or database_url in the settings.\n"
    )
    assert desk.run("migrate-store", "--to", "elsewhere", code=2).startswith(
        "seawall: one end has to be Postgres"
    )
    said = desk.run("migrate-store", "--to", database_url, code=2)
    assert said == "seawall: there is no data in .seawall: nothing to move.\n"
    filled(desk)
    secret = fake_key("pw")
    said = desk.run("migrate-store", "--to", f"postgresql://ada:{secret}@127.0.0.1:1/none", code=2)
    assert said.startswith("seawall: postgresql://ada@127.0.0.1:1/none cannot be used (")
    assert secret not in said
    migrate(database_url)
    with psycopg.connect(database_url) as database:
        database.execute("INSERT INTO users (id, created_at) VALUES ('eve', 1)")
    said = desk.run("migrate-store", "--to", database_url, code=2)
    assert (
        said
        == f"seawall: {database_url} has data of its own (1 users): name one that is empty, where no gateway was started.\n"
    )
