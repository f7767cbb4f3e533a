"""The example page and answers in the background: whoever waits loses nothing, whatever happens to the gateway."""

import asyncio
import time
from pathlib import Path

import pytest

from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_provider import MockProvider
from tests.browser.pages import (
    CHROMIUM,
    WAIT_MS,
    ask,
    browsing,
    open_at,
    page_server,
    picture,
    stages_of,
    until_done,
)
from tests.fixtures.gateways import Start
from tests.fixtures.issuers import Login, login_server
from tests.fixtures.mock_calls import LONGER, o200k
from tests.fixtures.processes import configure, served
from tests.fixtures.servers import free_port

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")

HOUR_MS = 3_600_000
ANSWER = "Rivers bring it the salt of the rocks."
HAS_BEGUN = "document.getElementById('answer').textContent === 'Riv'"
"""The first token of the answer, and nothing of another run before it."""

LOGIN = """
[issuers.login]
issuer = "{url}"
jwks_url = "{url}/keys"
audience = ["app"]
origins = ["{origin}"]
"""


class StuckOnce:
    """Says one word to the first who asks and then nothing for an hour; later ones are answered."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, seen: Seen) -> Behaviour:
        self._asked += 1
        return Behaviour(text=ANSWER, gap_ms=HOUR_MS if self._asked == 1 else 0)


def token_of(login: Login, now: float) -> str:
    return login.token("ada", until_s=now + 600)


async def test_an_answer_survives_that_its_gateway_is_killed_while_it_writes(tmp_path: Path) -> None:
    async with (
        login_server() as login,
        MockProvider(script=StuckOnce(), count=o200k()) as mock,
        page_server() as origin,
        browsing() as page,
    ):
        configure(tmp_path, mock)
        with (tmp_path / "seawall.toml").open("a", encoding="utf-8") as file:
            file.write(LOGIN.format(url=login.base_url, origin=origin))
        port = str(free_port())  # One that nobody is given while the gateway is down.
        async with served(tmp_path, "--port", port) as gateway:
            await open_at(page, origin, gateway.port, token_of(login, time.time()), model="fake-gpt")
            await ask(page, "Why is the sea salty?")
            await page.wait_for_function(HAS_BEGUN, timeout=WAIT_MS)
            await page.wait_for_function("window.told.includes('Writing')", timeout=WAIT_MS)
            stages = await stages_of(page)
            await picture(page, "writing")
            await gateway.kill()
        async with served(tmp_path, "--port", port):
            answer = await until_done(page)
            problem = await page.inner_text("#problem")
            await picture(page, "done")
    assert (answer, problem) == (ANSWER, "")
    # A page that asks late is not told of what was before.
    assert stages[-1] == "Writing" and set(stages) <= {"Waiting in line", "Thinking", "Writing"}
    assert len(mock.requests) == 2


async def test_a_page_that_is_loaded_anew_goes_on_and_its_person_can_stop_it(start: Start) -> None:
    async with (
        login_server() as login,
        MockProvider(script=StuckOnce(), count=o200k()) as mock,
        page_server() as origin,
        browsing() as page,
    ):
        app = await start(mock=mock, **login.settings(origins=[origin]))
        token = token_of(login, app.clock())
        await open_at(page, origin, app.port, token, model="fake-gpt")
        await ask(page, "Why is the sea salty?")
        await page.wait_for_function(HAS_BEGUN, timeout=WAIT_MS)
        await page.reload()
        await page.wait_for_function(HAS_BEGUN, timeout=WAIT_MS)
        await page.click("#stop")
        await until_done(page)
        await page.reload()
        answer = await page.inner_text("#answer")
        shown = {"authorization": f"Bearer {token}"}
        async with asyncio.timeout(LONGER * 2):  # A running one is told to stop, and does so in a moment.
            while (await app.http.get("/v1/jobs?status=cancelled", headers=shown)).json()["data"] == []:
                await asyncio.sleep(0.05)
    assert answer == ""
    assert len(mock.requests) == 1
