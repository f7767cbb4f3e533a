"""The line of a finding is its evidence, and no secret is ever quoted."""

from pathlib import Path

from seawall.check.audit import audit
from seawall.check.options import Options
from seawall.check.quoting import CHARS_MAX, quote
from tests.check.made_up import made_up


def test_a_line_is_quoted_without_its_indent() -> None:
    assert quote("app.py", '    @app.post("/chat")') == '@app.post("/chat")'


def test_a_long_line_is_cut_and_a_minified_one_left_out() -> None:
    assert len(quote("app.py", "x = f(" + "a, " * 200 + ")")) == CHARS_MAX
    assert quote("app.js", "x" * 5000) == ""


def test_a_key_in_the_line_of_another_finding_is_masked(tmp_path: Path) -> None:
    key = made_up("key:openai", "quoting")
    (tmp_path / "app.py").write_text(
        "from openai import OpenAI\n"
        f'print(OpenAI(api_key="{key}").chat.completions.create(model="gpt-4.1", messages=[]))\n'
    )
    report = audit(tmp_path, Options())
    rules = {finding.rule: finding for finding in report.findings}
    assert {"hardcoded-secret", "no-max-tokens"} <= rules.keys()
    assert "chat.completions.create" in rules["no-max-tokens"].evidence
    assert key not in repr(report)
