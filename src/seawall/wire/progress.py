"""What tells a person who waits how far an answer has come: events between those of the answer, and comments.

Clients pass over what they do not know: an event of a name that is not their dialect's, and comments.
"""

from typing import Any

import msgspec

from seawall.core.jobs import Stage

PROGRESS = "seawall.progress"
KEEP_ALIVE = b": keep-alive\n\n"
"""A comment: it says nothing to a client, and keeps the line open in proxies that close silent ones."""


def progress_frame(stage: Stage, label: str, **more: Any) -> bytes:
    """Write one event of progress; `more` goes into its data beside stage and label."""
    data = msgspec.json.encode({"stage": stage, "label": label, **more})
    return b"event: %s\ndata: %s\n\n" % (PROGRESS.encode(), data)
