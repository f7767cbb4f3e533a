"""The dialects of the mock provider: what each path reads from a request and answers it with; no I/O."""

from collections.abc import Mapping
from typing import Protocol

from seawall.proving.mock_answers import Ask, Count, Plan, Terms, plan_answer
from seawall.proving.mock_behaviour import Behaviour
from seawall.proving.mock_chat import ChatWriter, read_chat
from seawall.proving.mock_connection import Seen
from seawall.proving.mock_embeddings import EmbeddingsWriter, read_embeddings
from seawall.proving.mock_frames import OPENAI_HEADERS, Refused, Writer, error_body
from seawall.proving.mock_messages import ANTHROPIC_HEADERS, CountWriter, MessagesWriter, anthropic_error
from seawall.proving.mock_messages_input import check_headers, read_messages
from seawall.proving.mock_responses import ResponsesWriter
from seawall.proving.mock_responses_input import Shelf, read_responses


class Dialect(Protocol):
    """One path of the mock."""

    headers: str
    """The vendor's own headers, each with its line end."""
    streams: bool

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request whose behaviour is known, and work its answer out.

        Raises `Refused`, or any lookup error, where the request is not what the dialect allows.
        """
        ...

    def error(self, status: int, refused: Refused | None) -> bytes:
        """Return the body of an error."""
        ...


def speak_all(terms: Terms, count: Count) -> Mapping[str, Dialect]:
    """Return the dialects by their paths."""
    return {
        "/v1/chat/completions": Chat(terms, count),
        "/v1/messages": Messages(terms, count),
        "/v1/messages/count_tokens": TokenCount(terms, count),
        "/v1/responses": Responses(terms, count),
        "/v1/embeddings": Embeddings(terms, count),
    }


class _OpenAI:
    """What OpenAI's paths share."""

    headers = OPENAI_HEADERS
    streams = True

    def __init__(self, terms: Terms, count: Count) -> None:
        self._terms, self._count = terms, count

    def error(self, status: int, refused: Refused | None) -> bytes:
        """Return the body of an error."""
        return error_body(status, refused)


class Chat(_OpenAI):
    """Chat completions; takes any request that it can read, with any key or none."""

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request and work its answer out."""
        ask = read_chat(seen.number, seen.body, self._terms, self._count)
        plan = plan_answer(ask, seen.behaviour, self._count)
        return plan, ChatWriter(plan, seen.behaviour, seen.body)


class Responses(_OpenAI):
    """Responses; keeps what it answered unless `store` is false, for the next `previous_response_id`."""

    def __init__(self, terms: Terms, count: Count) -> None:
        super().__init__(terms, count)
        self._shelf = Shelf()

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request and work its answer out."""
        _check_bearer(seen)
        seen.is_kept = seen.body.get("store") is not False
        ask = read_responses(seen.number, seen.body, self._shelf, self._terms, self._count)
        plan = plan_answer(ask, seen.behaviour, self._count)
        return plan, ResponsesWriter(plan, seen.behaviour, seen.body, self._shelf)


class Embeddings(_OpenAI):
    """Embeddings; output costs nothing."""

    streams = False

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request and work its answer out."""
        _check_bearer(seen)
        asked = read_embeddings(seen.body, self._count)
        plan = _silent(asked.model, sum(asked.tokens), self._count)
        return plan, EmbeddingsWriter(asked)


class _Anthropic:
    """What Anthropic's paths share."""

    headers = ANTHROPIC_HEADERS
    streams = True

    def __init__(self, terms: Terms, count: Count) -> None:
        self._terms, self._count = terms, count

    def error(self, status: int, refused: Refused | None) -> bytes:
        """Return the body of an error."""
        return anthropic_error(status, refused.message if refused else None)


class Messages(_Anthropic):
    """Messages."""

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request and work its answer out."""
        check_headers(seen.headers)
        ask = read_messages(seen.number, seen.body, self._terms, self._count)
        plan = plan_answer(ask, seen.behaviour, self._count)
        return plan, MessagesWriter(plan, seen.behaviour)


class TokenCount(_Anthropic):
    """Counting the tokens of a message, which is free."""

    streams = False

    def prepare(self, seen: Seen) -> tuple[Plan, Writer]:
        """Read a request and count its tokens."""
        check_headers(seen.headers)
        ask = read_messages(seen.number, seen.body, self._terms, self._count, is_count=True)
        return _silent(ask.model, 0, self._count), CountWriter(ask.input_tokens)


def _silent(model: str, input_tokens: int, count: Count) -> Plan:
    """Return a plan without any output."""
    return plan_answer(Ask("", model, "", input_tokens, cap=0), Behaviour(text=""), count)


def _check_bearer(seen: Seen) -> None:
    """Refuse a request without a key."""
    if not seen.headers.get("authorization", "").startswith("Bearer "):
        raise Refused(
            "You didn't provide an API key. You need to provide your API key in an Authorization header "
            "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            status=401,
        )
