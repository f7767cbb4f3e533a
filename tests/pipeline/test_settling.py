"""What a call costs is what the provider bills for it, and never less where the bill is not known."""

from tests.fixtures.gateways import Start, marked


async def test_whole_answer_settles_by_its_usage(start: Start) -> None:
    app = await start()
    answer = await app.chat(marked("one", max_tokens=20))
    assert answer.status_code == 200
    row = await app.row()
    seen = await app.seen()
    assert (row.cost, row.overage) == (seen.cost, 0)


async def test_stream(start: Start) -> None:
    app = await start()
    answer = await app.chat(marked("one", max_tokens=20, stream=True))
    assert answer.status_code == 200
    row = await app.row()
    seen = await app.seen()
    assert (row.cost, row.overage) == (seen.cost, 0)
