"""seawall feedback: what people say, as a table that nobody can steer, and as JSON."""

import time
from typing import Any

from seawall.core.feedback import Feedback
from seawall.homes import Store
from tests.fixtures.desk import Desk


def put(desk: Desk, call_id: str, **fields: Any) -> None:
    """Keep what ada says of a call."""
    usual: dict[str, Any] = {
        "at": time.time() - 7_300,
        "key_id": "key_1",
        "end_user": "ada",
        "model": "gpt",
        "rating": "up",
    }

    async def work(store: Store) -> None:
        await store.feedback.put(Feedback(call_id, **{**usual, **fields}))

    desk.in_store(work)


def test_the_newest_stand_first_with_their_comments_and_sums_by_model(desk: Desk) -> None:
    put(desk, "call_1")
    put(desk, "call_2", rating="down", comment="too long,\nand wrong", at=time.time() - 30)
    put(desk, "call_3", end_user="", model="other")
    output = desk.run("feedback", "list")
    assert [line.rstrip() for line in output.splitlines()[:7]] == [
        "down  call_2  just now",
        "      gpt, ada",
        "      too long, and wrong",
        "up    call_3  2 h ago",
        "      other",
        "up    call_1  2 h ago",
        "      gpt, ada",
    ]
    assert ["gpt", "1", "1", "50", "%"] in [line.split() for line in output.splitlines()]
    assert max(map(len, output.splitlines())) <= 80


def test_one_rating_is_chosen_and_programs_get_it_all(desk: Desk) -> None:
    put(desk, "call_1")
    put(desk, "call_2", rating="down", comment="no")
    values = desk.values("feedback", "list", "--rating", "down")
    [said] = values["data"]
    assert said.pop("at").endswith("Z")
    assert said == {
        "call_id": "call_2",
        "key_id": "key_1",
        "end_user": "ada",
        "model": "gpt",
        "rating": "down",
        "comment": "no",
    }
    assert (values["days"], values["ratings"]) == (30, [{"model": "gpt", "up": 1, "down": 1}])


def test_a_comment_cannot_steer_the_terminal(desk: Desk) -> None:
    put(desk, "call_1", comment="\x1b[2J", end_user="\x1b[31m", model="\u202e")
    assert "\x1b" not in desk.run("feedback", "list")


def test_where_nobody_said_anything_it_says_so(desk: Desk) -> None:
    desk.add_key("app")
    assert desk.run("feedback", "list").startswith("Nobody has said anything yet.")
    assert "--rating" in desk.run("feedback", "list", "--rating", "good", code=2)
