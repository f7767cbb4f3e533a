"""Nobody sees what belongs to somebody else: stored answers and usage, over all kinds of callers."""

from typing import NamedTuple

import pytest

from tests.fixtures.gateways import RunningApp, Start


class Caller(NamedTuple):
    """Somebody who calls: with which key, and for whom."""

    key: str
    user: str | None

    def headers(self) -> dict[str, str]:
        named = {} if self.user is None else {"seawall-user": self.user}
        return {"authorization": f"Bearer {self.key}", **named}


async def callers(app: RunningApp) -> list[Caller]:
    owners: list[dict[str, str]] = [{}, {"owner": "acme"}, {"owner": "acme"}, {"owner": "umbrella"}]
    keys = [app.key, *[(await app.new_key(**fields))[1] for fields in owners]]
    return [Caller(key, user) for key in keys for user in (None, "ada", "bob", "acme:ada")]


@pytest.mark.timeout(180)
async def test_a_stored_answer_is_there_for_whoever_made_it_and_for_nobody_else(start: Start) -> None:
    app = await start()
    everybody = await callers(app)
    made: dict[Caller, str] = {}
    for number, caller in enumerate(everybody):
        body = {"model": "fake-gpt", "input": f"The secret of caller {number}", "max_output_tokens": 16}
        answer = await app.http.post("/v1/responses", json=body, headers=caller.headers())
        made[caller] = answer.raise_for_status().json()["id"]
    for reader in everybody:
        for owner, response_id in made.items():
            shown = await app.http.get(f"/v1/responses/{response_id}", headers=reader.headers())
            on = await app.http.post(
                "/v1/responses",
                json={"model": "demo", "input": "And?", "previous_response_id": response_id, "store": False},
                headers=reader.headers(),
            )
            expected = (200, 200) if reader == owner else (404, 400)
            assert (shown.status_code, on.status_code) == expected, (reader, owner)
