"""The standard test suite of LangChain for `ChatOpenAI`: both of OpenAI's text APIs, providers of each dialect."""

import functools
import operator
import ssl
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from openai import BadRequestError, DefaultAsyncHttpxClient, DefaultHttpxClient

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from tests.fixtures.clients import Key, RunningGateway, Vendor

MAGIC = Behaviour(tools=(ToolCall("magic_function", '{"input": 3}'),))
SAID = {
    "test_tool_calling": MAGIC,
    "test_tool_calling_async": MAGIC,
    "test_json_mode": Behaviour(text='{"setup": "Why?", "punchline": "Because."}'),
}
"""What the fake provider says in the tests that look for more than the shape of an answer."""

DOWNLOADS = "the suite downloads its example from the internet"
NO_JSON_MODE = "Anthropic's API has no JSON without a schema, and the refusal says so"
NO_NAMES = "Anthropic's API has no names for participants, and the refusal says so"
NO_RECORDINGS = "the suite times recorded answers without a server"


@pytest.mark.filterwarnings(
    "ignore:Pydantic serializer warnings:UserWarning",  # of a parsed answer that LangChain writes out again
    "ignore:Received a Pydantic BaseModel V1 schema:UserWarning",  # which is what one test does
)
class OpenAISuite(ChatModelIntegrationTests):
    """What both suites share; pytest collects only the classes below."""

    @pytest.fixture(autouse=True)
    async def point_at_gateway(
        self, gateway: RunningGateway, key: Key, trusted: ssl.SSLContext
    ) -> AsyncIterator[None]:
        """Note what every model of a test is made with."""
        with DefaultHttpxClient(trust_env=False, verify=trusted) as http_client:
            async with DefaultAsyncHttpxClient(trust_env=False, verify=trusted) as http_async_client:
                self._connection = {
                    "base_url": gateway.base_url,
                    "api_key": key.secret,
                    "max_retries": 0,
                    "http_client": http_client,
                    "http_async_client": http_async_client,
                }
                yield

    @pytest.fixture(autouse=True)
    def prepare_answers(self, request: pytest.FixtureRequest, vendor: Vendor) -> None:
        """Say what a model would have worked out from the words of the question."""
        self._vendor = vendor
        said = SAID.get(request.node.originalname)
        if said:
            vendor.answers_next(*[said] * 4)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> Any:
        details = ["reasoning_output", "cache_read_input"]
        return {"invoke": details, "stream": details}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._ask(Behaviour(answer_tokens=9, thinking_tokens=5), is_stream=stream)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        return self._ask(Behaviour(answer_tokens=9, cached_tokens=5), is_stream=stream)

    def _ask(self, behaviour: Behaviour, *, is_stream: bool) -> AIMessage:
        """Return an answer that was made, and billed, in this way."""
        self._vendor.answers_next(behaviour)
        model: Any = self.chat_model_class(**self.chat_model_params)
        if not is_stream:
            return cast("AIMessage", model.invoke("Hello"))
        return cast("AIMessage", functools.reduce(operator.add, model.stream("Hello")))

    @pytest.mark.xfail(reason=DOWNLOADS, run=False)
    def test_image_inputs(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=DOWNLOADS, run=False)
    def test_image_tool_message(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=DOWNLOADS, run=False)
    def test_pdf_inputs(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=DOWNLOADS, run=False)
    def test_pdf_tool_message(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=DOWNLOADS, run=False)
    def test_audio_inputs(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=NO_RECORDINGS, run=False)
    def test_stream_time(self) -> None: ...  # type: ignore[override] # it never runs


class TestChat(OpenAISuite):
    """Chat completions, on a provider that speaks them."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-gpt", "stream_usage": True, **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-gpt-s9"


class TestResponses(OpenAISuite):
    """Responses, on a provider that speaks them."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-resp", "use_responses_api": True, **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-resp-s9"


class TestChatOnAnthropic(OpenAISuite):
    """Chat completions, on a provider that speaks Anthropic's messages."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-claude", "stream_usage": True, **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-claude-s9"

    @pytest.mark.xfail(reason=NO_JSON_MODE, raises=BadRequestError)
    def test_json_mode(self, model: BaseChatModel) -> None:
        super().test_json_mode(model)

    @pytest.mark.xfail(reason=NO_NAMES, raises=BadRequestError)
    def test_message_with_name(self, model: BaseChatModel) -> None:
        super().test_message_with_name(model)


class TestResponsesOnChat(OpenAISuite):
    """Responses, on a provider that speaks chat completions."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-gpt", "use_responses_api": True, **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-gpt-s9"


class TestResponsesOnAnthropic(OpenAISuite):
    """Responses, on a provider that speaks Anthropic's messages."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-claude", "use_responses_api": True, **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-claude-s9"

    @pytest.mark.xfail(reason=NO_JSON_MODE, raises=BadRequestError)
    def test_json_mode(self, model: BaseChatModel) -> None:
        super().test_json_mode(model)
