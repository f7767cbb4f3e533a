"""The `llm` command line: prompts, schemas, tools, conversations and embeddings, by base URL and key alone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seawall.proving.mock_behaviour import Behaviour
from tests.fixtures.clients import PATIENCE_S, Key, RunningGateway, Vendor

ASK = "Which sea is calm?"
NINE = Behaviour(answer_tokens=9)
TEXT = "Which sea is calm? ship sand salt deep"
"""What the fake provider says with nine tokens."""

MODELS = """
- model_id: calm
  model_name: fake-gpt
  api_base: {base_url}
  api_key_name: seawall
  supports_schema: true
  supports_tools: true
- model_id: calm-responses
  model_name: fake-resp
  api_base: {base_url}
  api_key_name: seawall
  responses: true
  supports_schema: true
  supports_tools: true
- model_id: calm-claude
  model_name: fake-claude
  api_base: {base_url}
  api_key_name: seawall
  supports_schema: true
  supports_tools: true
"""
"""`extra-openai-models.yaml`, where the tool keeps models of addresses that it does not know."""

EVERY_MODEL = pytest.mark.parametrize("model", ["calm", "calm-responses", "calm-claude"])

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def llm(tmp_path: Path, gateway: RunningGateway, key: Key) -> Run:
    """Return what runs the tool, in a folder of its own that holds models and key."""
    (tmp_path / "extra-openai-models.yaml").write_text(MODELS.format(base_url=gateway.base_url))
    (tmp_path / "keys.json").write_text(json.dumps({"seawall": key.secret}))
    environ = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "LLM_USER_PATH": str(tmp_path),
        "OPENAI_BASE_URL": gateway.base_url,
        "OPENAI_API_KEY": key.secret,
    }
    command = str(Path(sys.executable).with_name("llm"))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [command, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run


@EVERY_MODEL
@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_prompt(llm: Run, vendor: Vendor, model: str, options: tuple[str, ...]) -> None:
    vendor.answers_next(NINE)
    done = llm("-m", model, *options, ASK)
    assert (done.stdout, done.stderr) == (f"{TEXT}\n", "")


@EVERY_MODEL
def test_schema(llm: Run, model: str) -> None:
    done = llm("-m", model, "--schema", "port, height int", ASK)
    assert json.loads(done.stdout) == {"port": ASK, "height": 7}


@EVERY_MODEL
def test_tool(llm: Run, vendor: Vendor, model: str) -> None:
    vendor.answers_next(NINE, NINE)
    function = "def get_tide(port: str) -> str:\n    return '2.5 m in ' + port\n"
    done = llm("-m", model, "--functions", function, "--td", ASK)
    assert done.stdout == f"{TEXT}\n"
    assert f"2.5 m in {ASK}" in done.stderr
    assert f"2.5 m in {ASK}" in vendor.requests[1].raw.decode()


@EVERY_MODEL
def test_conversation_goes_on(llm: Run, vendor: Vendor, model: str) -> None:
    vendor.answers_next(Behaviour(text="Fog."), Behaviour(text="Rain."))
    llm("-m", model, ASK)
    done = llm("-c", "And then?")
    sent = vendor.requests[1].raw.decode()
    assert done.stdout == "Rain.\n"
    assert [word for word in (ASK, "Fog.", "And then?") if word not in sent] == []


def test_error_is_told(llm: Run, key: Key) -> None:
    done = llm("-m", "calm", "--key", "sw-stranger", ASK)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Error code: 401")
    assert key.secret not in done.stderr


def test_models_are_listed(llm: Run) -> None:
    assert "OpenAI Chat: calm\n" in llm("models").stdout


def test_models_of_the_gateway_are_listed(llm: Run, gateway: RunningGateway, key: Key) -> None:
    done = llm("openai", "endpoint", gateway.base_url, "--models", "--key", key.secret)
    assert {"demo", "fake-gpt"} <= set(done.stdout.split())


def test_embedding(llm: Run) -> None:
    done = llm("embed", "-m", "3-small", "-c", ASK)
    vector = json.loads(done.stdout)
    assert len(vector) > 0 and all(isinstance(number, float) for number in vector)
