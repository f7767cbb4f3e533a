"""Jobs by the admin API, on a gateway that does none of them: what is shown, changed and refused."""

from datetime import UTC, datetime
from typing import Any

from seawall.core.state import Owner
from tests.fixtures.gateways import DAY_S, NOON, RunningApp, Start
from tests.fixtures.made_jobs import end_job, put_job, start_job

TEXTS = ("a prompt that nobody is to see", "an answer that nobody is to see")


async def with_jobs(start: Start, **settings: object) -> RunningApp:
    """Start a gateway with a job that failed, one that is done, one that runs and one that waits."""
    app = await start(jobs__concurrency=0, **settings)
    jobs = app.seawall.gateway.jobs

    for number, name in enumerate(("failed", "done", "running")):
        at = NOON + number
        await put_job(jobs, f"job_{number}_{name}", accepted_at=at, due_at=at)
        if name == "running":
            await start_job(jobs, f"job_{number}_{name}", app.carrier_of, at + 10)
        else:
            await end_job(
                jobs,
                f"job_{number}_{name}",
                app.carrier_of,
                "failed" if name == "failed" else "completed",
                now=at + 5,
            )
    bob = Owner("key_1", "bob")
    await put_job(jobs, "job_3_waiting", owner=bob, accepted_at=NOON - 60, due_at=NOON - 60)
    return app


async def listed(app: RunningApp, query: str = "") -> list[str]:
    answer = (await app.admin("GET", f"/jobs{query}")).raise_for_status()
    assert [text for text in TEXTS if text in answer.text] == []
    return [row["id"] for row in answer.json()["data"]]


async def shown(app: RunningApp, path: str, method: str = "GET") -> dict[str, Any]:
    found: dict[str, Any] = (await app.admin(method, f"/jobs{path}")).raise_for_status().json()
    return found


async def test_jobs_are_listed_in_pages_by_state_and_by_user(start: Start) -> None:
    app = await with_jobs(start)
    everything = ["job_3_waiting", "job_2_running", "job_1_done", "job_0_failed"]
    assert await listed(app) == everything
    assert await listed(app, "?limit=2") + await listed(app, "?before=job_2_running") == everything
    by_state = {state: await listed(app, f"?state={state}") for state in ("failed", "in_progress", "queued")}
    assert by_state == {
        "failed": ["job_0_failed"],
        "in_progress": ["job_2_running"],
        "queued": ["job_3_waiting"],
    }
    assert await listed(app, "?user=bob") == ["job_3_waiting"]
    assert await listed(app, "?user=ada&state=queued") == []


async def test_a_job_is_shown_without_its_texts_unless_they_are_asked_for(start: Start) -> None:
    app = await with_jobs(start)
    answer = await app.admin("GET", "/jobs/job_1_done")
    assert [text for text in TEXTS if text in answer.text] == []
    whole = await shown(app, "/job_1_done?texts=true")
    assert (whole.pop("request"), whole.pop("answer")) == (
        {"body": {"input": TEXTS[0]}},
        {"output": TEXTS[1]},
    )
    assert whole == answer.json()


async def test_a_failed_job_says_why_and_is_taken_up_again(start: Start) -> None:
    app = await with_jobs(start)
    failed = await shown(app, "/job_0_failed")
    assert (failed["status"], failed["code"], failed["why"], failed["runs"]) == (
        "failed", "upstream_unavailable", "The provider is not answering properly.", 1,
    )  # fmt: skip
    assert (failed["started_at"], failed["ended_at"]) == ("2026-11-21T12:00:05.000Z",) * 2
    again = await shown(app, "/job_0_failed/retry", "POST")
    assert (again["status"], again["code"], again["ended_at"]) == ("queued", None, None)
    refused = await app.admin("POST", "/jobs/job_0_failed/retry")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")


async def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_told(start: Start) -> None:
    app = await with_jobs(start)
    waiting = await shown(app, "/job_3_waiting/cancel", "POST")
    running = await shown(app, "/job_2_running/cancel", "POST")
    assert (waiting["status"], running["status"], running["cancelling"]) == ("cancelled", "in_progress", True)
    assert (await shown(app, "/job_3_waiting/cancel", "POST"))["status"] == "cancelled"
    refused = await app.admin("POST", "/jobs/job_1_done/cancel")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")


async def test_what_has_ended_is_forgotten_and_nothing_else(start: Start) -> None:
    app = await with_jobs(start)
    moment = datetime.fromtimestamp(NOON + DAY_S, UTC).isoformat().replace("+00:00", "Z")
    assert await shown(app, f"?before={moment}&state=failed", "DELETE") == {"deleted": 1}
    assert await shown(app, f"?before={moment}", "DELETE") == {"deleted": 1}
    assert await listed(app) == ["job_3_waiting", "job_2_running"]


async def test_the_line_says_how_long_it_is_and_how_fast_it_moves(start: Start) -> None:
    app = await with_jobs(start)
    line = await shown(app, "/line")
    oldest_s = line.pop("oldest_waiting_s")
    assert 60 <= oldest_s < 60 + app.clock() - NOON + 1
    assert line == {
        "waiting": 1,
        "timed": 0,
        "running": 1,
        "mean_run_s": 0.0,
        "held_usd": "0.00",
        "failed_in_a_day": [{"code": "upstream_unavailable", "is_refusal": False, "jobs": 1}],
        "workers": 0,
    }


async def test_what_cannot_be_is_refused_by_name(start: Start) -> None:
    app = await with_jobs(start)
    for method, path, status, param in (
        ("GET", "?state=dead", 400, "state"),
        ("GET", "?limit=0", 400, "limit"),
        ("GET", "/job_1_done?texts=yes", 400, "texts"),
        ("GET", "/job_nobodys", 404, None),
        ("POST", "/job_nobodys/retry", 404, None),
        ("POST", "/job_nobodys/cancel", 404, None),
        ("DELETE", "", 400, "before"),
        ("DELETE", "?before=yesterday", 400, "before"),
        ("DELETE", "?before=2026-11-21T12:00:00Z&state=queued", 400, "state"),
        ("DELETE", "?before=2026-11-21T12:00:00Z&sate=failed", 400, "sate"),
    ):
        refused = await app.admin(method, f"/jobs{path}")
        assert (refused.status_code, refused.json()["error"]["param"]) == (status, param), (method, path)
    assert len(await listed(app)) == 4
