"""What is off topic for an app and what is not, measured on what its users might write."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.guards.topics import Profile, TopicProfile, find_off_topic, learn, load_fields, propose

FIELDS = load_fields()
TABLE = tomllib.loads((Path(__file__).parent.parent / "fixtures" / "topics.toml").read_text("utf-8"))
COOKING = TopicProfile(["cooking and recipes", "kitchen equipment", "nutrition"], FIELDS)
GARDEN = TABLE["german"]


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def scores(apps: list[dict[str, Any]], kind: str) -> list[float]:
    return [
        profile.score(text)
        for app in apps
        for profile in [TopicProfile(app["topics"], FIELDS)]
        for text in lines(app[kind])
    ]


def share_from(found: list[float], threshold: float) -> float:
    return sum(score >= threshold for score in found) / len(found)


def test_most_of_what_is_off_topic_is_told_at_two_percent_false_alarms() -> None:
    on, off = scores(TABLE["apps"], "on"), scores(TABLE["apps"], "off")
    assert (len(on), len(off)) == (200, 200)
    assert share_from(on, 0.6) <= 0.02
    assert share_from(off, 0.6) >= 0.73


def test_half_of_it_is_told_for_apps_that_the_table_was_not_made_for() -> None:
    assert share_from(scores(TABLE["held_out"], "on"), 0.6) <= 0.02
    assert share_from(scores(TABLE["held_out"], "off"), 0.6) >= 0.48


@pytest.mark.parametrize(
    "text",
    [
        "", "Hi", "hello there, how are you?", "thank you so much", "and for four people?", "why?", "tell me more",
        "What can you do?", "How do I change my password in this app?", "Can you say that in a shorter way?",
        "How do I cook rice?", "What about the other one?", "Which of the two would you take?",
    ],
)  # fmt: skip
def test_small_talk_and_follow_ups_are_not_off_topic(text: str) -> None:
    assert COOKING.score(text) < 0.5


def test_words_of_no_field_do_not_tell() -> None:
    assert COOKING.score("Could the gizmo be frobnicated by a wombat on the plateau of Leng?") < 0.5


def test_one_word_of_another_field_does_not_tell_and_many_do() -> None:
    assert COOKING.score("Does the train go there?") < 0.5
    text = "Write a Python script with a SQL query for my database"
    assert COOKING.score(text) > 0.8
    assert TopicProfile(["programming"], FIELDS).score(text) == 0.0


def test_off_topic_is_a_finding_of_the_whole_text() -> None:
    text = "Who won the presidential election, the Democrat or the Republican?"
    (found,) = find_off_topic(text, COOKING, 0.6)
    assert (found.detector, found.label, found.start, found.end) == ("topics", "off_topic", 0, len(text))
    assert found.score >= 0.6
    assert find_off_topic("How do I bake bread?", COOKING, 0.6) == []


def test_a_word_with_two_meanings_means_what_the_other_topics_mean() -> None:
    profile = TopicProfile(["fitness training", "running"], FIELDS)
    assert profile.score("Cheap flights and a hotel in Lisbon") > 0.6


def test_topics_of_no_known_field_are_judged_with_care() -> None:
    text = "Is the emperor on this piece from a dynasty before the crusade?"
    assert TopicProfile(["numismatics"], FIELDS).score(text) < COOKING.score(text)


def test_other_languages_are_not_judged_by_english_words() -> None:
    text = (
        "Die Art der Kunst ist mir egal, ich mag den Rock und die Mode im Film und das Gift auf dem Hut nicht"
    )
    assert COOKING.score(text) < 0.5


def test_profile_holds_no_rare_word_and_goes_through_json() -> None:
    texts = [*lines(GARDEN["history"]), "Meine Nachbarin Kunigunde", "Kunigunde sagt nein"]
    profile = learn(texts, FIELDS)
    assert "kunigunde" not in profile.terms
    assert profile.terms["rasen"] > 0
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


def test_proposed_words_are_those_that_tell_most() -> None:
    assert {"rasen", "pflanzen", "blumen", "garten"} <= set(propose(learn(lines(GARDEN["history"]), FIELDS)))


def test_learned_profile_tells_in_another_language_without_false_alarms() -> None:
    profile = TopicProfile(GARDEN["topics"], FIELDS, learn(lines(GARDEN["history"]), FIELDS))
    on, off = ([profile.score(text) for text in lines(GARDEN[kind])] for kind in ("on", "off"))
    assert max(on) < 0.5
    assert sum(off) > 2 * sum(on)


def test_learned_words_speak_for_a_text() -> None:
    texts = [f"Our python eats a mouse every {day}" for day in ("monday", "tuesday", "friday", "sunday")]
    text = "Does the python want a mouse or a keyboard?"
    plain = TopicProfile(["reptiles"], FIELDS)
    learned = TopicProfile(["reptiles"], FIELDS, learn(texts, FIELDS))
    assert learned.score(text) < plain.score(text)


def test_nothing_learned_is_a_profile_too() -> None:
    empty = learn([], FIELDS)
    assert (empty.texts, empty.terms, propose(empty)) == (0, {}, [])
    assert TopicProfile([], FIELDS, empty).score("How do I bake bread?") < 0.5


@given(
    st.text(alphabet=st.characters(), max_size=300), st.lists(st.text(alphabet=st.characters()), max_size=4)
)
def test_any_text_is_read(text: str, topics: list[str]) -> None:
    profile = TopicProfile([*topics, text], FIELDS, learn([text, *topics] * 20, FIELDS))
    assert 0 <= profile.score(text) <= 1
    assert 0 <= COOKING.score(text) <= 1
