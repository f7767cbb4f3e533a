#!/usr/bin/env python3
"""Write the OpenAPI description of every route; with --check only say whether it is up to date.

One for readers, docs/openapi.json, and the same without its spaces in the package, for `GET /openapi.json`.
"""

import argparse
import json
import sys
from pathlib import Path

from openapi.admin import admin_paths, admin_schemas
from openapi.calls import HEADERS, call_paths, call_schemas
from openapi.documents import document_paths, document_schemas
from openapi.errors import HEADERS as ERROR_HEADERS
from openapi.errors import error_responses, error_schemas
from openapi.feedback import feedback_paths, feedback_schemas
from openapi.jobs import job_paths, job_schemas
from openapi.shapes import Json, text

from seawall import __version__

ROOT = Path(__file__).resolve().parent.parent
READABLE = ROOT / "docs" / "openapi.json"
SERVED = ROOT / "src" / "seawall" / "server" / "openapi.json"

INFO = {
    "title": "Seawall",
    "version": __version__,
    "summary": "The defence layer between an AI app and the model providers it pays.",
    "description": (
        "The requests of calls show the fields that Seawall reads; every other field travels on to the"
        " provider, but for those that would change the price beyond any bound. Pages that a publishable key"
        " lists may call everything below /v1; preflights are answered there as well."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
TAGS = [
    {"name": "Calls", "description": "What reaches a provider, and costs money."},
    {"name": "Models", "description": "What can be called."},
    {"name": "Stored answers", "description": "What `/v1/responses` keeps for its callers."},
    {"name": "Background work", "description": "What is accepted now and done later."},
    {"name": "Feedback", "description": "What people say of the answers they got."},
    {"name": "Admin API", "description": "Keys, users, calls and sums, for the operator."},
    {"name": "Health", "description": "For load balancers and monitoring."},
]
SCHEMES = {
    "virtualKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A virtual key (sw-...), a publishable key (swp-...) or a login token.",
    },
    "virtualKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same, as Anthropic's libraries send it.",
    },
    "adminKey": {"type": "http", "scheme": "bearer", "description": "The admin key."},
}


def main() -> int:
    """Write or check both files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 if a file is out of date"
    )
    document = render()
    files = {
        READABLE: json.dumps(document, indent=2, ensure_ascii=False) + "\n",
        SERVED: json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n",
    }
    if not parser.parse_args().check:
        for path, content in files.items():
            path.write_text(content, encoding="utf-8")
        return 0
    if all(path.is_file() and path.read_text(encoding="utf-8") == content for path, content in files.items()):
        return 0
    print("docs/openapi.json is out of date: run python scripts/build_openapi.py", file=sys.stderr)
    return 1


def render() -> Json:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": TAGS,
        "paths": {
            **call_paths(),
            **document_paths(),
            **job_paths(),
            **feedback_paths(),
            **admin_paths(),
        },
        "components": {
            "securitySchemes": SCHEMES,
            "parameters": _parameters(),
            "headers": {**HEADERS, **ERROR_HEADERS},
            "responses": error_responses(),
            "schemas": {
                **call_schemas(),
                **document_schemas(),
                **job_schemas(),
                **feedback_schemas(),
                **admin_schemas(),
                **error_schemas(),
            },
        },
    }


def _parameters() -> Json:
    helps = {
        "seawall-user": "The end user for whom the call is made; only beside a virtual key.",
        "seawall-client-ip": "The address of the end user; only beside a virtual key.",
        "cache-control": "What the cache may do: `no-cache`, `no-store`, `max-age`, `only-if-cached`.",
        "anthropic-version": "The version of Anthropic's API.",
        "anthropic-beta": "What of Anthropic's is tried before it is finished, with commas between.",
    }
    found: Json = {
        name: {"name": name, "in": "header", "description": help_text, "schema": text()}
        for name, help_text in helps.items()
    }
    found["seawall-client-ip"]["schema"] = {"anyOf": [text(format="ipv4"), text(format="ipv6")]}
    return found


if __name__ == "__main__":
    sys.exit(main())
