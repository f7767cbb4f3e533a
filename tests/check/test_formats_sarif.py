"""The SARIF log holds together, as the standard and GitHub's code scanning ask for.

The standard's own schema may not be kept here; `docs/check.md` says how the log was validated against it.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest

from seawall.check.catalogue import rules
from seawall.check.formats.sarif import ROOT, render, values
from tests.check.reports import finding, report


def run_of(**fields: Any) -> dict[str, Any]:
    log = values(report(**fields))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    run: dict[str, Any] = log["runs"][0]
    return run


def everything(value: Any) -> Any:
    yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(below)


def test_every_rule_has_help_a_page_and_a_severity_in_numbers() -> None:
    driver = run_of()["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == list(rules())
    for rule in driver["rules"]:
        assert rule["help"]["markdown"].startswith("**Looks for:** ")
        assert rule["help"]["text"]
        assert rule["helpUri"] == f"https://seawall.dev/rules/{rule['id']}"
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert re.fullmatch(r"(Llm|[A-Z])[A-Za-z]+", rule["name"])
    scores = {rule["id"]: rule["properties"].get("security-severity") for rule in driver["rules"]}
    assert (scores["hardcoded-secret"], scores["xss"], scores["no-max-tokens"]) == ("9.1", "7.5", "5.0")
    assert scores["too-early"] is None


def test_tags_are_in_the_words_of_github_and_in_taxonomies() -> None:
    run = run_of()
    rule = next(rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "llm-output-html")
    assert rule["properties"]["tags"] == [
        "security",
        "external/cwe/cwe-079",
        "external/cwe/cwe-1426",
        "OWASP-LLM05:2025",
        "ASVS-5.0-1.2.1",
        "ASVS-5.0-3.2.2",
    ]
    for rule in run["tool"]["driver"]["rules"]:
        for related in rule.get("relationships", []):
            target = related["target"]
            taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
            assert taxonomy["name"] == target["toolComponent"]["name"]
            assert {"id": target["id"]} in taxonomy["taxa"]
    supported = run["tool"]["driver"]["supportedTaxonomies"]
    assert [each["name"] for each in supported] == [taxonomy["name"] for taxonomy in run["taxonomies"]]


def test_a_result_points_at_its_rule_and_its_place() -> None:
    run = run_of()
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        [location] = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uriBaseId"] == ROOT
    assert ROOT in run["originalUriBaseIds"]
    open_endpoint = run["results"][0]
    assert open_endpoint["level"] == "error"
    assert open_endpoint["message"]["text"].endswith("Looked for: a login, a rate limit, a quota.")
    assert open_endpoint["locations"][0]["physicalLocation"]["region"] == {"startLine": 9, "endLine": 10}


def test_fingerprints_are_those_that_survive_moved_lines() -> None:
    result = run_of()["results"][0]
    fingerprint = report().findings[0].fingerprint
    assert result["partialFingerprints"] == {
        "primaryLocationLineHash": f"{fingerprint}:1",
        "seawallFingerprint/v1": fingerprint,
    }


def test_the_history_and_whole_files_have_no_region() -> None:
    results = run_of()["results"]
    by_rule = {result["ruleId"]: result for result in results}
    for name in ("hardcoded-secret-history", "system-prompt-open"):
        assert "region" not in by_rule[name]["locations"][0]["physicalLocation"]
    assert by_rule["hardcoded-secret-history"]["properties"]["commit"] == "a1b2c3d4e5f6"


def test_what_is_suppressed_says_by_whom_and_everything_else_says_that_it_is_not() -> None:
    results = run_of()["results"]
    assert {result["ruleId"]: result["suppressions"] for result in results if result["suppressions"]} == {
        "xss": [{"kind": "inSource", "status": "accepted", "justification": "only our own pages"}],
        "cors-open": [{"kind": "external", "status": "accepted", "justification": "known"}],
    }
    assert all("suppressions" not in result for result in run_of(suppressed=[])["results"])


@pytest.mark.parametrize("path", ["a b/ä#?%.py", "c:d.py", "\udcff.py", "[x]/(group)/page.tsx"])
def test_any_file_name_becomes_an_address(path: str) -> None:
    [result, *_] = run_of(findings=[finding(path=path)])["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"(?:[\w.~/-]|%[0-9A-F]{2})+", uri, re.ASCII)
    assert unquote(uri, errors="surrogateescape") == path


def test_notices_are_notifications_of_a_run_that_went_well() -> None:
    [invocation] = run_of()["invocations"]
    assert invocation == {
        "executionSuccessful": True,
        "toolExecutionNotifications": [
            {"level": "note", "message": {"text": "data/dump.sql is larger than 2 MB and was not read."}}
        ],
    }
    assert run_of(notices=[])["invocations"] == [{"executionSuccessful": True}]


def test_nothing_is_null_but_a_grade_that_there_is_not() -> None:
    log = json.loads(render(report(grade="A")))
    assert None not in list(everything(log))
    assert render(report()).isascii()
