"""Advice by the admin API: who may ask, in which form, and that calls go on meanwhile."""

import asyncio

import msgspec
import pytest

from seawall.core.feedback import Feedback
from seawall.providers.price_table import FILE_NAME
from tests.fixtures.gateways import Start, marked


async def test_only_the_admin_key_opens_the_advice(start: Start) -> None:
    app = await start()
    for path in ("/admin/v1/advice", "/admin/v1/advice/caching", "/admin/v1/stage"):
        for shown in ({}, {"authorization": f"Bearer {app.key}"}):
            assert (await app.http.get(path, headers=shown)).status_code == 401


async def test_an_app_without_calls_gets_a_report_as_well(start: Start) -> None:
    app = await start()
    report = (await app.admin("GET", "/advice?days=7")).json()
    assert report["days"] == 7
    assert report["app"]["calls"] == 0
    assert report["cost_by_day"] == []
    things = [advice["thing"] for advice in report["advice"]]
    assert things == [thing for listed in report["ranking"].values() for thing in listed]


async def test_the_report_counts_the_calls_and_names_nobody(start: Start) -> None:
    app = await start()
    await app.chat(marked("ada", "s5"))
    await app.spend()
    report = await app.admin("GET", "/advice")
    assert report.json()["dearest_users"][0]["user"] == "user 1"
    assert "ada" not in report.text
    assert "ada" not in (await app.admin("GET", "/advice?format=html")).text


@pytest.mark.parametrize(
    ("asked", "accept", "media", "begin"),
    [
        ("", "*/*", "application/json", "{"),
        ("?format=markdown", "text/html", "text/markdown; charset=utf-8", "# seawall advise"),
        ("?format=html", "*/*", "text/html; charset=utf-8", "<!doctype html>"),
        ("", "text/html,*/*;q=0.8", "text/html; charset=utf-8", "<!doctype html>"),
        ("", "text/markdown", "text/markdown; charset=utf-8", "# seawall advise"),
    ],
)
async def test_the_form_is_the_one_asked_for(
    start: Start, asked: str, accept: str, media: str, begin: str
) -> None:
    app = await start()
    told = await app.http.get(
        f"/admin/v1/advice{asked}",
        headers={**(await app.admin("GET", "/keys")).request.headers, "accept": accept},
    )
    assert told.headers["content-type"] == media
    assert told.headers["cache-control"] == "no-store"
    assert told.text.startswith(begin)


async def test_a_thing_of_any_name_gets_an_answer_and_a_form_that_there_is_not_is_refused(
    start: Start,
) -> None:
    app = await start()
    told = (await app.admin("GET", "/advice/blockchain%20%3Cb%3E")).json()
    assert told["title"] == "blockchain <b>"
    assert len(told["steps"]) == 5
    assert "<b>" not in (await app.admin("GET", "/advice/%3Cb%3E?format=html")).text
    assert (await app.admin("GET", "/advice?format=pdf")).json()["error"]["param"] == "format"
    assert (await app.admin("GET", "/advice?days=0")).json()["error"]["param"] == "days"
    assert (await app.admin("GET", f"/advice/{'x' * 61}")).json()["error"]["param"] == "thing"


async def test_advice_is_made_once_a_minute(start: Start) -> None:
    app = await start()

    async def made_at() -> str:
        return str((await app.admin("GET", "/advice")).json()["at"])

    first = await made_at()
    app.clock.turn(30)
    assert await made_at() == first
    app.clock.turn(31)
    assert await made_at() > first


async def test_calls_are_answered_while_advice_is_made(start: Start) -> None:
    app = await start()
    asked = [asyncio.ensure_future(app.admin("GET", f"/advice?days={days}")) for days in (7, 30, 90)]
    called = [await app.chat(marked(f"call-{number}", "s2")) for number in range(10)]
    assert {call.status_code for call in called} == {200}
    told = [msgspec.json.decode((await each).content) for each in asked]
    assert [each["days"] for each in told] == [7, 30, 90]


async def test_the_stage_says_what_the_running_gateway_lacks_but_not_what_users_wrote(start: Start) -> None:
    app = await start()
    await app.chat(marked("ada", "s5"))
    await app.spend()
    [call] = (await app.admin("GET", "/calls")).json()["data"]
    said = Feedback(call["id"], app.clock(), call["key_id"], "ada", "fake-gpt", "down", "The sea is wrong.")
    await app.seawall.store.feedback.put(said)
    told = await app.admin("GET", "/stage")
    stage = told.json()
    assert (stage["stage"], stage["disliked"], stage["complaints"]) == ("poc", 1, [])
    assert {row["where"] for row in stage["rows"]} == {"gateway"}
    page = (await app.admin("GET", "/stage?format=html")).text
    assert "poc: does it work?" in page
    for path in ("/stage?format=html", "/stage?format=markdown", "/advice", "/advice?format=html"):
        assert "The sea is wrong." not in (await app.admin("GET", path)).text
    assert "The sea is wrong." not in told.text


async def test_without_prices_there_is_a_sentence_instead_of_advice(start: Start) -> None:
    app = await start()
    table = app.seawall.settings.data_dir / FILE_NAME
    table.write_text("{")
    for path in ("/advice", "/advice/caching", "/stage"):
        told = await app.admin("GET", path)
        assert (told.status_code, told.json()["error"]["code"]) == (409, "conflict")
        assert "`seawall doctor`" in told.json()["error"]["message"]
        assert str(table.parent) not in told.text
    assert (await app.chat(marked("on", "s5"))).status_code == 200
    table.unlink()
    assert (await app.admin("GET", "/advice")).status_code == 200
