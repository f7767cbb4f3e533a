"""seawall doctor: what is in force, and what is wrong."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

from seawall.core.money import Money
from seawall.settings import describe_settings
from seawall.stores.folder.certificates import write_private
from seawall.stores.sqlite.store import SqliteStore
from tests.fixtures.authorities import Authority, Files
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place, fake_key

PROVIDER = """
[providers.mine]
base_url = "http://127.0.0.1:1/v1"
api_key_env = "MINE_API_KEY"
models = ["known", "unknown"]
[prices.known]
input_usd_per_mtok = "10.00"
output_usd_per_mtok = "30.00"
"""


def problems(desk: Desk, **environ: str) -> list[str]:
    """Return what is wrong; the exit code says whether anything is."""
    done = desk.finish("doctor", "--json", **environ)
    found: list[str] = json.loads(done.stdout)["problems"]
    assert done.exit_code == bool(found)
    return found


def test_a_new_folder_is_sound_and_stays_empty(desk: Desk) -> None:
    output = desk.run("doctor")
    assert "nothing here yet; `seawall serve` makes it" in output
    assert "No provider yet" in output
    assert output.endswith("\nProblems: none\n")
    assert not desk.data.exists()


def test_every_setting_is_listed_with_its_source(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", 'stage = "mvp"\n')
    rows = {row["name"]: row for row in desk.values("doctor", SEAWALL_SERVER_PORT="9000")["settings"]}
    stated = [f"{s.section}.{s.name}".lstrip(".") for s in describe_settings()]
    assert {name for name in stated if "NAME" not in name and "MODEL" not in name} <= set(rows)
    assert (rows["stage"]["value"], rows["stage"]["source"]) == ("mvp", "seawall.toml line 1")
    assert (rows["server.port"]["value"], rows["server.port"]["source"]) == (
        "9000",
        "environment SEAWALL_SERVER_PORT",
    )
    assert (rows["budget.daily_usd"]["value"], rows["budget.daily_usd"]["source"]) == (
        "5.00",
        "default for stage mvp",
    )


def test_secrets_are_never_shown(desk: Desk) -> None:
    provider, admin = fake_key(), fake_key("admin-")
    for words in (("doctor",), ("doctor", "--json")):
        output = desk.run(*words, OPENAI_API_KEY=provider, SEAWALL_ADMIN_KEY=admin)
        assert "set (not shown)" in output
        assert provider not in output
        assert admin not in output


def test_providers_are_listed_with_their_prices(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDER.replace(', "unknown"', ""))
    report = desk.values("doctor", MINE_API_KEY=fake_key(), OPENAI_API_KEY=fake_key())
    mine, openai = report["providers"]
    assert mine == {
        "name": "mine",
        "found": "configuration",
        "key_variable": "MINE_API_KEY",
        "has_key": True,
        "free": False,
        "models": [
            {
                "model": "known",
                "input_usd_per_mtok": "10.00",
                "output_usd_per_mtok": "30.00",
                "source": "configuration",
            }
        ],
    }
    assert (openai["name"], openai["found"]) == ("openai", "environment OPENAI_API_KEY")
    assert len(openai["models"]) > 10
    assert report["problems"] == []


def test_an_empty_key_and_a_missing_price_are_problems(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDER)
    assert problems(desk) == [
        "MINE_API_KEY, the key of the provider mine, is empty: calls to it will fail",
        'the price of unknown is not known, so it is refused: state it under [prices."unknown"]',
    ]


def test_a_free_provider_needs_no_prices(desk: Desk, place: Place) -> None:
    free = PROVIDER.replace('api_key_env = "MINE_API_KEY"', "free = true")
    place.write("seawall.toml", free)
    assert "unknown: declared free" in desk.run("doctor")


def test_a_local_server_needs_no_key_and_is_asked_for_anything(desk: Desk) -> None:
    output = desk.run("doctor", OLLAMA_HOST="127.0.0.1", VLLM_BASE_URL="http://127.0.0.1:8000/v1")
    text = " ".join(output.split())
    assert "ollama environment OLLAMA_HOST not needed any, asked for as ollama/MODEL: free" in text
    assert "vllm environment VLLM_BASE_URL not needed any, asked for as vllm/MODEL: free" in text


def test_nothing_to_call_is_a_problem(desk: Desk) -> None:
    assert problems(desk, SEAWALL_DEMO_ENABLED="false") == [
        "no provider is found and the demo model is off, so there is nothing to call"
    ]


def test_a_spent_budget_is_a_problem(desk: Desk) -> None:
    desk.add_call("call_1", cost=Money(1_000_000_000))
    assert problems(desk) == ["the daily budget of $1.00 is spent: calls that cost money are refused"]


def test_a_certificate_that_cannot_be_used_is_a_problem(
    desk: Desk, place: Place, files: Files, authority: Authority
) -> None:
    place.write("seawall.toml", f'[tls]\ncert = "{files.cert}"\nkey = "{files.key}"\n')
    assert problems(desk) == []
    files.write(authority.expired())
    assert problems(desk) == [f"the certificate {files.cert} ended on 2021-03-04; renew it"]
    files.key.unlink()
    assert problems(desk) == [f"the key {files.key} does not exist"]


def test_a_certificate_that_was_not_renewed_is_a_problem(
    desk: Desk, place: Place, files: Files, authority: Authority
) -> None:
    now = datetime.now(UTC)
    place.write("seawall.toml", f'[tls]\ncert = "{files.cert}"\nkey = "{files.key}"\n')
    near = now + timedelta(days=10)
    files.write(authority.pair(begin=now - timedelta(days=20), end=near))
    assert problems(desk) == []
    files.write(authority.pair(begin=now - timedelta(days=80), end=near))
    assert problems(desk) == [
        f"the certificate {files.cert} ends on {near:%Y-%m-%d} and has not been renewed"
    ]


def test_a_fetched_certificate_is_looked_at_once_it_is_there(
    desk: Desk, place: Place, authority: Authority
) -> None:
    place.write("seawall.toml", '[tls]\nauto = ["api.example.com"]\n')
    assert problems(desk) == []
    cert, key = authority.expired()
    kept = desk.data / "tls" / "acme-v02.api.letsencrypt.org" / "certificate.pem"
    write_private(kept, key + cert)
    desk.data.chmod(0o700)
    assert problems(desk) == [f"the certificate {kept} ended on 2021-03-04; renew it"]


def test_an_open_data_folder_is_a_problem(desk: Desk) -> None:
    desk.add_key("app")
    desk.data.chmod(0o755)
    (desk.data / "seawall.db").chmod(0o644)
    assert problems(desk) == [
        "others on this machine may open .seawall: chmod 700 .seawall",
        "others on this machine may open .seawall/seawall.db: chmod 600 .seawall/seawall.db",
    ]


def test_a_broken_database_is_a_problem_and_its_budget_is_unknown(desk: Desk, place: Place) -> None:
    desk.data.mkdir(mode=0o700)
    place.write(".seawall/seawall.db", "no database\n" * 100).chmod(0o600)
    assert problems(desk) == ["the data folder .seawall cannot be used (seawall.db: file is not a database)"]
    assert json.loads(desk.finish("doctor", "--json").stdout)["budget"] is None


def test_a_file_in_place_of_the_data_folder_is_a_problem(desk: Desk, place: Place) -> None:
    place.write(".seawall", "")
    assert problems(desk) == [".seawall is a file where the data folder belongs"]


def test_the_data_folder_is_described(desk: Desk) -> None:
    desk.add_key("app")
    data = desk.values("doctor")["data"]
    assert data.pop("database_bytes") > 0
    assert data == {
        "folder": ".seawall",
        "exists": True,
        "has_database": True,
        "is_private": True,
        "is_writable": True,
        "schema": data["schema"],
        "processes": 0,
        "backup": {
            "folder": ".seawall/backups",
            "every_s": None,
            "count": 0,
            "bytes": 0,
            "last_at": None,
            "age_s": None,
        },
    }
    assert data["schema"] >= 1


def test_a_running_gateway_is_noticed(desk: Desk) -> None:
    async def work(_: SqliteStore) -> int:
        values = await asyncio.to_thread(desk.values, "doctor")
        return int(values["data"]["processes"])

    assert desk.in_store(work) == 1


def test_notes_are_no_problems(desk: Desk) -> None:
    report = desk.values("doctor", SEAWALL_PER_IP="10/second")
    assert report["notes"] == [
        "environment SEAWALL_PER_IP is not a setting and has no effect; did you mean SEAWALL_LIMITS_PER_IP?"
    ]
    assert report["problems"] == []


def test_it_reads_well_at_80_columns(desk: Desk, place: Place) -> None:
    place.write("seawall.toml", PROVIDER)
    desk.add_key("app")
    output = desk.finish("doctor", MINE_API_KEY=fake_key()).stdout
    assert "Problems: 1\n" in output
    assert max(map(len, output.splitlines())) <= 80
