"""Where gateways that are processes keep their ledger: in their folder, or in a database of Postgres."""

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Return the address of an empty Postgres database; `None` stands for SQLite."""
    url: str | None = request.getfixturevalue("database_url") if request.param == "postgres" else None
    return url
