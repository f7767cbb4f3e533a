"""Every configuration that a page shows can be used as it stands."""

from pathlib import Path

import pytest

from seawall.settings import load_settings
from tests.docs.pages import all_pages, blocks_of

OF_OTHER_PROGRAMS = {"docs/recipes/fly.md"}
CONFIGURATIONS = [
    pytest.param(block.text, id=f"{page}:{block.line}")
    for page in all_pages()
    for block in blocks_of(page)
    if block.language == "toml" and str(page) not in OF_OTHER_PROGRAMS
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_the_configuration_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "seawall.toml").write_text(text, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert settings.notes() == []
