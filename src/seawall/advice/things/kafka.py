"""Kafka: is there a stream of events that a queue cannot carry?"""

from seawall.advice.deciding import Answered, Case, Subject, conclude
from seawall.advice.figures import count, fact, hourly
from seawall.advice.headroom import standing
from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.thresholds import JOBS_SECOND
from seawall.advice.words import Advice, Figure
from seawall.core.stages import Stage

SUBJECT = Subject(
    thing="kafka",
    title="Kafka",
    term="Kafka keeps a log of events that many programs read, for hundreds of thousands a second.",
    link="advice.md#kafka",
    effort="weeks",
    earliest=Stage.PRODUCTION,
    is_infrastructure=True,
)


def kafka(numbers: Numbers, _: Replays) -> Advice:
    """Advise by the jobs of the fullest hour; the jobs inside of Seawall come first, then a queue."""
    most = max((hour.background for hour in numbers.hours), default=0)
    second = most / 3_600
    is_due = second > JOBS_SECOND.value
    has_queue = fact(numbers, "queue") is True
    query = hourly(numbers, "coalesce(max(data->>'$.background'), 0)")
    figures = (Figure(f"{count(most)} jobs in the fullest hour", query, most),)
    why = (
        "More jobs come than the queue inside carries."
        if is_due
        else "The queue inside of Seawall carries all of it."
    )
    return conclude(
        Case(
            SUBJECT,
            found=f"{count(most)} jobs in the fullest hour; Seawall does {JOBS_SECOND.value:g} a second.",
            problem=Answered("yes" if is_due else "no", why, figures),
            simpler=Answered("yes", "A message queue."),
            tried=Answered("yes", "You state that there is one.")
            if has_queue
            else Answered("no", "Nothing says so. When it is there: `seawall facts set queue true`."),
            simple="a message queue.",
            do=("Take a managed one.",),
            threshold=standing(JOBS_SECOND, second),
        ),
        numbers,
    )
