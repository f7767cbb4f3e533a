"""Requests of the Responses API: read strictly, counted, checked, and written for a vendor."""

import json
from pathlib import Path
from typing import Any

import pytest

from seawall.core.call import OutputCap, Request, Text
from seawall.core.errors import (
    InvalidRequest,
    NotYetSupported,
    SeawallError,
    StateNotFound,
    UnpricedField,
    Untranslatable,
)
from seawall.core.state import StoredItem
from seawall.wire.responses.fields import check_fields
from seawall.wire.responses.request import read_request, write_request

RECORDED = Path(__file__).parent / "recorded" / "responses"


def read(**fields: Any) -> Request:
    body = {"model": "gpt-test", "input": "Hello", **fields}
    return read_request(body, raw_bytes=10, messages_max=4)


def written(request: Request, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(write_request(request, model="gpt-real", output_cap=77, **fields))
    return body


def test_a_plain_request_is_read() -> None:
    request = read(instructions="Be brief.", max_output_tokens=100, stream=True, safety_identifier="ada")
    assert request.dialect == "responses"
    assert request.texts == (Text("instructions", "system", "Be brief."), Text("input", "user", "Hello"))
    assert request.cap == OutputCap("max_output_tokens", 100)
    assert (request.model, request.stream, request.end_user) == ("gpt-test", True, "ada")
    assert request.raw_bytes == len(json.dumps(request.body, separators=(",", ":")))


def test_every_item_is_counted() -> None:
    items = [
        {"role": "developer", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look"}]},
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "f",
            "arguments": '{"a":1}',
            "status": "completed",
        },
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "done"}]},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "raw"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "content": [{"type": "reasoning_text", "text": "hmm"}],
            "encrypted_content": "enc",
        },
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "x"}, {"type": "refusal", "refusal": "no"}],
        },
    ]
    request = read_request({"model": "m", "input": items}, raw_bytes=1, messages_max=100)
    assert [(text.path, text.origin, text.content) for text in request.texts] == [
        ("input[0].content", "system", "Be kind."),
        ("input[1].content[0].text", "user", "Look"),
        ("input[2].call_id", "assistant", "c1"),
        ("input[2].name", "assistant", "f"),
        ("input[2].arguments", "assistant", '{"a":1}'),
        ("input[3].output[0].text", "tool", "done"),
        ("input[3].call_id", "tool", "c1"),
        ("input[4].call_id", "assistant", "c2"),
        ("input[4].name", "assistant", "g"),
        ("input[4].input", "assistant", "raw"),
        ("input[5].output", "tool", "ok"),
        ("input[5].call_id", "tool", "c2"),
        ("input[6].summary[0].text", "assistant", "hm"),
        ("input[6].content[0].text", "assistant", "hmm"),
        ("input[6].encrypted_content", "assistant", "enc"),
        ("input[7].content[0].text", "assistant", "x"),
        ("input[7].content[1].refusal", "assistant", "no"),
    ]


def test_what_is_not_text_is_counted_apart() -> None:
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]
    request = read(input=[{"role": "user", "content": parts}])
    counts = (request.images, request.image_bytes, request.files, request.audio_bytes)
    assert counts == (1, len("data:image/png;base64,AAAA"), 2, 4)
    assert request.texts == (Text("input[0].content", "user", ""),)  # The message is framed all the same.


def test_tools_and_the_shape_of_the_answer_are_schemas() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {}}]
    shape = {"type": "json_schema", "name": "s", "schema": {"type": "object"}}
    assert read(tools=tools, text={"format": shape}).schemas == (tools, shape)
    assert read(tools=[], text={"format": {"type": "text"}}).schemas == ()


def test_a_cache_of_hours_is_noted() -> None:
    assert read(prompt_cache_options={"ttl": "12h"}).has_long_cache
    assert not read(prompt_cache_options={"ttl": "30m"}).has_long_cache


def test_the_documentations_image_example_is_read() -> None:
    body = json.loads((RECORDED / "image_request.json").read_bytes())
    request = read_request(body, raw_bytes=1, messages_max=4)
    assert [text.content for text in request.texts] == ["what is in this image?"]
    assert request.images == 1


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": {"role": "user"}}, "input"),
        ({"input": [{"role": "user", "content": "x"}] * 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "message", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {"url": "x"}}]}]},
            "input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "input[0].content[0].input_audio.data",
        ),
        ({"input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "input[0].name"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [{"type": "reasoning", "summary": "x"}]}, "input[0].summary"),
        ({"input": [{"type": "reasoning", "summary": [{"text": 5}]}]}, "input[0].summary[0].text"),
        ({"input": [{"type": "item_reference"}]}, "input[0].id"),
        ({"instructions": ["x"]}, "instructions"),
        ({"stream": "yes"}, "stream"),
        ({"store": "no"}, "store"),
        ({"stream_options": []}, "stream_options"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"previous_response_id": 5}, "previous_response_id"),
        ({"user": 5}, "user"),
        ({"tools": {}}, "tools"),
        ({"text": "json"}, "text"),
        ({"text": {"format": "json"}}, "text.format"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert (type(caught.value), caught.value.param) == (InvalidRequest, param)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "web_search_call", "id": "ws_1"}, "input[0].type"),
        ({"type": ["message"]}, "input[0].type"),
        ({"role": "user", "content": [{"type": "computer_screenshot"}]}, "input[0].content[0].type"),
        ({"role": "user", "content": [{"type": ["input_text"]}]}, "input[0].content[0].type"),
    ],
)
def test_what_cannot_be_counted_is_refused(item: dict[str, Any], param: str) -> None:
    with pytest.raises(UnpricedField) as caught:
        read(input=[item])
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "kind", "param"),
    [
        ({"conversation": "conv_1"}, NotYetSupported, "conversation"),
        ({"truncation": "auto"}, NotYetSupported, "truncation"),
        ({"prompt": {"id": "pmpt_1"}}, UnpricedField, "prompt"),
        ({"context_management": [{"type": "compaction"}]}, UnpricedField, "context_management"),
        ({"service_tier": "priority"}, UnpricedField, "service_tier"),
        ({"reasoning": {"mode": "pro"}}, UnpricedField, "reasoning.mode"),
        (
            {"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]},
            UnpricedField,
            "tools[1].type",
        ),
        ({"tools": [{"name": "f"}]}, UnpricedField, "tools[0].type"),
        ({"include": "x"}, InvalidRequest, "include"),
        ({"include": ["file_search_call.results"]}, UnpricedField, "include[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]}]},
            UnpricedField,
            "input[0].content[0].file_id",
        ),
        (
            {
                "input": [
                    {
                        "type": "function_call_output",
                        "call_id": "c",
                        "output": [{"type": "input_image", "file_id": "file_1"}],
                    }
                ]
            },
            UnpricedField,
            "input[0].output[0].file_id",
        ),
        (
            {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "seawall.anthropic.t.:x"}]},
            Untranslatable,
            "input[0].encrypted_content",
        ),
    ],
)
def test_fields_beyond_any_bound_are_refused(
    fields: dict[str, Any], kind: type[SeawallError], param: str
) -> None:
    with pytest.raises(kind) as caught:
        check_fields(read(**fields).body)
    assert caught.value.param == param


def test_ordinary_fields_pass_the_check() -> None:
    check_fields(
        read(
            background=False,
            truncation="disabled",
            service_tier="flex",
            include=["reasoning.encrypted_content", "message.output_text.logprobs"],
            max_tool_calls=3,
            tools=[{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}],
            reasoning={"effort": "low", "mode": "standard"},
            input=[{"type": "reasoning", "summary": [], "encrypted_content": "gAAA:x"}],
        ).body
    )


def test_background_is_read_for_the_gateway_and_never_sent_to_a_vendor() -> None:
    request = read(background=True)
    check_fields(request.body)
    assert (request.is_background, "background" in written(request)) == (True, False)


def test_the_vendor_gets_the_body_as_it_came_but_keeps_nothing() -> None:
    request = read(store=True, temperature=0.5, metadata={"a": "b"}, future_field=[1])
    assert written(request) == {
        "model": "gpt-real",
        "input": "Hello",
        "store": False,
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "future_field": [1],
        "max_output_tokens": 77,
    }


def test_encrypted_reasoning_is_asked_for_where_the_answer_is_kept_and_the_model_reasons() -> None:
    assert written(read(), reasons=True)["include"] == ["reasoning.encrypted_content"]
    assert written(read(include=["reasoning.encrypted_content"]), reasons=True)["include"] == [
        "reasoning.encrypted_content"
    ]
    assert "include" not in written(read(store=False), reasons=True)
    assert "include" not in written(read(), reasons=False)
    chat = write_request(read(), model="gpt-5-chat-latest", output_cap=1, reasons=True)
    assert b"include" not in chat


def test_pins_are_set_where_the_client_left_the_choice_open() -> None:
    pins = (("service_tier", "default"),)
    assert written(read(service_tier="auto"), pins=pins)["service_tier"] == "default"
    assert written(read(service_tier="flex"), pins=pins)["service_tier"] == "flex"


def test_openais_own_reasoning_goes_back_under_its_own_id() -> None:
    sealed = {
        "type": "reasoning",
        "id": "rs_ours",
        "summary": [],
        "encrypted_content": "seawall.openai.t.rs_theirs:ENC",
    }
    assert written(read(input=[sealed]))["input"] == [
        {"type": "reasoning", "id": "rs_theirs", "summary": [], "encrypted_content": "ENC"}
    ]


def test_the_items_of_a_kept_request_have_ids() -> None:
    state = read(
        input=[
            {"role": "user", "content": "x"},
            {"type": "function_call_output", "id": "fco_given", "call_id": "c", "output": "y"},
            {"type": "reasoning", "id": "x" * 65, "summary": [], "encrypted_content": "enc"},
        ]
    ).state
    assert state is not None and state.is_kept
    first, second, third = state.items
    assert first.body == b'{"role":"user","content":"x"}'
    assert first.id.startswith("msg_") and len(first.id) <= 64
    assert second.id == "fco_given"
    assert third.id.startswith("rs_") and len(third.id) <= 64


def test_a_text_is_stored_as_the_message_of_a_user() -> None:
    state = read().state
    assert state is not None
    assert [item.body for item in state.items] == [b'{"type":"message","role":"user","content":"Hello"}']


def test_nothing_is_kept_where_the_client_says_so() -> None:
    state = read(store=False).state
    assert state is not None and not state.is_kept
    assert state.items == ()


def test_a_conversation_goes_on_from_what_is_stored() -> None:
    request = read(
        previous_response_id="resp_1",
        instructions="New ones.",
        input=[{"type": "item_reference", "id": "msg_9"}, {"role": "user", "content": "And?"}],
    )
    assert request.state is not None
    assert (request.state.previous_id, request.state.references) == ("resp_1", ("msg_9",))
    before = (
        StoredItem("msg_1", b'{"role":"user","content":"Hi"}'),
        StoredItem("rs_1", b'{"type":"reasoning","id":"rs_1","summary":[]}'),
        StoredItem(
            "rs_2", b'{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"e","status":null}'
        ),
    )
    named = StoredItem("msg_9", b'{"role":"user","content":"Old"}')
    resumed = request.state.resume(before, {"msg_9": named})
    assert resumed.body == {
        "model": "gpt-test",
        "instructions": "New ones.",
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "e"},
            {"role": "user", "content": "Old"},
            {"role": "user", "content": "And?"},
        ],
    }
    assert resumed.raw_bytes == len(json.dumps(resumed.body, separators=(",", ":")))
    assert [text.content for text in resumed.texts] == ["New ones.", "Hi", "e", "Old", "And?"]
    assert resumed.state is not None
    assert (resumed.state.previous_id, resumed.state.references) == ("resp_1", ())
    assert resumed.state.items[0] == named
    assert [item.body for item in resumed.state.items[1:]] == [b'{"role":"user","content":"And?"}']


def test_a_conversation_may_go_on_without_new_input() -> None:
    request = read(previous_response_id="resp_1", input=None)
    assert request.state is not None
    resumed = request.state.resume((StoredItem("msg_1", b'{"role":"user","content":"Hi"}'),), {})
    assert resumed.body["input"] == [{"role": "user", "content": "Hi"}]


def test_a_missing_reference_is_named() -> None:
    request = read(input=[{"role": "user", "content": "x"}, {"id": "msg_9"}])
    assert request.state is not None
    with pytest.raises(StateNotFound, match="msg_9") as caught:
        request.state.resume((), {})
    assert caught.value.param == "input[1].id"


def test_reasoning_that_came_back_with_its_id_alone_is_looked_up() -> None:
    bare = {"type": "reasoning", "id": "rs_1", "summary": []}
    request = read(input=[bare, {"role": "user", "content": "x"}])
    assert request.state is not None
    assert request.state.references == ("rs_1",)
    stored = StoredItem("rs_1", b'{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"e"}')
    assert request.state.resume((), {"rs_1": stored}).body["input"][0]["encrypted_content"] == "e"
    assert request.state.resume((), {}).body["input"][0] == bare


def test_a_conversation_that_has_grown_too_long_is_refused() -> None:
    request = read(previous_response_id="resp_1")
    assert request.state is not None
    with pytest.raises(InvalidRequest, match="more than 4 items"):
        request.state.resume((StoredItem("msg_1", b'{"role":"user","content":"Hi"}'),) * 4, {})
