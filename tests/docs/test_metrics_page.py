"""Every metric has its heading, every heading is a metric, and what is said of labels is so."""

import re

import pytest

from seawall.server.metrics.families import FAMILIES, Family
from tests.docs.pages import blocks_of, headings_of, read_page

PAGE = read_page("docs/metrics.md")


def test_the_page_has_a_heading_for_each_metric_and_no_other() -> None:
    headings = [heading.strip("`") for heading in headings_of("docs/metrics.md") if heading.startswith("`")]
    assert sorted(headings) == sorted(family.name for family in FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_its_kind_and_labels_are_told(family: Family) -> None:
    told = PAGE.partition(f"### `{family.name}`\n")[2].partition("\n#")[0]
    assert f"\n{family.kind.capitalize()}: " in told
    named = re.findall(r"`(\w+)`", told.partition("Label")[2])
    assert [label for label in family.labels if label not in named] == []


def test_the_alarms_ask_for_metrics_and_labels_that_there_are() -> None:
    alarms = "".join(block.text for block in blocks_of("docs/operations.md") if block.language == "yaml")
    asked = set(re.findall(r"\bseawall_\w+", alarms))
    by_name = {family.name: family for family in FAMILIES}
    assert asked and asked - set(by_name) == set()
    for name, labels in re.findall(r"(seawall_\w+)\{([^}]*)\}", alarms):
        used = set(re.findall(r"(\w+)\s*[!=]", labels))
        assert used - set(by_name[name].labels) == set(), name
    assert len(re.findall(r"- alert: ", alarms)) == 3


def test_names_follow_the_custom_of_prometheus() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r"seawall_[a-z_]+", family.name)
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert bool(family.bounds) == (family.kind == "histogram"), family.name


def test_no_label_can_name_a_caller() -> None:
    labels = {label for family in FAMILIES for label in family.labels}
    assert labels & {"key", "key_id", "user", "end_user", "owner", "address", "ip", "scope", "call"} == set()
