"""What a real gateway writes to its log while it is attacked and stopped: lines of JSON, and no secret in them."""

import json
from pathlib import Path

import httpx

from seawall.proving.mock_provider import MockProvider
from tests.fixtures.gateways import ADMIN_KEY, PROVIDER_KEY, marked
from tests.fixtures.mock_calls import LONGER, o200k
from tests.fixtures.processes import LOG, configure, served
from tests.fixtures.raw_http import peer_of

TEXT = "Which of the seven seas is calm"


async def test_the_log_has_lines_of_json_without_secrets_texts_and_addresses(tmp_path: Path) -> None:
    forged = 'sk-proj-a1B2c3D4e5F6\n{"message":"all is well"}'
    async with MockProvider(count=o200k()) as mock:
        configure(tmp_path, mock)
        async with served(tmp_path) as gateway, peer_of(gateway.port) as peer:
            assert gateway.key is not None
            base = f"http://127.0.0.1:{gateway.port}"
            async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=LONGER * 4) as http:
                shown = {"authorization": f"Bearer {gateway.key}"}
                for body in (
                    marked("ada"),
                    marked("ada", "e500"),
                    marked("ada", model=forged),
                    {"messages": TEXT},
                ):
                    await http.post("/v1/chat/completions", json=body, headers=shown)
                await http.post(
                    "/v1/chat/completions",
                    json=marked("ada"),
                    headers={"authorization": f"Bearer {gateway.key}x"},
                )
            peer.send(b"GET /\x00 nonsense\r\n\r\n")
            await peer.rest()
            assert await gateway.stop() == 0
    written = (tmp_path / LOG).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    assert {line["message"] for line in lines} >= {"call"}
    assert all(set(line) >= {"at", "level", "message"} for line in lines)
    hidden = (
        gateway.key,
        PROVIDER_KEY,
        ADMIN_KEY,
        "sk-proj",
        TEXT,
        "127.0.0.1",
        str(tmp_path),
        'all is well"}\n',
    )
    assert [text for text in hidden if text in written] == []
