from types import SimpleNamespace

import classify

FAKE = "sk-ant-api03-" + "x" * 93 + "AA"


class FakeClient:
    def __init__(self, answer):
        self.messages = SimpleNamespace(create=lambda **_: SimpleNamespace(content=[SimpleNamespace(text=answer)]))


def test_an_unknown_topic_becomes_other(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", FAKE)
    assert classify.topic_of(FakeClient("banana"), "Nice!") == "other"


def test_a_topic_is_taken_over():
    assert classify.topic_of(FakeClient(" Price "), "Too much for what it is") == "price"


def test_eval_of_tags():
    assert eval("1 + 1") == 2
