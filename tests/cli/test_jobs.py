"""`seawall jobs`: what it lists and shows, what it changes, and what it refuses; on both homes."""

import json
import time
from typing import Any

import pytest

from seawall.core.jobs import Ended, JobRules
from seawall.core.state import Owner
from seawall.homes import Store
from tests.fixtures.desk import Desk
from tests.fixtures.settings import Place

FAILED = "job_019f0a1b2c3d4e5f60718293a4b5c6d7"
WAITING = "job_019f0a1b2c3d4e5f60718293a4b5c6d8"
DONE = "job_019f0a1b2c3d4e5f60718293a4b5c6d9"
NOBODYS = "job_019f0a1b2c3d4e5f60718293a4b5c6da"
TEXTS = ("a prompt that nobody is to see", "an answer that nobody is to see")


@pytest.fixture(params=["desk", "grown_desk"])
def either(request: pytest.FixtureRequest) -> Desk:
    """Return a desk with a job that failed, one that waits and one that is done."""
    desk: Desk = request.getfixturevalue(request.param)
    desk.add_job(FAILED, "failed")
    desk.add_job(WAITING, owner=Owner("key_1", "bob"), due_at=time.time() + 3_600)
    desk.add_job(DONE, "completed")
    return desk


def ids(rows: dict[str, Any]) -> list[str]:
    return [row["id"] for row in rows["data"]]


def test_jobs_are_listed_the_newest_first_with_the_reason_of_failures(either: Desk) -> None:
    assert ids(either.values("jobs", "list")) == [DONE, WAITING, FAILED]
    assert ids(either.values("jobs", "list", "--limit", "1", "--before", DONE)) == [WAITING]
    assert ids(either.values("jobs", "list", "--user", "bob")) == [WAITING]
    [failed] = either.values("jobs", "list", "--state", "failed")["data"]
    assert (failed["code"], failed["runs"], failed["status_code"]) == ("upstream_unavailable", 1, 502)
    screen = either.run("jobs", "list")
    assert max(map(len, screen.splitlines())) <= 80
    assert all(each in screen for each in (FAILED, "upstream_unavailable: The", "1 run", "just now, bob"))


def test_no_prompt_and_no_answer_is_shown_unless_that_is_asked_for(either: Desk) -> None:
    for words in (("list",), ("show", DONE), ("list", "--json"), ("show", DONE, "--json")):
        shown = either.run("jobs", *words)
        assert [text for text in TEXTS if text in shown] == []
    shown = either.run("jobs", "show", DONE, "--texts")
    assert [text for text in TEXTS if text in shown] == [*TEXTS]
    whole = either.values("jobs", "show", DONE, "--texts")
    assert (whole["request"]["body"]["input"], whole["answer"]["output"]) == TEXTS


def test_one_job_is_shown_with_how_often_it_was_tried_and_why_it_failed(either: Desk) -> None:
    screen = either.run("jobs", "show", FAILED)
    assert max(map(len, screen.splitlines())) <= 80
    assert all(
        text in screen
        for text in (
            "failed",
            "call /v1/responses fake-gpt",
            "ada",
            "502",
            "upstream_unavailable: The provider",
        )
    )


def test_a_failed_job_is_taken_up_again_and_one_that_waits_is_not(either: Desk) -> None:
    assert either.run("jobs", "retry", FAILED) == f"{FAILED}: queued\n"
    refused = either.finish("jobs", "retry", FAILED, DONE, "--json")
    assert refused.exit_code == 1
    assert either.finish("jobs", "retry", "--failed").exit_code == 1
    [job] = either.values("jobs", "list", "--user", "ada", "--state", "queued")["data"]
    assert (job["id"], job["code"], job["ended_at"]) == (FAILED, None, None)


def test_every_failed_job_is_taken_up_again_at_once(either: Desk) -> None:
    either.add_job(NOBODYS, "failed", code="worker_lost")
    assert ids(either.values("jobs", "retry", "--failed")) == [NOBODYS, FAILED]
    assert either.finish("jobs", "list", "--state", "failed").exit_code == 1


def test_a_job_that_waits_is_cancelled_and_one_that_has_ended_is_not(either: Desk) -> None:
    assert either.run("jobs", "cancel", WAITING) == f"{WAITING}: cancelled\n"
    told = either.finish("jobs", "cancel", WAITING, DONE, NOBODYS)
    assert (told.exit_code, told.stdout.splitlines()) == (
        1,
        [
            f"{WAITING}: cancelled",
            f"{DONE}: The job is completed already.",
            f"{NOBODYS}: There is no job with this id. It may have expired or been deleted.",
        ],
    )


def test_a_webhook_hears_of_a_job_that_is_cancelled_here(either: Desk, place: Place) -> None:
    place.write("seawall.toml", '[webhooks.app]\nurl = "https://app.example.com/hook"\n')
    either.run("jobs", "cancel", WAITING)
    [app] = either.values("webhooks", "list")["data"]
    assert [each["type"] for each in app["deliveries"]] == ["response.cancelled"]


def test_only_jobs_that_have_ended_are_forgotten_and_only_when_that_is_meant(either: Desk) -> None:
    refused = either.finish("jobs", "purge", "--state", "failed", "--older-than", "0s")
    assert (refused.exit_code, len(either.values("jobs", "list")["data"])) == (1, 3)
    assert either.values("jobs", "purge", "--state", "failed", "--yes") == {"deleted": 0}
    gone = either.values("jobs", "purge", "--state", "failed", "--older-than", "0s", "--yes")
    assert (gone, ids(either.values("jobs", "list"))) == ({"deleted": 1}, [DONE, WAITING])


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            "list --state dead",
            2,
            "seawall: state must be one of queued, in_progress, cancelled, completed, failed, ",
        ),
        ("list --user nobody", 1, "seawall: there are no such jobs.\n"),
        (f"show {NOBODYS}", 1, "seawall: There is no job with this id"),
        ("retry", 2, "seawall: name the jobs, or --failed for every one that failed.\n"),
        (
            "purge --state queued",
            2,
            "seawall: --state must be one of cancelled, completed, failed, incomplete: ",
        ),
        ("purge --state failed --older-than long", 2, "seawall: --older-than must be a duration such as "),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(desk: Desk, words: str, code: int, sentence: str) -> None:
    desk.add_job(DONE, "completed")
    said = desk.run("jobs", *words.split(), code=code)
    assert said.startswith(sentence)
    assert said.count("\n") == 1


@pytest.mark.parametrize("state", ["failed", "completed"])
def test_names_cannot_send_orders_to_the_terminal(desk: Desk, state: Ended) -> None:
    desk.add_job(DONE, state, owner=Owner("key_1", "eve\x1b[31m"), model="m\x1b[1m")
    assert "\x1b" not in desk.run("jobs", "list") + desk.run("jobs", "show", DONE)


def test_doctor_says_how_jobs_stand_and_that_nobody_does_them(either: Desk) -> None:
    either.add_job(NOBODYS)
    done = either.finish("doctor", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problems"] == ["1 job waits and no worker is alive: start the gateway"]
    text = either.finish("doctor").stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "1 in the last day: upstream_unavailable 1" in text


def test_sums_of_ended_jobs_outlive_the_jobs(either: Desk) -> None:
    either.run("jobs", "purge", "--state", "failed", "--older-than", "0s", "--yes")

    async def work(store: Store) -> list[tuple[str, str, int]]:
        figures = await store.jobs.figures(0.0, JobRules())
        assert (figures.waiting, figures.timed, figures.failed) == (0, 1, ())
        return [(sums.kind, sums.state, sums.jobs) for sums in figures.sums]

    assert either.in_store(work) == [("call", "completed", 1), ("call", "failed", 1)]
