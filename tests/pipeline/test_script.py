"""GET /seawall.js: any page may load it, browsers keep it, and it stays small."""

from pathlib import Path

import pytest

import seawall
from tests.fixtures.gateways import RunningApp

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = Path(seawall.__file__).parent / "server" / "static" / "seawall.js"
GZIPPED_BYTES_MAX = 5_000


async def test_any_page_may_load_it(app: RunningApp) -> None:
    answer = await app.http.get("/seawall.js", headers={"origin": "https://anybody.example"})
    assert answer.status_code == 200
    assert answer.content == FILE.read_bytes()
    assert {name: answer.headers[name] for name in ("content-type", "access-control-allow-origin")} == {
        "content-type": "text/javascript; charset=utf-8",
        "access-control-allow-origin": "*",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_it_stays_small_on_its_way(app: RunningApp) -> None:
    answer = await app.http.get("/seawall.js", headers={"accept-encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < GZIPPED_BYTES_MAX
    assert answer.content == FILE.read_bytes()


async def test_who_takes_no_gzip_gets_it_as_it_is(app: RunningApp) -> None:
    answer = await app.http.get("/seawall.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(FILE.read_bytes())


async def test_who_has_it_is_told_so(app: RunningApp) -> None:
    first = await app.http.get("/seawall.js")
    assert first.headers["cache-control"] == "public, max-age=3600"
    assert first.headers["vary"] == "Accept-Encoding"
    again = await app.http.get("/seawall.js", headers={"if-none-match": f'"else", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"
    other = await app.http.get("/seawall.js", headers={"if-none-match": 'W/"else"'})
    assert other.status_code == 200
