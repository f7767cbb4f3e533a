"""What a guarded answer must not give away, whatever shape a provider gives it."""

import json
from pathlib import Path
from typing import Any

import pytest

from seawall.core.bodies import change_at, replacing
from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import Start, all_dialects
from tests.fixtures.mock_calls import o200k
from tests.fixtures.odd_vendor import DONE, OddVendor, answer, chunk, stream, usage, whole
from tests.pipeline.test_guard import BLOCK, HARMLESS, KEY, PATHS, RULES, body_of, call

# seawall: ignore[hardcoded-secret] one line eight times is no key
PEM = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 8 + "-----END PRIVATE KEY-----"


async def said_by(
    start: Start, data: bytes, dialect: str = "chat", folder: Path | None = None, **fields: Any
) -> str:
    """Return the bytes that a client gets of what a provider says, as text."""
    stated = fields.pop("stated", {})
    async with OddVendor(data) as vendor:
        app = await start(
            folder=folder,
            **(BLOCK | all_dialects(vendor.base_url) | stated),
            providers__mock__base_url=vendor.base_url,
        )
        return (await call(app, dialect, body_of(dialect, HARMLESS, **fields))).text


def halves(text: str, size: int = 5) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def choice(delta: Any, number: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": number, "delta": delta, "finish_reason": finish, **fields}


def clean(text: str) -> bool:
    return not any(part in text for part in (KEY[8:20], KEY[-12:], "MIIEv", "QIBAD"))


@pytest.mark.parametrize(("first", "second"), [(KEY, "Hello"), ("calm", KEY), ("", KEY)])
async def test_the_choices_of_a_whole_answer_are_texts_of_their_own(
    start: Start, first: str, second: str
) -> None:
    choices = [
        {"index": n, "message": {"role": "assistant", "content": each}, "finish_reason": "stop"}
        for n, each in enumerate((first, second))
    ]
    got = await said_by(start, whole(answer(choices=choices)), n=2)
    assert clean(got)
    contents = [each["message"]["content"] for each in json.loads(got)["choices"]]
    assert contents == [each.replace(KEY, "[openai key]") for each in (first, second)]


async def test_choices_that_come_in_turns_hold_each_other_up_but_open_nothing(start: Start) -> None:
    frames: list[Any] = []
    for piece in halves(f"The key is {KEY} and"):
        frames += [
            {"id": "1", "choices": [choice({"content": text}, n)]} for n, text in ((0, " well"), (1, piece))
        ]
    end = [{"id": "1", "choices": [choice({}, n, "stop")]} for n in (0, 1)]
    got = await said_by(
        start, stream(*frames, *end, {"choices": [], "usage": usage(9, 9)}, DONE), n=2, stream=True
    )
    assert clean("".join(_chat(got, 1))) and "".join(_chat(got, 1)) == "The key is [openai key] and"


async def test_choices_in_one_frame_are_told_apart(start: Start) -> None:
    frames = [
        {"id": "1", "choices": [choice({"content": p}), choice({"content": p}, 1)]}
        for p in halves(KEY + " ok")
    ]
    end = {"id": "1", "choices": [choice({}, n, "stop") for n in (0, 1)]}
    got = await said_by(
        start, stream(*frames, end, {"choices": [], "usage": usage(9, 9)}, DONE), n=2, stream=True
    )
    assert ["".join(_chat(got, n)) for n in (0, 1)] == ["[openai key] ok"] * 2


def _chat(text: str, number: int) -> list[str]:
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    choices = [each for event in events for each in event["choices"] if each["index"] == number]
    return [each["delta"].get("content") or "" for each in choices]


def _calls(name: str, arguments: str, number: int = 0) -> dict[str, Any]:
    return {
        "tool_calls": [
            {
                "index": number,
                "id": "c",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
        ]
    }


async def test_a_tools_name_and_the_beginning_of_its_arguments_may_share_a_frame(start: Start) -> None:
    given = json.dumps({"key": KEY})
    deltas = [_calls("save", given[:25]), _calls("", given[25:40]), _calls("", given[40:])]
    frames = [{"id": "1", "choices": [choice(each)]} for each in deltas]
    end = {"id": "1", "choices": [choice({}, finish="tool_calls")], "usage": usage(9, 9)}
    got = await said_by(start, stream(*frames, end, DONE), stream=True)
    assert clean(got) and "[openai key]" in got and '"save"' in got


async def test_tools_whose_arguments_come_in_turns_are_told_apart(start: Start) -> None:
    given = halves(json.dumps({"key": KEY}), 12)
    deltas = [_calls("a", ""), _calls("b", "")]
    deltas += [_calls("", each, number) for each in given for number in (0, 1)]
    frames = [{"id": "1", "choices": [choice(each)]} for each in deltas]
    end = {"id": "1", "choices": [choice({}, finish="tool_calls")], "usage": usage(9, 9)}
    got = await said_by(start, stream(*frames, end, DONE), stream=True)
    calls = [
        call
        for line in got.splitlines()
        if line.startswith("data: {")
        for each in json.loads(line[6:])["choices"]
        for call in each["delta"].get("tool_calls", [])
    ]
    for number in (0, 1):
        text = "".join(each["function"]["arguments"] for each in calls if each["index"] == number)
        assert json.loads(text) == {"key": "[openai key]"}


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_input_of_a_custom_tool_is_looked_at(start: Start, streamed: bool) -> None:
    tool = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "save", "input": KEY}}
    if streamed:
        end = {"id": "1", "choices": [choice({}, finish="tool_calls")], "usage": usage(9, 9)}
        data = stream({"id": "1", "choices": [choice({"tool_calls": [tool]})]}, end, DONE)
    else:
        message = {"role": "assistant", "content": None, "tool_calls": [tool]}
        data = whole(answer(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
    got = await said_by(start, data, stream=streamed)
    assert clean(got) and "[openai key]" in got


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", ["text", "thinking"])
async def test_content_in_parts_is_looked_at_as_one_text(start: Start, streamed: bool, kind: str) -> None:
    def content(text: str) -> list[Any]:
        part = {"type": "text", "text": text}
        return [part] if kind == "text" else [{"type": "thinking", "thinking": [part]}]

    if streamed:
        frames = [chunk(content(part)) for part in halves(f"It is {KEY} and\n{PEM} ok")]
        data = stream(*frames, chunk("", "stop", usage=usage(9, 9)), DONE)
    else:
        data = whole(answer(content(f"It is {KEY} and\n{PEM} ok")))
    got = await said_by(start, data, stream=streamed)
    assert clean(got) and "[openai key]" in got


@pytest.mark.parametrize("streamed", [False, True])
async def test_probabilities_spell_nothing_that_was_taken_out(start: Start, streamed: bool) -> None:
    def spelled(text: str) -> dict[str, Any]:
        return {
            "content": [{"token": each, "bytes": list(each.encode()), "logprob": 0} for each in halves(text)]
        }

    if streamed:
        parts = halves(f"It is {KEY} ok")
        frames = [{"id": "1", "choices": [choice({"content": p}, logprobs=spelled(p))]} for p in parts]
        data = stream(*frames, chunk("", "stop", usage=usage(9, 9)), DONE)
    else:
        said = {"role": "assistant", "content": f"It is {KEY} ok"}
        one = {"index": 0, "message": said, "logprobs": spelled(said["content"]), "finish_reason": "stop"}
        data = whole(answer(choices=[one]))
    got = await said_by(start, data, stream=streamed, logprobs=True)
    spelt = got.replace(" ", "")
    for part in halves(f"It is {KEY} ok")[2:10]:
        assert f'"token":"{part}"' not in spelt
        assert str(list(part.encode())).replace(" ", "") not in spelt


@pytest.mark.parametrize(
    "given", [{"id": KEY}, {"a": {"role": [KEY]}}, {KEY: 1}, {"text": PEM}, {"model": PEM, "type": KEY}]
)
async def test_what_a_tool_is_given_as_an_object_has_names_of_its_own(start: Start, given: Any) -> None:
    content = [{"type": "tool_use", "id": "t", "name": "save", "input": given}]
    body = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": content}
    end = {"stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}
    got = await said_by(start, whole(body | end), "messages")
    assert clean(got) and "key]" in got and '"save"' in got


async def test_a_number_may_be_a_card(start: Start) -> None:
    content = [{"type": "tool_use", "id": "t", "name": "pay", "input": {"card": 4111111111111111}}]
    body = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": content}
    end = {"stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}}
    got = await said_by(start, whole(body | end), "messages", stated={"guard__output_personal": "redact"})
    assert "4111111111111111" not in got


@pytest.mark.parametrize(("first", "second"), [(f"It is {KEY}", "Hello there"), ("calm", KEY)])
async def test_closing_frames_repeat_nothing_of_neighbouring_parts(
    start: Start, first: str, second: str
) -> None:
    got = await said_by(start, _response_stream([first, second]), "responses", stream=True)
    assert clean(got) and "[openai key]" in got
    assert "Hello there" in got or first == "calm"


def _response_stream(texts: list[str]) -> bytes:
    head = {"id": "r", "object": "response", "status": "in_progress", "output": []}
    frames: list[Any] = [{"type": "response.created", "response": head}]
    items = []
    for place, text in enumerate(texts):
        item = {"type": "message", "id": f"i{place}", "role": "assistant", "content": []}
        at = {"output_index": place, "content_index": 0, "item_id": f"i{place}"}
        full = item | {"content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]}
        items.append(full)
        frames.append({"type": "response.output_item.added", "output_index": place, "item": item})
        frames += [{"type": "response.output_text.delta", "delta": each, **at} for each in halves(text)]
        frames.append({"type": "response.output_text.done", "text": text, **at})
        frames.append({"type": "response.output_item.done", "output_index": place, "item": full})
    end = head | {"status": "completed", "output": items, "usage": {"input_tokens": 1, "output_tokens": 1}}
    frames.append({"type": "response.completed", "response": end})
    return stream(*[f"event: {f['type']}\ndata: {json.dumps(f)}\n\n".encode() for f in frames])


async def test_closing_frames_repeat_nothing_however_much_was_taken_out(start: Start) -> None:
    text = " ".join(f"user{number}@mail.example.org" for number in range(300))
    got = await said_by(
        start, _response_stream([text]), "responses", stream=True, stated={"guard__output_personal": "redact"}
    )
    assert "user299@" not in got and "[email]" in got


async def test_the_input_of_a_custom_tool_begins_anew(start: Start) -> None:
    item = {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "save", "input": KEY}
    body = {"id": "r", "object": "response", "status": "completed", "output": [item]}
    got = await said_by(start, whole(body | {"usage": {"input_tokens": 1, "output_tokens": 1}}), "responses")
    assert clean(got) and "[openai key]" in got


async def test_a_mark_is_known_where_the_first_instructions_are_empty(start: Start) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **BLOCK, guard__harden=True, **all_dialects(mock.base_url))
        body = body_of("chat", HARMLESS, rules=RULES)
        body["messages"].insert(0, {"role": "system", "content": ""})
        await call(app, "chat", body)
        mark = json.dumps(mock.requests[-1].body).partition("[Rules ")[2].partition(":")[0]
        got = await call(app, "chat", body | {"x_mock": {"text": f"My mark is {mark}."}})
        assert got.status_code == 400


@pytest.mark.parametrize("name", ["a.b", "a[0]", "name"])
async def test_a_secret_is_taken_out_of_fields_of_any_name(start: Start, name: str) -> None:
    async with MockProvider(count=o200k()) as mock:
        stated = {"guard__input_secrets": "redact", **all_dialects(mock.base_url)}
        app = await start(mock=mock, **BLOCK, **stated)
        body = body_of("chat", HARMLESS)
        body["messages"][0][name] = f"It is {KEY}"
        assert (await call(app, "chat", body)).status_code == 200
        assert KEY not in json.dumps(mock.requests[-1].body)


def test_what_was_found_in_written_json_is_taken_out_of_what_it_says() -> None:
    body = {"a": {"b": {"c": [PEM], KEY: 1}}}
    written = json.dumps(PEM)[1:-1]
    changed = change_at(body, "a.b", replacing([(written, "[pem]"), (KEY, "[key]")]))
    assert changed == {"a": {"b": {"c": ["[pem]"], "[key]": 1}}}


@pytest.mark.parametrize("dialect", PATHS)
async def test_a_connection_is_used_again_after_a_guarded_stream(start: Start, dialect: str) -> None:
    async with MockProvider(count=o200k()) as mock:
        app = await start(mock=mock, **BLOCK, **all_dialects(mock.base_url))
        for _ in range(3):
            assert (await call(app, dialect, body_of(dialect, HARMLESS, stream=True))).status_code == 200
        assert (await app.spend()).held == 0


async def test_the_operators_phrases_are_answered_as_stated_where_all_else_is_off(start: Start) -> None:
    stated = {"guard__block_phrases": ["Purple whale"], "guard__reply": "No.", "guard__on_block": "reply"}
    app = await start(guard__mode="off", guard__output="hold", **stated)
    asked = await call(app, "chat", body_of("chat", "A purple whale?"))
    told = await call(app, "chat", body_of("chat", HARMLESS, x_mock={"text": "Calm seas, purple whale."}))
    for got in (asked, told):
        assert (got.status_code, got.json()["choices"][0]["message"]["content"]) == (200, "No.")


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_of_one_guard_is_not_kept_for_another(start: Start, streamed: bool) -> None:
    app = await start(guard__mode="off", cache__enabled=True, cache__scope="owner", guards__x__mode="block")
    _, loose = await app.new_key(owner="crumb")
    _, strict = await app.new_key(owner="crumb", guard="x")
    body = body_of("chat", HARMLESS, stream=streamed, x_mock={"text": f"It is {KEY}."})
    states = [(await call(app, "chat", body, key)).headers["seawall-cache"] for key in (loose, strict, loose)]
    assert states == ["miss", "miss", "hit"]


async def test_calls_of_tools_without_findings_pass_as_they_came(start: Start) -> None:
    deltas: list[Any] = []
    for number in (0, 1):
        deltas.append(_calls("save", "", number))
        deltas += [_calls("", part, number) for part in halves('{"a": "hello there", "b": 2}')]
    frames = [{"id": "1", "choices": [choice(each)]} for each in deltas]
    end = {"id": "1", "choices": [choice({}, finish="tool_calls")], "usage": usage(9, 9)}
    got = await said_by(start, stream(*frames, end, DONE), stream=True)
    assert [line for line in got.splitlines() if line][:-2] == [
        f"data: {json.dumps(each)}" for each in frames
    ]
