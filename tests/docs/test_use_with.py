"""Every snippet on the pages of docs/use-with runs as it stands, and shows what the page shows."""

import shutil
import sys
from pathlib import Path

import pytest

from seawall.proving.mock_provider import MockProvider
from tests.docs.pages import ROOT, blocks_of, read_page
from tests.docs.reader import Reader, shows
from tests.fixtures.clients import PROVIDER_KEY
from tests.fixtures.node_clients import NodePrograms

FOLDER = "docs/use-with"
PAGES = sorted(path.name for path in (ROOT / FOLDER).glob("*.md") if path.name != "README.md")
TYPED = ("sh", "python", "js")
SHOWN = ("text", "json")
LOADED = "toml"
"""What only has to load: see test_examples_load.py."""

EMBEDDER = """
[demo]
pace_s = 0

[providers.mock]
base_url = "{base_url}"
api_key_env = "MOCK_API_KEY"
dialects = ["embeddings"]
models = ["text-embedding-3-small"]
free = true
"""
"""The demo model makes no embeddings, so that a provider of our own does."""

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="the pages use curl, which is not installed"),
    pytest.mark.timeout(400),  # The packages of Node.js may have to be installed.
]


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_run(
    page: str, tmp_path: Path, mock_provider: MockProvider, request: pytest.FixtureRequest
) -> None:
    blocks = blocks_of(f"{FOLDER}/{page}")
    if any(block.language == "js" for block in blocks):
        node: NodePrograms = request.getfixturevalue("node")
        (tmp_path / "node_modules").symlink_to(node.folder / "node_modules")
    (tmp_path / "seawall.toml").write_text(EMBEDDER.format(base_url=mock_provider.base_url), encoding="utf-8")
    (tmp_path / ".env").write_text(f"MOCK_API_KEY={PROVIDER_KEY}\n", encoding="utf-8")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "llm").symlink_to(Path(sys.executable).with_name("llm"))
    screen = ""
    with Reader(tmp_path, programs) as reader:
        reader.start()
        for block in blocks:
            if block.language in TYPED:
                screen = reader.type(block)
            elif block.language in SHOWN:
                assert shows(screen, block), f"{page}:{block.line} shows\n{block.text}\nthe screen\n{screen}"
            else:
                assert block.language == LOADED, f"{page}:{block.line}"
        reader.stop()


def test_the_index_names_every_page() -> None:
    index = read_page(f"{FOLDER}/README.md")
    assert [page for page in PAGES if f"]({page})" not in index] == []
