"""A baseline knows findings again when lines move, and holds nothing that could be misused."""

import json
from pathlib import Path

import msgspec
import pytest

from seawall.check import baseline
from seawall.check.baseline import BadBaseline
from seawall.check.findings import Finding
from seawall.check.fingerprints import with_fingerprints
from seawall.check.options import Options
from seawall.check.sifting import sift
from tests.check.reports import APP, finding, findings


def marked(text: str, *lines: int, rule: str = "no-max-tokens", **fields: object) -> list[Finding]:
    return with_fingerprints([finding(rule, line=line, **fields) for line in lines], {"app.py": text}.get)


def test_what_is_written_is_known_again(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    assert baseline.write(file, findings()) == 5
    new, known, gone = baseline.split(findings(), baseline.read(file))
    assert (new, gone) == ([], [])
    assert {each.suppressed_by for each in known} == {"baseline"}


def test_lines_that_move_stay_known() -> None:
    old = baseline.make(marked("ask(a)\nask(b)\n", 1, 2))
    moved = marked("import x\n\n    ask(b)\nask(a)\n", 3, 4)
    assert baseline.split(moved, old)[0] == []


def test_a_line_that_changes_is_new_and_the_old_one_is_gone() -> None:
    old = baseline.make(marked("ask(a)\n", 1))
    new, known, gone = baseline.split(marked("ask(b)\n", 1), old)
    assert (len(new), known, [(each.rule, each.path) for each in gone]) == (
        1,
        [],
        [("no-max-tokens", "app.py")],
    )


def test_one_more_of_the_same_is_new() -> None:
    old = baseline.make(marked("ask(a)\nask(a)\n", 1, 2))
    new, known, gone = baseline.split(marked("ask(a)\nask(a)\nask(a)\n", 1, 2, 3), old)
    assert ([each.line for each in new], len(known), gone) == ([3], 2, [])


def test_another_secret_in_the_place_of_a_known_one_is_new() -> None:
    text = 'key = "****"\n'
    old = baseline.make(marked(text, 1, rule="hardcoded-secret", hash="0" * 16))
    assert len(baseline.split(marked(text, 1, rule="hardcoded-secret", hash="1" * 16), old)[0]) == 1
    assert baseline.split(marked(text, 1, rule="hardcoded-secret", hash="0" * 16), old)[0] == []


def test_the_file_holds_rules_paths_and_salted_hashes_alone(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    baseline.write(file, findings())
    read = json.loads(file.read_text("utf-8"))
    assert set(read) == {"version", "id", "findings", "rows"}
    assert all(set(entry) == {"rule", "path", "hash"} for entry in read["findings"])
    text = file.read_text("utf-8")
    for each in findings():
        assert each.fingerprint not in text
        assert not each.hash or each.hash not in text
        assert not each.evidence or each.evidence.splitlines()[0] not in text


def test_two_baselines_cannot_be_compared_and_one_that_is_written_again_can(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    baseline.write(one, findings())
    baseline.write(other, findings())
    assert {each.hash for each in baseline.read(one).findings}.isdisjoint(
        each.hash for each in baseline.read(other).findings
    )
    before = one.read_bytes()
    baseline.write(one, findings())
    assert one.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"id": 1}', b"[" * 100_000])
def test_a_file_that_is_no_baseline_is_one_sentence_and_stays(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "known.json"
    file.write_bytes(content)
    for act in (lambda: baseline.read(file), lambda: baseline.write(file, [])):
        with pytest.raises(
            BadBaseline, match=r"^known.json is no baseline: write a new one with --write-baseline.$"
        ):
            act()
    assert file.read_bytes() == content


def test_trouble_with_the_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        BadBaseline, match=r"^the baseline none.json cannot be read \(No such file or directory\).$"
    ):
        baseline.read(tmp_path / "none.json")
    with pytest.raises(
        BadBaseline, match=r"^the baseline known.json cannot be written \(No such file or directory\).$"
    ):
        baseline.write(tmp_path / "none" / "known.json", [])
    newer = tmp_path / "newer.json"
    newer.write_bytes(msgspec.json.encode(baseline.Baseline(version=2, salt="", findings=[])))
    with pytest.raises(BadBaseline, match=r"^the baseline newer.json was written by a newer seawall.$"):
        baseline.read(newer)


def test_fingerprints_hold_for_files_that_cannot_be_read() -> None:
    unread = with_fingerprints([finding(line=3), finding(line=3), finding(line=0)], lambda path: None)
    assert len({each.fingerprint for each in unread}) == 3


def test_sifting_suppresses_what_is_known_and_says_what_is_fixed(tmp_path: Path) -> None:
    file = tmp_path / "known.json"
    raw = [finding(line=10), finding("cors-open", line=4)]
    first = sift(raw, Options(), {"app.py": APP}.get)
    baseline.write(file, first.kept)
    again = sift([finding("xss", line=2), raw[0]], Options(baseline=file), {"app.py": APP}.get)
    assert [each.rule for each in again.kept] == ["xss"]
    assert [each.rule for each in again.suppressed] == ["no-max-tokens"]
    assert again.notices == [
        "1 finding of the baseline is gone, well done: cors-open in app.py. --write-baseline takes it out."
    ]
    part = sift(raw, Options(baseline=file, select=("cors-open",)), {"app.py": APP}.get)
    assert (part.kept, part.notices) == ([], [])
