"""Carriers: the rows of procrastinate's tables that bring the ids of jobs to workers."""

from typing import Literal

from msgspec import Struct

TASK = "run"
"""The name under which the engine knows what it does with a job."""

Queue = Literal["calls", "tasks"]


class ToCarry(Struct, frozen=True):
    """A job for the engine: of a queue the highest `priority` goes first, and of those the oldest."""

    job_id: str
    queue: Queue
    priority: int = 0
