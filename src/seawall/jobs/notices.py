"""Who hears that a job is done: the webhooks of apps, and whoever waits for it by mail.

What is announced is written down in the transaction that ends the job, once for each of its ends.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from seawall.core.events import USER_MAIL, Channel, Event
from seawall.core.jobs import Job, JobEnding, News
from seawall.jobs.user_mail import UserNotice, payload_of
from seawall.wire.excerpt import excerpt_of

EXCERPT_CHARS_MAX = 500
RESPONSES = "/v1/responses"


class Hook(Struct, frozen=True):
    """The webhook of an app: which events it gets, of the jobs of which keys (id or name); `None` for all."""

    channel: Channel
    events: frozenset[str] | None = None
    keys: frozenset[str] | None = None

    def wants(self, kind: str, job: Job) -> bool:
        """Say whether it gets an event of a job."""
        if self.events is not None and kind not in self.events:
            return False
        return self.keys is None or not self.keys.isdisjoint((job.owner.key_id, job.caller.key_name))


class Notices:
    """Knows who is told. `is_mailing` says whether users may be mailed, `has_text` with what was answered."""

    def __init__(
        self,
        hooks: Sequence[Hook],
        now: Callable[[], float],
        *,
        is_mailing: bool = False,
        has_text: bool = False,
    ) -> None:
        self._hooks, self._now = tuple(hooks), now
        self._is_mailing, self._has_text = is_mailing, has_text

    def news_of(self, job: Job, ending: JobEnding) -> News | None:
        """Return what is announced with the end of a job, `None` where nobody is to hear of it."""
        kind = kind_of(job, ending)
        if not job.notify or kind is None:
            return None
        channels = [hook.channel for hook in self._hooks if hook.wants(kind, job)]
        body = ""
        if self._is_mailing and job.caller.mail_to and job.kind == "call" and ending.state != "cancelled":
            channels.append(USER_MAIL)
            body = self._mail(job, ending)
        if not channels:
            return None
        event = Event(
            kind, f"job {job.id} {kind}", f"{id_of(job)}: {kind}", data_of(job, ending), self._now(), body
        )
        return News(event, tuple(channels))

    def _mail(self, job: Job, ending: JobEnding) -> str:
        notice = UserNotice(
            id=id_of(job),
            to=job.caller.mail_to,
            state=ending.state,
            end_user=job.owner.end_user,
            text=excerpt_of(ending.answer, EXCERPT_CHARS_MAX) if self._has_text and ending.answer else "",
        )
        return payload_of(notice)


def kind_of(job: Job, ending: JobEnding) -> str | None:
    """Return what the end of a job is called; `None` for one that nobody hears of: tasks that went well."""
    if job.kind == "task":
        return "task.failed" if ending.state == "failed" else None
    return f"{'response' if job.endpoint == RESPONSES else 'job'}.{ending.state}"


def id_of(job: Job) -> str:
    """Return the id by which the app knows a job: that of the response, where it is one."""
    if job.kind == "call" and job.endpoint == RESPONSES:
        return f"resp_{job.id.removeprefix('job_')}"
    return job.id


def data_of(job: Job, ending: JobEnding) -> dict[str, Any]:
    """Return the `data` of an event: OpenAI's of a response, and what its app needs of any other job."""
    if job.kind == "call" and job.endpoint == RESPONSES:
        return {"id": id_of(job)}
    return {
        "id": job.id,
        "endpoint": job.endpoint,
        "model": job.model or None,
        "end_user": job.owner.end_user or None,
        "code": ending.code,
    }
