"""The example page in a real browser: no backend, a publishable key or a login token, and CORS that holds."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, async_playwright

from tests.fixtures.gateways import RunningApp, Start
from tests.fixtures.issuers import login_server

PAGE = Path(__file__).parents[2] / "examples" / "page"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 20_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


class Quiet(SimpleHTTPRequestHandler):
    """Serves the page and writes no log."""

    def log_message(self, format: str, *args: Any) -> None: ...


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Serve the page on a port of its own; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=PAGE))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """Open a page of headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield await browser.new_page()
        finally:
            await browser.close()


def at(origin: str, app: RunningApp, key: str, **fields: str) -> str:
    return f"{origin}/?{urlencode({'gateway': f'http://127.0.0.1:{app.port}', 'key': key, **fields})}"


async def ask(page: Page, question: str) -> None:
    """Type a question and wait until the page has done with it."""
    await page.fill("#question", question)
    await page.click("#send")
    await page.wait_for_function("!document.getElementById('send').disabled", timeout=WAIT_MS)


async def test_a_page_without_a_backend_streams_answers_until_its_trial_is_over(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with served() as origin, browsing() as page:
        _, key = await app.new_key(
            kind="publishable", origins=[origin], models=["demo"], budget={"daily_usd": "1"},
            trial={"requests_per_day": 2}, limits=["10/minute"],
        )  # fmt: skip
        await page.goto(at(origin, app, key))
        await ask(page, "Why is the sea salty?")
        answer = await page.inner_text("#answer")
        left = await page.inner_text("#left")
        await ask(page, "And why is it blue?")
        await ask(page, "And deep?")
        problem = await page.inner_text("#problem")
        picture = os.environ.get("SCREENSHOTS")
        if picture:
            await page.screenshot(path=f"{picture}/page.png")
    assert "Why is the sea salty?" in answer
    assert left == "9 more right now."
    assert problem.startswith("You have used up what is yours for now. Please come back after 2026-11-22")
    rows = await app.rows()
    assert [row.code for row in rows] == [None, None, "quota_exhausted"]


async def test_a_page_that_is_not_listed_cannot_even_read_the_refusal(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with served() as origin, browsing() as page:
        _, key = await app.new_key(
            kind="publishable",
            origins=["https://app.example.com"],
            models=["demo"],
            budget={"daily_usd": "1"},
        )
        await page.goto(at(origin, app, key))
        await ask(page, "Let me in")
        problem = await page.inner_text("#problem")
    assert problem == "The gateway cannot be reached. Please try again."
    assert await app.rows() == []


async def test_a_secret_key_does_not_work_in_a_page(start: Start) -> None:
    app = await start(demo__pace_s=0)
    async with served() as origin, browsing() as page:
        await app.new_key(kind="publishable", origins=[origin], models=["demo"], budget={"daily_usd": "1"})
        await page.goto(at(origin, app, app.key))
        await ask(page, "A secret in a page")
        assert await page.inner_text("#answer") == ""
        assert await page.inner_text("#problem") == "The gateway cannot be reached. Please try again."


async def test_a_login_token_works_straight_from_the_page(start: Start) -> None:
    async with login_server() as login, served() as origin, browsing() as page:
        app = await start(demo__pace_s=0, **login.settings(origins=[origin]))
        token = login.token("ada", until_s=app.clock() + 600)
        await page.goto(at(origin, app, token))
        await ask(page, "Do you know me?")
        assert "Do you know me?" in await page.inner_text("#answer")
        assert (await app.row()).end_user == "login/ada"
