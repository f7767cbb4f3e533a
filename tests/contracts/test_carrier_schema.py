"""Procrastinate's tables on Postgres come from its package, and go on with its migrations."""

import psycopg

from seawall.stores.postgres.connection import migrate

TRIGGER = "procrastinate_trigger_status_events_update_v1"


def test_migrations_that_a_database_has_not_seen_are_run_once(database_url: str) -> None:
    migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        newest = connection.execute("SELECT migration FROM carrier_schema").fetchall()
        # As half a migration left it, the other half of which makes this trigger.
        connection.execute(f"DROP TRIGGER {TRIGGER} ON procrastinate_jobs".encode())
        connection.execute("UPDATE carrier_schema SET migration = '03.04.00_01_pre_z'")
        migrate(database_url)
        migrate(database_url)
        assert connection.execute("SELECT migration FROM carrier_schema").fetchall() == newest
        found = connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname = %s", (TRIGGER,))
        assert found.fetchall() == [(1,)]
