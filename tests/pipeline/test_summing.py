"""A gateway sums up its calls by itself, with a worker or without one, and the sums say what happened."""

from msgspec.structs import replace

from seawall.core.call import first_id_at
from seawall.core.ledger import CallRow
from seawall.core.traffic import Hour, Tries
from seawall.proving.mock_provider import MockProvider
from seawall.summing import hours_until_now
from seawall.working import Periodic, working_of
from tests.fixtures.gateways import DAY_S, NOON, RunningApp, Start, price
from tests.fixtures.mock_calls import o200k, until
from tests.fixtures.raw_http import peer_of

OLD_MS = int((NOON - DAY_S) * 1000)
OLD = CallRow(id=f"{first_id_at(OLD_MS)}00", at_ms=OLD_MS, key_id="key_1")


async def sums_up(app: RunningApp) -> None:
    await until(lambda: app.look("SELECT hour FROM traffic_hourly") == [(OLD_MS // 3_600_000,)])


async def test_without_a_worker_a_gateway_looks_itself(start: Start) -> None:
    app = await start(jobs__concurrency=0)
    app.seawall.gateway.call_log.write(OLD)
    await app.rows()
    await sums_up(await start(jobs__concurrency=0))


async def test_where_jobs_are_done_the_engine_says_when(start: Start) -> None:
    app = await start(jobs__concurrency=1)
    app.seawall.gateway.call_log.write(OLD)
    await app.rows()
    periodic = [Periodic("traffic-at-once", 1, app.seawall._upkeep.sums.catch_up)]
    working = working_of(app.seawall.settings, app.seawall.gateway, app.seawall.store, periodic=periodic)
    await working.start()
    await sums_up(app)
    await working.stop()


async def test_sums_say_what_became_of_the_calls(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, cache__enabled=True, **_two_providers(mock.base_url))
        said = [{"role": "user", "content": "Which sea is calm?"}]
        chat = {"model": "fake-gpt", "messages": said, "max_tokens": 300}
        for fields in ({}, {}, {"stream": True, "max_tokens": 301}, {"x_mock": "e500"}, {"model": "none"}):
            await app.chat(chat | fields)
        await app.chat(chat | {"model": "smart", "max_tokens": 302})
        async with peer_of(app.port) as peer:
            peer.ask(chat | {"x_mock": "hole", "user": "bob"}, app.key)
            await until(lambda: any(seen.body.get("user") == "bob" for seen in mock.requests))
        accepted = await app.chat(chat | {"max_tokens": 303}, headers={"prefer": "respond-async"})
        await until(lambda: app.look("SELECT state FROM jobs") == [("completed",)])
        await until(lambda: app.look("SELECT count(*) FROM holds") == [(0,)])  # Its money follows.
        rows = await app.rows()
        hours = await hours_until_now(app.seawall.store, 0, app.clock())
    assert accepted.status_code == 202
    hour = _added_up(hours)
    told = (hour.calls, hour.ok, hour.hits, hour.left, hour.fell_back, hour.background, hour.lost)
    assert told == (8, 5, 1, 1, 1, 1, 0)
    assert (hour.refused, hour.failed) == ({"model_not_found": 1}, {"server_error": 1})
    assert (sum(hour.took), sum(hour.first)) == (3, 1)
    assert hour.left_cost == sum(row.cost for row in rows if row.outcome == "left") > 0
    assert sum(sums.cost for sums in hour.models.values()) == sum(row.cost for row in rows)
    assert sum(sums.calls for sums in hour.models.values()) == 6
    assert sum(sums.shaped for sums in hour.models.values()) == 6
    assert hour.providers == {"mock": Tries(6, failed=1), "other": Tries(1, failed=1)}


def _two_providers(base_url: str) -> dict[str, object]:
    return {
        "providers__other__base_url": base_url,
        "providers__other__api_key_env": "MOCK_API_KEY",
        "providers__other__models": ["fake-gpt-e503"],
        "models__smart__targets": ["other/fake-gpt-e503", "mock/fake-gpt"],
        **{name.replace(".", "__"): value for name, value in price("fake-gpt-e503").items()},
    }


def _added_up(hours: list[Hour]) -> Hour:
    """Return the only hour, whichever that was."""
    [hour] = [replace(hour, hour=0) for hour in hours]
    return hour
