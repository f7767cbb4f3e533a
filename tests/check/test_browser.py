"""Which files run in the browser, and why."""

import json

import pytest

from seawall.check.code.browser import runs_in_browser
from seawall.check.code.project import Project


def reasons(files: dict[str, str], *libraries: str) -> dict[str, str]:
    data = {path: source.encode() for path, source in files.items()}
    if libraries:
        data["package.json"] = json.dumps({"dependencies": dict.fromkeys(libraries, "1")}).encode()
    project = Project(sorted(data), data.get)
    found = {module.path: runs_in_browser(project, module) for module in project.modules()}
    return {path: reason for path, reason in found.items() if reason is not None}


def test_a_client_component_and_what_it_imports_run_in_the_browser() -> None:
    found = reasons(
        {
            "app/chat.tsx": "'use client'\nimport { ask } from '@/lib/ask'\nimport { save } from './actions'",
            "lib/ask.ts": "export { key } from './key'",
            "lib/key.ts": "export const key = 1",
            "lib/server-only-thing.ts": "export const x = 1",
            "app/actions.ts": "'use server'\nexport async function save() {}",
            "app/page.tsx": "import Chat from './chat'\nexport default function Page() {}",
        },
        "next",
    )
    assert found == {
        "app/chat.tsx": 'it is marked "use client"',
        "lib/ask.ts": "imported by app/chat.tsx, which runs in the browser",
        "lib/key.ts": "imported by lib/ask.ts, which runs in the browser",
    }


def test_types_of_a_server_file_do_not_bring_it_to_the_browser() -> None:
    found = reasons(
        {
            "a.tsx": "'use client'\nimport type { A } from './server-db'\nimport { type B } from './other'",
            "server-db.ts": "",
            "other.ts": "",
        },
        "next",
    )
    assert list(found) == ["a.tsx"]


@pytest.mark.parametrize(
    "source",
    [
        "import 'server-only'\nimport { cookies } from 'next/headers'",
        "import fs from 'fs'",
        "import { x } from 'node:crypto'",
        "import { PrismaClient } from '@prisma/client'",
    ],
)
def test_code_that_only_a_server_can_run_is_not_followed(source: str) -> None:
    assert list(reasons({"a.tsx": "'use client'\nimport { b } from './b'", "b.ts": source}, "next")) == [
        "a.tsx"
    ]


def test_the_entry_of_a_vite_app_and_what_it_imports_run_in_the_browser() -> None:
    files = {
        "index.html": '<div id="root"></div><script type="module" src="/src/main.tsx"></script>',
        "src/main.tsx": "import App from './App'",
        "src/App.tsx": "import { ask } from './api/llm'\nconst Lazy = lazy(() => import('./Lazy'))",
        "src/api/llm.ts": "export const ask = 1",
        "src/Lazy.tsx": "export default () => null",
        "server/index.ts": "import express from 'express'",
        "server.ts": "const app = 1",
        "scripts/seed.ts": "seed()",
        "vite.config.ts": "export default {}",
    }
    assert sorted(reasons(files, "vite", "react")) == [
        "index.html",
        "src/App.tsx",
        "src/Lazy.tsx",
        "src/api/llm.ts",
        "src/main.tsx",
    ]


def test_a_script_that_a_page_loads_runs_in_the_browser() -> None:
    found = reasons(
        {
            "public/index.html": "<script src='app.js?v=2' defer></script><script src=\"https://cdn.example/x.js\"></script>",
            "public/app.js": "ask()",
            "server.js": "const express = require('express')",
        }
    )
    assert found == {
        "public/app.js": "loaded by public/index.html",
        "public/index.html": "a script of a page",
    }


def test_an_extension_and_a_phone_app_are_in_strangers_hands() -> None:
    assert "bg.js" in reasons(
        {
            "manifest.json": '{"manifest_version": 3, "background": {"service_worker": "bg.js"}}',
            "bg.js": "ask()",
        }
    )
    found = reasons(
        {"App.js": "ask()", "app/chat+api.ts": "export function POST() {}", "server/index.js": ""},
        "expo",
        "react-native",
    )
    assert list(found) == ["App.js"]


def test_components_of_vue_and_svelte_run_in_the_browser() -> None:
    found = reasons(
        {
            "src/A.vue": "<script setup>\nimport { x } from './x'\n</script>",
            "src/x.ts": "export const x = 1",
            "src/routes/+page.svelte": "<script>import { y } from '$lib/y'</script>",
            "src/lib/y.ts": "",
            "src/lib/server/z.ts": "",
            "src/routes/+page.server.ts": "import '$lib/server/z'",
        }
    )
    assert sorted(found) == ["src/A.vue", "src/lib/y.ts", "src/routes/+page.svelte", "src/x.ts"]


PAGE = """import { server } from '../lib/server'
import { client } from '../lib/client'
export async function getServerSideProps() {
  return server()
}
export default function Page() { return client() }
"""


def test_what_a_page_needs_on_the_server_alone_stays_there() -> None:
    files = {
        "pages/index.tsx": PAGE,
        "lib/server.ts": "export const server = 1",
        "lib/client.ts": "export const client = 1",
        "pages/api/x.ts": "",
    }
    assert list(reasons(files, "next")) == ["lib/client.ts"]
    data = {
        **{path: source.encode() for path, source in files.items()},
        "package.json": b'{"dependencies": {"next": "1"}}',
    }
    project = Project(sorted(data), data.get)
    page = project.module("pages/index.tsx")
    assert page is not None
    assert runs_in_browser(project, page, 4) is None
    assert runs_in_browser(project, page, 6) == "a page of Next.js"


def test_remix_loaders_stay_on_the_server() -> None:
    files = {
        "app/routes/chat.tsx": "import { ask } from '../llm'\nimport { show } from '../show'\nexport const loader = async () => ask()\nexport default function Chat() { return show() }",
        "app/llm.ts": "",
        "app/show.ts": "",
    }
    assert list(reasons(files, "@remix-run/react", "vite")) == ["app/show.ts"]


def test_astro_runs_its_front_matter_on_the_server_and_its_scripts_in_the_browser() -> None:
    data = {"src/pages/a.astro": b"---\nconst a = await ask()\n---\n<script>\nask()\n</script>"}
    project = Project(sorted(data), data.get)
    module = project.module("src/pages/a.astro")
    assert module is not None
    assert (runs_in_browser(project, module, 2), runs_in_browser(project, module, 5)) == (
        None,
        "a script of a page",
    )


def test_a_plain_script_that_works_on_the_document_runs_in_the_browser() -> None:
    assert list(
        reasons(
            {
                "chat.js": "document.getElementById('send').onclick = ask",
                "crawl.js": "const { JSDOM } = require('jsdom'); document.querySelector('a')",
            }
        )
    ) == ["chat.js"]


def test_server_files_do_not_run_in_the_browser() -> None:
    files = {
        "app/api/chat/route.ts": "export function POST() {}",
        "pages/api/x.js": "export default () => {}",
        "server/main.ts": "",
        "api/index.js": "",
        "cli.js": "",
        "index.js": "require('express')",
    }
    assert reasons(files, "next") == {}
    assert reasons(files) == {}


def test_each_package_of_a_monorepo_has_its_own_answer() -> None:
    data = {
        "web/package.json": b'{"devDependencies": {"vite": "5"}}',
        "web/src/main.js": b"import '@shop/shared'",
        "api/package.json": b'{"dependencies": {"express": "4"}}',
        "api/src/main.js": b"start()",
        "broken/package.json": b"{",
    }
    project = Project(sorted(data), data.get)
    web, api = project.module("web/src/main.js"), project.module("api/src/main.js")
    assert web is not None and api is not None
    assert (runs_in_browser(project, web), runs_in_browser(project, api)) == (
        "the entry of a browser app",
        None,
    )
