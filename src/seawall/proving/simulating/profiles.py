"""Who calls when, and what they ask: the profiles of `seawall simulate`, as data.

A profile is a list of crowds. The first one grows with `--users`; what does damage is of a fixed size. Sizes
of texts are means in tokens; single ones lie between a third and twice of them.
"""

from msgspec import Struct

WEEKEND_H = 63
"""From Friday at 18:00 to Monday at 9:00."""


class Talk(Struct, frozen=True, kw_only=True):
    """What one conversation is like; each turn sends all earlier ones again.

    `passages` are put before the question, from a library of 200. Of all conversations a share `repeats` one
    of forty common first questions. `cap` is the output that the app asks for, `None` where it does not say.
    `is_stuck` is a program that cannot read the answer and sends the same complaint again and again.
    `first_s` and `tokens_s` are how long the model takes to begin, and how fast it writes.
    """

    model: str
    instructions: int
    question: int
    answer: int
    turns: tuple[int, int] = (1, 1)
    gap_s: float = 40.0
    passages: int = 0
    passage: int = 350
    repeats: float = 0.0
    cap: int | None = None
    stream: bool = True
    is_stuck: bool = False
    first_s: float = 0.8
    tokens_s: float = 70.0


class Crowd(Struct, frozen=True, kw_only=True):
    """Some callers of one kind.

    There are `heads` of them, or `share` for each of `--users`. Either they begin so many `talks_a_day` each,
    at any time within `hours` (UTC), or one `every_s` without a pause; with `at_once` it is so many of the
    same call at the same moment. With `batch` they come by themselves from the first hour on, so many at a
    time. `growth` are factors over the span, on a line through them. With `weekend_h` they are there
    for so many hours from a Friday evening on. `is_named` says that the app tells the gateway who they are,
    `does_damage` that they are what goes wrong.
    """

    name: str
    talk: Talk
    heads: int = 0
    share: float = 0.0
    talks_a_day: float = 0.0
    every_s: float = 0.0
    hours: tuple[int, int] = (7, 23)
    at_once: int = 1
    batch: int = 0
    growth: tuple[float, ...] = (1.0,)
    weekend_h: float = 0.0
    is_named: bool = True
    does_damage: bool = False


class Profile(Struct, frozen=True, kw_only=True):
    """Some traffic: how it is called, what it is in one line, who makes it, and what to know of it."""

    name: str
    title: str
    crowds: tuple[Crowd, ...]
    notes: tuple[str, ...] = ()


CHAT = Talk(
    model="gpt-4.1-mini", instructions=250, question=35, answer=160, turns=(1, 6), repeats=0.15, cap=600
)
PEOPLE = Crowd(name="user", talk=CHAT, share=1.0, talks_a_day=0.18)
FEW_PEOPLE = Crowd(name="user", talk=CHAT, share=0.2, talks_a_day=0.18)

CHATBOT = Profile(
    name="chatbot",
    title="a chat app: some talk a lot, most look in now and then",
    crowds=(PEOPLE,),
)
RAG = Profile(
    name="rag",
    title="questions to documents: four passages and one question, a quarter of them asked before",
    crowds=(
        Crowd(
            name="user",
            talk=Talk(
                model="gpt-4.1", instructions=150, question=25, answer=220, turns=(1, 2), passages=4,
                repeats=0.25, cap=800,
            ),
            share=1.0, talks_a_day=0.35, hours=(8, 19),
        ),
    ),
)  # fmt: skip
BATCH = Profile(
    name="batch",
    title="a nightly job without users: a document for each of --users, eight at a time, some as yesterday",
    crowds=(
        Crowd(
            name="document",
            talk=Talk(
                model="gpt-4.1-mini", instructions=300, question=350, answer=120, repeats=0.1, cap=300,
                stream=False,
            ),
            share=1.0, talks_a_day=1.0, hours=(2, 4), batch=8, is_named=False,
        ),
    ),
)  # fmt: skip
VIRAL_SPIKE = Profile(
    name="viral-spike",
    title="a chat app that is shared widely: forty times the users within two days, and most leave again",
    crowds=(
        Crowd(
            name="user", talk=CHAT, share=1.0, talks_a_day=0.4,
            growth=(0.025, 0.025, 0.03, 0.03, 0.03, 1.0, 0.7, 0.4, 0.25, 0.2, 0.15, 0.12, 0.1, 0.1),
        ),
    ),
    notes=("The conversations a day are those of the best day.",),
)  # fmt: skip
BUTTON_MASHER = Profile(
    name="button-masher",
    title="a chat app, and a few users who press the button nine times when nothing happens at once",
    crowds=(
        PEOPLE,
        Crowd(name="masher", talk=CHAT, heads=12, talks_a_day=2.0, at_once=9, does_damage=True),
    ),
)
LOOP_BUG = Profile(
    name="loop-bug",
    title="a job that fails and is tried again without end, from Friday evening to Monday morning",
    crowds=(
        FEW_PEOPLE,
        Crowd(
            name="worker",
            talk=Talk(
                model="gpt-5.5-pro", instructions=5_500, question=400, answer=1_900, stream=False,
                is_stuck=True, first_s=3.0, tokens_s=45.0,
            ),
            heads=20, every_s=50.0, weekend_h=WEEKEND_H, is_named=False, does_damage=True,
        ),
    ),
    notes=(
        "Every try sends the job's whole history and asks a model with hidden reasoning.",
        "The program says no max_tokens and names no end user, as such programs do.",
    ),
)  # fmt: skip
SLOW_DRAIN = Profile(
    name="slow-drain",
    title="a chat app, and six accounts that stay below every rate limit, day and night",
    crowds=(
        PEOPLE,
        Crowd(
            name="drain",
            talk=Talk(model="gpt-4.1", instructions=250, question=60, answer=2_500),
            heads=6, every_s=240.0, does_damage=True,
        ),
    ),
    notes=("They use the app as a free model: long answers to questions of their own.",),
)  # fmt: skip
KEY_LEAK = Profile(
    name="key-leak",
    title="a chat app whose key is stolen, and resold from Friday evening to Monday morning",
    crowds=(
        FEW_PEOPLE,
        Crowd(
            name="thief",
            talk=Talk(
                model="gpt-5.5-pro", instructions=5_900, question=60, answer=3_350, stream=True, first_s=3.0,
                tokens_s=58.0,
            ),
            heads=16, every_s=60.0, weekend_h=WEEKEND_H, is_named=False, does_damage=True,
        ),
    ),
    notes=(
        "A stolen provider key is used around every gateway, also this one: set the provider's own limit.",
        "What leaks from an app behind Seawall is a virtual key, and it costs at most its budget.",
        "Here it has no budget of its own, so it spends that of everybody (seawall keys create --daily-usd).",
    ),
)  # fmt: skip
PROFILES = {
    profile.name: profile
    for profile in (CHATBOT, RAG, BATCH, VIRAL_SPIKE, BUTTON_MASHER, LOOP_BUG, SLOW_DRAIN, KEY_LEAK)
}
"""What `--profile` can name."""
