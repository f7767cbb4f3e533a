"""A page of Debian's chromium, and a server on loopback for the page that it shows."""

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

from playwright.async_api import Page, async_playwright

EXAMPLE = Path(__file__).parents[2] / "examples" / "page"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 60_000


class Quiet(SimpleHTTPRequestHandler):
    """Serves the page and writes no log."""

    def log_message(self, format: str, *args: Any) -> None: ...


@asynccontextmanager
async def page_server() -> AsyncIterator[str]:
    """Serve the page on a port of its own; yields its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=EXAMPLE))
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


async def open_at(page: Page, origin: str, port: int, key: str, **fields: str) -> None:
    """Open the page with the settings of its address, and note each stage that it shows in `window.told`."""
    told = {"gateway": f"http://127.0.0.1:{port}", "key": key, **fields}
    await page.goto(f"{origin}/?{urlencode(told)}")
    await page.evaluate(_NOTE_STAGES)


async def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    await page.fill("#question", question)
    await page.click("#send")


async def until_done(page: Page) -> str:
    """Wait until the page has done with a question; returns the answer that it shows."""
    await page.wait_for_function("!document.getElementById('send').disabled", timeout=WAIT_MS)
    return await page.inner_text("#answer")


async def stages_of(page: Page) -> list[str]:
    """Return what the page has shown as stages, in order."""
    told: list[str] = await page.evaluate("window.told")
    return told


async def picture(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody wants to look at it."""
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png")


_NOTE_STAGES = """() => {
  const stage = document.getElementById("stage");
  window.told = [];
  new MutationObserver(() => told.push(stage.textContent)).observe(stage, { childList: true });
}"""
