"""A request for each row of the tables in docs/compatibility.md, by the row's first cell.

Every sample is what is put into the smallest request of its dialect; the first name in a row's first cell is the field
that the row is about.
"""

from typing import Any

Samples = dict[str, dict[str, Any]]

BARE: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
    "responses": {"model": "m", "input": "hi"},
    "messages": {"model": "m", "max_tokens": 2000, "messages": [{"role": "user", "content": "hi"}]},
}
"""The smallest request of each dialect."""

PNG = "iVBORw0KGgo="
THOUGHT = "The moon pulls."
"""Reasoning without a seal; it stands in samples of such reasoning only."""

SCHEMA = {"type": "object", "properties": {"height": {"type": "number"}}, "required": ["height"]}

_CHAT_TOOL = {"type": "function", "function": {"name": "tide", "parameters": SCHEMA}}
_CHAT_CUSTOM = {"type": "custom", "custom": {"name": "tide"}}
_ITEM_TOOL = {"type": "function", "name": "tide", "parameters": SCHEMA, "strict": False}
_ITEM_CUSTOM = {"type": "custom", "name": "tide"}
_CLAUDE_TOOL = {"name": "tide", "input_schema": SCHEMA}


def _chat(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages), **fields}


def _user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def _called(*results: dict[str, Any], **assistant: Any) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    return _chat(
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [call], **assistant},
        *results,
    )


_CHAT_FIELDS: Samples = {
    "`model`": {"model": "m"},
    "`messages`": BARE["chat"],
    "`max_completion_tokens`": {"max_completion_tokens": 50},
    "`max_tokens`": {"max_tokens": 50},
    "`stream`": {"stream": True},
    "`stream_options`": {"stream": True, "stream_options": {"include_usage": True}},
    "`temperature` up to 1": {"temperature": 0.5},
    "`temperature` above 1": {"temperature": 1.5},
    "`top_p`": {"top_p": 0.5},
    "`stop`": {"stop": ["END"]},
    "`n` above 1": {"n": 2},
    "`seed`": {"seed": 1},
    "`frequency_penalty`": {"frequency_penalty": 0.5},
    "`presence_penalty`": {"presence_penalty": 0.5},
    "`logit_bias`": {"logit_bias": {"1": 2}},
    "`logprobs`": {"logprobs": True},
    "`top_logprobs`": {"logprobs": True, "top_logprobs": 2},
    "`tools`: functions": {"tools": [_CHAT_TOOL]},
    "`tools`: custom": {"tools": [_CHAT_CUSTOM]},
    "`tools`: any other type": {"tools": [{"type": "web_search"}]},
    "`tool_choice`: `auto`, `none`, `required`": {"tools": [_CHAT_TOOL], "tool_choice": "required"},
    "`tool_choice`: one tool": {
        "tools": [_CHAT_TOOL],
        "tool_choice": {"type": "function", "function": {"name": "tide"}},
    },
    "`tool_choice`: `allowed_tools`": {
        "tools": [_CHAT_TOOL],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "auto",
                "tools": [{"type": "function", "function": {"name": "tide"}}],
            },
        },
    },
    "`parallel_tool_calls`: `false`": {"tools": [_CHAT_TOOL], "parallel_tool_calls": False},
    "`functions`": {"functions": [_CHAT_TOOL["function"]]},
    "`function_call`": {"functions": [_CHAT_TOOL["function"]], "function_call": {"name": "tide"}},
    "`response_format`: `json_schema`": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "tide", "schema": SCHEMA}}
    },
    "`response_format`: `json_object`": {"response_format": {"type": "json_object"}},
    "`reasoning_effort`": {"reasoning_effort": "high"},
    "`verbosity`": {"verbosity": "low"},
    "`modalities`: with `audio`": {"modalities": ["text", "audio"]},
    "`audio`": {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    "`prediction`": {"prediction": {"type": "content", "content": "hi"}},
    "`web_search_options`": {"web_search_options": {"search_context_size": "low"}},
    "`moderation`": {"moderation": {"model": "omni-moderation-latest"}},
    "`service_tier`: `auto`, `default`": {"service_tier": "auto"},
    "`service_tier`: `flex`": {"service_tier": "flex"},
    "`service_tier`: `on_demand`": {"service_tier": "on_demand"},
    "`service_tier`: `priority`": {"service_tier": "priority"},
    "`store`": {"store": True},
    "`metadata`": {"metadata": {"a": "b"}},
    "`safety_identifier`": {"safety_identifier": "ada"},
    "`user`": {"user": "ada"},
    "`prompt_cache_key`": {"prompt_cache_key": "a"},
    "`prompt_cache_retention`": {"prompt_cache_retention": "24h"},
    "`prompt_cache_options`": {"prompt_cache_options": {"mode": "implicit"}},
    "`top_k`": {"top_k": 5},
    "a field that nobody knows": {"new_field": 1},
}

_CHAT_CONTENT: Samples = {
    "a `system` message first": _chat(
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}
    ),
    "a `system` message later": _chat(
        {"role": "user", "content": "hi"}, {"role": "system", "content": "Be brief."}
    ),
    "a `developer` message first": _chat(
        {"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}
    ),
    "`name` of a participant": _chat({"role": "user", "name": "ada", "content": "hi"}),
    "an image by `https` address": _chat(
        _user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})
    ),
    "an image as `data:` URL": _chat(
        _user({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}})
    ),
    "an image with `detail`": _chat(
        _user({"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}})
    ),
    "a PDF as `file_data`": _chat(
        _user(
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"},
            }
        )
    ),
    "a `file_id`": _chat(_user({"type": "file", "file": {"file_id": "file-1"}})),
    "sound (`input_audio`)": _chat(
        _user({"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}})
    ),
    "tool calls and their results": _called({"role": "tool", "tool_call_id": "call_1", "content": "7 m"}),
    "`cache_control` on a part": _chat(
        _user({"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}})
    ),
    "`reasoning_content` of earlier answers": _called(
        {"role": "tool", "tool_call_id": "call_1", "content": "7 m"}, reasoning_content=THOUGHT
    ),
    "`reasoning_details` with OpenAI's seal": _called(
        {"role": "tool", "tool_call_id": "call_1", "content": "7 m"},
        reasoning_details=[
            {"type": "reasoning.encrypted", "data": "e1", "id": "rs_1", "format": "openai-responses-v1"}
        ],
    ),
    "`reasoning_details` with Anthropic's seal": _called(
        {"role": "tool", "tool_call_id": "call_1", "content": "7 m"},
        reasoning_details=[
            {"type": "reasoning.text", "text": "hm", "signature": "s1", "format": "anthropic-claude-v1"}
        ],
    ),
    "a `refusal` of earlier answers": _chat(
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "user", "content": "hi"},
    ),
    "`audio` of earlier answers": _chat(
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "audio": {"id": "audio_1"}},
        {"role": "user", "content": "hi"},
    ),
}

_RESPONSES_FIELDS: Samples = {
    "`model`": {"model": "m"},
    "`input`": {"input": "hi"},
    "`instructions`": {"instructions": "Be brief."},
    "`max_output_tokens`": {"max_output_tokens": 50},
    "`stream`": {"stream": True},
    "`stream_options`": {"stream": True, "stream_options": {"include_obfuscation": False}},
    "`previous_response_id`": {"previous_response_id": "resp_1"},
    "`store`": {"store": True},
    "`conversation`": {"conversation": "conv_1"},
    "`background`": {"background": True},
    "`background_options`": {"background_options": {"deadline": "1h"}},
    "`truncation`: `disabled`": {"truncation": "disabled"},
    "`truncation`: `auto`": {"truncation": "auto"},
    "`context_management`": {"context_management": [{"type": "compaction"}]},
    "`prompt`": {"prompt": {"id": "pmpt_1"}},
    "`temperature` up to 1": {"temperature": 0.5},
    "`temperature` above 1": {"temperature": 1.5},
    "`top_p`": {"top_p": 0.5},
    "`top_logprobs`": {"top_logprobs": 2},
    "`tools`: functions": {"tools": [_ITEM_TOOL]},
    "`tools`: custom": {"tools": [_ITEM_CUSTOM]},
    "`tools`: any other type": {"tools": [{"type": "web_search"}]},
    "`tool_choice`: `auto`, `none`, `required`": {"tools": [_ITEM_TOOL], "tool_choice": "required"},
    "`tool_choice`: one tool": {"tools": [_ITEM_TOOL], "tool_choice": {"type": "function", "name": "tide"}},
    "`tool_choice`: `allowed_tools`": {
        "tools": [_ITEM_TOOL],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "tide"}],
        },
    },
    "`parallel_tool_calls`: `false`": {"tools": [_ITEM_TOOL], "parallel_tool_calls": False},
    "`max_tool_calls`": {"max_tool_calls": 3},
    "`text`: `format` with a `json_schema`": {
        "text": {"format": {"type": "json_schema", "name": "tide", "schema": SCHEMA}}
    },
    "`text`: `format` as `json_object`": {"text": {"format": {"type": "json_object"}}},
    "`text`: `verbosity`": {"text": {"verbosity": "low"}},
    "`reasoning`: `effort`": {"reasoning": {"effort": "high"}},
    "`reasoning`: `summary`": {"reasoning": {"effort": "high", "summary": "auto"}},
    "`reasoning`: `mode` other than `standard`": {"reasoning": {"mode": "pro"}},
    "`include`: `reasoning.encrypted_content`": {"include": ["reasoning.encrypted_content"]},
    "`include`: `message.output_text.logprobs`": {"include": ["message.output_text.logprobs"]},
    "`include`: of hosted tools": {"include": ["file_search_call.results"]},
    "`image`": {"image": {"moderation": "auto"}},
    "`moderation`": {"moderation": {"model": "omni-moderation-latest"}},
    "`access_programs`": {"access_programs": ["a"]},
    "`service_tier`: `auto`, `default`": {"service_tier": "auto"},
    "`service_tier`: `flex`": {"service_tier": "flex"},
    "`service_tier`: `priority`": {"service_tier": "priority"},
    "`metadata`": {"metadata": {"a": "b"}},
    "`safety_identifier`": {"safety_identifier": "ada"},
    "`user`": {"user": "ada"},
    "`prompt_cache_key`": {"prompt_cache_key": "a"},
    "`prompt_cache_retention`": {"prompt_cache_retention": "24h"},
    "`prompt_cache_options`": {"prompt_cache_options": {"mode": "implicit"}},
    "a field that nobody knows": {"new_field": 1},
}


def _items(*items: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"type": "message", "role": "user", "content": "hi"}, *items]}


def _said(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"type": "message", "role": "user", "content": list(parts)}]}


_RESPONSES_CONTENT: Samples = {
    "a `system` or `developer` message first": {
        "input": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    },
    "a `system` or `developer` message later": _items({"role": "developer", "content": "Be brief."}),
    "an `input_image` by `https` address": _said(
        {"type": "input_image", "image_url": "https://example.com/a.png"}
    ),
    "an `input_image` with `detail`": _said(
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"}
    ),
    "an `input_file` with `file_data` (PDF)": _said(
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": f"data:application/pdf;base64,{PNG}",
        }
    ),
    "an `input_file` with `file_url`": _said({"type": "input_file", "file_url": "https://example.com/a.pdf"}),
    "a `file_id`": _said({"type": "input_file", "file_id": "file-1"}),
    "`function_call` and `function_call_output`": _items(
        {"type": "function_call", "call_id": "call_1", "name": "tide", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "7 m"},
    ),
    "an image in a `function_call_output`": _items(
        {"type": "function_call", "call_id": "call_1", "name": "tide", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [{"type": "input_image", "image_url": "https://example.com/a.png"}],
        },
    ),
    "a `custom_tool_call`": _items(
        {"type": "custom_tool_call", "call_id": "call_1", "name": "tide", "input": "now"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "7 m"},
    ),
    "`reasoning` of OpenAI": _items(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e1"}
    ),
    "`reasoning` of Anthropic": _items(
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "hm"}],
            "encrypted_content": "seawall.anthropic.t.:s1",
        }
    ),
    "`reasoning` without `encrypted_content`": _items(
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": THOUGHT}]}
    ),
    "an item of a hosted tool": _items({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
}

_MESSAGES_FIELDS: Samples = {
    "`model`": {"model": "m"},
    "`messages`": {"messages": BARE["messages"]["messages"]},
    "`max_tokens`": {"max_tokens": 2000},
    "`max_tokens`: 0": {"max_tokens": 0},
    "`system`": {"system": "Be brief."},
    "`stream`": {"stream": True},
    "`stop_sequences`": {"stop_sequences": ["END"]},
    "`temperature`": {"temperature": 0.5},
    "`top_p`": {"top_p": 0.5},
    "`top_k`": {"top_k": 5},
    "`tools`: of your own": {"tools": [_CLAUDE_TOOL]},
    "`tools`: `bash`, `text_editor`, `computer`": {"tools": [{"type": "bash_20250124", "name": "bash"}]},
    "`tools`: any other type": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "`tool_choice`": {"tools": [_CLAUDE_TOOL], "tool_choice": {"type": "any"}},
    "`tool_choice`: `disable_parallel_tool_use`": {
        "tools": [_CLAUDE_TOOL],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "`thinking`: `enabled`": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "`thinking`: `adaptive`": {"thinking": {"type": "adaptive"}},
    "`thinking`: `disabled`": {"thinking": {"type": "disabled"}},
    "`output_config`: `effort`": {"output_config": {"effort": "high"}},
    "`output_config`: `format`": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "`output_config`: `task_budget`": {"output_config": {"task_budget": {"type": "tokens", "total": 20000}}},
    "`cache_control`": {"cache_control": {"type": "ephemeral"}},
    "`metadata`: `user_id`": {"metadata": {"user_id": "ada"}},
    "`service_tier`": {"service_tier": "auto"},
    "`speed`: `fast`": {"speed": "fast"},
    "`inference_geo`: other than `global`": {"inference_geo": "us"},
    "`container`": {"container": "c1"},
    "`mcp_servers`": {"mcp_servers": [{"type": "url", "url": "https://example.com", "name": "a"}]},
    "`thread`": {"thread": {"id": "t1"}},
    "`fallbacks`": {"fallbacks": [{"model": "other"}]},
    "`fallback_credit_token`": {"fallback_credit_token": "t"},
    "`compaction`": {"compaction": {"type": "auto"}},
    "`context_management`: clearing": {
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}
    },
    "`context_management`: compacting": {"context_management": {"edits": [{"type": "compact_20260112"}]}},
    "`billing_policy`: of others": {"billing_policy": {"bill_to": "other"}},
    "`diagnostics`": {"diagnostics": {"cache": True}},
    "`user_profile_id`": {"user_profile_id": "u1"},
    "`workspace_id`": {"workspace_id": "w1"},
    "a field that nobody knows": {"new_field": 1},
}


def _claude_user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def _claude_called(result: dict[str, Any], *before: dict[str, Any]) -> dict[str, Any]:
    use = {"type": "tool_use", "id": "toolu_1", "name": "tide", "input": {}}
    return {
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [*before, use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", **result}]},
        ]
    }


_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
_MESSAGES_CONTENT: Samples = {
    "a `system` message later": {
        "messages": [{"role": "user", "content": "hi"}, {"role": "system", "content": "Be brief."}]
    },
    "an `image`, by address or as data": _claude_user(_IMAGE),
    "a `document` (PDF)": _claude_user(
        {
            "type": "document",
            "title": "a.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PNG},
        }
    ),
    "a `document` by address": _claude_user(
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    ),
    "a `document` with `citations`": _claude_user(
        {
            "type": "document",
            "citations": {"enabled": True},
            "source": {"type": "text", "media_type": "text/plain", "data": "hi"},
        }
    ),
    "a `search_result`": _claude_user(
        {
            "type": "search_result",
            "source": "https://example.com",
            "title": "a",
            "content": [{"type": "text", "text": "hi"}],
        }
    ),
    "a source of type `file`": _claude_user({"type": "image", "source": {"type": "file", "file_id": "f1"}}),
    "`tool_use` and `tool_result`": _claude_called({"content": "7 m"}),
    "a `tool_result` with `is_error`": _claude_called({"content": "no tide", "is_error": True}),
    "an `image` in a `tool_result`": _claude_called({"content": [_IMAGE]}),
    "`cache_control` on a block": _claude_user(
        {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}
    ),
    "`thinking` of Anthropic": _claude_called(
        {"content": "7 m"}, {"type": "thinking", "thinking": "hm", "signature": "s1"}
    ),
    "`thinking` of OpenAI": _claude_called(
        {"content": "7 m"}, {"type": "thinking", "thinking": "hm", "signature": "seawall.openai.t.rs_1:e1"}
    ),
    "`thinking` without a signature": _claude_called(
        {"content": "7 m"}, {"type": "thinking", "thinking": THOUGHT, "signature": ""}
    ),
    "`redacted_thinking`": _claude_called({"content": "7 m"}, {"type": "redacted_thinking", "data": "d1"}),
    "a block of a hosted tool": _claude_user({"type": "server_tool_use", "id": "s1", "name": "web_search"}),
}

FIELDS: dict[str, Samples] = {
    "chat": _CHAT_FIELDS,
    "responses": _RESPONSES_FIELDS,
    "messages": _MESSAGES_FIELDS,
}
CONTENT: dict[str, Samples] = {
    "chat": _CHAT_CONTENT,
    "responses": _RESPONSES_CONTENT,
    "messages": _MESSAGES_CONTENT,
}

BETWEEN_VENDORS: dict[str, tuple[str, dict[str, Any]]] = {
    "`developer` messages": ("responses", _items({"role": "developer", "content": "Be brief."})),
    "the end user": ("responses", {"safety_identifier": "ada"}),
    "custom tools": ("responses", {"tools": [_ITEM_CUSTOM]}),
    "`allowed_tools`": ("responses", _RESPONSES_FIELDS["`tool_choice`: `allowed_tools`"]),
    "`text`: `verbosity`": ("responses", {"text": {"verbosity": "low"}}),
    "`prompt_cache_key`": ("responses", {"prompt_cache_key": "a"}),
    "`top_k`": ("messages", {"top_k": 5}),
    "`cache_control`": ("messages", _MESSAGES_CONTENT["`cache_control` on a block"]),
    "a `document` by address": ("messages", _MESSAGES_CONTENT["a `document` by address"]),
    "`thinking`: `enabled`": ("messages", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    "`thinking`: `disabled`": ("messages", {"thinking": {"type": "disabled"}}),
    "`thinking` of Anthropic": ("messages", _MESSAGES_CONTENT["`thinking` of Anthropic"]),
    "reasoning without a seal": ("messages", _MESSAGES_CONTENT["`thinking` without a signature"]),
    "a `refusal` of earlier answers": (
        "responses",
        _items({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}),
    ),
}
"""What the vendors of chat completions are told differently, and the dialect in which it is asked for."""
