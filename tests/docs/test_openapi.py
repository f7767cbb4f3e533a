"""The published description names every route and no other, and real answers are as it says."""

import json
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seawall.server.endpoints import ENDPOINTS
from tests.docs.pages import ROOT, read_page
from tests.docs.test_routes_documented import routes
from tests.fixtures.gateways import ADMIN_KEY, RunningApp, Start

DOCUMENT: dict[str, Any] = json.loads(read_page("docs/openapi.json"))
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
HELLO = [{"role": "user", "content": "Hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 50},
    "/v1/messages/count_tokens": {"messages": HELLO},
    "/v1/embeddings": {"input": "Hello"},
}


def test_the_files_are_what_the_program_says() -> None:
    script = ROOT / "scripts" / "build_openapi.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_it_names_every_route_and_no_other() -> None:
    assert sorted(name for name, _ in OPERATIONS) == sorted(routes())


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    used = {value for name, value in walk(DOCUMENT) if name == "$ref"}
    there = {
        f"#/components/{kind}/{name}"
        for kind, parts in DOCUMENT["components"].items()
        for name in parts
        if kind != "securitySchemes"
    }
    unused = {"#/components/responses/405", "#/components/responses/Anthropic405"}
    assert used - there == set()
    assert {name for name in there - used if not name.startswith("#/components/responses/")} == set()
    assert unused <= there


def test_every_operation_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    for name, operation in OPERATIONS:
        keys = {scheme for need in operation["security"] for scheme in need}
        if "/admin/" in name:
            assert keys == {"adminKey"}, name
        if "/v1/" in name and "/admin/" not in name:
            assert keys == {"virtualKey", "virtualKeyHeader"}, name


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_nothing_in_it_looks_like_a_secret_or_a_path() -> None:
    text = read_page("docs/openapi.json")
    assert str(ROOT) not in text and "127.0.0.1" not in text


async def test_it_is_served_to_anybody(start: Start) -> None:
    app = await start()
    answer = await app.http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT


async def test_real_answers_of_calls_are_as_it_says(start: Start) -> None:
    app = await start()
    assert set(BODIES) == set(ENDPOINTS)
    for path, body in BODIES.items():
        for model in ("demo", "nobodys-model"):
            if (path, model) == ("/v1/embeddings", "demo"):
                continue  # The demo model only writes.
            sent = {"model": model, **body}
            check_request(path, sent)
            await check(app, "POST", path, json=sent)
        await check(app, "POST", path, key="sw-nobodys", json={"model": "demo", **body})


async def test_real_answers_beside_calls_are_as_it_says(start: Start) -> None:
    app = await start()
    made = await app.http.post(
        "/v1/responses",
        json={"model": "demo", "input": "Hello"},
        headers={"authorization": f"Bearer {app.key}"},
    )
    response = made.json()["id"]
    for path in ("/v1/models", "/v1/models/demo", "/v1/models/nobodys"):
        await check(app, "GET", path)
        await check(app, "GET", path, headers={"anthropic-version": "2023-06-01"})
    for path in ("", "/input_items"):
        await check(app, "GET", f"/v1/responses/{response}{path}", of=f"/v1/responses/{{id}}{path}")
        await check(app, "GET", f"/v1/responses/none{path}", of=f"/v1/responses/{{id}}{path}")
    await check(app, "POST", f"/v1/responses/{response}/cancel", of="/v1/responses/{id}/cancel")
    await check(app, "DELETE", f"/v1/responses/{response}", of="/v1/responses/{id}")
    for path in ("/healthz", "/readyz"):
        await check(app, "GET", path)


async def test_real_answers_about_jobs_are_as_it_says(start: Start) -> None:
    app = await start(**{"tasks.mail.url": "https://app.example.com/mail"})
    task = {"target": "mail", "body": None, "delay_s": 60, "idempotency_key": "a"}
    check_request("/v1/tasks", task)
    for sent in (task, task, {**task, "body": 1}, {**task, "target": "post"}):
        await check(app, "POST", "/v1/tasks", json=sent)
    [job] = await app.seawall.store.jobs.find()
    await check(app, "GET", "/v1/jobs")
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("GET", ""),
        ("DELETE", ""),
        ("GET", ""),
    ):
        await check(app, method, f"/v1/jobs/{job.id}{path}", of=f"/v1/jobs/{{id}}{path}")


async def test_real_answers_of_the_admin_api_are_as_it_says(start: Start) -> None:
    app = await start()
    await app.chat({"model": "demo", "messages": HELLO, "user": "ada"})
    await app.settled()
    fields = {
        "name": "web",
        "kind": "publishable",
        "models": ["demo"],
        "origins": ["https://app.example.com"],
        "budget": {"daily_usd": "1.00"},
        "limits": ["5/minute"],
        "expires_at": "2027-01-31T12:00:00Z",
    }
    key = (await app.admin("POST", "/keys", fields)).json()["id"]
    call = (await app.admin("GET", "/calls")).json()["data"][0]["id"]
    change = {
        "quota": {"tokens_per_day": 5000},
        "budget": {"daily_usd": "1.00"},
        "note": "pays",
        "blocked": True,
    }
    for method, path, of, body in (
        ("POST", "/keys", "/keys", fields),
        ("POST", "/keys", "/keys", {"nam": "web"}),
        ("GET", "/keys", "/keys", None),
        ("PATCH", f"/keys/{key}", "/keys/{id}", {"name": "page"}),
        ("POST", f"/keys/{key}/rotate", "/keys/{id}/rotate", {"overlap_s": 60}),
        ("GET", f"/keys/{key}", "/keys/{id}", None),
        ("DELETE", f"/keys/{key}", "/keys/{id}", None),
        ("GET", "/keys/none", "/keys/{id}", None),
        ("GET", "/calls", "/calls", None),
        ("GET", "/calls?limit=0", "/calls", None),
        ("GET", f"/calls/{call}", "/calls/{id}", None),
        ("GET", "/usage?by=user", "/usage", None),
        ("PATCH", "/users/ada", "/users/{id}", change),
        ("GET", "/users/ada", "/users/{id}", None),
        ("GET", "/users", "/users", None),
        ("DELETE", "/users/ada", "/users/{id}", None),
        ("GET", "/cache", "/cache", None),
        ("DELETE", "/cache", "/cache", None),
        ("DELETE", f"/state?key={key}", "/state", None),
    ):
        more = {} if body is None else {"json": body}
        await check(app, method, f"/admin/v1{path}", of=f"/admin/v1{of}", key=ADMIN_KEY, **more)
    await check(app, "GET", "/admin/v1/keys", key=app.key)


def walk(value: object, name: str = "") -> list[tuple[str, Any]]:
    """List every value with the name under which it stands."""
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in ((key, each), *walk(each, key))]
    if isinstance(value, list):
        return [found for each in value for found in walk(each, name)]
    return []


def check_request(path: str, body: dict[str, Any]) -> None:
    """Compare a request with what the description takes."""
    validate(DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"], body)


async def check(
    app: RunningApp, method: str, path: str, *, of: str | None = None, key: str | None = None, **sent: Any
) -> None:
    """Ask, and compare status and body with what the description says of that address."""
    headers = {"authorization": f"Bearer {key or app.key}", **sent.pop("headers", {})}
    answer = await app.http.request(method, path, headers=headers, **sent)
    at = of or ("/v1/models/{model}" if path.startswith("/v1/models/") else path)
    responses = DOCUMENT["paths"][at][method.lower()]["responses"]
    assert str(answer.status_code) in responses, (
        f"{method} {path} answered {answer.status_code}: {answer.text}"
    )
    told = responses[str(answer.status_code)]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rpartition("/")[2]]
    validate(told["content"]["application/json"]["schema"], answer.json())


def validate(schema: dict[str, Any], value: object) -> None:
    """Raise where a value is not as the schema says."""
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


@pytest.mark.parametrize("path", BODIES)
def test_a_request_without_its_model_is_none(path: str) -> None:
    validator = Draft202012Validator(
        {
            **DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"],
            "components": DOCUMENT["components"],
        }
    )
    assert not validator.is_valid(BODIES[path])
