"""Every configuration that a page shows can be used as it stands, and tables from the code are complete."""

from pathlib import Path

import pytest

from seawall.providers import openai
from seawall.providers.vendors import VENDORS
from seawall.settings import load_settings
from tests.docs.pages import all_pages, blocks_of, read_page

CONFIGURATIONS = [
    pytest.param(block.text, id=f"{page}:{block.line}")
    for page in all_pages()
    for block in blocks_of(page)
    if block.language == "toml"
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_the_configuration_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "seawall.toml").write_text(text, encoding="utf-8")
    settings = load_settings(None, {}, {}, tmp_path)
    assert settings.notes() == []


def test_the_page_of_providers_has_every_vendor() -> None:
    page = read_page("docs/providers.md")
    rows = [f"| `{vendor.name}` | `{vendor.key_variable}` | `{vendor.base_url}` |" for vendor in VENDORS]
    assert [row for row in rows if row not in page] == []


def test_the_page_of_providers_has_every_field_that_is_refused() -> None:
    section = read_page("docs/providers.md").partition("## Fields that are refused")[2]
    fields = [*openai._REFUSED_FIELDS, "service_tier", "tools", *filter(None, openai._ORDINARY_TIERS)]
    assert [field for field in [*fields, *openai._PRICED_TOOLS] if f"`{field}`" not in section] == []
