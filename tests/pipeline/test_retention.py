"""A gateway forgets by itself what is too old, with a worker or without one."""

from seawall.core.call import first_id_at
from seawall.core.ledger import CallRow
from seawall.working import Periodic, working_of
from tests.fixtures.gateways import DAY_S, NOON, RunningApp, Start
from tests.fixtures.mock_calls import until

OLD_MS = int((NOON - 8 * DAY_S) * 1000)
OLD = CallRow(id=f"{first_id_at(OLD_MS)}00", at_ms=OLD_MS, key_id="key_1")


async def forgets(app: RunningApp) -> None:
    await until(lambda: app.look("SELECT count(*) FROM calls") == [(0,)])


async def test_without_a_worker_a_gateway_looks_itself(start: Start) -> None:
    app = await start(jobs__concurrency=0, log__keep_days=9)
    app.seawall.gateway.call_log.write(OLD)
    assert await app.rows() == [OLD]
    await forgets(await start(jobs__concurrency=0, log__keep_days=7))


async def test_where_jobs_are_done_the_engine_says_when(start: Start) -> None:
    app = await start(jobs__concurrency=1, log__keep_days=7)
    app.seawall.gateway.call_log.write(OLD)
    assert await app.rows() == [OLD]
    upkeep = app.seawall._upkeep
    periodic = [Periodic("retention-at-once", 1, upkeep.trim)]
    working = working_of(app.seawall.settings, app.seawall.gateway, app.seawall.store, periodic=periodic)
    await working.start()
    await forgets(app)
    await working.stop()
