"""The settings page says what the settings are, and its example can be used as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.settings import describe_settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_settings_say() -> None:
    script = ROOT / "scripts" / "build_settings_docs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "setting", describe_settings(), ids=lambda setting: f"{setting.section}.{setting.name}"
)
def test_every_setting_has_its_heading(setting: tuple[str, ...]) -> None:
    section, name = setting[:2]
    assert f"\n### `{f'{section}.{name}' if section else name}`\n" in PAGE


def test_the_example_loads(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "seawall.toml").write_text(example, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert list(settings.providers) == ["mock"]
