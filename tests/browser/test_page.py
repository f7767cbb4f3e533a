"""The example page in a real browser: no backend, a publishable key or a login token, and CORS that holds."""

import pytest

from tests.browser.pages import CHROMIUM, ask, browsing, open_at, page_server, picture, stages_of, until_done
from tests.fixtures.gateways import Start
from tests.fixtures.issuers import login_server

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


async def test_a_page_without_a_backend_streams_answers_until_its_trial_is_over(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with page_server() as origin, browsing() as page:
        _, key = await app.new_key(
            kind="publishable", origins=[origin], models=["demo"], budget={"daily_usd": "1"},
            trial={"requests_per_day": 2}, limits=["10/minute"],
        )  # fmt: skip
        await open_at(page, origin, app.port, key)
        await ask(page, "Why is the sea salty?")
        answer = await until_done(page)
        stages = await stages_of(page)
        left = await page.inner_text("#left")
        for question in ("And why is it blue?", "And deep?"):
            await ask(page, question)
            await until_done(page)
        problem = await page.inner_text("#problem")
        await picture(page, "refused")
    assert "Why is the sea salty?" in answer
    assert stages == ["Thinking", "Writing", "Done"]
    assert left == "9 more right now."
    assert problem.startswith("You have used up what is yours for now. Please come back after 2026-11-22")
    rows = await app.rows()
    assert [row.code for row in rows] == [None, None, "quota_exhausted"]


async def test_a_page_that_is_not_listed_cannot_even_read_the_refusal(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with page_server() as origin, browsing() as page:
        _, key = await app.new_key(
            kind="publishable",
            origins=["https://app.example.com"],
            models=["demo"],
            budget={"daily_usd": "1"},
        )
        await open_at(page, origin, app.port, key)
        await ask(page, "Let me in")
        await until_done(page)
        problem = await page.inner_text("#problem")
    assert problem == "The gateway cannot be reached. Please try again."
    assert await app.rows() == []


async def test_a_secret_key_does_not_work_in_a_page(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with page_server() as origin, browsing() as page:
        await app.new_key(kind="publishable", origins=[origin], models=["demo"], budget={"daily_usd": "1"})
        await open_at(page, origin, app.port, app.key)
        await ask(page, "A secret in a page")
        assert await until_done(page) == ""
        assert await page.inner_text("#problem") == "The gateway cannot be reached. Please try again."


async def test_a_login_token_works_straight_from_the_page(start: Start) -> None:
    async with login_server() as login, page_server() as origin, browsing() as page:
        app = await start(demo__pace_s=0, **login.settings(origins=[origin]))
        token = login.token("ada", until_s=app.clock() + 600)
        await open_at(page, origin, app.port, token)
        await ask(page, "Do you know me?")
        assert "Do you know me?" in await until_done(page)
        assert (await app.row()).end_user == "login/ada"
