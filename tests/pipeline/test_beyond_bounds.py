"""A bill that no bound foresaw is settled and told as overage; no figure of a provider is too large for the ledger."""

import pytest

from tests.fixtures.gateways import Start, marked
from tests.fixtures.odd_vendor import OddVendor, answer, usage, whole


@pytest.mark.parametrize(
    "tokens",
    [
        10**6,
        10**12,
        10**15,
        2**63,
        10**30,
    ],
)
async def test_usage_beyond_all_bounds_is_settled(start: Start, tokens: int) -> None:
    async with OddVendor(whole(answer(usage=usage(10, tokens)))) as vendor:
        app = await start(providers__mock__base_url=vendor.base_url)
        assert (await app.chat(marked("one"))).status_code == 200
        row = await app.row()
        spend = await app.spend()
        assert row.cost > row.held > 0
        assert (spend.held, spend.lifetime, spend.overage) == (0, row.cost, row.overage)
        refused = await app.chat(marked("two"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exhausted")
