"""The standard test suite of LangChain for `ChatAnthropic`, before providers of either dialect."""

import functools
import operator
from typing import Any, cast

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from seawall.proving.mock_behaviour import Behaviour, ToolCall
from tests.fixtures.anthropic_clients import anthropic_url
from tests.fixtures.clients import Key, RunningGateway, Vendor

MAGIC = Behaviour(tools=(ToolCall("magic_function", '{"input": 3}'),))
SAID = {
    "test_tool_calling": MAGIC,
    "test_tool_calling_async": MAGIC,
}
"""What the fake provider says in the tests that look for more than the shape of an answer."""

DOWNLOADS = "the suite downloads its example from the internet"
NO_RECORDINGS = "the suite times recorded answers without a server"
NO_JSON_MODE = "Anthropic's API has no JSON without a schema"


class AnthropicSuite(ChatModelIntegrationTests):
    """What both suites share; pytest collects only the classes below."""

    @pytest.fixture(autouse=True)
    def point_at_gateway(self, gateway: RunningGateway, key: Key) -> None:
        """Note what every model of a test is made with.

        LangChain keeps one HTTP client for all tests, and each test has an event loop of its own: no connection
        may outlive its answer.
        """
        self._connection = {
            "anthropic_api_url": anthropic_url(gateway),
            "api_key": key.secret,
            "max_retries": 0,
            "default_headers": {"connection": "close"},
        }

    @pytest.fixture(autouse=True)
    def prepare_answers(self, request: pytest.FixtureRequest, vendor: Vendor) -> None:
        """Say what a model would have worked out from the words of the question."""
        self._vendor = vendor
        said = SAID.get(request.node.originalname)
        if said:
            vendor.answers_next(*[said] * 4)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatAnthropic

    @property
    def supported_usage_metadata_details(self) -> Any:
        return {"invoke": ["cache_read_input"], "stream": ["cache_read_input"]}

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        self._vendor.answers_next(Behaviour(answer_tokens=9, cached_tokens=5))
        model: Any = self.chat_model_class(**self.chat_model_params)
        if not stream:
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

    @pytest.mark.xfail(reason=NO_JSON_MODE, run=False)
    def test_json_mode(self, model: BaseChatModel) -> None: ...

    @pytest.mark.xfail(reason=NO_RECORDINGS, run=False)
    def test_stream_time(self) -> None: ...  # type: ignore[override] # it never runs


class TestMessages(AnthropicSuite):
    """A provider that speaks Anthropic's own API."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-claude", **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-claude-s9"

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


class TestTranslated(AnthropicSuite):
    """A provider that speaks chat completions."""

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": "fake-gpt", **self._connection}

    @property
    def model_override_value(self) -> str:
        return "fake-gpt-s9"

    @pytest.mark.xfail(reason="thinking that Anthropic signed means nothing to another vendor", run=False)
    def test_anthropic_inputs(self, model: BaseChatModel) -> None: ...
