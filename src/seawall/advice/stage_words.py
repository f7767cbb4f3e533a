"""What each stage is, in words: who uses the app, what is to be found out, and what can wait."""

from msgspec import Struct

from seawall.core.stages import Stage


class StageWords(Struct, frozen=True):
    """One stage. `users_max` is the most people it is for; the usual time is in days, `None` without an end.

    `long` is what to do where the app has been there for longer than that.
    """

    users: str
    users_max: int | None
    question: str
    focus: str
    not_yet: str
    takes: str
    days_min: int
    days_max: int | None
    long: str


STAGES = {
    Stage.POC: StageWords(
        users="only you",
        users_max=1,
        question="does it work?",
        focus="One thing that works from beginning to end, with the demo model or a small budget.",
        not_yet="design, accounts, speed, tests, a server of its own, and what happens with a hundred users.",
        takes="up to a week",
        days_min=0,
        days_max=7,
        long="Show it to one person this week, as it is; more work on it answers nothing that you can ask"
        " yourself.",
    ),
    Stage.MVP: StageWords(
        users="1 to 100 people",
        users_max=100,
        question="do people want it?",
        focus="A handful of people who use it while you watch: whether they come back, what they love, and"
        " what they complain about.",
        not_yet="caches, queues, a second server, Kubernetes, microservices, every browser, and a finished"
        " design.",
        takes="2 to 4 weeks",
        days_min=14,
        days_max=28,
        long="Ask those who do not come back why. If nobody does, change what the app does rather than how it"
        " is built.",
    ),
    Stage.ALPHA: StageWords(
        users="hundreds of people",
        users_max=999,
        question="is it stable?",
        focus="Hearing of errors before your users tell you, tests for whatever broke, and backups that can"
        " be read back.",
        not_yet="polish, rare wishes, a second server, and ten times the traffic.",
        takes="1 to 2 months",
        days_min=30,
        days_max=60,
        long="Count what broke in the last two weeks: if that is nothing, it is stable enough.",
    ),
    Stage.BETA: StageWords(
        users="thousands of people",
        users_max=9_999,
        question="is it polished?",
        focus="Waiting times, streaming everywhere, slow networks, plain error messages, and one load test.",
        not_yet="several regions, microservices, Kubernetes, and a queue for tasks that may be lost.",
        takes="2 to 4 months",
        days_min=60,
        days_max=120,
        long="Choose the three complaints that come most often, mend them, and call it finished.",
    ),
    Stage.PRODUCTION: StageWords(
        users="any number of people",
        users_max=None,
        question="is it reliable?",
        focus="A backup that was restored in a drill, somebody who hears the alarm at night, a second"
        " provider, and how much more the present server can take.",
        not_yet="what you have not measured: read replicas, Kafka, Kubernetes for fewer than ten servers.",
        takes="ongoing",
        days_min=0,
        days_max=None,
        long="",
    ),
}

ORDER = tuple(Stage)
"""From the first to the last."""


def after(stage: Stage) -> Stage | None:
    """Return the next stage, `None` after the last."""
    following = ORDER[ORDER.index(stage) + 1 :]
    return following[0] if following else None


def stage_for(users: int) -> Stage:
    """Return the first stage that is for so many people."""
    return next(
        stage for stage, words in STAGES.items() if words.users_max is None or users <= words.users_max
    )
