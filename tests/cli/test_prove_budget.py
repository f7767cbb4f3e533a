"""seawall prove-budget: the promise, through one's own settings and nobody else's stores."""

import json

import psycopg

from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place


def test_a_proof_touches_nothing_that_gateways_share(
    desk: Desk, place: Place, database_url: str, valkey_url: str
) -> None:
    place.write("seawall.toml", '[budget]\ndaily_usd = "0.50"\n[backup]\nevery = "1h"\n')
    done = desk.finish(
        "prove-budget", "--calls", "40", "--json",
        SEAWALL_DATABASE_URL=database_url, SEAWALL_VALKEY_URL=valkey_url,
    )  # fmt: skip
    proof = json.loads(done.stdout)
    assert (done.exit_code, proof["holds"], proof["overspent_usd"]) == (0, True, "0.00")
    with psycopg.connect(database_url) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)
    assert not desk.data.exists()
