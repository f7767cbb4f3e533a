"""The sections that say where tasks go: the app's own slow work."""

import json
from decimal import Decimal
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BeforeValidator, model_validator

from seawall.core.tasks import TaskSchedule, TaskTarget
from seawall.settings.growing import Every
from seawall.settings.sections import Section, setting
from seawall.settings.values import Clock, Kind, Names, Number, WebhookUrl, Whole

BODY_BYTES_MAX = 64 * 1024
_encode = msgspec.json.Encoder(decimal_format="number").encode


def _read_body(value: object) -> bytes:
    """Read what a scheduled task says: a table or a text; a text that begins like JSON is JSON."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError:
            raise ValueError('must be a table such as { kind = "weekly" }, or JSON') from None
    body = _encode(value)
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"is too long: at most {BODY_BYTES_MAX // 1024} KB")
    return body


Body = Annotated[bytes, BeforeValidator(_read_body), Kind("table, or text", "{}", show=bytes.decode)]


class TaskSettings(Section):
    """A target of tasks, by its name: see [Tasks](jobs.md#tasks).

    What is sent is signed with the secret in the variable SEAWALL_TASK_NAME_SECRET, the name in capitals and
    with `_` for every dash; `seawall tasks secret NAME` makes one.
    """

    url: WebhookUrl = setting("Where tasks are sent.")
    allow_private: bool = setting(
        "Whether the target may be on a private network or this machine, and without HTTPS.", default=False
    )
    timeout_s: Number = setting("How long the target may take to answer.", default=60.0, gt=0, le=3_600)
    attempts: Whole = setting("How often delivery is tried.", default=10, ge=1, le=100)
    give_up_s: Number = setting("For how long delivery is tried.", default=86_400.0, gt=0, le=30 * 86_400)
    at_once: Whole = setting(
        "How many tasks one process delivers to this target at once.", default=10, ge=1, le=1_000
    )
    keys: Names | None = setting(
        "The virtual keys that may use it, by name or id; not set means all.", default=None
    )
    every: Every | None = setting("Make a task by itself this often, from midnight UTC.", default=None)
    at: Clock = setting(
        "Make a task by itself every day at this time, in the time zone of `time_zone`.", default=None
    )
    body: Body | None = setting("What the tasks that are made by themselves say.", default=None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.url.startswith("https://") and not self.allow_private:
            raise ValueError("has a url without HTTPS; that takes allow_private = true")
        if self.every is not None and self.at is not None:
            raise ValueError("must state either every or at, not both")
        if self.body is not None and self.every is None and self.at is None:
            raise ValueError("has a body for tasks that are made by themselves, but neither every nor at")
        return self

    def target(self, name: str, zone: ZoneInfo) -> TaskTarget:
        """Return the target in the words of the tasks."""
        schedule = None
        if self.every is not None or self.at is not None:
            schedule = TaskSchedule(zone, self.every, self.at, self.body or b"{}")
        return TaskTarget(
            name=name,
            attempts=self.attempts,
            give_up_s=self.give_up_s,
            at_once=self.at_once,
            keys=None if self.keys is None else frozenset(self.keys),
            schedule=schedule,
        )
