"""Slow work: how many jobs wait and run, how long they are kept, and what their progress is called."""

from seawall.core.jobs import JobRules, Labels, Telling
from seawall.settings.sections import Section, setting
from seawall.settings.values import Cap, Number, Seconds, Text, Whole

DAY_S = 86_400.0


class JobSettings(Section):
    """Work in the background: see [Slow work](jobs.md)."""

    concurrency: Whole = setting(
        "How many jobs this process does at once; 0 does none, and leaves them to `seawall worker`.",
        default=20,
        ge=0,
        le=1_000,
    )
    per_user_at_once: Whole = setting(
        "How many jobs of one user are done at once, so that one user's thousand keep nobody waiting.",
        default=4,
        ge=1,
        le=1_000,
    )
    waiting_max: Whole = setting("How many jobs may wait in all.", default=10_000, ge=1, le=10_000_000)
    waiting_max_per_user: Whole = setting(
        "How many jobs of one user may wait.", default=100, ge=1, le=10_000_000
    )
    waiting_usd: Cap = setting("How much money may be held for jobs that wait, in all.", default=None)
    waiting_usd_per_user: Cap = setting(
        "How much money may be held for jobs of one user that wait.", default=None
    )
    keep_days: Whole = setting(
        "How long a job and its answer are kept after its end.", default=1, ge=1, le=365
    )
    runs_max: Whole = setting(
        "How often a job is tried where trouble that may pass has ended it.", default=5, ge=1, le=100
    )
    give_up_s: Seconds = setting("For how long a job is tried after it was accepted.", default=DAY_S)
    stall_s: Number = setting(
        "After how long without a sign of life a worker's jobs are given to another one.",
        default=30.0,
        ge=1,
        le=3_600,
    )

    def rules(self) -> JobRules:
        """Return how many jobs may wait, and how long they are kept."""
        return JobRules(
            per_lane_at_once=self.per_user_at_once,
            waiting_max=self.waiting_max,
            waiting_max_per_lane=self.waiting_max_per_user,
            waiting_money=self.waiting_usd,
            waiting_money_per_lane=self.waiting_usd_per_user,
            keep_s=self.keep_days * DAY_S,
            runs_max=self.runs_max,
            give_up_s=self.give_up_s,
            stall_s=self.stall_s,
        )


class ProgressSettings(Section):
    """What people are told while they wait; the words can be yours."""

    queued: Text = setting("The label of a job that waits in line.", default="Waiting in line")
    thinking: Text = setting("The label while the model has not begun to answer.", default="Thinking")
    writing: Text = setting("The label while the answer comes.", default="Writing")
    checking: Text = setting("The label while the answer is checked.", default="Checking")
    done: Text = setting("The label of a job at its end.", default="Done")
    heartbeat_s: Seconds = setting(
        "The longest silence of a stream of events, so that proxies keep the line open.", default=15.0
    )

    def telling(self) -> Telling:
        """Return how people are told of progress."""
        labels = Labels(self.queued, self.thinking, self.writing, self.checking, self.done)
        return Telling(labels, self.heartbeat_s)
