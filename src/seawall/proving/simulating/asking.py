"""Writes the calls of a crowd: the body that an app would send, and what a provider would bill for it."""

import random
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from seawall.proving.simulating.profiles import Crowd
from seawall.proving.simulating.traffic import Planned
from seawall.proving.simulating.words import Row, count_words

COMMON_QUESTIONS = 40
LIBRARY = 200
FACTORS = (0.3, 0.6, 0.8, 1.0, 1.3, 2.0)
"""How far a size lies from its mean."""
FRAMING, PER_MESSAGE = 3, 4
"""Tokens that OpenAI bills beside texts: for a request, and for each message (its cookbook, read 2025)."""
COMPLAINT = "that could not be read try again"


class Asked(Struct, frozen=True):
    """One call as it is sent, and the tokens that a provider bills where nothing is in its way."""

    body: bytes
    user: str
    input: int
    output: int


class Message(Struct, frozen=True):
    """One message of a conversation."""

    role: str
    content: str


class Chat(Struct, frozen=True, omit_defaults=True):
    """The body of a call, in the dialect of chat completions."""

    model: str
    messages: list[Message]
    stream: bool = False
    user: str | None = None
    max_completion_tokens: int | None = None


class Writer:
    """Writes the calls of one crowd; `model` is asked in the place of its own, where it is stated."""

    def __init__(self, crowd: Crowd, seed: int, model: str | None) -> None:
        self._crowd, self._model = crowd, model or crowd.talk.model
        name = f"{seed} {crowd.name}"
        self._questions, self._said = Row(f"{name} asks"), Row(f"{name} is told")
        self._papers = Row(f"{name} reads")
        self._instructions = self._papers.text(0, crowd.talk.instructions)
        self._chance = random.Random(name)  # noqa: S311 - no secret: a seed gives the same again
        self._first: dict[int, int] = {}

    @property
    def model(self) -> str:
        """Return the model that is asked."""
        return self._model

    def write(self, call: Planned) -> Asked:
        """Write one call of a conversation, with all that was said before."""
        talk = self._crowd.talk
        messages, wanted = self._stuck(call) if talk.is_stuck else self._talk(call)
        user = user_of(self._crowd, call.head)
        chat = Chat(
            model=self._model,
            messages=messages,
            stream=talk.stream,
            user=user if self._crowd.is_named else None,
            max_completion_tokens=talk.cap,
        )
        return Asked(
            body=msgspec.json.encode(chat),
            user=user,
            input=billed_input(messages),
            output=wanted if talk.cap is None else min(wanted, talk.cap),
        )

    def _talk(self, call: Planned) -> tuple[list[Message], int]:
        talk, first = self._crowd.talk, self._question_of(call)
        instructions = self._instructions
        if talk.passages:
            read = [
                self._papers.text((first * 7 + number * 31) % LIBRARY * talk.passage, talk.passage)
                for number in range(talk.passages)
            ]
            instructions = " ".join([instructions, *read])
        messages, wanted = [Message("system", instructions)], 0
        for turn in range(call.turn + 1):
            place = first if turn == 0 else call.talk * 8_191 + turn * 521
            if turn:
                messages.append(Message("assistant", self._said.text(place, wanted)))
            wanted = _size(talk.answer, place // 7)
            asked = self._questions.text(place * 13, _size(talk.question, place) - 3)
            messages.append(Message("user", f"{asked} in {wanted} words"))
        return messages, wanted

    def _stuck(self, call: Planned) -> tuple[list[Message], int]:
        """Write what a program sends that repeats itself: all but the time is as it was."""
        talk = self._crowd.talk
        clock = f"{datetime.fromtimestamp(call.at, UTC):%Y-%m-%d %H:%M:%S}"
        return [
            Message("system", f"{self._instructions} {clock}"),
            Message("user", self._questions.text(0, talk.question)),
            Message("assistant", self._said.text(0, 60)),
            Message("user", f"{COMPLAINT} in {talk.answer} words"),
        ], talk.answer

    def _question_of(self, call: Planned) -> int:
        """Return which question a conversation begins with: a common one, or one of its own."""
        found = self._first.get(call.talk)
        if found is None:
            is_common = self._chance.random() < self._crowd.talk.repeats
            drawn = int(COMMON_QUESTIONS * self._chance.random() ** 2)
            found = self._first[call.talk] = drawn if is_common else call.talk * 4_099 + COMMON_QUESTIONS
        return found


def user_of(crowd: Crowd, head: int) -> str:
    """Name one caller of a crowd."""
    return f"{crowd.name}-{head + 1}"


def billed_input(messages: list[Message]) -> int:
    """Return the tokens of input that are billed."""
    texts = sum([count_words(message.content) for message in messages])
    return FRAMING + PER_MESSAGE * len(messages) + texts


def _size(mean: int, place: int) -> int:
    return max(4, int(mean * FACTORS[place % len(FACTORS)]))
